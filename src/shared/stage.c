/*
 * stage.c
 *	  Changes of shared tables, kept at a party until their fate is known.
 */
#include "postgres.h"

#include "access/xact.h"
#include "audit/append.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_bswap.h"
#include "shared/client.h"
#include "shared/stage.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/portal.h"

/* Advisory lock of this database: who resolves.  The last number is for functions of one key of our own. */
#define RESOLVE_LOCK_KEY	0x5ec3ed
#define RESOLVE_LOCK_CLASS	0x5ec
/* How often we look whether it is free. */
#define LOCK_POLL_MS		100

/* ---- may it? ---- */

static void
refuse(const char *table, const char *node, const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_REFUSED),
			 errmsg("node \"%s\" does not let node \"%s\" change shared table \"%s\"",
					node_self()->card.name, node, table),
			 errdetail("%s.", why),
			 errhint("%s", hint)));
}

static bool
is_allowed(const char *node)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node)};
	OwnerScope	scope;
	bool		allowed;

	owner_begin(&scope);
	allowed = shared_execute("SELECT FROM secmed.shared_allowed WHERE node::text = $1", 1, types, values) == 1;
	owner_end(&scope);
	return allowed;
}

void
stage_require_allowed(const char *table, const NodeCard *from)
{
	if (!is_allowed(from->name))
		refuse(table, from->name, "It has not been allowed to share tables here",
			   psprintf("There, as secmed_admin: SELECT secmed.allow_shared(%s);", quote_literal_cstr(from->name)));
}

/* ---- finding what is staged ---- */

static bool
staged_exists(const char *sql, const char *table, const uint8 write[WRITE_ID_BYTES])
{
	Oid			types[] = {TEXTOID, UUIDOID};
	Datum		values[] = {CStringGetTextDatum(table), shared_write_datum(write)};
	OwnerScope	scope;
	bool		found;

	owner_begin(&scope);
	found = shared_execute(sql, 2, types, values) > 0;
	owner_end(&scope);
	return found;
}

static bool
write_is_new(const char *table, const uint8 write[WRITE_ID_BYTES])
{
	return !staged_exists("SELECT FROM secmed.shared_staged WHERE table_name::text = $1 AND write = $2 LIMIT 1",
						  table, write);
}

