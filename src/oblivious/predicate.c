/*
 * predicate.c
 *	  Comparisons, IN, and AND, OR, NOT of three truth values.
 *
 * A truth value is a plane that says true and one that says NULL, never both.  So not
 * false is the XOR of the two, and AND and OR are each two trees over planes, which
 * are done side by side.
 */
#include "oblivious/evaluate.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/logic.h"

/* Values that are compared at once with public ones. */
#define BATCH_VALUES_MAX	(UINT64CONST(1) << 22)

/* ---- two columns ---- */

static ColumnType
type_of_both(const SharedColumn *x, const SharedColumn *y)
{
	ColumnType	both;
	bool		possible PG_USED_FOR_ASSERTS_ONLY = column_type_join(&both, &x->type, &y->type);

	Assert(possible);
	return both;
}

static SharedBits
compare_columns(Party *self, const SharedColumn *x, const SharedColumn *y, bool equal)
{
	ColumnType	both = type_of_both(x, y);
	SharedBits	result = shared_bits_alloc(1, column_rows(x));
	SharedBits	left;
	SharedBits	right;

	if (x->number.mine && y->number.mine)
	{
		if (equal)
			compare_equal(self, &result, &x->number, &y->number, both.type.bits);
		else
			compare_less(self, &result, &x->number, &y->number, KIND_INT(both.type.bits));
		return result;
	}
	left = column_to_planes(self, x, both.type.bits);
	right = column_to_planes(self, y, both.type.bits);
	if (equal)
		compare_equal_bits(self, &result, &left, &right);
	else
		compare_less_bits(self, &result, &left, &right, secret_is_number(&both.type));
	shared_bits_free(&left);
	shared_bits_free(&right);
	return result;
}

SharedBits
column_less(Party *self, const SharedColumn *x, const SharedColumn *y)
{
	return compare_columns(self, x, y, false);
}

SharedBits
column_equal(Party *self, const SharedColumn *x, const SharedColumn *y)
{
	return compare_columns(self, x, y, true);
}

/* ---- comparisons with public numbers, many in the same rounds ---- */

/*
 * x < bound or x = bound, or NOT that: every comparison of a column with a public number.
 */
typedef struct Question
{
	const Expression *expression;
	int			column;			/* of the relation */
	int64		bound;
	int			bits;
	bool		equal;
	bool		negated;
} Question;

/* x op c, c op x turned around.  x > c is NOT x < c + 1, as long as there is c + 1. */
static bool
question_of(const Evaluation *evaluation, const Expression *expression, Question *question)
{
	const Expression *const *args = (const Expression *const *) expression->args;
	ExpressionKind kind = expression->kind;
	bool		turned;
	const PublicValue *bound;
	ColumnType	both;
	ColumnType	types[2];

	if (kind < EXPRESSION_EQUAL || kind > EXPRESSION_GREATER_EQUAL)
		return false;
	turned = args[1]->kind == EXPRESSION_COLUMN;
	bound = evaluation_public(evaluation, args[!turned]);
	if (args[turned]->kind != EXPRESSION_COLUMN || bound == NULL || bound->null)
		return false;
	types[0] = evaluation_type(evaluation, args[0]);
	types[1] = evaluation_type(evaluation, args[1]);
	if (!column_type_is_number(&types[0]) || !column_type_is_number(&types[1]) ||
		!column_type_join(&both, &types[0], &types[1]))
		return false;

	if (turned && kind >= EXPRESSION_LESS)
		kind = kind <= EXPRESSION_LESS_EQUAL ? kind + 2 : kind - 2;
	*question = (Question) {expression, args[turned]->number, bound->number, both.type.bits};
	question->equal = kind <= EXPRESSION_NOT_EQUAL;
	question->negated = kind == EXPRESSION_NOT_EQUAL || kind == EXPRESSION_GREATER || kind == EXPRESSION_GREATER_EQUAL;
	if (kind == EXPRESSION_GREATER || kind == EXPRESSION_LESS_EQUAL)
	{
		if (question->bound == PG_INT64_MAX)
			return false;
		question->bound++;
	}
	return true;
}

static void
collect(const Evaluation *evaluation, const Expression *expression, Question *questions, int *n, int max)
{
	for (int i = 0; i < expression->nargs; i++)
		collect(evaluation, expression->args[i], questions, n, max);
	if (*n < max && question_of(evaluation, expression, &questions[*n]))
		(*n)++;
}

static int
questions_within(const Expression *expression)
{
	int			n = 1;

	for (int i = 0; i < expression->nargs; i++)
		n += questions_within(expression->args[i]);
	return n;
}

