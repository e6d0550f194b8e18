/*
 * test_proof.c
 *	  Proof files of entries and of forks: made, read, changed, cut.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledgers.h"

static Ledger a;
static Ledger b;				/* the same up to 40, then another history */
static int	witnesses_of_a = 2;

static TileSource
leaves_of(const Ledger *ledger)
{
	LeafArray  *array = palloc(sizeof(LeafArray));

	array->hashes = (const uint8 (*)[HASH_BYTES]) ledger->leaves;
	array->n = ledger->size;
	return merkle_leaves(array);
}

static void
grow(Ledger *ledger, uint64 size, EntryKind kind)
{
	while (ledger->size < size)
		ledger_append(ledger, plain_entry(kind));
}

static void
test_entry_proof(void)
{
	TileSource	source = leaves_of(&a);
	MerkleProof path;
	ProofFile	proof;
	StringInfoData out;
	const char *reason;
	Note		note;
	Checkpoint	head;
	int			bad = 0;

	ledger_note(&a, &a.key, a.secret, peers_of_lmu, 2);
	if (!merkle_inclusion(&path, &source, 33, a.size))
		abort();
	initStringInfo(&out);
	proof_write(&out, a.entries[33].data, a.entries[33].len, 33, &path, a.last_note.data);
	check(proof_parse(&proof, out.data, out.len, &reason) && proof.index == 33 &&
		  proof.entry.len == a.entries[33].len && proof.path.n == path.n &&
		  memcmp(proof.entry.data, a.entries[33].data, proof.entry.len) == 0 &&
		  checkpoint_from_note(&head, &note, proof.note, proof.note_len, &reason) &&
		  merkle_included(&proof.path, a.leaves[33], 33, head.size, head.root),
		  "a proof of an entry is read, and leads to the root");

	for (int i = 0; i < out.len; i++)
	{
		uint64		time;
		uint8		leaf[HASH_BYTES];
		NoteKey		witness;
		uint8		secret[SIGN_SECRET_BYTES];

		cosigner_of(&witness, secret, "gemelli");
		out.data[i] ^= 1 << (i % 7);
		if (proof_parse(&proof, out.data, out.len, &reason) &&
			checkpoint_from_note(&head, &note, proof.note, proof.note_len, &reason) &&
			note_check(&note, &a.key, &time) == NOTE_SIGNED &&
			note_check(&note, &witness, &time) == NOTE_SIGNED)
		{
			entry_hash(leaf, proof.entry.data, proof.entry.len);
			if (merkle_included(&proof.path, leaf, proof.index, head.size, head.root))
			{
				cosigner_of(&witness, secret, "charite");
				bad += note_check(&note, &witness, &time) == NOTE_SIGNED;
			}
		}
		out.data[i] ^= 1 << (i % 7);
	}
	check(bad == 0, "no changed proof of an entry is good");
	for (int len = 0; len < out.len; len++)
	{
		char	   *copy = malloc(len + 1);

		memcpy(copy, out.data, len);
		bad += proof_parse(&proof, copy, len, &reason) &&
			checkpoint_from_note(&head, &note, proof.note, proof.note_len, &reason) && note.nsignatures == 3;
		free(copy);
	}
	check(bad == 0, "no proof that was cut is read");
}

/* Two notes of these sizes, one of each history. */
static bool
prove(StringInfo out, uint64 a_size, uint64 b_size, bool swapped, const char **reason)
{
	static Ledger x;
	static Ledger y;
	TileSource	source_a = leaves_of(&a);
	TileSource	source_b = leaves_of(&b);

	x = a;
	y = b;
	x.size = a_size;
	y.size = b_size;
	initStringInfo(&x.last_note);
	initStringInfo(&y.last_note);
	if (!frontier_load(&x.frontier, &source_a, a_size) || !frontier_load(&y.frontier, &source_b, b_size))
		abort();
	ledger_note(&x, &a.key, a.secret, peers_of_lmu, witnesses_of_a);
	ledger_note(&y, &a.key, a.secret, peers_of_lmu, 1);
	initStringInfo(out);
	return fork_prove(out, swapped ? y.last_note.data : x.last_note.data, swapped ? y.last_note.len : x.last_note.len,
					  swapped ? x.last_note.data : y.last_note.data, swapped ? x.last_note.len : y.last_note.len,
					  a_size >= b_size ? &source_a : &source_b, reason);
}

static void
test_forks(void)
{
	ForkProof  *proof = palloc(sizeof(ForkProof));
	StringInfoData out;
	const char *reason;
	NoteKey		both;
	NoteKey		once;
	uint8		secret[SIGN_SECRET_BYTES];
	int			bad = 0;
	int			made = 0;

	cosigner_of(&both, secret, "charite");
	cosigner_of(&once, secret, "gemelli");
	for (uint64 m = 1; m <= a.size; m += 3)
		for (uint64 n = 1; n <= b.size; n += 2)
		{
			bool		conflict = Min(m, n) > 40;

			if (prove(&out, m, n, (m + n) % 2, &reason) != conflict)
				bad++;
			if (!conflict || bad > 0)
				continue;
			made++;
			bad += !fork_parse(proof, out.data, out.len, &reason) || !fork_convicts(proof, &a.key) ||
				!fork_convicts(proof, &both) || fork_convicts(proof, &once);
			pfree(out.data);
		}
	check(bad == 0 && made > 100, "%d forks are proven, and convict the log and one witness; no others are", made);

	/* Now without the signature that nobody asks about. */
	witnesses_of_a = 1;
	if (!prove(&out, 64, 57, false, &reason))
		abort();
	for (int i = 0; i < out.len; i++)
	{
		out.data[i] ^= 1 << (i % 7);
		bad += fork_parse(proof, out.data, out.len, &reason) && fork_convicts(proof, &a.key) && fork_convicts(proof, &both);
		out.data[i] ^= 1 << (i % 7);
	}
	check(bad == 0, "no changed fork proof convicts both");
	for (int len = 0; len < out.len; len++)
	{
		char	   *copy = malloc(len + 1);

		memcpy(copy, out.data, len);
		bad += fork_parse(proof, copy, len, &reason) && fork_convicts(proof, &a.key) && fork_convicts(proof, &both);
		free(copy);
	}
	check(bad == 0, "no fork proof that was cut convicts both");
	appendStringInfoChar(&out, '\n');
	check(!fork_parse(proof, out.data, out.len, &reason), "nothing follows a fork proof");
}

int
main(void)
{
	ledger_start(&a, "charite", "00112233-4455-6677-8899-aabbccddeeff");
	ledger_append(&a, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(&a, "first", 1, "all", peers_of_lmu, 2);
	grow(&a, 40, ENTRY_REQUEST);
	b = a;
	grow(&a, 70, ENTRY_REQUEST);
	grow(&b, 70, ENTRY_OUTCOME);
	test_entry_proof();
	test_forks();
	memory_reset();
	return unit_done();
}
