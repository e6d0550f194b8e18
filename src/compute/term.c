/*
 * term.c
 *	  From PostgreSQL's expressions to those of oblivious plans.
 *
 * Operators are known by their names and the kinds of their operands, and only
 * PostgreSQL's own.  What no column is in and no constant is, is evaluated by
 * the coordinator and sent as a parameter.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "compute/term.h"
#include "compute/value.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/pg_locale.h"

bool
term_refuse(TermMaker *maker, char *reason, char *hint)
{
	if (maker->refusal->reason == NULL)
	{
		maker->refusal->reason = reason;
		maker->refusal->hint = hint;
	}
	return false;
}

static bool
refuse_term(TermMaker *maker, Node *expr, const char *what)
{
	return term_refuse(maker, psprintf("%s can't be computed on shares: %s",
									   deparse_for_people(&maker->deparser, expr), what),
					   "Available are comparisons, AND, OR, NOT, + - *, IN, BETWEEN, CASE, COALESCE, IS NULL, least, greatest, and extract(year, quarter, month, day, dow) of dates.");
}

/* Can texts be equal whose bytes are not? */
static bool
check_collation(TermMaker *maker, Node *expr, Oid collation)
{
	if (!OidIsValid(collation) || get_collation_isdeterministic(collation))
		return true;
	return refuse_term(maker, expr, "secret texts are equal if their bytes are, by no other rules");
}

bool
secret_kind_of_type(Oid type, SecretKind *kind)
{
	switch (type)
	{
		case BOOLOID:
			*kind = SECRET_BOOLEAN;
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*kind = SECRET_INTEGER;
			return true;
		case NUMERICOID:
			*kind = SECRET_NUMERIC;
			return true;
		case DATEOID:
			*kind = SECRET_DATE;
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*kind = SECRET_TIMESTAMP;
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
			*kind = SECRET_FLOAT;
			return true;
		case TEXTOID:
		case VARCHAROID:
			*kind = SECRET_TEXT;
			return true;
		default:
			return false;
	}
}

SecretType
secret_widest(SecretKind kind, int scale)
{
	SecretType	type;

	switch (kind)
	{
		case SECRET_BOOLEAN:
			return secret_boolean();
		case SECRET_NUMERIC:
			type = secret_numeric(SECRET_DIGITS_MAX, scale);
			type.bits = SECRET_NUMBER_BITS_MAX;
			return type;
		case SECRET_DATE:
			return secret_date();
		case SECRET_TIMESTAMP:
			return secret_timestamp();
		case SECRET_FLOAT:
			return secret_float();
		case SECRET_TEXT:
			return secret_text(SECRET_TEXT_BYTES_MAX);
		default:
			return secret_integer(SECRET_NUMBER_BITS_MAX);
	}
}

/* ---- leaves ---- */

static bool
make_constant(TermMaker *maker, Const *node, Term *term)
{
	PublicValue value;
	SecretType	type;
	const char *reason;

	if (!value_from_datum(&value, &type, node->constvalue, node->constisnull, node->consttype, &reason))
		return refuse_term(maker, (Node *) node, reason);
	*term = (Term) {expression_constant(type, value), type.kind, type.scale};
	return true;
}

/* Is this a skeleton, where each place has a parameter of its own? */
static bool
takes_constants(const TermMaker *maker)
{
	return maker->deparser.constants != NULL && maker->deparser.constants->use == CONSTANTS_TAKEN;
}

/* A value that only the coordinator knows. */
static bool
make_parameter(TermMaker *maker, Node *node, Term *term)
{
	SecretKind	kind;
	int			number;

	if (!secret_kind_of_type(exprType(node), &kind) || kind == SECRET_NUMERIC)
		return term_refuse(maker, psprintf("a parameter of type %s can't be sent to the parties",
										   format_type_be(exprType(node))),
						   kind == SECRET_NUMERIC ? "Its digits must be known when the plan is made: SET plan_cache_mode = force_custom_plan, or cast it." : NULL);
	for (number = 0; number < list_length(maker->params) && !takes_constants(maker); number++)
		if (equal(list_nth(maker->params, number), node))
			break;
	if (takes_constants(maker))
		number = list_length(maker->params);
	if (number == list_length(maker->params))
	{
		SecretType	type = secret_widest(kind, 0);

		if (kind == SECRET_INTEGER)
			type = secret_integer(get_typlen(exprType(node)) * 8);
		type.nullable = true;
		maker->params = lappend(maker->params, node);
		oblivious_plan_add_parameter(maker->plan, type);
	}
	*term = (Term) {expression_parameter(number), kind, 0};
	return true;
}

