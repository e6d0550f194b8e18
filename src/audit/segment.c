/*
 * segment.c
 *	  The segments of the ledger: finding and making them.
 */
#include "base/base.h"

#include "access/table.h"
#include "access/xact.h"
#include "audit/segment.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/partcache.h"
#include "utils/rel.h"

/* Digits of a segment's name: tables restored by name are restored in order. */
#define NAME_FORMAT		"%s_%015" INT64_MODIFIER "u"

static int	segment_entries = 1048576;

/* The tables that have segments, and what each segment gets. */
static const char *const tables[] = {
	[SEGMENTS_LEDGER] = "ledger",
	[SEGMENTS_PAYLOAD] = "ledger_payload",
};

/* What segment_require() knows: the tables, and that there are segments up to here. */
static Oid	parents[lengthof(tables)];
static uint64 required_end = 0;

static const struct
{
	const char *table;
	const char *suffix;
	const char *unique;
	const char *on;
}			indexes[] = {
	{"ledger", "seq", "UNIQUE", "(seq)"},
	/* What verification, exports and a starting sequencer look up; few among many entries. */
	{"ledger", "kinds", "", "(secmed.entry_kind(entry), seq)"
	" WHERE secmed.entry_kind(entry) IN ('key', 'erased', 'reviewed', 'restart', 'archived')"},
	/* What officers look through. */
	{"ledger", "notable", "", "(seq) WHERE secmed.entry_notable(entry)"},
	/* What left, for whom and when. */
	{"ledger", "disclosures", "", "(secmed.entry_actor(entry), secmed.entry_at(entry))"
	" WHERE secmed.entry_kind(entry) = 'outcome' AND secmed.entry_outcome(entry) IN ('opened', 'released')"},
	/* What they search for: a few hundred bytes for two thousand entries, and nothing at an append. */
	{"ledger", "fields", "", "USING brin (secmed.entry_at(entry),"
	" secmed.entry_run(entry) uuid_bloom_ops (n_distinct_per_range = 2048),"
	" secmed.entry_actor(entry) text_bloom_ops (n_distinct_per_range = 64),"
	" secmed.entry_object(entry) text_bloom_ops (n_distinct_per_range = 64),"
	" secmed.entry_outcome(entry) text_bloom_ops (n_distinct_per_range = 64))"
	" WITH (pages_per_range = 64, autosummarize = on)"},
	{"ledger_payload", "seq", "UNIQUE", "(seq)"},
};

/* Without them the planner takes a two-hundredth or a third of all entries for those it looks for. */
static const struct
{
	const char *suffix;
	const char *on;
}			statistics[] = {
	{"kind_stats", "(secmed.entry_kind(entry))"},
	{"notable_stats", "(secmed.entry_notable(entry))"},
};

/* Bundles of an export (256 entries) never lie in two segments. */
static bool
check_entries(int *newval, void **extra, GucSource source)
{
	if (*newval % 256 == 0)
		return true;
	GUC_check_errdetail("It must be a multiple of 256.");
	return false;
}

void
segment_init(void)
{
	DefineCustomIntVariable("secmed.ledger_segment",
							"Sets how many entries a new segment of the ledger is made for.",
							NULL,
							&segment_entries, 1048576, LEDGER_BATCH, 1 << 30,
							PGC_SIGHUP, 0, check_entries, NULL, NULL);
}

/* Making --------------------------------------------------------------------*/

/* The bound at this place of the partition bounds, or what it means if it is none. */
static uint64
bound(PartitionBoundInfo bounds, int at, uint64 unbounded)
{
	if (at < 0 || at >= bounds->ndatums || bounds->kind[at][0] != PARTITION_RANGE_DATUM_VALUE)
		return unbounded;
	return (uint64) DatumGetInt64(bounds->datums[at][0]);
}

Oid
segment_find(Oid parent_oid, uint64 seq, uint64 *first, uint64 *end)
{
	Relation	parent = table_open(parent_oid, RowExclusiveLock);
	PartitionKey key = RelationGetPartitionKey(parent);
	PartitionDesc desc = RelationGetPartitionDesc(parent, false);
	Datum		datum = Int64GetDatum((int64) seq);
	Oid			segment = InvalidOid;
	bool		equal;

	if (key == NULL)
		elog(ERROR, "a table of the ledger has no segments");
	if (desc->nparts > 0)
	{
		PartitionBoundInfo bounds = desc->boundinfo;
		int			at = partition_range_datum_bsearch(key->partsupfunc, key->partcollation,
													   bounds, 1, &datum, &equal);
		int			part = bounds->indexes[at + 1];

		if (part >= 0)
		{
			segment = desc->oids[part];
			*first = bound(bounds, at, 0);
			*end = bound(bounds, at + 1, PG_INT64_MAX);
		}
	}
	table_close(parent, NoLock);
	return segment;
}

