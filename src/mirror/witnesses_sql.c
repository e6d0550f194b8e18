/*
 * witnesses_sql.c
 *	  secmed.set_witnesses(), rotate_log_key() and rotate_cosigner_key().
 *
 * They are procedures because the policy file must be committed before the
 * entry that names it, which the sequencer writes in a transaction of its own.
 * One that no entry names does no harm.
 */
#include "base/base.h"

#include "audit/append.h"
#include "audit/log_key.h"
#include "audit/standing.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/store_sql.h"
#include "mirror/ask.h"
#include "mirror/cosigner.h"
#include "mirror/own.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_set_witnesses);
PG_FUNCTION_INFO_V1(secmed_rotate_log_key);
PG_FUNCTION_INFO_V1(secmed_rotate_cosigner_key);

/* Whose countersignatures shall count. */
typedef struct Witnesses
{
	int			n;
	int			needed;
	const char *names[POLICY_WITNESSES_MAX];
	NoteKey		keys[POLICY_WITNESSES_MAX];
	MemoryContext context;
} Witnesses;

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

/* Nobody changes keys or policy at the same time. */
static void
lock_keys(void)
{
	run_spi("LOCK TABLE secmed.ledger_policy IN SHARE UPDATE EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
}

/* Which nodes ---------------------------------------------------------------*/

static void
add_name(Witnesses *witnesses, const char *name)
{
	if (strcmp(name, node_self()->card.name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a node is not a witness of its own ledger"),
				 errhint("Its own signature is under every checkpoint; name the others.")));
	for (int i = 0; i < witnesses->n; i++)
		if (strcmp(witnesses->names[i], name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("node \"%s\" is named twice", name)));
	if (witnesses->n == POLICY_WITNESSES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a ledger can have %d witnesses at most", POLICY_WITNESSES_MAX)));
	witnesses->names[witnesses->n++] = MemoryContextStrdup(witnesses->context, name);
}

static void
named_nodes(Witnesses *witnesses, ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a witness needs a name")));
		add_name(witnesses, NameStr(*DatumGetName(names[i])));
	}
}

static void
all_nodes(Witnesses *witnesses)
{
	uint64		n;

	run_spi("SELECT name::text FROM secmed.peer WHERE conninfo IS NOT NULL"
			" AND name <> (SELECT name FROM secmed.node) ORDER BY name", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		SPITupleTable *rows = SPI_tuptable;

		add_name(witnesses, SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
		SPI_tuptable = rows;
	}
}

static void
set_needed(Witnesses *witnesses, bool given, int needed)
{
	witnesses->needed = given ? needed : quorum_needed(witnesses->n + 1) - 1;
	if (witnesses->n > 0 && (witnesses->needed < 1 || witnesses->needed > witnesses->n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d of %d witnesses can't countersign", witnesses->needed, witnesses->n)));
}

/* The key with which a node countersigns must be under its own name. */
static void
ask_key(NoteKey *key, const char *name, const char *federation)
{
	MirrorQuestion question = {.kind = MIRROR_KEY};
	MirrorAnswer answer;
	const char *reason;

	ask_node(name, &question, &answer);
	if (note_key_from_text(key, answer.text, strlen(answer.text), &reason) && key->kind == NOTE_WITNESS &&
		strcmp(key->name, cosigner_name(federation, name)) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_WRONG_KEY),
			 errmsg("node \"%s\" does not countersign under its own name", name),
			 errdetail("The name of its key must be \"%s\".", cosigner_name(federation, name)),
			 errhint("All nodes' ledgers must be of one secmed.federation.")));
}

/* Policies ------------------------------------------------------------------*/

static void
store_policy_file(const char *policy, const uint8 hash[HASH_BYTES])
{
	Oid			types[] = {BYTEAOID, BYTEAOID};
	Datum		values[] = {bytes_datum(hash, HASH_BYTES), bytes_datum(policy, strlen(policy))};

	run_spi("INSERT INTO secmed.ledger_policy (hash, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 2, types, values, NULL);
}

static void
make_policy(const NoteKey *log, uint8 hash[HASH_BYTES], void *arg)
{
	const Witnesses *witnesses = arg;

	store_policy_file(policy_of_witnesses(log, witnesses->names, witnesses->keys, witnesses->n,
										  witnesses->needed, hash), hash);
}

static void
require_witnesses_key(const KeyHistory *keys)
{
	if (keys->nlogs < HISTORY_KEYS_MAX)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("this ledger has had %d keys and policies, and can have no more", HISTORY_KEYS_MAX)));
}

/* The witnesses of the newest policy. */
static void
current_witnesses(Witnesses *witnesses, const KeyHistory *keys)
{
	Policy	   *policy = own_policy(keys, PG_UINT64_MAX);

	witnesses->n = 0;
	if (policy == NULL)
		return;
	witnesses->needed = policy->names[policy->quorum].need;
	for (int i = 0; i < policy->nnames; i++)
	{
		const PolicyName *name = &policy->names[i];

		if (name->witness < 0)
			continue;
		witnesses->keys[witnesses->n] = policy->witnesses[name->witness];
		witnesses->names[witnesses->n++] = pstrdup(name->name);
	}
}

/* A policy is of no use that cannot be checked, so it is in the data before it is in the ledger. */
static void
set_policy(Witnesses *witnesses)
{
	const char *site = node_self()->card.name;
	KeyHistory *keys = own_keys();
	MemoryContext old;
	uint8		hash[HASH_BYTES];
	LedgerEntry entry;

	require_witnesses_key(keys);
	make_policy(&keys->logs[keys->nlogs - 1].key, hash, witnesses);
	old = MemoryContextSwitchTo(witnesses->context);
	log_key_policy(&entry, keys, site, hash);
	MemoryContextSwitchTo(old);
	commit();
	append_key_entry(&entry);
}

Datum
secmed_set_witnesses(PG_FUNCTION_ARGS)
{
	Witnesses  *witnesses = palloc0(sizeof(Witnesses));
	KeyHistory *keys;

	PreventCommandIfReadOnly("secmed.set_witnesses()");
	witnesses->context = CurrentMemoryContext;
	connect_nonatomic(fcinfo, "set_witnesses");
	begin();
	if (PG_ARGISNULL(0))
		all_nodes(witnesses);
	else
		named_nodes(witnesses, PG_GETARG_ARRAYTYPE_P(0));
	set_needed(witnesses, !PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1));
	keys = own_keys();
	for (int i = 0; i < witnesses->n; i++)
		ask_key(&witnesses->keys[i], witnesses->names[i], keys->origin.federation);
	lock_keys();
	set_policy(witnesses);
	SPI_finish();
	mirror_wake(MyDatabaseId);
	PG_RETURN_VOID();
}

