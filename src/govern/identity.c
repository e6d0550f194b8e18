/*
 * identity.c
 *	  Who is registered here, and may act.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "govern/identity.h"
#include "ledger/datum.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Reading -------------------------------------------------------------------*/

typedef struct KeptQuery
{
	const char *sql;
	Oid			type;			/* of $1 */
	SPIPlanPtr	plan;
} KeptQuery;

/* What is committed now, and what this transaction has done; rows in SPI_tuptable. */
static void
read_latest(KeptQuery *query, Datum value)
{
	if (query->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(query->sql, query->type == InvalidOid ? 0 : 1, &query->type);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "can't prepare to read secmed's tables");
		query->plan = plan;
	}
	if (SPI_execute_snapshot(query->plan, &value, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0)
		!= SPI_OK_SELECT)
		elog(ERROR, "can't read secmed's tables");
}

static bytea *
bytes_of(uint64 row, int column)
{
	bool		isnull;

	return DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

/* A row of (state, document): the document was checked when it came, and is again. */
static void
read_identity(Identity *identity, const char *state, bytea *bytes)
{
	Document   *document = palloc(sizeof(Document));
	const char *reason;

	if (!document_decode(document, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason) ||
		!person_decode(&identity->person, document->body, document->body_len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored identity document is damaged"),
				 errdetail("It %s.", reason)));
	identity->has_document = true;
	memcpy(identity->document, document->hash, HASH_BYTES);
	document_signer(identity->fingerprint, identity->person.sign_public);
	identity->state = strcmp(state, "admitted") == 0 ? IDENTITY_ADMITTED
		: strcmp(state, "removed") == 0 ? IDENTITY_REMOVED
		: strcmp(state, "replaced") == 0 ? IDENTITY_REPLACED : IDENTITY_PROPOSED;
	pfree(document);
}

/* Nodes ---------------------------------------------------------------------*/

static void
identity_of_card(Identity *identity, const NodeCard *card)
{
	memset(identity, 0, sizeof(*identity));
	document_signer(identity->fingerprint, card->sign_public);
	identity->state = IDENTITY_ADMITTED;
	identity->person.kind = IDENTITY_NODE;
	strlcpy(identity->person.name, card->name, sizeof(identity->person.name));
	memcpy(identity->person.sign_public, card->sign_public, SIGN_PUBLIC_BYTES);
	memcpy(identity->person.seal_public, card->seal_public, SEAL_PUBLIC_BYTES);
	identity->person.from_us = card->created_at_us;
	identity->person.until_us = DOCUMENT_TIME_US_MAX;
}

void
identity_of_self(Identity *identity)
{
	identity_of_card(identity, &node_self()->card);
}

/* Few nodes, and rarely asked: each card is read. */
static bool
find_node(Identity *identity, const uint8 fingerprint[HASH_BYTES])
{
	static KeptQuery query = {"SELECT pg_catalog.convert_to(card, 'UTF8') FROM secmed.node UNION"
	" SELECT pg_catalog.convert_to(card, 'UTF8') FROM secmed.peer", InvalidOid, NULL};

	read_latest(&query, (Datum) 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bytea	   *text = bytes_of(i, 1);
		const char *reason;
		NodeCard	card;

		if (!card_from_text(&card, pnstrdup(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)), &reason))
			continue;
		identity_of_card(identity, &card);
		if (memcmp(identity->fingerprint, fingerprint, HASH_BYTES) == 0)
			return true;
	}
	return false;
}

/* Finding -------------------------------------------------------------------*/

/* A key that was removed is never good again, whatever else there is of it. */
#define BY_FINGERPRINT \
	"SELECT i.state, d.document FROM secmed.identity i JOIN secmed.document d ON d.hash = i.document WHERE "
#define THE_ONE_THAT_COUNTS \
	" ORDER BY i.state = 'removed' DESC, i.state = 'admitted' DESC, i.state = 'replaced' DESC, i.changed_at DESC LIMIT 1"

static bool
find_registered(Identity *identity, KeptQuery *query, Datum value)
{
	read_latest(query, value);
	if (SPI_processed == 0)
		return false;
	read_identity(identity, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), bytes_of(0, 2));
	return true;
}

bool
identity_find(Identity *identity, const uint8 fingerprint[HASH_BYTES])
{
	static KeptQuery query = {BY_FINGERPRINT "i.fingerprint = $1" THE_ONE_THAT_COUNTS, BYTEAOID, NULL};
	OwnerScope	scope;
	bool		found;

	memset(identity, 0, sizeof(*identity));
	owner_begin(&scope);
	SPI_connect();
	found = find_registered(identity, &query, bytea_datum(fingerprint, HASH_BYTES)) ||
		find_node(identity, fingerprint);
	SPI_finish();
	owner_end(&scope);
	return found;
}

