/*
 * account_settle.c
 *	  What becomes of the price of a run: parties tell its fate, the owner pays or returns.
 */
#include "postgres.h"

#include "base/error.h"
#include "catalog/pg_type.h"
#include "govern/account.h"
#include "govern/account_moves.h"
#include "govern/contracts.h"
#include "govern/rows.h"
#include "identity/node.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* So many at a time; the rest at the next tick. */
#define TICK_MAX	100

/* Of three parties: then at most one of them lies. */
#define FATES_NEEDED	2

/* ---- at a party ---- */

/* The hash of the hold that came with the request; false if the run is free. */
static bool
hold_of_request(const Request *request, uint8 hash[HASH_BYTES])
{
	Document	document;
	const char *reason;

	if (request->payment == NULL || payment_of_run(request).problem != NULL ||
		!document_decode(&document, request->payment, request->payment_len, &reason))
		return false;
	memcpy(hash, document.hash, HASH_BYTES);
	return true;
}

void
payment_begin(const Request *request, TimestampTz until)
{
	static const Oid types[] = {BYTEAOID, BYTEAOID, TIMESTAMPTZOID};
	uint8		hash[HASH_BYTES];
	Datum		values[3];
	OwnerScope	scope;

	if (!hold_of_request(request, hash))
		return;
	values[0] = bytea_datum(request->run, RUN_ID_BYTES);
	values[1] = bytea_datum(hash, HASH_BYTES);
	values[2] = TimestampTzGetDatum(until);
	owner_begin(&scope);
	SPI_connect();
	(void) rows_run("INSERT INTO secmed.payment_run (run, hold, until) VALUES ($1, $2, $3)", SPI_OK_INSERT, 3, types, values);
	SPI_finish();
	owner_end(&scope);
}

void
payment_opened(const Request *request)
{
	static const Oid types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(request->run, RUN_ID_BYTES)};
	OwnerScope	scope;
	uint64		n;

	owner_begin(&scope);
	SPI_connect();
	n = rows_run("UPDATE secmed.payment_run SET opened = true WHERE run = $1 AND NOT told", SPI_OK_UPDATE, 1, types, values);
	SPI_finish();
	owner_end(&scope);
	if (n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PAYMENT),
				 errmsg("the run has taken too long: its price was given back")));
}

/* Runs that were opened; that have ended otherwise, by the ledger; or of which nothing can come any more. */
#define RUNS_TO_TELL \
	"SELECT r.run, r.hold, r.opened::pg_catalog.int4::pg_catalog.int8 FROM secmed.payment_run r WHERE NOT r.told AND (r.opened OR r.until < pg_catalog.clock_timestamp()" \
	" OR EXISTS (SELECT FROM secmed.events e WHERE e.run = pg_catalog.encode(r.run, 'hex')::pg_catalog.uuid AND e.kind = 'outcome'" \
	" AND e.outcome <> 'opened')) LIMIT 100 FOR UPDATE OF r"

typedef struct Told
{
	uint8		run[RUN_ID_BYTES];
	uint8		hold[HASH_BYTES];
	bool		opened;
} Told;

static int
tell_fates(void)
{
	static const Oid types[] = {BYTEAOID};
	int			n = (int) rows_run(RUNS_TO_TELL, SPI_OK_SELECT, 0, NULL, NULL);
	Told	   *told = palloc(sizeof(Told) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		memcpy(told[i].run, VARDATA_ANY(rows_bytes(i, 1)), RUN_ID_BYTES);
		rows_hash(told[i].hold, i, 2);
		told[i].opened = rows_int(i, 3) != 0;
	}
	for (int i = 0; i < n; i++)
	{
		Payment		fate = {.verb = PAYMENT_FATE, .at_us = identity_now_us(), .opened = told[i].opened};
		Datum		values[] = {bytea_datum(told[i].run, RUN_ID_BYTES)};
		StringInfoData body;
		uint8		hash[HASH_BYTES];

		memcpy(fate.hold, told[i].hold, HASH_BYTES);
		initStringInfo(&body);
		payment_encode(&body, &fate);
		document_issue(&body, hash);
		(void) rows_run("UPDATE secmed.payment_run SET told = true WHERE run = $1", SPI_OK_UPDATE, 1, types, values);
	}
	return n;
}

/* ---- at the owner ---- */