/*
 * A constant or parameter of a question that is held against a contract's (query/constants.h).
 * A skeleton has a parameter there; but a numeric constant as it is, because its digits are in the plan.
 */
static bool
make_place(TermMaker *maker, Node *node, Term *term)
{
	Constants  *constants = maker->deparser.constants;
	SecretKind	kind;

	node = constants_meet(constants, node);
	if (IsA(node, Const) && constants->use == CONSTANTS_PUT)
		return make_constant(maker, (Const *) node, term);
	if (IsA(node, Const) && secret_kind_of_type(exprType(node), &kind) && kind == SECRET_NUMERIC)
		return make_constant(maker, (Const *) node, term);
	return make_parameter(maker, node, term);
}

/* ---- casts ---- */

/* A numeric constant is given its new scale at once. */
static bool
rescale_constant(Term *term, int scale)
{
	Expression *e = term->expression;

	if (e->kind != EXPRESSION_CONSTANT || e->type.kind != SECRET_NUMERIC)
		return false;
	for (int i = e->type.scale; i < scale; i++)
		if (pg_mul_s64_overflow(e->value.number, 10, &e->value.number))
			return false;
	e->type.scale = scale;
	e->type.bits = 2;
	while (e->type.bits < SECRET_NUMBER_BITS_MAX && !secret_fits(&e->type, e->value.number))
		e->type.bits++;
	return true;
}

static void
cast_term(Term *term, SecretKind kind, int scale)
{
	if (term->kind == kind && term->scale == scale)
		return;
	if (term->kind != kind || !rescale_constant(term, scale))
		term->expression = expression_cast(term->expression, secret_widest(kind, scale));
	term->kind = kind;
	term->scale = scale;
}

/* Of several numerics all get the largest scale. */
static void
align_scales(Term *terms, int n)
{
	int			scale = 0;

	for (int i = 0; i < n; i++)
		if (terms[i].kind == SECRET_NUMERIC)
			scale = Max(scale, terms[i].scale);
	for (int i = 0; i < n; i++)
		if (terms[i].kind == SECRET_NUMERIC)
			cast_term(&terms[i], SECRET_NUMERIC, scale);
}

/* date and timestamp compare as timestamps. */
static void
align_dates(Term *left, Term *right)
{
	if (left->kind == SECRET_DATE && right->kind == SECRET_TIMESTAMP)
		cast_term(left, SECRET_TIMESTAMP, 0);
	else if (left->kind == SECRET_TIMESTAMP && right->kind == SECRET_DATE)
		cast_term(right, SECRET_TIMESTAMP, 0);
}

/* A timestamp or date without a time zone beside one with: which moment it is depends on the session. */
static bool
mixes_time_zones(List *args)
{
	Oid			a = exprType(linitial(args));
	Oid			b = exprType(lsecond(args));

	return a != b && (a == TIMESTAMPTZOID || b == TIMESTAMPTZOID);
}

static bool
make_cast(TermMaker *maker, Node *node, Node *arg, Oid to, Term *term)
{
	SecretKind	kind;

	if (!term_make(maker, arg, term))
		return false;
	if (!secret_kind_of_type(to, &kind))
		return refuse_term(maker, node, "no secret value has its type");
	if (exprType(arg) != to && (to == TIMESTAMPTZOID || exprType(arg) == TIMESTAMPTZOID))
		return refuse_term(maker, node, "its value depends on the session's time zone");
	if (kind == term->kind)
		return true;
	if ((kind == SECRET_NUMERIC && term->kind == SECRET_INTEGER) ||
		(kind == SECRET_FLOAT && term->kind == SECRET_INTEGER) ||
		(kind == SECRET_TIMESTAMP && term->kind == SECRET_DATE) ||
		(kind == SECRET_INTEGER && term->kind == SECRET_BOOLEAN))
	{
		cast_term(term, kind, 0);
		return true;
	}
	return refuse_term(maker, node, "this cast is not available");
}

