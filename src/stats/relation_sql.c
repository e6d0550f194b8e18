/*
 * relation_sql.c
 *	  Statistics over a relation: ordinary questions, asked by SPI as the
 *	  caller.
 */
#include "postgres.h"

#include "base/error.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "stats/outcome_sql.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

static int	guc_level;

/* What stands before an expression when it is parsed alone. */
#define BEFORE	"SELECT ("

/* ---- expressions ---- */

static void
bad_expression(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("\"%s\" is not one expression", text)));
}

/* A line end after a comment, so that it swallows nothing that follows. */
static char *
in_parentheses(const char *text)
{
	return psprintf("(%s%s)", text, strstr(text, "--") ? "\n" : "");
}

/* An error in the expression points into it, not into the statement around the call. */
static void
point_into_expression(void *text)
{
	int			position = geterrposition();

	if (position <= 0)
		return;
	errposition(0);
	internalerrposition(position - (int) strlen(BEFORE));
	internalerrquery(text);
}

static List *
parse_select(const char *text)
{
	ErrorContextCallback callback = {error_context_stack, point_into_expression, unconstify(char *, text)};
	List	   *statements;

	error_context_stack = &callback;
	statements = raw_parser(psprintf("SELECT %s", in_parentheses(text)), RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	return statements;
}

/* The tree of one expression. */
static Node *
parse_expression(const char *text)
{
	List	   *statements = parse_select(text);
	SelectStmt *select;

	if (list_length(statements) != 1)
		bad_expression(text);
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (!IsA(select, SelectStmt) || list_length(select->targetList) != 1 || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL || select->op != SETOP_NONE ||
		select->sortClause != NIL || select->limitCount != NULL || select->intoClause != NULL ||
		select->lockingClause != NIL || linitial_node(ResTarget, select->targetList)->name != NULL)
		bad_expression(text);
	return linitial_node(ResTarget, select->targetList)->val;
}

char *
expression_of_text(const char *text)
{
	(void) parse_expression(text);
	return in_parentheses(text);
}

/* Where the outermost operator of this name stands in the text, or -1. */
static int
operator_at(const char *text, const char *name)
{
	A_Expr	   *expr = (A_Expr *) parse_expression(text);

	if (!IsA(expr, A_Expr) || expr->kind != AEXPR_OP || expr->lexpr == NULL ||
		strcmp(strVal(llast(expr->name)), name) != 0)
		return -1;
	return expr->location - (int) strlen(BEFORE);
}

static void
bad_formula(const char *text, bool with_stratum)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("\"%s\" is not a formula", text),
			 errhint("Write %s; put an expression with other operators into parentheses.",
					 with_stratum ? "y ~ x | stratum" : "y ~ x")));
}

Formula
formula_of_text(const char *text, bool with_stratum)
{
	Formula		formula = {NULL};
	char	   *rest = pstrdup(text);
	int			at;

	if (with_stratum)
	{
		at = operator_at(rest, "|");
		if (at < 0)
			bad_formula(text, with_stratum);
		formula.stratum = expression_of_text(rest + at + 1);
		rest[at] = '\0';
	}
	at = operator_at(rest, "~");
	if (at < 0)
		bad_formula(text, with_stratum);
	formula.x = expression_of_text(rest + at + 1);
	rest[at] = '\0';
	formula.y = expression_of_text(rest);
	return formula;
}

char *
relation_name(Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no relation with OID %u", relation)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

/* ---- asking ---- */

void
relation_begin(void)
{
	const char *suppressed = GetConfigOption("secmed.suppressed", true, false);

	SPI_connect();
	guc_level = NewGUCNestLevel();
	if (suppressed != NULL && strcmp(suppressed, "omit") == 0)
		(void) set_config_option("secmed.suppressed", "null", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

uint64
relation_query(const char *sql)
{
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "a statistic's question is not a SELECT");
	return SPI_processed;
}

void
relation_end(void)
{
	AtEOXact_GUC(true, guc_level);
	SPI_finish();
}

static Datum
value_at(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, isnull);
}

bool
relation_is_null(uint64 row, int column)
{
	bool		isnull;

	(void) value_at(row, column, &isnull);
	return isnull;
}

double
relation_number(uint64 row, int column)
{
	bool		isnull;
	Datum		value = value_at(row, column, &isnull);

	return isnull ? 0 : DatumGetFloat8(value);
}

int64
relation_count(uint64 row, int column)
{
	bool		isnull;
	Datum		value = value_at(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

char *
relation_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);
}

void
relation_withheld(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SUPPRESSED),
			 errmsg("the statistic needs a group that is withheld"),
			 errdetail("One of its groups has too few patients, or none."),
			 errhint("Merge small groups, or leave them out with a view.")));
}

void
check_conf_level(double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a confidence level lies between 0 and 1, as 0.95 does")));
}

Datum
outcome_of_call(FunctionCallInfo fcinfo, const Outcome *outcome)
{
	Oid			type;
	TupleDesc	desc;
	bool		isnull;

	if (get_call_result_type(fcinfo, &type, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a statistic over a relation returns a row");
	return outcome_to_datum(outcome, type, &isnull);
}