typedef struct Held
{
	uint8		hash[HASH_BYTES];
	uint8		run[RUN_ID_BYTES];
	uint8		contract[HASH_BYTES];
	char	   *account;
	uint64		amount;
	bool		pay;
} Held;

#define HOLDS_TO_SETTLE \
	"SELECT h.hash, h.run, h.contract, h.account, h.amount, (o.n >= $1)::pg_catalog.int4::pg_catalog.int8 FROM secmed.payment_hold h," \
	" LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE f.opened) AS n, pg_catalog.count(*) FILTER (WHERE NOT f.opened) AS not_n" \
	"  FROM secmed.payment_fate f WHERE f.hold = h.hash) o" \
	" WHERE h.state = 'held' AND (o.n >= $1 OR o.not_n >= $1 OR h.until < pg_catalog.clock_timestamp()) LIMIT 100 FOR UPDATE OF h"

static int
holds_to_settle(Held **held)
{
	static const Oid types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(FATES_NEEDED)};
	int			n = (int) rows_run(HOLDS_TO_SETTLE, SPI_OK_SELECT, 1, types, values);

	*held = palloc0(sizeof(Held) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Held	   *one = &(*held)[i];

		rows_hash(one->hash, i, 1);
		memcpy(one->run, VARDATA_ANY(rows_bytes(i, 2)), RUN_ID_BYTES);
		rows_hash(one->contract, i, 3);
		one->account = pstrdup(rows_text(i, 4));
		one->amount = (uint64) rows_int(i, 5);
		one->pay = rows_int(i, 6) != 0;
	}
	return n;
}

/* Who gets how much, by the contract. */
static void
fill_parts(Payment *paid, const Held *held)
{
	StoredContract stored;
	uint64		weights[PAYEES_MAX];
	uint64		amounts[PAYEES_MAX];
	int			n;

	if (!contract_find(&stored, held->contract))
		elog(ERROR, "a contract that was paid for is lost");
	n = Min(stored.contract.npayees, PAYEES_MAX);
	for (int i = 0; i < n; i++)
		weights[i] = stored.contract.payees[i].weight;
	account_split(held->amount, weights, n, amounts);
	paid->parts = palloc0(sizeof(PaymentPart) * (n + 1));
	for (int i = 0; i < n; i++)
		if (amounts[i] > 0)
			paid->parts[paid->nparts++] = (PaymentPart) {stored.contract.payees[i].account, amounts[i]};
}

/* The move first: whoever gets credits gets those that have left. */
static void
settle(const Held *held)
{
	static const Oid types[] = {BYTEAOID, TEXTOID};
	Payment		outcome = {.verb = held->pay ? PAYMENT_PAID : PAYMENT_RETURNED, .at_us = identity_now_us(), .account = held->account};
	Datum		values[] = {bytea_datum(held->hash, HASH_BYTES), CStringGetTextDatum(held->pay ? "paid" : "returned")};
	StringInfoData body;
	uint8		hash[HASH_BYTES];
	const char *reason;

	memcpy(outcome.hold, held->hash, HASH_BYTES);
	if (held->pay)
		fill_parts(&outcome, held);
	if (!account_make_move(held->account, held->pay ? MOVE_PAY : MOVE_RETURN, held->amount, held->hash, held->run, &reason))
		elog(ERROR, "account \"%s\" %s", held->account, reason);
	(void) rows_run("UPDATE secmed.payment_hold SET state = $2 WHERE hash = $1", SPI_OK_UPDATE, 2, types, values);
	initStringInfo(&body);
	payment_encode(&body, &outcome);
	document_issue(&body, hash);
}

/* Most of the time there is nothing, and nobody is to wait for that. */
static bool
anything_open(void)
{
	return rows_run("SELECT FROM secmed.payment_run WHERE NOT told UNION ALL SELECT FROM secmed.payment_hold WHERE state = 'held' LIMIT 1",
					SPI_OK_SELECT, 0, NULL, NULL) > 0;
}

int
payments_tick(void)
{
	OwnerScope	scope;
	Held	   *held;
	int			done = 0;

	owner_begin(&scope);
	SPI_connect();
	if (anything_open())
	{
		int			n;

		document_lock();
		done = tell_fates();
		n = holds_to_settle(&held);
		for (int i = 0; i < n; i++)
			settle(&held[i]);
		done += n;
	}
	SPI_finish();
	owner_end(&scope);
	return done;
}

/* ---- documents ---- */

