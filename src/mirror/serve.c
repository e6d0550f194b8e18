/*
 * serve.c
 *	  CALL secmed.mirror: another node asks this one about its ledger.
 *
 * The order that all depends on: what came is checked (ledger/witness.c) and
 * stored, the transaction commits with a flush, and only then is it
 * countersigned.  A crash before that leaves entries that are held and not
 * signed, and the node asks again.  The row of secmed.mirror is locked, so two
 * calls of one node come one after the other.
 */
#include "base/base.h"

#include "audit/append.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/mirror.h"
#include "ledger/tlog_policy.h"
#include "mirror/cosigner.h"
#include "mirror/forks.h"
#include "mirror/held.h"
#include "peer/connection.h"
#include "peer/served.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_mirror);

/* Of one answer with entries; one more may go over it. */
#define PULL_BYTES_MAX	(4 * 1024 * 1024)

typedef struct Caller
{
	char		site[NODE_NAME_BYTES_MAX + 1];
	MirrorQuestion question;
	MirrorAnswer answer;
	MemoryContext context;		/* of the answer; outlives transactions */
} Caller;

/* Transactions --------------------------------------------------------------*/

static OwnerScope scope;

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

static void
begin(void)
{
	owner_begin(&scope);
	set_local("synchronous_commit", "on");
	set_local("enable_seqscan", "off");	/* plans are kept while tables grow */
	set_local("jit", "off");	/* which that would set to work */
}

static void
commit(void)
{
	owner_end(&scope);
	SPI_commit();
}

static void
answer(Caller *caller, int code, uint64 size, const char *text)
{
	caller->answer.code = code;
	caller->answer.size = size;
	caller->answer.text = MemoryContextStrdup(caller->context, text);
}

/* update --------------------------------------------------------------------*/

/* What a quorum has countersigned of the caller's ledger, if it says so and that is true. */
static void
take_certified(Held *held, const WitnessLog *log, const MirrorQuestion *question)
{
	Policy	   *policy = palloc(sizeof(Policy));
	Note	   *note = palloc(sizeof(Note));
	PolicySigned found;
	Checkpoint	head;
	const KeySpan *span;
	const char *reason;
	uint8		hash[HASH_BYTES];

	if (question->certified.len == 0 ||
		!checkpoint_from_note(&head, note, question->certified.bytes, question->certified.len, &reason) ||
		head.size <= held->certified_size)
		return;
	span = history_log(&log->keys, head.size);
	hash_bytes(hash, question->policy.bytes, question->policy.len);
	if (span == NULL || memcmp(hash, span->policy, HASH_BYTES) != 0 ||
		!policy_parse(policy, question->policy.bytes, question->policy.len, &reason) ||
		!policy_check(policy, note, span->key.name, &found, &reason))
		return;
	switch (witness_compare(log, question->certified.bytes, question->certified.len, &head, &reason))
	{
		case WITNESS_SIGNS:
			held_store_certified(held, &head, question->certified.bytes, question->certified.len,
								 question->policy.bytes, question->policy.len);
			if (history_hands_over(&log->keys, head.size))
				held_store_handover(held, head.size, question->certified.bytes, question->certified.len, true);
			break;
		case WITNESS_FORKED:
			(void) forks_prove(held, log, question->certified.bytes, question->certified.len, held->site);
			break;
		default:
			break;
	}
}

/* Countersigns what was stored; in the next transaction. */
static void
sign(Caller *caller, const Cosigner *cosigner, const Checkpoint *head, uint64 time_s)
{
	answer(caller, WITNESS_SIGNS, head->size, cosigner_sign(cosigner, head, time_s));
}

static void
refuse_update(Caller *caller, Held *held, const WitnessLog *log, WitnessVerdict verdict, const char *reason)
{
	const MirrorBytes *note = &caller->question.note;

	if (verdict == WITNESS_FORKED)
		(void) forks_prove(held, log, note->bytes, note->len, held->site);
	if (verdict == WITNESS_INCONSISTENT)
		held_store_suspect(held, note->bytes, note->len);
	answer(caller, verdict, held->size, psprintf("The checkpoint %s.", reason));
	commit();
}

static void
serve_update(Caller *caller)
{
	const MirrorQuestion *question = &caller->question;
	WitnessUpdate update = {question->note.bytes, question->note.len, question->first,
	question->n, question->items, question->lens};
	WitnessVerdict verdict;
	WitnessLog *log;
	Checkpoint	head;
	Cosigner	cosigner;
	Held		held;
	const char *reason;
	uint64		time_s;

	begin();
	cosigner_find(&cosigner);
	if (!held_find(&held, caller->site, true))
		elog(ERROR, "no place for the ledger of \"%s\"", caller->site);
	if (held.frozen)
	{
		answer(caller, WITNESS_FORKED, held.size,
			   psprintf("The ledger of node \"%s\" is frozen here: it was signed in two histories.", caller->site));
		commit();
		return;
	}
	if (question->turn != held.turn)
	{
		answer(caller, WITNESS_HOLDS_OTHER, held.size, "The checkpoint was sent before the last question about what is held here.");
		commit();
		return;
	}
	log = held_log(&held);
	held_changing();
	verdict = witness_take(log, &update, &head, &reason);
	if (verdict == WITNESS_HOLDS_OTHER || verdict == WITNESS_FORKED)
		held_changed(&held);	/* nothing was taken */
	if (verdict != WITNESS_SIGNS)
	{
		refuse_update(caller, &held, log, verdict, reason);
		return;
	}
	time_s = witness_time(seconds_now(), held.signed_s);
	held_store(&held, &update, log, &head, time_s);
	if (history_hands_over(&log->keys, head.size))
		held_store_handover(&held, head.size, update.note, update.note_len, false);
	log->held.levels = tile_levels(log->tiles.size);
	take_certified(&held, log, question);
	commit();
	held_changed(&held);
	sign(caller, &cosigner, &head, time_s);
}

