/*
 * test_cbor.c
 *	  One value, one encoding: RFC 8949's own examples, and everything else refused.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "unit.h"

/* True if out holds these bytes; empties it. */
static bool
is_hex(StringInfo out, const char *hex)
{
	uint8		expected[64];
	size_t		len = unit_hex(expected, hex);
	bool		same = out->len == len && memcmp(out->data, expected, len) == 0;

	resetStringInfo(out);
	return same;
}

static CborReader
reader_of_hex(const char *hex)
{
	static uint8 bytes[64];
	CborReader	reader;

	cbor_start(&reader, bytes, unit_hex(bytes, hex));
	return reader;
}

/* RFC 8949, appendix A, the types that we use. */
static void
test_integers(void)
{
	static const struct
	{
		uint64		value;
		const char *hex;
	}			positive[] = {
		{0, "00"}, {1, "01"}, {10, "0a"}, {23, "17"}, {24, "1818"}, {25, "1819"}, {100, "1864"},
		{255, "18ff"}, {256, "190100"}, {1000, "1903e8"}, {65535, "19ffff"}, {65536, "1a00010000"},
		{1000000, "1a000f4240"}, {UINT64CONST(4294967295), "1affffffff"},
		{UINT64CONST(4294967296), "1b0000000100000000"},
		{UINT64CONST(1000000000000), "1b000000e8d4a51000"},
		{UINT64CONST(18446744073709551615), "1bffffffffffffffff"},
	};
	static const struct
	{
		int64		value;
		const char *hex;
	}			negative[] = {
		{-1, "20"}, {-10, "29"}, {-24, "37"}, {-25, "3818"}, {-100, "3863"}, {-1000, "3903e7"},
		{PG_INT64_MIN, "3b7fffffffffffffff"}, {PG_INT64_MAX, "1b7fffffffffffffff"},
	};
	StringInfoData out;
	CborReader	reader;

	initStringInfo(&out);
	for (int i = 0; i < lengthof(positive); i++)
	{
		cbor_uint(&out, positive[i].value);
		check(is_hex(&out, positive[i].hex), "writes " UINT64_FORMAT, positive[i].value);
		reader = reader_of_hex(positive[i].hex);
		check(cbor_read_uint(&reader, PG_UINT64_MAX) == positive[i].value && cbor_finish(&reader),
			  "reads " UINT64_FORMAT, positive[i].value);
	}
	for (int i = 0; i < lengthof(negative); i++)
	{
		cbor_int(&out, negative[i].value);
		check(is_hex(&out, negative[i].hex), "writes " INT64_FORMAT, negative[i].value);
		reader = reader_of_hex(negative[i].hex);
		check(cbor_read_int(&reader) == negative[i].value && cbor_finish(&reader),
			  "reads " INT64_FORMAT, negative[i].value);
	}
	pfree(out.data);
}

static void
test_strings(void)
{
	static const struct
	{
		const char *text;
		const char *hex;
	}			texts[] = {
		{"", "60"}, {"a", "6161"}, {"IETF", "6449455446"}, {"\"\\", "62225c"},
		{"\303\274", "62c3bc"}, {"\346\260\264", "63e6b0b4"}, {"\360\220\205\221", "64f0908591"},
	};
	static const uint8 four[] = {1, 2, 3, 4};
	StringInfoData out;
	CborReader	reader;
	const uint8 *bytes;
	size_t		len;

	initStringInfo(&out);
	for (int i = 0; i < lengthof(texts); i++)
	{
		char	   *text;

		cbor_text(&out, texts[i].text);
		check(is_hex(&out, texts[i].hex), "writes text %d", i);
		reader = reader_of_hex(texts[i].hex);
		text = cbor_read_text(&reader, 4);
		check(strcmp(text, texts[i].text) == 0 && cbor_finish(&reader), "reads text %d", i);
		pfree(text);
	}
	cbor_bytes(&out, four, 4);
	check(is_hex(&out, "4401020304"), "writes bytes");
	cbor_bytes(&out, NULL, 0);
	check(is_hex(&out, "40"), "writes no bytes");
	reader = reader_of_hex("4401020304");
	bytes = cbor_read_bytes(&reader, 4, &len);
	check(len == 4 && memcmp(bytes, four, 4) == 0 && cbor_finish(&reader), "reads bytes");
	reader = reader_of_hex("40");
	bytes = cbor_read_bytes(&reader, 4, &len);
	check(len == 0 && bytes != NULL && cbor_finish(&reader), "reads no bytes");
	pfree(out.data);
}

