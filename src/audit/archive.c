/*
 * archive.c
 *	  secmed.archive_ledger(): moves old entries out of the database.
 *
 * The archive is a directory as export_ledger() has it, so "secmed verify" and
 * other people's tools read it.  The next archive into the same directory adds
 * to it: entries only ever follow others.
 *
 *	1. Every file is written and flushed.  Bodies of what was archived before are
 *	   carried over, unless they were erased meanwhile.
 *	2. What is in the directory is verified as a stranger would.
 *	3. The ledger says, durably, that these entries are archived.
 *	4. Their segments are emptied, but for bundles with entries that later ones
 *	   lean on: keys, erasures, reviews, archives.  Tiles and checkpoints stay, so
 *	   every proof and the verification of the rest go on.
 *
 * If the transaction is rolled back after that, the entries are in both places.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/append.h"
#include "audit/archived.h"
#include "audit/segment.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/guard.h"
#include "ledger/store_sql.h"
#include "ledger/verify.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_archive_ledger);

/* Files that are read from the export at once. */
#define FILE_ROWS		50

static void
run(const char *query, int expected)
{
	int			result = SPI_execute(query, false, 0);

	if (result != expected)
		elog(ERROR, "can't archive the ledger: %s", SPI_result_code_string(result));
}

/* Files ---------------------------------------------------------------------*/

static void pg_attribute_noreturn()
file_failed(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s \"%s\" of the archive: %m", what, path)));
}

/* Makes the directories that lead to a file. */
static void
make_directories(const char *path)
{
	char		directory[MAXPGPATH];

	strlcpy(directory, path, sizeof(directory));
	for (char *at = strchr(directory + 1, '/'); at; at = strchr(at + 1, '/'))
	{
		*at = '\0';
		if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST)
			file_failed("create directory", directory);
		*at = '/';
	}
}

