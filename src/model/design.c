/*
 * design.c
 *	  From a formula to the columns of a design.
 *
 * Types come from PostgreSQL's own analysis of the expressions over the
 * relation; no row is read for that.
 */
#include "postgres.h"

#include "base/error.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "model/design.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "port/pg_bitutils.h"
#include "query/options.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

/* ---- types ---- */

/* A query of these expressions over the relation, analysed. */
static Query *
analyse(const Design *design, List *expressions)
{
	StringInfoData sql;
	SPIPlanPtr	plan;
	CachedPlanSource *source;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, expressions)
		appendStringInfo(&sql, "%s (%s\n)", foreach_current_index(lc) ? "," : "SELECT", (char *) lfirst(lc));
	appendStringInfo(&sql, " FROM %s", design->from);
	plan = SPI_prepare(sql.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	return linitial_node(Query, source->query_list);
}

static Node *
expression_of(Query *query, int i)
{
	return (Node *) list_nth_node(TargetEntry, query->targetList, i)->expr;
}

static bool
is_number(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

static char *
as_number(const char *sql)
{
	return psprintf("(%s)::pg_catalog.float8", sql);
}

/* ---- levels ---- */

static Domain *
column_domain(Var *var, void *arg)
{
	Query	   *query = arg;
	RangeTblEntry *entry = rt_fetch(var->varno, query->rtable);

	if (entry->rtekind != RTE_RELATION || entry->relkind != RELKIND_FOREIGN_TABLE || var->varattno <= 0)
		return NULL;
	return foreign_column_domain(entry->relid, var->varattno);
}

Domain *
design_domain(const Design *design, const char *sql)
{
	Query	   *query = analyse(design, list_make1(unconstify(char *, sql)));

	return domain_of_expression(expression_of(query, 0), column_domain, query);
}

static void
add_level(Levels *levels, const char *value, Oid type)
{
	const char *name = value;

	if (levels->n == GLM_COLUMNS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a factor has more than %d levels", GLM_COLUMNS_MAX),
				 errhint("Join levels with CASE in a view, or use the number itself.")));
	if (getBaseType(type) == BOOLOID)
		name = value[0] == 't' ? "TRUE" : "FALSE";
	levels->values[levels->n] = pstrdup(value);
	levels->names[levels->n++] = pstrdup(name);
}

static void
levels_from_domain(Levels *levels, const Domain *domain)
{
	for (int i = 0; i < domain->nvalues; i++)
		if (domain->values[i] != NULL)
			add_level(levels, domain->values[i], domain->type);
}

/* {"d": [1, 2, 3]}: each key is a variable of the formula. */
static void
check_levels_argument(Jsonb *argument, const Formula *formula)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(argument))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("levels are a JSON object, of an array for each variable: {\"stage\": [1, 2, 3]}")));
	iterator = JsonbIteratorInit(&argument->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *key;
		bool		known;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		known = strcmp(key, formula->outcome.sql) == 0;
		for (int i = 0; i < formula->nvariables; i++)
			known = known || strcmp(key, formula->variables[i].sql) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("levels are given for \"%s\", which is no variable of the formula", key)));
	}
}

static bool
levels_from_argument(Levels *levels, Jsonb *argument, const Variable *variable, Oid type)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *found;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (argument == NULL)
		return false;
	key.val.string.val = variable->sql;
	key.val.string.len = (int) strlen(variable->sql);
	found = findJsonbValueFromContainer(&argument->root, JB_FOBJECT, &key);
	if (found == NULL || found->type != jbvBinary || !JsonContainerIsArray(found->val.binary.data))
		return false;
	iterator = JsonbIteratorInit(found->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type == jbvNumeric)
			add_level(levels, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric))), type);
		else if (value.type == jbvString)
			add_level(levels, pnstrdup(value.val.string.val, value.val.string.len), type);
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("levels are texts or numbers")));
	}
	return true;
}

/* Of complete rows, in the order of their type. */
static void
levels_from_rows(Levels *levels, const Design *design, const Variable *variable, Oid type)
{
	char	   *sql = psprintf("SELECT v::pg_catalog.text FROM (SELECT DISTINCT (%s) AS v FROM %s WHERE %s%s%s%s) d ORDER BY d.v LIMIT %d",
				   variable->sql, design->from, design->complete,
				   design->where ? " AND (" : "", design->where ? design->where : "", design->where ? ")" : "",
				   GLM_COLUMNS_MAX + 1);
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the levels of a factor");
	for (uint64 i = 0; i < SPI_processed; i++)
		add_level(levels, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1), type);
	SPI_freetuptable(SPI_tuptable);
}

