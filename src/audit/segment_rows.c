/*
 * segment_rows.c
 *	  The way into a segment of the ledger.
 */
#include "base/base.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "audit/segment_rows.h"
#include "audit/unsummarized.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* All there are, for relcache to tell. */
static SegmentRows *all[SEGMENTS_PAYLOAD + 1];

/* Keeping -------------------------------------------------------------------*/

static bool
is_of(const SegmentRows *rows, Oid relid)
{
	if (!OidIsValid(relid) || relid == rows->segment)
		return true;
	for (int i = 0; i < rows->target->ri_NumIndices; i++)
		if (relid == rows->indexes[i])
			return true;
	return false;
}

static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < lengthof(all); i++)
		if (all[i] && all[i]->kept && !all[i]->changed)
			all[i]->changed = is_of(all[i], relid);
}

static void
know(SegmentRows *rows, SegmentTable table)
{
	static bool registered = false;

	if (!registered)
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	registered = true;
	rows->table = table;
	all[table] = rows;
}

void
segment_rows_forget(SegmentRows *rows)
{
	if (rows->kept)
		MemoryContextDelete(rows->kept);
	rows->kept = NULL;
	rows->segment = InvalidOid;
	rows->open = false;
	rows->n = 0;
}

static ResultRelInfo *
make_target(EState *estate, Relation relation)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	ResultRelInfo *target = makeNode(ResultRelInfo);

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(relation);
	entry->relkind = relation->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	ExecInitRangeTable(estate, list_make1(entry));
	InitResultRelInfo(target, relation, 1, NULL, 0);
	ExecOpenIndices(target, false);
	return target;
}

/* Makes what is kept, and opens the relations. */
static void
open_new(SegmentRows *rows)
{
	Relation	relation = table_open(rows->segment, NoLock);
	MemoryContext kept = AllocSetContextCreate(TopMemoryContext, "secmed segment", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(kept);

	rows->used = AllocSetContextCreate(kept, "secmed segment's indexes", ALLOCSET_SMALL_SIZES);
	rows->estate = CreateExecutorState();
	rows->target = make_target(rows->estate, relation);
	rows->indexes = palloc(Max(rows->target->ri_NumIndices, 1) * sizeof(Oid));
	for (int i = 0; i < rows->target->ri_NumIndices; i++)
	{
		rows->indexes[i] = RelationGetRelid(rows->target->ri_IndexRelationDescs[i]);
		rows->target->ri_IndexRelationInfo[i]->ii_Context = rows->used;
	}
	/* One that is not counted, so that nobody keeps account of it for each row. */
	rows->desc = CreateTupleDescCopy(RelationGetDescr(relation));
	memset(rows->rows, 0, sizeof(rows->rows));
	rows->changed = false;
	rows->kept = kept;
	MemoryContextSwitchTo(caller);
}

static void
open_kept(SegmentRows *rows)
{
	ResultRelInfo *target = rows->target;

	target->ri_RelationDesc = table_open(rows->segment, NoLock);
	for (int i = 0; i < target->ri_NumIndices; i++)
		target->ri_IndexRelationDescs[i] = index_open(rows->indexes[i], RowExclusiveLock);
}

/* Finds the segment and locks it; with the lock, we have heard of all changes. */
static void
lock_segment(SegmentRows *rows, uint64 seq)
{
	do
	{
		if (rows->kept && (rows->changed || seq < rows->first || seq >= rows->end))
			segment_rows_forget(rows);
		if (rows->kept == NULL)
			rows->segment = segment_find(segment_parent(rows->table), seq, &rows->first, &rows->end);
		if (!OidIsValid(rows->segment))
			elog(ERROR, "a segment of the ledger is missing");
		LockRelationOid(rows->segment, RowExclusiveLock);
	} while (rows->kept && rows->changed);
}

static void
open_segment(SegmentRows *rows, uint64 seq)
{
	lock_segment(rows, seq);
	if (rows->kept)
		open_kept(rows);
	else
		open_new(rows);
	rows->estate->es_output_cid = GetCurrentCommandId(true);
	rows->open = true;
}

/* Writing -------------------------------------------------------------------*/

static void
write_rows(SegmentRows *rows)
{
	RangeSeen  *seen = palloc0(Max(rows->target->ri_NumIndices, 1) * sizeof(RangeSeen));

	/* At the end of the table, not where there is room: a dump gives rows as they lie. */
	table_multi_insert(rows->target->ri_RelationDesc, rows->rows, rows->n, rows->estate->es_output_cid,
					   TABLE_INSERT_SKIP_FSM, NULL);
	for (int i = 0; i < rows->n; i++)
	{
		unsummarized_skip(rows->target, seen, &rows->rows[i]->tts_tid);
		list_free(ExecInsertIndexTuples(rows->target, rows->rows[i], rows->estate,
										false, false, NULL, NIL));
		ResetPerTupleExprContext(rows->estate);
		ExecClearTuple(rows->rows[i]);
	}
	rows->n = 0;
	pfree(seen);
}

static void
close_segment(SegmentRows *rows)
{
	ResultRelInfo *target = rows->target;

	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		index_close(target->ri_IndexRelationDescs[i], NoLock);
		target->ri_IndexRelationDescs[i] = NULL;
		target->ri_IndexRelationInfo[i]->ii_AmCache = NULL;
	}
	MemoryContextReset(rows->used);
	table_close(target->ri_RelationDesc, NoLock);
	target->ri_RelationDesc = NULL;
	rows->open = false;
}

void
segment_rows_start(SegmentRows *rows, SegmentTable table)
{
	if (all[table] == NULL)
		know(rows, table);
}

static TupleTableSlot *
next_slot(SegmentRows *rows)
{
	TupleTableSlot **slot = &rows->rows[rows->n++];

	if (*slot == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(rows->kept);

		*slot = MakeSingleTupleTableSlot(rows->desc, &TTSOpsHeapTuple);
		MemoryContextSwitchTo(caller);
	}
	return *slot;
}

void
segment_rows_put(SegmentRows *rows, uint64 seq, const Datum *values)
{
	Datum		all_values[3];
	bool		nulls[3] = {false};

	if (rows->open && (seq < rows->first || seq >= rows->end))
		segment_rows_end(rows);
	if (!rows->open)
		open_segment(rows, seq);

	if (rows->desc->natts > lengthof(all_values))
		elog(ERROR, "a segment of the ledger has other columns than expected");
	all_values[0] = Int64GetDatum((int64) seq);
	for (int i = 1; i < rows->desc->natts; i++)
		all_values[i] = values[i - 1];
	ExecStoreHeapTuple(heap_form_tuple(rows->desc, all_values, nulls), next_slot(rows), true);
}

void
segment_rows_end(SegmentRows *rows)
{
	if (!rows->open)
		return;
	write_rows(rows);
	close_segment(rows);
}
