/*
 * quantile.c
 *	  Which quantiles of a column a plan asks for.
 */
#include "contract/quantile.h"

#include <math.h>

#include "share/packed.h"

void
quantile_encode(StringInfo out, const QuantileSpec *spec)
{
	cbor_array(out, 4);
	cbor_uint(out, spec->rows);
	secret_type_encode(out, &spec->type);
	cbor_uint(out, spec->tail);
	cbor_array(out, spec->nasked);
	for (int i = 0; i < spec->nasked; i++)
	{
		cbor_array(out, 3);
		cbor_uint(out, spec->asked[i].form);
		cbor_uint(out, spec->asked[i].numerator);
		cbor_uint(out, spec->asked[i].denominator);
	}
}

static void
read_asked(CborReader *in, QuantileAsked *asked)
{
	cbor_expect_array(in, 3);
	asked->form = (QuantileForm) cbor_read_uint(in, QUANTILE_FORM_MAX);
	asked->numerator = (int) cbor_read_uint(in, PERCENTILE_DENOMINATOR_MAX);
	asked->denominator = (int) cbor_read_uint(in, PERCENTILE_DENOMINATOR_MAX);
	if (in->error == NULL && (asked->form == 0 || asked->denominator == 0 || asked->numerator > asked->denominator))
		in->error = "quantile that is none";
}

void
quantile_read(CborReader *in, QuantileSpec *spec)
{
	memset(spec, 0, sizeof(*spec));
	cbor_expect_array(in, 4);
	spec->rows = cbor_read_uint(in, QUANTILE_ROWS_MAX);
	secret_type_read(in, &spec->type);
	spec->tail = cbor_read_uint(in, QUANTILE_ROWS_MAX);
	spec->nasked = (int) cbor_read_array(in, QUANTILES_MAX);
	for (int i = 0; i < spec->nasked && in->error == NULL; i++)
		read_asked(in, &spec->asked[i]);
	if (in->error == NULL && (spec->rows == 0 || spec->nasked == 0))
		in->error = "quantiles of nothing";
	if (in->error == NULL && (!secret_is_number(&spec->type) || spec->type.nullable))
		in->error = "quantiles of what is no number";
}

int
quantile_form_elements(QuantileForm form)
{
	return form == QUANTILE_NEIGHBOURS ? 4 : 2;
}

int
quantile_at(const QuantileSpec *spec, int which)
{
	int			at = 0;

	for (int i = 0; i < which; i++)
		at += quantile_form_elements(spec->asked[i].form);
	return at;
}

int
quantile_elements(const QuantileSpec *spec)
{
	return quantile_at(spec, spec->nasked);
}

int
quantile_group_bits(size_t groups)
{
	int			bits = 0;

	while (((size_t) 1 << bits) < groups)
		bits++;
	return bits;
}

size_t
quantile_package_bytes(const QuantileSpec *spec, size_t groups, int party)
{
	int			group_width = packed_width(quantile_group_bits(groups));
	size_t		bytes = packed_package_bytes(packed_width(spec->type.bits), party, spec->rows);

	return group_width == 0 ? bytes : bytes + packed_package_bytes(group_width, party, spec->rows);
}

/* Negative ones are ordered by their magnitude, backwards; -0 is 0. */
int64
quantile_of_double(double value)
{
	int64		bits;

	if (isnan(value))
		value = NAN;
	if (value == 0)
		value = 0;
	memcpy(&bits, &value, sizeof(bits));
	if (isnan(value))
		bits &= PG_INT64_MAX;
	return bits < 0 ? (int64) (~(uint64) bits | UINT64CONST(1) << 63) : bits;
}

double
quantile_to_double(int64 number)
{
	int64		bits = number < 0 ? (int64) (~(uint64) number | UINT64CONST(1) << 63) : number;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* ---- what was opened ---- */

bool
quantile_is_shown(const QuantileSpec *spec, int which, const uint128 *elements)
{
	return elements[quantile_at(spec, which)] == 1;
}

int64
quantile_number(const QuantileSpec *spec, int which, const uint128 *elements)
{
	return (int64) elements[quantile_at(spec, which) + 1];
}

/* Nothing but the first is needed where d is 0: it may be infinite. */
static double
between(const uint128 *elements, int denominator)
{
	double		x = quantile_to_double((int64) elements[0]);
	double		y = quantile_to_double((int64) elements[1]);
	double		way = (double) (uint64) elements[2] / denominator;

	return way == 0 ? x : x + way * (y - x);
}

double
quantile_value(const QuantileSpec *spec, int which, const uint128 *elements)
{
	const QuantileAsked *asked = &spec->asked[which];
	const uint128 *own = elements + quantile_at(spec, which) + 1;
	double		divisor = asked->form == QUANTILE_CONT ? asked->denominator : 1;

	if (asked->form == QUANTILE_NEIGHBOURS)
		return between(own, asked->denominator);
	if (spec->type.kind == SECRET_FLOAT)
		return quantile_to_double((int64) own[0]);
	for (int i = 0; i < spec->type.scale; i++)
		divisor *= 10;
	return (double) (int128) own[0] / divisor;
}