static int
by_form(const void *a, const void *b)
{
	const Question *x = a;
	const Question *y = b;

	if (x->equal != y->equal)
		return x->equal ? 1 : -1;
	return x->bits - y->bits;
}

/* The answers to `count` questions of one form, end to end. */
static SharedBits
answer_batch(Evaluation *evaluation, const Question *questions, int count)
{
	size_t		n = evaluation->relation->n;
	Shared64	x = shared64_alloc(count * n);
	uint64	   *bounds = table_words(count * n);
	SharedBits	answers = shared_bits_alloc(1, count * n);

	for (int k = 0; k < count; k++)
	{
		Shared64	part = shared64_view(&x, k * n, n);

		shared64_copy(&part, &evaluation->relation->columns[questions[k].column].number);
		for (size_t v = 0; v < n; v++)
			bounds[k * n + v] = questions[k].bound;
	}
	if (questions->equal)
		compare_equal_public(evaluation->self, &answers, &x, bounds, count * n, questions->bits);
	else
		compare_less_public(evaluation->self, &answers, &x, bounds, count * n, KIND_INT(questions->bits));
	shared64_free(&x);
	pfree(bounds);
	return answers;
}

static void
answer_questions(Evaluation *evaluation, const Question *questions, int count)
{
	size_t		n = evaluation->relation->n;
	SharedBits	answers = answer_batch(evaluation, questions, count);

	for (int k = 0; k < count; k++)
	{
		SharedBits	answer = shared_bits_cut(&answers, k * n, n);

		if (questions[k].negated)
			logic_not(evaluation->self, &answer);
		evaluation->prepared[evaluation->nprepared++] = (Prepared) {questions[k].expression, answer};
	}
	shared_bits_free(&answers);
}

void
prepare_comparisons(Evaluation *evaluation, const Expression *expression)
{
	int			max = questions_within(expression);
	Question   *questions = palloc(max * sizeof(Question));
	int			batch = Max(BATCH_VALUES_MAX / Max(evaluation->relation->n, 1), 1);
	int			n = 0;

	collect(evaluation, expression, questions, &n, max);
	qsort(questions, n, sizeof(Question), by_form);
	evaluation->prepared = palloc0(Max(n, 1) * sizeof(Prepared));
	for (int first = 0, end; first < n; first = end)
	{
		for (end = first + 1; end < n && end - first < batch && by_form(&questions[first], &questions[end]) == 0; end++);
		answer_questions(evaluation, questions + first, end - first);
	}
	pfree(questions);
}

/* Taken out of what was prepared, or no memory. */
static SharedBits
prepared_answer(Evaluation *evaluation, const Expression *expression)
{
	for (int i = 0; i < evaluation->nprepared; i++)
	{
		Prepared   *prepared = &evaluation->prepared[i];
		SharedBits	result = prepared->result;

		if (prepared->expression != expression || result.mine == NULL)
			continue;
		memset(&prepared->result, 0, sizeof(SharedBits));
		return result;
	}
	return (SharedBits) {0};
}

/* ---- comparisons ---- */

/* A truth value from an answer that means nothing where it is NULL; both are consumed. */
static SharedColumn
truth(Party *self, SharedBits answer, SharedBits null)
{
	SharedColumn column = {.type = {{SECRET_BOOLEAN, 1, 0, null.mine != NULL}}, .bits = answer, .null = null,
	.loose = true};

	column_tighten(self, &column);
	return column;
}

/* Both are tight here: NULL holds zero. */
static SharedColumn
evaluate_distinct(Evaluation *evaluation, const Expression *expression)
{
	Party	   *self = evaluation->self;
	SharedColumn x = evaluate_part(evaluation, expression->args[0]);
	SharedColumn y = evaluate_part(evaluation, expression->args[1]);
	SharedBits	answer;
	SharedBits	differ = shared_bits_alloc(1, evaluation->relation->n);

	column_tighten(self, &x);
	column_tighten(self, &y);
	answer = column_equal(self, &x, &y);
	logic_not(self, &answer);
	if (x.null.mine)
		logic_xor(&differ, &x.null);
	if (y.null.mine)
		logic_xor(&differ, &y.null);
	if (x.null.mine || y.null.mine)
		logic_or(self, &answer, &answer, &differ);
	shared_bits_free(&differ);
	column_free(&x);
	column_free(&y);
	return truth(self, answer, (SharedBits) {0});
}