/* As R: a value that is none of the levels is a missing value. */
static void
leave_others_out(Design *design, const Levels *levels, const Variable *variable)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s AND (false", design->complete);
	for (int i = 0; i < levels->n; i++)
		appendStringInfo(&sql, " OR (%s) OPERATOR(pg_catalog.=) %s", variable->sql,
						 quote_literal_cstr(levels->values[i]));
	appendStringInfoChar(&sql, ')');
	design->complete = sql.data;
}

static void
find_levels(Levels *levels, Design *design, Query *query, int target, const Variable *variable, Jsonb *argument)
{
	Node	   *expr = expression_of(query, target);
	Oid			type = exprType(expr);
	Domain	   *domain;

	levels->values = palloc0(sizeof(char *) * (GLM_COLUMNS_MAX + 1));
	levels->names = palloc0(sizeof(char *) * (GLM_COLUMNS_MAX + 1));
	if (levels_from_argument(levels, argument, variable, type))
	{
		leave_others_out(design, levels, variable);
		return;
	}
	domain = design->federated || type_is_enum(type) ? domain_of_expression(expr, column_domain, query) : NULL;
	if (domain != NULL)
		levels_from_domain(levels, domain);
	else if (!design->federated)
		levels_from_rows(levels, design, variable, type);
	else
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("%s needs a public list of its values", variable->label),
				 errhint("Say them: levels => '{\"%s\": [...]}'; or use a column that the sites publish with a domain.",
						 variable->sql)));
}

void
design_keep_levels(Design *design, int variable, const int64 *rows)
{
	Levels	   *levels = &design->levels[variable];
	int			kept = 0;

	for (int i = 0; i < levels->n; i++)
	{
		if (rows[i] == 0)
			continue;
		levels->values[kept] = levels->values[i];
		levels->names[kept++] = levels->names[i];
	}
	levels->n = kept;
}

char *
design_level_condition(const Design *design, int variable, int level)
{
	return psprintf("(%s) OPERATOR(pg_catalog.=) %s", design->formula->variables[variable].sql,
					quote_literal_cstr(design->levels[variable].values[level]));
}

/* 1 in rows of this level, else 0. */
static char *
indicator(const Design *design, int variable, int level)
{
	return psprintf("CASE WHEN %s THEN 1::pg_catalog.float8 ELSE 0::pg_catalog.float8 END",
					design_level_condition(design, variable, level));
}

/* ---- the start ---- */

/* A foreign table over sites: its wrapper is ours. */
static bool
is_federated(Oid relation)
{
	if (get_rel_relkind(relation) != RELKIND_FOREIGN_TABLE)
		return false;
	return strcmp(GetForeignDataWrapper(GetForeignServer(GetForeignTable(relation)->serverid)->fdwid)->fdwname,
				  "secmed") == 0;
}