bool
identity_role_fingerprint(uint8 fingerprint[HASH_BYTES], Oid role)
{
	static KeptQuery query = {"SELECT fingerprint FROM secmed.identity_role WHERE role = $1", OIDOID, NULL};
	OwnerScope	scope;
	bool		found;

	owner_begin(&scope);
	SPI_connect();
	read_latest(&query, ObjectIdGetDatum(role));
	found = SPI_processed == 1 && VARSIZE_ANY_EXHDR(bytes_of(0, 1)) == HASH_BYTES;
	if (found)
		memcpy(fingerprint, VARDATA_ANY(bytes_of(0, 1)), HASH_BYTES);
	SPI_finish();
	owner_end(&scope);
	return found;
}

bool
identity_of_role(Identity *identity, Oid role)
{
	uint8		fingerprint[HASH_BYTES];

	return identity_role_fingerprint(fingerprint, role) && identity_find(identity, fingerprint);
}

/* Asking --------------------------------------------------------------------*/

bool
identity_has_role(const Identity *identity, IdentityRole role)
{
	return (identity->person.roles & (1 << role)) != 0;
}

int64
identity_now_us(void)
{
	return GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static char *
day(int64 us)
{
	return text_to_cstring(DatumGetTextPP(DirectFunctionCall2(timestamptz_to_char, time_datum(us),
															  CStringGetTextDatum("YYYY-MM-DD HH24:MI:SS TZ"))));
}

const char *
identity_problem(const Identity *identity, int64 at_us)
{
	switch (identity->state)
	{
		case IDENTITY_PROPOSED:
			return "was not admitted by the members";
		case IDENTITY_REPLACED:
			return "was replaced by another one";
		case IDENTITY_REMOVED:
			return "was removed by the members";
		case IDENTITY_ADMITTED:
			break;
	}
	if (at_us < identity->person.from_us)
		return psprintf("is not valid before %s", day(identity->person.from_us));
	if (at_us >= identity->person.until_us)
		return psprintf("is not valid since %s", day(identity->person.until_us));
	return NULL;
}

bool
identity_of_request(Identity *identity, const Request *request, const char **problem)
{
	if (!request->has_identity)
		return false;
	*problem = "is not known here";
	if (!identity_find(identity, request->identity))
		memcpy(identity->fingerprint, request->identity, HASH_BYTES);
	else if ((*problem = identity_problem(identity, identity_now_us())) == NULL &&
			 !person_asks_at(&identity->person, request->coordinator))
		*problem = psprintf("does not say that it asks at node \"%s\"", request->coordinator);
	return true;
}

/* Texts ---------------------------------------------------------------------*/

char *
identity_text(const uint8 fingerprint[HASH_BYTES])
{
	char	   *text = palloc(FINGERPRINT_TEXT_BYTES);

	fingerprint_to_text(text, fingerprint);
	return text;
}

/* Hex digits of 16 or 32 bytes, with spaces between; returns how many bytes, or 0. */
static int
read_hex(uint8 out[HASH_BYTES], const char *text)
{
	int			digits = 0;

	memset(out, 0, HASH_BYTES);
	for (; *text != '\0'; text++)
	{
		int			value = *text >= '0' && *text <= '9' ? *text - '0'
			: *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : -1;

		if (*text == ' ')
			continue;
		if (value < 0 || digits == 2 * HASH_BYTES)
			return 0;
		out[digits / 2] |= value << (digits % 2 ? 0 : 4);
		digits++;
	}
	return digits == HASH_BYTES || digits == 2 * HASH_BYTES ? digits / 2 : 0;
}

/* 16 bytes are what people compare, and nobody makes a second key with the same. */
static bool
find_prefix(Identity *identity, const uint8 *prefix)
{
	static KeptQuery query = {BY_FINGERPRINT "pg_catalog.substr(i.fingerprint, 1, 16) = $1" THE_ONE_THAT_COUNTS,
	BYTEAOID, NULL};
	OwnerScope	scope;
	bool		found;

	memset(identity, 0, sizeof(*identity));
	owner_begin(&scope);
	SPI_connect();
	found = find_registered(identity, &query, bytea_datum(prefix, HASH_BYTES / 2));
	SPI_finish();
	owner_end(&scope);
	return found;
}

void
identity_require(Identity *identity, const char *text)
{
	uint8		bytes[HASH_BYTES];
	int			len = read_hex(bytes, text);

	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("\"%s\" is not a fingerprint", text),
				 errhint("A fingerprint is eight groups of four hexadecimal digits; \"secmed show\" prints that of an identity document.")));
	if (!(len == HASH_BYTES ? identity_find(identity, bytes) : find_prefix(identity, bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("identity %s is not known here", text),
				 errhint("Its document is given to secmed.submit_document(), here or at any other node.")));
}
