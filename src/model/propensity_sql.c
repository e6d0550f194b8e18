/*
 * propensity_sql.c
 *	  Propensity scores: the fitted chance of treatment as an SQL expression,
 *	  weights by its inverse, and how balanced the groups are.
 *
 * The score of a row is nothing that a consortium shows, so it isn't computed
 * here: what is returned is text, which other statistics take as weights and
 * the sites evaluate.  It runs as its caller; the fit is secmed.glm().
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/design.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_propensity_score);
PG_FUNCTION_INFO_V1(secmed_propensity_weights);
PG_FUNCTION_INFO_V1(secmed_balance);

/* ---- the fitted model ---- */

/* secmed.glm() of the same arguments: terms and estimates stay in SPI_tuptable. */
static void
fit(FunctionCallInfo fcinfo)
{
	Oid			types[] = {TEXTOID, REGCLASSOID, TEXTOID, JSONBOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1] = {0};

	for (int i = 0; i < lengthof(types); i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (SPI_execute_with_args("SELECT term, estimate FROM secmed.glm($1, $2, 'binomial', \"where\" => $3, levels => $4)",
							  lengthof(types), types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "a propensity score has no fit");
}

static const char *
column_of_term(const Design *design, const char *term)
{
	for (int i = 0; i < design->p; i++)
		if (strcmp(design->columns[i].name, term) == 0)
			return design->columns[i].sql;
	elog(ERROR, "the design has no column for a coefficient");
}

/* The log odds of treatment: offset + sum of coefficient * column. */
static char *
log_odds_sql(const Design *design)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "(%s", design->offset);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		char	   *term = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		bool		isnull;
		double		estimate = DatumGetFloat8(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));

		appendStringInfo(&sql, " + '%.17g'::pg_catalog.float8 * %s", estimate, column_of_term(design, term));
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* The rows that the fit is of. */
static char *
used_rows_sql(const Design *design)
{
	return design->where ? psprintf("%s AND (%s)", design->complete, design->where) : design->complete;
}

static Design *
design_of_arguments(FunctionCallInfo fcinfo, int where, int levels)
{
	Design	   *design;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a propensity score needs a formula and a relation")));
	design = design_start(formula_parse(text_to_cstring(PG_GETARG_TEXT_PP(0))), PG_GETARG_OID(1),
						  PG_ARGISNULL(where) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(where)), NULL,
						  PG_ARGISNULL(levels) ? NULL : PG_GETARG_JSONB_P(levels), true);
	design_expand(design);
	return design;
}

/* propensity_score(formula text, relation regclass, "where" text, levels jsonb): SQL of the chance of treatment */
Datum
secmed_propensity_score(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Design	   *design;
	char	   *score;

	SPI_connect();
	design = design_of_arguments(fcinfo, 2, 3);
	fit(fcinfo);
	score = psprintf("CASE WHEN %s THEN 1 / (1 + pg_catalog.exp(-%s)) END", used_rows_sql(design), log_odds_sql(design));
	score = MemoryContextStrdup(caller, score);
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(score));
}

/* ---- weights ---- */

/* What the inverse of a chance is taken of, for the treated and for the others; NULL where the weight is 1. */
typedef struct Estimand
{
	const char *name;
	const char *treated;
	const char *others;
} Estimand;

static const Estimand estimands[] = {
	{"ATE", "1 / (%s)", "1 / (1 - (%s))"},
	{"ATT", NULL, "1 / (1 / (%s) - 1)"},
	{"ATC", "1 / (%s) - 1", NULL},
};

static const Estimand *
estimand_argument(FunctionCallInfo fcinfo, int i)
{
	char	   *name = PG_ARGISNULL(i) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(i));

	for (int j = 0; j < lengthof(estimands); j++)
		if (pg_strcasecmp(name, estimands[j].name) == 0)
			return &estimands[j];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the estimand is 'ATE', 'ATT' or 'ATC'"),
			 errdetail("The average effect of treatment in all patients, in the treated, or in the controls.")));
}

/* SQL of the weights of one group. */
static char *
weight_sql(const char *weight, const char *score)
{
	const char *at;

	if (weight == NULL)
		return pstrdup("1::pg_catalog.float8");
	at = strstr(weight, "%s");
	return psprintf("%.*s%s%s", (int) (at - weight), weight, score, at + 2);
}

