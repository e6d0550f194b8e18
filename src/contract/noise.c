/*
 * noise.c
 *	  Differential privacy of a contract's answers: how much noise, and what a run spends.
 */
#include "contract/noise.h"

#include <math.h>

#define MILLION		1000000

StaticAssertDecl(NOISE_ROWS_MAX <= 1 << 20 && NOISE_BOUND_MAX <= INT64CONST(1) << 40, "squares of sensitivities fit 128 bits");

/* ---- bytes ---- */

void
noise_encode(StringInfo out, const Noise *noise)
{
	cbor_array(out, 5);
	cbor_text(out, NOISE_GAUSSIAN);
	cbor_uint(out, noise->rho);
	cbor_uint(out, noise->rows_max);
	cbor_bool(out, noise->thresholds);
	cbor_array(out, noise->nbounds);
	for (int i = 0; i < noise->nbounds; i++)
	{
		cbor_array(out, 3);
		cbor_int(out, noise->bounds[i].low);
		cbor_int(out, noise->bounds[i].high);
		cbor_uint(out, noise->bounds[i].scale);
	}
}

Noise *
noise_read(CborReader *in)
{
	Noise	   *noise = palloc0(sizeof(Noise));
	char	   *kind;

	cbor_expect_array(in, 5);
	kind = cbor_read_text(in, 16);
	if (in->error == NULL && strcmp(kind, NOISE_GAUSSIAN) != 0)
		in->error = "asks for noise of an unknown kind";
	noise->rho = cbor_read_uint(in, PG_INT64_MAX);
	noise->rows_max = cbor_read_uint(in, PG_INT64_MAX);
	noise->thresholds = cbor_read_bool(in);
	noise->nbounds = (int) cbor_read_array(in, COMPONENTS_MAX);
	noise->bounds = palloc0(sizeof(NoiseBound) * (noise->nbounds + 1));
	for (int i = 0; i < noise->nbounds; i++)
	{
		cbor_expect_array(in, 3);
		noise->bounds[i].low = cbor_read_int(in);
		noise->bounds[i].high = cbor_read_int(in);
		noise->bounds[i].scale = (int) cbor_read_uint(in, PG_INT32_MAX);
	}
	return noise;
}

/* ---- rules ---- */

const char *
noise_problem(const Noise *noise)
{
	if (noise->rho == 0 || noise->rho > NOISE_RHO_MAX)
		return "asks for noise and spends nothing on it, or more than a rho of 100";
	if (noise->rows_max == 0 || noise->rows_max > NOISE_ROWS_MAX)
		return "asks for noise and does not say how many rows of a patient count";
	for (int i = 0; i < noise->nbounds; i++)
	{
		const NoiseBound *bound = &noise->bounds[i];

		if (bound->low >= bound->high || bound->low < -NOISE_BOUND_MAX || bound->high > NOISE_BOUND_MAX ||
			bound->scale > NOISE_SCALE_MAX)
			return "asks for noise and bounds a value by what is no range";
		if (noise_sigma_of_party(noise, i) == 0)
			return "asks for more noise than can be drawn";
	}
	return NULL;
}

int
noise_number(ComponentKind kind)
{
	switch (kind)
	{
		case COMPONENT_COUNT:
			return 0;
		case COMPONENT_SUM_INTEGER:
		case COMPONENT_SUM_NUMERIC:
		case COMPONENT_SUM_NUMERIC_PRODUCT:
		case COMPONENT_SUM_FLOAT:
		case COMPONENT_SUM_FLOAT_PRODUCT:
			return 1;			/* after the mark */
		default:
			return -1;
	}
}

const char *
noise_plan_problem(const Noise *noise, const CanonicalPlan *plan)
{
	if (plan->ncomponents == 0)
		return "asks for noise on no number";
	if (noise->nbounds != plan->ncomponents)
		return "asks for noise and does not bound every value of its question";
	for (int i = 0; i < plan->ncomponents; i++)
	{
		const NoiseBound *bound = &noise->bounds[i];

		if (noise_number(plan->components[i]) < 0)
			return "asks for noise on an aggregate that can't have any";
		if (plan->components[i] == COMPONENT_COUNT && (bound->low != 0 || bound->high != 1 || bound->scale != 0))
			return "asks for noise and counts a row as something other than one";
		if (plan->components[i] == COMPONENT_SUM_INTEGER && bound->scale != 0)
			return "asks for noise on fractions of an integer";
	}
	return NULL;
}

/* ---- arithmetic ---- */

uint64
noise_sensitivity(const Noise *noise, int component)
{
	const NoiseBound *bound = &noise->bounds[component];

	return noise->rows_max * (uint64) Max(-bound->low, bound->high);
}

/* The largest integer whose square is at most x < 2^126. */
static uint64
square_root(uint128 x)
{
	uint64		root = 0;

	for (int bit = 62; bit >= 0; bit--)
	{
		uint64		larger = root | UINT64CONST(1) << bit;

		if ((uint128) larger * larger <= x)
			root = larger;
	}
	return root;
}

/*
 * rho / d = Delta^2 / (2 sigma^2) with sigma^2 = 2 sigma_party^2: the first integer whose square is
 * more than d Delta^2 / (4 rho).  The quotient's remainder is dropped, and can't matter: a
 * square above the whole part is above all of it.
 */
uint64
noise_sigma_of_party(const Noise *noise, int component)
{
	uint64		delta = noise_sensitivity(noise, component);
	uint64		sigma;

	/* Then d Delta^2 10^6 is below 2^126; and sigma would be too large in any case. */
	if (delta >= UINT64CONST(1) << 48)
		return 0;
	sigma = square_root((uint128) delta * delta * noise->nbounds * MILLION / (4 * (uint128) noise->rho)) + 1;
	return sigma > GAUSSIAN_SIGMA_MAX ? 0 : Max(sigma, NOISE_SIGMA_MIN);
}

double
noise_sigma(const Noise *noise, int component)
{
	return sqrt(PARTIES) * (double) noise_sigma_of_party(noise, component) / pow(10, noise->bounds[component].scale);
}

double
noise_epsilon(uint64 rho, double delta)
{
	double		spent = (double) rho / MILLION;

	return spent + 2 * sqrt(spent * log(1 / delta));
}
