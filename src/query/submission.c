/*
 * submission.c
 *	  Runs that wait for people at other nodes, seen from the coordinator.
 */
#include "postgres.h"

#include "access/xact.h"
#include "contract/proposal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "query/submission.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* People are slower than this. */
#define POLL_MS		1000

int			approval_wait_ms = 0;

static struct
{
	bool		active;
	bool		propose;
	uint8		id[SUBMISSION_ID_BYTES];
	List	   *nodes;			/* in TopTransactionContext */
}			current;

/* The fit under way. */
static struct
{
	uint64		most;			/* 0: none */
	bool		asked;			/* people have said yes, or none had to: the id stands */
	uint8		id[SUBMISSION_ID_BYTES];
	SubTransactionId level;
}			passes;

void
submission_begin(const uint8 id[SUBMISSION_ID_BYTES], bool propose)
{
	if (current.active)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("a submission can't be part of another")));
	current.active = true;
	current.propose = propose;
	current.nodes = NIL;
	memcpy(current.id, id, SUBMISSION_ID_BYTES);
}

void
submission_end(void)
{
	current.active = false;
	current.nodes = NIL;
}

bool
submission_is_open(void)
{
	return current.active;
}

/* ---- passes of a fit ---- */

static void
end_passes(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		passes.most = 0;
}

static void
end_passes_of_part(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && passes.most > 0 && passes.level >= id)
		passes.most = 0;
}

const uint8 *
submission_passes_begin(uint64 most)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(end_passes, NULL);
		RegisterSubXactCallback(end_passes_of_part, NULL);
		registered = true;
	}
	passes.most = most;
	passes.asked = false;
	passes.level = GetCurrentSubTransactionId();
	random_bytes(passes.id, SUBMISSION_ID_BYTES);
	if (current.active)
		memcpy(passes.id, current.id, SUBMISSION_ID_BYTES);
	return passes.id;
}

void
submission_passes_end(void)
{
	passes.most = 0;
}

void
submission_mark_pass(Request *request, const CanonicalPlan *plan)
{
	if (passes.most == 0 || !request_may_iterate(request, plan))
		return;
	request->passes_max = passes.most;
	request->has_submission = true;
	memcpy(request->submission, passes.id, SUBMISSION_ID_BYTES);
}

List *
submission_nodes(void)
{
	return current.nodes;
}

/* ---- what people have said ---- */

static bool
is_open(ApprovalState state)
{
	return state == APPROVAL_PENDING || state == APPROVAL_HELD || state == APPROVAL_UNASKED;
}

static bool
is_yes(ApprovalState state)
{
	return state == APPROVAL_GIVEN || state == APPROVAL_NOT_NEEDED;
}

/* A no, or what will not become a yes. */
static void
raise_no(const RunNodes *nodes)
{
	for (int i = 0; i < nodes->n; i++)
	{
		const ApprovalFact *said = &nodes->node[i].proposal;

		if (is_yes(said->state) || is_open(said->state))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_APPROVED),
				 errmsg("the question at node \"%s\" is not approved: it is %s", nodes->node[i].name,
						approval_state_name(said->state)),
				 said->reason[0] ? errdetail("The reason given: %s", said->reason) : 0,
				 errhint("Submit a question anew, perhaps another one.")));
	}
}

/* "lmu" waits for irb (0 of 1); ...: a line each. */
static char *
open_nodes(const RunNodes *nodes)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < nodes->n; i++)
	{
		const ApprovalFact *said = &nodes->node[i].proposal;

		if (!is_open(said->state))
			continue;
		appendStringInfo(&text, "%sNode \"%s\" waits for %s", text.len ? "\n" : "", nodes->node[i].name, said->waits_for);
		if (said->state == APPROVAL_HELD)
			appendStringInfo(&text, "; it is held back (%s)", said->reason);
		appendStringInfoChar(&text, '.');
	}
	return text.data;
}

static bool
all_say_yes(const RunNodes *nodes)
{
	for (int i = 0; i < nodes->n; i++)
		if (!is_yes(nodes->node[i].proposal.state))
			return false;
	return true;
}

