/*
 * shared_insert.c
 *	  INSERT and COPY into a shared table.
 *
 * Each chunk is a question to the three parties, whose connections are free
 * again when it is answered: a query that feeds the INSERT may use them for
 * itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/multixact.h"
#include "catalog/pg_class.h"
#include "commands/vacuum.h"
#include "crypto/hash.h"
#include "fdw/shared_insert.h"
#include "miscadmin.h"
#include "share/rows.h"
#include "shared/write.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define CHUNK_BYTES_MAX		(8 * 1024 * 1024)

typedef struct SharedInsert
{
	SharedForeign *table;
	RowLayout	layout;
	SharedWrite write;
	bool		begun;
	uint8	   *rows;			/* in the clear */
	size_t		n;
	size_t		space;
	uint64		total;			/* of this statement */
	MemoryContext context;		/* of this statement */
	MemoryContext row_context;	/* of one row, then of one chunk */
} SharedInsert;

void
shared_insert_check(const ModifyTable *plan, Oid relid)
{
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported for shared table \"%s\"", get_rel_name(relid)),
				 errdetail("Whether a row is there already is secret.")));
}

static void
require_analyst(Oid user)
{
	if (!has_privs_of_role(user, get_role_oid("secmed_analyst", true)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change shared tables"),
				 errhint("Only roles with privileges of secmed_analyst may do so: GRANT secmed_analyst TO %s;",
						 quote_identifier(GetUserNameFromId(user, false)))));
}

void
shared_insert_begin(ResultRelInfo *relation)
{
	SharedInsert *insert = palloc0(sizeof(SharedInsert));

	require_analyst(GetUserId());
	insert->table = shared_foreign_table(RelationGetRelid(relation->ri_RelationDesc));
	rows_layout(&insert->layout, insert->table->definition.types, insert->table->definition.ncolumns, true);
	insert->space = Min(SHARED_CHUNK_ROWS, CHUNK_BYTES_MAX / insert->layout.width);
	insert->rows = palloc0(insert->space * insert->layout.width);
	insert->context = CurrentMemoryContext;
	insert->row_context = AllocSetContextCreate(CurrentMemoryContext, "secmed shared rows", ALLOCSET_DEFAULT_SIZES);
	relation->ri_FdwState = insert;
}

/* ---- one row ---- */

static void
encode_column(SharedInsert *insert, uint8 *row, int column, Datum datum, bool isnull)
{
	const SecretType *type = &insert->layout.types[column];
	const char *name = insert->table->definition.columns[column];
	SecretValue value;

	if (isnull)
	{
		if (!type->nullable)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of shared table \"%s\"", name, insert->table->definition.name)));
		row_set_null(&insert->layout, row, column);
		return;
	}
	value = secret_value_from_datum(type, insert->table->types[column], datum, name);
	if (type->kind == SECRET_BOOLEAN)
		row_set_boolean(&insert->layout, row, column, value.bits != 0);
	else if (type->kind == SECRET_TEXT)
		row_set_text(&insert->layout, row, column, value.bits);
	else
		row_set_number(&insert->layout, row, column, value.number);
}

static void flush(SharedInsert *insert);

TupleTableSlot *
shared_insert_row(ResultRelInfo *relation, TupleTableSlot *slot)
{
	SharedInsert *insert = relation->ri_FdwState;
	MemoryContext caller = MemoryContextSwitchTo(insert->row_context);
	uint8	   *row = insert->rows + insert->n * insert->layout.width;

	slot_getallattrs(slot);
	for (int i = 0; i < insert->layout.ncolumns; i++)
	{
		int			at = insert->table->attnums[i] - 1;

		encode_column(insert, row, i, slot->tts_values[at], slot->tts_isnull[at]);
	}
	row_set_valid(&insert->layout, row);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(insert->row_context);
	insert->total++;
	if (++insert->n == insert->space)
		flush(insert);
	return slot;
}

/* ---- a chunk ---- */

static void
send_chunk(SharedInsert *insert)
{
	StringInfo	packages[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		packages[i] = makeStringInfo();
	rows_split(&insert->layout, insert->rows, insert->n, packages);
	shared_write_stage(&insert->write, SHARED_INSERT, shared_next_chunk(), insert->n, packages);
	for (int i = 0; i < PARTIES; i++)
		wipe(packages[i]->data, packages[i]->len);
}

static void
flush(SharedInsert *insert)
{
	MemoryContext caller;

	if (insert->n == 0)
		return;
	if (!insert->begun)
	{
		SharedParties parties = shared_foreign_parties(insert->table);

		caller = MemoryContextSwitchTo(insert->context);
		shared_write_begin(&insert->write, &parties, "insert");
		insert->begun = true;
		MemoryContextSwitchTo(caller);
	}
	caller = MemoryContextSwitchTo(insert->row_context);
	send_chunk(insert);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(insert->row_context);
	wipe(insert->rows, insert->n * insert->layout.width);
	insert->n = 0;
}

/* As pg_class has it now. */
static float4
counted_rows(Oid relid)
{
	HeapTuple	tuple;
	float4		rows;

	AcceptInvalidationMessages();
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return Max(rows, 0);
}

/*
 * What the planner takes for the size of the table, and bounds it by (compute/inputs.c).
 * Written in place, as by VACUUM: a rolled back INSERT still counts, and
 * plans that are kept are made anew.
 */
static void
count_rows(Relation relation, uint64 rows)
{
	Form_pg_class class = relation->rd_rel;

	if (rows == 0)
		return;
	LockRelationForExtension(relation, ExclusiveLock);
	vac_update_relstats(relation, class->relpages, counted_rows(RelationGetRelid(relation)) + rows,
						class->relallvisible, class->relhasindex, InvalidTransactionId, InvalidMultiXactId,
						NULL, NULL, true);
	UnlockRelationForExtension(relation, ExclusiveLock);
}

void
shared_insert_end(ResultRelInfo *relation)
{
	SharedInsert *insert = relation->ri_FdwState;

	if (insert != NULL)
	{
		flush(insert);
		count_rows(relation->ri_RelationDesc, insert->total);
	}
	relation->ri_FdwState = NULL;
}