static SharedBits
compare_by_kind(Party *self, ExpressionKind kind, const SharedColumn *x, const SharedColumn *y)
{
	bool		turned = kind == EXPRESSION_GREATER || kind == EXPRESSION_LESS_EQUAL;
	SharedBits	answer;

	if (kind == EXPRESSION_EQUAL || kind == EXPRESSION_NOT_EQUAL)
		answer = column_equal(self, x, y);
	else
		answer = turned ? column_less(self, y, x) : column_less(self, x, y);
	if (kind == EXPRESSION_NOT_EQUAL || kind == EXPRESSION_LESS_EQUAL || kind == EXPRESSION_GREATER_EQUAL)
		logic_not(self, &answer);
	return answer;
}

SharedColumn
evaluate_comparison(Evaluation *evaluation, const Expression *expression)
{
	Party	   *self = evaluation->self;
	SharedBits	answer = prepared_answer(evaluation, expression);
	SharedColumn x;
	SharedColumn y;
	SharedBits	null;

	if (expression->kind == EXPRESSION_DISTINCT)
		return evaluate_distinct(evaluation, expression);
	if (answer.mine != NULL)
	{
		int			column = expression->args[expression->args[0]->kind != EXPRESSION_COLUMN]->number;

		null = null_of_either(self, &evaluation->relation->columns[column].null, &(SharedBits) {0});
		return truth(self, answer, null);
	}
	x = evaluate_part(evaluation, expression->args[0]);
	y = evaluate_part(evaluation, expression->args[1]);
	answer = compare_by_kind(self, expression->kind, &x, &y);
	null = null_of_either(self, &x.null, &y.null);
	column_free(&x);
	column_free(&y);
	return truth(self, answer, null);
}

/* ---- AND and OR of several ---- */

/*
 * all = AND of true, and AND of not false; any = OR of true, and OR of not false.  The two
 * side by side as 2 n values; what is in the one and not in the other is NULL.
 */
static SharedColumn
combine(Party *self, const SharedColumn *truths, int count, bool all)
{
	size_t		n = truths->bits.n;
	bool		nullable = false;
	SharedBits	planes;
	SharedBits	result;
	SharedColumn column = {.type = {{SECRET_BOOLEAN, 1, 0, false}}};

	for (int i = 0; i < count; i++)
		nullable = nullable || truths[i].null.mine != NULL;
	planes = shared_bits_alloc(count, nullable ? 2 * n : n);
	result = shared_bits_alloc(1, planes.n);
	for (int i = 0; i < count; i++)
	{
		SharedBits	plane = shared_bits_view(&planes, i, 1);
		SharedBits	possible;
		SharedBits	both;

		if (!nullable)
		{
			shared_bits_copy(&plane, &truths[i].bits);
			continue;
		}
		possible = plane_copy(&truths[i].bits);
		if (truths[i].null.mine)
			logic_xor(&possible, &truths[i].null);
		both = shared_bits_append(&truths[i].bits, &possible);
		shared_bits_copy(&plane, &both);
		shared_bits_free(&possible);
		shared_bits_free(&both);
	}
	if (all)
		logic_and_all(self, &result, &planes);
	else
		logic_or_all(self, &result, &planes);
	column.bits = shared_bits_cut(&result, 0, n);
	if (nullable)
	{
		column.type.type.nullable = true;
		column.null = shared_bits_cut(&result, n, n);
		logic_xor(&column.null, &column.bits);
	}
	shared_bits_free(&planes);
	shared_bits_free(&result);
	return column;
}

static SharedColumn
combine_and_free(Party *self, SharedColumn *truths, int count, bool all)
{
	SharedColumn column = combine(self, truths, count, all);

	for (int i = 0; i < count; i++)
		column_free(&truths[i]);
	pfree(truths);
	return column;
}

SharedColumn
evaluate_logic(Evaluation *evaluation, const Expression *expression)
{
	SharedColumn *truths;
	SharedColumn column;

	if (expression->kind == EXPRESSION_AND || expression->kind == EXPRESSION_OR)
	{
		truths = palloc(expression->nargs * sizeof(SharedColumn));
		for (int i = 0; i < expression->nargs; i++)
			truths[i] = evaluate_part(evaluation, expression->args[i]);
		return combine_and_free(evaluation->self, truths, expression->nargs, expression->kind == EXPRESSION_AND);
	}

	column = evaluate_part(evaluation, expression->args[0]);
	if (expression->kind == EXPRESSION_IS_TRUE)
	{
		if (column.null.mine)
			shared_bits_free(&column.null);
		column.type.type.nullable = false;
		return column;
	}
	/* NOT: true where it is neither true nor NULL. */
	if (column.null.mine)
		logic_xor(&column.bits, &column.null);
	logic_not(evaluation->self, &column.bits);
	return column;
}

