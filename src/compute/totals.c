/*
 * totals.c
 *	  Opened values as the totals that finals are made of.
 *
 * query/finals.c then makes of sums and counts what PostgreSQL would.  Sums of double
 * precision values are numbers of 2^-24, their products of 2^-48, and become
 * limbs of the accumulators that it knows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compute/totals.h"
#include "compute/value.h"
#include "query/finals.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* ---- numbers of up to 128 bits as numeric ---- */

/* All digits behind the point are shown. */
static Datum
numeric_of(int128 number, int scale)
{
	bool		negative = number < 0;
	uint128		magnitude = negative ? -(uint128) number : (uint128) number;
	char		digits[48];
	int			at = sizeof(digits);
	StringInfoData text;

	digits[--at] = '\0';
	for (int n = 0; magnitude != 0 || n <= scale; n++)
	{
		if (n == scale && scale > 0)
			digits[--at] = '.';
		digits[--at] = '0' + (int) (magnitude % 10);
		magnitude /= 10;
	}
	initStringInfo(&text);
	appendStringInfo(&text, "%s%s", negative ? "-" : "", digits + at);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text.data),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* ---- double precision ---- */

/* number * 2^-fraction in limbs whose lowest bit is worth 2^exponent. */
static void
limbs_of(uint64 *limbs, int n, int128 number, int fraction, int exponent)
{
	int			shift = -exponent - fraction;
	int			word = shift / 64;
	int			bit = shift % 64;
	uint128		low = (uint128) number << bit;
	uint64		sign = number < 0 ? ~UINT64CONST(0) : 0;
	uint64		high = bit == 0 ? sign : (uint64) (number >> (127 - bit) >> 1);

	memset(limbs, 0, word * sizeof(uint64));
	limbs[word] = (uint64) low;
	limbs[word + 1] = (uint64) (low >> 64);
	limbs[word + 2] = high;
	for (int i = word + 3; i < n; i++)
		limbs[i] = sign;
}

/* ---- totals ---- */

static ComponentTotal
total_of(const OpenedValue *value, const ColumnType *type, bool is_product)
{
	ComponentTotal total = {.present = !value->null,.truth = value->number != 0,.count = (int64) value->number};

	if (type->type.kind != SECRET_FLOAT)
		total.numeric = numeric_of(value->number, type->type.scale);
	else if (is_product)
		limbs_of(total.limbs, FIXED_PRODUCT_LIMBS + 1, value->number, 2 * SECRET_FLOAT_FRACTION, FIXED_PRODUCT_EXPONENT);
	else
		limbs_of(total.limbs, FIXED_SUM_LIMBS + 1, value->number, SECRET_FLOAT_FRACTION, FIXED_SUM_EXPONENT);
	return total;
}

/* Which of a final's components are sums of products. */
static bool
is_product(const Final *final, int which)
{
	if (final->kind == FINAL_MOMENTS)
		return which == 2;
	return final->kind == FINAL_COMOMENTS && (which == CO_XX || which == CO_YY || which == CO_XY);
}

static Datum
compute_total(const Final *final, const OpenedValue *values, const ColumnType *types, bool *isnull)
{
	ComponentTotal totals[FINAL_COMPONENTS_MAX];
	Final		renumbered = *final;

	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
	{
		int			column = final->components[i];

		if (column < 0)
			continue;
		totals[i] = total_of(&values[column], &types[column], is_product(final, i));
		renumbered.components[i] = i;
	}
	return final_compute(&renumbered, totals, isnull);
}

static Datum
value_of(const OpenedValue *value, const ColumnType *type, Oid datum_type)
{
	PublicValue public = {.number = (int64) value->number};

	if (type->type.kind == SECRET_NUMERIC || datum_type == NUMERICOID)
		return numeric_of(value->number, type->type.scale);
	if (type->type.kind == SECRET_TEXT)
		return PointerGetDatum(cstring_to_text(value->text));
	return value_to_datum(&public, &type->type, datum_type);
}

/* The value is in parts of 1 / denominator. */
static Datum
percentile_of(const OpenedValue *value, const ColumnType *type, int denominator)
{
	double		divisor = denominator;

	for (int i = 0; i < type->type.scale; i++)
		divisor *= 10;
	if (type->type.kind == SECRET_FLOAT)
		divisor = ldexp(divisor, SECRET_FLOAT_FRACTION);
	return Float8GetDatum((double) value->number / divisor);
}

Datum
opened_compute(const Opened *opened, const OpenedValue *values, const ColumnType *types, bool *isnull)
{
	const Final *final = &opened->final;
	int			first = final->components[0];

	*isnull = true;
	if (opened->part >= 0 && values[opened->part].number == 0)
		return (Datum) 0;
	switch (final->kind)
	{
		case FINAL_KEY:
		case FINAL_VALUE:
		case FINAL_PERCENTILE:
			if (values[first].null)
				return (Datum) 0;
			*isnull = false;
			if (final->kind == FINAL_PERCENTILE)
				return percentile_of(&values[first], &types[first], final->components[1]);
			return value_of(&values[first], &types[first], final->type);
		default:
			return compute_total(final, values, types, isnull);
	}
}
