/*
 * cbor.c
 *	  Deterministic CBOR, written and read (RFC 8949, sections 3 and 4.2.1).
 *
 * An element begins with a head: three bits of major type, five bits that are
 * the argument itself below 24, or say that it follows in 1, 2, 4 or 8 bytes,
 * most significant first.  An argument that would have fitted into a shorter
 * head is refused, so nothing has two encodings.
 *
 * The reader compares every length with what is left before it is used, and
 * never moves past the end.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "mb/pg_wchar.h"
#include "port/pg_bitutils.h"

#define MAJOR_UINT		0
#define MAJOR_NEGATIVE	1
#define MAJOR_BYTES		2
#define MAJOR_TEXT		3
#define MAJOR_ARRAY		4

#define BYTE_FALSE		0xf4
#define BYTE_TRUE		0xf5
#define BYTE_NULL		0xf6

#define HEAD_BYTES_MAX	9

/* How many bytes the shortest head has after its first. */
static int
argument_bytes(uint64 value)
{
	if (value < 24)
		return 0;
	if (value <= 0xff)
		return 1;
	if (value <= 0xffff)
		return 2;
	return value <= 0xffffffff ? 4 : 8;
}

static void
write_head(StringInfo out, int major, uint64 value)
{
	uint8		head[HEAD_BYTES_MAX];
	int			bytes = argument_bytes(value);

	if (bytes == 0)
		head[0] = (uint8) (major << 5 | value);
	else
		head[0] = (uint8) (major << 5 | (24 + pg_leftmost_one_pos32(bytes)));
	for (int i = 0; i < bytes; i++)
		head[1 + i] = (uint8) (value >> (8 * (bytes - 1 - i)));
	appendBinaryStringInfo(out, (char *) head, 1 + bytes);
}

static void
write_string(StringInfo out, int major, const void *bytes, size_t len)
{
	if (len > MESSAGE_BYTES_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a string of %zu bytes is longer than a message of %d bytes",
			 len, MESSAGE_BYTES_MAX);
	write_head(out, major, len);
	if (len > 0)
		appendBinaryStringInfo(out, bytes, (int) len);
}

void
cbor_array(StringInfo out, uint64 elements)
{
	write_head(out, MAJOR_ARRAY, elements);
}

void
cbor_uint(StringInfo out, uint64 value)
{
	write_head(out, MAJOR_UINT, value);
}

/* A negative number travels as -1 - value, which is its complement. */
void
cbor_int(StringInfo out, int64 value)
{
	if (value >= 0)
		write_head(out, MAJOR_UINT, (uint64) value);
	else
		write_head(out, MAJOR_NEGATIVE, ~(uint64) value);
}

void
cbor_bytes(StringInfo out, const void *bytes, size_t len)
{
	write_string(out, MAJOR_BYTES, bytes, len);
}

void
cbor_text(StringInfo out, const char *text)
{
	write_string(out, MAJOR_TEXT, text, strlen(text));
}

void
cbor_bool(StringInfo out, bool value)
{
	appendStringInfoChar(out, (char) (value ? BYTE_TRUE : BYTE_FALSE));
}

void
cbor_null(StringInfo out)
{
	appendStringInfoChar(out, (char) BYTE_NULL);
}

void
cbor_start(CborReader *reader, const void *bytes, size_t len)
{
	reader->at = len > 0 ? bytes : (const void *) "";
	reader->end = reader->at + len;
	reader->error = NULL;
}

/* Only the first problem counts: what follows it is not understood anyway. */
static void
refuse(CborReader *reader, const char *error)
{
	if (reader->error == NULL)
		reader->error = error;
}

static size_t
bytes_left(const CborReader *reader)
{
	return (size_t) (reader->end - reader->at);
}

/* True if there is a next byte and it is this one; takes it then. */
static bool
take_byte(CborReader *reader, uint8 byte)
{
	if (reader->error != NULL || bytes_left(reader) == 0 || *reader->at != byte)
		return false;
	reader->at++;
	return true;
}

/* The argument after the first byte of a head, or 0 with an error. */
static uint64
read_argument(CborReader *reader, int info)
{
	int			bytes = 1 << (info - 24);
	uint64		value = 0;

	if (bytes_left(reader) < 1 + bytes)
		refuse(reader, "ends too early");
	else
	{
		for (int i = 1; i <= bytes; i++)
			value = value << 8 | reader->at[i];
		if (argument_bytes(value) != bytes)
			refuse(reader, "holds a number or length that is not in its shortest form");
	}
	if (reader->error != NULL)
		return 0;
	reader->at += 1 + bytes;
	return value;
}