/* The definition that this or another pending change will make, or NULL. */
static SharedDefinition *
staged_definition(const char *name)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, INT2OID};
	Datum		values[] = {CStringGetTextDatum(name), Int16GetDatum(SHARED_CREATE)};
	SharedDefinition *definition = NULL;
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("SELECT payload FROM secmed.shared_staged WHERE table_name::text = $1 AND kind = $2",
							  2, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read secmed.shared_staged");
	if (SPI_processed == 1)
	{
		bool		isnull;
		bytea	   *bytes;
		const char *reason;
		MemoryContext spi = MemoryContextSwitchTo(caller);

		bytes = DatumGetByteaPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		definition = palloc(sizeof(SharedDefinition));
		if (!shared_definition_decode(definition, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
			elog(ERROR, "a staged definition is damaged");
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	owner_end(&scope);
	return definition;
}

/* ---- staging ---- */

static void
insert_staged(const char *table, const uint8 write[WRITE_ID_BYTES], const char *node, uint64 xid,
			  SharedKind kind, uint64 chunk, uint64 rows, const void *payload, size_t len)
{
	Oid			types[] = {UUIDOID, TEXTOID, INT8OID, TEXTOID, INT2OID, INT8OID, INT4OID, BYTEAOID};
	Datum		values[8];
	bytea	   *bytes = palloc(VARHDRSZ + len);
	OwnerScope	scope;

	SET_VARSIZE(bytes, VARHDRSZ + len);
	memcpy(VARDATA(bytes), payload, len);
	values[0] = shared_write_datum(write);
	values[1] = CStringGetTextDatum(node);
	values[2] = Int64GetDatum((int64) xid);
	values[3] = CStringGetTextDatum(table);
	values[4] = Int16GetDatum(kind);
	values[5] = Int64GetDatum((int64) chunk);
	values[6] = Int32GetDatum((int32) rows);
	values[7] = PointerGetDatum(bytes);
	owner_begin(&scope);
	shared_execute("INSERT INTO secmed.shared_staged (write, node, xid, table_name, kind, chunk, row_count, payload)"
				   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", 8, types, values);
	owner_end(&scope);
	pfree(bytes);
	/* The coordinator may commit when it has our answer: synchronous_commit = off is not for this. */
	ForceSyncCommit();
	resolver_wake();
}

static const char *
kind_word(SharedKind kind)
{
	switch (kind)
	{
		case SHARED_CREATE:
			return "create";
		case SHARED_DROP:
			return "drop";
		case SHARED_INSERT:
			return "insert";
		case SHARED_REPLACE:
			return "replace";
	}
	return "unknown";
}

void
stage_record(const char *table, const uint8 write[WRITE_ID_BYTES], const char *actor, const char *outcome,
			 uint64 rows)
{
	LedgerEntry entry = {.kind = ENTRY_SHARED, .has_run = true, .revealed = ""};

	memcpy(entry.run, write, RUN_ID_BYTES);
	entry.actor = actor;
	entry.object = table;
	entry.outcome = outcome;
	entry.ncounters = 1;
	entry.counters[0] = rows;
	audit_append(&entry, NULL, 0);
}

/* A table of this name; unless it is the very one, and the coordinator says that it may be. */
static bool
is_there(const SharedMessage *question)
{
	SharedTable *table = shared_table_find(question->table);
	StringInfoData bytes;

	if (table == NULL || question->numbers[2] != 1)
		return table != NULL;
	initStringInfo(&bytes);
	shared_definition_encode(&bytes, &table->definition);
	return bytes.len != question->parts[1].len || memcmp(bytes.data, question->parts[1].data, bytes.len) != 0;
}

/* A new table: this node is a party of it, knows the other two, and can ask its coordinator. */
static void
check_create(const SharedMessage *question, const NodeCard *from)
{
	SharedDefinition definition;
	const char *reason;
	Peer		peer;

	if (!shared_definition_decode(&definition, question->parts[1].data, question->parts[1].len, &reason) ||
		strcmp(definition.name, question->table) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a definition that the protocol does not allow", from->name)));
	if (!shared_is_creator(&definition, from) || shared_party_of(&definition, &node_self()->card) < 0)
		refuse(question->table, from->name, "The definition names another coordinator, or other parties",
			   "Compare the nodes' fingerprints by phone.");
	for (int i = 0; i < PARTIES; i++)
	{
		uint8		fingerprint[HASH_BYTES];

		if (strcmp(definition.parties[i].name, node_self()->card.name) == 0)
			continue;
		peer_require(&peer, definition.parties[i].name);
		card_fingerprint(fingerprint, &peer.card);
		if (memcmp(fingerprint, definition.parties[i].fingerprint, HASH_BYTES) != 0)
			refuse(question->table, from->name, psprintf("It knows party \"%s\" by another key", definition.parties[i].name),
				   "Compare the nodes' fingerprints by phone.");
	}
	if (strcmp(from->name, node_self()->card.name) != 0)
	{
		peer_require(&peer, from->name);
		if (peer.conninfo == NULL)
			refuse(question->table, from->name, "A party asks the coordinator what became of a change, and can't connect to it",
				   "There: secmed.add_peer(card, conninfo) with a connection string.");
	}
	if (is_there(question) || staged_definition(question->table))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("node \"%s\" already keeps a shared table \"%s\"", node_self()->card.name, question->table),
				 errhint("Choose another name with OPTIONS (\"table\" '...').")));
}

static void
check_package(const SharedMessage *question, const NodeCard *from, const SharedDefinition *definition)
{
	uint64		rows = question->numbers[3];
	int			party = shared_party_of(definition, &node_self()->card);
	RowLayout	layout;
	uint8	   *mine;
	uint8	   *next;
	bool		good;

	rows_layout(&layout, definition->types, definition->ncolumns, true);
	good = party >= 0 && rows > 0 && rows <= SHARED_CHUNK_ROWS && question->numbers[2] < (UINT64CONST(1) << 47) &&
		question->parts[1].len == rows_package_bytes(&layout, party, rows);
	if (good)
	{
		mine = palloc(rows * layout.width);
		next = palloc(rows * layout.width);
		good = rows_from_package(&layout, party, question->parts[1].data, question->parts[1].len, rows, mine, next);
		wipe(mine, rows * layout.width);
		wipe(next, rows * layout.width);
		pfree(mine);
		pfree(next);
	}
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent shares that are not rows of \"%s\"", from->name, question->table)));
}

