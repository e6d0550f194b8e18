/*
 * ranks_sql.c
 *	  Tests by ranks over a relation.
 *
 * One question with GROUP BY: how many rows have each value, in each group.
 * Over a consortium it is answered only where the values have a public domain
 * and none of the counts is withheld; ranks of secret values are not computed.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "stats/ranks.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_wilcox_test);
PG_FUNCTION_INFO_V1(secmed_signed_rank_test);
PG_FUNCTION_INFO_V1(secmed_kruskal_test);
PG_FUNCTION_INFO_V1(secmed_ks_test);
PG_FUNCTION_INFO_V1(secmed_spearman_test);

typedef struct Ranked
{
	int			n;
	RankedValue *values;
	int			groups;
	double		rows;
	double		missing;
} Ranked;

static Alternative
alternative_of_text(text *value)
{
	Alternative alternative;

	if (!alternative_parse(text_to_cstring(value), &alternative))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the alternative is 'two.sided', 'less' or 'greater'")));
	return alternative;
}

static void
not_ranked(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("NaN has no rank")));
}

/* How many groups there are among rows with both values: their numbers are dense. */
static int
groups_of_answer(uint64 rows)
{
	int64		most = 0;

	for (uint64 i = 0; i < rows; i++)
		most = Max(most, relation_count(i, 1));
	return (int) most;
}

/* Each value has a number of rows for each group. */
static void
check_size(int groups, uint64 rows)
{
	uint64		values = 0;
	double		last = 0;

	for (uint64 i = 0; i < rows; i++)
	{
		double		value = relation_number(i, 0);

		values += values == 0 || value != last;
		last = value;
	}
	if ((double) values * groups * sizeof(double) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d groups with up to " UINT64_FORMAT " values are too many", groups, values),
				 errhint("What stands behind the \"~\" makes the groups.")));
}

/*
 * Rows (value, group, count), sorted by value; groups are numbers from 1, NULL
 * for rows that are in none; there are at least so many.
 */
static Ranked
ask_ranked(const char *sql, int groups)
{
	MemoryContext caller = CurrentMemoryContext;
	Ranked		ranked = {0};
	uint64		rows;

	relation_begin();
	rows = relation_query(sql);
	ranked.groups = Max(groups, groups_of_answer(rows));
	check_size(ranked.groups, rows);
	ranked.values = MemoryContextAlloc(caller, sizeof(RankedValue) * (rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		double		value = relation_number(i, 0);

		CHECK_FOR_INTERRUPTS();
		if (relation_is_null(i, 0) || relation_is_null(i, 1))
		{
			ranked.missing += relation_count(i, 2);
			continue;
		}
		if (relation_is_null(i, 2))
			relation_withheld();
		if (isnan(value))
			not_ranked();
		if (ranked.n == 0 || ranked.values[ranked.n - 1].value != value)
			ranked.values[ranked.n++] = (RankedValue) {value,
				MemoryContextAllocZero(caller, sizeof(double) * ranked.groups)};
		ranked.values[ranked.n - 1].counts[relation_count(i, 1) - 1] += relation_count(i, 2);
		ranked.rows += relation_count(i, 2);
	}
	relation_end();
	return ranked;
}

static void
add_numbers(const Ranked *ranked, Outcome *outcome)
{
	outcome_count(outcome, "n", ranked->rows);
	outcome_count(outcome, "n_missing", ranked->missing);
}

/* Of two groups: the first is where x is true. */
static Ranked
ask_two_groups(FunctionCallInfo fcinfo)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);

	return ask_ranked(psprintf("SELECT y::pg_catalog.float8, CASE WHEN x THEN 1::pg_catalog.int8 WHEN NOT x THEN 2::pg_catalog.int8 END, n "
								 "FROM (SELECT %s AS y, %s::pg_catalog.bool AS x, pg_catalog.count(*) AS n FROM %s GROUP BY 1, 2) AS ranked "
								 "ORDER BY 1", formula.y, formula.x, relation_name(PG_GETARG_OID(1))), 2);
}

