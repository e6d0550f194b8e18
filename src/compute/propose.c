/*
 * propose.c
 *	  SELECT secmed.propose(question): another node asks for the yes of the
 *	  people here to a run that it would like to make.
 *
 * What it asks is decided on as the run will be, and so is not put before
 * people if no yes could help it; only then does a question wait.  It leaves
 * a request on the ledger, as a run does, that ends with "proposed".  Asked again
 * for a question that is known, the node tells the state and records nothing.
 */
#include "postgres.h"

#include "compute/describe.h"
#include "compute/permit.h"
#include "contract/proposal.h"
#include "fmgr.h"
#include "govern/approval.h"
#include "peer/served.h"
#include "query/serving.h"
#include "query/site_source.h"
#include "query/site.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_propose);

typedef struct Proposed
{
	Serving		run;
	CanonicalPlan plan;			/* of a REQUEST_RUN */
	ObliviousPlan oblivious;	/* of the others */
	CheckedPlan checked;
	const char *statement;
} Proposed;

static void
take_site_plan(Proposed *proposed)
{
	Serving    *run = &proposed->run;
	const char *reason;

	if (!plan_decode(&proposed->plan, run->request.plan, run->request.plan_len, &reason))
		serving_protocol_error(reason);
	serving_check_passes(run, &proposed->plan);
	run->record = record_of_plan(&run->request, &proposed->plan, run->plan_hash);
	for (int i = 0; i < proposed->plan.ntables; i++)
		run->tables = lappend(run->tables, proposed->plan.tables[i].name);
	proposed->statement = proposed->plan.sql;
}

static void
take_oblivious_plan(Proposed *proposed)
{
	Serving    *run = &proposed->run;
	PlanRefusal refusal;
	const char *reason;

	if (!oblivious_plan_decode(&proposed->oblivious, run->request.plan, run->request.plan_len, &reason))
		serving_protocol_error(reason);
	if (!plan_check(&proposed->checked, &proposed->oblivious, &refusal))
		serving_protocol_error(refusal.refusal.reason);
	if (run->party < 0)
		serving_protocol_error("a computation in which this node is no party");
	run->record = describe_answer(&run->request, &proposed->checked, run->plan_hash);
	run->tables = describe_tables(&proposed->oblivious);
	proposed->statement = describe_plan(&proposed->checked);
}

/* As the run will be decided on, but for the people. */
static void
decide(Proposed *proposed)
{
	Serving    *run = &proposed->run;
	bool		show_zero;

	serving_decide(run);
	if (run->request.kind != REQUEST_RUN && run->party >= 0)
		permit_inputs(&proposed->checked, &run->request, &run->coordinator);
	else if (run->request.kind != REQUEST_RUN)
		site_sources_prepare(&run->request, &proposed->checked, run->site);
	else if (run->site >= 0)
		site_rule(site_prepare(&run->request, &proposed->plan), &run->record.patients_min, &show_zero);
}

/* "research:alice asks about trial: an aggregate over the rows of charite, lmu and gemelli" */
static char *
question_in_words(const Proposed *proposed)
{
	const Request *request = &proposed->run.request;
	StringInfoData words;

	initStringInfo(&words);
	appendStringInfo(&words, "%s:%s %s %s", request->coordinator, request->requester,
					 request->kind == REQUEST_CHANGE ? "wants to change" : "asks about", proposed->run.record.tables);
	if (request->nsites > 0)
		appendStringInfoString(&words, ": aggregates over the rows of ");
	for (int i = 0; i < request->nsites; i++)
		appendStringInfo(&words, "%s%s", i == 0 ? "" : i + 1 < request->nsites ? ", " : " and ", request->sites[i].name);
	if (request->passes_max > 0)
		appendStringInfo(&words, "; one regression, in at most %d passes with coefficients found on the way", (int) request->passes_max);
	return words.data;
}

static ApprovalFact
ask(Proposed *proposed, const ProposalQuestion *question)
{
	Serving    *run = &proposed->run;
	AskedQuestion asked = {.request = &run->request,.bytes = question->request,.len = question->request_len,
		.plan_hash = run->plan_hash,.tables = run->tables,.tables_text = run->record.tables,
	.question = question_in_words(proposed),.statement = proposed->statement};
	ApprovalFact answer;

	serving_record(run, proposed->statement);
	PG_TRY();
	{
		decide(proposed);
		asked.reveals = record_revealed(&run->record);
		answer = approval_ask(&asked);
		record_run(&run->record, ENTRY_OUTCOME, "proposed", "nothing");
	}
	PG_CATCH();
	{
		serving_failed(run);
	}
	PG_END_TRY();
	return answer;
}

static ApprovalFact
propose(const ProposalQuestion *question)
{
	Proposed   *proposed = palloc0(sizeof(Proposed));
	Request    *request = &proposed->run.request;
	ApprovalFact answer;

	serving_take_bytes(&proposed->run, (const char *) question->request, question->request_len);
	proposed->run.proposed = true;
	if (!request->has_submission)
		serving_protocol_error("a proposal without a submission");
	if (strcmp(request->coordinator, served_peer()->name) == 0 && approval_known(request, &answer))
		return answer;
	if (request->kind == REQUEST_RUN)
		take_site_plan(proposed);
	else
		take_oblivious_plan(proposed);
	return ask(proposed, question);
}

static Datum
sealed_answer(const ApprovalFact *answer)
{
	StringInfoData bytes;
	StringInfoData sealed;

	initStringInfo(&bytes);
	initStringInfo(&sealed);
	proposal_answer_encode(&bytes, answer);
	served_seal(&sealed, bytes.data, bytes.len);
	return PointerGetDatum(cstring_to_text_with_len(sealed.data, sealed.len));
}

Datum
secmed_propose(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);
	StringInfoData bytes;
	ProposalQuestion question;
	ApprovalFact answer = {.state = APPROVAL_WITHDRAWN,.waits_for = "",.reason = ""};
	const char *reason;

	initStringInfo(&bytes);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	if (!proposal_question_decode(&question, bytes.data, bytes.len, &reason))
		serving_protocol_error(reason);
	if (question.withdraw)
		approval_withdraw(question.submission, served_peer()->name);
	else
		answer = propose(&question);
	PG_RETURN_DATUM(sealed_answer(&answer));
}
