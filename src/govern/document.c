/*
 * document.c
 *	  Taking a document in.
 *
 * Writers lock secmed.document against each other until they commit, so serial
 * numbers are committed in their order: who has seen one has seen all before
 * it (exchange.c relies on that).
 *
 * Secmed.document holds verified signatures only.  What is signed by a key
 * that is not known here waits in secmed.document_copy, one copy for a sender,
 * so that nobody can keep a good document out by adding a bad signature.
 */
#include "postgres.h"

#include "audit/append.h"
#include "executor/spi.h"
#include "govern/document.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Step 1 and 2: signatures --------------------------------------------------*/

typedef struct Checked
{
	Document	document;		/* with those signatures that are good and count */
	Identity   *signers;
	int			unknown;		/* signatures by keys that are not known here */
	int			removed;		/* by identities that were removed */
} Checked;

/* An identity document carries the key that has signed it. */
static bool
find_signer(Identity *identity, const Document *document, const uint8 signer[HASH_BYTES])
{
	uint8		own[HASH_BYTES];
	const char *reason;

	if (identity_find(identity, signer))
		return true;
	if (strcmp(document->kind->name, "identity") != 0 ||
		!person_decode(&identity->person, document->body, document->body_len, &reason))
		return false;
	document_signer(own, identity->person.sign_public);
	if (memcmp(own, signer, HASH_BYTES) != 0)
		return false;
	memcpy(identity->fingerprint, own, HASH_BYTES);
	identity->state = IDENTITY_PROPOSED;
	return true;
}

/* False with a reason if a signature is bad. */
static bool
check_signatures(Checked *checked, const Document *document, const char **reason)
{
	int			n = 0;

	memset(checked, 0, sizeof(*checked));
	checked->document = *document;
	checked->signers = palloc(DOCUMENT_SIGNATURES_MAX * sizeof(Identity));
	for (int i = 0; i < document->nsignatures; i++)
	{
		Identity   *signer = &checked->signers[n];

		if (!find_signer(signer, document, document->signatures[i].signer))
			checked->unknown++;
		else if (!document_signature_good(document, i, signer->person.sign_public))
		{
			*reason = "has a signature that is not by the key that it names";
			return false;
		}
		else if (signer->state == IDENTITY_REMOVED)
			checked->removed++;
		else
			checked->document.signatures[n++] = document->signatures[i];
	}
	checked->document.nsignatures = n;
	return true;
}

/* What is stored ------------------------------------------------------------*/

/* Something was since document_take() began: others may want it, and what waits may be complete. */
static bool changed;

void
document_lock(void)
{
	(void) rows_run("LOCK TABLE secmed.document IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL);
}

/* The stored copy; false if there is none. */
static bool
read_stored(Document *document, const uint8 hash[HASH_BYTES], bool *taken)
{
	Oid			types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(hash, HASH_BYTES)};
	const char *reason;
	bytea	   *bytes;

	if (rows_run("SELECT document, problem IS NULL FROM secmed.document WHERE hash = $1", SPI_OK_SELECT, 1, types, values) == 0)
		return false;
	bytes = (bytea *) PG_DETOAST_DATUM_COPY(PointerGetDatum(rows_bytes(0, 1)));
	*taken = rows_text(0, 2)[0] == 't';
	if (!document_decode(document, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored document is damaged"),
				 errdetail("It %s.", reason)));
	return true;
}

static void
store(const Document *document, const char *from, const char *problem)
{
	static const Oid types[] = {BYTEAOID, TEXTOID, BYTEAOID, INT4OID, TEXTOID, TEXTOID};
	StringInfoData bytes;
	Datum		values[6];

	changed = true;
	initStringInfo(&bytes);
	document_encode(&bytes, document);
	values[0] = bytea_datum(document->hash, HASH_BYTES);
	values[1] = CStringGetTextDatum(document->kind->name);
	values[2] = bytea_datum(bytes.data, bytes.len);
	values[3] = Int32GetDatum(document->nsignatures);
	values[4] = problem ? CStringGetTextDatum(problem) : (Datum) 0;
	values[5] = from ? CStringGetTextDatum(from) : (Datum) 0;
	(void) rows_run("INSERT INTO secmed.document (hash, kind, document, signatures, problem, received_from, serial)"
					" SELECT $1, $2, $3, $4, $5, $6::pg_catalog.name, COALESCE(pg_catalog.max(serial), 0) + 1 FROM secmed.document"
					" ON CONFLICT (hash) DO UPDATE SET document = EXCLUDED.document, signatures = EXCLUDED.signatures,"
					" problem = EXCLUDED.problem, serial = EXCLUDED.serial",
					SPI_OK_INSERT, 6, types, values);
}

