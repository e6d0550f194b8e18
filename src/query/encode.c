/*
 * encode.c
 *	  Between PostgreSQL's values and ring elements that add over sites.
 *
 * Numerics pass through their decimal text and OpenSSL's BIGNUM: exact, and
 * only once a cell and component.
 */
#include "postgres.h"

#include <math.h>
#include <openssl/bn.h>

#include "base/error.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "query/encode.h"
#include "share/fixed_vector.h"
#include "share/wide.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static void
out_of_range(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s does not fit the range in which sites add", what),
			 errdetail("Integer sums have %d bits; numeric sums %d bits with at most %d decimal places; double precision lies between 4e-62 and 1e48 in magnitude.",
					   NARROW_BITS_MAX, NUMERIC_LIMBS * 64, NUMERIC_SCALE)));
}

/* ---- numeric and big integers ---- */

static BIGNUM *
checked(BIGNUM *number)
{
	if (number == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return number;
}

/*
 * value * 10^scale as a decimal string without a point; NULL if it has more
 * than scale decimal places.
 */
static char *
scaled_digits(Datum value, int scale, int *dscale)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	char	   *point = strchr(text, '.');
	StringInfoData digits;

	*dscale = point ? (int) strlen(point + 1) : 0;
	if (*dscale > scale)
		return NULL;
	initStringInfo(&digits);
	appendBinaryStringInfo(&digits, text, point ? point - text : (int) strlen(text));
	if (point)
		appendStringInfoString(&digits, point + 1);
	for (int i = *dscale; i < scale; i++)
		appendStringInfoChar(&digits, '0');
	return digits.data;
}

/* Two's complement limbs of a signed decimal integer; false if it has too many bits. */
static bool
decimal_to_limbs(const char *digits, uint64 *limbs, int n)
{
	BIGNUM	   *number = NULL;
	bool		negative = digits[0] == '-';
	bool		fits;

	if (BN_dec2bn(&number, negative ? digits + 1 : digits) == 0)
		elog(ERROR, "could not read a number's digits");
	fits = BN_num_bits(number) < n * 64;
	if (fits)
	{
		uint64		carry = 1;

		if (BN_bn2lebinpad(number, (unsigned char *) limbs, n * 8) < 0)
			elog(ERROR, "could not write a number's limbs");
		for (int i = 0; negative && i < n; i++)
		{
			limbs[i] = ~limbs[i] + carry;
			carry = carry && limbs[i] == 0;
		}
	}
	BN_clear_free(number);
	return fits;
}

