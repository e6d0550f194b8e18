/*
 * forger.c
 *	  A node that plays false about its ledger, or about those of others.
 *
 *	  forger CONNINFO KEYFILE CARD < cases
 *
 * It has the right key of a node, and talks to the node of that card.  It keeps
 * two histories, a and b, the same up to entry 40, and c, which goes on from a
 * at 60 under epoch 2.  A case is a line of words, space between them:
 *
 *	  head                        what do you hold?
 *	  HISTORY SIZE [word ...]     countersign this; the words say what is wrong with it
 *	  gossip HISTORY SIZE         somebody's checkpoint
 *	  fork SIZE SIZE [KEYFILE]    a proof about a and b, of those sizes, that are also
 *	                              countersigned with that cosigner's key
 *	  bytes                       something that is no question
 *
 * One line of output for each: the code of the answer, its size, its text.
 */
#include "base/base.h"

#include <libpq-fe.h>

#include "../memory.h"
#include "../unit/ledgers.h"
#include "base/cbor.h"
#include "identity/session.h"
#include "ledger/mirror.h"

#define LINE_BYTES	1024
#define UUID		"12345678-89ab-4def-8123-456789abcdef"
#define TOO_MANY	(MIRROR_ENTRIES_LIMIT + 1)

static NodeKeys self;
static NodeCard node;
static Ledger history[3];
static PGconn *conn;
static Session *session;

static pg_attribute_noreturn() void
die(const char *what)
{
	fprintf(stderr, "forger: %s\n", what);
	exit(1);
}

static StringInfoData
empty(void)
{
	StringInfoData out;

	initStringInfo(&out);
	return out;
}

static size_t
read_file(const char *path, char *bytes, size_t room)
{
	FILE	   *in = fopen(path, "rb");
	size_t		len = in ? fread(bytes, 1, room, in) : 0;

	if (in == NULL)
		die(path);
	fclose(in);
	return len;
}

/* Histories -----------------------------------------------------------------*/

static void
grow(Ledger *ledger, uint64 size, EntryKind kind)
{
	while (ledger->size < size)
		ledger_append(ledger, plain_entry(kind));
}

