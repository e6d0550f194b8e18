/*
 * lint.h
 *	  What must not get into the ledger, though it is well formed: anything from
 *	  which a patient's details could be read or guessed.
 *
 * An entry can't be taken back, and others hold copies.  So the text of
 * statements, and hashes of anything that is not secret itself (a hash of a
 * name or a number of a record is found by trying), belong into the side
 * table, under the commitment.  This is a net under the code that appends,
 * not a proof: it knows the shapes of statements and of hashes.
 */
#ifndef SECMED_LINT_H
#define SECMED_LINT_H

#include "ledger/entry.h"

/* The shortest hash that is looked for, in hex digits: MD5. */
#define LINT_HEX_DIGITS		32

/*
 * What is wrong with the fields the appender sets, a verb phrase for "the
 * entry %s", or NULL.  has_payload: its body comes with it, so its commitment
 * is one.
 */
extern const char *entry_lint(const LedgerEntry *entry, bool has_payload);

/* Does text look like a statement, or a part of one that holds a constant? */
extern bool text_is_sql(const char *text);

/* Has it a row of hexadecimal digits as long as a hash? */
extern bool text_has_hash(const char *text);

#endif							/* SECMED_LINT_H */
