/*
 * apply.c
 *	  Does what was staged, once it is known to be committed.
 *
 * Nothing here may fail for what a chunk holds: that was checked before it
 * was staged.  A chunk whose rows are there is skipped: a party that was rebuilt
 * from the others may have got them before it asked.
 *
 * New shares for rows (SHARED_REPLACE) are collected and written in one pass
 * over the table, which tags every datum with the new generation.  Rows that came
 * in the meantime keep their shares, with the new tag.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "crypto/hash.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "share/secret_datum.h"
#include "shared/scan.h"
#include "shared/stage.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Rows given to the table at a time. */
#define INSERT_BATCH_ROWS	512

/* ---- a table to write to ---- */

typedef struct Target
{
	SharedTable *table;
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result;
} Target;

static void
target_open(Target *target, SharedTable *table)
{
	target->table = table;
	target->relation = table_open(table->relid, RowExclusiveLock);
	target->estate = CreateExecutorState();
	target->result = makeNode(ResultRelInfo);
	InitResultRelInfo(target->result, target->relation, 0, NULL, 0);
	ExecOpenIndices(target->result, false);
}

static void
target_close(Target *target)
{
	ExecCloseIndices(target->result);
	FreeExecutorState(target->estate);
	table_close(target->relation, NoLock);
	CommandCounterIncrement();
}

/* Where the datums of a row are: as secret_datum_form() makes them, one after the other. */
static void
form_values(const SharedTable *table, int64 row_id, const uint8 *mine, const uint8 *next, Datum *values)
{
	const RowLayout *layout = &table->layout;
	SecretDatum value = {.generation = table->generation, .party = table->party};

	values[0] = Int64GetDatum(row_id);
	for (int i = 0; i < layout->ncolumns; i++)
	{
		secret_datum_from_row(&value, layout, i, mine, next);
		values[i + 1] = secret_datum_make(layout->types[i].kind, &value);
	}
	value.nullable = false;
	value.null_mine = value.null_next = 0;
	value.mine = row_bit(layout, mine, layout->valid_bit);
	value.next = row_bit(layout, next, layout->valid_bit);
	values[layout->ncolumns + 1] = secret_datum_make(SECRET_BOOLEAN, &value);
}

static void
store_slot(TupleTableSlot *slot, const SharedTable *table, int64 row_id, const uint8 *mine, const uint8 *next)
{
	ExecClearTuple(slot);
	form_values(table, row_id, mine, next, slot->tts_values);
	memset(slot->tts_isnull, 0, slot->tts_tupleDescriptor->natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
}

/* ---- inserting ---- */

/* Appends rows first_id, first_id + 1, ... (or those of ids) to the table. */
static void
insert_rows(SharedTable *table, const int64 *ids, int64 first_id, size_t n, const uint8 *mine, const uint8 *next)
{
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "secmed rows", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slots[INSERT_BATCH_ROWS];
	int			width = table->layout.width;
	int			nslots = Min(n, INSERT_BATCH_ROWS);
	BulkInsertState bulk = GetBulkInsertState();
	Target		target;

	target_open(&target, table);
	for (int i = 0; i < nslots; i++)
		slots[i] = table_slot_create(target.relation, NULL);
	for (size_t first = 0; first < n; first += INSERT_BATCH_ROWS)
	{
		int			len = Min(INSERT_BATCH_ROWS, n - first);
		MemoryContext caller = MemoryContextSwitchTo(batch);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < len; i++)
		{
			size_t		row = first + i;

			store_slot(slots[i], table, ids ? ids[row] : first_id + (int64) row, mine + row * width, next + row * width);
		}
		table_multi_insert(target.relation, slots, len, GetCurrentCommandId(true), 0, bulk);
		for (int i = 0; i < len && target.result->ri_NumIndices > 0; i++)
			(void) ExecInsertIndexTuples(target.result, slots[i], target.estate, false, false, NULL, NIL);
		MemoryContextSwitchTo(caller);
		ResetPerTupleExprContext(target.estate);
		MemoryContextReset(batch);
	}
	for (int i = 0; i < nslots; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	FreeBulkInsertState(bulk);
	table_finish_bulk_insert(target.relation, 0);
	target_close(&target);
	MemoryContextDelete(batch);
}

void
apply_rows(SharedTable *table, const int64 *ids, size_t n, const uint8 *mine, const uint8 *next)
{
	insert_rows(table, ids, 0, n, mine, next);
}

static bool
chunk_is_there(const char *name, uint64 chunk)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) chunk)};

	return shared_execute(psprintf("SELECT FROM " SHARED_SCHEMA ".%s WHERE " SHARED_ROW_ID " >= $1 << 16 AND "
								   SHARED_ROW_ID " < ($1 + 1) << 16 LIMIT 1", quote_identifier(name)),
						  1, types, values) > 0;
}

