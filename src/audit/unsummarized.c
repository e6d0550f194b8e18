/*
 * unsummarized.c
 *	  Keeps BRIN indexes out of the way of appending.
 */
#include "base/base.h"

#include "access/brin_revmap.h"
#include "audit/unsummarized.h"
#include "catalog/pg_am.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

static bool
is_summarized(BrinRevmap *revmap, BlockNumber first)
{
	Buffer		buffer = InvalidBuffer;
	OffsetNumber offset;
	Size		size;
	BrinTuple  *summary = brinGetTupleForHeapBlock(revmap, first, &buffer, &offset, &size,
												   BUFFER_LOCK_SHARE, NULL);

	if (summary)
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	return summary != NULL;
}

static void
look_at_range(Relation index, RangeSeen *seen, BlockNumber block)
{
	BrinRevmap *revmap = brinRevmapInitialize(index, &seen->pages, NULL);

	seen->first = block - block % seen->pages;
	seen->summarized = is_summarized(revmap, seen->first);
	seen->known = true;
	brinRevmapTerminate(revmap);
}

/* The first row of a page may be what has the range before it summarized. */
static bool
has_to_be_told(Relation index, RangeSeen *seen, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);

	if (ItemPointerGetOffsetNumber(tid) == FirstOffsetNumber)
		return true;
	if (!seen->known || block < seen->first || block - seen->first >= seen->pages)
		look_at_range(index, seen, block);
	return seen->summarized;
}

void
unsummarized_skip(ResultRelInfo *target, RangeSeen *seen, ItemPointer tid)
{
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		Relation	index = target->ri_IndexRelationDescs[i];

		if (index != NULL && index->rd_rel->relam == BRIN_AM_OID && index->rd_index->indisready)
			target->ri_IndexRelationInfo[i]->ii_ReadyForInserts = has_to_be_told(index, &seen[i], tid);
	}
}
