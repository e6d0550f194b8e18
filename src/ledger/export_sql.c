/*
 * export_sql.c
 *	  secmed.export_ledger(): the ledger as files, for SQL.
 *
 * It begins with the newest checkpoint.  What that covers never changes
 * again, so it does not matter under which snapshots the rest is read; but
 * bodies may be erased meanwhile, by an entry above it: they are then neither
 * opened nor said to be erased.
 */
#include "base/base.h"

#include "executor/spi.h"
#include "identity/node.h"
#include "ledger/datum.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_export_ledger);

/* Rows read at once: with the largest bodies 5 MB. */
#define EXPORT_ROWS		100

/* A range of entries that an ERASED entry speaks of. */
typedef struct Erasure
{
	uint64		first;
	uint64		last;
	uint64		by;
} Erasure;

typedef struct Export
{
	ReturnSetInfo *result;
	ExportWriter writer;
	KeyHistory	keys;
	const KeySpan *span;		/* whose policy was looked at, */
	bool		no_witness;		/* and has none */
	uint64		size;
	StringInfoData last;		/* the checkpoint that is exported */
	StringInfoData notes;		/* those before it */
	StringInfoData payloads;
	int			nerased;
	Erasure    *erased;			/* by rising first */
} Export;

static void
put_row(void *arg, const char *path, const void *bytes, size_t len)
{
	Export	   *export = arg;
	Datum		values[] = {CStringGetTextDatum(path), bytea_datum(bytes, len)};
	bool		nulls[] = {false, false};

	tuplestore_putvalues(export->result->setResult, export->result->setDesc, values, nulls);
}

/* ---- what was erased ---- */

static int
by_first(const void *a, const void *b)
{
	uint64		first_a = ((const Erasure *) a)->first;
	uint64		first_b = ((const Erasure *) b)->first;

	return first_a < first_b ? -1 : first_a > first_b;
}

/* From the ERASED entries below the checkpoint. */
static void
load_erasures(Export *export, uint64 size)
{
	if (SPI_execute("SELECT seq, entry FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'erased' ORDER BY seq",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");
	export->erased = palloc_extended((SPI_processed * ENTRY_COUNTERS_MAX / 2 + 1) * sizeof(Erasure), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		bytea	   *bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
		EntryView	entry;
		const char *reason;

		if (!entry_view(&entry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason) || entry.seq >= size)
			continue;
		for (int r = 0; r + 1 < entry.ncounters; r += 2)
			export->erased[export->nerased++] = (Erasure) {entry.counters[r], entry.counters[r + 1], entry.seq};
	}
	qsort(export->erased, export->nerased, sizeof(Erasure), by_first);
}

/* The last range that begins at or before seq, if seq is in it: bodies are erased once. */
static const Erasure *
find_erasure(const Export *export, uint64 seq)
{
	int			low = 0;
	int			high = export->nerased;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (export->erased[middle].first <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && export->erased[low - 1].last >= seq ? &export->erased[low - 1] : NULL;
}

static void
export_absence(Export *export, uint64 seq, bytea *bytes)
{
	const Erasure *erasure = export->nerased > 0 ? find_erasure(export, seq) : NULL;
	EntryView	entry;
	const char *reason;

	if (erasure != NULL && entry_view(&entry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason) &&
		entry.commitment != NULL)
		export_erased(&export->payloads, seq, erasure->by);
}

/* ---- rows ---- */

/* row: entry, salt, payload */
static void
export_row(Export *export, HeapTuple row, TupleDesc desc, uint64 seq)
{
	bool		isnull;
	bool		no_body;
	bytea	   *entry = DatumGetByteaPP(SPI_getbinval(row, desc, 1, &isnull));
	Datum		salt = SPI_getbinval(row, desc, 2, &no_body);
	Datum		payload = SPI_getbinval(row, desc, 3, &no_body);

	export_entry(&export->writer, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry));
	if (no_body)
		export_absence(export, seq, entry);
	else if (VARSIZE_ANY_EXHDR(DatumGetByteaPP(salt)) == SALT_BYTES)
		export_opened(&export->payloads, seq, (const uint8 *) VARDATA_ANY(DatumGetByteaPP(salt)),
					  VARDATA_ANY(DatumGetByteaPP(payload)), VARSIZE_ANY_EXHDR(DatumGetByteaPP(payload)));
}

/* Of bundles that are archived only the hashes are here.  The number after them. */
static uint64
export_archived(Export *export, uint64 n, uint64 seq)
{
	uint8		hashes[TILE_HASHES][HASH_BYTES];

	while (n % TILE_HASHES == 0 && n + TILE_HASHES <= seq && n + TILE_HASHES <= export->writer.archived &&
		   store_tile(0, n / TILE_HASHES, hashes))
	{
		for (int i = 0; i < TILE_HASHES; i++)
			export_leaf(&export->writer, hashes[i]);
		n += TILE_HASHES;
	}
	return n;
}

/* Its rows, as far as the checkpoint goes; the memory of each batch is reset. */
static void
export_entries(Export *export, uint64 size)
{
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "ledger rows", ALLOCSET_DEFAULT_SIZES);
	char	   *query = psprintf("SELECT l.entry, p.salt, p.payload, l.seq FROM secmed.ledger l"
								 " LEFT JOIN secmed.ledger_payload p ON p.seq = l.seq"
								 " WHERE l.seq < " UINT64_FORMAT " ORDER BY l.seq", size);
	/* With a snapshot no older than that in which the checkpoint was found. */
	Portal		portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, false, 0);
	uint64		n = 0;
	uint64		found;

	do
	{
		SPITupleTable *rows;
		MemoryContext old;

		SPI_cursor_fetch(portal, true, EXPORT_ROWS);
		rows = SPI_tuptable;
		found = SPI_processed;
		old = MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < found; i++)
		{
			HeapTuple	row = rows->vals[i];
			bool		isnull;

			CHECK_FOR_INTERRUPTS();
			n = export_archived(export, n, (uint64) DatumGetInt64(SPI_getbinval(row, rows->tupdesc, 4, &isnull)));
			export_row(export, row, rows->tupdesc, n++);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
		SPI_freetuptable(rows);
	} while (found > 0);
	SPI_cursor_close(portal);
}

