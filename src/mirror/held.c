/*
 * held.c
 *	  The ledgers of other nodes that this node holds.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "ledger/store_sql.h"
#include "mirror/held.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define SECONDS_BEFORE_2000	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (uint64) SECS_PER_DAY)

/* SPI -----------------------------------------------------------------------*/

Datum
bytes_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

void
run_spi(const char *command, int expected, int nargs, Oid *types, Datum *values, const char *nulls)
{
	if (SPI_execute_with_args(command, nargs, types, values, nulls, false, 0) != expected)
		elog(ERROR, "SPI could not run: %s", command);
}

/* Found by the address of its text. */
typedef struct KeptPlan
{
	const char *command;
	SPIPlanPtr	plan;
} KeptPlan;

#define KEPT_PLANS	16

static SPIPlanPtr
kept_plan(const char *command, int nargs, Oid *types)
{
	static KeptPlan kept[KEPT_PLANS];
	int			i = 0;

	while (i < KEPT_PLANS && kept[i].command != NULL && kept[i].command != command)
		i++;
	if (i == KEPT_PLANS)
		elog(ERROR, "too many plans are kept");
	if (kept[i].command == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(command, nargs, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI could not prepare: %s", command);
		kept[i] = (KeptPlan) {command, plan};
	}
	return kept[i].plan;
}

void
run_kept(const char *command, int expected, int nargs, Oid *types, Datum *values)
{
	if (SPI_execute_plan(kept_plan(command, nargs, types), values, NULL, false, 0) != expected)
		elog(ERROR, "SPI could not run: %s", command);
}

HeldNote
column_note(uint64 row, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	bytea	   *bytes;
	char	   *copy;
	size_t		len;

	if (isnull)
		return (HeldNote) {"", 0};
	bytes = DatumGetByteaPP(datum);
	len = VARSIZE_ANY_EXHDR(bytes);
	copy = palloc(len + 1);
	memcpy(copy, VARDATA_ANY(bytes), len);
	copy[len] = '\0';
	return (HeldNote) {copy, len};
}

uint64
column_number(uint64 row, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : (uint64) DatumGetInt64(datum);
}

void
connect_nonatomic(FunctionCallInfo fcinfo, const char *procedure)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("CALL secmed.%s() can't run inside a transaction block", procedure),
				 errdetail("It commits before it is done.")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
}

int64
time_of_seconds(uint64 seconds)
{
	return ((int64) seconds - (int64) SECONDS_BEFORE_2000) * USECS_PER_SEC;
}

uint64
seconds_now(void)
{
	return (uint64) (GetCurrentTimestamp() / USECS_PER_SEC) + SECONDS_BEFORE_2000;
}

/* Rows ----------------------------------------------------------------------*/

#define COLUMNS "id::bigint, site::text, size, note, (extract(epoch FROM signed_at))::bigint," \
				" certified_size, certified, suspect, others, quoted, frozen::int::bigint, epoch_min, turn"

static void
read_row(Held *held, uint64 row)
{
	memset(held, 0, sizeof(*held));
	held->id = (int) column_number(row, 1);
	strlcpy(held->site, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2), sizeof(held->site));
	held->size = column_number(row, 3);
	held->note = column_note(row, 4);
	held->signed_s = column_number(row, 5);
	held->certified_size = column_number(row, 6);
	held->certified = column_note(row, 7);
	held->suspect = column_note(row, 8);
	held->others = column_number(row, 9);
	held->quoted = column_number(row, 10);
	held->frozen = column_number(row, 11) != 0;
	held->epoch_min = column_number(row, 12);
	held->turn = column_number(row, 13);
}

static bool
select_row(Held *held, const char *site, bool lock)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(site)};

	run_kept(lock ? "SELECT " COLUMNS " FROM secmed.mirror WHERE site = $1 AND ended_at IS NULL FOR UPDATE" :
			 "SELECT " COLUMNS " FROM secmed.mirror WHERE site = $1 AND ended_at IS NULL",
			 SPI_OK_SELECT, 1, types, values);
	if (SPI_processed == 0)
		return false;
	read_row(held, 0);
	return true;
}