/* A coordinator that went back to an older backup gives row ids out again. */
static void
check_chunk_is_new(const SharedMessage *question, const NodeCard *from, const SharedTable *table)
{
	Oid			types[] = {INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum((int64) question->numbers[2]), CStringGetTextDatum(question->table)};
	OwnerScope	scope;
	bool		used;

	owner_begin(&scope);
	used = shared_execute("SELECT FROM secmed.shared_staged WHERE table_name::text = $2 AND kind = 3 AND chunk = $1",
						  2, types, values) > 0;
	if (!used && table && OidIsValid(table->relid))
		used = shared_execute(psprintf("SELECT FROM " SHARED_SCHEMA ".%s WHERE " SHARED_ROW_ID " >= $1 << 16 AND "
									   SHARED_ROW_ID " < ($1 + 1) << 16 LIMIT 1", quote_identifier(question->table)),
							  1, types, values) > 0;
	owner_end(&scope);
	if (used)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("rows with these numbers are in shared table \"%s\" already", question->table),
				 errhint("If node \"%s\" was restored from a backup: there, as superuser, SELECT setval('secmed.shared_chunk', ...) beyond %llu.",
						 from->name, (unsigned long long) question->numbers[2])));
}

/* A change of a table that is there, or will be. */
static void
check_change(const SharedMessage *question, const NodeCard *from)
{
	SharedTable *table = shared_table_find(question->table);
	const SharedDefinition *definition = table ? &table->definition : staged_definition(question->table);

	if (definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no shared table \"%s\" at node \"%s\"", question->table, node_self()->card.name)));
	if (!shared_is_creator(definition, from))
		refuse(question->table, from->name, "Another node has made the table", "Make a table of your own.");
	if (question->numbers[1] == SHARED_INSERT)
	{
		check_package(question, from, definition);
		check_chunk_is_new(question, from, table);
	}
}

void
stage_question(const SharedMessage *question, const NodeCard *from)
{
	SharedKind	kind = (SharedKind) question->numbers[1];
	const char *requester = pnstrdup((const char *) question->parts[0].data, Min(question->parts[0].len, NAMEDATALEN * 2));

	if (kind < SHARED_CREATE || kind > SHARED_INSERT || !pg_verify_mbstr(PG_UTF8, requester, strlen(requester), true))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", from->name)));
	if (kind != SHARED_DROP)
		stage_require_allowed(question->table, from);
	/* Before a name is said to be taken, or a table not to be there. */
	if (kind == SHARED_CREATE ? (shared_table_find(question->table) || staged_definition(question->table)) :
		shared_table_find(question->table) == NULL)
		(void) stage_resolve(from->name);
	if (kind == SHARED_CREATE)
		check_create(question, from);
	else
		check_change(question, from);
	if (write_is_new(question->table, question->write))
		stage_record(question->table, question->write, psprintf("%s:%s", from->name, requester),
					  psprintf("staged: %s", kind_word(kind)), question->numbers[3]);
	insert_staged(question->table, question->write, from->name, question->numbers[0], kind,
				  question->numbers[2], question->numbers[3], question->parts[1].data, question->parts[1].len);
}

/* ---- new shares for rows ---- */

void
stage_replace_begin(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(table->definition.name)};
	OwnerScope	scope;

	owner_begin(&scope);
	shared_execute("SELECT FROM secmed.shared_table WHERE name::text = $1 FOR UPDATE", 1, types, values);
	owner_end(&scope);
	if (staged_exists("SELECT FROM secmed.shared_staged WHERE table_name::text = $1 AND write <> $2"
					  " AND kind = 4 LIMIT 1", table->definition.name, write))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("another change of the rows of shared table \"%s\" is pending", table->definition.name),
				 errhint("Try again when its transaction has ended.")));
	stage_record(table->definition.name, write, table->definition.creator.name, "staged: replace", 0);
}

