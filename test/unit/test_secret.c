/*
 * test_secret.c
 *	  Secret values: every value comes back, bounds are exact, and what is no
 *	  type or no value is refused.
 */
#include "base/base.h"

#include <math.h>

#include "share/secret.h"
#include "unit.h"

#define ROUNDS	20000

/* ---- types ---- */

static const SecretType impossible[] = {
	{0, 1, 0, false},
	{SECRET_KIND_MAX + 1, 8, 0, false},
	{SECRET_BOOLEAN, 2, 0, false},
	{SECRET_INTEGER, 1, 0, false},
	{SECRET_INTEGER, 65, 0, false},
	{SECRET_INTEGER, 32, 1, false},
	{SECRET_NUMERIC, 32, -1, false},
	{SECRET_NUMERIC, 32, SECRET_DIGITS_MAX + 1, false},
	{SECRET_TEXT, 0, 0, false},
	{SECRET_TEXT, 12, 0, false},
	{SECRET_TEXT, 8 * SECRET_TEXT_BYTES_MAX + 8, 0, false},
};

static void
test_types(void)
{
	SecretType	types[] = {secret_boolean(), secret_integer(16), secret_integer(64), secret_numeric(18, 18),
		secret_numeric(1, 0), secret_date(), secret_timestamp(), secret_float(), secret_text(1),
	secret_text(SECRET_TEXT_BYTES_MAX)};
	const char *reason;
	int			wrong = 0;

	for (int i = 0; i < lengthof(types); i++)
	{
		StringInfoData bytes;
		CborReader	reader;
		SecretType	back;

		types[i].nullable = i % 2;
		initStringInfo(&bytes);
		secret_type_encode(&bytes, &types[i]);
		cbor_start(&reader, bytes.data, bytes.len);
		secret_type_read(&reader, &back);
		wrong += !secret_type_check(&types[i], &reason) || !cbor_finish(&reader) || !secret_type_equal(&types[i], &back);
		pfree(bytes.data);
	}
	check(wrong == 0, "types come back from their bytes");

	for (int i = 0; i < lengthof(impossible); i++)
		wrong += secret_type_check(&impossible[i], &reason);
	check(wrong == 0, "impossible types are refused");
	check(secret_numeric(1, 0).bits == 5 && secret_numeric(2, 0).bits == 8 && secret_numeric(18, 3).bits == 61,
		  "a numeric has the bits that its digits need");
}

static void
test_impossible_bytes(void)
{
	static const char *const hex[] = {
		"84000100f4",			/* kind 0 */
		"84080800f4",			/* a kind too many */
		"840218200000f4",		/* more than four elements */
		"84010200f4",			/* a boolean of two bits */
		"8402184100f4",			/* an integer of 65 */
		"8402182001f4",			/* an integer with a scale */
		"84070c00f4",			/* a text of a byte and a half */
		"83071840f4",			/* three elements */
		"840218200000",			/* nullable: 0 */
		"84021820",				/* cut off */
	};
	int			taken = 0;

	for (int i = 0; i < lengthof(hex); i++)
	{
		uint8		bytes[16];
		CborReader	reader;
		SecretType	type;

		cbor_start(&reader, bytes, unit_hex(bytes, hex[i]));
		secret_type_read(&reader, &type);
		taken += cbor_finish(&reader);
	}
	check(taken == 0, "bytes that are no type are refused");
}

static void
test_bounds(void)
{
	int			wrong = 0;

	for (int bits = 2; bits <= 64; bits++)
	{
		SecretType	type = secret_integer(bits);
		int64		high = secret_highest(&type);
		int64		low = secret_lowest(&type);

		wrong += !secret_fits(&type, high) || !secret_fits(&type, low) || high != -(low + 1);
		if (bits < 64)
			wrong += secret_fits(&type, high + 1) || secret_fits(&type, low - 1) || high != (INT64CONST(1) << (bits - 1)) - 1;
		else
			wrong += high != PG_INT64_MAX || low != PG_INT64_MIN;
	}
	check(wrong == 0, "the bounds of every width are exact");
}

/* ---- values ---- */

static void
test_doubles(void)
{
	static const double refused[] = {INFINITY, -INFINITY, NAN, 549755813888.0, -549755813888.0, 1e300};
	int64		number;
	int			wrong = 0;

	for (int i = 0; i < ROUNDS; i++)
	{
		int64		any = (int64) unit_random() >> unit_random_between(11, 63);

		wrong += !secret_from_double(&number, secret_to_double(any)) || number != any;
	}
	check(wrong == 0, "multiples of 2^-24 below 2^29 come back from doubles");
	for (int i = 0; i < lengthof(refused); i++)
		wrong += secret_from_double(&number, refused[i]);
	check(wrong == 0, "infinities, NaN and what is too large are refused");
	check(secret_from_double(&number, ldexp(0.5, -24)) && number == 0 &&
		  secret_from_double(&number, ldexp(1.5, -24)) && number == 2 &&
		  secret_from_double(&number, ldexp(-2.5, -24)) && number == -2, "halves are rounded to even");
	check(secret_from_double(&number, nextafter(549755813888.0, 0)) && number > 0, "the largest double below 2^39 is taken");
}

