/*
 * secret.h
 *	  What a secret value is: its kinds, its public bounds, and how a value
 *	  becomes the number or the bits that are shared.
 *
 * Numbers are shared by adding, over Z_2^64 (ring64.h), as two's complement:
 *
 *	  integer     itself
 *	  numeric     value * 10^scale, at most SECRET_DIGITS_MAX digits
 *	  date        days since 2000-01-01
 *	  timestamp   microseconds since 2000-01-01 (UTC, if it has a time zone)
 *	  float       value * 2^SECRET_FLOAT_FRACTION, rounded to even
 *
 * Truth values and texts are shared by exclusive or, bit-sliced (bits.h): one
 * bit; or 8 bits for each byte, zero-padded behind, the first byte most
 * significant.  Unsigned order of these bits is the order of the C
 * collation, and equal bits are equal bytes: who shares a text
 * brings it to Unicode's normal form C first.
 *
 * `bits` is public and binds writers: a number is in
 * [-2^(bits - 1), 2^(bits - 1)), and protocols lean on it for their cost and
 * for what can't overflow.  NULL is one more shared bit; the value is then 0.
 *
 * A SecretType is encoded as [kind, bits, scale, nullable] (base/cbor.h).
 *
 * The conversions see values in the clear, at whoever writes or reads them;
 * they branch on them.
 */
#ifndef SECMED_SECRET_H
#define SECMED_SECRET_H

#include "base/base.h"
#include "base/cbor.h"

typedef enum SecretKind
{
	SECRET_BOOLEAN = 1,
	SECRET_INTEGER = 2,
	SECRET_NUMERIC = 3,
	SECRET_DATE = 4,
	SECRET_TIMESTAMP = 5,
	SECRET_FLOAT = 6,
	SECRET_TEXT = 7
} SecretKind;

#define SECRET_KIND_MAX			SECRET_TEXT

typedef struct SecretType
{
	SecretKind	kind;
	int			bits;			/* of a number with its sign; 1; or 8 for each byte of text */
	int			scale;			/* of a numeric; 0 for others */
	bool		nullable;
} SecretType;

/* A float's unit is 2^-24, about 6e-8; its magnitude is below 2^39. */
#define SECRET_FLOAT_FRACTION	24

/* The whole width of each kind: what `bits` is if nobody says less. */
#define SECRET_DATE_BITS		23	/* years 9483 before to 13483 after Christ */
#define SECRET_NUMBER_BITS_MAX	64

/* Types of a kind, not nullable. */
extern SecretType secret_boolean(void);
extern SecretType secret_integer(int bits);
extern SecretType secret_numeric(int precision, int scale); /* bits for all its digits */
extern SecretType secret_date(void);
extern SecretType secret_timestamp(void);
extern SecretType secret_float(void);
extern SecretType secret_text(int bytes);

/* Could it be a type?  False with a constant string. */
extern bool secret_type_check(const SecretType *type, const char **reason);

/* Shared by adding (Shared64), and not as bits (SharedBits). */
extern bool secret_is_number(const SecretType *type);

extern bool secret_type_equal(const SecretType *a, const SecretType *b);

/* "integer", "text": for messages. */
extern const char *secret_kind_name(SecretKind kind);

extern void secret_type_encode(StringInfo out, const SecretType *type);

/* The next element; what can't be a type is an error of the reader. */
extern void secret_type_read(CborReader *reader, SecretType *type);

/* The lowest and the highest number of this type. */
extern int64 secret_lowest(const SecretType *type);
extern int64 secret_highest(const SecretType *type);
extern bool secret_fits(const SecretType *type, int64 number);

/*
 * A double as a number of 2^-24; false if it is not finite or not below 2^39.
 * Back: exact whenever |number| < 2^53.
 */
extern bool secret_from_double(int64 *number, double value);
extern double secret_to_double(int64 number);

/*
 * Decimal digits, [-]digits[.digits], as a number of 10^-scale; false if it is
 * none of that, has more digits behind the point than scale, or does not fit
 * in 64 bits.  Back: as PostgreSQL prints a numeric of that scale.
 */
extern bool secret_from_decimal(int64 *number, const char *text, int scale);

#define SECRET_DECIMAL_BYTES	24	/* sign, 19 digits, point, "0" before it, zero byte */
extern void secret_to_decimal(char text[SECRET_DECIMAL_BYTES], int64 number, int scale);

/*
 * Text of len bytes as bits, the first byte most significant of type->bits;
 * false if it is longer than the type or holds a zero byte.  Back: at most
 * SECRET_TEXT_BYTES_MAX bytes and a zero byte; false if a byte follows a zero
 * byte or a bit is beyond the type: such bits never were a text.
 */
extern bool secret_from_text(uint128 *bits, const SecretType *type, const char *text, size_t len);
extern bool secret_to_text(char text[SECRET_TEXT_BYTES_MAX + 1], const SecretType *type, uint128 bits);

#endif							/* SECMED_SECRET_H */