/* ---- functions ---- */

static bool
date_part(const char *field, ExpressionKind *kind)
{
	static const struct
	{
		const char *name;
		ExpressionKind kind;
	}			parts[] = {
		{"year", EXPRESSION_YEAR},
		{"quarter", EXPRESSION_QUARTER},
		{"month", EXPRESSION_MONTH},
		{"day", EXPRESSION_DAY},
		{"dow", EXPRESSION_DOW},
	};

	for (int i = 0; i < lengthof(parts); i++)
		if (pg_strcasecmp(field, parts[i].name) == 0)
		{
			*kind = parts[i].kind;
			return true;
		}
	return false;
}

/* extract() gives numeric, date_part() double precision. */
static bool
make_date_part(TermMaker *maker, FuncExpr *func, SecretKind result, Term *term)
{
	Const	   *field = linitial(func->args);
	ExpressionKind kind;

	if (!IsA(field, Const) || field->constisnull ||
		!date_part(TextDatumGetCString(field->constvalue), &kind))
		return refuse_term(maker, (Node *) func, "this part of a date is not available");
	if (!term_make(maker, lsecond(func->args), term))
		return false;
	/* date_part() of a date comes with a cast to timestamp, which says nothing. */
	if (term->expression->kind == EXPRESSION_CAST && term->kind == SECRET_TIMESTAMP &&
		term->expression->type.kind == SECRET_TIMESTAMP)
		*term = (Term) {term->expression->args[0], SECRET_DATE, 0};
	if (term->kind != SECRET_DATE)
		return refuse_term(maker, (Node *) func, "parts are available of dates only");
	*term = (Term) {expression_unary(kind, term->expression), SECRET_INTEGER, 0};
	cast_term(term, result, 0);
	return true;
}

/* numeric(p, s): more digits can be had, rounding can't. */
static bool
make_numeric_typmod(TermMaker *maker, FuncExpr *func, Term *term)
{
	int32		typmod = exprTypmod((Node *) func);
	int			scale;

	if (!term_make(maker, linitial(func->args), term))
		return false;
	if (typmod < (int32) VARHDRSZ)
		return true;
	scale = ((typmod - VARHDRSZ) & 0x7ff) ^ 1024;
	scale -= 1024;
	if (scale < term->scale || scale > SECRET_DIGITS_MAX)
		return refuse_term(maker, (Node *) func, "a cast that rounds is not available");
	cast_term(term, SECRET_NUMERIC, scale);
	return true;
}

static bool
make_function(TermMaker *maker, FuncExpr *func, Term *term)
{
	switch (func->funcid)
	{
		case F_EXTRACT_TEXT_DATE:
			return make_date_part(maker, func, SECRET_NUMERIC, term);
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_DATE:
			return make_date_part(maker, func, SECRET_FLOAT, term);
		case F_NUMERIC_NUMERIC_INT4:
			return make_numeric_typmod(maker, func, term);
		default:
			break;
	}
	if (func->funcid < FirstNormalObjectId && list_length(func->args) == 1 &&
		(func->funcformat == COERCE_EXPLICIT_CAST || func->funcformat == COERCE_IMPLICIT_CAST))
		return make_cast(maker, (Node *) func, linitial(func->args), func->funcresulttype, term);
	return refuse_term(maker, (Node *) func, "this function is not available");
}

/* ---- operators ---- */