static void
make_histories(void)
{
	Ledger	   *a = &history[0];

	ledger_start(a, self.card.name, UUID);
	ledger_append(a, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(a, "first", 1, "all", peers_of_lmu, 2);
	grow(a, 40, ENTRY_REQUEST);
	history[1] = *a;
	grow(a, 60, ENTRY_OUTCOME);
	history[2] = *a;
	ledger_key(&history[2], "recovered", 2, "all", peers_of_lmu, 2);
	grow(a, 600, ENTRY_OUTCOME);
	grow(&history[1], 600, ENTRY_DECISION);
	grow(&history[2], 600, ENTRY_OUTCOME);
}

/* The note of a history's first entries, by its log. */
static StringInfoData
note_at(const Ledger *ledger, uint64 size, const NoteKey *key, const uint8 *secret)
{
	LeafArray	leaves = {(const uint8 (*)[HASH_BYTES]) ledger->leaves, ledger->size};
	TileSource	source = merkle_leaves(&leaves);
	Checkpoint	head = {.size = size};
	StringInfoData note = empty();

	strlcpy(head.origin, key->name, sizeof(head.origin));
	if (!merkle_root(head.root, &source, size))
		die("no such size");
	note_begin(&note, checkpoint_text(&head));
	note_sign(&note, checkpoint_text(&head), key, secret, 0);
	return note;
}

/* A line by the cosigner whose key file this is. */
static void
cosign(StringInfo note, const char *site, const char *path)
{
	char		bytes[512];
	CborReader	reader;
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret[SIGN_SECRET_BYTES];
	NoteKey		key;
	char	   *text = pnstrdup(note->data, strstr(note->data, "\n\n") + 1 - note->data);

	cbor_start(&reader, bytes, read_file(path, bytes, sizeof(bytes)));
	cbor_read_array(&reader, 6);
	cbor_read_uint(&reader, 2);
	cbor_read_text(&reader, 20);
	cbor_read_fixed(&reader, public_key, SIGN_PUBLIC_BYTES);
	cbor_read_fixed(&reader, secret, SIGN_SECRET_BYTES);
	if (reader.error)
		die(reader.error);
	note_key_make(&key, cosigner_name("secmed", site), NOTE_WITNESS, public_key);
	note_sign(note, text, &key, secret, AT_S);
}

/* The connection ------------------------------------------------------------*/

static PGresult *
call(const char *sql, StringInfo argument)
{
	Oid			bytea = 17;
	const char *value = argument->data;
	int			format = 1;

	if (!PQsendQueryParams(conn, sql, 1, &bytea, &value, &argument->len, &format, 1))
		die(PQerrorMessage(conn));
	return PQgetResult(conn);
}

static void
connect_to(const char *conninfo)
{
	StringInfoData hello = empty();
	PGresult   *result;
	const char *reason;
	bool		wrong_key;

	conn = PQconnectdb(conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		die(PQerrorMessage(conn));
	session = session_hello(&self, node.name, &hello);
	result = call("SELECT secmed.hello($1)", &hello);
	reason = PQerrorMessage(conn);
	if (PQresultStatus(result) != PGRES_TUPLES_OK ||
		!session_finish(session, &node, PQgetvalue(result, 0, 0), PQgetlength(result, 0, 0), &reason, &wrong_key))
		die(reason);
	PQclear(result);
	if (PQgetResult(conn) != NULL)
		die("more than one welcome");
}

/* False after an error, which is shown. */
static bool
ask(const StringInfoData *question, MirrorAnswer *answer)
{
	StringInfoData sealed = empty();
	StringInfoData *message = palloc(sizeof(StringInfoData));
	PGresult   *result;
	const char *reason;
	char	   *frame;
	int			len;

	session_seal(session, question->data, question->len, &sealed);
	result = call("CALL secmed.mirror($1)", &sealed);
	if (PQresultStatus(result) != PGRES_COPY_BOTH)
	{
		printf("%s %s", PQresultErrorField(result, PG_DIAG_SQLSTATE), PQerrorMessage(conn));
		return false;
	}
	PQclear(result);
	*message = empty();
	while ((len = PQgetCopyData(conn, &frame, false)) > 0)
	{
		int			before = message->len;

		if (!session_open(session, frame, len, message))
			die("an answer that does not open");
		PQfreemem(frame);
		if (message->len - before < FRAME_BYTES_MAX)
			break;
	}
	if (!mirror_answer_decode(answer, message->data, message->len, &reason))
		die(reason);
	PQputCopyEnd(conn, NULL);
	while (PQgetCopyData(conn, &frame, false) > 0)
		PQfreemem(frame);
	while ((result = PQgetResult(conn)) != NULL)
		PQclear(result);
	return true;
}

static uint64
head(MirrorAnswer *answer)
{
	MirrorQuestion question = {.kind = MIRROR_HEAD};
	StringInfoData bytes = empty();

	mirror_question_encode(&bytes, &question);
	if (!ask(&bytes, answer))
		exit(1);
	return answer->turn;
}

/* Cases ---------------------------------------------------------------------*/

static bool
has(char **words, const char *word)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* What is wrong with the key, the ledger or the node in whose name it speaks. */
static StringInfoData
forged_note(const Ledger *ledger, uint64 size, char **words)
{
	NoteKey		key = ledger->key;
	uint8		secret[SIGN_SECRET_BYTES];
	StringInfoData note;

	memcpy(secret, ledger->secret, sizeof(secret));
	if (has(words, "wrong-key"))
		key_of(&key, secret, ledger->key.name, NOTE_LOG, "another key");
	if (has(words, "other-ledger"))
		key_of(&key, secret, psprintf("secmed.eu/%s/00000000-89ab-4def-8123-456789abcdef/1", self.card.name), NOTE_LOG, "x");
	if (has(words, "other-node"))
		key_of(&key, secret, "secmed.eu/charite/" UUID "/1", NOTE_LOG, "x");
	note = note_at(ledger, size, &key, secret);
	if (has(words, "unsigned"))
		note.len -= 10;
	if (has(words, "long-note"))
		while (note.len < 2 * MIRROR_NOTE_BYTES_MAX)
			appendStringInfoString(&note, note.data);
	return note;
}

static void
update(const Ledger *ledger, uint64 size, char **words)
{
	static const uint8 *entries[TOO_MANY];
	static size_t lens[TOO_MANY];
	MirrorQuestion question = {.kind = MIRROR_UPDATE,.items = entries,.lens = lens};
	StringInfoData note = forged_note(ledger, size, words);
	StringInfoData bytes = empty();
	MirrorAnswer answer;

	question.turn = head(&answer) - has(words, "old-turn");
	question.first = has(words, "from-0") ? 0 : Min(answer.size, size);
	question.n = size - question.first - has(words, "missing");
	for (uint64 i = 0; i < question.n; i++)
	{
		const StringInfoData *entry = &ledger->entries[question.first + i];

		entries[i] = (const uint8 *) entry->data;
		lens[i] = (size_t) entry->len;
	}
	if (has(words, "flipped"))
	{
		uint8	   *copy = memcpy(palloc(lens[0]), entries[0], lens[0]);

		copy[lens[0] - 40] ^= 1;
		entries[0] = copy;
	}
	if (has(words, "swapped"))
	{
		const uint8 *first = entries[0];

		entries[0] = entries[1];
		entries[1] = first;
	}
	if (has(words, "too-many"))
		for (question.n = 0; question.n < TOO_MANY; question.n++)
		{
			entries[question.n] = (const uint8 *) "x";
			lens[question.n] = 1;
		}
	question.note = (MirrorBytes) {(const uint8 *) note.data, note.len};
	mirror_question_encode(&bytes, &question);
	if (ask(&bytes, &answer))
		printf("%d %d %s\n", answer.code, (int) answer.size, strtok(answer.text, "\n"));
}

static void
gossip(const StringInfoData *note, const StringInfoData *proof)
{
	MirrorQuestion question = {.kind = MIRROR_GOSSIP};
	const uint8 *notes[1];
	size_t		lens[1];
	MirrorBytes proofs[1];
	StringInfoData bytes = empty();
	MirrorAnswer answer;

	question.items = notes;
	question.lens = lens;
	question.proofs = proofs;
	if (note != NULL)
	{
		notes[question.n] = (const uint8 *) note->data;
		lens[question.n++] = note->len;
	}
	if (proof != NULL)
		proofs[question.nproofs++] = (MirrorBytes) {(const uint8 *) proof->data, proof->len};
	mirror_question_encode(&bytes, &question);
	if (ask(&bytes, &answer))
		printf("%d %d\n", answer.code, (int) answer.size);
}

/* Of a at m and b at n; equal to each other up to 40, so then it proves nothing. */
static void
fork_between(uint64 m, uint64 n, const char *site, const char *cosigner)
{
	StringInfoData a = note_at(&history[0], m, &history[0].key, history[0].secret);
	StringInfoData b = note_at(&history[1], n, &history[1].key, history[1].secret);
	LeafArray	leaves = {(const uint8 (*)[HASH_BYTES]) history[1].leaves, history[1].size};
	TileSource	source = merkle_leaves(&leaves);
	StringInfoData proof = empty();
	const char *reason;

	if (cosigner != NULL)
	{
		cosign(&a, site, cosigner);
		cosign(&b, site, cosigner);
	}
	if (!fork_prove(&proof, a.data, a.len, b.data, b.len, &source, &reason))
		appendStringInfo(&proof, "secmed-fork@v1\n\n%s\n%s", a.data, b.data);
	gossip(NULL, &proof);
}

static void
play(char **words)
{
	StringInfoData bytes = empty();
	MirrorAnswer answer;
	StringInfoData note;
	const Ledger *ledger = &history[(words[0][0] - 'a') % 3];

	if (strcmp(words[0], "head") == 0)
	{
		(void) head(&answer);
		printf("%d %d\n", answer.code, (int) answer.size);
	}
	else if (strcmp(words[0], "bytes") == 0)
	{
		appendStringInfoString(&bytes, "give me your entries");
		(void) ask(&bytes, &answer);
	}
	else if (strcmp(words[0], "gossip") == 0)
	{
		ledger = &history[words[1][0] - 'a'];
		note = note_at(ledger, atoi(words[2]), &ledger->key, ledger->secret);
		gossip(&note, NULL);
	}
	else if (strcmp(words[0], "fork") == 0)
		fork_between(atoi(words[1]), atoi(words[2]), words[3], words[3] ? words[4] : NULL);
	else
		update(ledger, atoi(words[1]), words + 2);
}

int
main(int argc, char **argv)
{
	char		line[LINE_BYTES];
	char		keys[1024];
	const char *reason;

	if (argc != 4)
		die("CONNINFO KEYFILE CARD");
	if (!node_keys_decode(&self, keys, read_file(argv[2], keys, sizeof(keys)), &reason) ||
		!card_from_text(&node, argv[3], &reason))
		die(reason);
	make_histories();
	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char	   *words[8] = {NULL};
		int			n = 0;

		line[strcspn(line, "\n")] = '\0';
		for (char *word = strtok(line, " "); word != NULL && n < 7; word = strtok(NULL, " "))
			words[n++] = pstrdup(word);
		connect_to(argv[1]);
		play(words);
		fflush(stdout);
		PQfinish(conn);
	}
	return 0;
}