/* May a checkpoint of this size be exported without countersignatures? */
static bool
needs_no_witness(Export *export, uint64 size)
{
	const KeySpan *span = history_log(&export->keys, size);
	Policy	   *policy;

	if (span == NULL)
		return true;			/* of a broken ledger the verifier says more */
	if (export->span == span)
		return export->no_witness;
	policy = store_parsed_policy(span);
	export->span = span;
	export->no_witness = policy == NULL || policy->quorum < 0;
	if (policy != NULL)
		pfree(policy);
	return export->no_witness;
}

/* Those that are certified, or need not be; the last is what is exported. */
static void
find_notes(Export *export)
{
	SPITupleTable *rows;
	uint64		n;

	if (SPI_execute("SELECT k.size, coalesce(c.note, k.note), c.size IS NOT NULL FROM secmed.ledger_checkpoint k"
					" LEFT JOIN secmed.ledger_certified c ON c.size = k.size ORDER BY k.size", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger_checkpoint");
	rows = SPI_tuptable;
	n = SPI_processed;
	initStringInfo(&export->notes);
	initStringInfo(&export->last);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		uint64		size = (uint64) DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		bytea	   *note = DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));

		if (!DatumGetBool(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull)) && !needs_no_witness(export, size))
			continue;
		if (export->last.len > 0)
			export_note(&export->notes, export->last.data);
		resetStringInfo(&export->last);
		appendBinaryStringInfo(&export->last, VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note));
		export->size = size;
	}
	SPI_freetuptable(rows);
}

static void
export_policies(Export *export)
{
	for (int i = 0; i < export->keys.nlogs; i++)
	{
		char		path[POLICY_PATH_BYTES];
		char	   *policy = store_policy(&export->keys.logs[i]);

		policy_path(path, export->keys.logs[i].policy);
		if (policy != NULL)
			put_row(export, path, policy, strlen(policy));
	}
}

Datum
secmed_export_ledger(PG_FUNCTION_ARGS)
{
	Export	   *export = palloc0(sizeof(Export));
	StoredCheckpoint last;
	OwnerScope	scope;
	const char *reason;

	InitMaterializedSRF(fcinfo, 0);
	export->result = (ReturnSetInfo *) fcinfo->resultinfo;
	owner_begin(&scope);
	SPI_connect();
	store_require_checkpoint(&last);
	(void) store_keys(&export->keys, &reason);	/* of a broken one the verifier says more */
	find_notes(export);

	initStringInfo(&export->payloads);
	load_erasures(export, export->size);
	export_start(&export->writer, (ExportSink) {.put = put_row, .arg = export}, store_archived());
	export->writer.with_columns = PG_GETARG_BOOL(0);
	export_entries(export, export->size);
	export_finish(&export->writer);
	export_policies(export);
	if (export->notes.len > 0)
		put_row(export, EXPORT_NOTES, export->notes.data, export->notes.len);
	if (export->payloads.len > 0)
		put_row(export, EXPORT_PAYLOADS, export->payloads.data, export->payloads.len);
	put_row(export, EXPORT_CHECKPOINT, export->last.data, export->last.len);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_NULL();
}
