/*
 * outcome.h
 *	  What a statistic comes to: named values, which become columns.
 *
 * The row type that SQL declares is filled by name (outcome_sql.h); a column
 * that has no value here is NULL.  A value that is not defined (of too few
 * rows, of a constant column) is left out; NaN means that NaN or an infinity
 * was among the rows.
 */
#ifndef SECMED_OUTCOME_H
#define SECMED_OUTCOME_H

#include "base/base.h"

#define OUTCOME_VALUES_MAX		24

typedef enum OutcomeKind
{
	OUTCOME_NUMBER,
	OUTCOME_COUNT,
	OUTCOME_TEXT
} OutcomeKind;

typedef struct OutcomeValue
{
	const char *name;			/* a constant */
	OutcomeKind kind;
	double		number;			/* of a count as well: below 2^53 */
	const char *text;			/* a constant */
} OutcomeValue;

typedef struct Outcome
{
	int			n;
	OutcomeValue values[OUTCOME_VALUES_MAX];
} Outcome;

extern void outcome_number(Outcome *outcome, const char *name, double number);
extern void outcome_count(Outcome *outcome, const char *name, double count);
extern void outcome_text(Outcome *outcome, const char *name, const char *text);

/* NULL if there is none. */
extern const OutcomeValue *outcome_find(const Outcome *outcome, const char *name);

/* Which differences count, of p-values and limits. */
typedef enum Alternative
{
	ALTERNATIVE_LESS = -1,
	ALTERNATIVE_TWO_SIDED = 0,
	ALTERNATIVE_GREATER = 1
} Alternative;

/* "two.sided", "less", "greater", as in R; false if it is none of them. */
extern bool alternative_parse(const char *text, Alternative *out);

#endif							/* SECMED_OUTCOME_H */
