/*
 * ingest.c
 *	  Takes spooled entries into the ledger.
 *
 * How far the file has been read is committed with the entries up to there, so
 * whoever goes on after a crash begins where the ledger ends.  An entry that
 * was spooled while its batch was being committed is looked for in the ledger,
 * at the number and with the hash that it had in that batch.
 */
#include "base/base.h"

#include "audit/ingest.h"
#include "audit/spool.h"
#include "audit/steady.h"
#include "audit/writer.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

/* After a failure: whatever stands in the way may be gone by then. */
#define RETRY_MS		2000

static bool looked = false;		/* for a file that an earlier life has left */
static int64 next_ms = 0;		/* steady.h; 0: no file is known of */

long
ingest_wait_ms(void)
{
	if (!looked)
	{
		looked = true;
		if (spool_exists())
			next_ms = steady_ms();
	}
	if (!spool_in_use(MyDatabaseId) && next_ms == 0)
		return -1;
	return steady_wait_ms(next_ms);
}

/* How far it is -------------------------------------------------------------*/

static Datum
id_datum(const SpoolReader *reader)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	StaticAssertStmt(SPOOL_ID_BYTES == UUID_LEN, "a spool's id is a UUID");
	memcpy(id->data, reader->id, UUID_LEN);
	return UUIDPGetDatum(id);
}

/* Goes to where the last transaction that was committed has ended. */
static void
find_start(SpoolReader *reader)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {id_datum(reader)};
	bool		isnull;

	writer_begin();
	if (SPI_execute_with_args("SELECT taken FROM secmed.ledger_spool WHERE id = $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger_spool");
	if (SPI_processed == 1)
		reader->at = (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
														  1, &isnull));
	(void) writer_abort(false);
}

static void
store_progress(const SpoolReader *reader, int entries)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID, INT8OID};
	Datum		values[] = {id_datum(reader), Int64GetDatum((int64) reader->at),
	Int64GetDatum(entries), Int64GetDatum((int64) reader->lost)};

	if (SPI_execute_with_args("INSERT INTO secmed.ledger_spool AS s (id, taken, entries, lost)"
							  " VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE"
							  " SET taken = $2, entries = s.entries + $3, lost = s.lost + $4,"
							  " taken_at = pg_catalog.clock_timestamp()",
							  4, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "can't write secmed.ledger_spool");
}

/* Taking --------------------------------------------------------------------*/

/* Did the batch go through that this entry was in? */
static bool
in_ledger(const SpooledEntry *spooled)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) spooled->seq)};
	uint8		leaf[HASH_BYTES];
	bool		isnull;
	bytea	   *entry;

	if (!spooled->has_place)
		return false;
	if (SPI_execute_with_args("SELECT entry FROM secmed.ledger WHERE seq = $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");
	if (SPI_processed == 0)
		return false;
	entry = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	entry_hash(leaf, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry));
	return memcmp(leaf, spooled->leaf, HASH_BYTES) == 0;
}

static void
put(const SpooledEntry *spooled)
{
	Draft		draft = {
		.entry = &spooled->entry,
		.salt = spooled->salt,
		.payload = spooled->has_payload ? spooled->payload : NULL,
		.payload_len = spooled->payload_len,
	};
	Place		place;
	Refusal		refusal = writer_put(&draft, &place);

	if (refusal.reason)
		ereport(LOG,
				(errmsg("the ledger did not take a spooled entry"),
				 errdetail("%s", refusal.reason)));
}

/* As many as fit in a batch; false at the end of the file. */
static bool
take_some(SpoolReader *reader)
{
	SpooledEntry spooled;
	Refusal		refusal;
	bool		more = true;
	int			n = 0;

	reader->lost = 0;
	writer_begin();
	refusal = writer_open(LEDGER_BATCH);
	if (refusal.reason)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("%s", refusal.reason)));
	for (int i = 0; i < LEDGER_BATCH && (more = spool_read(reader, &spooled)); i++)
		if (!in_ledger(&spooled))
		{
			put(&spooled);
			n++;
		}
	store_progress(reader, n);
	writer_flush();
	writer_commit(true);
	if (reader->lost > 0)
		ereport(LOG,
				(errmsg("the ledger's spool held " UINT64_FORMAT " bytes that were no entry", reader->lost),
				 errdetail("A crash or a full disk has cut what was being written; nobody was told that it was kept.")));
	return more;
}

static void
take_files(void)
{
	SpoolReader reader;

	while (spool_open(&reader))
	{
		bool		more;

		find_start(&reader);
		more = take_some(&reader);
		spool_end();
		while (more)
			more = take_some(&reader);
		spool_close(&reader);
		spool_remove_taken();
	}
	next_ms = 0;
}

static void
report_failure(void)
{
	char	   *reason = writer_abort(true);

	ereport(LOG,
			(errmsg("spooled entries could not be taken into the ledger"),
			 errdetail("%s", reason)));
	pfree(reason);
	next_ms = steady_ms() + RETRY_MS;
}

void
ingest_run(void)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context;

	if (ingest_wait_ms() != 0)
		return;
	context = AllocSetContextCreate(TopMemoryContext, "ledger spool", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		take_files();
	}
	PG_CATCH();
	{
		spool_forget_reader();
		report_failure();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
