/*
 * test_note.c
 *	  Signed notes, checkpoints and keys: as others write them, as we write them,
 *	  and as nobody may.
 */
#include "base/base.h"

#include <sodium.h>

#include "../memory.h"
#include "ledger/checkpoint.h"
#include "unit.h"
#include "vectors.h"

/* The example of Go's golang.org/x/mod/sumdb/note, which the format comes from. */
#define GO_KEY	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_NOTE "If you think cryptography is the answer to your problem,\n" \
	"then you don't know what your problem is.\n\n" \
	"\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

#define ORIGIN	"secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff/1"
#define DASH	"\xe2\x80\x94 "

static NoteKey log_key;
static NoteKey witness_keys[20];
static uint8 log_secret[SIGN_SECRET_BYTES];
static uint8 witness_secrets[20][SIGN_SECRET_BYTES];

static void
make_keys(void)
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		seed[32];

	for (int i = -1; i < 20; i++)
	{
		char		name[64];

		memset(seed, i + 1, sizeof(seed));
		crypto_sign_seed_keypair(public_key, i < 0 ? log_secret : witness_secrets[i], seed);
		snprintf(name, sizeof(name), "secmed.eu/site%d/cosigner", i);
		note_key_make(i < 0 ? &log_key : &witness_keys[i], i < 0 ? ORIGIN : name,
					  i < 0 ? NOTE_LOG : NOTE_WITNESS, public_key);
	}
}

static NoteVerdict
verdict_of(const char *bytes, size_t len, const NoteKey *key)
{
	Note		note;
	const char *reason;
	uint64		time;

	if (!note_parse(&note, bytes, len, &reason))
		return NOTE_FORGED;
	return note_check(&note, key, &time);
}

static void
test_foreign(void)
{
	NoteKey		key;
	const char *reason;
	char		text[] = GO_NOTE;
	char	   *back;

	check(note_key_from_text(&key, GO_KEY, strlen(GO_KEY), &reason), "a key of Go's is read");
	back = note_key_to_text(&key);
	check(strcmp(back, GO_KEY) == 0, "and written: %s", back);
	check(verdict_of(text, strlen(text), &key) == NOTE_SIGNED, "Go's example note is signed");
	text[3] ^= 1;
	check(verdict_of(text, strlen(text), &key) == NOTE_FORGED, "changed, it is not");
	text[3] ^= 1;
	key.id ^= 1;
	check(verdict_of(text, strlen(text), &key) == NOTE_UNSIGNED, "another id of the same name is another key");
}

static StringInfoData
signed_checkpoint(int nwitnesses)
{
	Checkpoint	checkpoint = {.origin = ORIGIN, .size = 123456};
	StringInfoData out;
	char	   *text;

	memset(checkpoint.root, 0x42, HASH_BYTES);
	text = checkpoint_text(&checkpoint);
	initStringInfo(&out);
	note_begin(&out, text);
	note_sign(&out, text, &log_key, log_secret, 0);
	for (int i = 0; i < nwitnesses; i++)
		note_sign(&out, text, &witness_keys[i], witness_secrets[i], 1700000000 + i);
	return out;
}

static void
test_checkpoint(void)
{
	StringInfoData bytes = signed_checkpoint(20);
	Note		note;
	Checkpoint	checkpoint;
	const char *reason;
	uint64		time;
	int			bad = 0;

	check(checkpoint_from_note(&checkpoint, &note, bytes.data, bytes.len, &reason) && note.nsignatures == 21 &&
		  strcmp(checkpoint.origin, ORIGIN) == 0 && checkpoint.size == 123456 && checkpoint.root[31] == 0x42,
		  "a checkpoint of %d bytes with 21 signatures is read", bytes.len);
	check(note_check(&note, &log_key, &time) == NOTE_SIGNED && time == 0, "its log has signed it");
	for (int i = 0; i < 20; i++)
		bad += note_check(&note, &witness_keys[i], &time) != NOTE_SIGNED || time != 1700000000 + i;
	check(bad == 0, "20 witnesses have countersigned it, each at its time");
	log_key.kind = NOTE_WITNESS;
	check(note_check(&note, &log_key, &time) == NOTE_FORGED, "a log's signature is no countersignature");
	log_key.kind = NOTE_LOG;
}

