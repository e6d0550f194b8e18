/*
 * account_hold.c
 *	  The price of a run is held: asked for by the coordinator, set aside by the owner of the account, held against
 *	  the contract by every node.
 */
#include "postgres.h"

#include "base/error.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/account.h"
#include "govern/account_moves.h"
#include "govern/contracts.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/nodeconn.h"
#include "peer/served.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_hold_credits);

static char *paying_account = NULL;
static int	payment_hold_s = 24 * 3600;

static void refuse(const char *fmt,...) pg_attribute_noreturn() pg_attribute_printf(1, 2);

static void
refuse(const char *fmt,...)
{
	char		message[512];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	ereport(ERROR, (errcode(ERRCODE_SECMED_PAYMENT), errmsg_internal("%s", message)));
}

/* ---- at every node ---- */

/* Whose word it is: the node of the account, by the key that it is known by here. */
static const char *
signature_problem(const Document *document, const Payment *hold)
{
	char	   *node = account_node(hold->account);

	for (int i = 0; i < document->nsignatures; i++)
	{
		Identity	signer;

		if (identity_find(&signer, document->signatures[i].signer) && !signer.has_document &&
			strcmp(signer.person.name, node) == 0)
			return document_signature_good(document, i, signer.person.sign_public) ? NULL :
				"has a false signature";
	}
	return psprintf("is not signed by node \"%s\", as this node knows it", node);
}

static const char *
hold_problem(const Request *request, uint64 price)
{
	Document	document;
	Payment		hold;
	const char *reason;

	if (request->payment == NULL)
		return "is missing";
	if (!document_decode(&document, request->payment, request->payment_len, &reason) ||
		strcmp(document.kind->name, PAYMENT_KIND) != 0 ||
		!payment_decode(&hold, document.body, document.body_len, &reason))
		return "is no document about credits";
	reason = payment_hold_problem(&hold, request, price, identity_now_us());
	return reason ? reason : signature_problem(&document, &hold);
}

PaymentFact
payment_of_run(const Request *request)
{
	PaymentFact fact = {0};
	StoredContract stored;

	if (!request->has_contract || !contract_find(&stored, request->contract))
		return fact;
	fact.price = stored.contract.price;
	if (fact.price > 0)
		fact.problem = hold_problem(request, fact.price);
	return fact;
}

/* ---- at the coordinator ---- */

void
payment_hold(Request *request)
{
	PaymentFact fact = payment_of_run(request);
	Payment		hold = {.verb = PAYMENT_HOLD};
	StringInfoData question;
	StringInfoData answer;

	if (fact.price == 0 || request->payment != NULL)
		return;
	if (paying_account[0] == '\0' || !request->has_identity)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PAYMENT),
				 errmsg("the run costs " UINT64_FORMAT " credits, and nobody pays", fact.price),
				 errhint("SET secmed.account = 'node:name'; as a role that is bound to the account's holder.")));
	hold.account = paying_account;
	hold.amount = fact.price;
	memcpy(hold.run, request->run, RUN_ID_BYTES);
	memcpy(hold.contract, request->contract, HASH_BYTES);
	memcpy(hold.requester, request->identity, HASH_BYTES);
	memcpy(hold.parties, request->parties, sizeof(hold.parties));
	initStringInfo(&question);
	initStringInfo(&answer);
	payment_encode(&question, &hold);
	nodeconn_ask(nodeconn_get(account_node(paying_account)), "hold_credits", question.data, question.len, &answer,
				 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms));
	request->payment = (uint8 *) answer.data;
	request->payment_len = answer.len;
}

/* ---- at the owner ---- */

