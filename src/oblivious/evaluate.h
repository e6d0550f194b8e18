/*
 * evaluate.h
 *	  Expressions of oblivious plans, computed for all rows of a relation.
 *
 * Numbers stay numbers as long as possible: sums, differences, negatives, products with
 * public values and casts send nothing.  Comparisons give bits.  All comparisons of columns with
 * public values that are of one width are done in the same rounds, wherever they
 * are in the expression; every branch of a CASE is computed.  Costs are those of the
 * engine's functions (mpc/README.md) in src/oblivious/README.md.
 *
 * Nothing is revealed.
 */
#ifndef SECMED_OBLIVIOUS_EVALUATE_H
#define SECMED_OBLIVIOUS_EVALUATE_H

#include "base/base.h"
#include "mpc/party.h"
#include "oblivious/expression.h"
#include "oblivious/relation.h"

/* A comparison that was done before it was asked for. */
typedef struct Prepared
{
	const Expression *expression;
	SharedBits	result;			/* means nothing where the column is NULL */
} Prepared;

/* Everything is taken from one relation, which stays as it is. */
typedef struct Evaluation
{
	Party	   *self;
	const SharedRelation *relation;
	ExpressionScope scope;
	const PublicValue *params;

	/*
	 * Rows in which a value does not fit the type of its cast, whether they are there or not; no
	 * memory as long as no cast could fail.
	 */
	SharedBits	unfit;
	int			nprepared;
	Prepared   *prepared;
} Evaluation;

extern void evaluation_start(Evaluation *evaluation, Party *self, const SharedRelation *relation,
							 int nparams, const SecretType *param_types, const PublicValue *params);
extern void evaluation_end(Evaluation *evaluation);

/* Must have a type (expression_type()).  The result belongs to the caller, and may be loose. */
extern SharedColumn evaluate(Evaluation *evaluation, const Expression *expression);

/* The same of a condition: one plane, 1 where it is true. */
extern SharedBits evaluate_condition(Evaluation *evaluation, const Expression *expression);

/* ---- between the files of evaluation ---- */

/* The same as evaluate(), for a part of what was given to it. */
extern SharedColumn evaluate_part(Evaluation *evaluation, const Expression *expression);
extern ColumnType evaluation_type(const Evaluation *evaluation, const Expression *expression);

/* The value if the expression is a constant or a parameter, else NULL. */
extern const PublicValue *evaluation_public(const Evaluation *evaluation, const Expression *expression);

/* NULL where x is, or y; either may have no plane. Rounds: 1 if both have. */
extern SharedBits null_of_either(Party *self, const SharedBits *x, const SharedBits *y);

/* predicate.c: comparisons, IN, and what is made of truth values. */
extern void prepare_comparisons(Evaluation *evaluation, const Expression *expression);
extern SharedColumn evaluate_comparison(Evaluation *evaluation, const Expression *expression);
extern SharedColumn evaluate_in(Evaluation *evaluation, const Expression *expression);
extern SharedColumn evaluate_logic(Evaluation *evaluation, const Expression *expression);

/* less = x < y, for columns of one kind and scale, of any width.  Means nothing where one is NULL. */
extern SharedBits column_less(Party *self, const SharedColumn *x, const SharedColumn *y);
extern SharedBits column_equal(Party *self, const SharedColumn *x, const SharedColumn *y);

/* choice.c: CASE, COALESCE, LEAST, GREATEST. */
extern SharedColumn evaluate_choice(Evaluation *evaluation, const Expression *expression);

/* calendar.c: parts of dates, for numbers of days in SECRET_DATE_BITS; and the day of a timestamp. */
extern void calendar_part(Party *self, Shared64 *part, const Shared64 *days, ExpressionKind kind, bool before_christ);
extern void calendar_day(Party *self, Shared64 *day, const Shared64 *microseconds);

/* q = floor(x / divisor), for 0 <= x < 2^bits, bits at most 31.  Costs: scaled_truncate(). */
extern void divide_by_public(Party *self, Shared64 *q, const Shared64 *x, uint64 divisor, int bits);

#endif							/* SECMED_OBLIVIOUS_EVALUATE_H */