static bool
comparison(const char *name, ExpressionKind *kind)
{
	static const struct
	{
		const char *name;
		ExpressionKind kind;
	}			comparisons[] = {
		{"=", EXPRESSION_EQUAL},
		{"<>", EXPRESSION_NOT_EQUAL},
		{"<", EXPRESSION_LESS},
		{"<=", EXPRESSION_LESS_EQUAL},
		{">", EXPRESSION_GREATER},
		{">=", EXPRESSION_GREATER_EQUAL},
	};

	for (int i = 0; i < lengthof(comparisons); i++)
		if (strcmp(name, comparisons[i].name) == 0)
		{
			*kind = comparisons[i].kind;
			return true;
		}
	return false;
}

static bool
is_ordering(ExpressionKind kind)
{
	return kind != EXPRESSION_EQUAL && kind != EXPRESSION_NOT_EQUAL;
}

static bool
refuse_order(TermMaker *maker, Node *expr)
{
	return term_refuse(maker, psprintf("%s orders text by a language's rules",
									   deparse_for_people(&maker->deparser, expr)),
					   "Secret text is ordered by its bytes: write COLLATE \"C\".");
}

static bool
make_comparison(TermMaker *maker, OpExpr *op, ExpressionKind kind, Term *sides, Term *term)
{
	if (mixes_time_zones(op->args))
		return refuse_term(maker, (Node *) op, "its value depends on the session's time zone");
	align_dates(&sides[0], &sides[1]);
	align_scales(sides, 2);
	if (sides[0].kind != sides[1].kind)
		return refuse_term(maker, (Node *) op, "its sides are of different types");
	if (sides[0].kind == SECRET_TEXT && is_ordering(kind) && !lc_collate_is_c(op->inputcollid))
		return refuse_order(maker, (Node *) op);
	*term = (Term) {expression_binary(kind, sides[0].expression, sides[1].expression), SECRET_BOOLEAN, 0};
	return true;
}

/* What the result of left + right is, if dates are among them. */
static bool
date_arithmetic(SecretKind left, SecretKind right, char op, SecretKind *result)
{
	if (left == SECRET_DATE && right == SECRET_INTEGER)
		*result = SECRET_DATE;
	else if (left == SECRET_INTEGER && right == SECRET_DATE && op == '+')
		*result = SECRET_DATE;
	else if (left == SECRET_DATE && right == SECRET_DATE && op == '-')
		*result = SECRET_INTEGER;
	else
		return false;
	return true;
}

static bool
make_arithmetic(TermMaker *maker, OpExpr *op, char name, Term *sides, Term *term)
{
	ExpressionKind kind = name == '+' ? EXPRESSION_ADD : name == '-' ? EXPRESSION_SUBTRACT : EXPRESSION_MULTIPLY;
	SecretKind	result = sides[0].kind;
	int			scale;

	if (name != '*')
		align_scales(sides, 2);
	if (sides[0].kind == SECRET_INTEGER && sides[1].kind == SECRET_DATE)
	{
		Term		swap = sides[0];

		sides[0] = sides[1];
		sides[1] = swap;
	}
	if (!date_arithmetic(sides[0].kind, sides[1].kind, name, &result) &&
		(sides[0].kind != sides[1].kind ||
		 (result != SECRET_INTEGER && result != SECRET_NUMERIC && result != SECRET_FLOAT)))
		return refuse_term(maker, (Node *) op, "its operands are of types that are not available together");
	scale = name == '*' ? sides[0].scale + sides[1].scale : sides[0].scale;
	if (scale > SECRET_DIGITS_MAX)
		return refuse_term(maker, (Node *) op, "the result has too many digits");
	*term = (Term) {expression_binary(kind, sides[0].expression, sides[1].expression), result,
	result == SECRET_NUMERIC ? scale : 0};
	return true;
}