/* wilcox_test(formula text, relation regclass, alternative text) */
Datum
secmed_wilcox_test(PG_FUNCTION_ARGS)
{
	Alternative alternative = alternative_of_text(PG_GETARG_TEXT_PP(2));
	Ranked		ranked = ask_two_groups(fcinfo);
	Outcome		outcome = {0};

	add_numbers(&ranked, &outcome);
	ranks_sum(ranked.values, ranked.n, alternative, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* ks_test(formula text, relation regclass) */
Datum
secmed_ks_test(PG_FUNCTION_ARGS)
{
	Ranked		ranked = ask_two_groups(fcinfo);
	Outcome		outcome = {0};

	add_numbers(&ranked, &outcome);
	ranks_smirnov(ranked.values, ranked.n, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* signed_rank_test(x text, relation regclass, alternative text) */
Datum
secmed_signed_rank_test(PG_FUNCTION_ARGS)
{
	char	   *x = expression_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Alternative alternative = alternative_of_text(PG_GETARG_TEXT_PP(2));
	Outcome		outcome = {0};
	Ranked		ranked;

	ranked = ask_ranked(psprintf("SELECT x::pg_catalog.float8, 1::pg_catalog.int8, n FROM "
								 "(SELECT %s AS x, pg_catalog.count(*) AS n FROM %s GROUP BY 1) AS ranked ORDER BY 1",
								 x, relation_name(PG_GETARG_OID(1))), 1);
	add_numbers(&ranked, &outcome);
	ranks_signed(ranked.values, ranked.n, alternative, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* kruskal_test(formula text, relation regclass) */
Datum
secmed_kruskal_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Outcome		outcome = {0};
	Ranked		ranked;

	/* Only groups that have a value are groups. */
	ranked = ask_ranked(psprintf("SELECT y::pg_catalog.float8, CASE WHEN x IS NOT NULL AND y IS NOT NULL THEN "
								 "pg_catalog.dense_rank() OVER (PARTITION BY x IS NOT NULL AND y IS NOT NULL ORDER BY x) END, n "
								 "FROM (SELECT %s AS y, %s AS x, pg_catalog.count(*) AS n FROM %s GROUP BY 1, 2) AS ranked ORDER BY 1",
								 formula.y, formula.x, relation_name(PG_GETARG_OID(1))), 0);
	add_numbers(&ranked, &outcome);
	ranks_kruskal(ranked.values, ranked.n, ranked.groups, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* Pairs of y ~ x, and how many rows have each. */
static RankedPair *
ask_pairs(const Formula *formula, Oid relation, int *n, Outcome *outcome)
{
	MemoryContext caller = CurrentMemoryContext;
	RankedPair *pairs;
	double		total = 0;
	double		missing = 0;
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT x::pg_catalog.float8, y::pg_catalog.float8, n FROM "
								   "(SELECT %s AS x, %s AS y, pg_catalog.count(*) AS n FROM %s GROUP BY 1, 2) AS pairs",
								   formula->x, formula->y, relation_name(relation)));
	pairs = MemoryContextAlloc(caller, sizeof(RankedPair) * (rows + 1));
	*n = 0;
	for (uint64 i = 0; i < rows; i++)
	{
		if (relation_is_null(i, 0) || relation_is_null(i, 1))
		{
			missing += relation_count(i, 2);
			continue;
		}
		if (relation_is_null(i, 2))
			relation_withheld();
		if (isnan(relation_number(i, 0)) || isnan(relation_number(i, 1)))
			not_ranked();
		pairs[(*n)++] = (RankedPair) {relation_number(i, 0), relation_number(i, 1), relation_count(i, 2)};
		total += relation_count(i, 2);
	}
	relation_end();
	outcome_count(outcome, "n", total);
	outcome_count(outcome, "n_missing", missing);
	return pairs;
}

/* spearman_test(formula text, relation regclass) */
Datum
secmed_spearman_test(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	Outcome		outcome = {0};
	RankedPair *pairs;
	int			n;

	pairs = ask_pairs(&formula, PG_GETARG_OID(1), &n, &outcome);
	ranks_spearman(pairs, n, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}
