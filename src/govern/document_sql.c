/*
 * document_sql.c
 *	  secmed.submit_document(), secmed.show(), secmed.document_text(),
 *	  secmed.exchange_documents().
 */
#include "postgres.h"

#include "access/xact.h"
#include "contract/words.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "govern/document.h"
#include "govern/exchange.h"
#include "govern/given.h"
#include "govern/rows.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(secmed_submit_document);
PG_FUNCTION_INFO_V1(secmed_submit_document_text);
PG_FUNCTION_INFO_V1(secmed_show);
PG_FUNCTION_INFO_V1(secmed_show_text);
PG_FUNCTION_INFO_V1(secmed_document_text);
PG_FUNCTION_INFO_V1(secmed_exchange_documents);

/* What people give us ---------------------------------------------------------*/

static void
not_a_document(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_DOCUMENT),
			 errmsg("this is not a document"),
			 errdetail("It %s.", reason),
			 errhint("Documents are made and signed with the tool \"secmed\"; paste all of what it has printed.")));
}

void
given_text(StringInfo out, text *given)
{
	const char *reason;

	initStringInfo(out);
	if (!document_from_text(out, VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), &reason))
		not_a_document(reason);
}

void
given_document(Document *document, const void *bytes, size_t len)
{
	const char *reason;

	if (!document_decode(document, bytes, len, &reason))
		not_a_document(reason);
}

static char *
hex(const uint8 *bytes, size_t len)
{
	char	   *text = palloc(2 * len + 1);

	text[hex_encode((const char *) bytes, len, text)] = '\0';
	return text;
}

static Datum
submit(const void *bytes, size_t len)
{
	Document   *document = palloc(sizeof(Document));
	uint8		hash[HASH_BYTES];
	const char *reason;

	PreventCommandIfReadOnly("secmed.submit_document()");
	(void) node_self();
	given_document(document, bytes, len);
	switch (document_take(bytes, len, NULL, hash, &reason))
	{
		case DOCUMENT_REFUSED:
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_DOCUMENT),
					 errmsg("the document was refused"),
					 errdetail("It %s.", reason)));
			break;
		case DOCUMENT_WAITS:
			ereport(NOTICE,
					(errmsg("the document waits"),
					 errdetail("It %s.", reason)));
			break;
		case DOCUMENT_TAKEN:
			break;
	}
	PG_RETURN_TEXT_P(cstring_to_text(hex(hash, HASH_BYTES)));
}

Datum
secmed_submit_document(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	return submit(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

Datum
secmed_submit_document_text(PG_FUNCTION_ARGS)
{
	StringInfoData bytes;

	given_text(&bytes, PG_GETARG_TEXT_PP(0));
	return submit(bytes.data, bytes.len);
}

/* Showing -------------------------------------------------------------------*/

/* Who a signer is here, and whether the signature is his. */
static void
show_signature(StringInfo out, const Document *document, int i)
{
	const uint8 *fingerprint = document->signatures[i].signer;
	Identity	signer;
	const char *problem;
	char	   *words;

	if (!identity_find(&signer, fingerprint))
		words = psprintf("%s, who is not known here", identity_text(fingerprint));
	else if (!document_signature_good(document, i, signer.person.sign_public))
		words = psprintf("nobody: the signature in the name of %s (%s) is not good", signer.person.name, identity_text(fingerprint));
	else
	{
		problem = identity_problem(&signer, identity_now_us());
		words = psprintf("%s (%s)%s%s", signer.person.name, identity_text(fingerprint),
						 problem ? ", whose identity " : "", problem ? problem : "");
	}
	words_text(out, "signed by", words);
}

static Datum
show(const void *bytes, size_t len)
{
	Document   *document = palloc(sizeof(Document));
	StringInfoData words;
	int			n;

	given_document(document, bytes, len);
	n = document->nsignatures;
	initStringInfo(&words);
	words_text(&words, "document", document->kind->name);
	words_hex(&words, "hash", document->hash, HASH_BYTES);
	document->kind->describe(&words, document->body, document->body_len);
	for (int i = 0; i < n; i++)
		show_signature(&words, document, i);
	if (n == 0)
		words_text(&words, "signed by", "nobody yet");
	PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(words.data, words.len, PG_UTF8)));
}

Datum
secmed_show(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	return show(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

Datum
secmed_show_text(PG_FUNCTION_ARGS)
{
	StringInfoData bytes;

	given_text(&bytes, PG_GETARG_TEXT_PP(0));
	return show(bytes.data, bytes.len);
}

Datum
secmed_document_text(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData text;

	initStringInfo(&text);
	document_to_text(&text, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}

/* Exchanging ----------------------------------------------------------------*/

Datum
secmed_exchange_documents(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	PreventCommandIfReadOnly("secmed.exchange_documents()");
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("secmed.exchange_documents() can't run inside a transaction block"),
				 errdetail("Other nodes would wait for its end.")));
	(void) node_self();
	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, exchange_all())
	{
		const Exchanged *with = lfirst(lc);
		Datum		values[] = {CStringGetDatum(with->node), Int64GetDatum(with->sent), Int64GetDatum(with->received),
			Int64GetDatum(with->refused), with->problem ? CStringGetTextDatum(with->problem) : (Datum) 0};
		bool		nulls[] = {false, false, false, false, with->problem == NULL};

		values[0] = DirectFunctionCall1(namein, values[0]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