bool
held_find(Held *held, const char *site, bool lock)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(site)};

	if (select_row(held, site, lock))
		return true;
	if (!lock)
		return false;
	run_spi("LOCK TABLE secmed.mirror IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	run_spi("INSERT INTO secmed.mirror (id, site) SELECT coalesce(max(id), 0) + 1, $1 FROM secmed.mirror"
			" ON CONFLICT DO NOTHING", SPI_OK_INSERT, 1, types, values, NULL);
	return select_row(held, site, true);
}

void
held_next_turn(Held *held)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(held->id)};

	run_spi("UPDATE secmed.mirror SET turn = turn + 1 WHERE id = $1", SPI_OK_UPDATE, 1, types, values, NULL);
	held->turn++;
}

int
held_all(Held **all)
{
	int			n;

	run_spi("SELECT " COLUMNS " FROM secmed.mirror WHERE ended_at IS NULL ORDER BY site",
			SPI_OK_SELECT, 0, NULL, NULL, NULL);
	n = (int) SPI_processed;
	*all = palloc((n + 1) * sizeof(Held));
	for (int i = 0; i < n; i++)
		read_row(&(*all)[i], i);
	return n;
}

/* What a witness needs to know ----------------------------------------------*/

static WitnessLog kept;
static int	kept_id = 0;		/* 0: none */

static void
put_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Oid			types[] = {INT4OID, INT4OID, INT8OID, BYTEAOID};
	Datum		values[] = {Int32GetDatum(*(int *) arg), Int32GetDatum(level), Int64GetDatum((int64) number),
	bytes_datum(hashes, (size_t) width * HASH_BYTES)};

	run_kept("INSERT INTO secmed.mirror_tile (mirror, level, idx, hashes) VALUES ($1, $2, $3, $4)",
			 SPI_OK_INSERT, 4, types, values);
}

static void pg_attribute_noreturn()
damaged(const Held *held)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the copy of the ledger of node \"%s\" is damaged here", held->site),
			 errdetail("Entries or tiles of it are missing or were changed."),
			 errhint("secmed.unfreeze() lets it be fetched anew.")));
}

static void
load(const Held *held)
{
	const uint8 **entries;
	size_t	   *lens;
	const char *reason;

	kept_id = 0;
	witness_start(&kept, held->site);
	if (held->size == 0)
		return;
	if (held_entries(held, held->size - 1, 1, 1, &entries, &lens) != 1 ||
		!chain_resume(&kept.chain, held->size - 1, entries[0], lens[0], &reason) ||
		strcmp(kept.chain.site, held->site) != 0 ||
		!store_mirror_keys(&kept.keys, held->id, &reason) ||
		!store_mirror_tree(&kept.tiles, held->id, held->size))
		damaged(held);
}

WitnessLog *
held_log(const Held *held)
{
	static int	id;

	if (kept_id != held->id || kept.chain.next_seq != held->size)
		load(held);
	kept_id = id = held->id;
	kept.tiles.take = put_tile;
	kept.tiles.arg = &id;
	kept.held = store_mirror_source(&kept.tiles, held->id);
	kept.epoch_min = held->epoch_min;
	kept.others = held->others;
	return &kept;
}

void
held_changing(void)
{
	kept_id = 0;
}

void
held_changed(const Held *held)
{
	kept_id = held->id;
}

/* Storing -------------------------------------------------------------------*/

static void
insert_entries(const Held *held, const WitnessUpdate *update)
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAARRAYOID};
	Datum	   *entries = palloc((update->n + 1) * sizeof(Datum));
	Datum		values[3];

	if (update->n == 0)
		return;
	for (uint64 i = 0; i < update->n; i++)
		entries[i] = bytes_datum(update->entries[i], update->lens[i]);
	values[0] = Int32GetDatum(held->id);
	values[1] = Int64GetDatum((int64) update->first);
	values[2] = PointerGetDatum(construct_array(entries, (int) update->n, BYTEAOID, -1, false, TYPALIGN_INT));
	run_kept("INSERT INTO secmed.mirror_entry (mirror, seq, entry)"
			 " SELECT $1, $2 + n - 1, e FROM pg_catalog.unnest($3) WITH ORDINALITY AS u(e, n)",
			 SPI_OK_INSERT, 3, types, values);
}

