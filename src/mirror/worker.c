/*
 * worker.c
 *	  The mirror worker: has this node's ledger held and countersigned.
 *
 * Woken by the sequencer when it has signed a checkpoint, it sends to each
 * witness the entries that this one does not hold yet and the checkpoint, all
 * at once, and collects the countersignatures.  When the policy's quorum has
 * signed one checkpoint that is stored as certified.  All witnesses are sent the
 * same checkpoint until each has answered or failed; then comes the newest one.
 *
 * After a start of the server it first asks what the witnesses hold; until so
 * many have answered that the newest certified checkpoint must be among that, or
 * secmed.startup_wait has passed, nobody may append (audit/standing.h).  Whoever
 * answers later, with more than is here, stops the ledger as well.
 *
 * Once in secmed.heartbeat_interval the newest checkpoint is countersigned
 * afresh, other nodes' certified heads are quoted in this ledger, and partners
 * hear which checkpoints of others were seen here.
 *
 * An error that is not one of a single partner ends the worker; the postmaster
 * starts it again.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/background.h"
#include "audit/append.h"
#include "audit/standing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "identity/key_file.h"
#include "identity/node.h"
#include "ledger/store_sql.h"
#include "mirror/forks.h"
#include "mirror/own.h"
#include "mirror/partner.h"
#include "mirror/worker.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PGDLLEXPORT void secmed_mirror_main(Datum arg);
PGDLLEXPORT void secmed_mirror_launcher_main(Datum arg);

/* How often it looks around although nobody has woken it. */
#define LOOK_MS		5000

static int	heartbeat_interval_ms = 60000;

static MemoryContext loop_context;	/* reset in each turn */
static Own *own;				/* as of this turn; NULL: no ledger with a key */
static uint64 target = 0;		/* the checkpoint that all witnesses are sent */
static TimestampTz beat_at = 0; /* when the next heartbeat is due */
static TimestampTz settle_until = 0;	/* how long witnesses are waited for at the start */
static uint64 forks_known = 0;

/* Transactions --------------------------------------------------------------*/

static OwnerScope scope;

static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	owner_begin(&scope);
	SPI_connect();
	MemoryContextSwitchTo(loop_context);
}

static void
end(void)
{
	SPI_finish();
	owner_end(&scope);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(loop_context);
}

/* Who is who ----------------------------------------------------------------*/

static void
add_witness(Partner *partner, const NoteKey *key, bool newest)
{
	NoteKey    *place = newest ? &partner->key : &partner->target_key;

	if (newest && !note_key_equal(place, key))
	{
		partner->signed_size = 0;
		partner->beat = true;
	}
	*place = *key;
	if (!partner->is_witness)	/* only under one of the two */
		partner->key = *key;
	partner->wanted = partner->is_witness = true;
}

static void
add_witnesses(uint64 size)
{
	Policy	   *policy = own_policy(&own->keys, size);

	for (int i = 0; policy != NULL && i < policy->nnames; i++)
	{
		const PolicyName *name = &policy->names[i];
		Partner    *partner = name->witness < 0 ? NULL : partner_get(name->name);

		if (partner != NULL)
			add_witness(partner, &policy->witnesses[name->witness], size == PG_UINT64_MAX);
	}
}

/* Those whose ledgers are held here hear of others, if they can be called. */
static void
add_held(void)
{
	run_spi("SELECT m.site::text FROM secmed.mirror m JOIN secmed.peer p ON p.name = m.site"
			" WHERE m.ended_at IS NULL AND p.conninfo IS NOT NULL", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Partner    *partner = partner_get(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));

		if (partner != NULL)
			partner->wanted = true;
	}
}

/* Those of the policy of the checkpoint that is due, and of the newest. */
static void
find_partners(void)
{
	for (int i = 0; i < npartners; i++)
		partners[i].wanted = partners[i].is_witness = false;
	add_witnesses(PG_UINT64_MAX);
	if (target > 0)
		add_witnesses(target);
	add_held();
}

static bool
has_partners(void)
{
	for (int i = 0; i < npartners; i++)
		if (partners[i].wanted)
			return true;
	return false;
}

/* The start -----------------------------------------------------------------*/

