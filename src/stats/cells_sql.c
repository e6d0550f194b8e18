/*
 * cells_sql.c
 *	  Contingency tables over a relation: chi-square, Fisher, Mantel-Haenszel.
 *
 * One question with GROUP BY: the cells.  Each is withheld if it is small, and then there is
 * no test; rows in which a variable is NULL are left out.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "stats/cells.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_table_chisq_test);
PG_FUNCTION_INFO_V1(secmed_table_fisher_test);
PG_FUNCTION_INFO_V1(secmed_mantel_haenszel_test);

/* ---- tables of rows and columns ---- */

typedef struct Labels
{
	int			n;
	char	  **names;
} Labels;

/* A new label is added; tables are small, a scan is enough. */
static int
label_position(Labels *labels, const char *name)
{
	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < labels->n; i++)
		if (strcmp(labels->names[i], name) == 0)
			return i;
	labels->names[labels->n] = pstrdup(name);
	return labels->n++;
}

static Labels
labels_of_column(uint64 rows, int column)
{
	Labels		labels = {0, palloc(sizeof(char *) * (rows + 1))};

	for (uint64 i = 0; i < rows; i++)
		if (!relation_is_null(i, 0) && !relation_is_null(i, 1))
			(void) label_position(&labels, relation_text(i, column));
	return labels;
}

/* Cells of y ~ x, in the caller's memory; n and how many rows are left out. */
static CellTable
ask_cells(const Formula *formula, Oid relation, Outcome *outcome)
{
	MemoryContext caller = CurrentMemoryContext;
	CellTable	table;
	Labels		y,
				x;
	double		n = 0;
	double		missing = 0;
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT y::pg_catalog.text, x::pg_catalog.text, n FROM "
								   "(SELECT %s AS y, %s AS x, pg_catalog.count(*) AS n FROM %s GROUP BY 1, 2) AS cells",
								   formula->y, formula->x, relation_name(relation)));
	y = labels_of_column(rows, 0);
	x = labels_of_column(rows, 1);
	table = (CellTable) {y.n, x.n, MemoryContextAllocZero(caller, sizeof(double) * ((size_t) y.n * x.n + 1))};
	for (uint64 i = 0; i < rows; i++)
	{
		bool		known = !relation_is_null(i, 0) && !relation_is_null(i, 1);

		if (known && relation_is_null(i, 2))
			relation_withheld();
		if (known)
			table.cells[label_position(&y, relation_text(i, 0)) * x.n + label_position(&x, relation_text(i, 1))] =
				relation_count(i, 2);
		n += known ? relation_count(i, 2) : 0;
		missing += known ? 0 : relation_count(i, 2);
	}
	relation_end();
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", missing);
	return table;
}

/* table_chisq_test(formula text, relation regclass, correct boolean) */
Datum
secmed_table_chisq_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Outcome		outcome = {0};
	CellTable	table = ask_cells(&formula, PG_GETARG_OID(1), &outcome);

	cells_chi_squared(&table, PG_GETARG_BOOL(2), &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

static void
check_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* table_fisher_test(formula text, relation regclass) */
Datum
secmed_table_fisher_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Outcome		outcome = {0};
	CellTable	table = ask_cells(&formula, PG_GETARG_OID(1), &outcome);

	cells_fisher(&table, check_for_interrupts, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* ---- strata ---- */

static Stratum *
ask_strata(const Formula *formula, Oid relation, int *n, Outcome *outcome)
{
	MemoryContext caller = CurrentMemoryContext;
	Stratum    *strata;
	double		total = 0;
	double		missing = 0;
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT s, (t).n11, (t).n10, (t).n01, (t).n00, (t).n, (t).n_missing FROM "
								   "(SELECT %s AS s, secmed.risk_difference(%s::pg_catalog.bool, %s::pg_catalog.bool) AS t "
								   "FROM %s GROUP BY 1) AS strata",
								   formula->stratum, formula->x, formula->y, relation_name(relation)));
	strata = MemoryContextAlloc(caller, sizeof(Stratum) * (rows + 1));
	*n = 0;
	for (uint64 i = 0; i < rows; i++)
	{
		missing += relation_count(i, 6) + (relation_is_null(i, 0) ? relation_count(i, 5) : 0);
		if (relation_is_null(i, 0))
			continue;
		if (relation_is_null(i, 1))
			relation_withheld();
		strata[(*n)++] = (Stratum) {relation_count(i, 1), relation_count(i, 2), relation_count(i, 3), relation_count(i, 4)};
		total += relation_count(i, 5);
	}
	relation_end();
	outcome_count(outcome, "n", total);
	outcome_count(outcome, "n_missing", missing);
	return strata;
}

/* mantel_haenszel_test(formula text, relation regclass, correct boolean, conf_level double precision) */
Datum
secmed_mantel_haenszel_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	double		level = PG_GETARG_FLOAT8(3);
	Outcome		outcome = {0};
	Stratum    *strata;
	int			n;

	check_conf_level(level);
	strata = ask_strata(&formula, PG_GETARG_OID(1), &n, &outcome);
	cells_mantel_haenszel(strata, n, PG_GETARG_BOOL(2), level, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}
