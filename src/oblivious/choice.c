/*
 * choice.c
 *	  One of several values: CASE, COALESCE, LEAST, GREATEST.
 *
 * Every value is computed, and then chosen from the last to the first.
 */
#include "oblivious/evaluate.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* Of the type of the result; a copy of NULL where it can't be. */
static SharedColumn
evaluate_as(Evaluation *evaluation, const Expression *expression, const ColumnType *type)
{
	SharedColumn column = evaluate_part(evaluation, expression);

	column_widen(evaluation->self, &column, type);
	return column;
}

/* acc = bit ? x : acc, both of one type; x is consumed. */
static void
choose(Party *self, SharedColumn *acc, const SharedBits *bit, SharedColumn *x)
{
	if (acc->number.mine)
		convert_select(self, &acc->number, bit, &x->number, &acc->number);
	else
		logic_select(self, &acc->bits, bit, &x->bits, &acc->bits);
	if (acc->null.mine)
		logic_select(self, &acc->null, bit, &x->null, &acc->null);
	acc->loose = acc->loose || x->loose;
	column_free(x);
}

/* bit ? x : y, public numbers: half of what choose() sends. */
static SharedColumn
choose_public(Party *self, const SharedBits *bit, const PublicValue *x, const PublicValue *y, const ColumnType *type)
{
	SharedColumn column = column_create(*type, bit->n);

	convert_bit_to_ring64(self, &column.number, bit);
	shared64_scale(&column.number, &column.number, (uint64) x->number - (uint64) y->number);
	arith64_add_constant(self, &column.number, &column.number, y->number);
	return column;
}

static bool
are_numbers(const ColumnType *type, const PublicValue *x, const PublicValue *y)
{
	return column_type_is_number(type) && x != NULL && y != NULL && !x->null && !y->null;
}

/* The last condition, its value, and that of ELSE. */
static SharedColumn
choose_last(Evaluation *evaluation, Expression *const *args, const ColumnType *type)
{
	const PublicValue *value = evaluation_public(evaluation, args[1]);
	const PublicValue *otherwise = evaluation_public(evaluation, args[2]);
	SharedColumn condition = evaluate_part(evaluation, args[0]);
	SharedColumn acc;
	SharedColumn x;

	if (are_numbers(type, value, otherwise))
		acc = choose_public(evaluation->self, &condition.bits, value, otherwise, type);
	else
	{
		acc = evaluate_as(evaluation, args[2], type);
		x = evaluate_as(evaluation, args[1], type);
		choose(evaluation->self, &acc, &condition.bits, &x);
	}
	column_free(&condition);
	return acc;
}

static SharedColumn
evaluate_case(Evaluation *evaluation, const Expression *expression, const ColumnType *type)
{
	int			last = expression->nargs - 3;
	SharedColumn acc = choose_last(evaluation, expression->args + last, type);

	for (int i = last - 2; i >= 0; i -= 2)
	{
		SharedColumn condition = evaluate_part(evaluation, expression->args[i]);
		SharedColumn x = evaluate_as(evaluation, expression->args[i + 1], type);

		choose(evaluation->self, &acc, &condition.bits, &x);
		column_free(&condition);
	}
	return acc;
}

/* acc = x where x is not NULL; x is consumed. */
static void
prefer(Party *self, SharedColumn *acc, SharedColumn *x)
{
	SharedBits	there = plane_not(self, &x->null);

	if (acc->number.mine)
		convert_select(self, &acc->number, &there, &x->number, &acc->number);
	else
		logic_select(self, &acc->bits, &there, &x->bits, &acc->bits);
	if (acc->null.mine)
		logic_and(self, &acc->null, &acc->null, &x->null);
	shared_bits_free(&there);
	column_free(x);
}

static SharedColumn
evaluate_coalesce(Evaluation *evaluation, const Expression *expression, const ColumnType *type)
{
	SharedColumn acc = evaluate_part(evaluation, expression->args[expression->nargs - 1]);
	ColumnType	of_acc;

	for (int i = expression->nargs - 2; i >= 0; i--)
	{
		SharedColumn x = evaluate_part(evaluation, expression->args[i]);

		if (x.null.mine == NULL)
		{
			column_free(&acc);
			acc = x;
			continue;
		}
		/* The value as in the result; whether it may be NULL as in each. */
		of_acc = *type;
		of_acc.type.nullable = acc.null.mine != NULL;
		column_widen(evaluation->self, &acc, &of_acc);
		of_acc.type.nullable = true;
		column_widen(evaluation->self, &x, &of_acc);
		prefer(evaluation->self, &acc, &x);
	}
	column_widen(evaluation->self, &acc, type);
	return acc;
}

/* pick = x is the one: it is not NULL, and it comes first or y is NULL. */
static SharedBits
picks(Party *self, const SharedColumn *x, const SharedColumn *y, bool least)
{
	SharedBits	pick = least ? column_less(self, x, y) : column_less(self, y, x);

	if (y->null.mine)
		logic_or(self, &pick, &pick, &y->null);
	if (x->null.mine)
	{
		SharedBits	there = plane_not(self, &x->null);

		logic_and(self, &pick, &pick, &there);
		shared_bits_free(&there);
	}
	return pick;
}

/* acc = the least or greatest of acc and x; x is consumed. */
static void
least_or_greatest(Party *self, SharedColumn *acc, SharedColumn *x, bool least)
{
	SharedBits	pick = picks(self, x, acc, least);

	if (acc->number.mine)
		convert_select(self, &acc->number, &pick, &x->number, &acc->number);
	else
		logic_select(self, &acc->bits, &pick, &x->bits, &acc->bits);
	if (acc->null.mine && x->null.mine)
		logic_and(self, &acc->null, &acc->null, &x->null);
	else if (acc->null.mine)
		shared_bits_free(&acc->null);
	acc->loose = acc->loose || x->loose;
	shared_bits_free(&pick);
	column_free(x);
}

static SharedColumn
evaluate_extreme(Evaluation *evaluation, const Expression *expression, const ColumnType *type)
{
	ColumnType	each = *type;
	SharedColumn acc = {{{0}}};

	for (int i = 0; i < expression->nargs; i++)
	{
		SharedColumn x = evaluate_part(evaluation, expression->args[i]);

		each.type.nullable = x.null.mine != NULL;
		column_widen(evaluation->self, &x, &each);
		if (i == 0)
			acc = x;
		else
			least_or_greatest(evaluation->self, &acc, &x, expression->kind == EXPRESSION_LEAST);
	}
	acc.type = *type;
	return acc;
}

SharedColumn
evaluate_choice(Evaluation *evaluation, const Expression *expression)
{
	ColumnType	type = evaluation_type(evaluation, expression);

	if (expression->kind == EXPRESSION_CASE)
		return evaluate_case(evaluation, expression, &type);
	if (expression->kind == EXPRESSION_COALESCE)
		return evaluate_coalesce(evaluation, expression, &type);
	return evaluate_extreme(evaluation, expression, &type);
}
