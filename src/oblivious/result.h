/*
 * result.h
 *	  What a party sends to the requester of an opened result, and what that one reads from all three.
 *
 *	  [1, rows, numbers, planes, problems]
 *
 *	  rows      how many; the same at all three
 *	  numbers   both summands of all columns that are numbers, end to end in their
 *	            order: ring64_open_message()
 *	  planes    both summands, packed, of one plane whether a row is there, and for each column
 *	            in its order its planes, if it has any, and the plane of its NULLs, if it may be NULL:
 *	            bits_open_message()
 *	  problems  both summands of one plane, a bit for each problem that the plan may have
 *
 * Which columns there are follows from the checked plan.
 */
#ifndef SECMED_OBLIVIOUS_RESULT_H
#define SECMED_OBLIVIOUS_RESULT_H

#include "base/base.h"
#include "oblivious/check.h"
#include "oblivious/execute.h"

extern void result_message_encode(StringInfo out, const ObliviousResult *result);

/* One party's message, taken apart; points into the bytes. */
typedef struct ResultParts
{
	uint64		rows;
	const uint8 *numbers;
	size_t		numbers_len;
	const uint8 *planes;
	size_t		planes_len;
	const uint8 *problems;
	size_t		problems_len;
} ResultParts;

/* Strict; false with a reason (constant string).  The lengths fit the plan and each other. */
extern bool result_message_decode(ResultParts *out, const CheckedPlan *checked,
								  const void *bytes, size_t len, const char **reason);

/* An opened value: a number of up to 128 bits, 0 or 1, or the bits of a text (secret_to_text()). */
typedef struct OpenedColumn
{
	ColumnType	type;
	int128	   *values;
	bool	   *nulls;			/* NULL if it has none */
} OpenedColumn;

/* rows that are there come first; the others are zeros */
typedef struct OpenedResult
{
	uint64		rows;
	uint64		there;			/* rows that are there: the first so many */
	int			ncolumns;
	OpenedColumn *columns;
	const PlanProblem *problem; /* the first that occurred, or NULL; then no row is there */
} OpenedResult;

/*
 * From the messages of parties 0 to 2.  False with a reason (constant string) if they do not fit
 * together: a party sent what it should not have.
 */
extern bool result_open(OpenedResult *out, const CheckedPlan *checked,
						const uint8 *const messages[PARTIES], const size_t lens[PARTIES], const char **reason);

#endif							/* SECMED_OBLIVIOUS_RESULT_H */
