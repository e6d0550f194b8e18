/*
 * type.c
 *	  The types of expressions: kinds, ranges, NULL, and what is refused.
 */
#include "oblivious/type.h"

#include <stdarg.h>

/* Numbers of any kind are held in 64 bits. */
#define NUMBER_LOW		((int128) PG_INT64_MIN)
#define NUMBER_HIGH		((int128) PG_INT64_MAX)

/* Dates whose parts can be taken: years -9483 to 13483. */
#define DATE_PART_BITS	SECRET_DATE_BITS
#define DAY_USECS		INT64CONST(86400000000)

bool
refuse_expression(Refusal *refusal, const Expression *where, const char *fmt,...)
{
	va_list		args;

	refusal->where = where;
	va_start(args, fmt);
	vsnprintf(refusal->reason, sizeof(refusal->reason), fmt, args);
	va_end(args);
	return false;
}

/* ---- column types ---- */

/* The least bits with -2^(bits - 1) <= low and high < 2^(bits - 1). */
static int
bits_of_range(int128 low, int128 high)
{
	uint128		magnitude = Max((uint128) (high < 0 ? 0 : high), (uint128) (low < 0 ? -(low + 1) : 0));
	int			bits = 1;

	for (; magnitude > 0; magnitude >>= 1)
		bits++;
	return Max(bits, 2);
}

ColumnType
column_type(SecretType type)
{
	ColumnType	column = {type};

	if (secret_is_number(&type))
	{
		column.low = secret_lowest(&type);
		column.high = secret_highest(&type);
	}
	return column;
}

ColumnType
column_type_of_range(SecretKind kind, int scale, int128 low, int128 high, bool nullable)
{
	/* What is NULL holds 0. */
	if (nullable)
	{
		low = Min(low, 0);
		high = Max(high, 0);
	}
	return (ColumnType) {{kind, bits_of_range(low, high), scale, nullable}, low, high};
}

static ColumnType
boolean_type(bool nullable)
{
	return (ColumnType) {{SECRET_BOOLEAN, 1, 0, nullable}};
}

bool
column_type_join(ColumnType *out, const ColumnType *a, const ColumnType *b)
{
	bool		nullable = a->type.nullable || b->type.nullable;

	if (a->type.kind != b->type.kind || a->type.scale != b->type.scale)
		return false;
	if (secret_is_number(&a->type))
		*out = column_type_of_range(a->type.kind, a->type.scale, Min(a->low, b->low), Max(a->high, b->high), nullable);
	else
		*out = (ColumnType) {{a->type.kind, Max(a->type.bits, b->type.bits), 0, nullable}};
	return true;
}

bool
column_type_is_wide(const ColumnType *type)
{
	return secret_is_number(&type->type) && type->type.bits > SECRET_NUMBER_BITS_MAX;
}

bool
column_type_is_number(const ColumnType *type)
{
	return secret_is_number(&type->type) && type->type.bits <= SECRET_NUMBER_BITS_MAX;
}

/* ---- expressions ---- */

/* One question; where it is asked is in expression. */
typedef struct Typing
{
	const ExpressionScope *scope;
	const Expression *expression;
	ColumnType *args;
	int			range_checks;
	Refusal    *refusal;
} Typing;

#define refuse(typing, ...)	refuse_expression((typing)->refusal, (typing)->expression, __VA_ARGS__)

static bool
any_nullable(const Typing *typing)
{
	for (int i = 0; i < typing->expression->nargs; i++)
		if (typing->args[i].type.nullable)
			return true;
	return false;
}

static bool
require_args(Typing *typing, int least, int most)
{
	int			n = typing->expression->nargs;

	if (n < least || n > most)
		return refuse(typing, "has %d arguments", n);
	return true;
}

static bool
require_kind(Typing *typing, int arg, SecretKind kind)
{
	if (typing->args[arg].type.kind != kind)
		return refuse(typing, "is of a value of type %s, not %s",
					  secret_kind_name(typing->args[arg].type.kind), secret_kind_name(kind));
	return true;
}

/* Those that arithmetic can be done with. */
static bool
require_narrow(Typing *typing)
{
	for (int i = 0; i < typing->expression->nargs; i++)
		if (column_type_is_wide(&typing->args[i]))
			return refuse(typing, "is of a sum that may need %d bits: declare smaller bits", typing->args[i].type.bits);
	return true;
}

static bool
refuse_pair(Typing *typing, int a, int b)
{
	const SecretType *left = &typing->args[a].type;
	const SecretType *right = &typing->args[b].type;

	if (left->kind == right->kind)
		return refuse(typing, "is of numerics of different scales, %d and %d", left->scale, right->scale);
	return refuse(typing, "is of values of type %s and %s", secret_kind_name(left->kind), secret_kind_name(right->kind));
}

