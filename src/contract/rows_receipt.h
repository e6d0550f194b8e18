/*
 * rows_receipt.h
 *	  A site's receipt for rows that it shared for one run over shares (oblivious/source.h).
 *
 *	  signed by the site for "secmed/rows/1":
 *	  ["rows", run, plan hash, site, [[rows, patients_min], ...], [hash of sealed 0, 1, 2]]
 *
 * One pair for each input of the plan whose rows come from sites, in their order: how many rows, padding included, and the
 * site's own smallest number of patients for the tables it is of.  The receipt binds the sealed packages to run
 * and plan, and carries the thresholds to the parties past a coordinator who might like lower ones.
 *
 * A sealed package is, for each of these inputs, the party's package of these rows (share/rows.h), end to end; columns
 * are those of the input, with validity.
 */
#ifndef SECMED_ROWS_RECEIPT_H
#define SECMED_ROWS_RECEIPT_H

#include "base/base.h"
#include "crypto/hash.h"
#include "ledger/entry.h"

typedef struct RowsShared
{
	uint64		rows;
	uint64		patients_min;	/* at least 1 */
} RowsShared;

typedef struct RowsReceipt
{
	uint8		run[RUN_ID_BYTES];
	uint8		plan[HASH_BYTES];
	char	   *site;
	int			ninputs;
	RowsShared	inputs[TABLES_MAX];
	uint8		sealed[PARTIES][HASH_BYTES];
} RowsReceipt;

extern void rows_receipt_encode(StringInfo out, const RowsReceipt *receipt);

/* Strict and bounded; false with a reason (constant string). */
extern bool rows_receipt_decode(RowsReceipt *receipt, const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_ROWS_RECEIPT_H */
