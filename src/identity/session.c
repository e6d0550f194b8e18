/*
 * session.c
 *	  The handshake of two nodes, and the sealed frames that follow it.
 *
 * Hello and welcome have one shape: a CBOR array of seven and the signature
 * of its bytes.  The seventh is fresh random bytes in a hello, and the hash
 * of the whole hello in a welcome, so a welcome answers one hello.
 *
 *	  shared         X25519(eph_I, eph_R)
 *	  transcript     SHA-256(SHA-256(hello) || SHA-256(welcome))
 *	  keys, export   prg_derive_seed(shared, one purpose each, transcript)
 *
 * The stream's 24-byte header goes before the first frame of each direction.
 * It is not authenticated by itself, but the first frame does not open under
 * another one.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "crypto/libsodium.h"
#include "identity/session.h"
#ifndef FRONTEND
#include "utils/memutils.h"
#endif

#define HANDSHAKE_VERSION	1
#define HANDSHAKE_ELEMENTS	7
#define HELLO				"hello"
#define WELCOME				"welcome"
#define HELLO_PURPOSE		"secmed/hello/1"
#define WELCOME_PURPOSE		"secmed/welcome/1"
#define TO_RESPONDER		"secmed/session/1/to-responder"
#define TO_INITIATOR		"secmed/session/1/to-initiator"
#define TO_EXPORT			"secmed/session/1/export"

/* A later version may have more elements; we only say that it is another. */
#define ELEMENTS_MAX_ANY_VERSION	16

#define EPHEMERAL_BYTES		crypto_scalarmult_BYTES
#define BINDING_BYTES		32	/* nonce, or hash of the hello */
#define HEADER_BYTES		crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define TAG					crypto_secretstream_xchacha20poly1305_TAG_MESSAGE

StaticAssertDecl(SESSION_FRAME_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "frame overhead");
StaticAssertDecl(SEED_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "a stream's key is a seed");
StaticAssertDecl(BINDING_BYTES == HASH_BYTES, "the binding of a welcome is a hash");

struct Session
{
	bool		open;
	char		self_name[NODE_NAME_BYTES_MAX + 1];
	char		peer_name[NODE_NAME_BYTES_MAX + 1];
	NodeCard	peer;			/* once open */
	uint8		ephemeral_secret[EPHEMERAL_BYTES];	/* the initiator's, until open */
	uint8		hello_hash[HASH_BYTES];
	uint8		export_secret[SEED_BYTES];

	crypto_secretstream_xchacha20poly1305_state sealing;
	uint8		sealing_header[HEADER_BYTES];
	bool		sealed_first;

	crypto_secretstream_xchacha20poly1305_state opening;
	uint8		opening_key[SEED_BYTES];	/* until the first frame has come */
	bool		opened_first;
};

/* A hello or a welcome. */
typedef struct Handshake
{
	char		from[NODE_NAME_BYTES_MAX + 1];
	char		to[NODE_NAME_BYTES_MAX + 1];
	uint8		ephemeral[EPHEMERAL_BYTES];
	uint8		binding[BINDING_BYTES];
} Handshake;

/* In the server a session outlives the transaction that opened it. */
static Session *
session_alloc(const char *self_name, const char *peer_name)
{
#ifdef FRONTEND
	Session    *session = palloc0(sizeof(Session));
#else
	Session    *session = MemoryContextAllocZero(TopMemoryContext, sizeof(Session));
#endif

	strlcpy(session->self_name, self_name, sizeof(session->self_name));
	strlcpy(session->peer_name, peer_name, sizeof(session->peer_name));
	return session;
}

void
session_free(Session *session)
{
	wipe(session, sizeof(*session));
	pfree(session);
}

