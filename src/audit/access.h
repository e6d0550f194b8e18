/*
 * access.h
 *	  Statements that read or change audited relations become actions.
 *
 * Seen here: whatever the executor runs (SELECT, INSERT, UPDATE, DELETE, MERGE,
 * also in functions, triggers, cursors, prepared statements, EXPLAIN ANALYZE,
 * CREATE TABLE AS, REFRESH MATERIALIZED VIEW, COPY of a query), COPY of a table,
 * TRUNCATE also by CASCADE.  Also who is refused for want of rights.
 *
 * Not entries: plain EXPLAIN; VACUUM, ANALYZE, CLUSTER, REINDEX and LOCK, which
 * give nothing out; the checks of foreign keys; what parallel workers do for
 * their leader, who has said so; secmed's own work (node.h).  A function that
 * reads audited tables by itself in a parallel worker is refused.
 */
#ifndef SECMED_ACCESS_H
#define SECMED_ACCESS_H

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "audit/action.h"

/* _PG_init: hooks, secmed.standby_reads. */
extern void access_init(void);

/* The text of one statement of a string of several. */
extern const char *access_statement(const char *text, int location, int *len);

#endif							/* SECMED_ACCESS_H */