/* A decimal string of two's complement limbs. */
static char *
limbs_to_decimal(const uint64 *limbs, int n)
{
	uint64		magnitude[FIXED_PRODUCT_LIMBS + 1];
	bool		negative = limbs[n - 1] >> 63;
	uint64		carry = 1;
	BIGNUM	   *number;
	char	   *digits;
	char	   *text;

	for (int i = 0; i < n; i++)
	{
		magnitude[i] = negative ? ~limbs[i] + carry : limbs[i];
		carry = carry && magnitude[i] == 0;
	}
	number = checked(BN_lebin2bn((unsigned char *) magnitude, n * 8, NULL));
	digits = BN_bn2dec(number);
	BN_clear_free(number);
	if (digits == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	text = psprintf("%s%s", negative ? "-" : "", digits);
	OPENSSL_free(digits);
	return text;
}

/* digits / 10^scale, shown with dscale decimal places (the rest are zeros). */
static Datum
decimal_to_numeric(const char *digits, int scale, int dscale)
{
	Datum		value = DirectFunctionCall3(numeric_in,
											CStringGetDatum(psprintf("%se-%d", digits, scale)),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return DirectFunctionCall2(numeric_round, value, Int32GetDatum(dscale));
}

static bool
numeric_special(Datum value, bool *nan, bool *pinf, bool *ninf)
{
	char	   *text;

	*nan = numeric_is_nan(DatumGetNumeric(value));
	*pinf = *ninf = false;
	if (!numeric_is_inf(DatumGetNumeric(value)))
		return *nan;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	*ninf = text[0] == '-';
	*pinf = !*ninf;
	return true;
}

/* ---- encoding ---- */

static void
encode_narrow(int128 value, uint128 *element)
{
	if (!narrow_fits(value))
		out_of_range("a sum");
	*element = (uint128) value;
}

static void
encode_specials(uint128 *elements, bool nan, bool pinf, bool ninf)
{
	elements[0] = mark_encode(nan);
	elements[1] = mark_encode(pinf);
	elements[2] = mark_encode(ninf);
}

static void
encode_integer(Datum value, Oid type, uint128 *elements)
{
	uint64		limbs[2];
	int			dscale;
	char	   *digits;

	if (type == INT8OID)
	{
		encode_narrow(DatumGetInt64(value), &elements[0]);
		return;
	}
	if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
		out_of_range("a sum");
	digits = scaled_digits(value, 0, &dscale);
	if (digits == NULL || !decimal_to_limbs(digits, limbs, 2))
		out_of_range("a sum");
	encode_narrow((int128) (((uint128) limbs[1] << 64) | limbs[0]), &elements[0]);
}

/* A mark for each decimal place that the sum shows: the pooled sum shows the most. */
static void
encode_numeric(Datum value, uint128 *elements)
{
	uint64		limbs[NUMERIC_LIMBS] = {0};
	uint128    *scales = elements + NUMERIC_LIMBS;
	int			dscale = 0;
	bool		nan,
				pinf,
				ninf;

	if (!numeric_special(value, &nan, &pinf, &ninf))
	{
		char	   *digits = scaled_digits(value, NUMERIC_SCALE, &dscale);

		if (digits == NULL || !decimal_to_limbs(digits, limbs, NUMERIC_LIMBS))
			out_of_range("a sum");
	}
	wide_encode(elements, limbs, NUMERIC_LIMBS);
	for (int i = 0; i < NUMERIC_SCALE; i++)
		scales[i] = mark_encode(dscale > i);
	encode_specials(scales + NUMERIC_SCALE, nan, pinf, ninf);
}

static void
encode_numeric_product(Datum value, uint128 *elements)
{
	uint64		limbs[NUMERIC_LIMBS] = {0};
	int			dscale;
	bool		nan,
				pinf,
				ninf;

	/* The plain sum of the same column carries the special marks. */
	if (!numeric_special(value, &nan, &pinf, &ninf))
	{
		char	   *digits = scaled_digits(value, NUMERIC_PRODUCT_SCALE, &dscale);

		if (digits == NULL || !decimal_to_limbs(digits, limbs, NUMERIC_LIMBS))
			out_of_range("a sum of squares");
	}
	wide_encode(elements, limbs, NUMERIC_LIMBS);
}

/* What secmed.exact_sum returns: a FixedAcc. */
static void
encode_fixed(Datum value, FixedKind kind, uint128 *elements)
{
	uint64		limbs[FIXED_LIMBS_MAX];
	int			n = fixed_limbs_of(kind);
	bytea	   *bytes = DatumGetByteaPP(value);
	FixedAcc	acc;

	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(FixedAcc))
		elog(ERROR, "unexpected length of an exact sum");
	memcpy(&acc, VARDATA_ANY(bytes), sizeof(FixedAcc));
	if (acc.kind != kind)
		elog(ERROR, "unexpected kind of an exact sum");
	fixed_limbs(limbs, &acc);
	wide_encode(elements, limbs, n);
	if (kind == FIXED_SUM)
		encode_specials(elements + n, acc.nan, acc.pinf, acc.ninf);
}

/* What secmed.exact_glm_sums returns: a FixedVector. */
static void
encode_vector(Datum value, int width, uint128 *elements)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	FixedVector *vector;
	uint64	   *limbs;

	if (VARSIZE_ANY_EXHDR(bytes) != fixed_vector_bytes(width))
		elog(ERROR, "unexpected length of a vector of sums");
	vector = palloc(fixed_vector_bytes(width));
	memcpy(vector, VARDATA_ANY(bytes), fixed_vector_bytes(width));
	limbs = palloc(sizeof(uint64) * FIXED_SUM_LIMBS * width);
	fixed_vector_limbs(limbs, vector);
	for (int i = 0; i < FIXED_VECTOR_MARKS; i++)
		*elements++ = mark_encode((vector->marks >> i & 1) != 0);
	for (int i = 0; i < width; i++)
		wide_encode(elements + i * FIXED_SUM_LIMBS, limbs + i * FIXED_SUM_LIMBS, FIXED_SUM_LIMBS);
	pfree(vector);
	pfree(limbs);
}

