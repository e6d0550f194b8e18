/*
 * estimate.c
 *	  A named program of the parties: its bytes, and how much it opens.
 */
#include "contract/estimate.h"

void
estimate_encode(StringInfo out, const Estimate *estimate)
{
	cbor_array(out, 5);
	cbor_uint(out, estimate->program);
	cbor_uint(out, estimate->cells);
	cbor_uint(out, estimate->strata);
	cbor_array(out, estimate->npositions);
	for (int i = 0; i < estimate->npositions; i++)
		cbor_uint(out, estimate->positions[i]);
	cbor_uint(out, estimate->squared);
}

static void
read_positions(CborReader *in, Estimate *estimate)
{
	estimate->npositions = (int) cbor_read_array(in, ESTIMATE_TIMES_MAX);
	estimate->positions = palloc0(sizeof(uint32) * (estimate->npositions + 1));
	for (int i = 0; i < estimate->npositions && in->error == NULL; i++)
	{
		estimate->positions[i] = (uint32) cbor_read_uint(in, 2 * ESTIMATE_CELLS_MAX);
		if (i > 0 && estimate->positions[i] <= estimate->positions[i - 1] && in->error == NULL)
			in->error = "asked times that do not ascend";
	}
}

static const char *
estimate_problem(const Estimate *estimate)
{
	if (estimate->program == 0)
		return "a program of the parties of an unknown kind";
	if (estimate->cells == 0 || estimate->strata == 0)
		return "a grid without cells";
	if (estimate->npositions > 0 && estimate->positions[estimate->npositions - 1] > 2 * estimate->cells)
		return "an asked time beyond the grid";
	if (estimate->program == ESTIMATE_CURVE && estimate->strata != 1)
		return "a curve of several strata";
	if (estimate->program == ESTIMATE_LOG_RANK && (estimate->npositions > 0 || estimate->squared > 0))
		return "a log-rank test with asked times";
	return NULL;
}

void
estimate_read(CborReader *in, Estimate *estimate)
{
	cbor_expect_array(in, 5);
	estimate->program = (EstimateProgram) cbor_read_uint(in, ESTIMATE_PROGRAM_MAX);
	estimate->cells = (uint32) cbor_read_uint(in, ESTIMATE_CELLS_MAX);
	estimate->strata = (uint32) cbor_read_uint(in, ESTIMATE_CELLS_MAX);
	read_positions(in, estimate);
	estimate->squared = (uint32) cbor_read_uint(in, PG_UINT32_MAX);
	if (in->error == NULL)
		in->error = estimate_problem(estimate);
}

size_t
estimate_inputs(const Estimate *estimate)
{
	return 2 * (size_t) estimate->cells * estimate->strata;
}

size_t
estimate_outputs(const Estimate *estimate, size_t arms)
{
	if (estimate->program == ESTIMATE_LOG_RANK)
		return LOG_RANK_OUTPUTS + arms;
	return CURVE_TOTALS + (size_t) estimate->npositions * CURVE_OUTPUTS + (estimate->squared > 0 ? CURVE_LIMITS : 0);
}

const char *
estimate_words(const Estimate *estimate)
{
	if (estimate->program == ESTIMATE_LOG_RANK)
		return "log-rank test: rows, events, expected events and their covariances";
	return estimate->squared > 0 ? "survival: rows, events, median and its limits" :
		"survival: rows, events, and at each asked time numbers, survival, hazard and their variances";
}
