/*
 * writer.h
 *	  Continues the ledger, a transaction at a time (sequencer only).
 *
 *	  writer_begin();
 *	  refusal = writer_open(n);			the ledger's end is known, or a reason why not
 *	  writer_put(...);					at most n times
 *	  writer_flush();					all of it is written, not committed
 *	  writer_commit(flush);				and, with flush, durable
 *
 * or, after an error or instead of committing, writer_abort().
 *
 * What a reader must believe:
 *	- The state of the chain is kept in memory and read from the table only at
 *	  the start, after an abort, and if the table is another one.  Rows that
 *	  somebody removes behind its back are therefore missed by
 *	  secmed.verify_ledger(), not papered over.
 *	- A history begins only with ENTRY_NODE_CREATED of a named site, on an
 *	  empty ledger of a database that has no node yet.
 *
 * That first entry outlives a rollback of create_node().  The ledger then
 * belongs to a node of that name and takes no other's entries; create_node()
 * has to be called again with this name.
 */
#ifndef SECMED_WRITER_H
#define SECMED_WRITER_H

#include "ledger/entry.h"

/* A reason why something can't be appended; neither holds content of an entry. */
typedef struct Refusal
{
	const char *reason;			/* NULL: none */
	const char *hint;
	bool		transient;		/* it may pass; nothing is wrong with the entry */
} Refusal;

/* An entry, without what the sequencer sets, and its body. */
typedef struct Draft
{
	const LedgerEntry *entry;
	const uint8 *salt;
	const void *payload;		/* NULL: none */
	size_t		payload_len;
} Draft;

/* What a draft became. */
typedef struct Place
{
	uint64		seq;
	uint8		leaf[HASH_BYTES];
} Place;

extern void writer_begin(void);

/*
 * Locks the ledger until the end of the transaction, so that it stays the
 * table we know.  There will be room for n entries, at most LEDGER_BATCH.
 */
extern Refusal writer_open(int n);

/* Of a draft that is refused nothing is written. */
extern Refusal writer_put(const Draft *draft, Place *place);
extern void writer_flush(void);

/* Without a flush it is durable with the next one, the walwriter's if no other is sooner. */
extern void writer_commit(bool flush);

/* Also clears an error that is being handled: its message, palloc'd in TopMemoryContext. */
extern char *writer_abort(bool after_error);

#endif							/* SECMED_WRITER_H */
