/*
 * erasure.h
 *	  One node asks another to forget what it keeps of runs, and its receipt.
 *
 *	  order     [BYTES, signature]
 *	    BYTES   [1, "erase", from, to, ordered_us, basis, [run, ...]]
 *	  receipt   [BYTES, signature]
 *	    BYTES   [1, "erased", node, SHA-256 of the order's BYTES, erased_us, count, refused]
 *
 * Signed by from for purpose "secmed/erase/1", by node for "secmed/erased/1".
 * count is of bodies that were deleted, 0 if there were none; refused is "",
 * or why nothing was.
 */
#ifndef SECMED_ERASURE_H
#define SECMED_ERASURE_H

#include "identity/card.h"

#define ERASE_PURPOSE		"secmed/erase/1"
#define ERASED_PURPOSE		"secmed/erased/1"
/* Of one order: a subject with more is worth several. */
#define ERASE_RUNS_MAX		1000
#define ERASE_RUN_BYTES		16
#define ERASE_TEXT_MAX		512

typedef struct ErasureOrder
{
	char		from[NODE_NAME_BYTES_MAX + 1];
	char		to[NODE_NAME_BYTES_MAX + 1];
	int64		ordered_us;
	const char *basis;
	int			nruns;
	uint8		(*runs)[ERASE_RUN_BYTES];
} ErasureOrder;

typedef struct ErasureReceipt
{
	char		node[NODE_NAME_BYTES_MAX + 1];
	uint8		order[HASH_BYTES];
	int64		erased_us;
	uint64		count;
	const char *refused;
} ErasureReceipt;

/* What is signed, and a message: both appended to out. */
extern void order_encode(StringInfo out, const ErasureOrder *order);
extern void receipt_of_order_encode(StringInfo out, const ErasureReceipt *receipt);
extern void erasure_seal(StringInfo out, const StringInfoData *bytes, const char *purpose,
						 const uint8 secret_key[SIGN_SECRET_BYTES]);

/* Takes a message apart, whose signature must be by this key; false with a reason. Points into it. */
extern bool erasure_open(const uint8 **bytes, size_t *bytes_len, const void *message, size_t len,
						 const char *purpose, const uint8 public_key[SIGN_PUBLIC_BYTES], const char **reason);

/* Strict; false with a reason. Strings and runs are palloc'd. */
extern bool order_decode(ErasureOrder *order, const void *bytes, size_t len, const char **reason);
extern bool receipt_of_order_decode(ErasureReceipt *receipt, const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_ERASURE_H */
