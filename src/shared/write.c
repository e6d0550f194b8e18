/*
 * write.c
 *	  Changing a shared table, seen from the coordinator.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "audit/append.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "catalog/namespace.h"
#include "crypto/hash.h"
#include "miscadmin.h"
#include "shared/client.h"
#include "shared/table.h"
#include "shared/write.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static char *
requester_name(void)
{
	const char *current = GetUserNameFromId(GetUserId(), false);
	const char *session = GetUserNameFromId(GetSessionUserId(), false);

	return strcmp(current, session) == 0 ? pstrdup(current) : psprintf("%s (session of %s)", current, session);
}

static ArrayType *
names_array(const char *const nodes[PARTIES])
{
	Datum		names[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		names[i] = PointerGetDatum(palloc0(NAMEDATALEN));
		namestrcpy(DatumGetName(names[i]), nodes[i]);
	}
	return construct_array(names, PARTIES, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR);
}

static void
insert_decision(const SharedWrite *write)
{
	Oid			types[] = {UUIDOID, TEXTOID, NAMEARRAYOID};
	Datum		values[] = {shared_write_datum(write->id), CStringGetTextDatum(write->parties.table),
	PointerGetDatum(names_array(write->parties.nodes))};
	OwnerScope	scope;

	owner_begin(&scope);
	shared_execute("INSERT INTO secmed.shared_write (write, table_name, parties) VALUES ($1, $2, $3)", 3, types, values);
	owner_end(&scope);
}

void
shared_write_begin(SharedWrite *write, const SharedParties *parties, const char *what)
{
	LedgerEntry entry = {.kind = ENTRY_SHARED, .has_run = true, .revealed = ""};

	random_bytes(write->id, WRITE_ID_BYTES);
	/* An RFC 9562 version 4 UUID, so that ledgers show it as one. */
	write->id[6] = (write->id[6] & 0x0F) | 0x40;
	write->id[8] = (write->id[8] & 0x3F) | 0x80;
	write->parties = *parties;
	write->requester = requester_name();
	write->xid = U64FromFullTransactionId(GetCurrentFullTransactionId());
	insert_decision(write);

	memcpy(entry.run, write->id, RUN_ID_BYTES);
	entry.actor = psprintf("%s:%s", node_self()->card.name, write->requester);
	entry.object = parties->table;
	entry.outcome = psprintf("asked: %s", what);
	audit_append(&entry, NULL, 0);
}

void
shared_write_stage(const SharedWrite *write, SharedKind kind, uint64 chunk, uint64 rows,
				   const StringInfo payloads[PARTIES])
{
	SharedMessage questions[PARTIES];
	SharedMessage answers[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		SharedMessage *question = &questions[i];

		*question = (SharedMessage) {.verb = SHARED_STAGE, .table = (char *) write->parties.table,
		.numbers = {write->xid, kind, chunk, rows}};
		memcpy(question->write, write->id, WRITE_ID_BYTES);
		question->parts[0] = (Bytes) {(const uint8 *) write->requester, strlen(write->requester)};
		question->parts[1] = (Bytes) {(const uint8 *) payloads[i]->data, payloads[i]->len};
	}
	shared_ask(write->parties.nodes, PARTIES, questions, answers);
}

uint64
shared_next_chunk(void)
{
	Oid			sequence = get_relname_relid("shared_chunk", get_namespace_oid("secmed", false));

	if (!OidIsValid(sequence))
		elog(ERROR, "sequence secmed.shared_chunk is missing");
	return (uint64) nextval_internal(sequence, false);
}
