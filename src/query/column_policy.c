/*
 * column_policy.c
 *	  What a published column may be used for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "oblivious/uses.h"
#include "query/column_policy.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* ---- words ---- */

static const struct
{
	const char *word;
	ColumnUse	use;
}			words[] = {
	{"aggregate", USE_AGGREGATE},
	{"group", USE_GROUP},
	{"filter", USE_FILTER},
	{"join", USE_JOIN},
	{"extreme", USE_EXTREME},
};

char *
column_uses_text(int uses)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < lengthof(words); i++)
		if (uses & words[i].use)
			appendStringInfo(&text, "%s%s", text.len ? ", " : "", words[i].word);
	return text.len ? text.data : pstrdup("nothing");
}

static int
use_of_word(const char *word, size_t len)
{
	for (int i = 0; i < lengthof(words); i++)
		if (strlen(words[i].word) == len && strncmp(words[i].word, word, len) == 0)
			return words[i].use;
	return -1;
}

int
column_uses_parse(const char *text)
{
	int			uses = 0;

	if (strcmp(text, "nothing") == 0)
		return 0;
	while (*text != '\0')
	{
		size_t		len = strcspn(text, ", ");

		if (len > 0)
		{
			int			use = use_of_word(text, len);

			if (use < 0)
				return -1;
			uses |= use;
		}
		text += len;
		text += strspn(text, ", ");
	}
	return uses;
}

/* ---- uses ---- */

static void
tell_all(Node *expr, ColumnUse use, ColumnUser user, void *arg)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause(expr, PVC_RECURSE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS | PVC_RECURSE_WINDOWFUNCS))
		user(lfirst(lc), use, arg);
}

void
column_uses_of_key(Node *expr, ColumnUser user, void *arg)
{
	tell_all(expr, USE_GROUP, user, arg);
}

int
column_uses_of_plan(int uses, bool plain, bool numbers)
{
	if (numbers)
		uses &= ~INPUT_GROUP;
	if (uses & INPUT_OPENED)
		uses |= USE_GROUP;
	if ((uses & USE_COUNT) && !plain)
		uses = (uses & ~USE_COUNT) | USE_AGGREGATE;
	return uses & (USES_NAMED | USE_COUNT);
}

void
column_uses_of_aggregate(Aggref *agg, ColumnUser user, void *arg)
{
	const char *name = get_func_name(agg->aggfnoid);
	ListCell   *lc;

	foreach(lc, agg->args)
	{
		Node	   *expr = (Node *) lfirst_node(TargetEntry, lc)->expr;

		if (strcmp(name, "count") == 0 && IsA(expr, Var))
			user((Var *) expr, USE_COUNT, arg);
		else if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
			tell_all(expr, USE_EXTREME, user, arg);
		else
			tell_all(expr, USE_AGGREGATE, user, arg);
	}
	tell_all((Node *) agg->aggfilter, USE_FILTER, user, arg);
}

/* column = column of another table */
static bool
is_join(Node *condition)
{
	OpExpr	   *op = (OpExpr *) condition;

	return IsA(condition, OpExpr) && list_length(op->args) == 2 &&
		IsA(linitial(op->args), Var) && IsA(lsecond(op->args), Var) &&
		linitial_node(Var, op->args)->varno != lsecond_node(Var, op->args)->varno &&
		strcmp(get_opname(op->opno), "=") == 0;
}

static void
tell_conditions(Node *condition, ColumnUser user, void *arg)
{
	ListCell   *lc;

	if (condition == NULL)
		return;
	if (IsA(condition, List))
	{
		foreach(lc, (List *) condition)
			tell_conditions(lfirst(lc), user, arg);
	}
	else if (is_andclause(condition))
		tell_conditions((Node *) ((BoolExpr *) condition)->args, user, arg);
	else
		tell_all(condition, is_join(condition) ? USE_JOIN : USE_FILTER, user, arg);
}

void
column_uses_of_jointree(Node *item, ColumnUser user, void *arg)
{
	ListCell   *lc;

	if (IsA(item, FromExpr))
	{
		foreach(lc, ((FromExpr *) item)->fromlist)
			column_uses_of_jointree(lfirst(lc), user, arg);
		tell_conditions(((FromExpr *) item)->quals, user, arg);
	}
	else if (IsA(item, JoinExpr))
	{
		column_uses_of_jointree(((JoinExpr *) item)->larg, user, arg);
		column_uses_of_jointree(((JoinExpr *) item)->rarg, user, arg);
		tell_conditions(((JoinExpr *) item)->quals, user, arg);
	}
}

/* ---- buckets ---- */

/* "top:89" with its number; false if it is another word, or no number from 1 to a million. */
static bool
bucket_number(const char *bucket, const char *word, int *number)
{
	size_t		len = strlen(word);
	char	   *end;
	long		value;

	if (strncmp(bucket, word, len) != 0 || bucket[len] != ':' || !isdigit((unsigned char) bucket[len + 1]))
		return false;
	errno = 0;
	value = strtol(bucket + len + 1, &end, 10);
	*number = (int) value;
	return errno == 0 && *end == '\0' && value >= 1 && value <= 1000000;
}

static char *
number_bucket(const char *column, Oid type, const char *bucket)
{
	bool		whole = type == INT2OID || type == INT4OID || type == INT8OID;
	int			number;

	if (!whole && type != NUMERICOID && type != FLOAT4OID && type != FLOAT8OID)
		return NULL;
	if (bucket_number(bucket, "top", &number))
		return psprintf("CASE WHEN %s > %d THEN %d ELSE %s END", column, number, number + 1, column);
	if (!bucket_number(bucket, "width", &number))
		return NULL;
	if (whole)
		return psprintf("(%s - ((%s %% %d) + %d) %% %d)", column, column, number, number, number);
	return psprintf("(pg_catalog.floor(%s / %d) * %d)", column, number, number);
}

static char *
time_bucket(const char *column, Oid type, const char *bucket)
{
	if (strcmp(bucket, "month") != 0 && strcmp(bucket, "quarter") != 0 && strcmp(bucket, "year") != 0)
		return NULL;
	switch (type)
	{
		case DATEOID:
			return psprintf("pg_catalog.date_trunc('%s', %s::pg_catalog.timestamp)", bucket, column);
		case TIMESTAMPOID:
			return psprintf("pg_catalog.date_trunc('%s', %s)", bucket, column);
		case TIMESTAMPTZOID:
			return psprintf("(pg_catalog.date_trunc('%s', %s AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')", bucket, column);
		default:
			return NULL;
	}
}

static char *
text_bucket(const char *column, Oid type, const char *bucket)
{
	int			number;

	if ((type != TEXTOID && type != VARCHAROID && type != BPCHAROID) || !bucket_number(bucket, "prefix", &number))
		return NULL;
	return psprintf("pg_catalog.left(%s::pg_catalog.text, %d)", column, number);
}

char *
bucket_expression(const char *column, Oid type, int32 typmod, const char *bucket)
{
	const char *name = quote_identifier(column);
	char	   *expression = number_bucket(name, type, bucket);

	if (expression == NULL)
		expression = time_bucket(name, type, bucket);
	if (expression == NULL)
		expression = text_bucket(name, type, bucket);
	return expression == NULL ? NULL :
		psprintf("(%s)::%s AS %s", expression, format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
				 name);
}
