/*
 * test_session.c
 *	  The handshake and its frames: both ends agree, and nothing that was
 *	  changed, cut, replayed, reordered or made for others is accepted.
 */
#include "base/base.h"

#include <sodium.h>

#include "base/cbor.h"
#include "identity/session.h"
#include "unit.h"

static NodeKeys alice;
static NodeKeys bob;
static NodeKeys mallory;		/* calls itself bob */

/* Both ends of an open session. */
typedef struct Pair
{
	Session    *initiator;
	Session    *responder;
} Pair;

static Pair
open_pair(void)
{
	StringInfoData hello;
	StringInfoData welcome;
	const char *reason;
	bool		wrong_key;
	Pair		pair;

	initStringInfo(&hello);
	initStringInfo(&welcome);
	pair.initiator = session_hello(&alice, "bob", &hello);
	pair.responder = session_welcome(&bob, &alice.card, hello.data, hello.len, &welcome, &reason);
	if (pair.responder == NULL ||
		!session_finish(pair.initiator, &bob.card, welcome.data, welcome.len, &reason, &wrong_key))
		abort();
	pfree(hello.data);
	pfree(welcome.data);
	return pair;
}

static void
close_pair(Pair *pair)
{
	session_free(pair->initiator);
	session_free(pair->responder);
}

/* True if from seals a message that to opens. */
static bool
passes(Session *from, Session *to, const char *message, size_t len)
{
	StringInfoData frame;
	StringInfoData opened;
	bool		same;

	initStringInfo(&frame);
	initStringInfo(&opened);
	session_seal(from, message, len, &frame);
	same = session_open(to, frame.data, frame.len, &opened) && opened.len == len &&
		(len == 0 || memcmp(opened.data, message, len) == 0);
	pfree(frame.data);
	pfree(opened.data);
	return same;
}

static void
test_agreement(void)
{
	Pair		pair = open_pair();
	Pair		other = open_pair();
	uint8		a[SEED_BYTES];
	uint8		b[SEED_BYTES];
	char	   *large = malloc(3000000);

	check(strcmp(session_peer(pair.initiator)->name, "bob") == 0 &&
		  memcmp(session_peer(pair.responder)->sign_public, alice.card.sign_public, SIGN_PUBLIC_BYTES) == 0,
		  "each end has the other's card");
	memset(large, 'x', 3000000);
	check(passes(pair.initiator, pair.responder, "first", 5), "the first frame passes");
	check(passes(pair.responder, pair.initiator, "answer", 6), "and the first one back");
	check(passes(pair.initiator, pair.responder, NULL, 0), "an empty frame passes");
	check(passes(pair.initiator, pair.responder, large, 3000000), "a large frame passes");
	check(passes(pair.responder, pair.initiator, large, 1), "a small one back passes");
	check(!passes(pair.initiator, other.responder, "first", 5), "not into another session");
	check(!passes(other.initiator, other.initiator, "first", 5), "not back to where it came from");

	session_export(pair.initiator, "prg", "run 1", 5, a);
	session_export(pair.responder, "prg", "run 1", 5, b);
	check(memcmp(a, b, SEED_BYTES) == 0, "both export the same secret");
	session_export(pair.responder, "prg", "run 2", 5, b);
	check(memcmp(a, b, SEED_BYTES) != 0, "another id has another one");
	session_export(pair.responder, "mac", "run 1", 5, b);
	check(memcmp(a, b, SEED_BYTES) != 0, "another purpose has another one");
	session_export(other.initiator, "prg", "run 1", 5, b);
	check(memcmp(a, b, SEED_BYTES) != 0, "another session has another one");
	close_pair(&pair);
	close_pair(&other);
	free(large);
}

