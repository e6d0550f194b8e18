/*
 * fates.c
 *	  What became of a change: the coordinator knows.
 *
 * A change is committed if its row of secmed.shared_write is visible, and in
 * progress while the (sub)transaction that inserted it runs.  That is looked
 * at first: when it is over, the row is visible to whoever looks afterwards,
 * or it never will be.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "port/pg_bswap.h"
#include "shared/stage.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* Transactions so far back can't be running, and their numbers are in use again. */
#define XID_HORIZON		(UINT64CONST(1) << 31)

static bool
in_progress(uint64 xid)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());

	if (xid >= next || next - xid >= XID_HORIZON || !TransactionIdIsNormal((TransactionId) xid))
		return false;
	return TransactionIdIsInProgress((TransactionId) xid);
}

static bool
is_committed(SPIPlanPtr plan, const uint8 *write)
{
	Datum		values[] = {shared_write_datum(write)};

	if (SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read secmed.shared_write");
	return SPI_processed == 1;
}

/*
 * Visible is not yet on disk, if synchronous_commit is off here.  Our own
 * commit flushes all that came before, and the party waits for it.
 */
static void
flush_commits(const uint8 *fates, size_t n)
{
	if (n > 0 && memchr(fates, FATE_COMMITTED, n) != NULL)
	{
		(void) GetCurrentTransactionId();
		ForceSyncCommit();
	}
}

/* A party has applied it; when all three have, nobody will ask again. */
static void
note_done(const uint8 *write, const char *party)
{
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {shared_write_datum(write), CStringGetTextDatum(party)};

	shared_execute("UPDATE secmed.shared_write SET done = done || $2::name"
				   " WHERE write = $1 AND $2::name = ANY (parties) AND $2::name <> ALL (done)", 2, types, values);
	shared_execute("DELETE FROM secmed.shared_write WHERE write = $1 AND done @> parties", 1, types, values);
}

void
fates_answer(const SharedMessage *question, const char *party, SharedMessage *answer)
{
	Oid			types[] = {UUIDOID};
	size_t		n = question->parts[0].len / FATE_RECORD_BYTES;
	const uint8 *record = question->parts[0].data;
	uint8	   *fates = palloc(n + 1);
	OwnerScope	scope;
	SPIPlanPtr	plan;

	if (question->parts[0].len % FATE_RECORD_BYTES != 0 || question->parts[1].len % WRITE_ID_BYTES != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", party)));
	for (size_t i = 0; i < n; i++)
	{
		uint64		xid;

		memcpy(&xid, record + i * FATE_RECORD_BYTES + WRITE_ID_BYTES, sizeof(xid));
		fates[i] = in_progress(pg_ntoh64(xid)) ? FATE_IN_PROGRESS : FATE_ABORTED;
	}

	owner_begin(&scope);
	SPI_connect();
	plan = SPI_prepare("SELECT FROM secmed.shared_write WHERE write = $1", 1, types);
	for (size_t i = 0; i < n; i++)
		if (fates[i] == FATE_ABORTED && is_committed(plan, record + i * FATE_RECORD_BYTES))
			fates[i] = FATE_COMMITTED;
	SPI_finish();
	flush_commits(fates, n);
	for (size_t at = 0; at < question->parts[1].len; at += WRITE_ID_BYTES)
		note_done(question->parts[1].data + at, party);
	owner_end(&scope);

	memset(answer, 0, sizeof(*answer));
	answer->verb = SHARED_FATES;
	answer->parts[0] = (Bytes) {fates, n};
}
