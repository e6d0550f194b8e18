/*
 * document.c
 *	  The envelope of everything people sign.
 */
#include "base/base.h"

#include "contract/armour.h"
#include "contract/document.h"
#include "contract/words.h"

#define KIND_BYTES_MAX		32
#define ARMOUR_WORD			"DOCUMENT"

const DocumentKind *
document_kind_find(const char *name)
{
	for (const DocumentKind *kind = document_kinds; kind->name != NULL; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

/* ---- bodies ---- */

void
document_body_read(CborReader *in, const char *kind, uint64 elements, const void *body, size_t len)
{
	char	   *found;

	cbor_start(in, body, len);
	cbor_expect_array(in, elements);
	found = cbor_read_text(in, KIND_BYTES_MAX);
	if (in->error == NULL && strcmp(found, kind) != 0)
		in->error = "is of another kind than expected";
	if (cbor_read_uint(in, PG_UINT64_MAX) != DOCUMENT_VERSION && in->error == NULL)
		in->error = "is of another version";
	pfree(found);
}

void
document_body_write(StringInfo out, const char *kind, uint64 elements)
{
	cbor_array(out, elements);
	cbor_text(out, kind);
	cbor_uint(out, DOCUMENT_VERSION);
}

int64
document_time_read(CborReader *in)
{
	return (int64) cbor_read_uint(in, DOCUMENT_TIME_US_MAX);
}

/* Which kind a body says it is; NULL with a reason. */
static const DocumentKind *
kind_of_body(const void *body, size_t len, const char **reason)
{
	const DocumentKind *kind;
	CborReader	in;
	char	   *name;

	cbor_start(&in, body, len);
	(void) cbor_read_array(&in, PG_UINT64_MAX);
	name = cbor_read_text(&in, KIND_BYTES_MAX);
	kind = document_kind_find(name);
	*reason = in.error ? in.error : kind == NULL ? "is of a kind that is not known here" : NULL;
	pfree(name);
	return in.error ? NULL : kind;
}

bool
document_begin(Document *document, const void *body, size_t len, const char **reason)
{
	memset(document, 0, offsetof(Document, signatures));
	if (len > DOCUMENT_BODY_BYTES_MAX)
	{
		*reason = "is too long";
		return false;
	}
	document->kind = kind_of_body(body, len, reason);
	if (document->kind == NULL || !document->kind->check(body, len, reason))
		return false;
	document->body = body;
	document->body_len = len;
	hash_bytes(document->hash, body, len);
	return true;
}

/* ---- bytes ---- */

void
document_encode(StringInfo out, const Document *document)
{
	cbor_array(out, 2);
	cbor_bytes(out, document->body, document->body_len);
	cbor_array(out, document->nsignatures);
	for (int i = 0; i < document->nsignatures; i++)
	{
		cbor_array(out, 2);
		cbor_bytes(out, document->signatures[i].signer, HASH_BYTES);
		cbor_bytes(out, document->signatures[i].signature, SIGNATURE_BYTES);
	}
}

static void
read_signatures(CborReader *in, Document *document)
{
	int			n = (int) cbor_read_array(in, DOCUMENT_SIGNATURES_MAX);

	for (int i = 0; i < n; i++)
	{
		DocumentSignature *signature = &document->signatures[i];

		cbor_expect_array(in, 2);
		cbor_read_fixed(in, signature->signer, HASH_BYTES);
		cbor_read_fixed(in, signature->signature, SIGNATURE_BYTES);
		if (in->error == NULL && i > 0 && memcmp(signature[-1].signer, signature->signer, HASH_BYTES) >= 0)
			in->error = "has signatures that are not in order";
	}
	document->nsignatures = in->error == NULL ? n : 0;
}

bool
document_decode(Document *document, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	const uint8 *body;
	size_t		body_len;

	*reason = NULL;
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	body = cbor_read_bytes(&in, DOCUMENT_BODY_BYTES_MAX, &body_len);
	if (in.error == NULL && !document_begin(document, body, body_len, reason))
		return false;
	read_signatures(&in, document);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

/* ---- signatures ---- */

void
document_signer(uint8 out[HASH_BYTES], const uint8 public_key[SIGN_PUBLIC_BYTES])
{
	hash_bytes(out, public_key, SIGN_PUBLIC_BYTES);
}

int
document_signature_of(const Document *document, const uint8 signer[HASH_BYTES])
{
	for (int i = 0; i < document->nsignatures; i++)
		if (memcmp(document->signatures[i].signer, signer, HASH_BYTES) == 0)
			return i;
	return -1;
}

/* In its place by signer; there is room. */
static void
insert_signature(Document *document, const DocumentSignature *signature)
{
	int			at = document->nsignatures++;

	for (; at > 0 && memcmp(document->signatures[at - 1].signer, signature->signer, HASH_BYTES) > 0; at--)
		document->signatures[at] = document->signatures[at - 1];
	document->signatures[at] = *signature;
}

void
document_sign(Document *document, const uint8 public_key[SIGN_PUBLIC_BYTES],
			  const uint8 secret_key[SIGN_SECRET_BYTES])
{
	DocumentSignature signature;

	document_signer(signature.signer, public_key);
	if (document_signature_of(document, signature.signer) >= 0)
		return;
	if (document->nsignatures == DOCUMENT_SIGNATURES_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a document has at most %d signatures", DOCUMENT_SIGNATURES_MAX);
	sign_message(signature.signature, secret_key, DOCUMENT_PURPOSE, document->body, document->body_len);
	insert_signature(document, &signature);
}

bool
document_signature_good(const Document *document, int i, const uint8 public_key[SIGN_PUBLIC_BYTES])
{
	uint8		signer[HASH_BYTES];

	document_signer(signer, public_key);
	return memcmp(signer, document->signatures[i].signer, HASH_BYTES) == 0 &&
		sign_verify(document->signatures[i].signature, public_key, DOCUMENT_PURPOSE,
					document->body, document->body_len);
}

int
document_merge(Document *document, const Document *other)
{
	int			added = 0;

	for (int i = 0; i < other->nsignatures; i++)
		added += document_signature_of(document, other->signatures[i].signer) < 0;
	if (document->nsignatures + added > DOCUMENT_SIGNATURES_MAX)
		return -1;
	for (int i = 0; i < other->nsignatures; i++)
		if (document_signature_of(document, other->signatures[i].signer) < 0)
			insert_signature(document, &other->signatures[i]);
	return added;
}

/* ---- text ---- */

void
document_to_text(StringInfo out, const void *bytes, size_t len)
{
	armour_write(out, ARMOUR_WORD, bytes, len);
}

bool
document_from_text(StringInfo out, const char *text, size_t len, const char **reason)
{
	return armour_read(out, ARMOUR_WORD, text, len, DOCUMENT_BYTES_MAX, reason);
}

void
document_describe(StringInfo out, const Document *document)
{
	words_text(out, "document", document->kind->name);
	words_hex(out, "hash", document->hash, HASH_BYTES);
	document->kind->describe(out, document->body, document->body_len);
	for (int i = 0; i < document->nsignatures; i++)
		words_fingerprint(out, "signed by", document->signatures[i].signer);
	if (document->nsignatures == 0)
		words_text(out, "signed by", "nobody yet");
}
