/*
 * groups_sql.c
 *	  Analysis of variance and Bartlett's test over a relation.
 *
 * One question with GROUP BY: of each group the number of rows, the mean and
 * its standard error.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "stats/groups.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_anova);
PG_FUNCTION_INFO_V1(secmed_bartlett_test);

/* What the groups are, and how many rows are in none. */
typedef struct Groups
{
	int			k;
	Sample	   *samples;
	double		n;
	double		missing;
} Groups;

static void
take_group(Groups *groups, uint64 row)
{
	Sample	   *sample = &groups->samples[groups->k];
	double		error = relation_number(row, 3);

	if (relation_is_null(row, 1))
		relation_withheld();
	sample->n = relation_count(row, 1);
	sample->mean = relation_number(row, 2);
	sample->ss = error * error * sample->n * (sample->n - 1);
	groups->n += sample->n;
	groups->missing += relation_count(row, 4);
	groups->k += sample->n > 0;
}

/* Rows without a group are missing, with as many as are known. */
static Groups
ask_groups(const Formula *formula, Oid relation)
{
	Groups		groups = {0};
	MemoryContext caller = CurrentMemoryContext;
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT g, (m).n, (m).estimate, (m).standard_error, (m).n_missing FROM "
								   "(SELECT %s AS g, secmed.mean_ci(%s::pg_catalog.float8) AS m FROM %s GROUP BY 1) AS groups",
								   formula->x, formula->y, relation_name(relation)));
	groups.samples = MemoryContextAlloc(caller, sizeof(Sample) * (rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		if (!relation_is_null(i, 0))
			take_group(&groups, i);
		else
			groups.missing += relation_count(i, 1) + relation_count(i, 4);
	}
	relation_end();
	return groups;
}

static void
add_numbers(const Groups *groups, Outcome *outcome)
{
	outcome_count(outcome, "groups", groups->k);
	outcome_count(outcome, "n", groups->n);
	outcome_count(outcome, "n_missing", groups->missing);
}

/* anova(formula text, relation regclass, equal_variances boolean) */
Datum
secmed_anova(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Groups		groups = ask_groups(&formula, PG_GETARG_OID(1));
	Outcome		outcome = {0};

	add_numbers(&groups, &outcome);
	if (PG_GETARG_BOOL(2))
		groups_anova(groups.samples, groups.k, &outcome);
	else
		groups_welch(groups.samples, groups.k, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* bartlett_test(formula text, relation regclass) */
Datum
secmed_bartlett_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Groups		groups = ask_groups(&formula, PG_GETARG_OID(1));
	Outcome		outcome = {0};

	add_numbers(&groups, &outcome);
	groups_bartlett(groups.samples, groups.k, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}