static void
fall_behind(const Partner *partner, const char *problem)
{
	char	   *reason = psprintf("Node \"%s\" %s.", partner->name, problem);

	if (standing_get(MyDatabaseId, NULL) == STANDING_BEHIND)
		return;
	standing_set(MyDatabaseId, STANDING_BEHIND, reason);
	ereport(LOG,
			(errmsg("the ledger takes no entries and signs nothing"),
			 errdetail("%s", reason),
			 errhint("This may be an old copy of the database: CALL secmed.recover_ledger().")));
}

/*
 * Have enough of the witnesses said what they hold?  If time is up, those who
 * have must do; before one has, nothing is signed.
 */
static void
settle(void)
{
	StandingState state = standing_get(MyDatabaseId, NULL);
	Policy	   *policy = own == NULL ? NULL : own_policy(&own->keys, PG_UINT64_MAX);
	int			checked = 0;
	int			needed = 0;

	if (state != STANDING_UNASKED && state != STANDING_ALONE)
		return;
	if (settle_until == 0)
		settle_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), startup_wait_ms);
	if (policy != NULL)
		needed = quorum_answers(policy->nwitnesses + 1, policy->names[policy->quorum].need + 1);
	for (int i = 0; i < npartners; i++)
		checked += partners[i].is_witness && partners[i].head_checked;
	if (checked < needed && GetCurrentTimestamp() < settle_until)
		return;
	if (checked > 0 || needed == 0)
		standing_set(MyDatabaseId, STANDING_GOOD, NULL);
	else if (state != STANDING_ALONE)
		standing_set(MyDatabaseId, STANDING_ALONE, NULL);
}

/* Certifying ----------------------------------------------------------------*/

/* The note with all countersignatures of it; a quorum of the policy must be among them. */
static bool
certificate(StringInfo out, Checkpoint *head, const Policy *policy, uint64 size)
{
	HeldNote	note = own_note(size);
	Note	   *read = palloc(sizeof(Note));
	PolicySigned found;
	const char *reason;

	initStringInfo(out);
	appendBinaryStringInfo(out, note.bytes, (int) note.len);
	for (int i = 0; i < npartners; i++)
		if (partners[i].is_witness && partners[i].signed_size == size)
			appendStringInfoString(out, partners[i].line);
	return note.len > 0 && checkpoint_from_note(head, read, out->data, out->len, &reason) &&
		policy_check(policy, read, head->origin, &found, &reason);
}

static void
certify(uint64 size)
{
	Policy	   *policy = own_policy(&own->keys, size);
	StringInfoData note;
	Checkpoint	head;

	if (policy == NULL || !certificate(&note, &head, policy, size))
		return;
	own_certify(&head, &note);
	end();
	standing_set_certified(MyDatabaseId, size);
	begin();
}

/* The witnesses as people see them; what has not changed is not written. */
static void
show_witness(const Partner *partner)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(partner->name), CStringGetTextDatum(note_key_to_text(&partner->key)),
		Int64GetDatum((int64) partner->signed_size), TimestampTzGetDatum(time_of_seconds(partner->signed_s)),
	CStringGetTextDatum(partner->problem)};
	const char *nulls = partner->signed_size == 0 ? (partner->problem[0] ? "  nn " : "  nnn") :
		partner->problem[0] ? NULL : "    n";

	run_spi("INSERT INTO secmed.witness AS w (name, key, size, signed_at, problem) VALUES ($1::name, $2, $3, $4, $5)"
			" ON CONFLICT (name) DO UPDATE SET key = EXCLUDED.key, size = coalesce(EXCLUDED.size, w.size),"
			" signed_at = coalesce(EXCLUDED.signed_at, w.signed_at), problem = EXCLUDED.problem"
			" WHERE (w.key, w.problem) IS DISTINCT FROM (EXCLUDED.key, EXCLUDED.problem) OR"
			" (EXCLUDED.size IS NOT NULL AND (w.size, w.signed_at) IS DISTINCT FROM (EXCLUDED.size, EXCLUDED.signed_at))",
			SPI_OK_INSERT, 5, types, values, nulls);
}