Oid
segment_parent(SegmentTable table)
{
	return parents[table];
}

static Oid
parent_oid(const char *table)
{
	return RangeVarGetRelid(makeRangeVar("secmed", pstrdup(table), -1), RowExclusiveLock, false);
}

Segment *
segment_list(SegmentTable table, uint64 below, int *n)
{
	Relation	parent = table_open(parent_oid(tables[table]), NoLock);
	PartitionDesc desc = RelationGetPartitionDesc(parent, false);
	Segment    *segments = palloc((desc->nparts + 1) * sizeof(Segment));

	*n = 0;
	for (int i = 0; desc->nparts > 0 && i + 1 < desc->boundinfo->ndatums; i++)
	{
		int			part = desc->boundinfo->indexes[i + 1];

		if (part >= 0 && bound(desc->boundinfo, i + 1, PG_INT64_MAX) <= below)
			segments[(*n)++] = (Segment)
		{
			desc->oids[part], bound(desc->boundinfo, i, 0), bound(desc->boundinfo, i + 1, PG_INT64_MAX)
		};
	}
	table_close(parent, NoLock);
	return segments;
}

static void
command(char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "a segment of the ledger was not made");
	pfree(sql);
}

static char *
owner_of(Oid parent)
{
	Relation	relation = table_open(parent, NoLock);
	char	   *owner = GetUserNameFromId(relation->rd_rel->relowner, false);

	table_close(relation, NoLock);
	return pstrdup(quote_identifier(owner));
}

/* Attaching takes a weaker lock than making a partition: readers don't stop us. */
static void
make_segment(const char *table, uint64 first, uint64 end)
{
	char	   *name = psprintf(NAME_FORMAT, table, first);

	command(psprintf("CREATE TABLE secmed.%s (LIKE secmed.%s)", name, table));
	command(psprintf("ALTER TABLE secmed.%s OWNER TO %s", name, owner_of(parent_oid(table))));
	command(psprintf("COMMENT ON TABLE secmed.%s IS 'A segment of secmed.%s.'", name, table));
	command(psprintf("REVOKE ALL ON secmed.%s FROM PUBLIC", name));
	for (int i = 0; i < lengthof(indexes); i++)
		if (strcmp(indexes[i].table, table) == 0)
			command(psprintf("CREATE %s INDEX %s_%s ON secmed.%s %s", indexes[i].unique,
					name, indexes[i].suffix, name, indexes[i].on));
	if (strcmp(table, "ledger") == 0)
	{
		for (int i = 0; i < lengthof(statistics); i++)
			command(psprintf("CREATE STATISTICS secmed.%s_%s ON %s FROM secmed.%s", name, statistics[i].suffix,
					statistics[i].on, name));
		/* Row triggers come with ATTACH; this one does not. */
		command(psprintf("CREATE TRIGGER ledger_guard_truncate BEFORE TRUNCATE ON secmed.%s"
				" FOR EACH STATEMENT EXECUTE FUNCTION secmed.ledger_guard()", name));
		command(psprintf("ALTER TABLE secmed.%s ENABLE ALWAYS TRIGGER ledger_guard_truncate", name));
	}
	command(psprintf("ALTER TABLE secmed.%s ATTACH PARTITION secmed.%s FOR VALUES FROM (" UINT64_FORMAT
			") TO (" UINT64_FORMAT ")", table, name, first, end));
}

static void
require_segment(const char *table, uint64 seq)
{
	Oid			parent = parent_oid(table);
	uint64		first;
	uint64		end;

	if (!OidIsValid(segment_find(parent, seq, &first, &end)))
		make_segment(table, seq, seq - seq % 256 + segment_entries);
}

void
segment_forget(void)
{
	required_end = 0;
}

void
segment_require(uint64 first, uint64 last)
{
	if (parents[SEGMENTS_LEDGER] == parent_oid(tables[SEGMENTS_LEDGER]) && last < required_end)
		return;
	required_end = PG_UINT64_MAX;
	for (int i = 0; i < lengthof(tables); i++)
	{
		uint64		begin;
		uint64		end;

		require_segment(tables[i], first);
		parents[i] = parent_oid(tables[i]);
		if (OidIsValid(segment_find(parents[i], first, &begin, &end)) && last >= end)
			require_segment(tables[i], end);
		if (OidIsValid(segment_find(parents[i], last, &begin, &end)))
			required_end = Min(required_end, end);
	}
}
