/*
 * identity_sql.c
 *	  secmed.admit_founders(), secmed.bind_identity(), secmed.unbind_identity(),
 *	  secmed.fingerprint_text().
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "govern/document.h"
#include "govern/given.h"
#include "govern/registrar.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_admit_founders);
PG_FUNCTION_INFO_V1(secmed_bind_identity);
PG_FUNCTION_INFO_V1(secmed_unbind_identity);
PG_FUNCTION_INFO_V1(secmed_fingerprint_text);

/* Takes in one founder's document; its hash, and the identity's fingerprint. */
static void
take_founder(uint8 hash[HASH_BYTES], uint8 fingerprint[HASH_BYTES], text *given)
{
	Document   *document = palloc(sizeof(Document));
	StringInfoData bytes;
	const char *reason;
	Person		person;

	given_text(&bytes, given);
	given_document(document, bytes.data, bytes.len);
	if (!person_decode(&person, document->body, document->body_len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_DOCUMENT),
				 errmsg("this is not an identity document"),
				 errdetail("It is of kind \"%s\".", document->kind->name)));
	if (document_take(bytes.data, bytes.len, NULL, hash, &reason) == DOCUMENT_REFUSED)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_DOCUMENT),
				 errmsg("the document was refused"),
				 errdetail("It %s.", reason)));
	document_signer(fingerprint, person.sign_public);
}

/* All at once: one alone would be the majority that decides on all votes that wait. */
Datum
secmed_admit_founders(PG_FUNCTION_ARGS)
{
	ArrayType  *given = PG_GETARG_ARRAYTYPE_P(0);
	uint8		(*hashes)[HASH_BYTES];
	Datum	   *elements;
	bool	   *nulls;
	OwnerScope	scope;
	int			n;

	PreventCommandIfReadOnly("secmed.admit_founders()");
	(void) node_self();
	deconstruct_array(given, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	hashes = palloc((n + 1) * HASH_BYTES);
	for (int i = 0; i < n; i++)
	{
		uint8		fingerprint[HASH_BYTES];

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a founder's document can't be null")));
		take_founder(hashes[i], fingerprint, DatumGetTextPP(elements[i]));
		elements[i] = CStringGetTextDatum(identity_text(fingerprint));
	}

	owner_begin(&scope);
	SPI_connect();
	registrar_found(hashes, n);
	SPI_finish();
	owner_end(&scope);
	document_settle();
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* A role that was dropped is known by its number. */
static char *
role_text(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name != NULL ? name : psprintf("%u", role);
}

static void
record_binding(const Identity *identity, Oid role, const char *outcome)
{
	document_record(GetUserNameFromId(GetSessionUserId(), false),
					psprintf("role %s, identity %s", role_text(role), identity_text(identity->fingerprint)),
					identity->document, outcome, 0, NULL);
}

Datum
secmed_bind_identity(PG_FUNCTION_ARGS)
{
	Oid			role = PG_GETARG_OID(1);
	Oid			types[] = {REGROLEOID, BYTEAOID};
	Datum		values[2] = {ObjectIdGetDatum(role)};
	OwnerScope	scope;
	Identity	identity;

	PreventCommandIfReadOnly("secmed.bind_identity()");
	identity_require(&identity, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (identity.state != IDENTITY_ADMITTED || !identity.has_document)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("identity %s can't be bound to a role", identity_text(identity.fingerprint)),
				 errdetail("It %s.", identity.has_document ? identity_problem(&identity, identity_now_us()) : "is a node"),
				 errhint("Members admit an identity with \"secmed vote\".")));
	if (!person_asks_at(&identity.person, node_self()->card.name))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("identity %s does not ask at this node", identity_text(identity.fingerprint)),
				 errdetail("Its document does not name node \"%s\", so that no other node would believe it.", node_self()->card.name),
				 errhint("Its holder signs another one: secmed identity ... --node %s --replaces its own; members vote on it.", node_self()->card.name)));
	values[1] = bytea_datum(identity.fingerprint, HASH_BYTES);

	owner_begin(&scope);
	SPI_connect();
	(void) rows_run("INSERT INTO secmed.identity_role (role, fingerprint) VALUES ($1, $2)"
					" ON CONFLICT (role) DO UPDATE SET fingerprint = EXCLUDED.fingerprint",
					SPI_OK_INSERT, 2, types, values);
	SPI_finish();
	owner_end(&scope);
	record_binding(&identity, role, "bound");
	PG_RETURN_VOID();
}

Datum
secmed_unbind_identity(PG_FUNCTION_ARGS)
{
	Oid			role = PG_GETARG_OID(0);
	Oid			types[] = {REGROLEOID};
	Datum		values[] = {ObjectIdGetDatum(role)};
	OwnerScope	scope;
	Identity	identity;

	PreventCommandIfReadOnly("secmed.unbind_identity()");
	if (!identity_of_role(&identity, role))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_IDENTITY),
				 errmsg("role \"%s\" is bound to no identity", role_text(role))));
	owner_begin(&scope);
	SPI_connect();
	(void) rows_run("DELETE FROM secmed.identity_role WHERE role = $1", SPI_OK_DELETE, 1, types, values);
	SPI_finish();
	owner_end(&scope);
	record_binding(&identity, role, "unbound");
	PG_RETURN_VOID();
}

Datum
secmed_fingerprint_text(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	if (VARSIZE_ANY_EXHDR(bytes) != HASH_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a fingerprint has %d bytes", HASH_BYTES)));
	PG_RETURN_TEXT_P(cstring_to_text(identity_text((uint8 *) VARDATA_ANY(bytes))));
}