/* What the header says of the bytes: read by hand here. */
static void
test_bytes(void)
{
	StringInfoData hello;
	StringInfoData welcome;
	CborReader	reader;
	Session    *initiator;
	Session    *responder;
	const char *reason;
	uint8		binding[32];
	uint8		hash[HASH_BYTES];
	char	   *text[6];

	initStringInfo(&hello);
	initStringInfo(&welcome);
	initiator = session_hello(&alice, "bob", &hello);
	responder = session_welcome(&bob, &alice.card, hello.data, hello.len, &welcome, &reason);
	check(hello.len <= SESSION_HELLO_BYTES_MAX && welcome.len <= SESSION_HELLO_BYTES_MAX, "both fit the limit");

	cbor_start(&reader, welcome.data, welcome.len - SIGNATURE_BYTES);
	cbor_expect_array(&reader, 7);
	cbor_read_uint(&reader, 1);
	for (int i = 0; i < 3; i++)
		text[i] = cbor_read_text(&reader, 63);
	check(cbor_read_uint(&reader, 100) == PROTOCOL_VERSION, "a welcome has the version");
	cbor_read_fixed(&reader, binding, 32);
	cbor_read_fixed(&reader, binding, 32);
	crypto_hash_sha256(hash, (uint8 *) hello.data, hello.len);
	check(cbor_finish(&reader) && strcmp(text[0], "welcome") == 0 && strcmp(text[1], "bob") == 0 &&
		  strcmp(text[2], "alice") == 0 && memcmp(binding, hash, 32) == 0, "kind, names and the hash of the hello");
	check(sign_verify((uint8 *) welcome.data + welcome.len - 64, bob.card.sign_public, "secmed/welcome/1",
					  welcome.data, welcome.len - 64), "and is signed");

	check(session_hello_names(hello.data, hello.len, &text[3], &text[4], &reason) &&
		  strcmp(text[3], "alice") == 0 && strcmp(text[4], "bob") == 0, "a hello's names are read");
	check(!session_hello_names(welcome.data, welcome.len, &text[5], &text[5], &reason), "not a welcome's");
	for (int i = 0; i < 5; i++)
		pfree(text[i]);
	session_free(initiator);
	session_free(responder);
	pfree(hello.data);
	pfree(welcome.data);
}

static bool
welcomed(const NodeKeys *self, const NodeCard *peer, const void *hello, size_t len)
{
	StringInfoData welcome;
	const char *reason = "unset";
	Session    *session;

	initStringInfo(&welcome);
	session = session_welcome(self, peer, hello, len, &welcome, &reason);
	if ((session == NULL) != (reason != NULL) || (session == NULL && welcome.len != 0))
		abort();
	pfree(welcome.data);
	if (session != NULL)
		session_free(session);
	return session != NULL;
}

static void
test_hostile_hello(void)
{
	StringInfoData hello;
	Session    *session;
	NodeKeys	carol;
	bool		refused = true;

	initStringInfo(&hello);
	session = session_hello(&alice, "bob", &hello);
	session_free(session);
	check(welcomed(&bob, &alice.card, hello.data, hello.len), "a hello is welcomed");
	for (int len = 0; len < hello.len; len++)
	{
		uint8	   *copy = malloc(len);

		memcpy(copy, hello.data, len);
		refused &= !welcomed(&bob, &alice.card, copy, len);
		free(copy);
	}
	check(refused, "not cut at any of %d lengths", hello.len);
	for (int bit = 0; bit < 8 * hello.len; bit++)
	{
		hello.data[bit / 8] ^= 1 << bit % 8;
		refused &= !welcomed(&bob, &alice.card, hello.data, hello.len);
		hello.data[bit / 8] ^= 1 << bit % 8;
	}
	check(refused, "not with any bit flipped");

	node_keys_generate(&carol, "carol", 0);
	check(!welcomed(&carol, &alice.card, hello.data, hello.len), "not by another node");
	check(!welcomed(&bob, &carol.card, hello.data, hello.len), "not from another node");
	appendStringInfoChar(&hello, 0);
	check(!welcomed(&bob, &alice.card, hello.data, hello.len), "not with a byte more");
	appendStringInfoSpaces(&hello, 100000);
	check(!welcomed(&bob, &alice.card, hello.data, hello.len), "not with many more");
	pfree(hello.data);

	initStringInfo(&hello);
	session_free(session_hello(&mallory, "alice", &hello));
	check(!welcomed(&alice, &bob.card, hello.data, hello.len), "not from a node under another's name");
	pfree(hello.data);
}

/* A well-signed hello from alice to bob, with these fields. */
static bool
welcomes_fields(const char *kind, const char *purpose, uint64 handshake_version, uint64 protocol_version,
				const uint8 *ephemeral, int more, const char **reason)
{
	StringInfoData hello;
	StringInfoData welcome;
	uint8		signature[SIGNATURE_BYTES];
	Session    *session;

	initStringInfo(&hello);
	initStringInfo(&welcome);
	cbor_array(&hello, 7 + more);
	cbor_uint(&hello, handshake_version);
	cbor_text(&hello, kind);
	cbor_text(&hello, "alice");
	cbor_text(&hello, "bob");
	cbor_uint(&hello, protocol_version);
	cbor_bytes(&hello, ephemeral, 32);
	cbor_bytes(&hello, ephemeral, 32);
	for (int i = 0; i < more; i++)
		cbor_null(&hello);
	sign_message(signature, alice.sign_secret, purpose, hello.data, hello.len);
	appendBinaryStringInfo(&hello, (char *) signature, SIGNATURE_BYTES);
	session = session_welcome(&bob, &alice.card, hello.data, hello.len, &welcome, reason);
	if (session != NULL)
		session_free(session);
	else if (welcome.len != 0)
		abort();
	pfree(hello.data);
	pfree(welcome.data);
	return session != NULL;
}