/* Durable, and there as a whole or not at all. */
static void
write_file(const char *path, const void *bytes, size_t len)
{
	char		made[MAXPGPATH];
	int			fd;

	snprintf(made, sizeof(made), "%s.new", path);
	make_directories(path);
	fd = OpenTransientFilePerm(made, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		file_failed("create file", made);
	errno = 0;
	if (write(fd, bytes, len) != (ssize_t) len || pg_fsync(fd) != 0 || CloseTransientFile(fd) != 0)
	{
		if (errno == 0)
			errno = ENOSPC;		/* a short write does not say so */
		file_failed("write file", made);
	}
	(void) durable_rename(made, path, ERROR);
}

/* A full tile or bundle, once there, does not change: others are written again. */
static void
put_file(const char *directory, const char *name, const bytea *content)
{
	char	   *path = psprintf("%s/%s", directory, name);
	const char *bytes = VARDATA_ANY(content);
	int			len = (int) VARSIZE_ANY_EXHDR(content);
	StringInfoData found;

	CHECK_FOR_INTERRUPTS();
	initStringInfo(&found);
	if (!archived_read(path, &found) || found.len != len || memcmp(found.data, bytes, len) != 0)
		write_file(path, bytes, len);
	pfree(found.data);
	pfree(path);
}

/* Bodies --------------------------------------------------------------------*/

typedef struct Erasure
{
	uint64		first;
	uint64		last;
	uint64		by;
} Erasure;

static Erasure *
load_erasures(int *n)
{
	Erasure    *erasures;

	run("SELECT entry FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'erased' ORDER BY seq", SPI_OK_SELECT);
	erasures = palloc((SPI_processed * ENTRY_COUNTERS_MAX / 2 + 1) * sizeof(Erasure));
	*n = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		bytea	   *bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		EntryView	entry;
		const char *reason;

		if (!entry_view(&entry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
			continue;
		for (int r = 0; r + 1 < entry.ncounters; r += 2)
			erasures[(*n)++] = (Erasure) {entry.counters[r], entry.counters[r + 1], entry.seq};
	}
	return erasures;
}

/* A line of the archive before, as it is today: what was erased meanwhile goes. */
static void
carry_line(StringInfo out, const char *line, int len, const Erasure *erasures, int n)
{
	uint64		seq = strtou64(line, NULL, 10);

	for (int i = 0; i < n; i++)
		if (seq >= erasures[i].first && seq <= erasures[i].last)
		{
			export_erased(out, seq, erasures[i].by);
			return;
		}
	appendBinaryStringInfo(out, line, len);
}

/* The lines of the archive before, of entries that were archived then. */
static void
carry_payloads(StringInfo out, const char *directory, uint64 archived)
{
	StringInfoData old;
	int			n;
	Erasure    *erasures = load_erasures(&n);

	initStringInfo(&old);
	(void) archived_read(psprintf("%s/%s", directory, EXPORT_PAYLOADS), &old);
	for (char *line = old.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (strtou64(line, NULL, 10) < archived)
			carry_line(out, line, (int) (end + 1 - line), erasures, n);
}

static void
write_payloads(const char *directory, const StringInfoData *payloads)
{
	char	   *path = psprintf("%s/%s", directory, EXPORT_PAYLOADS);

	if (payloads->len > 0)
		write_file(path, payloads->data, payloads->len);
	else if (unlink(path) != 0 && errno != ENOENT)
		file_failed("remove file", path);
}

/* The whole ----------------------------------------------------------------*/

static void
put_row(const char *directory, HeapTuple row, TupleDesc desc, StringInfo payloads)
{
	bool		isnull;
	char	   *name = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	bytea	   *content = DatumGetByteaPP(SPI_getbinval(row, desc, 2, &isnull));

	if (strcmp(name, EXPORT_PAYLOADS) == 0)
		appendBinaryStringInfo(payloads, VARDATA_ANY(content), (int) VARSIZE_ANY_EXHDR(content));
	else
		put_file(directory, name, content);
}

/* The whole export, over what an earlier one has left there. */
static void
write_files(const char *directory, uint64 archived)
{
	StringInfoData payloads;
	MemoryContext rows = AllocSetContextCreate(CurrentMemoryContext, "archive", ALLOCSET_DEFAULT_SIZES);
	Portal		portal = SPI_cursor_open_with_args(NULL, "SELECT path, content FROM secmed.export_ledger()",
												   0, NULL, NULL, NULL, true, 0);

	initStringInfo(&payloads);
	carry_payloads(&payloads, directory, archived);
	for (;;)
	{
		MemoryContext old;

		SPI_cursor_fetch(portal, true, FILE_ROWS);
		if (SPI_processed == 0)
			break;
		old = MemoryContextSwitchTo(rows);
		for (uint64 i = 0; i < SPI_processed; i++)
			put_row(directory, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &payloads);
		MemoryContextSwitchTo(old);
		MemoryContextReset(rows);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	write_payloads(directory, &payloads);
}

/* Verification --------------------------------------------------------------*/

static bool
get_file(void *arg, const char *path, StringInfo out)
{
	CHECK_FOR_INTERRUPTS();
	resetStringInfo(out);
	return archived_read(psprintf("%s/%s", (const char *) arg, path), out);
}

static void
verify_files(char *directory, uint64 end)
{
	VerifySource source = {.get = get_file, .arg = directory};
	VerifyOptions options = {0};
	VerifyResult *result = palloc0(sizeof(VerifyResult));

	verify_export(result, &source, &options);
	if (result->status != VERIFY_INTACT)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the archive does not verify, so nothing is removed from the ledger"),
				 result->has_entry ?
				 errdetail("Entry " UINT64_FORMAT " %s.", result->entry, result->reason) :
				 errdetail("It %s.", result->reason),
				 errhint("See secmed.verify_ledger(), and whether another ledger is in that directory.")));
	if (result->head.size < end)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("entries below " UINT64_FORMAT " are not all covered by a checkpoint", end),
				 errdetail("The newest that may be exported is of " UINT64_FORMAT " entries.", result->head.size)));
	pfree(result);
}

/* Emptying ------------------------------------------------------------------*/

static void
put_back(SPITupleTable *kept, uint64 n)
{
	Oid			types[] = {INT8OID, BYTEAOID};

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		values[] = {SPI_getbinval(kept->vals[i], kept->tupdesc, 1, &isnull),
		SPI_getbinval(kept->vals[i], kept->tupdesc, 2, &isnull)};

		if (SPI_execute_with_args("INSERT INTO secmed.ledger (seq, entry) VALUES ($1, $2)",
								  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "an entry was not kept");
	}
}

