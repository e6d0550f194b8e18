/*
 * evaluate.c
 *	  Expressions for all rows: columns, public values, arithmetic, casts.
 */
#include "oblivious/evaluate.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"

ColumnType
evaluation_type(const Evaluation *evaluation, const Expression *expression)
{
	ColumnType	type = {{0}};
	Refusal		refusal;
	bool		possible PG_USED_FOR_ASSERTS_ONLY;

	possible = expression_type(&type, expression, &evaluation->scope, NULL, &refusal);
	Assert(possible);
	return type;
}

const PublicValue *
evaluation_public(const Evaluation *evaluation, const Expression *expression)
{
	if (expression->kind == EXPRESSION_CONSTANT)
		return &expression->value;
	return expression->kind == EXPRESSION_PARAMETER ? &evaluation->params[expression->number] : NULL;
}

SharedBits
null_of_either(Party *self, const SharedBits *x, const SharedBits *y)
{
	SharedBits	null = {0};

	if (x->mine && y->mine)
	{
		null = shared_bits_alloc(1, x->n);
		logic_or(self, &null, x, y);
	}
	else if (x->mine || y->mine)
		null = plane_copy(x->mine ? x : y);
	return null;
}

/* ---- arithmetic ---- */

/* What holds numbers, and is NULL where either is. */
static SharedColumn
result_of(Party *self, ColumnType type, const SharedColumn *x, const SharedColumn *y)
{
	SharedColumn column = {.type = type, .number = shared64_alloc(x->number.n)};

	column.null = null_of_either(self, &x->null, &y->null);
	column.loose = column.null.mine != NULL;
	return column;
}

/* The value of a public number that is not NULL; false if it is none. */
static bool
known_number(const Evaluation *evaluation, const Expression *expression, uint64 *number)
{
	const PublicValue *value = evaluation_public(evaluation, expression);

	if (value == NULL || value->null)
		return false;
	*number = value->number;
	return true;
}

/* x + c, x - c, or c - x. */
static SharedColumn
sum_with_public(Evaluation *evaluation, const Expression *x, uint64 c, bool negative, ColumnType type)
{
	SharedColumn column = evaluate_part(evaluation, x);

	if (negative)
		shared64_negate(&column.number, &column.number);
	arith64_add_constant(evaluation->self, &column.number, &column.number, c);
	column.type = type;
	column.loose = column.null.mine != NULL;
	return column;
}

static SharedColumn
evaluate_sum(Evaluation *evaluation, const Expression *expression)
{
	ColumnType	type = evaluation_type(evaluation, expression);
	bool		minus = expression->kind == EXPRESSION_SUBTRACT;
	SharedColumn x;
	SharedColumn y;
	SharedColumn sum;
	uint64		c;

	if (known_number(evaluation, expression->args[1], &c))
		return sum_with_public(evaluation, expression->args[0], minus ? -c : c, false, type);
	if (known_number(evaluation, expression->args[0], &c))
		return sum_with_public(evaluation, expression->args[1], c, minus, type);
	x = evaluate_part(evaluation, expression->args[0]);
	y = evaluate_part(evaluation, expression->args[1]);
	sum = result_of(evaluation->self, type, &x, &y);
	if (minus)
		shared64_subtract(&sum.number, &x.number, &y.number);
	else
		shared64_add(&sum.number, &x.number, &y.number);
	column_free(&x);
	column_free(&y);
	return sum;
}

/* Zero times anything stays zero, so a product is loose only if a factor is. */
static SharedColumn
evaluate_product(Evaluation *evaluation, const Expression *expression)
{
	Party	   *self = evaluation->self;
	ColumnType	type = evaluation_type(evaluation, expression);
	bool		fixed = type.type.kind == SECRET_FLOAT;
	SharedColumn x;
	SharedColumn y;
	SharedColumn product;
	uint64		c;
	bool		first = known_number(evaluation, expression->args[0], &c);

	if (first || known_number(evaluation, expression->args[1], &c))
	{
		product = evaluate_part(evaluation, expression->args[first]);
		shared64_scale(&product.number, &product.number, c);
		if (fixed)
			scaled_truncate(self, &product.number, &product.number, SECRET_FLOAT_FRACTION);
		product.type = type;
		return product;
	}
	x = evaluate_part(evaluation, expression->args[0]);
	y = evaluate_part(evaluation, expression->args[1]);
	product = result_of(self, type, &x, &y);
	product.loose = x.loose || y.loose;
	if (fixed)
		scaled_multiply(self, &product.number, &x.number, &y.number, SECRET_FLOAT_FRACTION);
	else
		arith64_multiply(self, &product.number, &x.number, &y.number);
	column_free(&x);
	column_free(&y);
	return product;
}

