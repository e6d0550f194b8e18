/*
 * recover.c
 *	  secmed.recover_ledger(): the entries that are missing here come back from
 *	  the nodes that hold them.
 *
 * All nodes that can be called are asked what they hold.  The one with the most
 * gives its copy; every entry is checked as a witness would, and the checkpoint
 * at the end must be signed by the key that these entries name.  If this database
 * began a ledger of its own meanwhile, one node's word is not enough: so many as
 * the policy demands must hold the same.
 *
 * All of that is one transaction.  Then the ledger goes on under a new key and an
 * epoch that nobody has used: what the old key may have signed beyond that
 * point, and only lost copies show, convicts nobody.  The countersigning key is
 * exchanged as well, since what it has signed may be forgotten here.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/append.h"
#include "audit/log_key.h"
#include "audit/mark.h"
#include "audit/queue.h"
#include "audit/segment.h"
#include "audit/standing.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/guard.h"
#include "ledger/store_sql.h"
#include "mirror/ask.h"
#include "mirror/cosigner.h"
#include "mirror/own.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(secmed_recover_ledger);

/* What one node holds of this ledger. */
typedef struct Claim
{
	const char *node;
	MirrorAnswer answer;
} Claim;

typedef struct Recovery
{
	MemoryContext context;		/* outlives the transactions */
	const char *site;
	int			nclaims;
	Claim	   *claims;
	const Claim *best;

	uint64		local;			/* entries that are here */
	bool		same_ledger;
	uint64		kept;			/* of them, so many are those of the copy */
	WitnessLog	log;			/* as far as it was checked */
	uint8		(*leaves)[HASH_BYTES];
	uint64		nleaves;
	uint64		leaves_room;
	LeafArray	array;
	uint64		first_new;		/* what is not stored yet begins here */
} Recovery;

static OwnerScope scope;

static void
begin(void)
{
	owner_begin(&scope);
}

static void
commit(void)
{
	owner_end(&scope);
	SPI_commit();
}

/* Asking --------------------------------------------------------------------*/

/* Nodes that do not answer are named, and done without. */
static bool
try_ask(const char *node, const MirrorQuestion *question, MirrorAnswer *answer)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		ask_node(node, question, answer);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		ereport(NOTICE,
				(errmsg("node \"%s\" could not be asked", node),
				 errdetail("%s", error->message)));
		ok = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return ok;
}

static void
ask_all(Recovery *recovery)
{
	MirrorQuestion question = {.kind = MIRROR_HEAD};
	SPITupleTable *rows;
	uint64		n;

	run_spi("SELECT name::text FROM secmed.peer WHERE conninfo IS NOT NULL"
			" AND name <> (SELECT name FROM secmed.node) ORDER BY name", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	rows = SPI_tuptable;
	n = SPI_processed;
	recovery->claims = palloc0((n + 1) * sizeof(Claim));
	for (uint64 i = 0; i < n; i++)
	{
		Claim	   *claim = &recovery->claims[recovery->nclaims];

		claim->node = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		if (!try_ask(claim->node, &question, &claim->answer))
			continue;
		recovery->nclaims++;
		if (claim->answer.text[0] != '\0' &&
			(recovery->best == NULL || claim->answer.size > recovery->best->answer.size))
			recovery->best = claim;
	}
}

/* Is the copy more than what is here, or something else? */
static void
require_loss(Recovery *recovery)
{
	KeyHistory *keys = own_keys();
	Mark		mark;
	Checkpoint	head;
	Origin		origin;
	Note	   *note = palloc(sizeof(Note));
	const char *reason;

	if (recovery->best == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("no node that answers holds entries of this ledger"),
				 errhint("Ask the other nodes' administrators whether their servers run, and know the card of this one.")));
	recovery->site = MemoryContextStrdup(recovery->context, keys->origin.site);
	recovery->same_ledger = checkpoint_from_note(&head, note, recovery->best->answer.text,
												 strlen(recovery->best->answer.text), &reason) &&
		origin_from_text(&origin, head.origin) && origin_same_ledger(&origin, &keys->origin);
	run_spi("SELECT max(seq) + 1 FROM secmed.ledger", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	recovery->local = column_number(0, 1);
	for (int i = 0; i < recovery->nclaims; i++)
		if (recovery->claims[i].answer.text[0] != '\0' &&
			own_problem(keys, recovery->claims[i].answer.text, strlen(recovery->claims[i].answer.text)) != NULL)
			return;
	if (mark_read(&mark, keys->origin.ledger) && mark.size > recovery->local)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the ledger is not behind"),
			 errdetail("It has " UINT64_FORMAT " entries, and no node that has answered holds more or others.",
					   recovery->local)));
}

/* Checking ------------------------------------------------------------------*/