/* Keys ----------------------------------------------------------------------*/

static void
rotate(FunctionCallInfo fcinfo, KeyFile file, bool compromised)
{
	const char *site;
	Witnesses  *witnesses = palloc0(sizeof(Witnesses));
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	KeyHistory *keys;
	LedgerEntry entry;

	connect_nonatomic(fcinfo, file == KEY_FILE_LOG ? "rotate_log_key" : "rotate_cosigner_key");
	begin();
	lock_keys();
	site = node_self()->card.name;
	keys = own_keys();
	require_witnesses_key(keys);
	if (file == KEY_FILE_COSIGNER && keys->nwitnesses == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no countersigning key yet"),
				 errdetail("It is made when another node first asks for it.")));
	current_witnesses(witnesses, keys);
	old = MemoryContextSwitchTo(context);
	ledger_key_change(&entry, keys, file, compromised ? "revoked" : "rotated", site, make_policy, witnesses);
	MemoryContextSwitchTo(old);
	commit();
	append_key_entry(&entry);
	SPI_finish();
	mirror_wake(MyDatabaseId);
}

Datum
secmed_rotate_log_key(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("secmed.rotate_log_key()");
	rotate(fcinfo, KEY_FILE_LOG, !PG_ARGISNULL(0) && PG_GETARG_BOOL(0));
	PG_RETURN_VOID();
}

Datum
secmed_rotate_cosigner_key(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("secmed.rotate_cosigner_key()");
	rotate(fcinfo, KEY_FILE_COSIGNER, !PG_ARGISNULL(0) && PG_GETARG_BOOL(0));
	PG_RETURN_VOID();
}
