/*
 * ask.c
 *	  The passes of a regression as SQL over its relation.
 */
#include "postgres.h"

#include "base/error.h"
#include "compute/progress.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/ask.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* glm_sums over these columns, with the point as parameter. */
static char *
sums_sql(const Design *design, const DesignColumn *columns, int p, const char *outcome)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "secmed.glm_sums($1, %s, %s, %s, ARRAY[", outcome, design->weight, design->offset);
	for (int i = 0; i < p; i++)
		appendStringInfo(&sql, "%s%s", i ? ", " : "", columns[i].sql);
	appendStringInfoString(&sql, "])");
	return sql.data;
}

/* The same for each pass, so that all passes have one plan; incomplete rows are counted. */
static SPIPlanPtr
prepare(const Design *design, const char *sums)
{
	Oid			types[] = {FLOAT8ARRAYOID};
	StringInfoData sql;
	SPIPlanPtr	plan;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s FILTER (WHERE %s), pg_catalog.count(*) FROM %s", sums, design->complete, design->from);
	if (design->where)
		appendStringInfo(&sql, " WHERE (%s\n)", design->where);
	plan = SPI_prepare_cursor(sql.data, lengthof(types), types, CURSOR_OPT_GENERIC_PLAN | CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "could not prepare: %s", SPI_result_code_string(SPI_result));
	return plan;
}

void
asker_start(Asker *asker, const Design *design)
{
	char	   *sums = sums_sql(design, design->columns, design->p, design->outcome);

	asker->design = design;
	asker->rows = 0;
	asker->passes = 0;
	asker->proposed = false;
	asker->plan = prepare(design, sums);
}

static Datum
point_datum(const GlmPoint *point)
{
	int			n = glm_point_length(point->pass, point->p);
	double	   *numbers = palloc(sizeof(double) * n);
	Datum	   *datums = palloc(sizeof(Datum) * n);

	glm_point_encode(numbers, point);
	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(datums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
no_answer(const Design *design, int p)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("there are no rows for \"%s\", or too few patients", design->formula->text),
			 errdetail("Rows count that have a value in each variable of the formula."),
			 design->federated ?
			 errhint("Over sites there must be %d patients for each of the %d coefficients, and enough in each level of a factor at sites that hold all levels.",
					 GLM_PATIENTS_EACH, p) : 0));
}

/* One row: sums, and the number of rows.  False if the question is only put before people. */
static bool
run_pass(SPIPlanPtr plan, const Design *design, const GlmPoint *point, double *sums, uint32 *marks, int64 *rows)
{
	Datum		values[] = {point_datum(point)};
	HeapTuple	tuple;
	ArrayType  *array;
	const double *numbers;
	bool		isnull;
	int			n = glm_sums_count(point->p);

	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed > 1)
		elog(ERROR, "a pass of a regression gave several rows");
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	array = (ArrayType *) DatumGetPointer(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull)
		no_answer(design, point->p);
	array = DatumGetArrayTypeP(PointerGetDatum(array));
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n + 1)
		elog(ERROR, "a pass of a regression gave another number of sums");
	numbers = (const double *) ARR_DATA_PTR(array);
	*marks = (uint32) numbers[0];
	memcpy(sums, numbers + 1, sizeof(double) * n);
	*rows = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

void
asker_ask(void *arg, const GlmPoint *point, double *sums, uint32 *marks)
{
	Asker	   *asker = arg;

	ProgressMessage progress = {asker->passes, Max(asker->passes + 1, asker->passes_max), 0, 0};

	CHECK_FOR_INTERRUPTS();
	if (asker->design->federated)
		progress_report(&progress);
	asker->proposed = !run_pass(asker->plan, asker->design, point, sums, marks, &asker->rows);
	asker->passes++;
	if (asker->proposed)
	{
		memset(sums, 0, sizeof(double) * glm_sums_count(point->p));
		*marks = 0;
	}
}

/* ---- levels ---- */

static void
too_few(const Design *design, int variable, int level)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SUPPRESSED),
			 errmsg("too few patients have %s = %s", design->formula->variables[variable].sql,
					design->levels[variable].names[level]),
			 errhint("Leave such rows out with the argument \"where\", name the levels to use with the argument \"levels\", or join levels.")));
}

/* How many complete rows have each level of each factor, as one query. */
static char *
levels_sql(const Design *design)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < design->formula->nvariables; i++)
		for (int j = 0; j < design->levels[i].n; j++)
			appendStringInfo(&sql, "%s pg_catalog.count(*) FILTER (WHERE %s AND %s)", sql.len ? "," : "SELECT",
							 design->complete, design_level_condition(design, i, j));
	if (sql.len > 0)
		appendStringInfo(&sql, " FROM %s", design->from);
	if (sql.len > 0 && design->where)
		appendStringInfo(&sql, " WHERE (%s\n)", design->where);
	return sql.data;
}

void
asker_drop_empty_levels(Design *design)
{
	char	   *sql = levels_sql(design);
	HeapTuple	tuple;
	int			column = 1;

	if (sql[0] == '\0')
		return;
	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "counting the levels of factors gave no row");
	tuple = SPI_tuptable->vals[0];
	for (int i = 0; i < design->formula->nvariables; i++)
	{
		int64		rows[GLM_COLUMNS_MAX];
		bool		isnull;

		for (int j = 0; j < design->levels[i].n; j++)
		{
			rows[j] = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, column++, &isnull));
			if (isnull)
				too_few(design, i, j);
		}
		design_keep_levels(design, i, rows);
	}
	SPI_freetuptable(SPI_tuptable);
}