/* The node that has signed, under the name by which it is known here. */
static bool
signed_by_node(const DocumentTaken *taken, const char *node)
{
	for (int i = 0; i < taken->document->nsignatures; i++)
		if (!taken->signers[i].has_document && strcmp(taken->signers[i].person.name, node) == 0)
			return true;
	return false;
}

static bool
is_ours(const char *address)
{
	return strcmp(account_node(address), node_self()->card.name) == 0;
}

static DocumentFate
take_grant(const DocumentTaken *taken, const Payment *grant, const char **reason)
{
	bool		granted = false;

	for (int i = 0; i < taken->document->nsignatures; i++)
		granted = granted || (identity_has_role(&taken->signers[i], ROLE_GOVERNANCE) &&
							  identity_problem(&taken->signers[i], grant->at_us) == NULL);
	*reason = "is signed by nobody who may grant credits";
	if (!granted)
		return DOCUMENT_WAITS;
	if (!is_ours(grant->account))
		return DOCUMENT_TAKEN;
	if (account_make_move(grant->account, MOVE_GRANT, grant->amount, taken->document->hash, NULL, reason))
		return DOCUMENT_TAKEN;
	*reason = psprintf("grants credits to an account that %s", *reason);
	return DOCUMENT_WAITS;
}

/* The party of the run that has signed, or NULL. */
static const char *
party_of(const DocumentTaken *taken, const Payment *fate)
{
	static const Oid types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(fate->hold, HASH_BYTES)};
	Document   *document = palloc(sizeof(Document));
	Payment		hold;
	const char *reason;
	bytea	   *bytes;

	if (rows_run("SELECT document FROM secmed.payment_hold WHERE hash = $1", SPI_OK_SELECT, 1, types, values) == 0)
		return NULL;
	bytes = rows_bytes(0, 1);
	if (!document_decode(document, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason) ||
		!payment_decode(&hold, document->body, document->body_len, &reason))
		return NULL;
	for (int i = 0; i < PARTIES; i++)
		if (signed_by_node(taken, hold.parties[i].name))
			return hold.parties[i].name;
	return NULL;
}

/* What a party has said first counts.  At others than the owner it is kept, and does nothing. */
static DocumentFate
take_fate(const DocumentTaken *taken, const Payment *fate)
{
	static const Oid types[] = {BYTEAOID, TEXTOID, BOOLOID};
	const char *party = party_of(taken, fate);
	Datum		values[] = {bytea_datum(fate->hold, HASH_BYTES), party ? CStringGetTextDatum(party) : (Datum) 0,
	BoolGetDatum(fate->opened)};

	if (party != NULL)
		(void) rows_run("INSERT INTO secmed.payment_fate (hold, party, opened) VALUES ($1, $2::pg_catalog.name, $3)"
						" ON CONFLICT (hold, party) DO NOTHING", SPI_OK_INSERT, 3, types, values);
	return DOCUMENT_TAKEN;
}

static DocumentFate
take_paid(const DocumentTaken *taken, const Payment *paid, const char **reason)
{
	for (int i = 0; i < paid->nparts; i++)
	{
		const char *account = paid->parts[i].account;

		if (!is_ours(account))
			continue;
		account_create(account, NULL, (Datum) 0);
		if (!account_make_move(account, MOVE_RECEIVE, paid->parts[i].amount, taken->document->hash, NULL, reason))
		{
			*reason = psprintf("pays an account that %s", *reason);
			return DOCUMENT_WAITS;
		}
	}
	return DOCUMENT_TAKEN;
}

DocumentFate
payment_taken(const DocumentTaken *taken, const char **reason)
{
	Payment		payment;

	if (!payment_decode(&payment, taken->document->body, taken->document->body_len, reason))
		return DOCUMENT_REFUSED;
	switch (payment.verb)
	{
		case PAYMENT_GRANT:
			return take_grant(taken, &payment, reason);
		case PAYMENT_HOLD:
			*reason = "goes with its run, not by itself";
			return DOCUMENT_REFUSED;
		case PAYMENT_FATE:
			return take_fate(taken, &payment);
		case PAYMENT_PAID:
		case PAYMENT_RETURNED:
			*reason = "is not signed by the node of the account";
			if (!signed_by_node(taken, account_node(payment.account)))
				return DOCUMENT_REFUSED;
			*reason = NULL;
			return payment.verb == PAYMENT_PAID ? take_paid(taken, &payment, reason) : DOCUMENT_TAKEN;
	}
	return DOCUMENT_REFUSED;
}
