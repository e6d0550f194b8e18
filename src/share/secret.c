/*
 * secret.c
 *	  Secret values: kinds, bounds, and values as numbers or bits.
 */
#include "base/base.h"

#include <math.h>

#include "share/secret.h"

/* ---- types ---- */

SecretType
secret_boolean(void)
{
	return (SecretType) {SECRET_BOOLEAN, 1, 0, false};
}

SecretType
secret_integer(int bits)
{
	return (SecretType) {SECRET_INTEGER, bits, 0, false};
}

/* The least bits with 10^precision <= 2^(bits - 1). */
static int
bits_of_digits(int digits)
{
	uint64		limit = 1;
	int			bits = 1;

	for (int i = 0; i < digits; i++)
		limit *= 10;
	while (bits < SECRET_NUMBER_BITS_MAX && UINT64CONST(1) << (bits - 1) < limit)
		bits++;
	return bits;
}

SecretType
secret_numeric(int precision, int scale)
{
	return (SecretType) {SECRET_NUMERIC, bits_of_digits(Min(precision, SECRET_DIGITS_MAX)), scale, false};
}

SecretType
secret_date(void)
{
	return (SecretType) {SECRET_DATE, SECRET_DATE_BITS, 0, false};
}

SecretType
secret_timestamp(void)
{
	return (SecretType) {SECRET_TIMESTAMP, SECRET_NUMBER_BITS_MAX, 0, false};
}

SecretType
secret_float(void)
{
	return (SecretType) {SECRET_FLOAT, SECRET_NUMBER_BITS_MAX, 0, false};
}

SecretType
secret_text(int bytes)
{
	return (SecretType) {SECRET_TEXT, 8 * bytes, 0, false};
}

static bool
bits_possible(const SecretType *type)
{
	switch (type->kind)
	{
		case SECRET_BOOLEAN:
			return type->bits == 1;
		case SECRET_TEXT:
			return type->bits >= 8 && type->bits <= 8 * SECRET_TEXT_BYTES_MAX && type->bits % 8 == 0;
		default:
			return type->bits >= 2 && type->bits <= SECRET_NUMBER_BITS_MAX;
	}
}

bool
secret_type_check(const SecretType *type, const char **reason)
{
	if (type->kind < SECRET_BOOLEAN || type->kind > SECRET_KIND_MAX)
		*reason = "an unknown kind of secret value";
	else if (!bits_possible(type))
		*reason = "a width that this kind of secret value can't have";
	else if (type->kind == SECRET_NUMERIC ? type->scale < 0 || type->scale > SECRET_DIGITS_MAX : type->scale != 0)
		*reason = "a scale that this kind of secret value can't have";
	else
		return true;
	return false;
}

bool
secret_is_number(const SecretType *type)
{
	return type->kind != SECRET_BOOLEAN && type->kind != SECRET_TEXT;
}

bool
secret_type_equal(const SecretType *a, const SecretType *b)
{
	return a->kind == b->kind && a->bits == b->bits && a->scale == b->scale && a->nullable == b->nullable;
}

const char *
secret_kind_name(SecretKind kind)
{
	static const char *const names[] = {"", "boolean", "integer", "numeric", "date", "timestamp", "float", "text"};

	return kind >= SECRET_BOOLEAN && kind <= SECRET_KIND_MAX ? names[kind] : "unknown";
}

void
secret_type_encode(StringInfo out, const SecretType *type)
{
	cbor_array(out, 4);
	cbor_uint(out, type->kind);
	cbor_uint(out, type->bits);
	cbor_uint(out, type->scale);
	cbor_bool(out, type->nullable);
}

void
secret_type_read(CborReader *reader, SecretType *type)
{
	const char *reason;

	cbor_expect_array(reader, 4);
	type->kind = (SecretKind) cbor_read_uint(reader, SECRET_KIND_MAX);
	type->bits = (int) cbor_read_uint(reader, 8 * SECRET_TEXT_BYTES_MAX);
	type->scale = (int) cbor_read_uint(reader, SECRET_DIGITS_MAX);
	type->nullable = cbor_read_bool(reader);
	if (reader->error == NULL && !secret_type_check(type, &reason))
		reader->error = reason;
}

