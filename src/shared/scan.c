/*
 * scan.c
 *	  A party's shares of a table, row by row in the order of row ids.
 *
 * Rows mostly lie in the heap in that order, as they were written; a first
 * pass over the ids finds out.  If they do not, the primary key leads.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "crypto/hash.h"
#include "executor/tuptable.h"
#include "access/stratnum.h"
#include "miscadmin.h"
#include "share/secret_datum.h"
#include "shared/scan.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Where a table's columns are: row id, the columns in order, validity. */
#define ROW_ID_ATTRIBUTE		1
#define COLUMN_ATTRIBUTE(c)		((c) + 2)

typedef struct Reader
{
	const SharedScan *scan;
	Relation	relation;
	Relation	index;			/* NULL: in heap order */
	Snapshot	snapshot;
	TupleTableSlot *slot;
	TableScanDesc heap_scan;
	IndexScanDesc index_scan;
	size_t		rows;
	int64		last;			/* row id */
} Reader;

static pg_attribute_noreturn() void
damaged(const SharedTable *table, const char *how)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SHARES_DIFFER),
			 errmsg("the shares of \"%s\" at node \"%s\" are damaged", table->definition.name, node_self()->card.name),
			 errdetail("%s.", how),
			 errhint("secmed.check_shared() at the coordinator finds where; there secmed.rebuild_shared(%s) mends it.",
					 quote_literal_cstr(table->definition.name))));
}

void
shared_scan_init(SharedScan *scan, const SharedTable *table, const int *columns, int ncolumns)
{
	SecretType	types[SHARED_COLUMNS_MAX];

	memset(scan, 0, sizeof(*scan));
	scan->table = table;
	scan->after = -1;
	if (columns == NULL)
	{
		int		   *all = palloc(sizeof(int) * SHARED_COLUMNS_MAX);

		ncolumns = table->definition.ncolumns;
		for (int i = 0; i < ncolumns; i++)
			all[i] = i;
		columns = all;
	}
	for (int i = 0; i < ncolumns; i++)
		types[i] = table->definition.types[columns[i]];
	scan->columns = columns;
	scan->ncolumns = ncolumns;
	rows_layout(&scan->layout, types, ncolumns, true);
}

/* ---- the table ---- */

/* Somebody may have altered the table by hand. */
static void
check_descriptor(const SharedTable *table, TupleDesc desc)
{
	if (desc->natts != table->definition.ncolumns + 2)
		damaged(table, "The table has other columns than its definition");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *expected = i == 0 ? SHARED_ROW_ID :
			i == desc->natts - 1 ? SHARED_VALID : table->definition.columns[i - 1];
		SecretKind	kind = i == 0 || i == desc->natts - 1 ? SECRET_BOOLEAN : table->definition.types[i - 1].kind;
		int			length = i == 0 ? (int) sizeof(int64) : kind == SECRET_TEXT ? -1 : secret_datum_bytes(kind, 0);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), expected) != 0 || attribute->attlen != length)
			damaged(table, "The table has other columns than its definition");
	}
}

static void
reader_open(Reader *reader, const SharedScan *scan)
{
	memset(reader, 0, sizeof(*reader));
	reader->scan = scan;
	reader->relation = table_open(scan->table->relid, AccessShareLock);
	check_descriptor(scan->table, RelationGetDescr(reader->relation));
	reader->snapshot = RegisterSnapshot(GetLatestSnapshot());
	reader->slot = table_slot_create(reader->relation, NULL);
}

static void
reader_close(Reader *reader)
{
	ExecDropSingleTupleTableSlot(reader->slot);
	UnregisterSnapshot(reader->snapshot);
	if (reader->index)
		index_close(reader->index, AccessShareLock);
	table_close(reader->relation, AccessShareLock);
}

static void
begin_heap(Reader *reader)
{
	reader->heap_scan = table_beginscan(reader->relation, reader->snapshot, 0, NULL);
}

static void
begin_index(Reader *reader)
{
	Oid			index = RelationGetPrimaryKeyIndex(reader->relation);
	ScanKeyData key;

	if (!OidIsValid(index))
		damaged(reader->scan->table, "The table has lost its primary key");
	reader->index = index_open(index, AccessShareLock);
	reader->index_scan = index_beginscan(reader->relation, reader->index, reader->snapshot, 1, 0);
	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(reader->scan->after));
	index_rescan(reader->index_scan, &key, 1, NULL, 0);
}

static bool
next_tuple(Reader *reader)
{
	if (reader->heap_scan)
		return table_scan_getnextslot(reader->heap_scan, ForwardScanDirection, reader->slot);
	return index_getnext_slot(reader->index_scan, ForwardScanDirection, reader->slot);
}