static char *
relation_sql(Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no relation with OID %u", relation)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

/* One expression; a comment in it ends before anything that follows. */
static char *
checked_argument(const char *sql, const char *what)
{
	if (sql == NULL)
		return NULL;
	formula_check_expression(sql, what);
	return psprintf("%s%s", sql, strstr(sql, "--") ? "\n" : "");
}

static void
add_complete(StringInfo sql, const char *expression)
{
	appendStringInfo(sql, "%s(%s) IS NOT NULL", sql->len ? " AND " : "", expression);
}

/* Expressions whose rows are left out where they are NULL, in a fixed order. */
static List *
used_expressions(const Design *design, const char *weights)
{
	List	   *used = list_make1(design->formula->outcome.sql);
	ListCell   *lc;

	for (int i = 0; i < design->formula->nvariables; i++)
		used = lappend(used, design->formula->variables[i].sql);
	foreach(lc, design->formula->offsets)
		used = lappend(used, lfirst(lc));
	if (design->formula->time)
		used = lappend(used, design->formula->time);
	if (weights)
		used = lappend(used, (char *) weights);
	return used;
}

static void
require_number(Oid type, const char *what, const char *name)
{
	if (!is_number(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s %s is not a number, but of type %s", what, name, format_type_be(type))));
}

/* Of a binomial model, all levels but the first are the event. */
static char *
outcome_sql(Design *design, Query *query, Jsonb *argument, bool binomial)
{
	const Variable *outcome = &design->formula->outcome;
	Oid			type = exprType(expression_of(query, 0));
	Levels		levels = {0};

	if (is_number(type))
		return as_number(outcome->sql);
	if (getBaseType(type) == BOOLOID)
		return as_number(psprintf("(%s)::pg_catalog.int4", outcome->sql));
	if (!binomial)
		require_number(type, "the outcome", outcome->label);
	find_levels(&levels, design, query, 0, outcome, argument);
	if (levels.n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the outcome %s has fewer than two values", outcome->label)));
	return as_number(psprintf("((%s) OPERATOR(pg_catalog.<>) %s)::pg_catalog.int4",
							  outcome->sql, quote_literal_cstr(levels.values[0])));
}

static char *
offset_sql(const Design *design, Query *query)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, design->formula->offsets)
	{
		int			target = 1 + design->formula->nvariables + foreach_current_index(lc);

		require_number(exprType(expression_of(query, target)), "the offset", lfirst(lc));
		appendStringInfo(&sql, "%s%s", sql.len ? " + " : "", as_number(lfirst(lc)));
	}
	return sql.len ? sql.data : pstrdup("0::pg_catalog.float8");
}

Design *
design_start(Formula *formula, Oid relation, const char *where, const char *weights, Jsonb *levels, bool binomial)
{
	Design	   *design = palloc0(sizeof(Design));
	StringInfoData complete;
	List	   *used;
	Query	   *query;
	ListCell   *lc;

	design->formula = formula;
	design->relation = relation;
	design->federated = is_federated(relation);
	design->from = relation_sql(relation);
	design->where = checked_argument(where, "the condition");
	weights = checked_argument(weights, "the weight");
	if (levels)
		check_levels_argument(levels, formula);
	used = used_expressions(design, weights);
	initStringInfo(&complete);
	foreach(lc, used)
		add_complete(&complete, lfirst(lc));
	design->complete = complete.data;
	query = analyse(design, used);

	design->outcome = outcome_sql(design, query, levels, binomial);
	design->offset = offset_sql(design, query);
	design->weight = pstrdup("1::pg_catalog.float8");
	if (weights)
	{
		require_number(exprType(expression_of(query, list_length(used) - 1)), "the weight", weights);
		design->weight = as_number(weights);
	}
	for (int i = 0; i < formula->nvariables; i++)
		if (formula->variables[i].factor || !is_number(exprType(expression_of(query, 1 + i))))
			find_levels(&design->levels[i], design, query, 1 + i, &formula->variables[i], levels);
	return design;
}

/* ---- columns ---- */

static void
check_columns(int columns)
{
	if (columns > GLM_COLUMNS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has more than %d coefficients", GLM_COLUMNS_MAX)));
}

static void
add_column(Design *design, const char *name, const char *sql)
{
	check_columns(design->p + 1);
	design->columns[design->p].name = pstrdup(name);
	design->columns[design->p++].sql = pstrdup(sql);
}

/* The variable's own columns within a term: names and SQL. */
static List *
variable_columns(const Design *design, int variable, Term term)
{
	const Variable *self = &design->formula->variables[variable];
	const Levels *levels = &design->levels[variable];
	bool		contrasts = formula_has_term(design->formula, term & ~(UINT64CONST(1) << variable));
	List	   *columns = NIL;

	if (levels->values == NULL)
		return list_make1(list_make2(self->label, as_number(self->sql)));
	for (int i = contrasts ? 1 : 0; i < levels->n; i++)
		columns = lappend(columns, list_make2(psprintf("%s%s", self->label, levels->names[i]),
											  indicator(design, variable, i)));
	return columns;
}

/* Products of one column of each variable; the first variable's run fastest. */
static void
add_term_columns(Design *design, Term term)
{
	List	   *columns = NIL;
	bool		first = true;
	ListCell   *lc;

	for (int i = 0; i < design->formula->nvariables; i++)
	{
		List	   *longer = NIL;
		ListCell   *own;

		if (!(term >> i & 1))
			continue;
		foreach(own, variable_columns(design, i, term))
		{
			char	   *name = linitial(lfirst(own));
			char	   *sql = lsecond(lfirst(own));

			if (first)
				longer = lappend(longer, list_make2(name, sql));
			foreach(lc, columns)
				longer = lappend(longer, list_make2(psprintf("%s:%s", (char *) linitial(lfirst(lc)), name),
													psprintf("%s * %s", (char *) lsecond(lfirst(lc)), sql)));
		}
		check_columns(list_length(longer));	/* before the next factor multiplies them */
		columns = longer;
		first = false;
	}
	foreach(lc, columns)
		add_column(design, linitial(lfirst(lc)), lsecond(lfirst(lc)));
}

void
design_expand(Design *design)
{
	design->p = 0;
	design->columns = palloc0(sizeof(DesignColumn) * GLM_COLUMNS_MAX);
	for (int i = 0; i < design->formula->nvariables; i++)
		if (design->levels[i].values != NULL && design->levels[i].n < 2)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("factor %s has fewer than two levels", design->formula->variables[i].label),
					 errdetail("In the rows that are used it has %d.", design->levels[i].n)));
	if (design->formula->intercept)
		add_column(design, "(Intercept)", "1::pg_catalog.float8");
	for (int i = 0; i < design->formula->nterms; i++)
		add_term_columns(design, design->formula->terms[i]);
}