/* Appends the signed message to out; hash is that of all its bytes. */
static void
handshake_write(StringInfo out, uint8 hash[HASH_BYTES], const NodeKeys *self,
				const char *kind, const char *purpose, const Handshake *handshake)
{
	int			start = out->len;
	uint8		signature[SIGNATURE_BYTES];

	cbor_array(out, HANDSHAKE_ELEMENTS);
	cbor_uint(out, HANDSHAKE_VERSION);
	cbor_text(out, kind);
	cbor_text(out, handshake->from);
	cbor_text(out, handshake->to);
	cbor_uint(out, PROTOCOL_VERSION);
	cbor_bytes(out, handshake->ephemeral, EPHEMERAL_BYTES);
	cbor_bytes(out, handshake->binding, BINDING_BYTES);
	sign_message(signature, self->sign_secret, purpose, out->data + start, out->len - start);
	appendBinaryStringInfo(out, (char *) signature, SIGNATURE_BYTES);
	hash_bytes(hash, out->data + start, out->len - start);
}

static void
read_kind(CborReader *reader, const char *kind)
{
	char	   *found = cbor_read_text(reader, strlen(kind));

	if (reader->error == NULL && strcmp(found, kind) != 0)
		reader->error = "is a message of another kind";
	pfree(found);
}

/* The part that all versions share is read first, to name the real problem. */
static bool
handshake_read(Handshake *handshake, const void *message, size_t len,
			   const char *kind, const char **reason)
{
	CborReader	reader;
	uint64		elements;

	if (len <= SIGNATURE_BYTES || len > SESSION_HELLO_BYTES_MAX)
	{
		*reason = "has a length that no such message has";
		return false;
	}
	cbor_start(&reader, message, len - SIGNATURE_BYTES);
	elements = cbor_read_array(&reader, ELEMENTS_MAX_ANY_VERSION);
	if (cbor_read_uint(&reader, PG_UINT64_MAX) != HANDSHAKE_VERSION && reader.error == NULL)
		reader.error = "is of another version of the handshake";
	read_kind(&reader, kind);
	node_name_read(&reader, handshake->from);
	node_name_read(&reader, handshake->to);
	if (cbor_read_uint(&reader, PG_UINT64_MAX) != PROTOCOL_VERSION && reader.error == NULL)
		reader.error = "is of another version of the protocol";
	if (elements != HANDSHAKE_ELEMENTS && reader.error == NULL)
		reader.error = "holds a list of another length than expected";
	cbor_read_fixed(&reader, handshake->ephemeral, EPHEMERAL_BYTES);
	cbor_read_fixed(&reader, handshake->binding, BINDING_BYTES);
	*reason = cbor_finish(&reader) ? NULL : reader.error;
	return *reason == NULL;
}

static bool
handshake_signed_by(const NodeCard *card, const char *purpose, const void *message, size_t len)
{
	size_t		signed_len = len - SIGNATURE_BYTES;

	return sign_verify((const uint8 *) message + signed_len, card->sign_public,
					   purpose, message, signed_len);
}

static void
ephemeral_create(uint8 public_key[EPHEMERAL_BYTES], uint8 secret_key[EPHEMERAL_BYTES])
{
	random_bytes(secret_key, EPHEMERAL_BYTES);
	crypto_scalarmult_base(public_key, secret_key);
}

/* Both directions' streams, from the shared secret. */
static void
derive_keys(Session *session, const uint8 *shared, const uint8 *transcript,
			const char *sealing_purpose, const char *opening_purpose)
{
	uint8		sealing_key[SEED_BYTES];

	prg_derive_seed(session->export_secret, shared, TO_EXPORT, transcript, HASH_BYTES);
	prg_derive_seed(session->opening_key, shared, opening_purpose, transcript, HASH_BYTES);
	prg_derive_seed(sealing_key, shared, sealing_purpose, transcript, HASH_BYTES);
	crypto_secretstream_xchacha20poly1305_init_push(&session->sealing, session->sealing_header, sealing_key);
	wipe(sealing_key, sizeof(sealing_key));
}