/* ---- IN ---- */

/* x = one of the public numbers first to first + count - 1 of the list, all of them in the same rounds. */
static SharedBits
equal_to_some(Party *self, const SharedColumn *x, const uint64 *list, int count, int bits)
{
	size_t		n = column_rows(x);
	Shared64	repeated = shared64_alloc(count * n);
	uint64	   *bounds = table_words(count * n);
	SharedBits	answers = shared_bits_alloc(1, count * n);
	SharedBits	planes = shared_bits_alloc(count, n);
	SharedBits	any = shared_bits_alloc(1, n);

	for (int k = 0; k < count; k++)
	{
		Shared64	part = shared64_view(&repeated, k * n, n);

		shared64_copy(&part, &x->number);
		for (size_t v = 0; v < n; v++)
			bounds[k * n + v] = list[k];
	}
	compare_equal_public(self, &answers, &repeated, bounds, count * n, bits);
	for (int k = 0; k < count; k++)
	{
		SharedBits	plane = shared_bits_view(&planes, k, 1);
		SharedBits	answer = shared_bits_cut(&answers, k * n, n);

		shared_bits_copy(&plane, &answer);
		shared_bits_free(&answer);
	}
	logic_or_all(self, &any, &planes);
	shared64_free(&repeated);
	pfree(bounds);
	shared_bits_free(&answers);
	shared_bits_free(&planes);
	return any;
}

/* Of public numbers, none of them NULL. */
static SharedColumn
evaluate_in_numbers(Evaluation *evaluation, SharedColumn *x, const uint64 *list, int count, int bits)
{
	Party	   *self = evaluation->self;
	int			batch = Max(BATCH_VALUES_MAX / Max(column_rows(x), 1), 1);
	SharedBits	any = {0};
	SharedBits	null = null_of_either(self, &x->null, &(SharedBits) {0});

	for (int first = 0; first < count; first += batch)
	{
		SharedBits	some = equal_to_some(self, x, list + first, Min(batch, count - first), bits);

		if (any.mine == NULL)
			any = some;
		else
		{
			/* Never both. */
			logic_xor(&any, &some);
			shared_bits_free(&some);
		}
	}
	column_free(x);
	return truth(self, any, null);
}

static int
by_number(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* The different numbers of the list, if it has nothing but public numbers. */
static int
public_numbers(const Evaluation *evaluation, const Expression *expression, uint64 *list, ColumnType *both)
{
	int			n = 0;
	int			different = 0;

	*both = evaluation_type(evaluation, expression->args[0]);
	for (int i = 1; i < expression->nargs; i++)
	{
		const PublicValue *value = evaluation_public(evaluation, expression->args[i]);
		ColumnType	type = evaluation_type(evaluation, expression->args[i]);

		if (value == NULL || value->null || !column_type_join(both, both, &type) || !column_type_is_number(both))
			return 0;
		list[n++] = value->number;
	}
	qsort(list, n, sizeof(uint64), by_number);
	for (int i = 0; i < n; i++)
		if (i == 0 || list[i] != list[i - 1])
			list[different++] = list[i];
	return different;
}

static SharedColumn
evaluate_in_any(Evaluation *evaluation, SharedColumn *x, const Expression *expression)
{
	Party	   *self = evaluation->self;
	int			count = expression->nargs - 1;
	SharedColumn *truths = palloc(count * sizeof(SharedColumn));

	for (int i = 0; i < count; i++)
	{
		SharedColumn y = evaluate_part(evaluation, expression->args[i + 1]);

		truths[i] = truth(self, column_equal(self, x, &y), null_of_either(self, &x->null, &y.null));
		column_free(&y);
	}
	column_free(x);
	return combine_and_free(self, truths, count, false);
}

SharedColumn
evaluate_in(Evaluation *evaluation, const Expression *expression)
{
	uint64	   *list = palloc(expression->nargs * sizeof(uint64));
	SharedColumn x = evaluate_part(evaluation, expression->args[0]);
	SharedColumn result;
	ColumnType	both;
	int			count = public_numbers(evaluation, expression, list, &both);

	if (count > 0)
		result = evaluate_in_numbers(evaluation, &x, list, count, both.type.bits);
	else
		result = evaluate_in_any(evaluation, &x, expression);
	pfree(list);
	return result;
}