static inline uint64
read_head(CborReader *reader, int major)
{
	int			info;

	if (reader->error == NULL && bytes_left(reader) == 0)
		refuse(reader, "ends too early");
	else if (reader->error == NULL && *reader->at >> 5 != major)
		refuse(reader, "holds another type than expected");
	if (reader->error != NULL)
		return 0;

	info = *reader->at & 31;
	if (info < 24)
	{
		reader->at++;
		return (uint64) info;
	}
	if (info <= 27)
		return read_argument(reader, info);
	refuse(reader, "holds an indefinite length");
	return 0;
}

/* An element has at least one byte, so no array has more elements than bytes follow. */
uint64
cbor_read_array(CborReader *reader, uint64 max)
{
	uint64		elements = read_head(reader, MAJOR_ARRAY);

	if (elements > max)
		refuse(reader, "holds too long a list");
	else if (elements > bytes_left(reader))
		refuse(reader, "ends too early");
	return reader->error == NULL ? elements : 0;
}

void
cbor_expect_array(CborReader *reader, uint64 elements)
{
	if (cbor_read_array(reader, elements) != elements)
		refuse(reader, "holds a list of another length than expected");
}

uint64
cbor_read_uint(CborReader *reader, uint64 max)
{
	uint64		value = read_head(reader, MAJOR_UINT);

	if (value > max)
		refuse(reader, "holds too large a number");
	return reader->error == NULL ? value : 0;
}

int64
cbor_read_int(CborReader *reader)
{
	bool		negative = reader->error == NULL && bytes_left(reader) > 0 &&
		*reader->at >> 5 == MAJOR_NEGATIVE;
	uint64		value = read_head(reader, negative ? MAJOR_NEGATIVE : MAJOR_UINT);

	if (value > (uint64) PG_INT64_MAX)
		refuse(reader, "holds a number beyond 64 bits");
	if (reader->error != NULL)
		return 0;
	return negative ? -1 - (int64) value : (int64) value;
}

bool
cbor_read_bool(CborReader *reader)
{
	if (take_byte(reader, BYTE_TRUE))
		return true;
	if (!take_byte(reader, BYTE_FALSE))
		refuse(reader, bytes_left(reader) == 0 ? "ends too early" : "holds another type than expected");
	return false;
}

bool
cbor_read_null(CborReader *reader)
{
	return take_byte(reader, BYTE_NULL);
}

static const uint8 *
read_string(CborReader *reader, int major, size_t max, size_t *len)
{
	uint64		bytes = read_head(reader, major);
	const uint8 *start = reader->at;

	if (bytes > max)
		refuse(reader, "holds too long a string");
	else if (bytes > bytes_left(reader))
		refuse(reader, "ends too early");
	*len = reader->error == NULL ? (size_t) bytes : 0;
	reader->at += *len;
	return start;
}

const uint8 *
cbor_read_bytes(CborReader *reader, size_t max, size_t *len)
{
	return read_string(reader, MAJOR_BYTES, max, len);
}

void
cbor_read_fixed(CborReader *reader, void *out, size_t len)
{
	size_t		found;
	const uint8 *bytes = read_string(reader, MAJOR_BYTES, len, &found);

	if (found != len)
		refuse(reader, "holds a string of another length than expected");
	if (reader->error == NULL)
		memcpy(out, bytes, len);
	else
		memset(out, 0, len);
}

/* Only bytes from 1 to 127, which most texts are, eight at a time. */
static bool
is_plain(const char *bytes, size_t len)
{
	const uint64 high = UINT64CONST(0x8080808080808080);
	const uint64 ones = UINT64CONST(0x0101010101010101);

	for (; len >= sizeof(uint64); len -= sizeof(uint64), bytes += sizeof(uint64))
	{
		uint64		word;

		memcpy(&word, bytes, sizeof(word));
		if (((word - ones) | word) & high)
			return false;
	}
	for (; len > 0; len--, bytes++)
		if (*bytes == 0 || (*bytes & 0x80))
			return false;
	return true;
}

/* pg_encoding_verifymbstr() stops at a zero byte as well as at bad UTF-8. */
const char *
cbor_read_text_at(CborReader *reader, size_t max, size_t *len)
{
	const char *bytes = (const char *) read_string(reader, MAJOR_TEXT, Min(max, MESSAGE_BYTES_MAX), len);

	if (!is_plain(bytes, *len) && pg_encoding_verifymbstr(PG_UTF8, bytes, (int) *len) != (int) *len)
	{
		refuse(reader, "holds text that is not UTF-8");
		*len = 0;
	}
	return bytes;
}

char *
cbor_read_text(CborReader *reader, size_t max)
{
	size_t		len;
	const char *bytes = cbor_read_text_at(reader, max, &len);

	return pnstrdup(bytes, len);
}

bool
cbor_finish(CborReader *reader)
{
	if (bytes_left(reader) > 0)
		refuse(reader, "is followed by more bytes");
	return reader->error == NULL;
}
