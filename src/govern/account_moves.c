/*
 * account_moves.c
 *	  The moves of an account that this node owns.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "govern/account_moves.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "utils/builtins.h"

bool
account_lock(Account *account, const char *address)
{
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(address)};

	if (rows_run("SELECT serial, head, balance, held FROM secmed.account WHERE address = $1 FOR UPDATE",
				 SPI_OK_SELECT, 1, types, values) == 0)
		return false;
	account->serial = (uint64) rows_int(0, 1);
	rows_hash(account->head, 0, 2);
	account->balance = (uint64) rows_int(0, 3);
	account->held = (uint64) rows_int(0, 4);
	return true;
}

static bool
was_made(const char *address, AccountMove move, const uint8 document[HASH_BYTES])
{
	static const Oid types[] = {TEXTOID, TEXTOID, BYTEAOID};
	Datum		values[] = {CStringGetTextDatum(address), CStringGetTextDatum(account_move_name(move)),
	bytea_datum(document, HASH_BYTES)};

	return rows_run("SELECT FROM secmed.account_entry WHERE account = $1 AND move = $2 AND document = $3",
					SPI_OK_SELECT, 3, types, values) > 0;
}

static void
record(const char *address, AccountMove move, uint64 amount, const Account *account, const uint8 *run)
{
	LedgerEntry entry = {.kind = ENTRY_ACCOUNT, .has_run = run != NULL, .actor = "secmed:accounts", .object = address,
		.has_plan = true, .outcome = account_move_name(move), .revealed = "", .ncounters = 4,
	.counters = {amount, account->balance, account->held, account->serial}};

	if (run != NULL)
		memcpy(entry.run, run, RUN_ID_BYTES);
	memcpy(entry.plan, account->head, HASH_BYTES);
	(void) audit_append(&entry, NULL, 0);
}

static void
store(const char *address, AccountMove move, uint64 amount, const Account *account, const uint8 document[HASH_BYTES], const uint8 *run)
{
	static const Oid types[] = {TEXTOID, INT8OID, BYTEAOID, INT8OID, INT8OID, TEXTOID, INT8OID, BYTEAOID, BYTEAOID};
	Datum		values[] = {CStringGetTextDatum(address), Int64GetDatum((int64) account->serial),
		bytea_datum(account->head, HASH_BYTES), Int64GetDatum((int64) account->balance),
		Int64GetDatum((int64) account->held), CStringGetTextDatum(account_move_name(move)), Int64GetDatum((int64) amount),
	bytea_datum(document, HASH_BYTES), run ? bytea_datum(run, RUN_ID_BYTES) : (Datum) 0};

	(void) rows_run("UPDATE secmed.account SET serial = $2, head = $3, balance = $4, held = $5 WHERE address = $1",
					SPI_OK_UPDATE, 5, types, values);
	(void) rows_run("INSERT INTO secmed.account_entry (account, serial, head, balance, held, move, amount, document, run)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", SPI_OK_INSERT, 9, types, values);
}

bool
account_make_move(const char *address, AccountMove move, uint64 amount, const uint8 document[HASH_BYTES],
				  const uint8 *run, const char **reason)
{
	Account		account;

	*reason = NULL;
	if (!account_lock(&account, address))
	{
		*reason = "is not one of this node's";
		return false;
	}
	if (was_made(address, move, document))
		return true;
	if (!account_move(&account, move, amount, document, reason))
		return false;
	store(address, move, amount, &account, document, run);
	record(address, move, amount, &account, run);
	return true;
}

void
account_create(const char *address, const uint8 *holder, Datum nodes)
{
	static const Oid types[] = {TEXTOID, BYTEAOID, NAMEARRAYOID};
	Datum		values[] = {CStringGetTextDatum(address), holder ? bytea_datum(holder, HASH_BYTES) : (Datum) 0, nodes};

	(void) rows_run("INSERT INTO secmed.account (address, holder, nodes) VALUES ($1, $2, COALESCE($3, '{}'))"
					" ON CONFLICT (address) DO UPDATE SET holder = COALESCE(EXCLUDED.holder, account.holder),"
					" nodes = CASE WHEN $3 IS NULL THEN account.nodes ELSE EXCLUDED.nodes END", SPI_OK_INSERT, 3, types, values);
}
