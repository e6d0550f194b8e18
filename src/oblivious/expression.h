/*
 * expression.h
 *	  Expressions of oblivious plans: what is computed from a row's columns.
 *
 * A tree.  Each node has a type that follows from its arguments (check.h), and
 * NULL, comparison, AND, OR and NOT are those of SQL.
 *
 * As bytes (base/cbor.h):
 *
 *	  column           [1, column]
 *	  constant         [2, type, value]
 *	  parameter        [3, number]
 *	  cast             [4, type, argument]
 *	  everything else  [kind, argument, ...]
 *
 * value is null, true or false, an integer (for numbers as in share/secret.h), or the
 * bytes of a text without its padding.
 */
#ifndef SECMED_OBLIVIOUS_EXPRESSION_H
#define SECMED_OBLIVIOUS_EXPRESSION_H

#include "base/base.h"
#include "base/cbor.h"
#include "share/secret.h"

typedef enum ExpressionKind
{
	EXPRESSION_COLUMN = 1,
	EXPRESSION_CONSTANT = 2,
	EXPRESSION_PARAMETER = 3,
	/* To another type: see check.h for which, and for what does not fit. */
	EXPRESSION_CAST = 4,

	/*
	 * Numbers of one kind and, if numeric, one scale; products of numerics
	 * add the scales.  Also date + integer, date - integer, date - date (days),
	 * timestamp + integer, timestamp - integer, timestamp - timestamp (microseconds).
	 */
	EXPRESSION_ADD = 5,
	EXPRESSION_SUBTRACT = 6,
	EXPRESSION_MULTIPLY = 7,
	EXPRESSION_NEGATE = 8,

	/*
	 * Both sides are of one kind and scale; texts of different lengths compare
	 * as if padded, and order as in the C collation.  false < true.
	 */
	EXPRESSION_EQUAL = 9,
	EXPRESSION_NOT_EQUAL = 10,
	EXPRESSION_LESS = 11,
	EXPRESSION_LESS_EQUAL = 12,
	EXPRESSION_GREATER = 13,
	EXPRESSION_GREATER_EQUAL = 14,
	EXPRESSION_DISTINCT = 15,	/* IS DISTINCT FROM: never NULL */

	EXPRESSION_AND = 16,		/* two arguments or more */
	EXPRESSION_OR = 17,			/* two arguments or more */
	EXPRESSION_NOT = 18,
	EXPRESSION_IS_NULL = 19,
	EXPRESSION_IS_TRUE = 20,	/* never NULL; NOT of it is IS NOT TRUE */

	EXPRESSION_CASE = 21,		/* condition, value, condition, value, ..., value of ELSE */
	EXPRESSION_COALESCE = 22,	/* two arguments or more */
	EXPRESSION_IN = 23,			/* value, then one or more it may be equal to */
	EXPRESSION_LEAST = 24,		/* two arguments or more; NULLs do not count */
	EXPRESSION_GREATEST = 25,

	/* Of a date; integers, as PostgreSQL's extract(). */
	EXPRESSION_YEAR = 26,
	EXPRESSION_QUARTER = 27,
	EXPRESSION_MONTH = 28,
	EXPRESSION_DAY = 29,
	EXPRESSION_DOW = 30			/* Sunday is 0 */
} ExpressionKind;

#define EXPRESSION_KIND_MAX		EXPRESSION_DOW

/* A public value of some type: a constant of a plan, or the value of a parameter. */
typedef struct PublicValue
{
	bool		null;
	int64		number;			/* 0 or 1 if boolean */
	int			len;			/* bytes of a text */
	char		text[SECRET_TEXT_BYTES_MAX];
} PublicValue;

typedef struct Expression Expression;

struct Expression
{
	ExpressionKind kind;
	int			number;			/* of a column of the child, or of a parameter; from 0 */
	SecretType	type;			/* of a constant or a cast: not nullable, unless it is NULL */
	PublicValue value;			/* of a constant */
	int			nargs;
	Expression **args;
};

/*
 * To build with; arguments become part of the result.  A constant's type is
 * as given, but nullable if and only if the value is NULL.
 */
extern Expression *expression_column(int column);
extern Expression *expression_constant(SecretType type, PublicValue value);
extern Expression *expression_number(SecretType type, int64 number);
extern Expression *expression_boolean(bool value);
extern Expression *expression_text(const char *text);	/* as long as it is; at most 16 bytes */
extern Expression *expression_null(SecretType type);
extern Expression *expression_parameter(int number);
extern Expression *expression_cast(Expression *arg, SecretType type);
extern Expression *expression_make(ExpressionKind kind, int nargs, Expression **args);
extern Expression *expression_unary(ExpressionKind kind, Expression *arg);
extern Expression *expression_binary(ExpressionKind kind, Expression *left, Expression *right);

/* The same tree, constants included? */
extern bool expression_equal(const Expression *a, const Expression *b);

extern void expression_encode(StringInfo out, const Expression *expression);

/*
 * The next element.  At most EXPRESSION_DEPTH_MAX deep; *budget is how many nodes
 * there may still be, and counts down.  NULL and in->error set if it is none.
 */
extern Expression *expression_read(CborReader *in, int *budget);

/* A value of a type, alone: of constants, and for messages that carry parameters. */
extern void public_value_encode(StringInfo out, const SecretType *type, const PublicValue *value);
extern void public_value_read(CborReader *in, const SecretType *type, PublicValue *value);

/* "less than", "year of a date": for messages. */
extern const char *expression_kind_name(ExpressionKind kind);

#endif							/* SECMED_OBLIVIOUS_EXPRESSION_H */
