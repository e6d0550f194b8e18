/*
 * ask.h
 *	  The passes of a regression as SQL over its relation, by SPI.
 *
 * One statement is prepared for all iterations; the coefficients are its
 * parameter.  Over a federation each pass is thus one ordinary question with
 * all its rules: thresholds, ledgers, time limits; a cancel ends it at all nodes.
 * People at sites who approve runs are asked once for all of them (query/submission.h).
 */
#ifndef SECMED_ASK_H
#define SECMED_ASK_H

#include "postgres.h"
#include "executor/spi.h"
#include "model/design.h"
#include "stats/glm.h"

typedef struct Asker
{
	const Design *design;
	SPIPlanPtr	plan;
	int64		rows;			/* of the relation under the condition */
	bool		proposed;		/* a submission: the question is put before people, and there are no sums */
	int			passes;			/* so far */
	int			passes_max;		/* that people are told of, and who looks at secmed.progress */
} Asker;

/* Needs design_expand(). */
extern void asker_start(Asker *asker, const Design *design);

/* A GlmModel's `ask`; arg is the Asker. */
extern void asker_ask(void *arg, const GlmPoint *point, double *sums, uint32 *marks);

/*
 * Counts the complete rows of each level, over a federation, whose public
 * values need not all occur, and drops levels without rows.  An error names a
 * level with too few patients.
 */
extern void asker_drop_empty_levels(Design *design);

#endif							/* SECMED_ASK_H */