/* Only why it waits has changed. */
static void
store_problem(const Document *document, const char *problem)
{
	Oid			types[] = {BYTEAOID, TEXTOID};
	Datum		values[] = {bytea_datum(document->hash, HASH_BYTES), CStringGetTextDatum(problem)};

	(void) rows_run("UPDATE secmed.document SET problem = $2 WHERE hash = $1 AND problem <> $2",
					SPI_OK_UPDATE, 2, types, values);
}

/* A copy with signatures of unknown keys, in place of an earlier one from there. */
static void
store_copy(const Document *document, const char *from)
{
	Oid			types[] = {BYTEAOID, TEXTOID, BYTEAOID};
	StringInfoData bytes;
	Datum		values[3];

	initStringInfo(&bytes);
	document_encode(&bytes, document);
	values[0] = bytea_datum(document->hash, HASH_BYTES);
	values[1] = CStringGetTextDatum(from ? from : "");
	values[2] = bytea_datum(bytes.data, bytes.len);
	(void) rows_run("INSERT INTO secmed.document_copy (hash, received_from, document) VALUES ($1, $2::pg_catalog.name, $3)"
					" ON CONFLICT (hash, received_from) DO UPDATE SET document = EXCLUDED.document",
					SPI_OK_INSERT, 3, types, values);
}

static void
forget_copy(const Document *document, const char *from)
{
	Oid			types[] = {BYTEAOID, TEXTOID};
	Datum		values[] = {bytea_datum(document->hash, HASH_BYTES), CStringGetTextDatum(from ? from : "")};

	(void) rows_run("DELETE FROM secmed.document_copy WHERE hash = $1 AND received_from = $2::pg_catalog.name",
					SPI_OK_DELETE, 2, types, values);
}

/* May another document of this sender wait?  Of each node so many, and as many of this one's people. */
static bool
may_wait(const char *from)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(from ? from : "")};

	(void) rows_run("SELECT (SELECT pg_catalog.count(*) FROM secmed.document WHERE problem IS NOT NULL"
					" AND COALESCE(received_from, '') = $1::pg_catalog.name)"
					" + (SELECT pg_catalog.count(*) FROM secmed.document_copy WHERE received_from = $1::pg_catalog.name)",
					SPI_OK_SELECT, 1, types, values);
	return rows_int(0, 1) < DOCUMENTS_WAITING_MAX;
}

/* Step 4: the ledger --------------------------------------------------------*/

void
document_record(const char *actor, const char *object, const uint8 hash[HASH_BYTES],
				const char *outcome, int ncounters, const uint64 *counters)
{
	LedgerEntry entry = {.kind = ENTRY_DOCUMENT, .actor = actor, .object = object, .has_plan = true,
	.outcome = outcome, .revealed = "", .ncounters = ncounters};

	memcpy(entry.plan, hash, HASH_BYTES);
	memcpy(entry.counters, counters, ncounters * sizeof(uint64));
	(void) audit_append(&entry, NULL, 0);	/* durable when the transaction commits */
}

static void
record(const Document *document, const char *from, const char *outcome)
{
	const char *actor = from ? psprintf("%s:exchange", from) : GetUserNameFromId(GetSessionUserId(), false);
	uint64		counters[] = {(uint64) document->nsignatures};

	document_record(actor, document->kind->name, document->hash, outcome, 1, counters);
}

/* The steps -----------------------------------------------------------------*/

/* Runs the hook on what is good of it, and stores what comes of that. */
static DocumentFate
apply(const Checked *checked, const char *from, bool stored, bool was_taken, const char **reason)
{
	const Document *document = &checked->document;
	DocumentTaken taken = {document, checked->signers, from};
	DocumentHook hook = document_hook(document->kind->name);
	DocumentFate fate;

	*reason = NULL;
	if (!stored)
		store(document, from, "is being looked at");	/* hooks find it there */
	fate = hook ? hook(&taken, reason) : DOCUMENT_TAKEN;
	if (fate == DOCUMENT_REFUSED && !stored)
	{
		Oid			types[] = {BYTEAOID};
		Datum		values[] = {bytea_datum(document->hash, HASH_BYTES)};

		(void) rows_run("DELETE FROM secmed.document WHERE hash = $1", SPI_OK_DELETE, 1, types, values);
		return fate;
	}
	if (fate == DOCUMENT_TAKEN)
		store(document, from, NULL);
	else if (fate == DOCUMENT_WAITS)
		store(document, from, was_taken ? NULL : *reason);
	if (fate != DOCUMENT_REFUSED)
		record(document, from, fate == DOCUMENT_TAKEN || was_taken ? "taken" : "waits");
	return fate;
}

