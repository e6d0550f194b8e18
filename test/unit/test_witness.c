/*
 * test_witness.c
 *	  What a witness countersigns and what it refuses; how many must agree; and
 *	  what nodes say to each other about it.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledger/mirror.h"
#include "ledgers.h"

static Ledger a;
static Ledger b;				/* the same up to 40, then another history */
static WitnessLog held;			/* what the witness has */

static void
grow(Ledger *ledger, uint64 size, EntryKind kind)
{
	while (ledger->size < size)
		ledger_append(ledger, plain_entry(kind));
}

static void
note_of(Ledger *ledger)
{
	ledger_note(ledger, &ledger->key, ledger->secret, NULL, 0);
}

/* The held leaves are the first of this ledger. */
static TileSource
leaves_of(const Ledger *ledger)
{
	LeafArray  *array = palloc(sizeof(LeafArray));

	array->hashes = (const uint8 (*)[HASH_BYTES]) ledger->leaves;
	array->n = ledger->size;
	return merkle_leaves(array);
}

/* Gives the witness n entries of a ledger and a note; what is held is kept only if it signs. */
static WitnessVerdict
give(const Ledger *ledger, const StringInfoData *note, uint64 first, uint64 n)
{
	const uint8 *entries[ENTRIES_MAX];
	size_t		lens[ENTRIES_MAX];
	WitnessUpdate update = {note->data, (size_t) note->len, first, n, entries, lens};
	WitnessLog *next = palloc(sizeof(WitnessLog));
	Checkpoint	head;
	const char *reason = NULL;
	WitnessVerdict verdict;

	for (uint64 i = 0; i < n; i++)
	{
		entries[i] = (const uint8 *) ledger->entries[first + i].data;
		lens[i] = (size_t) ledger->entries[first + i].len;
	}
	*next = held;
	verdict = witness_take(next, &update, &head, &reason);
	if (verdict == WITNESS_SIGNS)
		held = *next;
	else if (reason == NULL)
		abort();
	pfree(next);
	return verdict;
}

/* Everything up to the ledger's last note. */
static WitnessVerdict
follow(const Ledger *ledger)
{
	return give(ledger, &ledger->last_note, held.chain.next_seq, ledger->size - held.chain.next_seq);
}

