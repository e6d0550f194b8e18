/*
 * mode.c
 *	  How long who appends waits, and what happens when the ledger can't be
 *	  written.
 */
#include "base/base.h"

#include "audit/mode.h"
#include "audit/standing.h"
#include "audit/steady.h"
#include "ledger/spooled.h"
#include "miscadmin.h"
#include "pgstat.h"

int			ledger_mode = LEDGER_SYNC;
int			on_ledger_failure = LEDGER_FAILURE_ERROR;

static const struct config_enum_entry modes[] = {
	{"sync", LEDGER_SYNC, false},
	{"quorum", LEDGER_QUORUM, false},
	{"async", LEDGER_ASYNC, false},
	{NULL, 0, false}
};

static const struct config_enum_entry failures[] = {
	{"error", LEDGER_FAILURE_ERROR, false},
	{"block", LEDGER_FAILURE_BLOCK, false},
	{"spool", LEDGER_FAILURE_SPOOL, false},
	{NULL, 0, false}
};

void		(*mode_setting_changes) (const char *name) = NULL;

bool
mode_check(const char *name, int now, int new_value, GucSource source)
{
	if (source == PGC_S_SESSION && now != new_value && mode_setting_changes)
		mode_setting_changes(name);
	return true;
}

static bool
check_mode(int *new_value, void **extra, GucSource source)
{
	return mode_check("secmed.ledger_mode", ledger_mode, *new_value, source);
}

static bool
check_failure(int *new_value, void **extra, GucSource source)
{
	return mode_check("secmed.on_ledger_failure", on_ledger_failure, *new_value, source);
}

void
mode_init(void)
{
	DefineCustomEnumVariable("secmed.ledger_mode",
							 "Sets how long a session waits for its entries in the ledger.",
							 "sync: until they are durable; quorum: until witnesses have them; async: those of local reads not at all.",
							 &ledger_mode, LEDGER_SYNC, modes,
							 PGC_SUSET, 0, check_mode, NULL, NULL);
	DefineCustomEnumVariable("secmed.on_ledger_failure",
							 "Sets what a session does when the ledger can't be written.",
							 "error: fails; block: waits; spool: writes the entry to a file, from which it gets into the ledger later.",
							 &on_ledger_failure, LEDGER_FAILURE_ERROR, failures,
							 PGC_SUSET, 0, check_failure, NULL, NULL);
}

bool
mode_waits(EntryKind kind)
{
	bool		low_risk = entry_kind_is_local(kind) && kind != ENTRY_CHANGE && kind != ENTRY_PRECOMMIT;

	return ledger_mode != LEDGER_ASYNC || !low_risk;
}

bool
mode_waits_for_quorum(EntryKind kind)
{
	return ledger_mode == LEDGER_QUORUM &&
		kind != ENTRY_NODE_CREATED && kind != ENTRY_PEER_ADDED && kind != ENTRY_KEY &&
		kind != ENTRY_HEAD && kind != ENTRY_FORK;
}

void
mode_wait_certified(uint64 seq, int64 deadline)
{
	ConditionVariable *changes = standing_changes();

	ConditionVariablePrepareToSleep(changes);
	while (standing_certified(MyDatabaseId) <= seq)
	{
		long		wait_ms = steady_wait_ms(deadline);

		if (wait_ms <= 0)
			break;
		(void) ConditionVariableTimedSleep(changes, wait_ms, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	if (standing_certified(MyDatabaseId) <= seq)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("entry " UINT64_FORMAT " of the ledger is not certified", seq),
				 errdetail("It is durable here, but a quorum of witnesses did not confirm it within secmed.node_timeout."),
				 errhint("See secmed.witnesses. Where witnesses may be down, use secmed.ledger_mode = sync.")));
}

LedgerFailure
mode_on_failure(EntryKind kind)
{
	if (on_ledger_failure == LEDGER_FAILURE_SPOOL && spooled_kind(kind))
		return LEDGER_FAILURE_SPOOL;
	/* Who can't be cancelled doesn't wait for ever. */
	if (on_ledger_failure == LEDGER_FAILURE_BLOCK && InterruptHoldoffCount == 0)
		return LEDGER_FAILURE_BLOCK;
	return LEDGER_FAILURE_ERROR;
}