static void
show_witnesses(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < npartners; i++)
	{
		if (!partners[i].is_witness)
			continue;
		show_witness(&partners[i]);
		appendStringInfo(&names, "%s%s", names.len ? "," : "", quote_literal_cstr(partners[i].name));
	}
	run_spi(psprintf("DELETE FROM secmed.witness WHERE name NOT IN (%s)", names.len ? names.data : "''"),
			SPI_OK_DELETE, 0, NULL, NULL, NULL);
}

/* Answers -------------------------------------------------------------------*/

static void
take_head(Partner *partner, const MirrorAnswer *answer)
{
	const char *problem = NULL;

	partner->held = answer->size;
	partner->turn = answer->turn;
	partner->held_known = true;
	if (answer->text[0] != '\0')
		problem = own_problem(&own->keys, answer->text, strlen(answer->text));
	if (problem != NULL && partner->is_witness)
		fall_behind(partner, problem);
	partner->head_checked = true;
}

/* Is the line its signature under the checkpoint that it was sent? */
static bool
line_is_good(const Partner *partner, const char *line, uint64 *time)
{
	HeldNote	note = own_note(partner->asked_size);
	Note	   *read = palloc(sizeof(Note));
	const char *reason;
	StringInfoData both;

	if (strlen(line) >= sizeof(partner->line) || note.len == 0)
		return false;
	initStringInfo(&both);
	appendBinaryStringInfo(&both, note.bytes, (int) note.len);
	appendStringInfoString(&both, line);
	return note_parse(read, both.data, both.len, &reason) &&
		(note_check(read, &partner->key, time) == NOTE_SIGNED ||
		 note_check(read, &partner->target_key, time) == NOTE_SIGNED) &&
		*time <= seconds_now() + CLOCK_SKEW_MS_MAX / 1000;
}

static void
take_signature(Partner *partner, const MirrorAnswer *answer)
{
	uint64		time;

	partner->held = partner->asked_size;
	if (!partner->is_witness)
		return;
	if (!line_is_good(partner, answer->text, &time))
	{
		partner_failed(partner, "The countersignature is not by the witness's key; secmed.set_witnesses() asks for a new one.");
		partner->step = PARTNER_ENDING;
		return;
	}
	partner->confused = false;
	partner->signed_size = partner->asked_size;
	partner->signed_s = time;
	partner->beat = false;
	strlcpy(partner->line, answer->text, sizeof(partner->line));
}

static void
take_update(Partner *partner, const MirrorAnswer *answer)
{
	if (answer->code == WITNESS_SIGNS)
	{
		take_signature(partner, answer);
		return;
	}
	/*
	 * It holds another number of entries, or was asked by somebody else: a
	 * question about its head tells whether these are more than there should be.
	 */
	if (answer->code == WITNESS_HOLDS_OTHER && !partner->confused)
	{
		partner->held_known = false;
		partner->confused = true;
		return;
	}
	partner_failed(partner, answer->text);
	partner->told_certified = 0;
	partner->step = PARTNER_ENDING;
}

static void
take(Partner *partner, const MirrorAnswer *answer)
{
	if (own == NULL)
		return;
	begin();
	if (partner->asked == MIRROR_HEAD)
		take_head(partner, answer);
	else if (partner->asked == MIRROR_UPDATE)
		take_update(partner, answer);
	else
		partner->gossip = false;
	if (partner->asked == MIRROR_UPDATE && partner->is_witness && partner->signed_size == target)
		certify(target);
	end();
}

/* Questions -----------------------------------------------------------------*/

/* Checking it costs a witness more than the rest: as often as heads are quoted is enough. */
static void
tell_certified(Partner *partner, MirrorQuestion *question)
{
	TimestampTz now = GetCurrentTimestamp();

	if (own->certified_size == partner->told_certified ||
		(now < partner->tell_at && !history_hands_over(&own->keys, own->certified_size)))
		return;
	question->certified = (MirrorBytes) {(const uint8 *) own->certified.bytes, own->certified.len};
	question->policy = (MirrorBytes) {(const uint8 *) own->policy.bytes, own->policy.len};
	partner->told_certified = own->certified_size;
	partner->tell_at = TimestampTzPlusMilliseconds(now, heartbeat_interval_ms);
}