static bool
make_operator(TermMaker *maker, OpExpr *op, Term *term)
{
	char	   *name = get_opname(op->opno);
	Term		sides[2];
	ExpressionKind kind;

	if (op->opno >= FirstNormalObjectId || name == NULL)
		return refuse_term(maker, (Node *) op, "its operator is not PostgreSQL's own");
	if (!check_collation(maker, (Node *) op, op->inputcollid))
		return false;
	for (int i = 0; i < list_length(op->args); i++)
		if (!term_make(maker, list_nth(op->args, i), &sides[i]))
			return false;
	if (list_length(op->args) == 2 && comparison(name, &kind))
		return make_comparison(maker, op, kind, sides, term);
	if (list_length(op->args) == 2 && strlen(name) == 1 && strchr("+-*", name[0]))
		return make_arithmetic(maker, op, name[0], sides, term);
	if (list_length(op->args) == 1 && strcmp(name, "-") == 0)
	{
		*term = (Term) {expression_unary(EXPRESSION_NEGATE, sides[0].expression), sides[0].kind, sides[0].scale};
		return true;
	}
	return refuse_term(maker, (Node *) op, psprintf("operator %s is not available", name));
}

static bool
make_distinct(TermMaker *maker, DistinctExpr *op, Term *term)
{
	Term		sides[2];

	if (!check_collation(maker, (Node *) op, op->inputcollid))
		return false;
	for (int i = 0; i < 2; i++)
		if (!term_make(maker, list_nth(op->args, i), &sides[i]))
			return false;
	if (mixes_time_zones(op->args))
		return refuse_term(maker, (Node *) op, "its value depends on the session's time zone");
	align_dates(&sides[0], &sides[1]);
	align_scales(sides, 2);
	if (sides[0].kind != sides[1].kind)
		return refuse_term(maker, (Node *) op, "its sides are of different types");
	*term = (Term) {expression_binary(EXPRESSION_DISTINCT, sides[0].expression, sides[1].expression), SECRET_BOOLEAN, 0};
	return true;
}

/* nullif(a, b) is CASE WHEN a = b THEN NULL ELSE a END. */
static bool
make_nullif(TermMaker *maker, NullIfExpr *op, Term *term)
{
	Term		sides[2];
	Expression **args = palloc(sizeof(Expression *) * 3);
	SecretType	type;

	if (!check_collation(maker, (Node *) op, op->inputcollid))
		return false;
	for (int i = 0; i < 2; i++)
		if (!term_make(maker, list_nth(op->args, i), &sides[i]))
			return false;
	align_scales(sides, 2);
	if (sides[0].kind != sides[1].kind)
		return refuse_term(maker, (Node *) op, "its sides are of different types");
	type = secret_widest(sides[0].kind, sides[0].scale);
	args[0] = expression_binary(EXPRESSION_EQUAL, sides[0].expression, sides[1].expression);
	args[1] = expression_null(type);
	args[2] = sides[0].expression;
	*term = (Term) {expression_make(EXPRESSION_CASE, 3, args), sides[0].kind, sides[0].scale};
	return true;
}

/* ---- lists of arguments ---- */

/* Terms of one kind and scale. */
static bool
make_list(TermMaker *maker, Node *whole, List *exprs, Term *terms)
{
	ListCell   *lc;

	foreach(lc, exprs)
		if (!term_make(maker, lfirst(lc), &terms[foreach_current_index(lc)]))
			return false;
	align_scales(terms, list_length(exprs));
	for (int i = 1; i < list_length(exprs); i++)
		if (terms[i].kind != terms[0].kind)
			return refuse_term(maker, whole, "its values are of different types");
	return true;
}

static Expression **
expressions_of(const Term *terms, int n)
{
	Expression **args = palloc(sizeof(Expression *) * n);

	for (int i = 0; i < n; i++)
		args[i] = terms[i].expression;
	return args;
}

static bool
make_several(TermMaker *maker, Node *whole, ExpressionKind kind, List *exprs, Term *term)
{
	int			n = list_length(exprs);
	Term	   *terms = palloc(sizeof(Term) * n);

	if (!make_list(maker, whole, exprs, terms))
		return false;
	if (n == 1)
		*term = terms[0];
	else
		*term = (Term) {expression_make(kind, n, expressions_of(terms, n)), terms[0].kind, terms[0].scale};
	return true;
}

