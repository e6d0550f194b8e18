/*
 * expression.c
 *	  Expressions of oblivious plans: building, comparing, and their bytes.
 */
#include "oblivious/expression.h"

/* ---- building ---- */

static Expression *
expression_new(ExpressionKind kind, int nargs)
{
	Expression *expression = palloc0(sizeof(Expression));

	expression->kind = kind;
	expression->nargs = nargs;
	expression->args = palloc0(Max(nargs, 1) * sizeof(Expression *));
	return expression;
}

Expression *
expression_column(int column)
{
	Expression *expression = expression_new(EXPRESSION_COLUMN, 0);

	expression->number = column;
	return expression;
}

Expression *
expression_constant(SecretType type, PublicValue value)
{
	Expression *expression = expression_new(EXPRESSION_CONSTANT, 0);

	expression->type = type;
	expression->type.nullable = value.null;
	expression->value = value;
	return expression;
}

Expression *
expression_number(SecretType type, int64 number)
{
	return expression_constant(type, (PublicValue) {.number = number});
}

Expression *
expression_boolean(bool value)
{
	return expression_number(secret_boolean(), value);
}

Expression *
expression_text(const char *text)
{
	PublicValue value = {.len = strlen(text)};

	Assert(value.len <= SECRET_TEXT_BYTES_MAX);
	memcpy(value.text, text, value.len);
	return expression_constant(secret_text(Max(value.len, 1)), value);
}

Expression *
expression_null(SecretType type)
{
	return expression_constant(type, (PublicValue) {.null = true});
}

Expression *
expression_parameter(int number)
{
	Expression *expression = expression_new(EXPRESSION_PARAMETER, 0);

	expression->number = number;
	return expression;
}

Expression *
expression_cast(Expression *arg, SecretType type)
{
	Expression *expression = expression_new(EXPRESSION_CAST, 1);

	expression->type = type;
	expression->type.nullable = false;
	expression->args[0] = arg;
	return expression;
}

Expression *
expression_make(ExpressionKind kind, int nargs, Expression **args)
{
	Expression *expression = expression_new(kind, nargs);

	memcpy(expression->args, args, nargs * sizeof(Expression *));
	return expression;
}

Expression *
expression_unary(ExpressionKind kind, Expression *arg)
{
	return expression_make(kind, 1, &arg);
}

Expression *
expression_binary(ExpressionKind kind, Expression *left, Expression *right)
{
	Expression *args[] = {left, right};

	return expression_make(kind, 2, args);
}

