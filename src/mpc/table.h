/*
 * table.h
 *	  Columns of the same number of rows, shared: what operators work on.
 *
 * A column holds numbers (Shared64) or bits (SharedBits: as many planes as its
 * owner declares).  A bit of validity is a column of one plane; rows without
 * it are no rows, and what they hold means nothing and must not be opened.  A
 * column that may be NULL is two: one plane that says so, and the value, which is zero
 * wherever that plane is 1.  All NULLs are thus equal, as GROUP BY and DISTINCT want.
 *
 * Everything here is local.  Permutations are known to whoever calls.
 */
#ifndef SECMED_TABLE_H
#define SECMED_TABLE_H

#include "base/base.h"
#include "share/bits.h"
#include "share/ring64.h"

/* Rows are numbered in 32 bits. */
#define TABLE_ROWS_MAX	UINT32_MAX

typedef struct Table
{
	size_t		n;				/* rows */
	int			numbers;
	Shared64   *number;			/* its columns of numbers ... */
	int			slices;
	SharedBits *slice;			/* ... and of bits; their vectors belong to the table */
} Table;

/*
 * Row v becomes what row from[v] was, and there are n of them: fewer than
 * before if only a part is wanted.  Takes 8 bytes a row besides, for a time: one
 * vector after the other is replaced.
 */
extern void table_take(Table *table, const uint32 *from, size_t n);

/* Planes that the number of a row, 0 to n - 1, takes: log2 n. */
static inline int
table_row_planes(size_t n)
{
	int			planes = 0;

	while ((UINT64CONST(1) << planes) < n)
		planes++;
	return planes;
}

/* A table of n rows without columns; and an end of all columns, which are wiped. */
extern Table table_create(size_t n);
extern void table_destroy(Table *table);

/*
 * Takes a column over, as the last of its kind; and gives one away.  For tables of table_create(), or
 * where number and slice are palloc'd.
 */
extern void table_add_number(Table *table, Shared64 column);
extern void table_add_slice(Table *table, SharedBits column);
extern Shared64 table_remove_number(Table *table, int column);
extern SharedBits table_remove_slice(Table *table, int column);

/* Rows of zeros behind the others, up to n of them in all. */
extern void table_pad(Table *table, size_t n);

/* Planes of all columns of bits. */
extern int	table_planes(const Table *table);

/* Bytes of both summands of all columns. */
extern uint64 table_bytes(const Table *table);

/*
 * Planes 64 * group to 64 * group + 63 of all columns of bits, of one of the two summands: how many
 * there are, and where.
 */
extern int	table_groups(const Table *table);
extern int	table_group(const Table *table, bool next, int group, uint64 *planes_of[64]);

/* to[v] = from[index[v]] */
extern void table_gather(uint64 *to, const uint64 *from, const uint32 *index, size_t n);

/* Memory for n words, of any size; wiped when freed. */
extern uint64 *table_words(size_t n);
extern void table_free_words(uint64 *words, size_t n);

#endif							/* SECMED_TABLE_H */