static void
test_strange_hello(void)
{
	static const char purpose[] = "secmed/hello/1";
	uint8		good[32];
	uint8		small_order[32] = {0};
	uint8		secret[32];
	const char *reason;

	random_bytes(secret, sizeof(secret));
	crypto_scalarmult_base(good, secret);
	check(welcomes_fields("hello", purpose, 1, PROTOCOL_VERSION, good, 0, &reason), "a hello made by hand is welcomed");
	check(!welcomes_fields("hello", purpose, 2, PROTOCOL_VERSION, good, 0, &reason), "not of another handshake");
	check(!welcomes_fields("hello", purpose, 1, PROTOCOL_VERSION + 1, good, 1, &reason) &&
		  strstr(reason, "version of the protocol") != NULL, "not of another protocol, and the reason says so");
	check(!welcomes_fields("hello", purpose, 1, PROTOCOL_VERSION, good, 1, &reason), "not with one field more");
	check(!welcomes_fields("hullo", purpose, 1, PROTOCOL_VERSION, good, 0, &reason), "not of another kind");
	check(!welcomes_fields("welcome", purpose, 1, PROTOCOL_VERSION, good, 0, &reason), "not a welcome");
	check(!welcomes_fields("hello", "secmed/welcome/1", 1, PROTOCOL_VERSION, good, 0, &reason), "not signed for another purpose");
	check(!welcomes_fields("hello", purpose, 1, PROTOCOL_VERSION, small_order, 0, &reason), "not with a key of small order (0)");
	small_order[0] = 1;
	check(!welcomes_fields("hello", purpose, 1, PROTOCOL_VERSION, small_order, 0, &reason), "not with a key of small order (1)");
}

static bool
finished(Session *session, const NodeCard *peer, const void *welcome, size_t len, bool *wrong_key)
{
	const char *reason = "unset";
	bool		ok = session_finish(session, peer, welcome, len, &reason, wrong_key);

	if (ok != (reason == NULL) || (ok && *wrong_key))
		abort();
	return ok;
}

static void
test_hostile_welcome(void)
{
	StringInfoData hello;
	StringInfoData other_hello;
	StringInfoData welcome;
	StringInfoData other_welcome;
	const char *reason;
	Session    *session;
	Session    *other;
	Session    *responder;
	bool		refused = true;
	bool		wrong_key;

	initStringInfo(&hello);
	initStringInfo(&other_hello);
	initStringInfo(&welcome);
	initStringInfo(&other_welcome);
	session = session_hello(&alice, "bob", &hello);
	other = session_hello(&alice, "bob", &other_hello);
	check(hello.len == other_hello.len && memcmp(hello.data, other_hello.data, hello.len) != 0, "two hellos differ");
	responder = session_welcome(&bob, &alice.card, hello.data, hello.len, &welcome, &reason);
	session_free(session_welcome(&bob, &alice.card, other_hello.data, other_hello.len, &other_welcome, &reason));

	check(!finished(session, &bob.card, other_welcome.data, other_welcome.len, &wrong_key) && !wrong_key,
		  "a welcome for another hello is refused");
	check(!finished(session, &bob.card, hello.data, hello.len, &wrong_key), "our own hello is refused");
	check(!finished(session, &mallory.card, welcome.data, welcome.len, &wrong_key) && wrong_key,
		  "a signature of another key is told apart");
	check(!finished(session, &alice.card, welcome.data, welcome.len, &wrong_key) && !wrong_key,
		  "another node's card is refused");
	for (int len = 0; len < welcome.len; len++)
		refused &= !finished(session, &bob.card, welcome.data, len, &wrong_key) && !wrong_key;
	check(refused, "not cut at any of %d lengths", welcome.len);
	for (int bit = 0; bit < 8 * welcome.len; bit++)
	{
		welcome.data[bit / 8] ^= 1 << bit % 8;
		refused &= !finished(session, &bob.card, welcome.data, welcome.len, &wrong_key);
		welcome.data[bit / 8] ^= 1 << bit % 8;
	}
	check(refused, "not with any bit flipped");

	check_fails(ERRCODE_INTERNAL_ERROR, session_seal(session, "x", 1, &hello), "nothing is sealed before");
	check_fails(ERRCODE_INTERNAL_ERROR, session_peer(session), "nobody is the peer before");
	check(finished(session, &bob.card, welcome.data, welcome.len, &wrong_key), "the true one still opens the session");
	check(passes(session, responder, "works", 5), "and it works");
	check_fails(ERRCODE_INTERNAL_ERROR, finished(session, &bob.card, welcome.data, welcome.len, &wrong_key),
				"once only");

	/* A recorded hello is welcomed again, but with other keys. */
	session_free(responder);
	resetStringInfo(&other_welcome);
	responder = session_welcome(&bob, &alice.card, hello.data, hello.len, &other_welcome, &reason);
	check(responder != NULL && !passes(session, responder, "replayed", 8), "a replayed hello opens no frame");

	session_free(session);
	session_free(other);
	session_free(responder);
	pfree(hello.data);
	pfree(other_hello.data);
	pfree(welcome.data);
	pfree(other_welcome.data);
}