static SharedColumn
evaluate_negative(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column = evaluate_part(evaluation, expression->args[0]);

	shared64_negate(&column.number, &column.number);
	column.type = evaluation_type(evaluation, expression);
	return column;
}

static SharedColumn
evaluate_date_part(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column = evaluate_part(evaluation, expression->args[0]);
	/* 730119 days before 2000-01-01 is 0001-01-01. */
	bool		before_christ = column.type.low < -730119;

	calendar_part(evaluation->self, &column.number, &column.number, expression->kind, before_christ);
	column.type = evaluation_type(evaluation, expression);
	column.loose = column.null.mine != NULL;
	return column;
}

/* ---- casts ---- */

/* What is not in [low, high], and not NULL, is noted; whether the row is there is asked later. */
static void
note_unfit(Evaluation *evaluation, SharedColumn *column, int bits, const ColumnType *limit)
{
	Party	   *self = evaluation->self;
	size_t		n = column->number.n;
	Shared64	twice;
	uint64	   *bounds = table_words(2 * n);
	SharedBits	below = shared_bits_alloc(1, 2 * n);
	SharedBits	unfit;
	SharedBits	above;

	/* NULL holds zero, which always fits. */
	column_tighten(self, column);
	twice = number_append(&column->number, &column->number);
	for (size_t v = 0; v < n; v++)
	{
		bounds[v] = (uint64) limit->low;
		bounds[n + v] = (uint64) limit->high + 1;
	}
	compare_less_public(self, &below, &twice, bounds, 2 * n, KIND_INT(bits));
	unfit = shared_bits_cut(&below, 0, n);
	above = shared_bits_cut(&below, n, n);
	logic_not(self, &above);
	logic_xor(&unfit, &above);	/* never both */
	if (evaluation->unfit.mine == NULL)
		evaluation->unfit = shared_bits_alloc(1, n);
	logic_or(self, &evaluation->unfit, &evaluation->unfit, &unfit);
	shared64_free(&twice);
	pfree(bounds);
	shared_bits_free(&below);
	shared_bits_free(&unfit);
	shared_bits_free(&above);
}

/* What it is multiplied by; 0: it is divided. */
static uint64
factor_of_cast(const SecretType *from, const SecretType *to)
{
	uint64		factor = 1;

	if (from->kind == SECRET_TIMESTAMP && to->kind == SECRET_DATE)
		return 0;
	if (from->kind == SECRET_DATE && to->kind == SECRET_TIMESTAMP)
		return UINT64CONST(86400000000);
	if (to->kind == SECRET_FLOAT && from->kind != SECRET_FLOAT)
		return UINT64CONST(1) << SECRET_FLOAT_FRACTION;
	for (int scale = from->scale; scale < to->scale; scale++)
		factor *= 10;
	return factor;
}

static SharedColumn
number_of_boolean(Evaluation *evaluation, SharedColumn *boolean)
{
	SharedColumn column = {.type = boolean->type, .number = shared64_alloc(boolean->bits.n)};

	convert_bit_to_ring64(evaluation->self, &column.number, &boolean->bits);
	column.null = null_of_either(evaluation->self, &boolean->null, &(SharedBits) {0});
	column_free(boolean);
	return column;
}

/* Is it in more bits, or in other units, before it is in those of the type? */
static int
bits_before_check(const ColumnType *from, const SecretType *to)
{
	SecretType	before = from->type;
	uint64		factor = factor_of_cast(&from->type, to);
	int128		largest = Max(from->high, -(from->low + 1));

	if (factor == 0)
		return SECRET_DATE_BITS + 16;
	for (before.bits = 2; before.bits < SECRET_NUMBER_BITS_MAX; before.bits++)
		if (largest * factor + factor < (int128) 1 << (before.bits - 1))
			break;
	return before.bits;
}

static SharedColumn
evaluate_cast(Evaluation *evaluation, const Expression *expression)
{
	const SecretType *to = &expression->type;
	ColumnType	type = evaluation_type(evaluation, expression);
	ColumnType	limit = column_type(*to);
	SharedColumn column = evaluate_part(evaluation, expression->args[0]);
	ColumnType	from = column.type;
	uint64		factor = factor_of_cast(&from.type, to);
	int			range_checks = 0;
	Refusal		refusal;

	if (!secret_is_number(to))
	{
		column_widen(evaluation->self, &column, &type);
		return column;
	}
	if (from.type.kind == SECRET_BOOLEAN)
		column = number_of_boolean(evaluation, &column);
	if (factor == 0)
	{
		calendar_day(evaluation->self, &column.number, &column.number);
		column.loose = column.null.mine != NULL;
	}
	else
		shared64_scale(&column.number, &column.number, factor);

	/* Its own check, not those of its arguments. */
	expression_type(&type, expression, &evaluation->scope, &range_checks, &refusal);
	for (int i = 0; i < expression->nargs; i++)
	{
		int			inner = 0;
		ColumnType	ignored;

		expression_type(&ignored, expression->args[i], &evaluation->scope, &inner, &refusal);
		range_checks -= inner;
	}
	if (range_checks > 0)
		note_unfit(evaluation, &column, bits_before_check(&from, to), &limit);
	column.type = type;
	return column;
}

