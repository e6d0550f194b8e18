/*
 * survival.c
 *	  Questions about times until an event, over a relation.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "model/survival.h"
#include "utils/builtins.h"

/* ---- arms and strata ---- */

static int
combinations_of(const Design *design, int from, int to)
{
	int			n = 1;

	for (int i = from; i < to && n <= SURVIVAL_ARMS_MAX; i++)
		n *= design->levels[i].n;
	if (n > SURVIVAL_ARMS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("\"%s\" has more than %d arms or strata", design->formula->text, SURVIVAL_ARMS_MAX),
				 errhint("Join levels with CASE in a view, or cut numbers into ranges.")));
	return n;
}

/* The i-th combination: the first variable's levels run slowest, as in R's strata(). */
static void
append_combination(const Design *design, int from, int to, int i, StringInfo name, StringInfo condition)
{
	for (int variable = to - 1; variable >= from; variable--)
	{
		const Levels *levels = &design->levels[variable];
		int			level = i % levels->n;
		char	   *label = psprintf("%s=%s", design->formula->variables[variable].label, levels->names[level]);
		char	   *rest = pstrdup(name->data);

		i /= levels->n;
		resetStringInfo(name);
		appendStringInfo(name, "%s%s%s", label, rest[0] ? ", " : "", rest);
		appendStringInfo(condition, "%s%s", condition->len ? " AND " : "", design_level_condition(design, variable, level));
	}
}

static Combinations
combinations(const Design *design, int from, int to)
{
	Combinations out = {combinations_of(design, from, to), NULL, "0"};
	StringInfoData sql;

	if (from == to)
		return out;
	out.names = palloc0(sizeof(char *) * (out.n + 1));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "CASE");
	for (int i = 0; i < out.n; i++)
	{
		StringInfoData name;
		StringInfoData condition;

		initStringInfo(&name);
		initStringInfo(&condition);
		append_combination(design, from, to, i, &name, &condition);
		out.names[i] = name.data;
		if (i < out.n - 1)
			appendStringInfo(&sql, " WHEN %s THEN %d", condition.data, i);
	}
	/* Complete rows have one of the combinations, so that there is no other group. */
	appendStringInfo(&sql, " ELSE %d END", out.n - 1);
	out.sql = out.n > 1 ? sql.data : pstrdup("0");
	return out;
}

/* ---- events ---- */

static void
codes_unknown(const Design *design, const char *found)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("it is not clear which values of %s are events", design->formula->outcome.label),
			 errdetail("Codes are 0 and 1, or 1 and 2, or a boolean; here %s.", found),
			 errhint("Write the condition: surv(%s, %s = 2).", design->formula->time, design->formula->outcome.label)));
}

/* The smallest and largest code of these rows. */
static void
codes_of_rows(const Design *design, double *least, double *most)
{
	bool		isnull;
	char	   *sql = psprintf("SELECT pg_catalog.min(%s), pg_catalog.max(%s), "
							   "pg_catalog.bool_or((%s) OPERATOR(pg_catalog.<>) ALL ('{0,1,2}'::pg_catalog.float8[])) FROM %s WHERE %s%s%s%s",
							   design->outcome, design->outcome, design->outcome, design->from, design->complete,
							   design->where ? " AND (" : "", design->where ? design->where : "", design->where ? "\n)" : "");
	HeapTuple	tuple;

	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the codes of events");
	tuple = SPI_tuptable->vals[0];
	*least = DatumGetFloat8(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are no complete rows for \"%s\"", design->formula->text)));
	*most = DatumGetFloat8(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	if (DatumGetBool(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &isnull)))
		codes_unknown(design, "there are others");
	SPI_freetuptable(SPI_tuptable);
}

static void
codes_of_domain(const Design *design, double *least, double *most)
{
	Domain	   *domain = design_domain(design, design->formula->outcome.sql);

	if (domain == NULL)
		codes_unknown(design, "the sites do not say which there are");
	*least = INFINITY;
	*most = -INFINITY;
	for (int i = 0; i < domain->nvalues; i++)
	{
		double		code;

		if (domain->values[i] == NULL)
			continue;
		code = domain->type == BOOLOID ? domain->values[i][0] == 't' : atof(domain->values[i]);
		*least = Min(*least, code);
		*most = Max(*most, code);
	}
}

static char *
event_sql(const Design *design)
{
	double		least;
	double		most;

	if (design->federated)
		codes_of_domain(design, &least, &most);
	else
		codes_of_rows(design, &least, &most);
	if (!(least >= 0 && most <= 2 && most - least <= 1))
		codes_unknown(design, psprintf("they go from %g to %g", least, most));
	return psprintf("(%s) OPERATOR(pg_catalog.=) %d", design->outcome, most == 2 ? 2 : 1);
}