static void
truncate_segment(const Segment *segment)
{
	run(psprintf("TRUNCATE %s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(segment->oid)),
														   get_rel_name(segment->oid))), SPI_OK_UTILITY);
}

static void
empty_segment(const Segment *segment)
{
	char	   *range = psprintf("seq >= " UINT64_FORMAT " AND seq < " UINT64_FORMAT, segment->first, segment->end);
	SPITupleTable *kept;
	uint64		n;

	run(psprintf("SELECT seq, entry FROM secmed.ledger WHERE %s AND seq / %d IN"
				 " (SELECT seq / %d FROM secmed.ledger WHERE %s AND"
				 " secmed.entry_kind(entry) IN ('key', 'erased', 'reviewed', 'archived')) ORDER BY seq",
				 range, TILE_HASHES, TILE_HASHES, range), SPI_OK_SELECT);
	kept = SPI_tuptable;
	n = SPI_processed;
	truncate_segment(segment);
	put_back(kept, n);
	SPI_freetuptable(kept);
}

static void
empty_segments(uint64 end)
{
	int			nledger;
	int			npayload;
	Segment    *ledger = segment_list(SEGMENTS_LEDGER, end, &nledger);
	Segment    *payload = segment_list(SEGMENTS_PAYLOAD, end, &npayload);

	guard_is_recovery = true;
	PG_TRY();
	{
		for (int i = 0; i < nledger; i++)
			empty_segment(&ledger[i]);
		for (int i = 0; i < npayload; i++)
			truncate_segment(&payload[i]);
	}
	PG_FINALLY();
	{
		guard_is_recovery = false;
	}
	PG_END_TRY();
}

/* The function --------------------------------------------------------------*/

static void
check_directory(const char *directory)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only who may write the server's files may archive the ledger"),
				 errhint("That are superusers and members of pg_write_server_files.")));
	if (!is_absolute_path(directory) || strlen(directory) + TILE_PATH_BYTES + 16 > MAXPGPATH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the directory of an archive must be an absolute path"),
				 errdetail("It is one on the server.")));
	if (path_is_prefix_of_path(DataDir, directory))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the archive must not be in the data directory")));
}

/* The end of the last segment that may go; an error if there is none. */
static uint64
find_end(int64 before, uint64 archived)
{
	int			n;
	Segment    *segments = segment_list(SEGMENTS_LEDGER, (uint64) Max(before, 0), &n);

	if (n == 0 || segments[n - 1].end <= archived)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to archive below entry " INT64_FORMAT, before),
				 errdetail("Partitions of the ledger are archived as a whole; entries below " UINT64_FORMAT " are already.",
						   archived)));
	return segments[n - 1].end;
}

static void
write_entry(uint64 archived, uint64 end)
{
	LedgerEntry entry = {
		.kind = ENTRY_ARCHIVED,
		.actor = GetUserNameFromId(GetSessionUserId(), false),
		.outcome = "archived",
		.ncounters = 2,
		.counters = {archived, end},
	};

	audit_wait(audit_append(&entry, NULL, 0));
}

Datum
secmed_archive_ledger(PG_FUNCTION_ARGS)
{
	char	   *directory = text_to_cstring(PG_GETARG_TEXT_PP(1));
	OwnerScope	scope;
	uint64		archived;
	uint64		end;

	PreventCommandIfReadOnly("secmed.archive_ledger()");
	canonicalize_path(directory);
	check_directory(directory);

	owner_begin(&scope);
	SPI_connect();
	/* One at a time; the sequencer may write meanwhile. */
	run("LOCK TABLE secmed.ledger_checkpoint IN SHARE UPDATE EXCLUSIVE MODE", SPI_OK_UTILITY);
	archived = store_archived();
	end = find_end(PG_GETARG_INT64(0), archived);
	write_files(directory, archived);
	verify_files(directory, end);
	write_entry(archived, end);
	empty_segments(end);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_INT64((int64) end);
}