/* What secmed.event_counts returns: the counts as integers of 64 bits. */
static void
encode_counts(Datum value, int width, uint128 *elements)
{
	bytea	   *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(int64) * width)
		elog(ERROR, "unexpected length of counts of events");
	for (int i = 0; i < width; i++)
	{
		int64		count;

		memcpy(&count, VARDATA_ANY(bytes) + sizeof(int64) * i, sizeof(int64));
		encode_narrow(count, &elements[i]);
	}
}

static void
encode_interval(Datum value, uint128 *elements)
{
	Interval   *interval = DatumGetIntervalP(value);

	encode_narrow(interval->month, &elements[0]);
	encode_narrow(interval->day, &elements[1]);
	encode_narrow(interval->time, &elements[2]);
}

void
component_encode(ComponentKind kind, int width, Datum value, bool isnull, Oid type, uint128 *elements)
{
	if (isnull)
	{
		memset(elements, 0, sizeof(uint128) * component_elements(kind, width));
		return;
	}
	if (kind == COMPONENT_COUNT)
	{
		encode_narrow(DatumGetInt64(value), &elements[0]);
		return;
	}
	if (kind == COMPONENT_EVENT_COUNTS)
	{
		encode_counts(value, width, elements);
		return;
	}

	elements[0] = mark_encode(true);
	elements++;
	switch (kind)
	{
		case COMPONENT_COUNT:
			break;
		case COMPONENT_SUM_INTEGER:
			encode_integer(value, type, elements);
			break;
		case COMPONENT_SUM_NUMERIC:
			encode_numeric(value, elements);
			break;
		case COMPONENT_SUM_NUMERIC_PRODUCT:
			encode_numeric_product(value, elements);
			break;
		case COMPONENT_SUM_FLOAT:
			encode_fixed(value, FIXED_SUM, elements);
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT:
			encode_fixed(value, FIXED_PRODUCT, elements);
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT_3:
			encode_fixed(value, FIXED_PRODUCT_3, elements);
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT_4:
			encode_fixed(value, FIXED_PRODUCT_4, elements);
			break;
		case COMPONENT_SUM_INTERVAL:
			encode_interval(value, elements);
			break;
		case COMPONENT_BOOL_OR:
			elements[0] = mark_encode(DatumGetBool(value));
			break;
		case COMPONENT_BOOL_AND:
			elements[0] = mark_encode(!DatumGetBool(value));
			break;
		case COMPONENT_SUM_FLOAT_VECTOR:
			encode_vector(value, width, elements);
			break;
		case COMPONENT_EVENT_COUNTS:
			break;
		case COMPONENT_QUANTILES:
			elog(ERROR, "values of quantiles are no sum");
	}
}

void
component_encode_bounded(ComponentKind kind, Datum value, bool isnull, Oid type, uint128 *elements)
{
	memset(elements, 0, sizeof(uint128) * component_elements(kind, 0));
	if (!isnull)
		encode_integer(value, type, &elements[noise_number(kind)]);
}