/* False if the other's ephemeral key has small order and would fix the secret. */
static bool
session_agree(Session *session, const NodeCard *peer, bool initiator,
			  const uint8 *our_secret, const uint8 *their_public, const uint8 *welcome_hash)
{
	uint8		shared[SEED_BYTES];
	uint8		transcript[HASH_BYTES];
	HashPart	messages[] = {{session->hello_hash, HASH_BYTES}, {welcome_hash, HASH_BYTES}};

	if (crypto_scalarmult(shared, our_secret, their_public) != 0)
		return false;
	hash_parts(transcript, messages, 2);
	derive_keys(session, shared, transcript,
				initiator ? TO_RESPONDER : TO_INITIATOR,
				initiator ? TO_INITIATOR : TO_RESPONDER);
	wipe(shared, sizeof(shared));
	session->peer = *peer;
	session->open = true;
	return true;
}

Session *
session_hello(const NodeKeys *self, const char *peer_name, StringInfo hello_out)
{
	Session    *session = session_alloc(self->card.name, peer_name);
	Handshake	hello;

	libsodium_start();
	strlcpy(hello.from, session->self_name, sizeof(hello.from));
	strlcpy(hello.to, session->peer_name, sizeof(hello.to));
	ephemeral_create(hello.ephemeral, session->ephemeral_secret);
	random_bytes(hello.binding, BINDING_BYTES);
	handshake_write(hello_out, session->hello_hash, self, HELLO, HELLO_PURPOSE, &hello);
	return session;
}

bool
session_hello_names(const void *hello, size_t len, char **from, char **to, const char **reason)
{
	Handshake	handshake;

	if (!handshake_read(&handshake, hello, len, HELLO, reason))
		return false;
	*from = pstrdup(handshake.from);
	*to = pstrdup(handshake.to);
	return true;
}

/* Why this hello is not one from peer to self, or NULL. */
static const char *
hello_problem(Handshake *handshake, const NodeKeys *self, const NodeCard *peer,
			  const void *hello, size_t len)
{
	const char *reason;

	if (!handshake_read(handshake, hello, len, HELLO, &reason))
		return reason;
	if (strcmp(handshake->from, peer->name) != 0)
		return "comes from another node than expected";
	if (strcmp(handshake->to, self->card.name) != 0)
		return "is for another node";
	if (!handshake_signed_by(peer, HELLO_PURPOSE, hello, len))
		return "is not signed with the key of the node it names";
	return NULL;
}

Session *
session_welcome(const NodeKeys *self, const NodeCard *peer, const void *hello, size_t len,
				StringInfo welcome_out, const char **reason)
{
	Session    *session;
	Handshake	theirs;
	Handshake	ours;
	uint8		ephemeral_secret[EPHEMERAL_BYTES];
	uint8		welcome_hash[HASH_BYTES];
	int			start = welcome_out->len;

	*reason = hello_problem(&theirs, self, peer, hello, len);
	if (*reason != NULL)
		return NULL;

	libsodium_start();
	session = session_alloc(self->card.name, peer->name);
	hash_bytes(session->hello_hash, hello, len);
	strlcpy(ours.from, session->self_name, sizeof(ours.from));
	strlcpy(ours.to, session->peer_name, sizeof(ours.to));
	ephemeral_create(ours.ephemeral, ephemeral_secret);
	memcpy(ours.binding, session->hello_hash, BINDING_BYTES);
	handshake_write(welcome_out, welcome_hash, self, WELCOME, WELCOME_PURPOSE, &ours);

	if (!session_agree(session, peer, false, ephemeral_secret, theirs.ephemeral, welcome_hash))
	{
		*reason = "holds a key that can't be used";
		welcome_out->len = start;
		session_free(session);
		session = NULL;
	}
	wipe(ephemeral_secret, sizeof(ephemeral_secret));
	return session;
}

/* Why this welcome does not answer our hello, or NULL. */
static const char *
welcome_problem(Handshake *handshake, const Session *session, const NodeCard *peer,
				const void *welcome, size_t len, bool *wrong_key)
{
	const char *reason;

	if (!handshake_read(handshake, welcome, len, WELCOME, &reason))
		return reason;
	if (strcmp(handshake->from, session->peer_name) != 0 || strcmp(peer->name, session->peer_name) != 0)
		return "comes from another node than expected";
	if (strcmp(handshake->to, session->self_name) != 0)
		return "is for another node";
	*wrong_key = !handshake_signed_by(peer, WELCOME_PURPOSE, welcome, len);
	if (*wrong_key)
		return "is not signed with the key of the node it names";
	if (memcmp(handshake->binding, session->hello_hash, BINDING_BYTES) != 0)
		return "answers another hello";
	return NULL;
}

