/*
 * sealed.c
 *	  Answers for one reader.
 */
#include "postgres.h"

#include "fmgr.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "query/sealed.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_sealed_answer);

static char *result_to = NULL;

void
sealed_init(void)
{
	DefineCustomStringVariable("secmed.result_to",
							   "Sets to whose key answers are sealed, by the fingerprint of an identity.",
							   "Empty: answers are shown here. Otherwise no rows are returned, and \"secmed open\" shows them to the reader.",
							   &result_to, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
}

static void
require_valid(const Identity *reader)
{
	const char *problem = identity_problem(reader, identity_now_us());

	if (problem != NULL || !reader->has_document)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("node \"%s\" does not seal an answer to identity %s", node_self()->card.name,
						identity_text(reader->fingerprint)),
				 errdetail("It %s.", problem ? problem : "is a node"),
				 errhint("secmed.identities shows who may act.")));
}

void
sealed_ask(Request *request)
{
	Identity	reader;

	if (result_to == NULL || result_to[0] == '\0')
		return;
	PreventCommandIfReadOnly("a query whose answer is sealed");
	identity_require(&reader, result_to);
	require_valid(&reader);
	request->has_reader = true;
	memcpy(request->reader, reader.fingerprint, HASH_BYTES);
}

void
sealed_refuse(void)
{
	if (result_to != NULL && result_to[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("answers computed on shares are not sealed to a reader"),
				 errdetail("secmed.result_to is set, and this question is computed over shared tables, or rows that sites share."),
				 errhint("RESET secmed.result_to, or ask for sums over domains that are published.")));
}

void
sealed_reader(Identity *reader, const Request *request)
{
	if (!identity_find(reader, request->reader))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("node \"%s\" does not know identity %s, to whom the answer shall be sealed",
						node_self()->card.name, identity_text(request->reader)),
				 errhint("Its document comes by itself from the node where it was submitted; secmed.exchange_documents() asks for it.")));
	require_valid(reader);
}

/* The party's card, which the reader needs to verify its part. */
static char *
card_of(const char *name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};

	if (rows_run("SELECT card FROM secmed.peer WHERE name = $1::pg_catalog.name UNION ALL"
				 " SELECT card FROM secmed.node WHERE name = $1::pg_catalog.name", SPI_OK_SELECT, 1, types, values) == 0)
		elog(ERROR, "no card of a party");
	return rows_text(0, 1);
}

void
sealed_keep(const Request *request, const uint8 *plan, size_t plan_len, const Bytes parts[PARTIES])
{
	static const Oid types[] = {UUIDOID, BYTEAOID, TEXTOID, BYTEAOID};
	SealedAnswer answer = {.plan = {plan, plan_len}};
	char	   *role = GetUserNameFromId(GetSessionUserId(), false);
	StringInfoData bytes;
	OwnerScope	scope;
	pg_uuid_t	run;
	Datum		values[4];

	owner_begin(&scope);
	SPI_connect();
	for (int i = 0; i < PARTIES; i++)
	{
		answer.cards[i] = card_of(request->parties[i].name);
		answer.parts[i] = parts[i];
	}
	initStringInfo(&bytes);
	answer_encode(&bytes, &answer);
	memcpy(run.data, request->run, UUID_LEN);
	values[0] = UUIDPGetDatum(&run);
	values[1] = bytea_datum(request->reader, HASH_BYTES);
	values[2] = CStringGetTextDatum(role);
	values[3] = bytea_datum(bytes.data, bytes.len);
	(void) rows_run("INSERT INTO secmed.sealed_answer (run, reader, asked_by, answer) VALUES ($1, $2, $3::pg_catalog.name, $4)",
					SPI_OK_INSERT, 4, types, values);
	SPI_finish();
	owner_end(&scope);
}

/* For whoever has asked, or an administrator: it is sealed in any case. */
Datum
secmed_sealed_answer(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, TEXTOID, BOOLOID};
	Datum		values[] = {PG_GETARG_DATUM(0), CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false)),
	BoolGetDatum(has_privs_of_role(GetUserId(), get_role_oid("secmed_admin", false)))};
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData text;
	OwnerScope	scope;
	bytea	   *bytes;

	owner_begin(&scope);
	SPI_connect();
	if (rows_run("SELECT answer FROM secmed.sealed_answer WHERE run = $1 AND (asked_by = $2::pg_catalog.name OR $3)",
				 SPI_OK_SELECT, 3, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no sealed answer of this run that you have asked for")));
	bytes = rows_bytes(0, 1);
	MemoryContextSwitchTo(caller);
	initStringInfo(&text);
	answer_to_text(&text, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