void
held_store(Held *held, const WitnessUpdate *update, const WitnessLog *log, const Checkpoint *head, uint64 time_s)
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAOID, TIMESTAMPTZOID, INT8OID};
	Datum		values[] = {Int32GetDatum(held->id), Int64GetDatum((int64) head->size),
		bytes_datum(update->note, update->note_len), TimestampTzGetDatum(time_of_seconds(time_s)),
	Int64GetDatum((int64) log->others)};

	insert_entries(held, update);
	run_kept("UPDATE secmed.mirror SET size = $2, note = $3, signed_at = $4, others = $5 WHERE id = $1",
			 SPI_OK_UPDATE, 5, types, values);
	held->size = head->size;
	held->signed_s = time_s;
	held->others = log->others;
}

void
held_store_certified(const Held *held, const Checkpoint *head, const void *note, size_t note_len,
					 const void *policy, size_t policy_len)
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAOID};
	Oid			policy_types[] = {INT4OID, BYTEAOID, BYTEAOID};
	Datum		values[] = {Int32GetDatum(held->id), Int64GetDatum((int64) head->size), bytes_datum(note, note_len)};
	uint8		hash[HASH_BYTES];

	run_spi("UPDATE secmed.mirror SET certified_size = $2, certified = $3"
			" WHERE id = $1 AND certified_size <= $2", SPI_OK_UPDATE, 3, types, values, NULL);
	hash_bytes(hash, policy, policy_len);
	values[1] = bytes_datum(hash, HASH_BYTES);
	values[2] = bytes_datum(policy, policy_len);
	run_spi("INSERT INTO secmed.mirror_policy (mirror, hash, policy) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 3, policy_types, values, NULL);
}

void
held_store_handover(const Held *held, uint64 size, const void *note, size_t len, bool replace)
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAOID, BOOLOID};
	Datum		values[] = {Int32GetDatum(held->id), Int64GetDatum((int64) size), bytes_datum(note, len),
	BoolGetDatum(replace)};

	run_spi("INSERT INTO secmed.mirror_note AS n (mirror, size, note) VALUES ($1, $2, $3)"
			" ON CONFLICT (mirror, size) DO UPDATE SET note = EXCLUDED.note WHERE $4",
			SPI_OK_INSERT, 4, types, values, NULL);
}

uint64
held_files(const Held *held, const uint8 ***files, size_t **lens)
{
	Oid			types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(held->id)};

	run_spi("SELECT policy FROM secmed.mirror_policy WHERE mirror = $1"
			" UNION ALL SELECT note FROM secmed.mirror_note WHERE mirror = $1", SPI_OK_SELECT, 1, types, values, NULL);
	*files = palloc((SPI_processed + 1) * sizeof(uint8 *));
	*lens = palloc((SPI_processed + 1) * sizeof(size_t));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeldNote	file = column_note(i, 1);

		(*files)[i] = (const uint8 *) file.bytes;
		(*lens)[i] = file.len;
	}
	return SPI_processed;
}

void
held_store_suspect(const Held *held, const void *note, size_t len)
{
	Oid			types[] = {INT4OID, BYTEAOID};
	Datum		values[] = {Int32GetDatum(held->id), bytes_datum(note, len)};

	run_spi("UPDATE secmed.mirror SET suspect = $2 WHERE id = $1", SPI_OK_UPDATE, 2, types, values, NULL);
}

uint64
held_entries(const Held *held, uint64 first, uint64 n_max, size_t bytes_max,
			 const uint8 ***entries, size_t **lens)
{
	Oid			types[] = {INT4OID, INT8OID, INT8OID};
	Datum		values[] = {Int32GetDatum(held->id), Int64GetDatum((int64) first),
	Int64GetDatum((int64) Min(first + n_max, held->size))};
	size_t		bytes = 0;
	uint64		n = 0;

	run_spi("SELECT seq, entry FROM secmed.mirror_entry WHERE mirror = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
			SPI_OK_SELECT, 3, types, values, NULL);
	*entries = palloc((SPI_processed + 1) * sizeof(uint8 *));
	*lens = palloc((SPI_processed + 1) * sizeof(size_t));
	while (n < SPI_processed && (n == 0 || bytes < bytes_max))
	{
		HeldNote	entry = column_note(n, 2);

		if (column_number(n, 1) != first + n)
			break;
		(*entries)[n] = (const uint8 *) entry.bytes;
		(*lens)[n++] = entry.len;
		bytes += entry.len;
	}
	return n;
}
