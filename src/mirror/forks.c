/*
 * forks.c
 *	  Nodes that have signed two histories.
 *
 * A proof is judged by the keys that the ledgers held here have introduced, and
 * those of this node's witnesses: whoever holds one and has signed both sides is
 * convicted, be it as the log or as a witness.  What nobody here knows the key
 * of convicts nobody here.
 */
#include "base/base.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "identity/node.h"
#include "ledger/fork.h"
#include "ledger/mirror.h"
#include "ledger/store_sql.h"
#include "mirror/forks.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_unfreeze);
PG_FUNCTION_INFO_V1(secmed_fork_proofs);

typedef struct Convicted
{
	char		site[NODE_NAME_BYTES_MAX + 1];
	char	   *key;
} Convicted;

/* Judging -------------------------------------------------------------------*/

static void
judge(List **convicted, const ForkProof *proof, const NoteKey *key, const char *site)
{
	Convicted  *one;
	ListCell   *cell;

	if (!fork_convicts(proof, key))
		return;
	foreach(cell, *convicted)
		if (strcmp(((Convicted *) lfirst(cell))->site, site) == 0)
			return;
	one = palloc(sizeof(Convicted));
	strlcpy(one->site, site, sizeof(one->site));
	one->key = note_key_to_text(key);
	*convicted = lappend(*convicted, one);
}

static void
judge_ledgers(List **convicted, const ForkProof *proof)
{
	KeyHistory *keys = palloc(sizeof(KeyHistory));
	const char *reason;
	Held	   *all;
	int			n = held_all(&all);

	for (int i = 0; i < n; i++)
	{
		if (!store_mirror_keys(keys, all[i].id, &reason))
			continue;
		for (int k = 0; k < keys->nlogs; k++)
			judge(convicted, proof, &keys->logs[k].key, all[i].site);
		for (int k = 0; k < keys->nwitnesses; k++)
			judge(convicted, proof, &keys->witnesses[k].key, all[i].site);
	}
}

static void
judge_witnesses(List **convicted, const ForkProof *proof)
{
	const char *reason;

	run_spi("SELECT name::text, key FROM secmed.witness", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *text = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		NoteKey		key;

		if (note_key_from_text(&key, text, strlen(text), &reason))
			judge(convicted, proof, &key, name);
	}
}

/* Recording -----------------------------------------------------------------*/

static void
append_fork(const ForkProof *proof, const uint8 hash[HASH_BYTES], const Convicted *convicted)
{
	LedgerEntry entry = {
		.kind = ENTRY_FORK,
		.actor = "",
		.object = proof->heads[0].origin,
		.has_plan = true,
		.outcome = "fork",
		.revealed = convicted->key,
		.ncounters = 2,
		.counters = {proof->heads[0].size, proof->heads[1].size},
	};

	memcpy(entry.plan, hash, HASH_BYTES);
	audit_wait(audit_append(&entry, NULL, 0));
}

static void
freeze(const char *site)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(site)};

	run_spi("UPDATE secmed.mirror SET frozen = true WHERE site = $1 AND ended_at IS NULL",
			SPI_OK_UPDATE, 1, types, values, NULL);
}

static void
record(const ForkProof *proof, const void *bytes, size_t len, const char *told_by, const Convicted *convicted)
{
	Oid			types[] = {BYTEAOID, TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, BYTEAOID, TEXTOID};
	Datum		sizes[] = {Int64GetDatum((int64) proof->heads[0].size), Int64GetDatum((int64) proof->heads[1].size)};
	uint8		hash[HASH_BYTES];
	Datum		values[7];