void
stage_replace_rows(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid,
				   const int *columns, const RowLayout *layout, const int64 *row_ids, size_t n,
				   const uint8 *mine, const uint8 *next)
{
	StringInfoData payload;
	uint16		word = layout->ncolumns;
	uint8		valid = layout->valid_bit >= 0;

	initStringInfo(&payload);
	appendBinaryStringInfo(&payload, (char *) &word, sizeof(word));
	appendBinaryStringInfo(&payload, (char *) &valid, sizeof(valid));
	for (int i = 0; i < layout->ncolumns; i++)
	{
		word = columns[i];
		appendBinaryStringInfo(&payload, (char *) &word, sizeof(word));
	}
	appendBinaryStringInfo(&payload, (const char *) row_ids, n * sizeof(int64));
	appendBinaryStringInfo(&payload, (const char *) mine, n * layout->width);
	appendBinaryStringInfo(&payload, (const char *) next, n * layout->width);
	insert_staged(table->definition.name, write, table->definition.creator.name, xid, SHARED_REPLACE, 0, n,
				  payload.data, payload.len);
	wipe(payload.data, payload.len);
	pfree(payload.data);
}

/* ---- resolving ---- */

typedef struct Pending
{
	uint8		write[WRITE_ID_BYTES];
	uint64		xid;
} Pending;

static LOCKTAG
resolve_lock(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, RESOLVE_LOCK_KEY, 0, RESOLVE_LOCK_CLASS);
	return tag;
}

/* Rows of (uuid[, bigint]) as an array in the caller's context. */
static Pending *
read_writes(const char *sql, const char *node, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node)};
	Pending    *found;
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args(sql, 1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read staged changes");
	*n = (int) SPI_processed;
	found = MemoryContextAllocZero(caller, sizeof(Pending) * (*n + 1));
	for (int i = 0; i < *n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		memcpy(found[i].write, DatumGetPointer(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull)), WRITE_ID_BYTES);
		found[i].xid = (uint64) DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_finish();
	owner_end(&scope);
	return found;
}

static void
forget(const char *sql, const uint8 write[WRITE_ID_BYTES], const char *node)
{
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {shared_write_datum(write), CStringGetTextDatum(node)};
	OwnerScope	scope;

	owner_begin(&scope);
	shared_execute(sql, 2, types, values);
	owner_end(&scope);
	CommandCounterIncrement();
}

void		(*stage_step_hook) (void) = NULL;

static void
step(void)
{
	CHECK_FOR_INTERRUPTS();
	if (stage_step_hook)
		stage_step_hook();
}

/*
 * Applies a committed change, chunk by chunk in the order of their arrival.
 * Not with the snapshot we came with: we may have waited since.
 */
static void
apply_write(const uint8 write[WRITE_ID_BYTES], const char *node)
{
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {shared_write_datum(write), CStringGetTextDatum(node)};
	Portal		cursor;
	OwnerScope	scope;
	uint64		rows = 0;
	char	   *table = NULL;
	MemoryContext caller = CurrentMemoryContext;

	apply_begin();
	owner_begin(&scope);
	SPI_connect();
	cursor = SPI_cursor_open_with_args(NULL, "SELECT table_name::text, kind, chunk, row_count, payload"
									   " FROM secmed.shared_staged WHERE write = $1 AND node::text = $2 ORDER BY seq",
									   2, types, values, NULL, false, 0);
	for (;;)
	{
		HeapTuple	tuple;
		TupleDesc	desc;
		bool		isnull;

		step();
		SPI_cursor_fetch(cursor, true, 1);
		if (SPI_processed == 0)
			break;
		tuple = SPI_tuptable->vals[0];
		desc = SPI_tuptable->tupdesc;
		if (table == NULL)
			table = MemoryContextStrdup(caller, SPI_getvalue(tuple, desc, 1));
		rows += DatumGetInt32(SPI_getbinval(tuple, desc, 4, &isnull));
		apply_chunk((SharedKind) DatumGetInt16(SPI_getbinval(tuple, desc, 2, &isnull)), table, write,
					(uint64) DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull)),
					DatumGetInt32(SPI_getbinval(tuple, desc, 4, &isnull)),
					DatumGetByteaPP(SPI_getbinval(tuple, desc, 5, &isnull)));
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(cursor);
	if (table == NULL)
		elog(ERROR, "a staged change has no chunks");
	apply_finish();
	SPI_finish();
	owner_end(&scope);
	stage_record(table, write, node, "applied", rows);
	/* Likewise: the coordinator forgets what it hears is done. */
	ForceSyncCommit();
	forget("INSERT INTO secmed.shared_done (write, node) VALUES ($1, $2) ON CONFLICT DO NOTHING", write, node);
}