static void pg_attribute_noreturn()
copy_is_bad(const Recovery *recovery, uint64 seq)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the copy of this ledger at node \"%s\" is not whole", recovery->best->node),
			 errdetail("Entry " UINT64_FORMAT " does not follow from those before it.", seq),
			 errhint("Take this node away with secmed.remove_peer(), and recover from another.")));
}

static void
forget_leaf(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
}

static void
check_entry(Recovery *recovery, const void *bytes, size_t len)
{
	uint64		seq = recovery->log.chain.next_seq;

	if (!witness_resume(&recovery->log, bytes, len))
		copy_is_bad(recovery, seq);
	if (recovery->nleaves == recovery->leaves_room)
	{
		recovery->leaves_room = Max(recovery->leaves_room * 2, 4096);
		recovery->leaves = recovery->leaves == NULL ?
			MemoryContextAllocHuge(recovery->context, recovery->leaves_room * HASH_BYTES) :
			repalloc_huge(recovery->leaves, recovery->leaves_room * HASH_BYTES);
	}
	memcpy(recovery->leaves[recovery->nleaves++], recovery->log.chain.head, HASH_BYTES);
}

/* Does this entry of the copy follow on the last one that is here? */
static bool
links_to_local(const Recovery *recovery, const uint8 *bytes, size_t len)
{
	const uint8 **entries;
	size_t	   *lens;
	LedgerEntry entry;
	uint8		hash[HASH_BYTES];
	const char *reason;

	if (!own_entries(recovery->local - 1, recovery->local, &entries, &lens) ||
		!entry_decode(&entry, bytes, len, &reason))
		return false;
	entry_hash(hash, entries[0], lens[0]);
	return memcmp(entry.prev, hash, HASH_BYTES) == 0;
}

/* Writing -------------------------------------------------------------------*/

static void
put_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAOID};
	Datum		values[] = {Int32GetDatum(level), Int64GetDatum((int64) number),
	bytes_datum(hashes, (size_t) width * HASH_BYTES)};

	run_spi("INSERT INTO secmed.ledger_tile (level, idx, hashes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 3, types, values, NULL);
}

static void
put_entry(uint64 seq, const uint8 *bytes, size_t len)
{
	Oid			types[] = {INT8OID, BYTEAOID};
	Datum		values[] = {Int64GetDatum((int64) seq), bytes_datum(bytes, len)};

	run_spi("INSERT INTO secmed.ledger (seq, entry) VALUES ($1, $2)", SPI_OK_INSERT, 2, types, values, NULL);
}

/* From this one on the entries here are others: they leave the chain. */
static void
set_aside(uint64 from)
{
	static const char *const commands[] = {
		"INSERT INTO secmed.ledger_aside (seq, entry, salt, payload)"
		" SELECT l.seq, l.entry, p.salt, p.payload FROM secmed.ledger l"
		" LEFT JOIN secmed.ledger_payload p ON p.seq = l.seq WHERE l.seq >= $1",
		"DELETE FROM secmed.ledger_payload WHERE seq >= $1",
		"DELETE FROM secmed.ledger WHERE seq >= $1",
		"DELETE FROM secmed.ledger_tile WHERE ((idx + 1) << (8 * (level + 1))) > $1",
		"DELETE FROM secmed.ledger_checkpoint WHERE size > $1",
		"DELETE FROM secmed.ledger_certified WHERE size > $1",
	};
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) from)};

	for (int i = 0; i < lengthof(commands); i++)
		run_spi(commands[i], i == 0 ? SPI_OK_INSERT : SPI_OK_DELETE, 1, types, values, NULL);
}

/* The entries that are here, as far as they stay. */
static void
check_local(Recovery *recovery, uint64 end)
{
	while (recovery->log.chain.next_seq < end)
	{
		MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "secmed recovery", ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(batch);
		uint64		first = recovery->log.chain.next_seq;
		uint64		last = Min(first + 1000, end);
		const uint8 **entries;
		size_t	   *lens;

		CHECK_FOR_INTERRUPTS();
		if (!own_entries(first, last, &entries, &lens))
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_LEDGER),
					 errmsg("an entry of the ledger is missing"),
					 errdetail("It is one of " UINT64_FORMAT " to " UINT64_FORMAT ".", first, last - 1)));
		for (uint64 i = 0; i < last - first; i++)
			check_entry(recovery, entries[i], lens[i]);
		SPI_freetuptable(SPI_tuptable);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(batch);
	}
}

