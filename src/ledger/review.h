/*
 * review.h
 *	  That an officer has examined entries, signed (45 CFR 164.312(b); 21 CFR
 *	  11.50: the signer's printed name, the time, and what the signature means).
 *
 *	  REVIEWED  outcome   the meaning: "reviewed", "approved", ...
 *	            object    the signer's printed name
 *	            actor     the role that the signer was logged in as
 *	            plan      leaf hash of the last entry that was examined, which binds
 *	                      the signature to it and to all before it (11.70)
 *	            counters  [first, last, first, last, ...], rising ranges of entries
 *	                      before this one
 *	            revealed  "", or the signer's own key, a space, and his signature in
 *	                      base64
 *
 * A remark may be its body.  The signer's own key is one of kind 0x01 as notes
 * write it ("secmed keygen"); it signs, as a note's text ("secmed sign"),
 *
 *	  secmed.review/SITE
 *	  FIRST-LAST FIRST-LAST ...
 *	  BASE64(plan)
 *	  NAME
 *	  MEANING
 */
#ifndef SECMED_REVIEW_H
#define SECMED_REVIEW_H

#include "ledger/history.h"

/* Longest meaning: an outcome. */
#define REVIEW_RANGES_MAX	(ENTRY_COUNTERS_MAX / 2)

/* What is signed, appended to out. */
extern void review_statement(StringInfo out, const LedgerEntry *entry);

/*
 * "revealed", of the statement signed by this key as a note: palloc'd; NULL if
 * the note is not of that key.  Whether it is of that statement, review_problem()
 * says.
 */
extern char *review_signature(const NoteKey *key, const char *note, size_t len);

/* What is wrong with one that was read or will be appended (its site and seq set), or NULL. */
extern const char *review_problem(const LedgerEntry *entry);

/* The same of every kind that is about the ledger and can be judged alone: HEAD, ERASED, REVIEWED. */
extern const char *entry_meaning_problem(const LedgerEntry *entry);

#endif							/* SECMED_REVIEW_H */
