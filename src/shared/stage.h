/*
 * stage.h
 *	  Changes of shared tables, kept at a party until their fate is known.
 *
 * A change reaches all three parties or none, whoever crashes when:
 *
 *	  1 the coordinator inserts a row of secmed.shared_write into the analyst's
 *	    transaction;
 *	  2 each party stages what it is sent, in transactions of its own
 *	    (secmed.shared_staged), before the statement ends;
 *	  3 the analyst's transaction commits or does not.  That decides, in one
 *	    place: COMMIT, ROLLBACK and savepoints are PostgreSQL's own;
 *	  4 a party asks the coordinator: is the row there?  Then it applies what
 *	    it has staged, in one transaction; is it not, and the transaction that
 *	    would have committed it over, it forgets it.  Until it knows, it keeps it.
 *
 * A party that has applied a change says so with its next question, and the
 * coordinator forgets a row that all three have applied.  (Presumed abort;
 * Mohan, Lindsay, Obermarck, TODS 1986.)  Step 4 happens before each use of a
 * table, by secmed.resolve_writes(), and by a background worker (resolver.c).
 */
#ifndef SECMED_SHARED_STAGE_H
#define SECMED_SHARED_STAGE_H

#include "nodes/pg_list.h"
#include "shared/table.h"

/* Takes a `stage` question of the node that is connected; commits with the caller's transaction. */
extern void stage_question(const SharedMessage *question, const NodeCard *from);

/* ERRCODE_SECMED_REFUSED unless secmed.allow_shared() lets this node write here. */
extern void stage_require_allowed(const char *table, const NodeCard *from);

/* Queues an entry of a change for the ledger. */
extern void stage_record(const char *table, const uint8 write[WRITE_ID_BYTES], const char *actor,
						 const char *outcome, uint64 rows);

/*
 * New shares of rows that are there, made at this party (load.h, refresh.c):
 * begin refuses while another such change of the table is pending; rows in
 * ascending order of ids, at most SHARED_CHUNK_ROWS at a time, columns as in
 * layout.
 */
extern void stage_replace_begin(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid);
extern void stage_replace_rows(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid,
							   const int *columns, const RowLayout *layout, const int64 *row_ids, size_t n,
							   const uint8 *mine, const uint8 *next);

/* ---- resolving ---- */

typedef struct Resolved
{
	uint64		applied;		/* changes */
	uint64		dropped;
	uint64		waiting;		/* their transactions are still in progress */
} Resolved;

/*
 * Asks this node about all changes it has staged here, and applies or drops
 * them in the current transaction.  One caller at a time; others wait until
 * its transaction has ended, if there was something to do: a long run commits
 * first (a procedure may).
 */
extern Resolved stage_resolve(const char *node);

/* Called now and then while it works or waits, if it is set: for whoever must not fall silent. */
extern void (*stage_step_hook) (void);

/* The nodes that have staged something here, or have not been told that it is done; a List of char *. */
extern List *stage_nodes(void);

/* apply.c: does what was staged. */
extern void apply_chunk(SharedKind kind, const char *table, const uint8 write[WRITE_ID_BYTES],
						uint64 chunk, uint64 rows, const bytea *payload);

/* Appends rows with these ids, ascending; for rebuild.c. */
extern void apply_rows(SharedTable *table, const int64 *ids, size_t n, const uint8 *mine, const uint8 *next);

/*
 * New shares for rows are applied all at once, at the end of their change:
 * apply_chunk() keeps them after apply_begin(), apply_finish() rewrites the table.
 */
extern void apply_begin(void);
extern void apply_finish(void);

/* fates.c: the coordinator's side of a `fates` question. */
extern void fates_answer(const SharedMessage *question, const char *party, SharedMessage *answer);

/* resolver.c: see to it that somebody resolves soon. */
extern void resolver_wake(void);
extern void resolver_init(void);	/* _PG_init */

#endif							/* SECMED_SHARED_STAGE_H */