/* The result of arithmetic, if it fits whatever the values. */
static bool
result_in(Typing *typing, ColumnType *out, SecretKind kind, int scale, int128 low, int128 high)
{
	if (low < NUMBER_LOW || high > NUMBER_HIGH)
		return refuse(typing, "could overflow 64 bits: declare smaller bits");
	*out = column_type_of_range(kind, scale, low, high, any_nullable(typing));
	return true;
}

/* The kind of a sum or difference; 0 if there is none. */
static SecretKind
kind_of_sum(SecretKind left, SecretKind right, bool minus)
{
	bool		moment = left == SECRET_DATE || left == SECRET_TIMESTAMP;

	if (moment && right == SECRET_INTEGER)
		return left;
	if (!minus && left == SECRET_INTEGER && (right == SECRET_DATE || right == SECRET_TIMESTAMP))
		return right;
	if (moment && minus && left == right)
		return SECRET_INTEGER;
	if (left == right && (left == SECRET_INTEGER || left == SECRET_NUMERIC || left == SECRET_FLOAT))
		return left;
	return 0;
}

static bool
type_sum(Typing *typing, ColumnType *out)
{
	const ColumnType *x = &typing->args[0];
	const ColumnType *y = &typing->args[1];
	bool		minus = typing->expression->kind == EXPRESSION_SUBTRACT;
	SecretKind	kind;

	if (!require_args(typing, 2, 2) || !require_narrow(typing))
		return false;
	kind = kind_of_sum(x->type.kind, y->type.kind, minus);
	if (kind == 0 || x->type.scale != y->type.scale)
		return refuse_pair(typing, 0, 1);
	return result_in(typing, out, kind, x->type.scale,
					 minus ? x->low - y->high : x->low + y->low, minus ? x->high - y->low : x->high + y->high);
}

static bool
type_product(Typing *typing, ColumnType *out)
{
	const ColumnType *x = &typing->args[0];
	const ColumnType *y = &typing->args[1];
	SecretKind	kind = x->type.kind;
	int128		corner[4];
	int128		low;
	int128		high;

	if (!require_args(typing, 2, 2) || !require_narrow(typing))
		return false;
	if (kind != y->type.kind || (kind != SECRET_INTEGER && kind != SECRET_NUMERIC && kind != SECRET_FLOAT))
		return refuse_pair(typing, 0, 1);
	if (x->type.scale + y->type.scale > SECRET_DIGITS_MAX)
		return refuse(typing, "has %d digits after the point", x->type.scale + y->type.scale);
	for (int i = 0; i < 4; i++)
		corner[i] = (i & 1 ? x->low : x->high) * (i & 2 ? y->low : y->high);
	low = Min(Min(corner[0], corner[1]), Min(corner[2], corner[3]));
	high = Max(Max(corner[0], corner[1]), Max(corner[2], corner[3]));
	if (kind != SECRET_FLOAT)
		return result_in(typing, out, kind, x->type.scale + y->type.scale, low, high);
	if (!result_in(typing, out, kind, 0, low, high))
		return false;
	return result_in(typing, out, kind, 0, low >> SECRET_FLOAT_FRACTION, high >> SECRET_FLOAT_FRACTION);
}

static bool
type_negative(Typing *typing, ColumnType *out)
{
	const ColumnType *x = &typing->args[0];

	if (!require_args(typing, 1, 1) || !require_narrow(typing))
		return false;
	if (kind_of_sum(x->type.kind, x->type.kind, true) != x->type.kind)
		return refuse(typing, "is of a value of type %s", secret_kind_name(x->type.kind));
	return result_in(typing, out, x->type.kind, x->type.scale, -x->high, -x->low);
}

static bool
type_comparison(Typing *typing, ColumnType *out)
{
	ColumnType	both;

	if (!require_args(typing, 2, 2))
		return false;
	if (!column_type_join(&both, &typing->args[0], &typing->args[1]))
		return refuse_pair(typing, 0, 1);
	*out = boolean_type(typing->expression->kind != EXPRESSION_DISTINCT && any_nullable(typing));
	return true;
}

static bool
type_in(Typing *typing, ColumnType *out)
{
	ColumnType	both;

	if (!require_args(typing, 2, EXPRESSIONS_MAX))
		return false;
	for (int i = 1; i < typing->expression->nargs; i++)
		if (!column_type_join(&both, &typing->args[0], &typing->args[i]))
			return refuse_pair(typing, 0, i);
	*out = boolean_type(any_nullable(typing));
	return true;
}

