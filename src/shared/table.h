/*
 * table.h
 *	  The shared tables that this node keeps shares of, as a party.
 *
 * Each is a table secmed_shared.NAME: row_id, a secmed.secret_... for each
 * column, and whether the row is valid; and a row of secmed.shared_table with
 * its definition.  Row ids are public and the same at the three parties.
 */
#ifndef SECMED_SHARED_TABLE_H
#define SECMED_SHARED_TABLE_H

#include "postgres.h"
#include "contract/shared.h"
#include "identity/node.h"
#include "share/rows.h"

#define SHARED_SCHEMA			"secmed_shared"
#define SHARED_ROW_ID			"row_id"
#define SHARED_VALID			"secmed_valid"

typedef struct SharedTable
{
	SharedDefinition definition;
	int			party;			/* which one this node is */
	uint64		generation;		/* of the sharing; the same at all three */
	Oid			relid;			/* InvalidOid: the table was dropped behind our back */
	RowLayout	layout;			/* of all columns, with validity */
} SharedTable;

/* In CurrentMemoryContext; NULL if there is none of this name. */
extern SharedTable *shared_table_find(const char *name);

/* The same, or an error; its relation is there. */
extern SharedTable *shared_table_require(const char *name);

/* Makes table and catalog row, as the extension's owner. */
extern void shared_table_create(const SharedDefinition *definition, uint64 generation);
extern void shared_table_drop(const char *name);
extern void shared_table_set_generation(const char *name, uint64 generation);

/* The number that tags what a change made: from its name, the same everywhere. */
extern uint64 shared_generation(const uint8 write[WRITE_ID_BYTES]);

/* Which party a node is, by name and key; -1 if none. */
extern int	shared_party_of(const SharedDefinition *definition, const NodeCard *card);

/* Is it the node that made the table, with the key it had then? */
extern bool shared_is_creator(const SharedDefinition *definition, const NodeCard *card);

/* Runs one SQL command as the extension's owner, between owner_begin() and owner_end(). */
extern uint64 shared_execute(const char *sql, int n, const Oid *types, const Datum *values);

/* uuid of a change, for SQL. */
extern Datum shared_write_datum(const uint8 write[WRITE_ID_BYTES]);

#endif							/* SECMED_SHARED_TABLE_H */