static void
test_others(void)
{
	StringInfoData out;
	CborReader	reader;

	initStringInfo(&out);
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED, cbor_bytes(&out, "", SIZE_MAX), "does not write 2^64 - 1 bytes");
	cbor_bool(&out, false);
	cbor_bool(&out, true);
	cbor_null(&out);
	check(is_hex(&out, "f4f5f6"), "writes false, true, null");
	cbor_array(&out, 0);
	cbor_array(&out, 3);
	cbor_array(&out, 25);
	check(is_hex(&out, "80839819"), "writes arrays");

	reader = reader_of_hex("83f4f5f6");
	cbor_expect_array(&reader, 3);
	check(!cbor_read_null(&reader) && !cbor_read_bool(&reader) && !cbor_read_null(&reader) &&
		  cbor_read_bool(&reader) && cbor_read_null(&reader) && cbor_finish(&reader),
		  "reads false, true, null");
	reader = reader_of_hex("80");
	check(cbor_read_array(&reader, 0) == 0 && cbor_finish(&reader), "reads an empty array");
	pfree(out.data);
}

typedef void (*Read) (CborReader *reader);

static void
read_uint(CborReader *reader)
{
	cbor_read_uint(reader, 1000);
}

static void
read_int(CborReader *reader)
{
	cbor_read_int(reader);
}

static void
read_array(CborReader *reader)
{
	cbor_read_array(reader, 4);
}

static void
read_four(CborReader *reader)
{
	uint8		four[4];

	cbor_read_fixed(reader, four, 4);
	if (reader->error != NULL && memcmp(four, "\0\0\0\0", 4) != 0)
		reader->error = NULL;	/* not zeros: a failure of the check */
}

static void
read_text(CborReader *reader)
{
	char	   *text = cbor_read_text(reader, 40);

	if (reader->error != NULL && text[0] != '\0')
		reader->error = NULL;
	pfree(text);
}

static void
read_bool(CborReader *reader)
{
	cbor_read_bool(reader);
}

static void
test_refusals(void)
{
	static const struct
	{
		Read		read;
		const char *hex;
		const char *what;
	}			cases[] = {
		{read_uint, "", "nothing"},
		{read_uint, "1817", "23 in two bytes"},
		{read_uint, "190017", "23 in three bytes"},
		{read_uint, "1900ff", "255 in three bytes"},
		{read_uint, "1a0000ffff", "65535 in five bytes"},
		{read_uint, "1b00000000ffffffff", "2^32 - 1 in nine bytes"},
		{read_uint, "1903e9", "a number above the limit"},
		{read_uint, "1c", "a reserved head"},
		{read_uint, "1f", "an indefinite number"},
		{read_uint, "20", "a negative number as unsigned"},
		{read_uint, "40", "bytes as a number"},
		{read_uint, "c101", "a tag"},
		{read_uint, "f90000", "a float"},
		{read_uint, "18", "a head cut after one byte"},
		{read_uint, "1b0000000100000", "a head cut after seven bytes"},
		{read_int, "1b8000000000000000", "2^63"},
		{read_int, "3b8000000000000000", "-2^63 - 1"},
		{read_int, "3bffffffffffffffff", "-2^64"},
		{read_int, "3817", "-24 in two bytes"},
		{read_int, "f6", "null as a number"},
		{read_array, "850101010101", "a list above the limit"},
		{read_array, "84010101", "a list longer than what follows"},
		{read_array, "9bffffffffffffffff", "a list of 2^64 - 1"},
		{read_array, "9f01ff", "an indefinite list"},
		{read_array, "a10101", "a map"},
		{read_array, "980401010101", "a list's length not in its shortest form"},
		{read_four, "43010203", "three bytes for four"},
		{read_four, "450102030405", "five bytes for four"},
		{read_four, "44010203", "a string longer than what follows"},
		{read_four, "5bffffffffffffffff01", "a string of 2^64 - 1 bytes"},
		{read_four, "5b7fffffffffffffff01", "a string of 2^63 - 1 bytes"},
		{read_four, "580401020304", "a length not in its shortest form"},
		{read_four, "5f4401020304ff", "an indefinite string"},
		{read_four, "6461626364", "text as bytes"},
		{read_text, "4161", "bytes as text"},
		{read_text, "61ff", "a byte that UTF-8 never has"},
		{read_text, "62c3", "text longer than what follows"},
		{read_text, "61c3", "a cut UTF-8 sequence"},
		{read_text, "62c080", "an overlong UTF-8 sequence"},
		{read_text, "63eda080", "a surrogate"},
		{read_text, "64f4908080", "a character beyond Unicode"},
		{read_text, "63610062", "text with a zero byte"},
		{read_text, "6100", "text that is a zero byte"},
		{read_text, "7829" "61616161616161616161616161616161616161616161616161616161616161616161616161616161616161",
		"text above the limit"},
		{read_bool, "f6", "null as a truth value"},
		{read_bool, "01", "a number as a truth value"},
		{read_bool, "f814", "false in two bytes"},
		{read_bool, "", "no truth value"},
		{read_bool, "f4f4", "a second value"},
		{read_uint, "0100", "a byte too many"},
	};

	for (int i = 0; i < lengthof(cases); i++)
	{
		CborReader	reader = reader_of_hex(cases[i].hex);

		cases[i].read(&reader);
		check(!cbor_finish(&reader) && reader.error != NULL, "refuses %s", cases[i].what);
	}
}

