/*
 * rates_sql.c
 *	  Standardised rates over a relation: events ~ person_time | stratum.
 *
 * Which strata there are, the caller says with the standard population or the
 * reference rates; rows of others are missing.  Direct: one question with GROUP
 * BY of a CASE over the strata.  Indirect: one sum of events, one of
 * person-time times the reference rate; strata are not told apart.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "stats/rates.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(secmed_standardised_rate);
PG_FUNCTION_INFO_V1(secmed_smr);

/* Strata somebody has made rates for; each is a WHEN of the question. */
#define STRATA_MAX	1000

/* A public number of each stratum. */
typedef struct Reference
{
	int			n;
	char	   *names[STRATA_MAX];
	double		values[STRATA_MAX];
} Reference;

/* ---- the standard ---- */

static void
bad_reference(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a standard is a JSON object with a number above zero for each of 1 to %d strata", STRATA_MAX),
			 errhint("For example {\"below 60\": 5200, \"60 and above\": 1800}.")));
}

static void
add_value(Reference *reference, const JsonbValue *value)
{
	double		number;

	if (value->type != jbvNumeric)
		bad_reference();
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number > 0) || isinf(number))
		bad_reference();
	reference->values[reference->n++] = number;
}

static Reference *
reference_of_jsonb(Jsonb *jsonb)
{
	Reference  *reference = palloc0(sizeof(Reference));
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(jsonb) || JB_ROOT_COUNT(jsonb) < 1 || JB_ROOT_COUNT(jsonb) > STRATA_MAX)
		bad_reference();
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			reference->names[reference->n] = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			add_value(reference, &value);
	}
	return reference;
}

/* What the stratum chooses: its number, or its value. */
static char *
case_of_stratum(const char *stratum, const Reference *reference, bool values)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CASE");
	for (int i = 0; i < reference->n; i++)
	{
		appendStringInfo(&sql, " WHEN %s = %s THEN ", stratum, quote_literal_cstr(reference->names[i]));
		if (values)
			appendStringInfo(&sql, "'%.17g'::pg_catalog.float8", reference->values[i]);
		else
			appendStringInfo(&sql, "%d", i);
	}
	appendStringInfoString(&sql, " END");
	return sql.data;
}

/* ---- direct ---- */

static void
no_person_time(const char *stratum)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("stratum \"%s\" has no person-time", stratum),
			 errhint("Merge it with another, here and in the standard.")));
}

/* Of all strata of the reference, in its order; rows of none, or with NULL, are missing. */
static RateStratum *
ask_rates(const Formula *formula, Oid relation, const Reference *reference, Outcome *outcome)
{
	RateStratum *strata = palloc0(sizeof(RateStratum) * reference->n);
	double		n = 0;
	double		missing = 0;
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT s::pg_catalog.int8, (r).events, (r).person_time, (r).n, (r).n_missing FROM "
								   "(SELECT %s AS s, secmed.incidence_rate(%s::pg_catalog.float8, %s) AS r FROM %s GROUP BY 1) AS strata",
								   case_of_stratum(formula->stratum, reference, false), formula->x, formula->y,
								   relation_name(relation)));
	for (uint64 i = 0; i < rows; i++)
	{
		missing += relation_count(i, 4) + (relation_is_null(i, 0) ? relation_count(i, 3) : 0);
		if (relation_is_null(i, 0))
			continue;
		if (relation_is_null(i, 1))
			relation_withheld();
		strata[relation_count(i, 0)] = (RateStratum) {relation_number(i, 1), relation_number(i, 2), 0};
		n += relation_count(i, 3);
	}
	relation_end();
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", missing);
	for (int i = 0; i < reference->n; i++)
	{
		if (!(strata[i].time > 0))
			no_person_time(reference->names[i]);
		strata[i].standard = reference->values[i];
	}
	return strata;
}

/* standardised_rate(formula text, relation regclass, standard jsonb, conf_level double precision) */
Datum
secmed_standardised_rate(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	Reference  *standard = reference_of_jsonb(PG_GETARG_JSONB_P(2));
	double		level = PG_GETARG_FLOAT8(3);
	Outcome		outcome = {0};
	RateStratum *strata;

	check_conf_level(level);
	strata = ask_rates(&formula, PG_GETARG_OID(1), standard, &outcome);
	rates_standardise(strata, standard->n, level, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}

/* ---- indirect ---- */

/* smr(formula text, relation regclass, reference jsonb, conf_level double precision) */
Datum
secmed_smr(PG_FUNCTION_ARGS)
{
	Formula		formula = formula_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	Reference  *reference = reference_of_jsonb(PG_GETARG_JSONB_P(2));
	double		level = PG_GETARG_FLOAT8(3);
	Outcome		outcome = {0};
	double		observed,
				expected;

	check_conf_level(level);
	relation_begin();
	(void) relation_query(psprintf("SELECT (r).events, (r).person_time, (r).n, (r).n_missing FROM "
								   "(SELECT secmed.incidence_rate(%s::pg_catalog.float8 * %s, %s) AS r FROM %s) AS rate",
								   formula.x, case_of_stratum(formula.stratum, reference, true), formula.y,
								   relation_name(PG_GETARG_OID(1))));
	if (relation_is_null(0, 2))
		relation_withheld();
	observed = relation_number(0, 0);
	expected = relation_number(0, 1);
	outcome_count(&outcome, "n", relation_count(0, 2));
	outcome_count(&outcome, "n_missing", relation_count(0, 3));
	relation_end();
	rates_smr(observed, expected, level, &outcome);
	return outcome_of_call(fcinfo, &outcome);
}
