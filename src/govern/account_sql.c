/*
 * account_sql.c
 *	  Accounts in SQL: opened, granted credits, stated, settled.
 */
#include "postgres.h"

#include "audit/append.h"
#include "base/error.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "govern/account.h"
#include "govern/account_moves.h"
#include "govern/contracts.h"
#include "govern/rows.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_open_account);
PG_FUNCTION_INFO_V1(secmed_draft_grant);
PG_FUNCTION_INFO_V1(secmed_statement);
PG_FUNCTION_INFO_V1(secmed_settle_payments);

static void
require_address(const char *address)
{
	if (!account_address_valid(address))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the address of an account", address),
				 errhint("An address is the name of its node, or node:name.")));
}

static void
require_ours(const char *address)
{
	require_address(address);
	if (strcmp(account_node(address), node_self()->card.name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("account \"%s\" is not one of this node's", address)));
}

Datum
secmed_open_account(PG_FUNCTION_ARGS)
{
	char	   *address = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Identity	holder;
	uint8		person[HASH_BYTES];
	LedgerEntry entry = {.kind = ENTRY_RULE, .object = address, .outcome = "account opened", .revealed = ""};
	OwnerScope	scope;

	require_ours(address);
	if (!PG_ARGISNULL(1))
	{
		identity_require(&holder, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		contract_person(person, &holder);
	}
	owner_begin(&scope);
	SPI_connect();
	account_create(address, PG_ARGISNULL(1) ? NULL : person, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2));
	SPI_finish();
	owner_end(&scope);
	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	audit_wait(audit_append(&entry, NULL, 0));
	PG_RETURN_VOID();
}

Datum
secmed_draft_grant(PG_FUNCTION_ARGS)
{
	Payment		grant = {.verb = PAYMENT_GRANT, .at_us = identity_now_us()};
	int64		amount = PG_GETARG_INT64(1);
	Document	document;
	StringInfoData body;
	StringInfoData bytes;
	StringInfoData armour;
	const char *reason;

	grant.account = text_to_cstring(PG_GETARG_TEXT_PP(0));
	grant.words = text_to_cstring(PG_GETARG_TEXT_PP(2));
	require_address(grant.account);
	if (amount <= 0 || amount > CREDITS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from 1 to %lld credits are granted at once", (long long) CREDITS_MAX)));
	grant.amount = (uint64) amount;
	initStringInfo(&body);
	initStringInfo(&bytes);
	initStringInfo(&armour);
	payment_encode(&body, &grant);
	if (!document_begin(&document, body.data, body.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the grant %s", reason)));
	document_encode(&bytes, &document);
	document_to_text(&armour, bytes.data, bytes.len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(armour.data, armour.len));
}

/* ---- statements ---- */

static void
damaged(const char *address, uint64 serial)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("account \"%s\" is damaged at its move " UINT64_FORMAT, address, serial),
			 errhint("The ledger has what was written when it was made: SELECT * FROM secmed.events WHERE kind = 'account'.")));
}

/* Every move is made again: what is stored must be what comes of it. */
static void
check_move(Account *account, const char *address, uint64 row)
{
	AccountMove move = account_move_of_name(rows_text(row, 3));
	uint8		document[HASH_BYTES];
	uint8		head[HASH_BYTES];
	const char *reason;

	rows_hash(document, row, 8);
	rows_hash(head, row, 9);
	if (move == 0 || !account_move(account, move, (uint64) rows_int(row, 4), document, &reason) ||
		account->serial != (uint64) rows_int(row, 1) || account->balance != (uint64) rows_int(row, 5) ||
		account->held != (uint64) rows_int(row, 6) || memcmp(account->head, head, HASH_BYTES) != 0)
		damaged(address, account->serial);
}

Datum
secmed_statement(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TEXTOID};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *address = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum		values[] = {PG_GETARG_DATUM(0)};
	Account		account = {0};
	Account		now;
	OwnerScope	scope;
	uint64		n;

	require_ours(address);
	InitMaterializedSRF(fcinfo, 0);
	owner_begin(&scope);
	SPI_connect();
	if (!account_lock(&now, address))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no account \"%s\"", address)));
	n = rows_run("SELECT serial, at, move, amount, balance, held, run, document, head FROM secmed.account_entry"
				 " WHERE account = $1 ORDER BY serial", SPI_OK_SELECT, 1, types, values);
	for (uint64 i = 0; i < n; i++)
	{
		Datum		row[8];
		bool		nulls[8];

		check_move(&account, address, i);
		for (int column = 0; column < 8; column++)
			row[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, column + 1, &nulls[column]);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
	if (account.serial != now.serial || memcmp(account.head, now.head, HASH_BYTES) != 0 ||
		account.balance != now.balance || account.held != now.held)
		damaged(address, now.serial);
	SPI_finish();
	owner_end(&scope);
	return (Datum) 0;
}

Datum
secmed_settle_payments(PG_FUNCTION_ARGS)
{
	(void) node_self();
	PG_RETURN_INT64(payments_tick());
}