bool
component_accepts(ComponentKind kind, Oid type)
{
	switch (kind)
	{
		case COMPONENT_COUNT:
			return type == INT8OID;
		case COMPONENT_SUM_INTEGER:
			return type == INT8OID || type == NUMERICOID;
		case COMPONENT_SUM_NUMERIC:
		case COMPONENT_SUM_NUMERIC_PRODUCT:
			return type == NUMERICOID;
		case COMPONENT_SUM_FLOAT:
		case COMPONENT_SUM_FLOAT_PRODUCT:
		case COMPONENT_SUM_FLOAT_PRODUCT_3:
		case COMPONENT_SUM_FLOAT_PRODUCT_4:
		case COMPONENT_SUM_FLOAT_VECTOR:
		case COMPONENT_EVENT_COUNTS:
		case COMPONENT_QUANTILES:
			return type == BYTEAOID;
		case COMPONENT_SUM_INTERVAL:
			return type == INTERVALOID;
		case COMPONENT_BOOL_OR:
		case COMPONENT_BOOL_AND:
			return type == BOOLOID;
	}
	return false;
}

/* ---- decoding ---- */

static int64
narrow_to_int64(uint128 element, const char *type)
{
	int128		value = (int128) element;

	if (value < PG_INT64_MIN || value > PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("%s out of range", type)));
	return (int64) value;
}

static Datum
narrow_to_numeric(uint128 element)
{
	uint64		limbs[2] = {(uint64) element, (uint64) (element >> 64)};

	return decimal_to_numeric(limbs_to_decimal(limbs, 2), 0, 0);
}

static void
decode_specials(const uint128 *elements, ComponentTotal *total)
{
	total->nan = elements[0] != 0;
	total->pinf = elements[1] != 0;
	total->ninf = elements[2] != 0;
}

static void
decode_numeric(const uint128 *elements, ComponentTotal *total)
{
	uint64		limbs[NUMERIC_LIMBS + 1];
	int			dscale = 0;

	for (int i = 0; i < NUMERIC_SCALE; i++)
		if (elements[NUMERIC_LIMBS + i] != 0)
			dscale = i + 1;
	wide_decode(limbs, elements, NUMERIC_LIMBS);
	total->numeric = decimal_to_numeric(limbs_to_decimal(limbs, NUMERIC_LIMBS + 1),
										NUMERIC_SCALE, dscale);
	decode_specials(elements + NUMERIC_LIMBS + NUMERIC_SCALE, total);
}

/* The scale shown does not matter: only variances read it. */
static void
decode_numeric_product(const uint128 *elements, ComponentTotal *total)
{
	uint64		limbs[NUMERIC_LIMBS + 1];

	wide_decode(limbs, elements, NUMERIC_LIMBS);
	total->numeric = decimal_to_numeric(limbs_to_decimal(limbs, NUMERIC_LIMBS + 1),
										NUMERIC_PRODUCT_SCALE, NUMERIC_PRODUCT_SCALE);
}

static void
decode_vector(const uint128 *elements, int width, ComponentTotal *total)
{
	uint64		limbs[FIXED_SUM_LIMBS + 1];

	for (int i = 0; i < FIXED_VECTOR_MARKS; i++)
		if (*elements++ != 0)
			total->marks |= 1u << i;
	total->width = width;
	total->sums = palloc(sizeof(double) * width);
	for (int i = 0; i < width; i++)
	{
		wide_decode(limbs, elements + i * FIXED_SUM_LIMBS, FIXED_SUM_LIMBS);
		total->sums[i] = wide_to_double(limbs, FIXED_SUM_LIMBS + 1, FIXED_SUM_EXPONENT);
	}
}

/* What a program of the parties opens in the place of the counts. */
static void
decode_estimate(const uint128 *elements, int width, ComponentTotal *total)
{
	total->present = true;
	total->width = width;
	total->sums = palloc(sizeof(double) * (width + 1));
	for (int i = 0; i < width; i++)
		total->sums[i] = ldexp((double) (int128) elements[i], -ESTIMATE_FRACTION);
}