/* ---- all of it ---- */

static SharedColumn
evaluate_leaf(Evaluation *evaluation, const Expression *expression)
{
	if (expression->kind == EXPRESSION_COLUMN)
		return column_copy(&evaluation->relation->columns[expression->number]);
	return column_constant(evaluation->self, evaluation_type(evaluation, expression),
						   evaluation_public(evaluation, expression), evaluation->relation->n);
}

static SharedColumn
evaluate_is_null(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column = evaluate_part(evaluation, expression->args[0]);
	SharedColumn result = column_create(evaluation_type(evaluation, expression), evaluation->relation->n);

	if (column.null.mine)
		shared_bits_copy(&result.bits, &column.null);
	column_free(&column);
	return result;
}

static SharedColumn
evaluate_by_kind(Evaluation *evaluation, const Expression *expression)
{
	switch (expression->kind)
	{
		case EXPRESSION_COLUMN:
		case EXPRESSION_CONSTANT:
		case EXPRESSION_PARAMETER:
			return evaluate_leaf(evaluation, expression);
		case EXPRESSION_CAST:
			return evaluate_cast(evaluation, expression);
		case EXPRESSION_ADD:
		case EXPRESSION_SUBTRACT:
			return evaluate_sum(evaluation, expression);
		case EXPRESSION_MULTIPLY:
			return evaluate_product(evaluation, expression);
		case EXPRESSION_NEGATE:
			return evaluate_negative(evaluation, expression);
		case EXPRESSION_AND:
		case EXPRESSION_OR:
		case EXPRESSION_NOT:
		case EXPRESSION_IS_TRUE:
			return evaluate_logic(evaluation, expression);
		case EXPRESSION_IS_NULL:
			return evaluate_is_null(evaluation, expression);
		case EXPRESSION_IN:
			return evaluate_in(evaluation, expression);
		case EXPRESSION_CASE:
		case EXPRESSION_COALESCE:
		case EXPRESSION_LEAST:
		case EXPRESSION_GREATEST:
			return evaluate_choice(evaluation, expression);
		case EXPRESSION_YEAR:
		case EXPRESSION_QUARTER:
		case EXPRESSION_MONTH:
		case EXPRESSION_DAY:
		case EXPRESSION_DOW:
			return evaluate_date_part(evaluation, expression);
		default:
			return evaluate_comparison(evaluation, expression);
	}
}

/* A parameter that may be NULL and is not leaves no plane, but the type is what was checked. */
SharedColumn
evaluate_part(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column = evaluate_by_kind(evaluation, expression);

	column.type = evaluation_type(evaluation, expression);
	if (column.type.type.nullable && column.null.mine == NULL)
		column.null = shared_bits_alloc(1, evaluation->relation->n);
	return column;
}

void
evaluation_start(Evaluation *evaluation, Party *self, const SharedRelation *relation,
				 int nparams, const SecretType *param_types, const PublicValue *params)
{
	ColumnType *types = palloc((relation->ncolumns + 1) * sizeof(ColumnType));

	for (int c = 0; c < relation->ncolumns; c++)
		types[c] = relation->columns[c].type;
	memset(evaluation, 0, sizeof(Evaluation));
	evaluation->self = self;
	evaluation->relation = relation;
	evaluation->scope = (ExpressionScope) {relation->ncolumns, types, nparams, param_types};
	evaluation->params = params;
}

void
evaluation_end(Evaluation *evaluation)
{
	if (evaluation->unfit.mine)
		shared_bits_free(&evaluation->unfit);
	pfree((void *) evaluation->scope.columns);
}

SharedColumn
evaluate(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column;

	prepare_comparisons(evaluation, expression);
	column = evaluate_part(evaluation, expression);
	for (int i = 0; i < evaluation->nprepared; i++)
		if (evaluation->prepared[i].result.mine)
			shared_bits_free(&evaluation->prepared[i].result);
	pfree(evaluation->prepared);
	evaluation->prepared = NULL;
	evaluation->nprepared = 0;
	return column;
}

SharedBits
evaluate_condition(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn column = evaluate(evaluation, expression);
	SharedBits	bits = column.bits;

	memset(&column.bits, 0, sizeof(SharedBits));
	column_free(&column);
	return bits;
}