/* Does anything wait, and nothing say no? */
static bool
may_become_yes(const RunNodes *nodes)
{
	for (int i = 0; i < nodes->n; i++)
		if (!is_yes(nodes->node[i].proposal.state) && !is_open(nodes->node[i].proposal.state))
			return false;
	return true;
}

/* True when all have said yes; false on a no, or when the time is up. */
static bool
wait_for_people(RunNodes *nodes, const Request *request)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), approval_wait_ms);

	while (!all_say_yes(nodes) && may_become_yes(nodes) && GetCurrentTimestamp() < deadline)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(POLL_MS, approval_wait_ms), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		nodes_propose(nodes, request);
	}
	return all_say_yes(nodes);
}

static void
raise_not_yes(const RunNodes *nodes)
{
	raise_no(nodes);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_AWAITS_APPROVAL),
			 errmsg("not all have approved this run"),
			 errdetail_internal("%s", open_nodes(nodes)),
			 errhint("secmed.submit() and secmed.result() do not wait in the session; secmed.approval_wait says how long others do.")));
}

/* ---- runs ---- */

static void
name_nodes(const RunNodes *nodes)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	for (int i = 0; i < nodes->n; i++)
		current.nodes = lappend(current.nodes, pstrdup(nodes->node[i].name));
	MemoryContextSwitchTo(old);
}

/* Nobody shall decide on half of a statement. */
static pg_attribute_noreturn() void
refuse_second(void)
{
	ListCell   *lc;

	if (current.propose)
		foreach(lc, current.nodes)
			submission_withdraw(lfirst(lc), current.id);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NOT_ALLOWED),
			 errmsg("a submission is one question to the sites"),
			 errhint("Submit the parts of the statement one by one.")));
}

bool
submission_prepare(RunNodes *nodes, Request *request)
{
	bool		later_pass = request->passes_max > 0 && passes.asked;

	nodes->may_wait = !current.active && approval_wait_ms > 0 && !later_pass && (!request->has_submission || request->passes_max > 0);
	passes.asked = passes.asked || request->passes_max > 0;
	if (!current.active || later_pass)
		return true;
	if (request->kind == REQUEST_CHANGE)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("a change of a shared table can't be submitted"),
				 errhint("Set secmed.approval_wait, and make the change.")));
	if (current.nodes != NIL)
		refuse_second();
	name_nodes(nodes);
	request->has_submission = true;
	memcpy(request->submission, current.id, SUBMISSION_ID_BYTES);
	nodes_propose(nodes, request);
	if (current.propose)
	{
		raise_no(nodes);
		return false;
	}
	if (!wait_for_people(nodes, request))
		raise_not_yes(nodes);
	nodes_touch(request);
	return true;
}

void
submission_withdraw(const char *node, const uint8 id[SUBMISSION_ID_BYTES])
{
	ProposalQuestion question = {.withdraw = true};
	StringInfoData message;
	StringInfoData answer;

	memcpy(question.submission, id, SUBMISSION_ID_BYTES);
	initStringInfo(&message);
	initStringInfo(&answer);
	proposal_question_encode(&message, &question);
	nodeconn_ask(nodeconn_get(node), "propose", message.data, message.len, &answer,
				 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms));
}

/* Of a statement that gives up.  One that is cancelled lets its question expire. */
static void
withdraw_at_all(const RunNodes *nodes, const Request *request)
{
	for (int i = 0; i < nodes->n; i++)
		if (is_open(nodes->node[i].proposal.state) || nodes->node[i].proposal.state == APPROVAL_GIVEN)
			submission_withdraw(nodes->node[i].name, request->submission);
}

void
submission_wait(RunNodes *nodes, Request *request)
{
	nodes->may_wait = nodes->awaits = false;
	nodes_renew(request);
	request->has_submission = true;
	if (request->passes_max == 0)
		random_bytes(request->submission, SUBMISSION_ID_BYTES);
	nodes_propose(nodes, request);
	if (!wait_for_people(nodes, request))
	{
		withdraw_at_all(nodes, request);
		raise_not_yes(nodes);
	}
	nodes_renew(request);
}