static int32
interval_field(uint128 element)
{
	int64		value = narrow_to_int64(element, "interval");

	if (value < PG_INT32_MIN || value > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("interval out of range")));
	return (int32) value;
}

void
component_decode(ComponentKind kind, int width, const uint128 *elements, ComponentTotal *total)
{
	memset(total, 0, sizeof(*total));
	if (kind == COMPONENT_COUNT)
	{
		total->present = true;
		total->count = narrow_to_int64(elements[0], "bigint");
		return;
	}

	if (kind == COMPONENT_EVENT_COUNTS)
	{
		decode_estimate(elements, width, total);
		return;
	}
	total->present = elements[0] != 0;
	elements++;
	switch (kind)
	{
		case COMPONENT_COUNT:
			break;
		case COMPONENT_SUM_INTEGER:
			total->numeric = narrow_to_numeric(elements[0]);
			break;
		case COMPONENT_SUM_NUMERIC:
			decode_numeric(elements, total);
			break;
		case COMPONENT_SUM_NUMERIC_PRODUCT:
			decode_numeric_product(elements, total);
			break;
		case COMPONENT_SUM_FLOAT:
			wide_decode(total->limbs, elements, FIXED_SUM_LIMBS);
			decode_specials(elements + FIXED_SUM_LIMBS, total);
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT:
			wide_decode(total->limbs, elements, FIXED_PRODUCT_LIMBS);
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT_3:
			wide_decode(total->limbs, elements, fixed_limbs_of(FIXED_PRODUCT_3));
			break;
		case COMPONENT_SUM_FLOAT_PRODUCT_4:
			wide_decode(total->limbs, elements, fixed_limbs_of(FIXED_PRODUCT_4));
			break;
		case COMPONENT_SUM_INTERVAL:
			total->interval.month = interval_field(elements[0]);
			total->interval.day = interval_field(elements[1]);
			total->interval.time = narrow_to_int64(elements[2], "interval");
			break;
		case COMPONENT_BOOL_OR:
			total->truth = elements[0] != 0;
			break;
		case COMPONENT_BOOL_AND:
			total->truth = elements[0] == 0;
			break;
		case COMPONENT_SUM_FLOAT_VECTOR:
			decode_vector(elements, width, total);
			break;
		case COMPONENT_EVENT_COUNTS:
			break;
		case COMPONENT_QUANTILES:
			total->quantiles = elements;
			break;
	}
}

/* n / 10^scale as the sum of one double, or of one product. */
static void
decode_noisy_float(ComponentKind kind, double value, ComponentTotal *total)
{
	FixedKind	fixed = kind == COMPONENT_SUM_FLOAT ? FIXED_SUM : FIXED_PRODUCT;
	double		factors[] = {value, 1};
	FixedAcc	acc;

	fixed_init(&acc, fixed);
	if (!fixed_add_factors(&acc, factors))
		out_of_range("a sum");
	fixed_limbs(total->limbs, &acc);
	/* One limb more than an addend has, as a sum over sites. */
	total->limbs[fixed_limbs_of(fixed)] = total->limbs[fixed_limbs_of(fixed) - 1] >> 63 ? PG_UINT64_MAX : 0;
}

void
component_decode_noisy(ComponentKind kind, int scale, const uint128 *elements, ComponentTotal *total)
{
	const uint128 *number = &elements[noise_number(kind)];
	Datum		numeric;

	memset(total, 0, sizeof(*total));
	total->present = true;
	if (kind == COMPONENT_COUNT)
	{
		total->count = narrow_to_int64(*number, "bigint");
		return;
	}
	numeric = DirectFunctionCall2(numeric_mul, narrow_to_numeric(*number),
								  DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e-%d", scale)),
													  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (kind == COMPONENT_SUM_FLOAT || kind == COMPONENT_SUM_FLOAT_PRODUCT)
		decode_noisy_float(kind, DatumGetFloat8(DirectFunctionCall1(numeric_float8, numeric)), total);
	else
		total->numeric = numeric;
}