/* ---- bounds ---- */

int64
secret_lowest(const SecretType *type)
{
	Assert(secret_is_number(type));
	return -secret_highest(type) - 1;
}

int64
secret_highest(const SecretType *type)
{
	Assert(secret_is_number(type));
	return (int64) ((UINT64CONST(1) << (type->bits - 1)) - 1);
}

bool
secret_fits(const SecretType *type, int64 number)
{
	return number >= secret_lowest(type) && number <= secret_highest(type);
}

/* ---- fractions ---- */

bool
secret_from_double(int64 *number, double value)
{
	double		scaled = rint(ldexp(value, SECRET_FLOAT_FRACTION));

	if (!(fabs(scaled) < ldexp(1.0, 63)))
		return false;
	*number = (int64) scaled;
	return true;
}

double
secret_to_double(int64 number)
{
	return ldexp((double) number, -SECRET_FLOAT_FRACTION);
}

/* number = 10 number + digit, downwards, because there is one more negative number. */
static bool
append_digit(int64 *number, int digit)
{
	if (*number < (PG_INT64_MIN + digit) / 10)
		return false;
	*number = *number * 10 - digit;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
secret_from_decimal(int64 *number, const char *text, int scale)
{
	bool		negative = *text == '-';
	int64		value = 0;
	int			fraction = 0;

	text += negative;
	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++)
		if (!append_digit(&value, *text - '0'))
			return false;
	if (*text == '.')
		for (text++; is_digit(*text) && fraction < scale; text++, fraction++)
			if (!append_digit(&value, *text - '0'))
				return false;
	if (*text != '\0')
		return false;
	for (; fraction < scale; fraction++)
		if (!append_digit(&value, 0))
			return false;
	if (!negative && value == PG_INT64_MIN)
		return false;
	*number = negative ? value : -value;
	return true;
}

void
secret_to_decimal(char text[SECRET_DECIMAL_BYTES], int64 number, int scale)
{
	uint64		magnitude = number < 0 ? -(uint64) number : (uint64) number;
	char		digits[SECRET_DECIMAL_BYTES];
	int			n = 0;
	char	   *at = text;

	Assert(scale >= 0 && scale <= SECRET_DIGITS_MAX);
	for (; magnitude > 0 || n <= scale; magnitude /= 10)
		digits[n++] = '0' + magnitude % 10;
	if (number < 0)
		*at++ = '-';
	while (n > 0)
	{
		if (n == scale)
			*at++ = '.';
		*at++ = digits[--n];
	}
	*at = '\0';
}

/* ---- text ---- */

bool
secret_from_text(uint128 *bits, const SecretType *type, const char *text, size_t len)
{
	uint128		value = 0;

	Assert(type->kind == SECRET_TEXT);
	if (len > type->bits / 8 || memchr(text, '\0', len) != NULL)
		return false;
	for (size_t i = 0; i < type->bits / 8; i++)
		value = value << 8 | (i < len ? (uint8) text[i] : 0);
	*bits = value;
	return true;
}

bool
secret_to_text(char text[SECRET_TEXT_BYTES_MAX + 1], const SecretType *type, uint128 bits)
{
	int			bytes = type->bits / 8;
	size_t		len;

	Assert(type->kind == SECRET_TEXT);
	if (type->bits < 128 && bits >> type->bits != 0)
		return false;
	for (int i = 0; i < bytes; i++)
		text[i] = (char) (uint8) (bits >> (8 * (bytes - 1 - i)));
	text[bytes] = '\0';
	len = strlen(text);
	for (size_t i = len; i < bytes; i++)
		if (text[i] != '\0')
			return false;
	return true;
}
