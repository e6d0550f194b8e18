/*
 * story.h
 *	  Do the entries of each run tell a whole story: asked, decided, executed,
 *	  ended?
 *
 * A decision that says yes and an outcome that reveals follow on a request of the
 * same run, an execution on a decision that said yes; an outcome ends what one request began (a node
 * that asks itself, too, has two of each).  Of local actions CLOSED ends what
 * INTENT or CHANGE began, by run and number.  Where they don't, the ledger's
 * owner did not write down what came before, or it got lost before it was
 * appended; the chain can't tell, so this is counted and told, and is no fault
 * of the export.  So are requests that have no outcome: they go on, or their
 * node stopped while they did.
 */
#ifndef SECMED_STORY_H
#define SECMED_STORY_H

#include "ledger/entry.h"

typedef struct RunCounts
{
	uint64		requests;		/* intents and changes among them */
	uint64		open;			/* of them, without an end */
	uint64		unfounded;		/* entries that follow on nothing */
	uint64		first_unfounded;	/* if there is one: its number */
} RunCounts;

typedef struct RunState
{
	uint8		run[RUN_ID_BYTES];
	bool		yes;			/* a decision said so */
	uint32		open;			/* requests without an outcome; 0: a free place */
} RunState;

typedef struct Stories
{
	RunCounts	counts;
	bool		partial;		/* entries were left out: what begins nowhere may have begun there */
	uint64		secret;			/* runs are named by others: nobody chooses our places */
	uint64		room;			/* a power of two */
	RunState   *runs;			/* those that are open */
} Stories;

extern void stories_start(Stories *stories);

/* The next entry, of any kind. */
extern void stories_take(Stories *stories, const EntryView *entry);

/* Frees, too. */
extern void stories_end(Stories *stories, RunCounts *counts);

#endif							/* SECMED_STORY_H */