/* One entry of the copy: it is here already, or replaces what is, or is new. */
static void
take_entry(Recovery *recovery, const uint8 *bytes, size_t len)
{
	uint64		seq = recovery->log.chain.next_seq;
	const uint8 **entries;
	size_t	   *lens;

	check_entry(recovery, bytes, len);
	if (seq < recovery->local && recovery->kept == seq)
	{
		if (!own_entries(seq, seq + 1, &entries, &lens) || lens[0] != len || memcmp(entries[0], bytes, len) != 0)
			set_aside(seq);
		else
		{
			recovery->kept++;
			return;
		}
		recovery->local = seq;
	}
	segment_require(seq, seq);
	put_entry(seq, bytes, len);
}

static void
pull(Recovery *recovery)
{
	while (recovery->log.chain.next_seq < recovery->best->answer.size)
	{
		MirrorQuestion question = {.kind = MIRROR_PULL,.first = recovery->log.chain.next_seq};
		MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "secmed recovery", ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(batch);
		MirrorAnswer answer;

		ask_node(recovery->best->node, &question, &answer);
		if (answer.n == 0)
			copy_is_bad(recovery, question.first);
		for (uint64 i = 0; i < answer.n && recovery->log.chain.next_seq < recovery->best->answer.size; i++)
			take_entry(recovery, answer.items[i], answer.lens[i]);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(batch);
	}
}

/* Is the copy a continuation of what is here? */
static bool
continues(Recovery *recovery)
{
	MirrorQuestion question = {.kind = MIRROR_PULL,.first = recovery->local};
	MirrorAnswer answer;

	if (!recovery->same_ledger || recovery->local == 0 || recovery->best->answer.size <= recovery->local)
		return false;
	ask_node(recovery->best->node, &question, &answer);
	return answer.n > 0 && links_to_local(recovery, answer.items[0], answer.lens[0]);
}

/* The checkpoint at the end, and how many hold the same. */
static void
check_claims(Recovery *recovery)
{
	Policy	   *policy;
	Checkpoint	head;
	const char *reason;
	int			same = 0;

	recovery->array = (LeafArray) {(const uint8 (*)[HASH_BYTES]) recovery->leaves, recovery->nleaves};
	recovery->log.held = merkle_leaves(&recovery->array);
	if (witness_compare(&recovery->log, recovery->best->answer.text, strlen(recovery->best->answer.text),
						&head, &reason) != WITNESS_SIGNS || head.size != recovery->log.chain.next_seq)
		copy_is_bad(recovery, recovery->log.chain.next_seq - 1);
	for (int i = 0; i < recovery->nclaims; i++)
	{
		const char *note = recovery->claims[i].answer.text;

		same += note[0] != '\0' &&
			witness_compare(&recovery->log, note, strlen(note), &head, &reason) == WITNESS_SIGNS;
	}
	if (recovery->same_ledger)
		return;					/* its own key has signed what is recovered */
	policy = own_policy(&recovery->log.keys, PG_UINT64_MAX);
	if (policy == NULL || same < policy->names[policy->quorum].need)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("too few nodes hold the same copy of this ledger"),
				 errdetail("%d do; of a ledger that was lost with its database so many as its policy demands must.", same)));
}

