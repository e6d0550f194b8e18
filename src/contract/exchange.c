/*
 * exchange.c
 *	  Bytes of questions and answers about documents.
 */
#include "base/base.h"

#include "contract/exchange.h"

static const char *const verbs[] = {[EXCHANGE_PUT] = "put", [EXCHANGE_PULL] = "pull"};

void
exchange_encode(StringInfo out, const ExchangeMessage *message)
{
	cbor_array(out, 3);
	cbor_text(out, verbs[message->verb]);
	cbor_uint(out, message->serial);
	cbor_array(out, message->n);
	for (int i = 0; i < message->n; i++)
		cbor_bytes(out, message->documents[i].data, message->documents[i].len);
}

bool
exchange_decode(ExchangeMessage *message, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	memset(message, 0, offsetof(ExchangeMessage, documents));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 3);
	word = cbor_read_text(&in, 8);
	for (int verb = EXCHANGE_PUT; verb <= EXCHANGE_PULL; verb++)
		if (strcmp(word, verbs[verb]) == 0)
			message->verb = (ExchangeVerb) verb;
	if (message->verb == 0 && in.error == NULL)
		in.error = "is of another kind than expected";
	pfree(word);
	message->serial = cbor_read_uint(&in, PG_INT64_MAX);
	message->n = (int) cbor_read_array(&in, EXCHANGE_DOCUMENTS_MAX);
	for (int i = 0; i < message->n; i++)
		message->documents[i].data = cbor_read_bytes(&in, DOCUMENT_BYTES_MAX, &message->documents[i].len);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}