/* A document with every type; returns true if the bytes were accepted. */
static bool
read_document(const void *bytes, size_t len)
{
	CborReader	reader;
	uint8		fixed[8];
	size_t		string_len;

	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, 7);
	cbor_read_uint(&reader, PG_UINT64_MAX);
	cbor_read_int(&reader);
	cbor_read_fixed(&reader, fixed, sizeof(fixed));
	pfree(cbor_read_text(&reader, 1000));
	cbor_read_bytes(&reader, 1000, &string_len);
	cbor_read_bool(&reader);
	if (!cbor_read_null(&reader))
		cbor_read_uint(&reader, 1);	/* as a reader of something optional does */
	return cbor_finish(&reader);
}

/* Each length has memory of its own, so that reading beyond it is seen by the sanitizers. */
static void
test_truncations(void)
{
	StringInfoData out;
	bool		refused = true;

	initStringInfo(&out);
	cbor_array(&out, 7);
	cbor_uint(&out, 70000);
	cbor_int(&out, -70000);
	cbor_bytes(&out, "12345678", 8);
	cbor_text(&out, "a text of more than twenty-three bytes");
	cbor_bytes(&out, out.data, 30);
	cbor_bool(&out, true);
	cbor_null(&out);

	check(read_document(out.data, out.len), "a document with every type is read");
	for (int len = 0; len < out.len; len++)
	{
		uint8	   *copy = malloc(len);

		memcpy(copy, out.data, len);
		refused &= !read_document(copy, len);
		free(copy);
	}
	check(refused, "each of its %d truncations is refused", out.len);
	check(!read_document(NULL, 0), "no bytes are refused");
	appendStringInfoChar(&out, 0);
	check(!read_document(out.data, out.len), "a byte more is refused");
	pfree(out.data);
}

/* Whatever is accepted must be the only encoding: writing it again gives the same bytes. */
static void
test_random_bytes(void)
{
	StringInfoData out;
	int			accepted = 0;
	int			same = 0;

	initStringInfo(&out);
	for (int i = 0; i < 200000; i++)
	{
		uint8		bytes[12];
		size_t		len = unit_random_between(1, 9);
		CborReader	reader;
		int64		value;

		for (size_t b = 0; b < len; b++)
			bytes[b] = (uint8) unit_random() & (unit_random() % 2 ? 0xff : 0x01);
		bytes[0] &= 0x3f;
		if (bytes[0] % 32 >= 24 && bytes[0] % 32 <= 27)
			len = Min(len, 1 + (1 << (bytes[0] % 32 - 24)));
		cbor_start(&reader, bytes, len);
		value = cbor_read_int(&reader);
		if (!cbor_finish(&reader))
			continue;
		accepted++;
		resetStringInfo(&out);
		cbor_int(&out, value);
		same += out.len == len && memcmp(out.data, bytes, len) == 0;
	}
	check(accepted > 1000 && same == accepted, "%d of 200000 random heads are numbers, each in its only form",
		  accepted);
	pfree(out.data);
}

/* The first problem is kept, and reading goes on with zeros. */
static void
test_after_error(void)
{
	CborReader	reader = reader_of_hex("8261610001");
	const char *first;
	size_t		len = 99;
	char	   *text;

	cbor_expect_array(&reader, 2);
	cbor_read_uint(&reader, 5);
	first = reader.error;
	check(first != NULL && cbor_read_uint(&reader, 5) == 0 && cbor_read_int(&reader) == 0 &&
		  cbor_read_array(&reader, 5) == 0 && !cbor_read_bool(&reader) && !cbor_read_null(&reader) &&
		  cbor_read_bytes(&reader, 5, &len) != NULL && len == 0, "after an error all is zero");
	text = cbor_read_text(&reader, 5);
	check(text[0] == '\0', "after an error text is empty");
	pfree(text);
	check(!cbor_finish(&reader) && reader.error == first, "the first error is kept");
}

int
main(void)
{
	test_integers();
	test_strings();
	test_others();
	test_refusals();
	test_truncations();
	test_random_bytes();
	test_after_error();
	return unit_done();
}