static bool
type_logic(Typing *typing, ColumnType *out, int least, int most)
{
	if (!require_args(typing, least, most))
		return false;
	for (int i = 0; i < typing->expression->nargs; i++)
		if (!require_kind(typing, i, SECRET_BOOLEAN))
			return false;
	*out = boolean_type(typing->expression->kind != EXPRESSION_IS_TRUE && any_nullable(typing));
	return true;
}

static bool
join_into(Typing *typing, ColumnType *out, int arg)
{
	if (!column_type_join(out, out, &typing->args[arg]))
		return refuse(typing, "has values of type %s and %s", secret_kind_name(out->type.kind),
					  secret_kind_name(typing->args[arg].type.kind));
	return true;
}

static bool
type_case(Typing *typing, ColumnType *out)
{
	int			last = typing->expression->nargs - 1;

	if (!require_args(typing, 3, EXPRESSIONS_MAX) || !require_narrow(typing))
		return false;
	if (last % 2 != 0)
		return refuse(typing, "has no value for ELSE");
	*out = typing->args[last];
	for (int i = 0; i < last; i += 2)
	{
		if (!require_kind(typing, i, SECRET_BOOLEAN) || !join_into(typing, out, i + 1))
			return false;
	}
	return true;
}

/* COALESCE, LEAST, GREATEST: NULL if all arguments are. */
static bool
type_choice(Typing *typing, ColumnType *out)
{
	bool		nullable = true;

	if (!require_args(typing, 2, EXPRESSIONS_MAX) || !require_narrow(typing))
		return false;
	*out = typing->args[0];
	for (int i = 0; i < typing->expression->nargs; i++)
	{
		if (!join_into(typing, out, i))
			return false;
		nullable = nullable && typing->args[i].type.nullable;
	}
	out->type.nullable = nullable;
	return true;
}

static bool
type_is_null(Typing *typing, ColumnType *out)
{
	*out = boolean_type(false);
	return require_args(typing, 1, 1);
}

static bool
type_date_part(Typing *typing, ColumnType *out)
{
	const ColumnType *date = &typing->args[0];
	int128		low = 0;
	int128		high = 6;

	if (!require_args(typing, 1, 1) || !require_kind(typing, 0, SECRET_DATE))
		return false;
	if (date->type.bits > DATE_PART_BITS)
		return refuse(typing, "is of a date that may need %d bits, which is more than %d", date->type.bits, DATE_PART_BITS);
	if (typing->expression->kind == EXPRESSION_YEAR)
	{
		/* A year more at both ends, and there is no year 0. */
		low = 1998 + date->low / 365 - (date->low < 0);
		high = 2001 + date->high / 365;
	}
	else if (typing->expression->kind != EXPRESSION_DOW)
	{
		low = 1;
		high = typing->expression->kind == EXPRESSION_QUARTER ? 4 :
			typing->expression->kind == EXPRESSION_MONTH ? 12 : 31;
	}
	*out = column_type_of_range(SECRET_INTEGER, 0, low, high, date->type.nullable);
	return true;
}

/* ---- casts ---- */