/* May this node spend for this identity from the account? */
static void
require_spender(const Payment *hold, const char *node)
{
	static const Oid types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(hold->account), CStringGetTextDatum(node)};
	Identity	requester;
	uint8		person[HASH_BYTES];
	bytea	   *holder;
	const char *allowed;

	if (rows_run("SELECT holder, $2::pg_catalog.name = ANY (nodes) FROM secmed.account WHERE address = $1", SPI_OK_SELECT, 2, types, values) == 0)
		refuse("node \"%s\" has no account \"%s\"", node_self()->card.name, hold->account);
	holder = rows_bytes(0, 1);
	allowed = rows_text(0, 2);
	if (allowed[0] != 't')
		refuse("node \"%s\" may not spend from account \"%s\"", node, hold->account);
	if (holder == NULL || !identity_find(&requester, hold->requester) ||
		identity_problem(&requester, identity_now_us()) != NULL)
		refuse("who asks may not spend from account \"%s\"", hold->account);
	contract_person(person, &requester);
	if (memcmp(person, VARDATA_ANY(holder), HASH_BYTES) != 0)
		refuse("who asks may not spend from account \"%s\"", hold->account);
}

/* The owner's word, signed. */
static StringInfoData
sign_hold(const Payment *hold, uint8 hash[HASH_BYTES])
{
	const NodeKeys *keys = node_self();
	StringInfoData body;
	StringInfoData bytes;
	Document	document;
	const char *reason;

	initStringInfo(&body);
	initStringInfo(&bytes);
	payment_encode(&body, hold);
	if (!document_begin(&document, body.data, body.len, &reason))
		elog(ERROR, "a document that this node has made %s", reason);
	document_sign(&document, keys->card.sign_public, keys->sign_secret);
	document_encode(&bytes, &document);
	memcpy(hash, document.hash, HASH_BYTES);
	return bytes;
}

static void
store_hold(const Payment *hold, const uint8 hash[HASH_BYTES], const StringInfoData *document)
{
	static const Oid types[] = {BYTEAOID, BYTEAOID, TEXTOID, INT8OID, BYTEAOID, BYTEAOID, INT8OID};
	Datum		values[] = {bytea_datum(hash, HASH_BYTES), bytea_datum(hold->run, RUN_ID_BYTES),
		CStringGetTextDatum(hold->account), Int64GetDatum((int64) hold->amount), bytea_datum(hold->contract, HASH_BYTES),
	bytea_datum(document->data, document->len), Int64GetDatum(hold->until_us)};

	(void) rows_run("INSERT INTO secmed.payment_hold (hash, run, account, amount, contract, document, until)"
					" VALUES ($1, $2, $3, $4, $5, $6, pg_catalog.to_timestamp($7::pg_catalog.numeric / 1000000))",
					SPI_OK_INSERT, 7, types, values);
}

static StringInfoData
set_aside(Payment *hold)
{
	StringInfoData document;
	uint8		hash[HASH_BYTES];
	const char *reason;

	hold->at_us = identity_now_us();
	hold->until_us = hold->at_us + payment_hold_s * INT64CONST(1000000);
	document = sign_hold(hold, hash);
	if (!account_make_move(hold->account, MOVE_HOLD, hold->amount, hash, hold->run, &reason))
		refuse("account \"%s\" %s", hold->account, reason);
	store_hold(hold, hash, &document);
	return document;
}

Datum
secmed_hold_credits(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData bytes;
	StringInfoData sealed;
	StringInfoData document;
	OwnerScope	scope;
	Payment		hold;
	const char *reason;

	initStringInfo(&bytes);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	if (!payment_decode(&hold, bytes.data, bytes.len, &reason) || hold.verb != PAYMENT_HOLD)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", served_peer()->name)));
	owner_begin(&scope);
	SPI_connect();
	require_spender(&hold, served_peer()->name);
	document = set_aside(&hold);
	MemoryContextSwitchTo(caller);
	initStringInfo(&sealed);
	served_seal(&sealed, document.data, document.len);
	bytes.len = 0;
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_DATUM(bytea_datum(sealed.data, sealed.len));
}

void
account_init(void)
{
	DefineCustomStringVariable("secmed.account",
							   "Sets the account that pays for runs that cost something: node:name.",
							   NULL, &paying_account, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("secmed.payment_hold",
							"Sets for how long this node holds the price of a run of whose fate it does not hear.",
							NULL, &payment_hold_s, 24 * 3600, 1, 30 * 24 * 3600, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}