static void
end_scan(Reader *reader)
{
	if (reader->heap_scan)
		table_endscan(reader->heap_scan);
	if (reader->index_scan)
		index_endscan(reader->index_scan);
	reader->heap_scan = NULL;
	reader->index_scan = NULL;
}

static int64
row_id_of(Reader *reader)
{
	bool		isnull;
	int64		id = DatumGetInt64(slot_getattr(reader->slot, ROW_ID_ATTRIBUTE, &isnull));

	if (isnull || id < 0)
		damaged(reader->scan->table, "A row has no number");
	return id;
}

/* Counts the rows; true if they lie in the order of their ids. */
static bool
count_in_order(Reader *reader)
{
	int64		last = -1;
	bool		ordered = true;

	begin_heap(reader);
	while (next_tuple(reader))
	{
		int64		id = row_id_of(reader);

		CHECK_FOR_INTERRUPTS();
		ordered = ordered && id > last;
		last = id;
		reader->rows++;
	}
	end_scan(reader);
	return ordered;
}

/* ---- rows ---- */

static void
read_datum(Reader *reader, int attribute, const RowLayout *layout, int column, SecretDatum *value)
{
	const SharedTable *table = reader->scan->table;
	bool		isnull;
	Datum		datum = slot_getattr(reader->slot, attribute, &isnull);
	SecretType	validity = secret_boolean();
	const SecretType *type = column < 0 ? &validity : &layout->types[column];

	if (isnull)
		damaged(table, "A share is missing");
	secret_datum_read(value, type->kind, datum);
	if (value->generation != table->generation || value->party != table->party || !secret_datum_fits(value, type))
		damaged(table, "A share is not of this table, or of an earlier sharing of it");
}

static void
read_row(Reader *reader, uint8 *mine, uint8 *next)
{
	const SharedScan *scan = reader->scan;
	const RowLayout *layout = &scan->layout;
	SecretDatum value;

	for (int i = 0; i < scan->ncolumns; i++)
	{
		read_datum(reader, COLUMN_ATTRIBUTE(scan->columns[i]), layout, i, &value);
		secret_datum_to_row(&value, layout, i, mine, next);
	}
	read_datum(reader, COLUMN_ATTRIBUTE(scan->table->definition.ncolumns), layout, -1, &value);
	row_put_bit(layout, mine, layout->valid_bit, (int) value.mine);
	row_put_bit(layout, next, layout->valid_bit, (int) value.next);
}

/* False at the end. */
static bool
next_row(Reader *reader, int64 *id)
{
	if (!next_tuple(reader))
		return false;
	*id = row_id_of(reader);
	if (*id == reader->last && !reader->scan->any_order)
		damaged(reader->scan->table, "A row is there twice");
	reader->last = *id;
	return true;
}

static size_t
give_out(Reader *reader, RowsConsumer consume, void *arg)
{
	int			width = reader->scan->layout.width;
	int64	   *ids = palloc(sizeof(int64) * SCAN_BLOCK_ROWS);
	uint8	   *mine = palloc0(SCAN_BLOCK_ROWS * width);
	uint8	   *next = palloc0(SCAN_BLOCK_ROWS * width);
	size_t		first = 0;
	size_t		n = 0;

	reader->last = -1;
	while (first + n < reader->rows && next_row(reader, &ids[n]))
	{
		read_row(reader, mine + n * width, next + n * width);
		if (++n == SCAN_BLOCK_ROWS)
		{
			CHECK_FOR_INTERRUPTS();
			consume(arg, first, n, ids, mine, next);
			first += n;
			n = 0;
		}
	}
	if (n > 0)
		consume(arg, first, n, ids, mine, next);
	wipe(mine, SCAN_BLOCK_ROWS * width);
	wipe(next, SCAN_BLOCK_ROWS * width);
	pfree(mine);
	pfree(next);
	pfree(ids);
	return first + n;
}

size_t
shared_scan_count(const SharedScan *scan)
{
	Reader		reader;

	reader_open(&reader, scan);
	(void) count_in_order(&reader);
	reader_close(&reader);
	return reader.rows;
}

size_t
shared_scan_run(const SharedScan *scan, RowsConsumer consume, void *arg)
{
	Reader		reader;
	size_t		given;

	reader_open(&reader, scan);
	if (scan->limit > 0)
	{
		reader.rows = scan->limit;
		begin_index(&reader);
	}
	else if (count_in_order(&reader) || scan->any_order)
		begin_heap(&reader);
	else
		begin_index(&reader);
	given = give_out(&reader, consume, arg);
	end_scan(&reader);
	reader_close(&reader);
	return given;
}