/* One more time for a document that waits: only a change of its fate is written down. */
static bool
try_again(const Document *stored)
{
	Checked    *checked = palloc(sizeof(Checked));
	DocumentHook hook = document_hook(stored->kind->name);
	DocumentTaken taken;
	const char *reason = NULL;
	DocumentFate fate;

	if (hook == NULL || !check_signatures(checked, stored, &reason))
		return false;
	taken = (DocumentTaken) {&checked->document, checked->signers, NULL};
	fate = hook(&taken, &reason);
	if (fate == DOCUMENT_TAKEN)
	{
		store(&checked->document, NULL, NULL);
		record(&checked->document, NULL, "taken");
	}
	else
		store_problem(stored, reason);
	return fate == DOCUMENT_TAKEN;
}

static int
hashes_waiting(uint8 (**hashes)[HASH_BYTES])
{
	int			n = (int) rows_run("SELECT hash FROM secmed.document WHERE problem IS NOT NULL ORDER BY serial",
								   SPI_OK_SELECT, 0, NULL, NULL);

	*hashes = palloc((n + 1) * HASH_BYTES);
	for (int i = 0; i < n; i++)
		rows_hash((*hashes)[i], i, 1);
	return n;
}

static DocumentFate take_one(const void *bytes, size_t len, const char *from, bool again,
							 uint8 hash[HASH_BYTES], const char **reason);

/* Copies with unknown signers, of which one is known now. */
static bool
try_copies(void)
{
	uint64		n = rows_run("SELECT document, received_from FROM secmed.document_copy ORDER BY received_at",
							 SPI_OK_SELECT, 0, NULL, NULL);
	SPITupleTable *rows = SPI_tuptable;
	bool		more = false;

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		bytea	   *bytes = DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		char	   *from = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		Document   *document = palloc(sizeof(Document));
		Identity	signer;
		bool		known = false;
		const char *reason;
		uint8		hash[HASH_BYTES];

		if (!document_decode(document, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
			continue;
		for (int k = 0; k < document->nsignatures && !known; k++)
		{
			Document	stored;
			bool		taken;

			known = identity_find(&signer, document->signatures[k].signer) &&
				!(read_stored(&stored, document->hash, &taken) &&
				  document_signature_of(&stored, document->signatures[k].signer) >= 0);
		}
		if (!known)
			continue;
		forget_copy(document, from[0] ? from : NULL);
		more |= take_one(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), from[0] ? from : NULL, true, hash, &reason)
			== DOCUMENT_TAKEN;
	}
	return more;
}

/* Everything that waits, until nothing changes any more; each round takes one at least. */
static void
try_all_again(void)
{
	bool		more;

	do
	{
		uint8		(*hashes)[HASH_BYTES];
		int			n = hashes_waiting(&hashes);

		CHECK_FOR_INTERRUPTS();
		more = false;
		for (int i = 0; i < n; i++)
		{
			Document   *document = palloc(sizeof(Document));
			bool		taken;

			if (read_stored(document, hashes[i], &taken) && !taken)
				more |= try_again(document);
		}
		more |= try_copies();
	} while (more);
}