static void
apply_insert(const char *name, uint64 chunk, size_t n, const bytea *payload)
{
	SharedTable *table = shared_table_require(name);
	size_t		bytes = n * table->layout.width;
	uint8	   *mine = palloc(bytes + 1);
	uint8	   *next = palloc(bytes + 1);

	if (chunk_is_there(name, chunk))
		return;
	if (!rows_from_package(&table->layout, table->party, VARDATA_ANY(payload), VARSIZE_ANY_EXHDR(payload), n, mine, next))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("staged rows of shared table \"%s\" are damaged", name)));
	insert_rows(table, NULL, (int64) (chunk << 16), n, mine, next);
	wipe(mine, bytes);
	wipe(next, bytes);
	pfree(mine);
	pfree(next);
}

/* ---- replacing ---- */

/* What apply_chunk() has kept of one change, until apply_finish(). */
typedef struct Replacement
{
	SharedTable *table;
	uint64		generation;
	int			columns[SHARED_COLUMNS_MAX];
	RowLayout	layout;
	size_t		n;
	size_t		space;
	int64	   *ids;
	uint8	   *mine;
	uint8	   *next;
} Replacement;

static Replacement *replacement = NULL;

static pg_attribute_noreturn() void
replacement_damaged(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED), errmsg("staged shares of shared table \"%s\" are damaged", name)));
}

/* The head of a chunk: which columns. */
static const char *
read_head(Replacement *kept, const char *bytes, size_t len)
{
	SecretType	types[SHARED_COLUMNS_MAX];
	const SharedDefinition *definition = &kept->table->definition;
	uint16		ncolumns;
	uint16		column;

	memcpy(&ncolumns, bytes, sizeof(ncolumns));
	if (ncolumns > definition->ncolumns || len < 3 + ncolumns * sizeof(uint16))
		replacement_damaged(definition->name);
	for (int i = 0; i < ncolumns; i++)
	{
		memcpy(&column, bytes + 3 + i * sizeof(uint16), sizeof(uint16));
		if (column >= definition->ncolumns)
			replacement_damaged(definition->name);
		kept->columns[i] = column;
		types[i] = definition->types[column];
	}
	rows_layout(&kept->layout, types, ncolumns, bytes[2] != 0);
	return bytes + 3 + ncolumns * sizeof(uint16);
}

static void
keep_rows(Replacement *kept, size_t n, const char *at)
{
	int			width = kept->layout.width;

	if (kept->n + n > kept->space)
	{
		kept->space = Max(2 * kept->space, kept->n + n);
		kept->ids = repalloc_huge(kept->ids, kept->space * sizeof(int64));
		kept->mine = repalloc_huge(kept->mine, kept->space * width + 1);
		kept->next = repalloc_huge(kept->next, kept->space * width + 1);
	}
	memcpy(kept->ids + kept->n, at, n * sizeof(int64));
	at += n * sizeof(int64);
	memcpy(kept->mine + kept->n * width, at, n * width);
	memcpy(kept->next + kept->n * width, at + n * width, n * width);
	kept->n += n;
}

static void
keep_replacement(const char *name, const uint8 write[WRITE_ID_BYTES], size_t n, const bytea *payload)
{
	MemoryContext caller = MemoryContextSwitchTo(CurTransactionContext);
	const char *bytes = VARDATA_ANY(payload);
	size_t		len = VARSIZE_ANY_EXHDR(payload);
	const char *rows;

	if (len < 3)
		replacement_damaged(name);
	if (replacement == NULL)
	{
		Replacement *kept = palloc0(sizeof(Replacement));

		kept->table = shared_table_require(name);
		kept->generation = shared_generation(write);
		kept->ids = palloc(1);
		kept->mine = palloc(1);
		kept->next = palloc(1);
		replacement = kept;
	}
	rows = read_head(replacement, bytes, len);
	if (len != (rows - bytes) + n * (sizeof(int64) + 2 * replacement->layout.width))
		replacement_damaged(name);
	keep_rows(replacement, n, rows);
	MemoryContextSwitchTo(caller);
}