static bool
decimal_is(const char *text, int scale, int64 expected)
{
	int64		number;

	return secret_from_decimal(&number, text, scale) && number == expected;
}

static void
test_decimals(void)
{
	static const char *const refused[] = {"", "-", ".", ".5", "+1", "1e3", "1.2.3", " 1", "1 ", "--1", "1.234",
	"9223372036854775808", "-9223372036854775809", "NaN", "Infinity", "99999999999999999999"};
	char		text[SECRET_DECIMAL_BYTES];
	int64		number;
	int			wrong = 0;

	for (int i = 0; i < ROUNDS; i++)
	{
		int64		any = (int64) unit_random() >> unit_random_between(0, 63);
		int			scale = unit_random_between(0, SECRET_DIGITS_MAX);

		secret_to_decimal(text, any, scale);
		wrong += !secret_from_decimal(&number, text, scale) || number != any;
	}
	check(wrong == 0, "decimals of every scale come back");
	for (int i = 0; i < lengthof(refused); i++)
		wrong += secret_from_decimal(&number, refused[i], i < 12 ? 2 : 0);
	check(wrong == 0, "what is no decimal of the scale, or too large, is refused");
	check(decimal_is("1", 2, 100) && decimal_is("-0.05", 2, -5) && decimal_is("-0", 0, 0) && decimal_is("7.", 1, 70) &&
		  decimal_is("9223372036854775807", 0, PG_INT64_MAX) && decimal_is("-9223372036854775808", 0, PG_INT64_MIN),
		  "decimals are read exactly to both ends");
	secret_to_decimal(text, PG_INT64_MIN, SECRET_DIGITS_MAX);
	check(strcmp(text, "-9.223372036854775808") == 0, "the longest decimal is printed whole");
	secret_to_decimal(text, -5, 2);
	check(strcmp(text, "-0.05") == 0, "a zero stands before the point");
}

static void
random_text(char *text, int len)
{
	for (int i = 0; i < len; i++)
		text[i] = (char) unit_random_between(1, 255);
	text[len] = '\0';
}

static int
sign_of(int x)
{
	return (x > 0) - (x < 0);
}

static void
test_texts(void)
{
	int			wrong = 0;

	for (int i = 0; i < ROUNDS; i++)
	{
		SecretType	type = secret_text(unit_random_between(1, SECRET_TEXT_BYTES_MAX));
		char		a[SECRET_TEXT_BYTES_MAX + 1];
		char		b[SECRET_TEXT_BYTES_MAX + 1];
		char		back[SECRET_TEXT_BYTES_MAX + 1];
		uint128		x = 0;
		uint128		y = 0;

		random_text(a, unit_random_between(0, type.bits / 8));
		random_text(b, unit_random_between(0, type.bits / 8));
		memcpy(b, a, unit_random_between(0, Min(strlen(a), strlen(b))));
		wrong += !secret_from_text(&x, &type, a, strlen(a));
		wrong += !secret_from_text(&y, &type, b, strlen(b));
		wrong += !secret_to_text(back, &type, x) || strcmp(a, back) != 0;
		wrong += sign_of(strcmp(a, b)) != (x > y) - (x < y);
	}
	check(wrong == 0, "texts come back, and their bits are in the order of the C collation");
}

static void
test_refused_texts(void)
{
	SecretType	four = secret_text(4);
	char		back[SECRET_TEXT_BYTES_MAX + 1];
	uint128		bits;

	check(secret_from_text(&bits, &four, "abcd", 4) && bits == 0x61626364, "four bytes are taken");
	check(!secret_from_text(&bits, &four, "abcde", 5), "five bytes are not");
	check(!secret_from_text(&bits, &four, "a\0b", 3), "a zero byte is not");
	check(secret_from_text(&bits, &four, "", 0) && bits == 0, "the empty text is zero");
	check(!secret_to_text(back, &four, 0x61006263), "bits with a zero byte inside are no text");
	check(!secret_to_text(back, &four, (uint128) 1 << 32), "bits beyond the type are no text");
}

int
main(void)
{
	test_types();
	test_impossible_bytes();
	test_bounds();
	test_doubles();
	test_decimals();
	test_texts();
	test_refused_texts();
	return unit_done();
}