static DocumentFate
take_one(const void *bytes, size_t len, const char *from, bool again,
		 uint8 hash[HASH_BYTES], const char **reason)
{
	Document   *document = palloc(sizeof(Document));
	Document   *stored = palloc(sizeof(Document));
	Checked    *checked = palloc(sizeof(Checked));
	bool		is_stored;
	bool		was_taken = false;

	if (!document_decode(document, bytes, len, reason))
		return DOCUMENT_REFUSED;
	memcpy(hash, document->hash, HASH_BYTES);
	if (document->nsignatures == 0)
	{
		*reason = "is signed by nobody";
		return DOCUMENT_REFUSED;
	}
	is_stored = read_stored(stored, hash, &was_taken);
	if (!check_signatures(checked, document, reason))
		return DOCUMENT_REFUSED;
	if (checked->unknown > 0)
	{
		if (!again && !may_wait(from))
		{
			*reason = "would be one too many that wait";
			return DOCUMENT_REFUSED;
		}
		store_copy(document, from);
	}
	if (checked->document.nsignatures == 0)
	{
		*reason = checked->unknown > 0 ? "is signed by keys that are not known here" : "is signed by identities that were removed";
		return checked->unknown > 0 ? DOCUMENT_WAITS : DOCUMENT_REFUSED;
	}
	if (is_stored)
	{
		int			added = document_merge(stored, &checked->document);

		if (added <= 0)
		{
			*reason = added < 0 ? "would have too many signatures" : was_taken ? NULL : "waits already";
			return added < 0 ? DOCUMENT_REFUSED : was_taken ? DOCUMENT_TAKEN : DOCUMENT_WAITS;
		}
		if (!check_signatures(checked, stored, reason))
			return DOCUMENT_REFUSED;
	}
	else if (!again && !may_wait(from))
	{
		*reason = "would be one too many that wait";
		return DOCUMENT_REFUSED;
	}
	return apply(checked, from, is_stored, was_taken, reason);
}

DocumentFate
document_take(const void *bytes, size_t len, const char *from, uint8 hash[HASH_BYTES], const char **reason)
{
	OwnerScope	scope;
	DocumentFate fate;
	MemoryContext caller = CurrentMemoryContext;

	*reason = NULL;
	owner_begin(&scope);
	SPI_connect();
	document_lock();
	changed = false;
	fate = take_one(bytes, len, from, false, hash, reason);
	if (changed && fate != DOCUMENT_REFUSED)
	{
		try_all_again();
		document_wake();
	}
	if (fate == DOCUMENT_WAITS)
	{
		Document   *stored = palloc(sizeof(Document));
		bool		taken;

		if (read_stored(stored, hash, &taken) && taken)
			fate = DOCUMENT_TAKEN;
	}
	if (*reason != NULL)
		*reason = MemoryContextStrdup(caller, *reason);
	SPI_finish();
	owner_end(&scope);
	return fate;
}

void
document_settle(void)
{
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	document_lock();
	try_all_again();
	document_wake();
	SPI_finish();
	owner_end(&scope);
}

/* Documents of other kinds may wait as long as it takes, for a date or a signature. */
void
document_expire(void)
{
#define TOO_OLD	"received_at < pg_catalog.clock_timestamp() - '" CppAsString2(DOCUMENT_WAITS_DAYS_MAX) " days'::pg_catalog.interval"
#define OF_OLD	" WHERE state = 'proposed' AND document IN (SELECT hash FROM secmed.document WHERE problem IS NOT NULL AND " TOO_OLD ")"
	document_lock();
	(void) rows_run("DELETE FROM secmed.document_copy WHERE " TOO_OLD, SPI_OK_DELETE, 0, NULL, NULL);
	(void) rows_run("DELETE FROM secmed.identity" OF_OLD, SPI_OK_DELETE, 0, NULL, NULL);
	(void) rows_run("DELETE FROM secmed.governance" OF_OLD, SPI_OK_DELETE, 0, NULL, NULL);
	(void) rows_run("DELETE FROM secmed.document WHERE kind IN ('identity', 'vote', 'governance')"
					" AND problem IS NOT NULL AND " TOO_OLD, SPI_OK_DELETE, 0, NULL, NULL);
}

void
document_issue(const StringInfoData *body, uint8 hash[HASH_BYTES])
{
	Document   *document = palloc(sizeof(Document));
	const NodeKeys *keys = node_self();
	StringInfoData bytes;
	const char *reason;

	if (!document_begin(document, body->data, body->len, &reason))
		elog(ERROR, "a document that this node has made %s", reason);
	document_sign(document, keys->card.sign_public, keys->sign_secret);
	initStringInfo(&bytes);
	document_encode(&bytes, document);
	if (document_take(bytes.data, bytes.len, NULL, hash, &reason) == DOCUMENT_REFUSED)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_DOCUMENT),
				 errmsg("the document was refused"),
				 errdetail("It %s.", reason)));
}

bool
document_find(Document *document, const uint8 hash[HASH_BYTES], bool *taken)
{
	MemoryContext caller = CurrentMemoryContext;
	OwnerScope	scope;
	bool		found;

	owner_begin(&scope);
	SPI_connect();
	found = read_stored(document, hash, taken);
	if (found)
		document->body = memcpy(MemoryContextAlloc(caller, document->body_len), document->body, document->body_len);
	SPI_finish();
	owner_end(&scope);
	return found;
}
