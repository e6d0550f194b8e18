/*
 * diagnostic_sql.c
 *	  ROC curves over a relation: diseased ~ score.
 *
 * One question with GROUP BY: how many diseased and how many others have each
 * score, or lie between public cut points.  A score is positive from the cut
 * point on: >=.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "stats/breaks_sql.h"
#include "stats/diagnostic.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_roc);
PG_FUNCTION_INFO_V1(secmed_auc);

typedef struct Scored
{
	int			n;
	ScoredRows *values;			/* sorted; score is the lowest of the bin */
	double		missing;
} Scored;

/* The cut point at or below the score; NaN is nowhere. */
static char *
bin_of_score(const char *score, const Breaks *cuts)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CASE WHEN %s::pg_catalog.float8 < '%.17g'::pg_catalog.float8 THEN 0", score, cuts->at[0]);
	for (int i = 1; i < cuts->n; i++)
		appendStringInfo(&sql, " WHEN %s::pg_catalog.float8 < '%.17g'::pg_catalog.float8 THEN %d", score, cuts->at[i], i);
	appendStringInfo(&sql, " WHEN %s::pg_catalog.float8 <= 'Infinity'::pg_catalog.float8 THEN %d END", score, cuts->n);
	return sql.data;
}

static double
score_of_row(uint64 row, const Breaks *cuts)
{
	double		value = relation_number(row, 0);

	if (cuts == NULL)
		return value;
	return value == 0 ? -INFINITY : cuts->at[(int) value - 1];
}

/* cuts is NULL for a curve through all scores. */
static Scored
ask_scores(const Formula *formula, Oid relation, const Breaks *cuts)
{
	MemoryContext caller = CurrentMemoryContext;
	Scored		scored = {0};
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT v::pg_catalog.float8, (p).successes, (p).n, (p).n_missing FROM "
								   "(SELECT %s AS v, secmed.proportion_ci(%s) AS p FROM %s GROUP BY 1) AS scores ORDER BY 1",
								   cuts ? bin_of_score(formula->x, cuts) : formula->x, formula->y, relation_name(relation)));
	scored.values = MemoryContextAlloc(caller, sizeof(ScoredRows) * (rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		bool		known = !relation_is_null(i, 0) && !isnan(relation_number(i, 0));

		if (known && relation_is_null(i, 2))
			relation_withheld();
		scored.missing += relation_count(i, 3) + (known ? 0 : relation_count(i, 2));
		if (known && relation_count(i, 2) > 0)
			scored.values[scored.n++] = (ScoredRows) {score_of_row(i, cuts), relation_count(i, 1),
				relation_count(i, 2) - relation_count(i, 1)};
	}
	relation_end();
	return scored;
}

/* Arguments that both have: formula, relation, cut_points. */
static Scored
scores_of_call(FunctionCallInfo fcinfo, Breaks *cuts)
{
	Formula		formula;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a ROC curve needs a formula and a relation")));
	formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	*cuts = (Breaks) {0};
	if (!PG_ARGISNULL(2))
		*cuts = breaks_of_array(PG_GETARG_ARRAYTYPE_P(2), 1, "the cut points of a ROC curve");
	return ask_scores(&formula, PG_GETARG_OID(1), cuts->n > 0 ? cuts : NULL);
}

/* ---- the curve ---- */

typedef struct Curve
{
	ReturnSetInfo *rsinfo;
	double		diseased;
	double		others;
} Curve;

static void
put_point(const Curve *curve, double cut, double diseased_above, double others_above)
{
	Datum		values[] = {Float8GetDatum(cut), Float8GetDatum(diseased_above / curve->diseased),
		Float8GetDatum(1 - others_above / curve->others), Int64GetDatum((int64) diseased_above), Int64GetDatum((int64) others_above),
	Int64GetDatum((int64) (curve->diseased - diseased_above)), Int64GetDatum((int64) (curve->others - others_above))};
	bool		nulls[] = {false, curve->diseased == 0, curve->others == 0, false, false, false, false};

	tuplestore_putvalues(curve->rsinfo->setResult, curve->rsinfo->setDesc, values, nulls);
}

/* How many have a score from the cut on. */
static void
count_from(const Scored *scored, double cut, double *diseased, double *others)
{
	*diseased = *others = 0;
	for (int i = 0; i < scored->n; i++)
		if (scored->values[i].score >= cut)
		{
			*diseased += scored->values[i].diseased;
			*others += scored->values[i].others;
		}
}

static void
put_cut(const Curve *curve, const Scored *scored, double cut)
{
	double		diseased,
				others;

	count_from(scored, cut, &diseased, &others);
	put_point(curve, cut, diseased, others);
}

/* roc(formula text, relation regclass, cut_points double precision[]) */
Datum
secmed_roc(PG_FUNCTION_ARGS)
{
	Curve		curve = {(ReturnSetInfo *) fcinfo->resultinfo};
	Breaks		cuts;
	Scored		scored;

	InitMaterializedSRF(fcinfo, 0);
	scored = scores_of_call(fcinfo, &cuts);
	count_from(&scored, -INFINITY, &curve.diseased, &curve.others);
	if (cuts.n > 0)
		put_cut(&curve, &scored, -INFINITY);
	for (int i = 0; i < cuts.n; i++)
		put_cut(&curve, &scored, cuts.at[i]);
	for (int i = 0; cuts.n == 0 && i < scored.n; i++)
		put_cut(&curve, &scored, scored.values[i].score);
	put_point(&curve, INFINITY, 0, 0);
	return (Datum) 0;
}

/* auc(formula text, relation regclass, cut_points double precision[], conf_level double precision) */
Datum
secmed_auc(PG_FUNCTION_ARGS)
{
	Outcome		outcome = {0};
	double		level = PG_ARGISNULL(3) ? NAN : PG_GETARG_FLOAT8(3);
	Breaks		cuts;
	Scored		scored;

	check_conf_level(level);
	scored = scores_of_call(fcinfo, &cuts);
	outcome_count(&outcome, "n_missing", scored.missing);
	diagnostic_auc(scored.values, scored.n, level, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}
