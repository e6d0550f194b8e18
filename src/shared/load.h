/*
 * load.h
 *	  A party's shares of a table as the engine's vectors, and back.
 */
#ifndef SECMED_SHARED_LOAD_H
#define SECMED_SHARED_LOAD_H

#include "share/columns.h"
#include "shared/table.h"

typedef struct SharedRows
{
	size_t		n;
	int64	   *row_ids;		/* ascending; public */
	int			ncolumns;
	LoadedColumn *columns;
	SharedBits	valid;			/* one plane */

	/*
	 * SHA-256 over generation and row ids: what the three parties must have
	 * alike before they compute (Party.context).  It changes with every write.
	 */
	uint8		digest[HASH_BYTES];
} SharedRows;

/*
 * These columns of a table, by number, in the order of row ids.  Resolve
 * pending writes before (stage.h).  Takes 16 bytes for each number, twice the bits of
 * each text, and 8 for each row id.
 */
extern SharedRows *shared_load(const SharedTable *table, const int *columns, int ncolumns);
extern void shared_rows_free(SharedRows *rows); /* wipes */

/*
 * New shares of these columns, and of validity, for all rows that were
 * loaded: what an UPDATE or DELETE has computed.  Staged as part of the change
 * `write` of the coordinator's transaction xid, which decides on it; the table
 * gets a new generation then.  columns[i] is the i-th of values; valid may be
 * NULL: as it is.  Each party calls it in the same run, with its own vectors.
 * Error if another such change of this table is pending.
 */
extern void shared_store_columns(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid,
								 const SharedRows *base, const int *columns, int ncolumns,
								 const LoadedColumn *values, const SharedBits *valid);

#endif							/* SECMED_SHARED_LOAD_H */