static void
ask_fates(const char *node, const Pending *pending, int n, const Pending *done, int ndone, SharedMessage *answer)
{
	SharedMessage question = {.verb = SHARED_FATES, .table = ""};
	StringInfoData records;
	StringInfoData ended;

	initStringInfo(&records);
	initStringInfo(&ended);
	for (int i = 0; i < n; i++)
	{
		uint64		xid = pg_hton64(pending[i].xid);

		appendBinaryStringInfo(&records, (const char *) pending[i].write, WRITE_ID_BYTES);
		appendBinaryStringInfo(&records, (const char *) &xid, sizeof(xid));
	}
	for (int i = 0; i < ndone; i++)
		appendBinaryStringInfo(&ended, (const char *) done[i].write, WRITE_ID_BYTES);
	question.parts[0] = (Bytes) {(uint8 *) records.data, records.len};
	question.parts[1] = (Bytes) {(uint8 *) ended.data, ended.len};
	if (strcmp(node, node_self()->card.name) == 0)
		fates_answer(&question, node, answer);
	else
		shared_ask(&node, 1, &question, answer);
	if (answer->parts[0].len != n)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" told the fate of another number of changes than it was asked about", node)));
}

/* Whoever has it may be applying millions of rows. */
static void
take_resolve_lock(const LOCKTAG *lock)
{
	while (LockAcquire(lock, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, LOCK_POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		step();
	}
}

Resolved
stage_resolve(const char *node)
{
	Resolved	resolved = {0};
	LOCKTAG		lock = resolve_lock();
	SharedMessage answer;
	Pending    *pending;
	Pending    *done;
	int			n;
	int			ndone;

	take_resolve_lock(&lock);
	pending = read_writes("SELECT write, min(xid) FROM secmed.shared_staged WHERE node::text = $1"
						  " GROUP BY write ORDER BY min(seq)", node, &n);
	done = read_writes("SELECT write, 0::bigint FROM secmed.shared_done WHERE node::text = $1", node, &ndone);
	if (n == 0 && ndone == 0)
	{
		/* Nothing that others could do again: whoever called us may work for long. */
		LockRelease(&lock, ExclusiveLock, false);
		return resolved;
	}
	ask_fates(node, pending, n, done, ndone, &answer);
	for (int i = 0; i < ndone; i++)
		forget("DELETE FROM secmed.shared_done WHERE write = $1 AND node::text = $2", done[i].write, node);
	for (int i = 0; i < n; i++)
	{
		Fate		fate = (Fate) answer.parts[0].data[i];

		if (fate == FATE_IN_PROGRESS)
		{
			resolved.waiting++;
			continue;
		}
		if (fate == FATE_COMMITTED)
			apply_write(pending[i].write, node);
		else
			stage_record("", pending[i].write, node, "dropped", 0);
		forget("DELETE FROM secmed.shared_staged WHERE write = $1 AND node::text = $2", pending[i].write, node);
		resolved.applied += fate == FATE_COMMITTED;
		resolved.dropped += fate != FATE_COMMITTED;
	}
	return resolved;
}

List *
stage_nodes(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *nodes = NIL;
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute("SELECT node::text FROM secmed.shared_staged UNION SELECT node::text FROM secmed.shared_done",
					false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read staged changes");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		nodes = lappend(nodes, pstrdup(TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &(bool) {0}))));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	owner_end(&scope);
	return nodes;
}