/* The other questions -------------------------------------------------------*/

static void
serve_key(Caller *caller)
{
	Cosigner	cosigner;

	begin();
	cosigner_find(&cosigner);
	answer(caller, WITNESS_SIGNS, 0, note_key_to_text(&cosigner.keys[0]));
	commit();
}

/* Items in memory that outlives the transaction. */
static void
keep_items(Caller *caller)
{
	MirrorAnswer *result = &caller->answer;
	MemoryContext old = MemoryContextSwitchTo(caller->context);
	const uint8 **items = palloc((result->n + 1) * sizeof(uint8 *));
	size_t	   *lens = palloc((result->n + 1) * sizeof(size_t));

	for (uint64 i = 0; i < result->n; i++)
	{
		lens[i] = result->lens[i];
		items[i] = memcpy(palloc(lens[i] + 1), result->items[i], lens[i]);
	}
	result->items = items;
	result->lens = lens;
	MemoryContextSwitchTo(old);
}

/* From now on only what the caller sends in the turn that begins counts. */
static void
serve_head(Caller *caller)
{
	Held		held;

	begin();
	if (!held_find(&held, caller->site, true))
		elog(ERROR, "no place for the ledger of \"%s\"", caller->site);
	held_next_turn(&held);
	answer(caller, WITNESS_SIGNS, held.size, held.note.bytes);
	caller->answer.turn = held.turn;
	caller->answer.n = held_files(&held, &caller->answer.items, &caller->answer.lens);
	keep_items(caller);
	commit();
}

static void
serve_pull(Caller *caller)
{
	MirrorAnswer *result = &caller->answer;
	Held		held;

	begin();
	if (!held_find(&held, caller->site, false))
		answer(caller, WITNESS_SIGNS, 0, "");
	else
	{
		answer(caller, WITNESS_SIGNS, held.size, held.note.bytes);
		result->n = held_entries(&held, caller->question.first, MIRROR_ENTRIES_MAX, PULL_BYTES_MAX,
								 &result->items, &result->lens);
		keep_items(caller);
	}
	owner_end(&scope);
}

/* What another witness has seen of a ledger that is held here as well. */
static void
hear_note(const Caller *caller, const void *bytes, size_t len)
{
	Note	   *note = palloc(sizeof(Note));
	Checkpoint	head;
	Origin		origin;
	Held		held;
	WitnessLog *log;
	const char *reason;

	if (!checkpoint_from_note(&head, note, bytes, len, &reason) || !origin_from_text(&origin, head.origin) ||
		!held_find(&held, origin.site, false) || held.frozen || held.size < head.size)
		return;
	if (held.note.len >= note->text_len && memcmp(held.note.bytes, note->text, note->text_len) == 0)
		return;					/* the same checkpoint */
	log = held_log(&held);
	if (witness_compare(log, bytes, len, &head, &reason) == WITNESS_FORKED)
		(void) forks_prove(&held, log, bytes, len, caller->site);
}

static void
serve_gossip(Caller *caller)
{
	const MirrorQuestion *question = &caller->question;
	const char *reason;

	begin();
	for (uint64 i = 0; i < question->n; i++)
		hear_note(caller, question->items[i], question->lens[i]);
	for (int i = 0; i < question->nproofs; i++)
		(void) forks_record(question->proofs[i].bytes, question->proofs[i].len, caller->site, &reason);
	answer(caller, WITNESS_SIGNS, 0, "");
	commit();
}

/* The call ------------------------------------------------------------------*/

static void
take_question(Caller *caller, bytea *frame)
{
	StringInfoData bytes;
	const char *reason;

	initStringInfo(&bytes);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	strlcpy(caller->site, served_peer()->name, sizeof(caller->site));
	if (!mirror_question_decode(&caller->question, bytes.data, bytes.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", caller->site),
				 errdetail("It %s.", reason)));
	if (strcmp(caller->site, node_self()->card.name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("a node does not countersign its own ledger")));
}

static void
send_answer(const Caller *caller)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	StringInfoData message;

	initStringInfo(&message);
	mirror_answer_encode(&message, &caller->answer);
	served_begin();
	served_send(message.data, message.len);
	served_end(deadline);
}

Datum
secmed_mirror(PG_FUNCTION_ARGS)
{
	static void (*const serve[]) (Caller *) = {
		[MIRROR_KEY] = serve_key, [MIRROR_HEAD] = serve_head, [MIRROR_UPDATE] = serve_update,
		[MIRROR_PULL] = serve_pull, [MIRROR_GOSSIP] = serve_gossip,
	};
	Caller	   *caller = palloc0(sizeof(Caller));

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the question can't be null")));
	caller->context = CurrentMemoryContext;
	take_question(caller, PG_GETARG_BYTEA_PP(0));
	connect_nonatomic(fcinfo, "mirror");
	serve[caller->question.kind] (caller);
	SPI_finish();
	send_answer(caller);
	PG_RETURN_VOID();
}