	hash_bytes(hash, bytes, len);
	values[0] = bytes_datum(hash, HASH_BYTES);
	values[1] = CStringGetTextDatum(convicted->site);
	values[2] = CStringGetTextDatum(proof->heads[0].origin);
	values[3] = CStringGetTextDatum(convicted->key);
	values[4] = PointerGetDatum(construct_array(sizes, 2, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[5] = bytes_datum(bytes, len);
	values[6] = told_by ? CStringGetTextDatum(told_by) : (Datum) 0;
	/* One proof of a key is enough, until it was lifted. */
	run_spi("INSERT INTO secmed.fork (hash, site, origin, convicted, sizes, proof, told_by)"
			" SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM secmed.fork"
			" WHERE site = $2 AND (convicted = $4 OR hash = $1)) ON CONFLICT DO NOTHING",
			SPI_OK_INSERT, 7, types, values, told_by ? NULL : "      n");
	if (SPI_processed == 0)
		return;
	freeze(convicted->site);
	append_fork(proof, hash, convicted);
	ereport(LOG,
			(errmsg("node \"%s\" has signed two histories of the ledger %s", convicted->site, proof->heads[0].origin),
			 errdetail("Its checkpoints of " UINT64_FORMAT " and " UINT64_FORMAT " entries contradict each other.",
					   proof->heads[0].size, proof->heads[1].size),
			 errhint("See secmed.fork. Nothing of it is countersigned, and no run done with it, until secmed.unfreeze().")));
}

bool
forks_record(const void *bytes, size_t len, const char *told_by, const char **reason)
{
	ForkProof  *proof = palloc(sizeof(ForkProof));
	List	   *convicted = NIL;
	ListCell   *cell;

	if (!fork_parse(proof, bytes, len, reason))
		return false;
	judge_ledgers(&convicted, proof);
	judge_witnesses(&convicted, proof);
	*reason = "convicts nobody who is known here";
	foreach(cell, convicted)
		record(proof, bytes, len, told_by, lfirst(cell));
	return convicted != NIL;
}

bool
forks_prove(const Held *held, const WitnessLog *log, const void *note, size_t len, const char *told_by)
{
	const HeldNote *mine[] = {&held->certified, &held->note};
	StringInfoData proof;
	const char *reason;

	/* The certified one first: it convicts witnesses as well. */
	for (int i = 0; i < 2; i++)
	{
		initStringInfo(&proof);
		if (mine[i]->len > 0 &&
			fork_prove(&proof, note, len, mine[i]->bytes, mine[i]->len, &log->held, &reason) &&
			proof.len <= MIRROR_PROOF_BYTES_MAX)
			return forks_record(proof.data, proof.len, told_by, &reason);
	}
	return false;
}

int
forks_all(HeldNote **proofs)
{
	int			n;

	run_spi("SELECT DISTINCT proof FROM secmed.fork WHERE lifted_at IS NULL LIMIT 100",
			SPI_OK_SELECT, 0, NULL, NULL, NULL);
	n = (int) SPI_processed;
	*proofs = palloc((n + 1) * sizeof(HeldNote));
	for (int i = 0; i < n; i++)
		(*proofs)[i] = column_note(i, 1);
	return n;
}

void
forks_require_none(const char *node)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node)};
	OwnerScope	scope;
	bool		forked;

	owner_begin(&scope);
	SPI_connect();
	run_spi("SELECT FROM secmed.fork WHERE site = $1 AND lifted_at IS NULL LIMIT 1",
			SPI_OK_SELECT, 1, types, values, NULL);
	forked = SPI_processed > 0;
	SPI_finish();
	owner_end(&scope);
	if (forked)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_FORKED),
				 errmsg("node \"%s\" has signed two histories of its ledger, or of another's", node),
				 errdetail("The proof is in secmed.fork of node \"%s\".", node_self()->card.name),
				 errhint("Find out why, and let it in again with secmed.unfreeze('%s', epoch, reason).", node)));
}

/* Letting in again ----------------------------------------------------------*/

static void
lift(const char *node, int64 epoch, const char *reason)
{
	Oid			types[] = {TEXTOID, INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node), Int64GetDatum(epoch), CStringGetTextDatum(reason),
	CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false))};

	run_spi("UPDATE secmed.fork SET lifted_epoch = $2, lifted_for = $3, lifted_by = $4::name,"
			" lifted_at = pg_catalog.clock_timestamp() WHERE site = $1 AND lifted_at IS NULL",
			SPI_OK_UPDATE, 4, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node \"%s\" is not frozen", node),
				 errdetail("No fork of it was proven here that is not lifted.")));
}

/* Its ledger is held anew: which of its histories goes on is not ours to say. */
static void
begin_anew(const char *node, int64 epoch)
{
	Oid			types[] = {TEXTOID, INT8OID};
	Datum		values[] = {CStringGetTextDatum(node), Int64GetDatum(epoch)};

	run_spi("LOCK TABLE secmed.mirror IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	run_spi("UPDATE secmed.mirror SET ended_at = pg_catalog.clock_timestamp() WHERE site = $1 AND ended_at IS NULL",
			SPI_OK_UPDATE, 1, types, values, NULL);
	run_spi("INSERT INTO secmed.mirror (id, site, epoch_min) SELECT coalesce(max(id), 0) + 1, $1, $2 FROM secmed.mirror",
			SPI_OK_INSERT, 2, types, values, NULL);
}

Datum
secmed_unfreeze(PG_FUNCTION_ARGS)
{
	char	   *node = NameStr(*PG_GETARG_NAME(0));
	int64		epoch = PG_GETARG_INT64(1);
	char	   *reason = text_to_cstring(PG_GETARG_TEXT_PP(2));
	LedgerEntry entry = {
		.kind = ENTRY_FORK,
		.actor = GetUserNameFromId(GetSessionUserId(), false),
		.object = node,
		.outcome = "lifted",
		.revealed = reason,
		.ncounters = 1,
		.counters = {(uint64) epoch},
	};
	OwnerScope	scope;

	PreventCommandIfReadOnly("secmed.unfreeze()");
	if (epoch < 1 || epoch > EPOCH_MAX || reason[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a node is let in again from an epoch on, and for a reason"),
				 errdetail("An epoch is a number from 1 to %d.", EPOCH_MAX)));
	owner_begin(&scope);
	SPI_connect();
	lift(node, epoch, reason);
	begin_anew(node, epoch);
	SPI_finish();
	owner_end(&scope);
	audit_wait(audit_append(&entry, NULL, 0));
	PG_RETURN_VOID();
}

Datum
secmed_fork_proofs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	OwnerScope	scope;

	InitMaterializedSRF(fcinfo, 0);
	owner_begin(&scope);
	SPI_connect();
	run_spi("SELECT DISTINCT ON (hash) 'fork/' || encode(hash, 'hex'), proof FROM secmed.fork ORDER BY hash",
			SPI_OK_SELECT, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeldNote	proof = column_note(i, 2);
		Datum		values[] = {CStringGetTextDatum(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1)),
		bytes_datum(proof.bytes, proof.len)};
		bool		nulls[] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_NULL();
}