/* A policy file, under its hash: an entry will name it, or nothing will. */
static void
put_policy(const uint8 *bytes, size_t len)
{
	Oid			types[] = {BYTEAOID, BYTEAOID};
	uint8		hash[HASH_BYTES];
	Datum		values[2];

	hash_bytes(hash, bytes, len);
	values[0] = bytes_datum(hash, HASH_BYTES);
	values[1] = bytes_datum(bytes, len);
	run_spi("INSERT INTO secmed.ledger_policy (hash, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 2, types, values, NULL);
}

/* A checkpoint that ends with a key or policy; the one with the most signatures stays. */
static void
put_handover(const Recovery *recovery, const uint8 *bytes, size_t len)
{
	Oid			types[] = {INT8OID, BYTEAOID};
	Datum		values[2];
	Checkpoint	head;
	const char *reason;

	if (witness_compare(&recovery->log, bytes, len, &head, &reason) != WITNESS_SIGNS)
		return;
	values[0] = Int64GetDatum((int64) head.size);
	values[1] = bytes_datum(bytes, len);
	run_spi("INSERT INTO secmed.ledger_checkpoint AS k (size, note) VALUES ($1, $2) ON CONFLICT (size)"
			" DO UPDATE SET note = EXCLUDED.note WHERE length(k.note) < length(EXCLUDED.note)",
			SPI_OK_INSERT, 2, types, values, NULL);
}

/* What nodes have sent with their heads; before the entries only policies, after them the rest. */
static void
put_files(const Recovery *recovery, bool policies)
{
	Policy	   *policy = palloc(sizeof(Policy));
	const char *reason;

	for (int i = 0; i < recovery->nclaims; i++)
	{
		const MirrorAnswer *answer = &recovery->claims[i].answer;

		for (uint64 k = 0; k < answer->n; k++)
		{
			bool		is_policy = policy_parse(policy, answer->items[k], answer->lens[k], &reason);

			if (is_policy && policies)
				put_policy(answer->items[k], answer->lens[k]);
			if (!is_policy && !policies)
				put_handover(recovery, answer->items[k], answer->lens[k]);
		}
	}
}

static void
put_checkpoint(const Recovery *recovery)
{
	Oid			types[] = {INT8OID, BYTEAOID};
	Datum		values[] = {Int64GetDatum((int64) recovery->best->answer.size),
	bytes_datum(recovery->best->answer.text, strlen(recovery->best->answer.text))};

	run_spi("INSERT INTO secmed.ledger_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 2, types, values, NULL);
}

static void
mark_recovered(const Recovery *recovery)
{
	Mark		mark = {.size = recovery->log.chain.next_seq};

	tiles_root(mark.root, &recovery->log.tiles);
	mark_write(&mark, recovery->log.keys.origin.ledger);
}

static void
recover(Recovery *recovery)
{
	run_spi("LOCK TABLE secmed.ledger IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	put_files(recovery, true);
	witness_start(&recovery->log, recovery->site);
	if (continues(recovery))
	{
		recovery->kept = recovery->local;
		recovery->log.tiles.take = forget_leaf;
		check_local(recovery, recovery->local);
	}
	recovery->log.tiles.take = put_tile;
	pull(recovery);
	if (recovery->local > recovery->log.chain.next_seq)
		set_aside(recovery->log.chain.next_seq);
	check_claims(recovery);
	put_checkpoint(recovery);
	put_files(recovery, false);
}

/* Going on ------------------------------------------------------------------*/

static void
same_witnesses(const NoteKey *key, uint8 hash[HASH_BYTES], void *arg)
{
	const Recovery *recovery = arg;
	Policy	   *policy = own_policy(&recovery->log.keys, PG_UINT64_MAX);
	const char *names[POLICY_WITNESSES_MAX];
	int			n = 0;
	char	   *text;
	Oid			types[] = {BYTEAOID, BYTEAOID};
	Datum		values[2];

	if (policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the policy of the ledger is not here"),
				 errdetail("No node that has answered has sent it.")));
	for (int i = 0; i < policy->nnames; i++)
		if (policy->names[i].witness >= 0)
			names[n++] = policy->names[i].name;
	text = policy_of_witnesses(key, names, policy->witnesses, n, policy->names[policy->quorum].need, hash);
	values[0] = bytes_datum(hash, HASH_BYTES);
	values[1] = bytes_datum(text, strlen(text));
	run_spi("INSERT INTO secmed.ledger_policy (hash, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 2, types, values, NULL);
}

static void
append_new_key(Recovery *recovery, KeyFile file)
{
	KeyHistory *keys;
	LedgerEntry entry;
	MemoryContext old;

	begin();
	keys = own_keys();
	if (file == KEY_FILE_LOG || keys->nwitnesses > 0)
	{
		old = MemoryContextSwitchTo(recovery->context);
		ledger_key_change(&entry, keys, file, "recovered", recovery->site, same_witnesses, recovery);
		MemoryContextSwitchTo(old);
		commit();
		append_key_entry(&entry);
	}
	else
		commit();
}

Datum
secmed_recover_ledger(PG_FUNCTION_ARGS)
{
	Recovery   *recovery = palloc0(sizeof(Recovery));

	PreventCommandIfReadOnly("secmed.recover_ledger()");
	recovery->context = CurrentMemoryContext;
	connect_nonatomic(fcinfo, "recover_ledger");
	begin();
	MemoryContextSwitchTo(recovery->context);
	ask_all(recovery);
	require_loss(recovery);

	standing_set(MyDatabaseId, STANDING_BEHIND, "The ledger is being recovered.");
	sequencer_stop(MyDatabaseId);
	PG_TRY();
	{
		guard_is_sequencer = guard_is_recovery = true;
		recover(recovery);
	}
	PG_FINALLY();
	{
		guard_is_sequencer = guard_is_recovery = false;
	}
	PG_END_TRY();
	mark_recovered(recovery);
	commit();

	standing_set(MyDatabaseId, STANDING_GOOD, NULL);
	append_new_key(recovery, KEY_FILE_LOG);
	append_new_key(recovery, KEY_FILE_COSIGNER);
	SPI_finish();
	mirror_wake(MyDatabaseId);
	ereport(NOTICE,
			(errmsg("the ledger is recovered up to entry " UINT64_FORMAT, recovery->log.chain.next_seq - 1),
			 errdetail("They came from node \"%s\". Entries that were here in their place are in secmed.ledger_aside.",
					   recovery->best->node)));
	PG_RETURN_VOID();
}
