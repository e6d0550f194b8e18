/*
 * shuffle.h
 *	  Rows in a random order that no party knows.
 */
#ifndef SECMED_SHUFFLE_H
#define SECMED_SHUFFLE_H

#include "mpc/party.h"
#include "mpc/table.h"

/*
 * The rows of the table in a uniformly random order, in new shares.  [Laur,
 * Willemson, Zhang, ISC 2011; the passing on: Araki et al., CCS 2021;
 * mpc/README.md, "Shuffle"]
 *
 * Rounds: 2 (none if there are no rows).  Sends, with R = 8 n numbers + planes *
 * PLANE_BYTES(n), n = table->n: R bytes by parties 0 and 2, 2 R by party 1.
 * Reveals: nothing; each party knows two of three permutations.
 * Memory: shuffle_need(n) bytes besides the table, 12 a row.
 */
extern void shuffle_table(Party *self, Table *table);
extern uint64 shuffle_need(size_t n);

/* A uniformly random permutation of 0 .. n-1, the same for all who hold the stream. */
extern void shuffle_permutation(Prg *prg, uint32 *order, size_t n);

#endif							/* SECMED_SHUFFLE_H */