static bool
opens(Session *session, StringInfo frame, StringInfo out)
{
	int			before = out->len;
	bool		ok = session_open(session, frame->data, frame->len, out);

	if (!ok && out->len != before)
		abort();
	return ok;
}

/* Nothing but this very frame opens; after all attempts it still does. */
static void
hostile_frame(Session *session, StringInfo frame, StringInfo out, const char *which)
{
	bool		refused = true;

	for (int len = 0; len < frame->len; len++)
	{
		uint8	   *copy = malloc(len);

		memcpy(copy, frame->data, len);
		refused &= !session_open(session, copy, len, out);
		free(copy);
	}
	check(refused, "%s frame: not cut at any of %d lengths", which, frame->len);
	for (int bit = 0; bit < 8 * frame->len; bit++)
	{
		frame->data[bit / 8] ^= 1 << bit % 8;
		refused &= !opens(session, frame, out);
		frame->data[bit / 8] ^= 1 << bit % 8;
	}
	check(refused && out->len == 0, "%s frame: not with any bit flipped", which);
	check(opens(session, frame, out), "%s frame: the true one still opens", which);
	check(!opens(session, frame, out), "%s frame: not twice", which);
	resetStringInfo(out);
}

static void
test_frames(void)
{
	Pair		pair = open_pair();
	StringInfoData frames[4];
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < lengthof(frames); i++)
	{
		initStringInfo(&frames[i]);
		session_seal(pair.initiator, "message", 7, &frames[i]);
	}
	check(frames[0].len == 24 + 7 + SESSION_FRAME_OVERHEAD && frames[1].len == 7 + SESSION_FRAME_OVERHEAD,
		  "the first frame has the header, the others have not");
	check(!opens(pair.responder, &frames[1], &out), "not the second before the first");
	hostile_frame(pair.responder, &frames[0], &out, "first");
	check(!opens(pair.responder, &frames[2], &out), "not the third before the second");
	hostile_frame(pair.responder, &frames[1], &out, "second");
	check(!opens(pair.responder, &frames[3], &out), "a dropped frame is noticed");
	check(opens(pair.responder, &frames[2], &out) && opens(pair.responder, &frames[3], &out) &&
		  out.len == 14 && memcmp(out.data, "messagemessage", 14) == 0, "messages are appended");
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
				session_seal(pair.initiator, "", (size_t) MESSAGE_BYTES_MAX + 1, &out), "too long a message is not sealed");
	check(!session_open(pair.responder, "", SIZE_MAX, &out), "a length near 2^64 is refused");

	for (int i = 0; i < lengthof(frames); i++)
		pfree(frames[i].data);
	pfree(out.data);
	close_pair(&pair);
}

/* A node may be its own peer; its hello must not answer itself. */
static void
test_with_itself(void)
{
	StringInfoData hello;
	StringInfoData welcome;
	const char *reason;
	bool		wrong_key;
	Session    *initiator;
	Session    *responder;

	initStringInfo(&hello);
	initStringInfo(&welcome);
	initiator = session_hello(&alice, "alice", &hello);
	check(!finished(initiator, &alice.card, hello.data, hello.len, &wrong_key), "a reflected hello is refused");
	responder = session_welcome(&alice, &alice.card, hello.data, hello.len, &welcome, &reason);
	check(responder != NULL && finished(initiator, &alice.card, welcome.data, welcome.len, &wrong_key) &&
		  passes(initiator, responder, "me", 2), "a node can talk to itself");
	session_free(initiator);
	session_free(responder);
	pfree(hello.data);
	pfree(welcome.data);
}

int
main(void)
{
	node_keys_generate(&alice, "alice", 0);
	node_keys_generate(&bob, "bob", 0);
	node_keys_generate(&mallory, "bob", 0);
	test_agreement();
	test_bytes();
	test_hostile_hello();
	test_strange_hello();
	test_hostile_welcome();
	test_frames();
	test_with_itself();
	return unit_done();
}
