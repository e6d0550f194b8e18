/*
 * document.h
 *	  What people sign: one envelope for identities, votes, contracts, approvals.
 *
 *	  document  [body, [[signer, signature], ...]]
 *	  body      a byte string that holds [kind, version, ...]
 *
 * in deterministic CBOR.  A signature is Ed25519 over the body for purpose
 * "secmed/document/1"; signer is the SHA-256 of the public key.  Signers rise,
 * so none is there twice and a set of signatures has one encoding.  A document
 * is known by the hash of its body: more signatures do not make it another one.
 *
 * As text, to be mailed and pasted:
 *
 *	  -----BEGIN SECMED DOCUMENT-----
 *	  base64, lines of 64
 *	  -----END SECMED DOCUMENT-----
 *
 * What the kinds are, and which bytes their bodies may have: document_kinds[]
 * (kinds.c).  Whether a signature counts is not decided here: keys are looked
 * up by who asks (govern/identity.h).
 */
#ifndef SECMED_DOCUMENT_H
#define SECMED_DOCUMENT_H

#include "base/base.h"
#include "base/cbor.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#define DOCUMENT_PURPOSE	"secmed/document/1"
/* Every kind's body has it as its second element. */
#define DOCUMENT_VERSION	1

typedef struct DocumentSignature
{
	uint8		signer[HASH_BYTES];
	uint8		signature[SIGNATURE_BYTES];
} DocumentSignature;

typedef struct DocumentKind
{
	const char *name;

	/* Strict: is this a body of the kind?  False with a reason ("is ...", "holds ..."). */
	bool		(*check) (const void *body, size_t len, const char **reason);

	/* Says in lines (words.h) what a body that was checked says. */
	void		(*describe) (StringInfo out, const void *body, size_t len);
} DocumentKind;

/* One row a kind; the last has no name. */
extern const DocumentKind document_kinds[];

typedef struct Document
{
	const DocumentKind *kind;
	const uint8 *body;			/* points into what it was made of */
	size_t		body_len;
	uint8		hash[HASH_BYTES];	/* of the body */
	int			nsignatures;
	DocumentSignature signatures[DOCUMENT_SIGNATURES_MAX];	/* by rising signer */
} Document;

/* The kind of this name, or NULL. */
extern const DocumentKind *document_kind_find(const char *name);

/* A document without signatures; false with a reason if the body is of no kind or not as it must be. */
extern bool document_begin(Document *document, const void *body, size_t len, const char **reason);

extern void document_encode(StringInfo out, const Document *document);

/* Strict, the body too.  No signature is verified.  body points into bytes. */
extern bool document_decode(Document *document, const void *bytes, size_t len, const char **reason);

/* How a key is called in documents: SHA-256(public key). */
extern void document_signer(uint8 out[HASH_BYTES], const uint8 public_key[SIGN_PUBLIC_BYTES]);

/* Adds a signature, or does nothing if this key has signed; fails if there are too many. */
extern void document_sign(Document *document, const uint8 public_key[SIGN_PUBLIC_BYTES],
						  const uint8 secret_key[SIGN_SECRET_BYTES]);

/* Number of the signature by this signer, or -1. */
extern int	document_signature_of(const Document *document, const uint8 signer[HASH_BYTES]);

/* Has this key made signature i? */
extern bool document_signature_good(const Document *document, int i, const uint8 public_key[SIGN_PUBLIC_BYTES]);

/*
 * Adds the signatures of another copy of the same document; returns how many
 * were new.  -1 if they would be too many, and nothing is added.
 */
extern int	document_merge(Document *document, const Document *other);

/* Its text, appended; and back to bytes.  White space between base64 digits and around all is ignored. */
extern void document_to_text(StringInfo out, const void *bytes, size_t len);
extern bool document_from_text(StringInfo out, const char *text, size_t len, const char **reason);

/* Kind, hash, what the body says, and who has signed, in lines; no signature is verified. */
extern void document_describe(StringInfo out, const Document *document);

/*
 * For kinds: begins to read a body of so many elements, past its kind and
 * version; and to write one.
 */
extern void document_body_read(CborReader *in, const char *kind, uint64 elements, const void *body, size_t len);
extern void document_body_write(StringInfo out, const char *kind, uint64 elements);

/* A time of the years 1970 to 9999, in microseconds. */
#define DOCUMENT_TIME_US_MAX	INT64CONST(253402300799999999)
extern int64 document_time_read(CborReader *in);

#endif							/* SECMED_DOCUMENT_H */
