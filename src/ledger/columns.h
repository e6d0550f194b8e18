/*
 * columns.h
 *	  An entry as a row of CSV (RFC 4180, but with newlines alone), for
 *	  spreadsheets and other tools.
 *
 * seq, at, kind, run, actor, object, plan, outcome, revealed, counters,
 * commitment, spooled_at, hash: as secmed.decode_entry() has them, with
 *
 *	  at         2026-11-20T12:00:00.000001Z
 *	  run        a UUID; "" for null, as with plan, commitment and spooled_at
 *	  actor, object, outcome, revealed
 *	             always in quotation marks, "" inside for one
 *	  plan, commitment, hash
 *	             lower-case hexadecimal
 *	  counters   with a space between two
 *
 * One way to write a row, so that a reader who has the bytes compares.
 */
#ifndef SECMED_COLUMNS_H
#define SECMED_COLUMNS_H

#include "ledger/entry.h"

extern void columns_write(StringInfo out, const EntryView *entry, const uint8 hash[HASH_BYTES]);

/* 2026-11-20T12:00:00.000001Z, of microseconds since 1970 up to ENTRY_AT_US_MAX. */
#define TIME_TEXT_BYTES		32
extern void time_text(char out[TIME_TEXT_BYTES], int64 at_us);

/* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, and a zero byte. */
#define RUN_TEXT_BYTES		37
extern void run_text(char out[RUN_TEXT_BYTES], const uint8 run[RUN_ID_BYTES]);

#endif							/* SECMED_COLUMNS_H */