bool
session_finish(Session *session, const NodeCard *peer, const void *welcome, size_t len,
			   const char **reason, bool *wrong_key)
{
	Handshake	handshake;
	uint8		welcome_hash[HASH_BYTES];

	*wrong_key = false;
	if (session->open)
		fail(ERRCODE_INTERNAL_ERROR, "the session is open already");
	*reason = welcome_problem(&handshake, session, peer, welcome, len, wrong_key);
	if (*reason != NULL)
		return false;

	hash_bytes(welcome_hash, welcome, len);
	if (!session_agree(session, peer, true, session->ephemeral_secret, handshake.ephemeral, welcome_hash))
	{
		*reason = "holds a key that can't be used";
		return false;
	}
	wipe(session->ephemeral_secret, sizeof(session->ephemeral_secret));
	return true;
}

static void
require_open(const Session *session)
{
	if (!session->open)
		fail(ERRCODE_INTERNAL_ERROR, "the session is not open");
}

void
session_seal(Session *session, const void *message, size_t len, StringInfo out)
{
	require_open(session);
	if (len > MESSAGE_BYTES_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a message of %zu bytes is longer than %d bytes",
			 len, MESSAGE_BYTES_MAX);
	enlargeStringInfo(out, HEADER_BYTES + SESSION_FRAME_OVERHEAD + (int) len);
	if (!session->sealed_first)
		appendBinaryStringInfo(out, (char *) session->sealing_header, HEADER_BYTES);
	session->sealed_first = true;

	if (crypto_secretstream_xchacha20poly1305_push(&session->sealing, (uint8 *) out->data + out->len, NULL,
												   message, len, NULL, 0, TAG) != 0)
		fail(ERRCODE_INTERNAL_ERROR, "a message could not be sealed");
	out->len += SESSION_FRAME_OVERHEAD + (int) len;
	out->data[out->len] = '\0';
}

/* Appends what the stream holds; its state only moves on if the frame is the next one. */
static bool
pull(crypto_secretstream_xchacha20poly1305_state *state, const uint8 *frame, size_t len, StringInfo out)
{
	int			message_len = (int) len - SESSION_FRAME_OVERHEAD;
	uint8		tag;

	enlargeStringInfo(out, message_len);
	if (crypto_secretstream_xchacha20poly1305_pull(state, (uint8 *) out->data + out->len, NULL, &tag,
												   frame, len, NULL, 0) != 0 || tag != TAG)
	{
		out->data[out->len] = '\0';
		return false;
	}
	out->len += message_len;
	out->data[out->len] = '\0';
	return true;
}

bool
session_open(Session *session, const void *frame, size_t len, StringInfo out)
{
	size_t		header_len = session->opened_first ? 0 : HEADER_BYTES;

	require_open(session);
	if (len < header_len + SESSION_FRAME_OVERHEAD ||
		len > header_len + SESSION_FRAME_OVERHEAD + MESSAGE_BYTES_MAX)
		return false;
	if (!session->opened_first)
		crypto_secretstream_xchacha20poly1305_init_pull(&session->opening, frame, session->opening_key);
	if (!pull(&session->opening, (const uint8 *) frame + header_len, len - header_len, out))
		return false;

	if (!session->opened_first)
		wipe(session->opening_key, sizeof(session->opening_key));
	session->opened_first = true;
	return true;
}

void
session_export(const Session *session, const char *purpose, const void *id, size_t id_len,
			   uint8 out[SEED_BYTES])
{
	require_open(session);
	prg_derive_seed(out, session->export_secret, purpose, id, id_len);
}

const NodeCard *
session_peer(const Session *session)
{
	require_open(session);
	return &session->peer;
}
