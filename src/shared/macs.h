/*
 * macs.h
 *	  Keyed fingerprints of rows, so that two parties can compare a summand
 *	  they both hold through a coordinator who must not learn it.
 *
 * The two holders of a summand have a key that nobody else has: a hash of the
 * X25519 product of their nodes' sealing keys and the coordinator's nonce.  A
 * row's MAC is keyed BLAKE2b over its id and its summand; that of many rows is
 * the sum of theirs modulo 2^128 (Bellare, Micciancio, EUROCRYPT 1997, section
 * 5, with a keyed function), so that a row more, less or twice shows.
 */
#ifndef SECMED_SHARED_MACS_H
#define SECMED_SHARED_MACS_H

#include "shared/table.h"

#define MAC_KEY_BYTES	32

/* Keys of the summands mine (with the previous party) and next (with the next). */
typedef struct MacKeys
{
	uint8		mine[MAC_KEY_BYTES];
	uint8		next[MAC_KEY_BYTES];
} MacKeys;

extern void mac_keys(MacKeys *keys, const SharedTable *table, const uint8 nonce[WRITE_ID_BYTES]);
extern void mac_row(uint8 mac[SHARED_MAC_BYTES], const uint8 key[MAC_KEY_BYTES], int64 row_id,
					const uint8 *row, int width);

/* sum += mac, little-endian modulo 2^128. */
extern void mac_add(uint8 sum[SHARED_MAC_BYTES], const uint8 mac[SHARED_MAC_BYTES]);

/* Which of DIGEST_BUCKETS a row belongs to. */
extern int	mac_bucket(int64 row_id);

#endif							/* SECMED_SHARED_MACS_H */