static bool
make_extreme(TermMaker *maker, MinMaxExpr *expr, Term *term)
{
	if (!make_several(maker, (Node *) expr, expr->op == IS_LEAST ? EXPRESSION_LEAST : EXPRESSION_GREATEST,
					  expr->args, term))
		return false;
	return term->kind != SECRET_TEXT || lc_collate_is_c(expr->inputcollid) || refuse_order(maker, (Node *) expr);
}

static bool
make_bool(TermMaker *maker, BoolExpr *expr, Term *term)
{
	switch (expr->boolop)
	{
		case AND_EXPR:
			return make_several(maker, (Node *) expr, EXPRESSION_AND, expr->args, term);
		case OR_EXPR:
			return make_several(maker, (Node *) expr, EXPRESSION_OR, expr->args, term);
		default:
			if (!term_make(maker, linitial(expr->args), term))
				return false;
			term->expression = expression_unary(EXPRESSION_NOT, term->expression);
			return true;
	}
}

bool
term_make_and(TermMaker *maker, List *conditions, Term *term)
{
	if (conditions != NIL)
		return make_several(maker, (Node *) conditions, EXPRESSION_AND, conditions, term);
	*term = (Term) {expression_boolean(true), SECRET_BOOLEAN, 0};
	return true;
}

/* ---- CASE, IN, IS ---- */

typedef struct CaseTest
{
	Node	   *value;
} CaseTest;

static Node *
replace_case_test(Node *node, CaseTest *test)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject(test->value);
	if (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg != NULL)
		return node;			/* what it tests is its own */
	return expression_tree_mutator(node, replace_case_test, test);
}

/* Values first, to align their scales; then conditions. */
static bool
make_case(TermMaker *maker, CaseExpr *expr, Term *term)
{
	int			n = list_length(expr->args);
	List	   *values = NIL;
	Term	   *terms = palloc(sizeof(Term) * (n + 1));
	Expression **args = palloc(sizeof(Expression *) * (2 * n + 1));
	CaseTest	test = {(Node *) expr->arg};
	ListCell   *lc;

	foreach(lc, expr->args)
		values = lappend(values, lfirst_node(CaseWhen, lc)->result);
	values = lappend(values, expr->defresult ? (Node *) expr->defresult :
					 (Node *) makeNullConst(expr->casetype, -1, expr->casecollid));
	if (!make_list(maker, (Node *) expr, values, terms))
		return false;
	foreach(lc, expr->args)
	{
		Node	   *condition = (Node *) lfirst_node(CaseWhen, lc)->expr;
		Term		when;
		int			i = foreach_current_index(lc);

		if (expr->arg != NULL)
			condition = replace_case_test(condition, &test);
		if (!term_make(maker, condition, &when))
			return false;
		args[2 * i] = when.expression;
		args[2 * i + 1] = terms[i].expression;
	}
	args[2 * n] = terms[n].expression;
	*term = (Term) {expression_make(EXPRESSION_CASE, 2 * n + 1, args), terms[0].kind, terms[0].scale};
	return true;
}

static List *
array_constants(Const *array)
{
	ArrayType  *values = DatumGetArrayTypeP(array->constvalue);
	Oid			type = ARR_ELEMTYPE(values);
	List	   *list = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &typlen, &byval, &align);
	deconstruct_array(values, type, typlen, byval, align, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, makeConst(type, -1, array->constcollid, typlen, elements[i], nulls[i], byval));
	return list;
}

