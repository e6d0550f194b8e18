/*
 * inputs.c
 *	  The relations a plan begins with: shared tables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "compute/inputs.h"
#include "contract/shared.h"
#include "query/shared_table.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Room to grow, so that a plan that is kept still runs after a few more rows. */
#define ROWS_MIN		UINT64CONST(1024)
/* If nobody has counted them. */
#define ROWS_UNKNOWN	(UINT64CONST(1) << 23)

bool
is_shared_table(Oid relid)
{
	return shared_foreign_is(relid);
}

/* What was written through this foreign table, as pg_class counts it. */
static uint64
rows_estimate(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	float4		rows;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return rows > 0 ? (uint64) rows : ROWS_UNKNOWN;
}

static uint64
rows_bound(uint64 rows)
{
	uint64		bound = ROWS_MIN;

	while (bound < 2 * rows)
		bound *= 2;
	return Min(bound, RELATION_ROWS_MAX);
}

static bool
is_unique_column(const SharedDefinition *table, const char *name)
{
	for (int i = 0; i < table->nunique; i++)
		if (strcmp(table->unique[i], name) == 0)
			return true;
	return false;
}

/* Adds a column of the table unless it is there; its place. */
static int
add_column(PlanInput *input, const SharedDefinition *table, const char *name)
{
	int			column = shared_definition_column(table, name);

	for (int i = 0; i < input->ncolumns; i++)
		if (strcmp(input->columns[i].name, name) == 0)
			return i;
	input->columns[input->ncolumns] = (InputColumn) {table->columns[column], table->types[column],
	is_unique_column(table, name)};
	return input->ncolumns++;
}

static int
patient_of(PlanInput *input, const SharedDefinition *table)
{
	if (table->patient != NULL)
		return add_column(input, table, table->patient);
	return table->threshold > 1 ? PATIENT_EACH_ROW : PATIENT_NONE;
}

static Rel *
scan_of(const PlanInput *input, int number)
{
	Rel		   *rel = palloc0(sizeof(Rel));

	rel->node.kind = PLAN_SCAN;
	rel->node.input = number;
	for (int i = 0; i < input->ncolumns; i++)
		rel_add_column(rel, NULL, column_type(input->columns[i].type), input->columns[i].unique);
	if (input->patient == PATIENT_EACH_ROW)
		rel_add_column(rel, NULL, column_type_of_range(SECRET_INTEGER, 0, 0, input->rows - 1, false), true);
	if (input->patient == PATIENT_EACH_ROW)
		rel->patients = list_make1_int(input->ncolumns);
	else if (input->patient >= 0)
		rel->patients = list_make1_int(input->patient);
	return rel;
}

Rel *
input_scan(TermMaker *maker, Oid relid, Index varno, List *vars, uint64 *threshold)
{
	const SharedDefinition *table = &shared_foreign_table(relid)->definition;
	PlanInput	input = {.name = table->name,.kind = INPUT_SHARED_TABLE};
	int		   *at = palloc0(sizeof(int) * (list_length(vars) + 1));
	Rel		   *rel;
	ListCell   *lc;

	input.rows = rows_bound(rows_estimate(relid));
	input.columns = palloc0(sizeof(InputColumn) * (table->ncolumns + 1));
	foreach(lc, vars)
	{
		Var		   *var = lfirst_node(Var, lc);

		if (var->varattno <= 0)
		{
			term_refuse(maker, "a whole row, or a system column, of a shared table can't be computed on", NULL);
			return NULL;
		}
		at[foreach_current_index(lc)] = add_column(&input, table, get_attname(relid, var->varattno, false));
	}
	input.patient = patient_of(&input, table);
	*threshold = Max(*threshold, table->threshold);

	rel = scan_of(&input, oblivious_plan_add_input(maker->plan, &input));
	foreach(lc, vars)
		((RelColumn *) list_nth(rel->columns, at[foreach_current_index(lc)]))->expr = lfirst(lc);
	rel->relids = bms_make_singleton(varno);
	return rel;
}