static int128
power_of_ten(int exponent)
{
	int128		power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

/* What a cast multiplies by; 0 if there is no such cast of numbers, or it divides. */
static int128
cast_factor(const SecretType *from, const SecretType *to)
{
	if (from->kind == SECRET_DATE && to->kind == SECRET_TIMESTAMP)
		return DAY_USECS;
	if (from->kind == SECRET_INTEGER && to->kind == SECRET_FLOAT)
		return (int128) 1 << SECRET_FLOAT_FRACTION;
	if (to->kind == SECRET_NUMERIC && (from->kind == SECRET_INTEGER || from->kind == SECRET_NUMERIC))
		return to->scale >= from->scale ? power_of_ten(to->scale - from->scale) : 0;
	if (from->kind == to->kind || (from->kind == SECRET_BOOLEAN && to->kind == SECRET_INTEGER))
		return 1;
	return 0;
}

/* The range between, before it is checked against that of the type. */
static bool
range_before_check(Typing *typing, ColumnType *out, const ColumnType *from, const SecretType *to)
{
	int128		factor = cast_factor(&from->type, to);

	if (factor > 0)
		return result_in(typing, out, to->kind, to->scale, from->low * factor, from->high * factor);
	if (from->type.kind == SECRET_TIMESTAMP && to->kind == SECRET_DATE)
		return result_in(typing, out, to->kind, 0, from->low / DAY_USECS - 1, from->high / DAY_USECS);
	if (from->type.kind == to->kind)
		return refuse(typing, "rounds to %d digits after the point", to->scale);
	return refuse(typing, "is from %s to %s", secret_kind_name(from->type.kind), secret_kind_name(to->kind));
}

static bool
type_cast(Typing *typing, ColumnType *out)
{
	const SecretType *to = &typing->expression->type;
	ColumnType	from = typing->args[0];
	ColumnType	limit = column_type(*to);

	if (!require_args(typing, 1, 1) || !require_narrow(typing))
		return false;
	if (!secret_is_number(to))
	{
		if (from.type.kind != to->kind)
			return refuse(typing, "is from %s to %s", secret_kind_name(from.type.kind), secret_kind_name(to->kind));
		if (from.type.bits > to->bits)
			return refuse(typing, "cuts a text");
		*out = limit;
		out->type.nullable = from.type.nullable;
		return true;
	}
	if (from.type.kind == SECRET_BOOLEAN)
		from.high = 1;
	if (!range_before_check(typing, out, &from, to))
		return false;
	if (out->low >= limit.low && out->high <= limit.high)
		return true;
	typing->range_checks++;
	*out = column_type_of_range(to->kind, to->scale, Max(out->low, limit.low), Min(out->high, limit.high),
								from.type.nullable);
	return true;
}

/* ---- leaves, and all of it ---- */

static bool
type_leaf(Typing *typing, ColumnType *out)
{
	const Expression *expression = typing->expression;
	const ExpressionScope *scope = typing->scope;

	if (expression->kind == EXPRESSION_CONSTANT)
	{
		*out = column_type(expression->type);
		if (secret_is_number(&expression->type))
			*out = column_type_of_range(expression->type.kind, expression->type.scale,
										expression->value.number, expression->value.number, expression->value.null);
	}
	else if (expression->kind == EXPRESSION_COLUMN)
	{
		if (expression->number >= scope->ncolumns)
			return refuse(typing, "is not there: number %d of %d", expression->number, scope->ncolumns);
		*out = scope->columns[expression->number];
	}
	else
	{
		if (expression->number >= scope->nparams)
			return refuse(typing, "is not there: number %d of %d", expression->number, scope->nparams);
		*out = column_type(scope->params[expression->number]);
	}
	return true;
}

static bool
type_by_kind(Typing *typing, ColumnType *out)
{
	switch (typing->expression->kind)
	{
		case EXPRESSION_COLUMN:
		case EXPRESSION_CONSTANT:
		case EXPRESSION_PARAMETER:
			return type_leaf(typing, out);
		case EXPRESSION_CAST:
			return type_cast(typing, out);
		case EXPRESSION_ADD:
		case EXPRESSION_SUBTRACT:
			return type_sum(typing, out);
		case EXPRESSION_MULTIPLY:
			return type_product(typing, out);
		case EXPRESSION_NEGATE:
			return type_negative(typing, out);
		case EXPRESSION_EQUAL:
		case EXPRESSION_NOT_EQUAL:
		case EXPRESSION_LESS:
		case EXPRESSION_LESS_EQUAL:
		case EXPRESSION_GREATER:
		case EXPRESSION_GREATER_EQUAL:
		case EXPRESSION_DISTINCT:
			return type_comparison(typing, out);
		case EXPRESSION_AND:
		case EXPRESSION_OR:
			return type_logic(typing, out, 2, EXPRESSIONS_MAX);
		case EXPRESSION_NOT:
		case EXPRESSION_IS_TRUE:
			return type_logic(typing, out, 1, 1);
		case EXPRESSION_IS_NULL:
			return type_is_null(typing, out);
		case EXPRESSION_CASE:
			return type_case(typing, out);
		case EXPRESSION_IN:
			return type_in(typing, out);
		case EXPRESSION_COALESCE:
		case EXPRESSION_LEAST:
		case EXPRESSION_GREATEST:
			return type_choice(typing, out);
		case EXPRESSION_YEAR:
		case EXPRESSION_QUARTER:
		case EXPRESSION_MONTH:
		case EXPRESSION_DAY:
		case EXPRESSION_DOW:
			return type_date_part(typing, out);
	}
	return refuse(typing, "is of an unknown kind");
}

bool
expression_type(ColumnType *out, const Expression *expression, const ExpressionScope *scope,
				int *range_checks, Refusal *refusal)
{
	Typing		typing = {scope, expression, NULL, 0, refusal};
	bool		possible = true;

	/* At least two, so that those who look before they count find something. */
	typing.args = palloc0(Max(expression->nargs, 2) * sizeof(ColumnType));
	for (int i = 0; i < expression->nargs && possible; i++)
		possible = expression_type(&typing.args[i], expression->args[i], scope, &typing.range_checks, refusal);
	possible = possible && type_by_kind(&typing, out);
	pfree(typing.args);
	if (range_checks)
		*range_checks += typing.range_checks;
	return possible;
}