static bool
ask_update(Partner *partner)
{
	MirrorQuestion question = {.kind = MIRROR_UPDATE,.turn = partner->turn};
	uint64		size = partner->held >= target ? target : own_next(&own->keys, partner->held, target);
	HeldNote	note = size > 0 ? own_note(size) : (HeldNote) {"", 0};

	question.first = Min(partner->held, size);
	question.n = size - question.first;
	if (note.len == 0 || !own_entries(question.first, size, &question.items, &question.lens))
	{
		partner_failed(partner, note.len == 0 ? "There is no checkpoint here that it can be sent." :
					   "It needs entries that are archived, and secmed.archive_directory does not have them.");
		return false;
	}
	question.note = (MirrorBytes) {(const uint8 *) note.bytes, note.len};
	tell_certified(partner, &question);
	partner_ask(partner, &question, size);
	return true;
}

static void
add_note(MirrorQuestion *question, const HeldNote *note)
{
	if (note->len == 0 || note->len > MIRROR_NOTE_BYTES_MAX || question->n == MIRROR_NOTES_MAX)
		return;
	question->items[question->n] = (const uint8 *) note->bytes;
	question->lens[question->n++] = note->len;
}

static void
ask_gossip(Partner *partner)
{
	MirrorQuestion question = {.kind = MIRROR_GOSSIP};
	HeldNote   *proofs;
	Held	   *all;
	int			n = held_all(&all);

	question.items = palloc(MIRROR_NOTES_MAX * sizeof(uint8 *));
	question.lens = palloc(MIRROR_NOTES_MAX * sizeof(size_t));
	for (int i = 0; i < n; i++)
	{
		if (strcmp(all[i].site, partner->name) == 0)
			continue;
		add_note(&question, &all[i].suspect);
		add_note(&question, &all[i].certified);
		add_note(&question, &all[i].note);
	}
	n = forks_all(&proofs);
	question.proofs = palloc((n + 1) * sizeof(MirrorBytes));
	for (int i = 0; i < n; i++)
		question.proofs[question.nproofs++] = (MirrorBytes) {(const uint8 *) proofs[i].bytes, proofs[i].len};
	if (question.n > 0 || question.nproofs > 0)
		partner_ask(partner, &question, 0);
	else
		partner->gossip = false;
}

static void
ask(Partner *partner)
{
	MirrorQuestion head = {.kind = MIRROR_HEAD};
	StandingState standing = standing_get(MyDatabaseId, NULL);

	if (!partner->wanted || partner->step != PARTNER_RESTS || partner->retry_at > GetCurrentTimestamp())
		return;
	if (partner->is_witness && own != NULL && (!partner->held_known || !partner->head_checked))
		partner_ask(partner, &head, 0);
	else if (partner->is_witness && standing == STANDING_GOOD && target > 0 &&
			 (partner->held < target || partner->signed_size < target || partner->beat))
		(void) ask_update(partner);
	else if (partner->gossip)
		ask_gossip(partner);
}

/* Each witness has signed it, or is not there. */
static bool
target_is_done(void)
{
	for (int i = 0; i < npartners; i++)
		if (partners[i].is_witness && partners[i].signed_size != target && partners[i].failures == 0)
			return false;
	return true;
}

/* Heartbeat -----------------------------------------------------------------*/

static void
quote(const Held *held)
{
	Oid			types[] = {INT4OID, INT8OID};
	Datum		values[] = {Int32GetDatum(held->id), Int64GetDatum((int64) held->certified_size)};
	Note	   *note = palloc(sizeof(Note));
	LedgerEntry entry;
	Checkpoint	head;
	const char *reason;

	if (!checkpoint_from_note(&head, note, held->certified.bytes, held->certified.len, &reason))
		return;
	history_make_head(&entry, &head);
	audit_wait(audit_append(&entry, NULL, 0));
	run_spi("UPDATE secmed.mirror SET quoted = $2, quoted_at = pg_catalog.clock_timestamp() WHERE id = $1",
			SPI_OK_UPDATE, 2, types, values, NULL);
}