/* ---- the design ---- */

/* All variables make arms; those of strata() come behind them. */
static int
make_factors(Formula *formula)
{
	int			arms = formula->nvariables;
	ListCell   *lc;

	for (int i = 0; i < arms; i++)
		formula->variables[i].factor = true;
	foreach(lc, formula->strata)
	{
		if (formula->nvariables == FORMULA_VARIABLES_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("formula \"%s\" has more than %d variables", formula->text, FORMULA_VARIABLES_MAX)));
		formula->variables[formula->nvariables++] = *(Variable *) lfirst(lc);
	}
	return arms;
}

static void
check_formula(const Formula *formula)
{
	if (formula->time == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("formula \"%s\" has no surv(time, event)", formula->text),
				 errhint("Write surv(time, event) ~ arm, or ~ 1 for all together.")));
	if (formula->offsets != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR), errmsg("formula \"%s\" can't have an offset", formula->text)));
}

SurvivalDesign *
survival_design(const char *text, Oid relation, const char *where, Jsonb *levels, bool curves)
{
	SurvivalDesign *survival = palloc0(sizeof(SurvivalDesign));
	Formula    *formula = formula_parse(text);
	int			arms;

	check_formula(formula);
	arms = make_factors(formula);
	if (curves)
		arms = formula->nvariables;
	survival->design = design_start(formula, relation, where, NULL, levels, false);
	survival->arms = combinations(survival->design, 0, arms);
	survival->strata = combinations(survival->design, arms, formula->nvariables);
	survival->time = psprintf("(%s)::pg_catalog.float8", formula->time);
	survival->event = event_sql(survival->design);
	return survival;
}

/* ---- counting, locally ---- */

/* Complete rows by arm, stratum, time and event; one row more counts the others. */
static char *
count_sql(const SurvivalDesign *survival)
{
	const Design *design = survival->design;

	return psprintf("SELECT CASE WHEN complete THEN arm END, stratum, CASE WHEN complete THEN at END, event, pg_catalog.count(*) FROM "
					"(SELECT (%s)::pg_catalog.int4 AS arm, (%s)::pg_catalog.int4 AS stratum, %s AS at, %s AS event, (%s) AS complete FROM %s%s%s%s) AS counted "
					"GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3",
					survival->arms.sql, survival->strata.sql, survival->time, survival->event, design->complete,
					design->from, design->where ? " WHERE (" : "", design->where ? design->where : "",
					design->where ? "\n)" : "");
}

static void
check_time(double time)
{
	if (isnan(time) || isinf(time))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a time is infinite or NaN"),
				 errhint("Leave such rows out with the argument \"where\".")));
}

static void
add_count(SurvivalCounts *counts, double time, bool event, double number)
{
	EventCount *last;

	check_time(time);
	if (counts->n == 0 || counts->counts[counts->n - 1].time != time)
		counts->counts[counts->n++] = (EventCount) {.time = time};
	last = &counts->counts[counts->n - 1];
	if (event)
		last->events += number;
	else
		last->censored += number;
}

/* How many rows from this one on are of its arm and stratum: there are as many times, at most. */
static uint64
rows_alike(SPITupleTable *table, uint64 from, uint64 end, const Datum *values)
{
	uint64		i = from + 1;

	for (; i < end; i++)
		for (int j = 0; j < 2; j++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(table->vals[i], table->tupdesc, j + 1, &isnull);

			if (isnull || DatumGetInt32(value) != DatumGetInt32(values[j]))
				return i - from;
		}
	return i - from;
}

SurvivalCounts *
survival_count(const SurvivalDesign *survival, MemoryContext context, int64 *missing)
{
	SurvivalCounts *counts = MemoryContextAllocZero(context, sizeof(SurvivalCounts) * survival->arms.n * survival->strata.n);
	SPITupleTable *table;

	*missing = 0;
	if (SPI_execute(count_sql(survival), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count events");
	table = SPI_tuptable;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[5];
		bool		nulls[5];
		SurvivalCounts *own;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < lengthof(values); j++)
			values[j] = SPI_getbinval(table->vals[i], table->tupdesc, j + 1, &nulls[j]);
		if (nulls[0] || nulls[2])
		{
			*missing += DatumGetInt64(values[4]);
			continue;
		}
		own = &counts[DatumGetInt32(values[0]) * survival->strata.n + DatumGetInt32(values[1])];
		if (own->counts == NULL)
			own->counts = MemoryContextAllocHuge(context, 
												sizeof(EventCount) * rows_alike(table, i, SPI_processed, values));
		add_count(own, DatumGetFloat8(values[2]), DatumGetBool(values[3]), (double) DatumGetInt64(values[4]));
	}
	SPI_freetuptable(table);
	return counts;
}