static bool
value_equal(const PublicValue *a, const PublicValue *b)
{
	if (a->null || b->null)
		return a->null == b->null;
	return a->number == b->number && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bool
expression_equal(const Expression *a, const Expression *b)
{
	if (a->kind != b->kind || a->number != b->number || a->nargs != b->nargs ||
		!secret_type_equal(&a->type, &b->type) || !value_equal(&a->value, &b->value))
		return false;
	for (int i = 0; i < a->nargs; i++)
		if (!expression_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

/* ---- values ---- */

void
public_value_encode(StringInfo out, const SecretType *type, const PublicValue *value)
{
	if (value->null)
		cbor_null(out);
	else if (type->kind == SECRET_TEXT)
		cbor_bytes(out, value->text, value->len);
	else if (type->kind == SECRET_BOOLEAN)
		cbor_bool(out, value->number);
	else
		cbor_int(out, value->number);
}

/* As secret_from_text() wants it: no longer than its type, and no zero byte. */
static void
read_text_value(CborReader *in, const SecretType *type, PublicValue *value)
{
	size_t		len;
	const uint8 *bytes = cbor_read_bytes(in, type->bits / 8, &len);
	uint128		bits;

	value->len = len;
	memcpy(value->text, bytes, len);
	if (in->error == NULL && !secret_from_text(&bits, type, value->text, len))
		in->error = "text that does not fit its type";
}

void
public_value_read(CborReader *in, const SecretType *type, PublicValue *value)
{
	memset(value, 0, sizeof(PublicValue));
	value->null = cbor_read_null(in);
	if (value->null || in->error != NULL)
		return;
	if (type->kind == SECRET_TEXT)
		read_text_value(in, type, value);
	else if (type->kind == SECRET_BOOLEAN)
		value->number = cbor_read_bool(in);
	else
	{
		value->number = cbor_read_int(in);
		if (in->error == NULL && !secret_fits(type, value->number))
			in->error = "number that does not fit its type";
	}
}

/* ---- bytes ---- */

void
expression_encode(StringInfo out, const Expression *expression)
{
	switch (expression->kind)
	{
		case EXPRESSION_COLUMN:
		case EXPRESSION_PARAMETER:
			cbor_array(out, 2);
			cbor_uint(out, expression->kind);
			cbor_uint(out, expression->number);
			return;
		case EXPRESSION_CONSTANT:
			cbor_array(out, 3);
			cbor_uint(out, expression->kind);
			secret_type_encode(out, &expression->type);
			public_value_encode(out, &expression->type, &expression->value);
			return;
		case EXPRESSION_CAST:
			cbor_array(out, 3);
			cbor_uint(out, expression->kind);
			secret_type_encode(out, &expression->type);
			break;
		default:
			cbor_array(out, 1 + expression->nargs);
			cbor_uint(out, expression->kind);
	}
	for (int i = 0; i < expression->nargs; i++)
		expression_encode(out, expression->args[i]);
}

static Expression *read_at_depth(CborReader *in, int *budget, int depth);

static void
read_args(CborReader *in, Expression *expression, int *budget, int depth)
{
	for (int i = 0; i < expression->nargs && in->error == NULL; i++)
		expression->args[i] = read_at_depth(in, budget, depth + 1);
}

static void
require_elements(CborReader *in, uint64 found, uint64 wanted)
{
	if (in->error == NULL && found != wanted)
		in->error = "expression with another number of elements";
}

/* A constant is NULL if and only if its type may be; a cast's type says nothing of that. */
static void
check_nullable(CborReader *in, const Expression *expression)
{
	if (in->error == NULL && expression->type.nullable != expression->value.null)
		in->error = "type of an expression that says otherwise of NULL";
}

static Expression *
read_at_depth(CborReader *in, int *budget, int depth)
{
	uint64		elements = cbor_read_array(in, EXPRESSIONS_MAX);
	ExpressionKind kind = (ExpressionKind) cbor_read_uint(in, EXPRESSION_KIND_MAX);
	bool		has_args = kind >= EXPRESSION_CAST;
	Expression *expression;

	if (in->error == NULL && (kind == 0 || elements < 2))
		in->error = "expression of an unknown kind";
	if (in->error == NULL && (depth >= EXPRESSION_DEPTH_MAX || --*budget < 0))
		in->error = "expressions that are too large";
	if (in->error == NULL && kind > EXPRESSION_CAST && elements - 1 > (uint64) *budget)
		in->error = "expressions that are too large";
	if (in->error != NULL)
		return NULL;

	expression = expression_new(kind, !has_args ? 0 : kind == EXPRESSION_CAST ? 1 : elements - 1);
	if (kind == EXPRESSION_COLUMN || kind == EXPRESSION_PARAMETER)
	{
		require_elements(in, elements, 2);
		expression->number = cbor_read_uint(in, kind == EXPRESSION_COLUMN ? RELATION_COLUMNS_MAX - 1 : PARAMETERS_MAX - 1);
	}
	if (kind == EXPRESSION_CONSTANT || kind == EXPRESSION_CAST)
	{
		require_elements(in, elements, 3);
		secret_type_read(in, &expression->type);
	}
	if (kind == EXPRESSION_CONSTANT && in->error == NULL)
		public_value_read(in, &expression->type, &expression->value);
	check_nullable(in, expression);
	read_args(in, expression, budget, depth);
	return in->error == NULL ? expression : NULL;
}

Expression *
expression_read(CborReader *in, int *budget)
{
	return read_at_depth(in, budget, 0);
}

/* In the order of ExpressionKind. */
static const char *const names[] = {
	NULL, "column", "constant", "parameter", "cast", "sum", "difference", "product", "negative",
	"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "AND", "OR", "NOT", "IS NULL", "IS TRUE",
	"CASE", "COALESCE", "IN", "LEAST", "GREATEST", "year", "quarter", "month", "day", "day of the week"
};

const char *
expression_kind_name(ExpressionKind kind)
{
	StaticAssertStmt(lengthof(names) == EXPRESSION_KIND_MAX + 1, "a name for each kind");
	return names[kind];
}