/* propensity_weights(treated text, score text, estimand text) */
Datum
secmed_propensity_weights(PG_FUNCTION_ARGS)
{
	char	   *treated = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *score = text_to_cstring(PG_GETARG_TEXT_PP(1));
	const Estimand *estimand = estimand_argument(fcinfo, 2);

	formula_check_expression(treated, "the treatment");
	formula_check_expression(score, "the score");
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("CASE WHEN (%s\n) THEN %s WHEN NOT (%s\n) THEN %s END",
											  treated, weight_sql(estimand->treated, score),
											  treated, weight_sql(estimand->others, score))));
}

/* ---- balance ---- */

/*
 * One question: of each column, in each group, mean, error and number, and the
 * weighted mean.  The weights of a group are made of the score alone: sites
 * would miss the patients of the other group in an expression that asks which it is.
 */
static char *
balance_sql(const Design *design, const char *score, const Estimand *estimand)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < design->p; i++)
		for (int group = 1; group >= 0; group--)
		{
			const char *weight = group ? estimand->treated : estimand->others;

			appendStringInfo(&sql, "%s secmed.mean_ci(%s) FILTER (WHERE %s = %d) AS m%d_%d", sql.len ? "," : "SELECT",
							 design->columns[i].sql, design->outcome, group, group, i);
			if (score && weight)
				appendStringInfo(&sql, ", secmed.weighted_mean(%s, %s) FILTER (WHERE %s = %d) AS w%d_%d",
								 design->columns[i].sql, weight_sql(weight, score), design->outcome, group, group, i);
		}
	appendStringInfo(&sql, " FROM %s WHERE %s", design->from, used_rows_sql(design));
	return sql.data;
}

/* The weighted mean of a column in a group: where all weights are 1, its mean. */
static char *
weighted_sql(const char *score, const char *weight, int group, int column)
{
	if (score == NULL)
		return pstrdup("NULL::pg_catalog.float8");
	return psprintf(weight ? "w%d_%d" : "(m%d_%d).estimate", group, column);
}

/* The columns of its answer, flat. */
static char *
flat_sql(const Design *design, const char *score, const Estimand *estimand)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < design->p; i++)
		for (int group = 1; group >= 0; group--)
			appendStringInfo(&sql, "%s (m%d_%d).estimate, (m%d_%d).standard_error * pg_catalog.sqrt((m%d_%d).n), %s",
							 sql.len ? "," : "SELECT", group, i, group, i, group, i,
							 weighted_sql(score, group ? estimand->treated : estimand->others, group, i));
	appendStringInfo(&sql, " FROM (%s) AS balance", balance_sql(design, score, estimand));
	return sql.data;
}

/* NaN for NULL: withheld, or not asked. */
static double
answer(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

/* Six columns of the answer make a row. */
static void
put_balance(ReturnSetInfo *rsinfo, const char *term, int column)
{
	double		numbers[] = {answer(column), answer(column + 3), 0, answer(column + 2), answer(column + 5), 0};
	double		s1 = answer(column + 1);
	double		s0 = answer(column + 4);
	double		s = sqrt((s1 * s1 + s0 * s0) / 2);
	Datum		values[7] = {CStringGetTextDatum(term)};
	bool		nulls[7] = {false};

	numbers[2] = (numbers[0] - numbers[1]) / s;
	numbers[5] = (numbers[3] - numbers[4]) / s;
	for (int i = 0; i < lengthof(numbers); i++)
	{
		values[1 + i] = Float8GetDatum(numbers[i]);
		nulls[1 + i] = !isfinite(numbers[i]);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The covariates, without the intercept. */
static void
leave_out_intercept(Design *design)
{
	design->columns += design->formula->intercept;
	design->p -= design->formula->intercept;
	if (design->p == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the formula has nothing to balance")));
}

/* balance(formula text, relation regclass, score text, estimand text, "where" text, levels jsonb) */
Datum
secmed_balance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *score = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	const Estimand *estimand = estimand_argument(fcinfo, 3);
	Design	   *design;

	InitMaterializedSRF(fcinfo, 0);
	if (score)
		formula_check_expression(score, "the score");
	SPI_connect();
	design = design_of_arguments(fcinfo, 4, 5);
	leave_out_intercept(design);
	if (SPI_execute(flat_sql(design, score, estimand), true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "a balance has no answer");
	for (int i = 0; i < design->p; i++)
		put_balance(rsinfo, design->columns[i].name, 1 + 6 * i);
	SPI_finish();
	return (Datum) 0;
}