static void
begin(void)
{
	ledger_start(&a, "lmu", "ffeeddcc-bbaa-9988-7766-554433221100");
	ledger_append(&a, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(&a, "first", 1, "all", peers_of_lmu, 2);
	grow(&a, 40, ENTRY_REQUEST);
	b = a;
	initStringInfo(&b.notes);
	initStringInfo(&b.last_note);
	witness_start(&held, "lmu");
}

static void
test_following(void)
{
	note_of(&a);
	check(follow(&a) == WITNESS_SIGNS && held.chain.next_seq == 40 && held.tiles.size == 40,
		  "a first checkpoint with all its entries is signed");
	held.held = leaves_of(&a);
	check(give(&a, &a.last_note, 40, 0) == WITNESS_SIGNS, "and again, with none");
	check(give(&a, &a.last_note, 0, 40) == WITNESS_HOLDS_OTHER, "not with entries that are held");
	grow(&a, 300, ENTRY_OUTCOME);
	note_of(&a);
	check(give(&a, &a.last_note, 41, 259) == WITNESS_HOLDS_OTHER, "not with a gap before them");
	check(give(&a, &a.last_note, 39, 261) == WITNESS_HOLDS_OTHER, "not from before");
	check(give(&a, &a.last_note, 40, 259) == WITNESS_REFUSES, "not with one missing");
	check(follow(&a) == WITNESS_SIGNS && held.others == 300, "one that extends it is signed");
}

/* Each bit of the bytes that were not seen before is looked at. */
static void
test_tampering(void)
{
	int			bad = 0;

	grow(&a, 310, ENTRY_OUTCOME);
	note_of(&a);
	for (int i = 0; i < a.entries[305].len; i++)
	{
		a.entries[305].data[i] ^= 1;
		bad += follow(&a) != WITNESS_INCONSISTENT;
		a.entries[305].data[i] ^= 1;
	}
	check(bad == 0, "no changed entry is signed");
	for (int i = 0; i < a.last_note.len; i++)
	{
		a.last_note.data[i] ^= 1;
		bad += follow(&a) == WITNESS_SIGNS;
		a.last_note.data[i] ^= 1;
	}
	check(bad == 0, "no changed note is signed");
	for (int i = 0; i < a.last_note.len; i++)
	{
		StringInfoData cut = a.last_note;

		cut.len = i;
		bad += give(&a, &cut, 300, 10) == WITNESS_SIGNS;
	}
	check(bad == 0, "no cut note is signed");
	check(follow(&a) == WITNESS_SIGNS, "the one that was not changed is");
	held.held = leaves_of(&a);
}

static void
test_strangers(void)
{
	Ledger	   *other = palloc(sizeof(Ledger));
	NoteKey		key;
	uint8		secret[SIGN_SECRET_BYTES];

	ledger_start(other, "lmu", "00000000-bbaa-9988-7766-554433221100");
	ledger_append(other, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(other, "first", 1, "all", peers_of_lmu, 2);
	grow(other, 400, ENTRY_REQUEST);
	note_of(other);
	check(follow(other) == WITNESS_REFUSES, "another ledger of the same node is refused");
	ledger_start(other, "gemelli", "ffeeddcc-bbaa-9988-7766-554433221100");
	ledger_append(other, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(other, "first", 1, "all", peers_of_lmu, 2);
	grow(other, 400, ENTRY_REQUEST);
	note_of(other);
	check(follow(other) == WITNESS_REFUSES, "that of another node is refused");

	grow(&a, 320, ENTRY_OUTCOME);
	key_of(&key, secret, a.key.name, NOTE_LOG, "somebody");
	ledger_note(&a, &key, secret, NULL, 0);
	check(follow(&a) == WITNESS_REFUSES, "one that another key has signed is refused");
	note_of(&a);
	held.epoch_min = 2;
	check(follow(&a) == WITNESS_REFUSES, "one of an epoch that was ended is refused");
	held.epoch_min = 0;
	check(follow(&a) == WITNESS_SIGNS, "and without that it is signed");
	held.held = leaves_of(&a);
}

static void
test_forks(void)
{
	Checkpoint	head;
	const char *reason;
	StringInfoData out;
	static ForkProof proof;

	grow(&b, 320, ENTRY_DECISION);
	note_of(&b);
	check(give(&b, &b.last_note, 320, 0) == WITNESS_FORKED, "two histories of one size are a fork");
	check(witness_compare(&held, b.last_note.data, b.last_note.len, &head, &reason) == WITNESS_FORKED &&
		  head.size == 320, "also when somebody else has seen the other");
	initStringInfo(&out);
	check(fork_prove(&out, b.last_note.data, b.last_note.len, a.last_note.data, a.last_note.len,
					 &held.held, &reason) &&
		  fork_parse(&proof, out.data, out.len, &reason) && fork_convicts(&proof, &a.key),
		  "and the proof convicts the log");
	grow(&b, 330, ENTRY_DECISION);
	note_of(&b);
	check(give(&b, &b.last_note, 320, 10) == WITNESS_INCONSISTENT,
		  "more entries, of another history, are inconsistent");
	check(witness_compare(&held, b.last_note.data, b.last_note.len, &head, &reason) == WITNESS_HOLDS_OTHER,
		  "of more entries than are held nothing can be said");
	b.size = 200;
	frontier_start(&b.frontier);
	for (int i = 0; i < 200; i++)
		frontier_append(&b.frontier, b.leaves[i]);
	note_of(&b);
	check(give(&b, &b.last_note, 200, 0) == WITNESS_FORKED, "an earlier size of another history is a fork");
	check(witness_compare(&held, a.last_note.data, a.last_note.len, &head, &reason) == WITNESS_SIGNS,
		  "its own history is none");
	b.last_note.data[b.last_note.len - 5] ^= 1;
	check(give(&b, &b.last_note, 200, 0) == WITNESS_REFUSES, "what the log has not signed accuses it of nothing");
}

static void
test_keys(void)
{
	NoteKey		old = a.key;
	uint8		old_secret[SIGN_SECRET_BYTES];

	memcpy(old_secret, a.secret, sizeof(old_secret));
	ledger_key(&a, "rotated", 2, "2", peers_of_lmu, 2);
	note_of(&a);
	check(follow(&a) == WITNESS_REFUSES, "the checkpoint that ends with the new key is the old one's");
	ledger_note(&a, &old, old_secret, NULL, 0);
	check(follow(&a) == WITNESS_SIGNS, "and when that has signed it is countersigned");
	held.held = leaves_of(&a);
	grow(&a, 330, ENTRY_OUTCOME);
	ledger_note(&a, &old, old_secret, NULL, 0);
	check(follow(&a) != WITNESS_SIGNS, "after that the old key has no say");
	note_of(&a);
	check(follow(&a) == WITNESS_SIGNS, "but the new one has");
	held.held = leaves_of(&a);
	ledger_key(&a, "recovered", 5, "2", peers_of_lmu, 2);
	note_of(&a);
	check(follow(&a) == WITNESS_SIGNS, "a recovered key signs at once");
	held.held = leaves_of(&a);
}

static void
test_resume(void)
{
	WitnessLog *again = palloc(sizeof(WitnessLog));
	bool		good = true;

	witness_start(again, "lmu");
	for (uint64 i = 0; i < held.chain.next_seq; i++)
		good = good && witness_resume(again, a.entries[i].data, a.entries[i].len);
	check(good && again->chain.next_seq == held.chain.next_seq && again->keys.nlogs == held.keys.nlogs &&
		  memcmp(again->chain.head, held.chain.head, HASH_BYTES) == 0, "what is held is read again");
	check(!witness_resume(again, a.entries[0].data, a.entries[0].len), "in its order only");
}

/* The table of docs/spec/ledger.md. */
static void
test_quorums(void)
{
	static const int table[][4] = {{2, 0, 2, 1}, {3, 0, 2, 2}, {4, 1, 3, 3}, {5, 1, 4, 3}, {7, 2, 5, 5}, {10, 3, 7, 7}};
	int			bad = 0;

	for (int i = 0; i < lengthof(table); i++)
		check(quorum_faulty(table[i][0]) == table[i][1] && quorum_needed(table[i][0]) == table[i][2] &&
			  quorum_answers(table[i][0], table[i][2]) == table[i][3],
			  "of %d sites %d may be faulty, %d must sign, and %d others answer after a loss",
			  table[i][0], table[i][1], table[i][2], table[i][3]);
	for (int n = 1; n <= 64; n++)
	{
		int			f = quorum_faulty(n);
		int			q = quorum_needed(n);

		bad += n < 3 * f + 1 || n >= 3 * (f + 1) + 1 || 2 * q - n < f + 1 || 2 * (q - 1) - n >= f + 1;
	}
	check(bad == 0, "two quorums share more sites than may be faulty, and no smaller ones do");
}

static void
test_policy(void)
{
	static const char *const names[] = {"charite", "gemelli", "mayo"};
	static Policy policy;
	NoteKey		keys[3];
	uint8		secret[SIGN_SECRET_BYTES];
	uint8		hash[HASH_BYTES];
	const char *reason;
	char	   *text;

	for (int i = 0; i < 3; i++)
		cosigner_of(&keys[i], secret, names[i]);
	text = policy_of_witnesses(&a.key, names, keys, 3, 2, hash);
	check(policy_parse(&policy, text, strlen(text), &reason) && policy.nwitnesses == 3 &&
		  policy.names[policy.quorum].need == 2, "a policy of witnesses is one that readers accept");
	text = policy_of_witnesses(&a.key, names, keys, 0, 0, hash);
	check(policy_parse(&policy, text, strlen(text), &reason) && policy.quorum == -1, "and one of none");
}

/* Messages ------------------------------------------------------------------*/

static void
test_messages(void)
{
	static const uint8 *items[] = {(const uint8 *) "one", (const uint8 *) "twelve"};
	static size_t lens[] = {3, 6};
	MirrorBytes proof = {(const uint8 *) "proof", 5};
	MirrorQuestion questions[] = {
		{.kind = MIRROR_KEY},
		{.kind = MIRROR_HEAD},
		{.kind = MIRROR_UPDATE,.turn = 70000,.note = {(const uint8 *) "note", 4},.first = 7,.n = 2,.items = items,.lens = lens},
		{.kind = MIRROR_UPDATE,.note = {(const uint8 *) "note", 4},.certified = {(const uint8 *) "c", 1},.policy = {(const uint8 *) "p", 1}},
		{.kind = MIRROR_PULL,.first = 99},
		{.kind = MIRROR_GOSSIP,.n = 2,.items = items,.lens = lens,.nproofs = 1,.proofs = &proof},
	};
	MirrorAnswer answer = {.code = 409,.size = 17,.text = "because",.n = 2,.items = items,.lens = lens};
	MirrorAnswer answer_read;
	StringInfoData out;
	const char *reason;
	int			bad = 0;

	for (int i = 0; i < lengthof(questions); i++)
	{
		MirrorQuestion read;
		StringInfoData again;

		initStringInfo(&out);
		initStringInfo(&again);
		mirror_question_encode(&out, &questions[i]);
		bad += !mirror_question_decode(&read, out.data, out.len, &reason);
		mirror_question_encode(&again, &read);
		bad += again.len != out.len || memcmp(again.data, out.data, out.len) != 0;
		for (int len = 0; len < out.len; len++)
			bad += mirror_question_decode(&read, out.data, len, &reason);
	}
	check(bad == 0, "every question is read as it was written, and no part of one");
	initStringInfo(&out);
	mirror_answer_encode(&out, &answer);
	check(mirror_answer_decode(&answer_read, out.data, out.len, &reason) && answer_read.code == 409 &&
		  answer_read.size == 17 && strcmp(answer_read.text, "because") == 0 && answer_read.n == 2 &&
		  memcmp(answer_read.items[1], "twelve", 6) == 0, "so is an answer");
	for (int len = 0; len < out.len; len++)
		bad += mirror_answer_decode(&answer_read, out.data, len, &reason);
	check(bad == 0, "and no part of one");
}

int
main(void)
{
	begin();
	test_following();
	test_tampering();
	test_strangers();
	test_forks();
	test_keys();
	test_resume();
	test_quorums();
	test_policy();
	test_messages();
	memory_reset();
	return unit_done();
}