/* The place of a row id among those kept, or -1. */
static int64
find_row(const Replacement *kept, int64 id)
{
	size_t		low = 0;
	size_t		high = kept->n;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (kept->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < kept->n && kept->ids[low] == id ? (int64) low : -1;
}

/* A datum with the new tag, and other shares if there are some. */
static Datum
new_datum(const Replacement *kept, SecretKind kind, Datum old, int column, int64 at)
{
	SecretDatum value;

	secret_datum_read(&value, kind, old);
	value.generation = kept->generation;
	if (at >= 0 && column != -1)
	{
		const uint8 *mine = kept->mine + at * kept->layout.width;
		const uint8 *next = kept->next + at * kept->layout.width;

		if (column >= 0)
			secret_datum_from_row(&value, &kept->layout, column, mine, next);
		else
		{
			value.mine = row_bit(&kept->layout, mine, kept->layout.valid_bit);
			value.next = row_bit(&kept->layout, next, kept->layout.valid_bit);
		}
	}
	return secret_datum_make(kind, &value);
}

/* Which of the kept columns goes into each attribute behind the row id: -1 none, -2 validity. */
static void
map_columns(const Replacement *kept, int *columns)
{
	int			n = kept->table->definition.ncolumns;

	for (int i = 0; i < n; i++)
		columns[i] = -1;
	columns[n] = kept->layout.valid_bit >= 0 ? -2 : -1;
	for (int i = 0; i < kept->layout.ncolumns; i++)
		columns[kept->columns[i]] = i;
}

static void
rewrite_row(Target *target, const Replacement *kept, const int *columns, TupleTableSlot *old, TupleTableSlot *slot,
			Snapshot snapshot)
{
	const SharedDefinition *definition = &kept->table->definition;
	bool		update_indexes;
	int64		at;

	slot_getallattrs(old);
	at = find_row(kept, DatumGetInt64(old->tts_values[0]));
	ExecClearTuple(slot);
	slot->tts_values[0] = old->tts_values[0];
	for (int i = 0; i <= definition->ncolumns; i++)
		slot->tts_values[i + 1] = new_datum(kept, i < definition->ncolumns ? definition->types[i].kind : SECRET_BOOLEAN,
											old->tts_values[i + 1], columns[i], at);
	memset(slot->tts_isnull, 0, slot->tts_tupleDescriptor->natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	simple_table_tuple_update(target->relation, &old->tts_tid, slot, snapshot, &update_indexes);
	if (update_indexes && target->result->ri_NumIndices > 0)
		(void) ExecInsertIndexTuples(target->result, slot, target->estate, false, false, NULL, NIL);
}

static void
rewrite_table(const Replacement *kept)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "secmed row", ALLOCSET_DEFAULT_SIZES);
	int			columns[SHARED_COLUMNS_MAX + 1];
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Target		target;
	TupleTableSlot *old;
	TupleTableSlot *slot;
	TableScanDesc scan;

	map_columns(kept, columns);
	target_open(&target, kept->table);
	old = table_slot_create(target.relation, NULL);
	slot = table_slot_create(target.relation, NULL);
	scan = table_beginscan(target.relation, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, old))
	{
		MemoryContext caller = MemoryContextSwitchTo(row);

		CHECK_FOR_INTERRUPTS();
		rewrite_row(&target, kept, columns, old, slot, snapshot);
		MemoryContextSwitchTo(caller);
		ResetPerTupleExprContext(target.estate);
		MemoryContextReset(row);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(old);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	target_close(&target);
	MemoryContextDelete(row);
	shared_table_set_generation(kept->table->definition.name, kept->generation);
}

/* What an error has left is gone with its transaction. */
void
apply_begin(void)
{
	replacement = NULL;
}

void
apply_finish(void)
{
	Replacement *kept = replacement;

	replacement = NULL;
	if (kept == NULL)
		return;
	rewrite_table(kept);
	wipe(kept->mine, kept->n * kept->layout.width);
	wipe(kept->next, kept->n * kept->layout.width);
	pfree(kept->ids);
	pfree(kept->mine);
	pfree(kept->next);
	pfree(kept);
}

/* ---- all kinds ---- */

static void
apply_create(const uint8 write[WRITE_ID_BYTES], const bytea *payload)
{
	SharedDefinition definition;
	const char *reason;

	if (!shared_definition_decode(&definition, VARDATA_ANY(payload), VARSIZE_ANY_EXHDR(payload), &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged definition of a shared table is damaged")));
	if (shared_table_find(definition.name) == NULL)
		shared_table_create(&definition, shared_generation(write));
}

void
apply_chunk(SharedKind kind, const char *table, const uint8 write[WRITE_ID_BYTES],
			uint64 chunk, uint64 rows, const bytea *payload)
{
	switch (kind)
	{
		case SHARED_CREATE:
			apply_create(write, payload);
			break;
		case SHARED_DROP:
			shared_table_drop(table);
			break;
		case SHARED_INSERT:
			/* Dropped in the meantime: then the rows go as well. */
			if (shared_table_find(table) != NULL)
				apply_insert(table, chunk, rows, payload);
			break;
		case SHARED_REPLACE:
			if (shared_table_find(table) != NULL)
				keep_replacement(table, write, rows, payload);
			break;
	}
}