/* Every truncation is refused or has fewer signatures; every flipped bit is noticed. */
static void
test_hostile(void)
{
	StringInfoData bytes = signed_checkpoint(1);
	Note		note;
	Checkpoint	checkpoint;
	const char *reason;
	uint64		time;
	int			bad = 0;

	for (int len = 0; len < bytes.len; len++)
	{
		char	   *copy = malloc(len + 1);

		memcpy(copy, bytes.data, len);
		reason = NULL;
		if (checkpoint_from_note(&checkpoint, &note, copy, len, &reason))
			bad += note.nsignatures != 1 || note_check(&note, &log_key, &time) != NOTE_SIGNED;
		else
			bad += reason == NULL;
		free(copy);
	}
	check(bad == 0, "no truncation of a note says more than it did");

	bad = 0;
	for (int i = 0; i < bytes.len; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			bytes.data[i] ^= 1 << bit;
			if (checkpoint_from_note(&checkpoint, &note, bytes.data, bytes.len, &reason))
				bad += note_check(&note, &log_key, &time) == NOTE_SIGNED &&
					note_check(&note, &witness_keys[0], &time) == NOTE_SIGNED;
			bytes.data[i] ^= 1 << bit;
		}
	check(bad == 0, "no note with a flipped bit is signed by both");
}

static const char *
problem_of(const char *bytes, size_t len)
{
	static Note note;
	const char *reason;

	return note_parse(&note, bytes, len, &reason) ? NULL : reason;
}

#define refused(bytes, what) \
	check(problem_of((bytes), sizeof(bytes) - 1) != NULL, "refused: %s", what)
#define accepted(bytes, what) \
	check(problem_of((bytes), sizeof(bytes) - 1) == NULL, "accepted: %s", what)

static void
test_rules(void)
{
	StringInfoData many;

	accepted("text\n\n" DASH "a AAAAAAA=\n", "a signature of one byte");
	accepted("one\n\ntwo\n\n" DASH "a AAAAAAA=\n", "a text with an empty line");
	accepted("t\xc3\xa4xt\n\n" DASH "\xc3\xa4 AAAAAAA=\n", "UTF-8 in text and name");
	refused("", "nothing");
	refused("text\n", "no signatures");
	refused("text\n\n", "no signature after the empty line");
	refused("text\n\n" DASH "a AAAAAAA=", "no newline at the end");
	refused("text\n\n" DASH "a AAAAAAA=\n\n", "an empty line after the signatures");
	refused("text\n\n" DASH "a AAAAAA==\n", "an id and no signature");
	refused("text\n\n" DASH "a AAAAAAB=\n", "base64 with spare bits");
	refused("text\n\n" DASH "a AAAA AAA=\n", "base64 with a space");
	refused("text\n\n" DASH "a  AAAAAAA=\n", "two spaces");
	refused("text\n\n" DASH "a+b AAAAAAA=\n", "a plus sign in a name");
	refused("text\n\n" DASH " AAAAAAA=\n", "no name");
	refused("text\n\n" DASH "a\xc2\xa0z AAAAAAA=\n", "a no-break space in a name");
	refused("text\n\n" DASH "a\xe3\x80\x80z AAAAAAA=\n", "an ideographic space in a name");
	refused("text\n\n- a AAAAAAA=\n", "another dash");
	refused("te\txt\n\n" DASH "a AAAAAAA=\n", "a tab");
	refused("te\rxt\n\n" DASH "a AAAAAAA=\n", "a carriage return");
	refused("te\0xt\n\n" DASH "a AAAAAAA=\n", "a zero byte");
	refused("te\xff" "xt\n\n" DASH "a AAAAAAA=\n", "what is not UTF-8");
	refused("te\xed\xa0\x80xt\n\n" DASH "a AAAAAAA=\n", "a surrogate");

	initStringInfo(&many);
	appendStringInfoString(&many, "text\n\n");
	for (int i = 0; i < NOTE_SIGNATURES_MAX; i++)
		appendStringInfoString(&many, DASH "a AAAAAAA=\n");
	check(problem_of(many.data, many.len) == NULL, "accepted: %d signatures", NOTE_SIGNATURES_MAX);
	appendStringInfoString(&many, DASH "a AAAAAAA=\n");
	check(problem_of(many.data, many.len) != NULL, "refused: one more");
}