/* x = ANY (values), x <> ALL (values) */
static bool
make_in(TermMaker *maker, ScalarArrayOpExpr *expr, Term *term)
{
	char	   *name = get_opname(expr->opno);
	Node	   *values = lsecond(expr->args);
	List	   *list = NIL;

	if (expr->opno >= FirstNormalObjectId || strcmp(name, expr->useOr ? "=" : "<>") != 0)
		return refuse_term(maker, (Node *) expr, "only IN and NOT IN take lists");
	if (!check_collation(maker, (Node *) expr, expr->inputcollid))
		return false;
	if (IsA(values, Const) && !((Const *) values)->constisnull)
		list = array_constants((Const *) values);
	else if (IsA(values, ArrayExpr) && !((ArrayExpr *) values)->multidims)
		list = ((ArrayExpr *) values)->elements;
	if (list == NIL)
		return refuse_term(maker, (Node *) expr, "its list must be known when the plan is made");
	if (!make_several(maker, (Node *) expr, EXPRESSION_IN, lcons(linitial(expr->args), list), term))
		return false;
	term->kind = SECRET_BOOLEAN;
	term->scale = 0;
	if (!expr->useOr)
		term->expression = expression_unary(EXPRESSION_NOT, term->expression);
	return true;
}

static bool
make_is(TermMaker *maker, Node *arg, ExpressionKind kind, bool not, Term *term)
{
	if (!term_make(maker, arg, term))
		return false;
	*term = (Term) {expression_unary(kind, term->expression), SECRET_BOOLEAN, 0};
	if (not)
		term->expression = expression_unary(EXPRESSION_NOT, term->expression);
	return true;
}

static bool
make_boolean_test(TermMaker *maker, BooleanTest *test, Term *term)
{
	Node	   *arg = (Node *) test->arg;

	switch (test->booltesttype)
	{
		case IS_TRUE:
		case IS_NOT_TRUE:
			return make_is(maker, arg, EXPRESSION_IS_TRUE, test->booltesttype == IS_NOT_TRUE, term);
		case IS_FALSE:
		case IS_NOT_FALSE:
			return make_is(maker, (Node *) make_notclause(copyObject(test->arg)), EXPRESSION_IS_TRUE,
						   test->booltesttype == IS_NOT_FALSE, term);
		default:
			return make_is(maker, arg, EXPRESSION_IS_NULL, test->booltesttype == IS_NOT_UNKNOWN, term);
	}
}

/* ---- the whole ---- */

bool
term_make(TermMaker *maker, Node *expr, Term *term)
{
	if (maker->lookup(expr, term, maker->arg))
		return true;
	if (maker->deparser.constants != NULL && (IsA(expr, Const) || deparser_owns(&maker->deparser, expr)))
		return make_place(maker, expr, term);
	if (deparser_owns(&maker->deparser, expr))
		return make_parameter(maker, expr, term);
	check_stack_depth();
	switch (nodeTag(expr))
	{
		case T_Const:
			return make_constant(maker, (Const *) expr, term);
		case T_OpExpr:
			return make_operator(maker, (OpExpr *) expr, term);
		case T_DistinctExpr:
			return make_distinct(maker, (DistinctExpr *) expr, term);
		case T_NullIfExpr:
			return make_nullif(maker, (NullIfExpr *) expr, term);
		case T_BoolExpr:
			return make_bool(maker, (BoolExpr *) expr, term);
		case T_NullTest:
			if (((NullTest *) expr)->argisrow)
				break;
			return make_is(maker, (Node *) ((NullTest *) expr)->arg, EXPRESSION_IS_NULL,
						   ((NullTest *) expr)->nulltesttype == IS_NOT_NULL, term);
		case T_BooleanTest:
			return make_boolean_test(maker, (BooleanTest *) expr, term);
		case T_CaseExpr:
			return make_case(maker, (CaseExpr *) expr, term);
		case T_CoalesceExpr:
			return make_several(maker, expr, EXPRESSION_COALESCE, ((CoalesceExpr *) expr)->args, term);
		case T_MinMaxExpr:
			return make_extreme(maker, (MinMaxExpr *) expr, term);
		case T_ScalarArrayOpExpr:
			return make_in(maker, (ScalarArrayOpExpr *) expr, term);
		case T_RelabelType:
			if (!check_collation(maker, expr, ((RelabelType *) expr)->resultcollid))
				return false;
			return term_make(maker, (Node *) ((RelabelType *) expr)->arg, term);
		case T_FuncExpr:
			return make_function(maker, (FuncExpr *) expr, term);
		default:
			break;
	}
	return refuse_term(maker, expr, "it is not available");
}