/* Heads that say no more than that heads were quoted are not: two idle ledgers would never rest. */
static void
quote_heads(void)
{
	Held	   *all;
	int			n = held_all(&all);

	for (int i = 0; i < n; i++)
		if (!all[i].frozen && all[i].certified_size > all[i].quoted && all[i].others > all[i].quoted)
			quote(&all[i]);
}

static void
beat(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now < beat_at || standing_get(MyDatabaseId, NULL) != STANDING_GOOD)
		return;
	beat_at = TimestampTzPlusMilliseconds(now, heartbeat_interval_ms);
	for (int i = 0; i < npartners; i++)
		partners[i].beat = partners[i].gossip = true;
	quote_heads();
}

/* A fork is told at once. */
static void
look_at_forks(void)
{
	uint64		forks;

	run_spi("SELECT count(*) FROM secmed.fork", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	forks = column_number(0, 1);
	if (forks != forks_known)
		for (int i = 0; i < npartners; i++)
			partners[i].gossip = true;
	forks_known = forks;
}

/* The loop ------------------------------------------------------------------*/

static bool
extension_is_here(void)
{
	return OidIsValid(RangeVarGetRelid(makeRangeVar("secmed", "mirror", -1), NoLock, true));
}

/* One look at everything; false if there is nothing to do here at all. */
static bool
look(void)
{
	bool		useful = false;

	StartTransactionCommand();
	useful = extension_is_here();
	CommitTransactionCommand();
	if (!useful)
		return false;

	begin();
	own = palloc(sizeof(Own));
	if (!own_read(own))
		own = NULL;
	if (own != NULL)
	{
		standing_set_certified(MyDatabaseId, own->certified_size);
		if (target == 0 || target_is_done() || target > own->size)
			target = own->size;
		find_partners();
	}
	useful = own != NULL && has_partners();
	settle();
	beat();
	look_at_forks();
	for (int i = 0; i < npartners; i++)
		ask(&partners[i]);
	show_witnesses();
	end();
	return useful;
}

/* When it has to look again although nothing has happened. */
static TimestampTz
next_look(void)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_MS);

	if (standing_get(MyDatabaseId, NULL) == STANDING_UNASKED && settle_until > 0)
		until = Min(until, settle_until);
	if (standing_get(MyDatabaseId, NULL) == STANDING_GOOD && beat_at > 0)
		until = Min(until, beat_at);
	for (int i = 0; i < npartners; i++)
		if (partners[i].wanted && partners[i].step == PARTNER_RESTS && partners[i].failures > 0)
			until = Min(until, partners[i].retry_at);
	return until;
}

static void
pin_settings(void)
{
	static const char *const settings[][2] = {
		{"synchronous_commit", "on"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_deferrable", "off"},
		{"jit", "off"},
		{"lock_timeout", "0"},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"session_replication_role", "origin"},
		{"row_security", "on"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

void
secmed_mirror_main(Datum arg)
{
	Oid			database = DatumGetObjectId(arg);

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (!mirror_attach(database))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	pin_settings();
	loop_context = AllocSetContextCreate(TopMemoryContext, "secmed mirror", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(loop_context);

	while (!mirror_asked_to_stop(database))
	{
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		MemoryContextReset(loop_context);
		if (!look())
			break;
		pgstat_report_activity(STATE_IDLE, NULL);
		partners_wait(next_look(), take);
	}
	proc_exit(0);
}

/* The worker that starts the others ------------------------------------------*/

/* Once after the server's start: nodes have a key file, and find out whether there is more to do. */
void
secmed_mirror_launcher_main(Datum arg)
{
	ListCell   *cell;
	List	   *oids;

	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	oids = background_databases(true);
	foreach(cell, oids)
		if (key_file_exists(KEY_FILE_NODE, lfirst_oid(cell)))
			(void) mirror_wake(lfirst_oid(cell));
	proc_exit(0);
}

void
worker_init(void)
{
	BackgroundWorker launcher = background_worker("secmed mirror launcher", "secmed_mirror_launcher_main");

	RegisterBackgroundWorker(&launcher);

	DefineCustomIntVariable("secmed.heartbeat_interval",
							"Sets how often an idle ledger is countersigned afresh, and others' heads are quoted in it.",
							NULL,
							&heartbeat_interval_ms, 60000, 100, 24 * 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}
