/*
 * survival_sites.c
 *	  Questions about times until an event, over sites: these count events on
 *	  a public grid of times, and the parties compute on the sums.
 */
#include "postgres.h"

#include <math.h>

#include "base/error.h"
#include "base/limits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "model/survival.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* ---- the grid ---- */

static void
no_grid(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no grid of times for the sites to count events on"),
			 errdetail("%s", why),
			 errhint("Say it: grid => '{0, 3650, 1}' for days of ten years; or ask the sites to publish the time with a range of values.")));
}

/* Values of a domain, in their order, a step apart. */
static SurvivalGrid
grid_of_domain(const Domain *domain)
{
	SurvivalGrid grid = {0};
	double		last = 0;

	for (int i = 0; i < domain->nvalues; i++)
	{
		double		value;

		if (domain->values[i] == NULL)
			continue;
		value = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(domain->values[i])));
		if (grid.cells == 0)
			grid.first = value;
		else if (grid.cells == 1)
			grid.step = value - last;
		if (grid.cells > 1 && value - last != grid.step)
			no_grid("The public values of the time are not evenly spaced.");
		last = value;
		grid.cells++;
	}
	if (grid.cells < 2)
		grid.step = 1;
	return grid;
}

static SurvivalGrid
grid_of_numbers(const double *numbers, int n)
{
	SurvivalGrid grid;
	double		steps;

	if (n != 3 || !(numbers[2] > 0) || !(numbers[1] >= numbers[0]) || isinf(numbers[0]) || isinf(numbers[1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("grid is the first time, the last one and the step: '{0, 3650, 1}'")));
	steps = rint((numbers[1] - numbers[0]) / numbers[2]);
	grid.first = numbers[0];
	grid.step = numbers[2];
	grid.cells = steps < ESTIMATE_CELLS_MAX ? (int) steps + 1 : ESTIMATE_CELLS_MAX + 1;
	return grid;
}

SurvivalGrid
survival_grid(const SurvivalDesign *survival, const double *numbers, int n)
{
	const char *time = survival->design->formula->time;
	Domain	   *domain = n > 0 ? NULL : design_domain(survival->design, time);
	SurvivalGrid grid;

	if (n == 0 && (domain == NULL || domain->nvalues == 0))
		no_grid(psprintf("The sites do not say which values %s has.", time));
	grid = n > 0 ? grid_of_numbers(numbers, n) : grid_of_domain(domain);
	if (grid.cells > ESTIMATE_CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a grid of times has at most %d cells", ESTIMATE_CELLS_MAX),
				 errhint("Take a larger step, or a shorter range: grid => '{0, 520, 1}' with the time in weeks.")));
	return grid;
}

uint32
survival_position(const SurvivalGrid *grid, double time)
{
	double		cell = (time - grid->first) / grid->step;
	double		nearest = rint(cell);

	if (cell < 0)
		return 0;
	if (cell > grid->cells - 1)
		return 2 * grid->cells;
	return fabs(cell - nearest) < 1e-9 ? 2 * (uint32) nearest + 1 : 2 * ((uint32) floor(cell) + 1);
}

/* ---- asking ---- */

static char *
float_sql(double number)
{
	return psprintf("'%s'::pg_catalog.float8", DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number))));
}

static char *
estimate_sql(const SurvivalDesign *survival, const SurvivalGrid *grid, const Estimate *estimate)
{
	const Design *design = survival->design;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s%s secmed.estimate_events(((%s OPERATOR(pg_catalog.-) %s) OPERATOR(pg_catalog./) %s)::pg_catalog.int4, "
					 "%s, %s, '{%u,%u}'::pg_catalog.int4[], '{%d,%u",
					 survival->arms.n > 1 ? survival->arms.sql : "", survival->arms.n > 1 ? "," : "",
					 survival->time, float_sql(grid->first), float_sql(grid->step), survival->event, survival->strata.sql,
					 estimate->cells, estimate->strata, estimate->program, estimate->squared);
	for (int i = 0; i < estimate->npositions; i++)
		appendStringInfo(&sql, ",%u", estimate->positions[i]);
	appendStringInfo(&sql, "}'::pg_catalog.int8[]) FROM %s WHERE %s%s%s%s", design->from, design->complete,
					 design->where ? " AND (" : "", design->where ? design->where : "", design->where ? "\n)" : "");
	if (survival->arms.n > 1)
		appendStringInfoString(&sql, " GROUP BY 1");
	return sql.data;
}

static void
check_size(const SurvivalDesign *survival, const Estimate *estimate)
{
	if (estimate_inputs(estimate) * survival->arms.n > ELEMENTS_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d arms of %u strata on a grid of %u times are too many", survival->arms.n, estimate->strata, estimate->cells),
				 errhint("Take a coarser grid, or fewer arms or strata.")));
}

double **
survival_estimate(const SurvivalDesign *survival, const SurvivalGrid *grid, Estimate *estimate, MemoryContext context)
{
	double	  **out = MemoryContextAllocZero(context, sizeof(double *) * survival->arms.n);
	int			column = survival->arms.n > 1 ? 2 : 1;
	SPITupleTable *table;

	estimate->cells = grid->cells;
	estimate->strata = survival->strata.n;
	check_size(survival, estimate);
	if (SPI_execute(estimate_sql(survival, grid, estimate), false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not ask for an estimate");
	table = SPI_tuptable;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int			arm = 0;
		Datum		value;
		ArrayType  *array;
		int			n;

		if (survival->arms.n > 1)
			arm = DatumGetInt32(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull));
		value = SPI_getbinval(table->vals[i], table->tupdesc, column, &isnull);
		if (isnull)
			continue;
		array = DatumGetArrayTypeP(value);
		n = ARR_DIMS(array)[0];
		if (ARR_NDIM(array) != 1 || n != (int) estimate_outputs(estimate, survival->arms.n))
			elog(ERROR, "an estimate has another number of outputs");
		out[arm] = MemoryContextAlloc(context, sizeof(double) * n);
		memcpy(out[arm], ARR_DATA_PTR(array), sizeof(double) * n);
	}
	SPI_freetuptable(table);
	return out;
}

int64
survival_rows(const SurvivalDesign *survival)
{
	const Design *design = survival->design;
	bool		isnull;
	int64		rows;

	if (SPI_execute(psprintf("SELECT pg_catalog.count(*) FROM %s%s%s%s", design->from, design->where ? " WHERE (" : "",
							 design->where ? design->where : "", design->where ? "\n)" : ""), false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not count rows");
	rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return isnull ? -1 : rows;
}
