/*
 * keys.h
 *	  Sort keys of shuffled rows, one row after the other, while their order is found.
 *
 * A key is one unsigned number of `planes` bits, from its last bit up: the number that the row had before
 * the shuffle, the key columns from the last to the first, validity.  Signs are
 * inverted, descending columns altogether, validity too.  The columns that are in the
 * key are taken out of the table and come back from the sorted keys, so
 * they are held once.
 */
#ifndef SECMED_KEYS_H
#define SECMED_KEYS_H

#include "mpc/party.h"
#include "mpc/sort.h"
#include "mpc/table.h"

typedef struct KeyRows
{
	size_t		n;
	int			planes;			/* W */
	int			parts;			/* of 32 bits, in a summand of a key */
	bool		numbered;		/* has the row's place in the table behind the key */
	int			units;			/* of 32 bits, in a row: summand `mine`, summand `next`, place */
	uint32	   *unit;
	uint32	   *spare;			/* so many rows, for moving some aside */
	size_t		spare_rows;
} KeyRows;

/* What a key is made of. */
typedef struct KeySource
{
	const SortKey *keys;
	int			count;
	int			valid;			/* or SORT_ALL_VALID */
	int			number;			/* the column with the row's number */
} KeySource;

extern int	keys_planes(const Table *table, const KeySource *source);

/* Bytes that the keys of n rows take. */
extern uint64 keys_bytes(const Table *table, const KeySource *source, size_t spare_rows);

/* Bytes of the columns that are not in the key. */
extern uint64 keys_others_bytes(const Table *table, const KeySource *source);

/* Takes the key columns out of the table: they have no vectors until they are put back. */
extern void keys_take(Party *self, KeyRows *rows, Table *table, const KeySource *source, size_t spare_rows);

/*
 * Puts the key columns back, in the order of the rows, without the column of numbers,
 * and then moves the others into that order.  Frees the rows.
 */
extern void keys_put_back(Party *self, KeyRows *rows, Table *table, const KeySource *source);

/* Rows in other places. */
extern void keys_swap(KeyRows *rows, size_t u, size_t v);
extern void keys_set_aside(KeyRows *rows, size_t spare, size_t from, size_t n);
extern void keys_bring_back(KeyRows *rows, size_t to, size_t spare, size_t n);
extern void keys_move(KeyRows *rows, size_t to, size_t from, size_t n);	/* may overlap */

/*
 * One summand of up to VECTOR_BLOCK pairs of rows, sliced: in plane k of a (VECTOR_BLOCK_WORDS words
 * each) bit k of the right row's key, and in p that XOR bit k of the left row's.
 */
extern void keys_slice_pairs(const KeyRows *rows, bool next, const uint32 *left, const uint32 *right,
							 size_t pairs, uint64 *a, uint64 *p);

#endif							/* SECMED_KEYS_H */
