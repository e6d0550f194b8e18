/*
 * progress.c
 *	  How far computations over shared tables and fits are.
 *
 * A line is written by its owner and read by anybody, so each has a spinlock.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "compute/progress.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_progress);

#define ROLE_BYTES	16
#define STEP_BYTES	16

typedef struct ProgressLine
{
	slock_t		mutex;
	int			pid;			/* 0: free */
	Oid			database;
	Oid			owner;			/* the session's user */
	uint8		run[RUN_ID_BYTES];
	char		role[ROLE_BYTES];
	TimestampTz started;
	ProgressMessage progress;
	char		step[STEP_BYTES];
} ProgressLine;

static ProgressLine *lines = NULL;
static ProgressLine *own = NULL;
static const CheckedPlan *own_plan; /* NULL: of a fit */
static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
shmem_request(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(ProgressLine) * PROGRESS_SLOTS));
}

static void
shmem_startup(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	lines = ShmemInitStruct("secmed progress", sizeof(ProgressLine) * PROGRESS_SLOTS, &found);
	if (!found)
	{
		memset(lines, 0, sizeof(ProgressLine) * PROGRESS_SLOTS);
		for (int i = 0; i < PROGRESS_SLOTS; i++)
			SpinLockInit(&lines[i].mutex);
	}
	LWLockRelease(AddinShmemInitLock);
}

static void
leave_with_transaction(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		progress_end();
}

static void
leave_at_exit(int code, Datum arg)
{
	progress_end();
}

void
progress_init(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = shmem_request;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}

/* ---- the owner ---- */

static bool
take_line(ProgressLine *line)
{
	bool		taken = false;

	SpinLockAcquire(&line->mutex);
	if (line->pid == 0)
	{
		line->pid = MyProcPid;
		taken = true;
	}
	SpinLockRelease(&line->mutex);
	return taken;
}

static void
begin(const uint8 run[RUN_ID_BYTES], const char *role, const CheckedPlan *checked, uint64 steps)
{
	static bool registered = false;
	ProgressMessage start = {0, steps, 0, 0};

	if (!registered)
	{
		RegisterXactCallback(leave_with_transaction, NULL);
		before_shmem_exit(leave_at_exit, (Datum) 0);
		registered = true;
	}
	for (int i = 0; own == NULL && i < PROGRESS_SLOTS; i++)
		if (take_line(&lines[i]))
			own = &lines[i];
	if (own == NULL)
		return;
	own_plan = checked;
	SpinLockAcquire(&own->mutex);
	own->database = MyDatabaseId;
	own->owner = GetSessionUserId();
	own->started = GetCurrentTimestamp();
	memcpy(own->run, run, RUN_ID_BYTES);
	strlcpy(own->role, role, ROLE_BYTES);
	SpinLockRelease(&own->mutex);
	progress_report(&start);
}

void
progress_begin(const uint8 run[RUN_ID_BYTES], const char *role, const CheckedPlan *checked)
{
	begin(run, role, checked, checked->plan->nnodes);
}

void
progress_begin_fit(const uint8 submission[SUBMISSION_ID_BYTES], uint64 passes_max)
{
	begin(submission, "fit", NULL, passes_max);
}

void
progress_report(const ProgressMessage *progress)
{
	const char *step = "pass";

	if (own == NULL || (own_plan != NULL && progress->step >= own_plan->plan->nnodes))
		return;
	if (own_plan != NULL)
		step = plan_node_name(own_plan->plan->nodes[progress->step].kind);
	SpinLockAcquire(&own->mutex);
	own->progress = *progress;
	strlcpy(own->step, step, STEP_BYTES);
	SpinLockRelease(&own->mutex);
}

void
progress_end(void)
{
	if (own == NULL)
		return;
	SpinLockAcquire(&own->mutex);
	own->pid = 0;
	SpinLockRelease(&own->mutex);
	own = NULL;
}

/* ---- readers ---- */

static bool
read_line(ProgressLine *out, ProgressLine *line)
{
	SpinLockAcquire(&line->mutex);
	*out = *line;
	SpinLockRelease(&line->mutex);
	return out->pid != 0 && out->database == MyDatabaseId &&
		(has_privs_of_role(GetUserId(), out->owner) ||
		 has_privs_of_role(GetUserId(), get_role_oid("secmed_admin", false)) ||
		 has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS));
}

Datum
secmed_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < PROGRESS_SLOTS; i++)
	{
		ProgressLine line;
		Datum		values[9];
		bool		nulls[9] = {0};

		if (!read_line(&line, &lines[i]))
			continue;
		values[0] = Int32GetDatum(line.pid);
		values[1] = UUIDPGetDatum((pg_uuid_t *) line.run);
		values[2] = CStringGetTextDatum(line.role);
		values[3] = TimestampTzGetDatum(line.started);
		values[4] = CStringGetTextDatum(line.step);
		values[5] = Int32GetDatum((int32) line.progress.step + 1);
		values[6] = Int32GetDatum((int32) line.progress.steps);
		values[7] = Int64GetDatum((int64) line.progress.rounds);
		values[8] = Int64GetDatum((int64) line.progress.bytes);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