static const char *
checkpoint_problem(const char *text)
{
	Checkpoint	checkpoint;
	const char *reason;

	return checkpoint_parse(&checkpoint, text, strlen(text), &reason) ? NULL : reason;
}

#define ROOT	"QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="

static void
test_checkpoint_rules(void)
{
	static const struct
	{
		const char *text;
		const char *what;
	}			wrong[] = {
		{"", "nothing"},
		{"a\n1\n", "no root"},
		{"a\n1\n" ROOT, "no last newline"},
		{"a\n01\n" ROOT "\n", "a leading zero"},
		{"a\n+1\n" ROOT "\n", "a sign"},
		{"a\n\n" ROOT "\n", "no size"},
		{"a\n9223372036854775808\n" ROOT "\n", "a size beyond 63 bits"},
		{"a\n99999999999999999999\n" ROOT "\n", "a size beyond 64 bits"},
		{"a b\n1\n" ROOT "\n", "a space in the origin"},
		{"\n1\n" ROOT "\n", "no origin"},
		{"a\n1\nQkJC\n", "a short root"},
		{"a\n1\n" ROOT "\nextension\n", "an extension line"},
		{"a\n0\n" ROOT "\n", "a root over nothing"},
	};

	for (int i = 0; i < lengthof(wrong); i++)
		check(checkpoint_problem(wrong[i].text) != NULL, "refused: a checkpoint with %s", wrong[i].what);
	check(checkpoint_problem("a\n9223372036854775807\n" ROOT "\n") == NULL, "accepted: the largest size");
	check(checkpoint_problem("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n") == NULL,
		  "accepted: an empty log");
}

static void
test_keys_and_origins(void)
{
	static const char *const wrong[] = {
		"", "+", "a", "a+c74f20a3", "a+c74f20a3+", "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
	};
	static const char *const wrong_origins[] = {
		"", "secmed.eu", "secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff",
		"secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff/0",
		"secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff/01",
		"secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff/1/",
		"secmed.eu/Charite/00112233-4455-6677-8899-aabbccddeeff/1",
		"secmed.eu/charite/00112233-4455-6677-8899-AABBCCDDEEFF/1",
		"secmed./charite/00112233-4455-6677-8899-aabbccddeeff/1",
		"secmed.eu/charite/00112233-4455-6677-8899-aabbccddeef/1",
		"sigsum.eu/charite/00112233-4455-6677-8899-aabbccddeeff/1",
	};
	NoteKey		key;
	Origin		origin;
	const char *reason;
	int			bad = 0;

	for (int i = 0; i < lengthof(wrong); i++)
		bad += note_key_from_text(&key, wrong[i], strlen(wrong[i]), &reason);
	check(bad == 0, "what is not a key is refused");
	check(origin_from_text(&origin, ORIGIN) && strcmp(origin_to_text(&origin), ORIGIN) == 0 &&
		  strcmp(origin.site, "charite") == 0 && origin.epoch == 1, "an origin is read and written");
	bad = 0;
	for (int i = 0; i < lengthof(wrong_origins); i++)
		bad += origin_from_text(&origin, wrong_origins[i]);
	check(bad == 0, "what is not an origin is refused");
	check_fails(ERRCODE_INVALID_NAME, note_key_make(&key, "a+b", NOTE_LOG, log_key.public_key),
				"a key is not named with a plus sign");
}

/* The same bytes as the second implementation's, test/vectors/ledger. */
static void
test_vector(void)
{
	StringInfoData bytes = signed_checkpoint(1);
	StringInfoData expected = vector_bytes("ledger", "checkpoint");
	bool		same = bytes.len == expected.len && memcmp(bytes.data, expected.data, bytes.len) == 0;

	check(same, "ledger: checkpoint");
	for (int i = 0; !same && i < bytes.len; i++)
		printf("%s%02x%s", i == 0 ? "# found " : "", (uint8) bytes.data[i], i == bytes.len - 1 ? "\n" : "");
}

int
main(void)
{
	make_keys();
	test_foreign();
	test_checkpoint();
	test_hostile();
	test_rules();
	test_checkpoint_rules();
	test_keys_and_origins();
	test_vector();
	memory_reset();
	return unit_done();
}
