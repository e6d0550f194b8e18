/*
 * type.h
 *	  What type an expression has, in which range its values are, and why it is refused.
 *
 * Nothing wraps: values have public bounds, those of a result follow from
 * those of its arguments, and what might not fit in 64 bits is refused
 * before anything is computed.
 */
#ifndef SECMED_OBLIVIOUS_TYPE_H
#define SECMED_OBLIVIOUS_TYPE_H

#include "base/base.h"
#include "oblivious/expression.h"

/*
 * A type with the range of its numbers, which may be narrower than its bits.  `bits` are the
 * least that hold the range; more than 64, up to 128, only for sums.  Booleans and texts have no range.
 */
typedef struct ColumnType
{
	SecretType	type;
	int128		low;
	int128		high;
} ColumnType;

/* What expressions may refer to. */
typedef struct ExpressionScope
{
	int			ncolumns;
	const ColumnType *columns;
	int			nparams;
	const SecretType *params;
} ExpressionScope;

/*
 * Why an expression or a node is refused: "could overflow 64 bits".  What it says
 * is to follow a name of what is meant; `where` is the innermost expression, or NULL.
 */
typedef struct Refusal
{
	const Expression *where;
	char		reason[160];
} Refusal;

/*
 * False with a refusal.  *range_checks, which may be NULL, counts the casts in it
 * to a type that may be too narrow: those fail the run if a row that is there does not fit.
 *
 *	  x + y, x - y, -x    ranges add; of dates and timestamps see expression.h
 *	  x * y               integer, numeric (scales add), float (rounded down to 2^-24)
 *	  comparisons, IN     boolean; also of numbers of more than 64 bits
 *	  CASE, COALESCE, LEAST, GREATEST   arguments of one kind and scale; not of more than 64 bits
 *	  date parts          integers
 *	  casts               between bits of one kind, with the check above; numeric to a higher
 *	                      scale; integer to numeric and to float; boolean to integer; date to
 *	                      timestamp and back; text to longer text
 */
extern bool expression_type(ColumnType *out, const Expression *expression, const ExpressionScope *scope,
							int *range_checks, Refusal *refusal);

/* A type with the whole range of its bits. */
extern ColumnType column_type(SecretType type);

/* A type of this kind and scale for numbers in this range. */
extern ColumnType column_type_of_range(SecretKind kind, int scale, int128 low, int128 high, bool nullable);

/* One type for values of both; false if they differ in kind or scale. */
extern bool column_type_join(ColumnType *out, const ColumnType *a, const ColumnType *b);

/* In more than 64 bits: held as bits, and only for comparing, sorting and opening. */
extern bool column_type_is_wide(const ColumnType *type);

/* Held as a number modulo 2^64; else as bits. */
extern bool column_type_is_number(const ColumnType *type);

/* Always false, so that it can be returned. */
extern bool refuse_expression(Refusal *refusal, const Expression *where, const char *fmt,...) pg_attribute_printf(3, 4);

#endif							/* SECMED_OBLIVIOUS_TYPE_H */
