/*
 * place.h
 *	  Rows to places that nobody knows.
 *
 * A permutation is shared: each row has the number of the place it goes to, or of the row
 * that comes to it.  After a shuffle these numbers may be opened: they are a random
 * permutation then, whatever they were.
 */
#ifndef SECMED_PLACE_H
#define SECMED_PLACE_H

#include "mpc/party.h"
#include "mpc/table.h"

/*
 * Puts each row where a column says (of bits, or of numbers), a permutation of 0 to n - 1.  Of that rows
 * first to first + count - 1 are kept.  The column leaves the table.
 *
 * Rounds: 3.  Sends: shuffle_table(), and to open the column PLANE_BYTES(n) for each of its planes
 * (8 n for numbers) and 32 bytes.  n = 0: 1 round, nothing is sent.
 * Reveals: a random permutation.  Fails if what is opened is no permutation.
 */
extern void place_by_bits(Party *self, Table *table, int column, size_t first, size_t count);
extern void place_by_numbers(Party *self, Table *table, int column, size_t first, size_t count);

/*
 * Row v of the table becomes what row from[v] was, a permutation of 0 to n - 1, n = from->n. If the table has
 * fewer rows, it gets rows of zeros before.
 *
 * Rounds: 6.  Sends: shuffle_table() of one number and table_row_planes(n) planes, 8 n + 32 bytes,
 * and place_by_bits() with table_row_planes(n) planes more than the table has.  n = 0: nothing.
 * Reveals and fails as above.
 */
extern void place_take(Party *self, Table *table, const Shared64 *from);

/* 0, 1, ..., n - 1 in table_row_planes(n) planes, known to all. */
extern SharedBits place_row_numbers(Party *self, size_t n);

#endif							/* SECMED_PLACE_H */
