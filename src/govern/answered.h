/*
 * answered.h
 *	  Answers that this site has shared sums for: whom they are about, to compare new questions with.
 *
 *	  secmed.answered_run		runs, and which content each has
 *	  secmed.answered_content	answers about the same patients, group by group, are one content
 *	  secmed.answered_group		a sketch of each of its groups (contract/cohort.h)
 *
 * An answer is there before its shares leave, whether or not it comes to be opened: only the parties' own
 * word that nothing was opened takes it away.
 */
#ifndef SECMED_ANSWERED_H
#define SECMED_ANSWERED_H

#include "postgres.h"
#include "contract/earlier.h"
#include "contract/request.h"
#include "nodes/pg_list.h"

/* The site's key for prints of patients; made when it is first asked for. */
extern int64 answered_key(void);

/* Nobody else reads or adds answers until the end of the transaction. */
extern void answered_lock(void);

typedef struct AnsweredList
{
	EarlierAnswers earlier;
	uint8		(*contents)[HASH_BYTES];	/* of each, and then those that are not listed */
	size_t		elements;		/* that a site shares of those that are listed */
	int			nunlisted;		/* older ones, for which there is no room */
	uint32	   *unlisted_groups;
} AnsweredList;

/*
 * Answers about any of these tables, the latest first; of the actor "node:role", or of everybody if it is NULL.  As many are
 * listed as earlier.h has room for, with k parts of cells to be compared.
 */
extern void answered_list(AnsweredList *list, const List *tables, const char *actor, size_t k);

/* Of a group of a content, and of each table that tells its patients apart. */
typedef struct AnsweredGroup
{
	uint32		number;
	char	   *label;
	List	   *measures;		/* of String: the columns that it is made of */
	int64		patients;
	const void *chosen;			/* a sketch of whom conditions choose */
	size_t		chosen_len;
	const void *present;		/* of those who have values; or NULL: the same */
	size_t		present_len;
} AnsweredGroup;

/* All groups of a content that have rows here, by number. */
extern void answered_read(const uint8 content[HASH_BYTES], void (*take) (const AnsweredGroup *group, void *arg), void *arg);

/*
 * The run is about to share: its content has so many groups, of which n (group, label) have rows here.
 * Durable when the transaction has committed.
 */
extern void answered_record(const Request *request, const List *tables, const uint8 content[HASH_BYTES], uint32 groups,
							const AnsweredGroup *rows, size_t n);

/* Nothing of it was opened. */
extern void answered_forget(const uint8 run[RUN_ID_BYTES]);

#endif							/* SECMED_ANSWERED_H */
