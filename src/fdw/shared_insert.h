/*
 * shared_insert.h
 *	  INSERT and COPY into a shared table.
 *
 * Rows are kept in the clear in this backend until there are
 * SHARED_CHUNK_ROWS of them, or 8 MB; then they are split and sent.  The
 * change belongs to the transaction (shared/stage.h).
 */
#ifndef SECMED_SHARED_INSERT_H
#define SECMED_SHARED_INSERT_H

#include "postgres.h"
#include "executor/executor.h"
#include "query/shared_table.h"

/* At plan time: what can't be. */
extern void shared_insert_check(const ModifyTable *plan, Oid relid);

extern void shared_insert_begin(ResultRelInfo *relation);
extern TupleTableSlot *shared_insert_row(ResultRelInfo *relation, TupleTableSlot *slot);
extern void shared_insert_end(ResultRelInfo *relation);

/* _PG_init: CREATE, ALTER and DROP of shared tables; shared_ddl.c. */
extern void shared_ddl_init(void);

#endif							/* SECMED_SHARED_INSERT_H */
