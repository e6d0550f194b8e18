/*
 * site_rows.c
 *	  A site's part of a run: running the checked sub-query, and its rows as a
 *	  vector of ring elements.
 *
 * One row comes for each group that has rows; a group's place in the vector
 * follows from its keys' places in their public domains.
 */
#include "postgres.h"

#include "access/xact.h"
#include "audit/append.h"
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "peer/served.h"
#include "query/consent_filter.h"
#include "query/encode.h"
#include "query/site_cohorts.h"
#include "query/site_noise.h"
#include "rewrite/rewriteHandler.h"
#include "share/wide.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

static Tuplestorestate *
run_query(SiteQuery *site, Snapshot snapshot, uint64 limit, TupleDesc *desc)
{
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem + site_values_memory_kb(site->plan));
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	Query	   *selected = copyObject(site->query);
	ParamListInfo params = consent_filter(site, selected);
	List	   *rewritten = QueryRewrite(site_noise_limit_rows(site, selected));
	PlannedStmt *planned;
	QueryDesc  *query;

	if (list_length(rewritten) != 1)
		site_refuse("The plan became several statements");
	planned = pg_plan_query(linitial_node(Query, rewritten), site->plan->sql,
							CURSOR_OPT_PARALLEL_OK, params);
	SetTuplestoreDestReceiverParams(receiver, rows, CurrentMemoryContext, false, NULL, NULL);

	PushActiveSnapshot(snapshot ? snapshot : GetTransactionSnapshot());
	query = CreateQueryDesc(planned, site->plan->sql, GetActiveSnapshot(), InvalidSnapshot,
							receiver, params, NULL, 0);
	ExecutorStart(query, 0);
	ExecutorRun(query, ForwardScanDirection, limit, true);
	*desc = CreateTupleDescCopy(query->tupDesc);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	PopActiveSnapshot();
	return rows;
}

/* Position of each value of a key, by its text. */
typedef struct KeyValue
{
	char	   *text;
	int			position;
} KeyValue;

static int
compare_key_values(const void *a, const void *b)
{
	return strcmp(((const KeyValue *) a)->text, ((const KeyValue *) b)->text);
}

typedef struct KeyIndex
{
	int			n;
	KeyValue   *values;			/* sorted by text */
	int			null_position;	/* or -1 */
} KeyIndex;

static KeyIndex *
index_keys(const CanonicalPlan *plan)
{
	KeyIndex   *index = palloc0(sizeof(KeyIndex) * (plan->nkeys + 1));

	for (int i = 0; i < plan->nkeys; i++)
	{
		index[i].values = palloc(sizeof(KeyValue) * (plan->keys[i].nvalues + 1));
		index[i].null_position = -1;
		for (int j = 0; j < plan->keys[i].nvalues; j++)
		{
			if (plan->keys[i].values[j] == NULL)
				index[i].null_position = j;
			else
				index[i].values[index[i].n++] = (KeyValue) {plan->keys[i].values[j], j};
		}
		qsort(index[i].values, index[i].n, sizeof(KeyValue), compare_key_values);
	}
	return index;
}

static void
outside_domain(int key)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_OUTSIDE_DOMAIN),
			 errmsg("site \"%s\" has rows outside the public values of key %d",
					node_self()->card.name, key + 1),
			 errdetail("The value stays at the site."),
			 errhint("Leave such rows out with WHERE, or ask the site to publish a wider domain.")));
}

static size_t
cell_of_row(const CanonicalPlan *plan, const KeyIndex *index, TupleTableSlot *slot)
{
	size_t		cell = 0;

	for (int i = 0; i < plan->nkeys; i++)
	{
		int			position = index[i].null_position;

		if (!slot->tts_isnull[i])
		{
			Oid			output;
			bool		varlena;
			KeyValue	wanted = {NULL, 0};
			KeyValue   *found;

			getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, i)->atttypid, &output, &varlena);
			wanted.text = OidOutputFunctionCall(output, slot->tts_values[i]);
			found = bsearch(&wanted, index[i].values, index[i].n, sizeof(KeyValue), compare_key_values);
			position = found ? found->position : -1;
		}
		if (position < 0)
			outside_domain(i);
		cell = cell * plan->keys[i].nvalues + position;
	}
	return cell;
}

/* Where rows go. */
typedef struct Encoding
{
	uint128    *elements;
	SiteValues *values;
	PlanLayout	layout;
} Encoding;
/*
 * The parties hold what they open of an estimate against numbers of rows, so each must be a patient of its own.
 */
static void
check_counts(const CanonicalPlan *plan, const PlanLayout *layout, const uint128 *cell)
{
	uint128		rows = 0;

	if (plan->estimate.program == 0)
		return;
	for (size_t i = 0; i < estimate_inputs(&plan->estimate); i++)
		rows += cell[layout->component[0] + i];
	if (rows > cell[layout->part_start[0]])
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("site \"%s\" has patients with several rows", node_self()->card.name),
				 errdetail("Survival over sites counts each patient once."),
				 errhint("Leave all rows of a patient but one out with a condition, or ask the site to publish a view of patients.")));
}

/* The components, the patients of each part, and the mark that the cell has rows. */
static void
encode_row(const SiteQuery *site, const Encoding *encoding, TupleTableSlot *slot, size_t number)
{
	const CanonicalPlan *plan = site->plan;
	const PlanLayout *layout = &encoding->layout;
	uint128    *cell = encoding->elements + number * layout->stride;
	int			column = plan->nkeys;

	for (int i = 0; i < plan->ncomponents; i++, column++)
		if (plan_quantiles(plan, i) && !slot->tts_isnull[column])
			site_values_take(encoding->values, i, number, slot->tts_values[column], cell + layout->component[i]);
		else if (site->noise != NULL)
			component_encode_bounded(plan->components[i], slot->tts_values[column], slot->tts_isnull[column],
									 TupleDescAttr(slot->tts_tupleDescriptor, column)->atttypid,
									 cell + layout->component[i]);
		else
			component_encode(plan->components[i], plan_width(plan, i), slot->tts_values[column], slot->tts_isnull[column],
							 TupleDescAttr(slot->tts_tupleDescriptor, column)->atttypid,
							 cell + layout->component[i]);
	for (int part = 0; part < plan->nparts; part++, column++)
		cell[layout->part_start[part]] =
			slot->tts_isnull[column] ? 0 : DatumGetInt64(slot->tts_values[column]);
	cell[layout->exists] = mark_encode(true);
	check_counts(plan, layout, cell);
}

static void
encode_rows(SiteQuery *site, Tuplestorestate *rows, TupleDesc desc, void *arg)
{
	const Encoding *encoding = arg;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	KeyIndex   *index = index_keys(site->plan);

	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		size_t		cell;

		slot_getallattrs(slot);
		cell = cell_of_row(site->plan, index, slot);
		encode_row(site, encoding, slot, cell);
		if (site->cohorts != NULL)
			site_cohorts_take(site, cell, slot, site->plan->nkeys + site->plan->ncomponents + site->plan->nparts);
		CHECK_FOR_INTERRUPTS();
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* What a row raised is an entry's body: it stays here, for who looks into it. */
static void
record_row_error(const Request *request, const ErrorData *error)
{
	LedgerEntry entry = {.kind = ENTRY_EXECUTION, .has_run = true, .object = "", .outcome = "row error", .revealed = ""};
	char	   *body = psprintf("%s: %s", unpack_sql_state(error->sqlerrcode), error->message ? error->message : "");

	memcpy(entry.run, request->run, RUN_ID_BYTES);
	entry.actor = psprintf("%s:%s", request->coordinator, request->requester);
	audit_append(&entry, body, strlen(body));
}

/*
 * What other nodes may know of an error that rows raised.  Whatever it was it is the same error to them: its kind
 * would be one more answer.
 */
static void
raise_general_error(const Request *request, const ErrorData *error)
{
	const char *site = node_self()->card.name;

	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case MAKE_SQLSTATE('S', 'M', '0', '0', '0'):
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_TRANSACTION_ROLLBACK:
			ereport(ERROR,
					(errcode(error->sqlerrcode),
					 errmsg_internal("%s", error->message),
					 error->detail ? errdetail_internal("%s", error->detail) : 0,
					 error->hint ? errhint("%s", error->hint) : 0));
	}
	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("site \"%s\" may not read its own published table", site),
				 errdetail_internal("%s", error->message),
				 errhint("The owner of the view in schema secmed_published needs SELECT on the table.")));
	record_row_error(request, error);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_ROW_ERROR),
			 errmsg("the question fails on rows of site \"%s\"", site),
			 errdetail("The error itself stays at the site, because it may tell a patient's value."),
			 errhint("Guard divisions with NULLIF and casts with CASE, scale down what may be out of range, take left() of long texts, or leave such rows out with WHERE.")));
}

void
site_run(SiteQuery *site, Snapshot snapshot, uint64 limit, TimestampTz deadline, SiteRowsTaker take, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	RunnerScope scope;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		TupleDesc	desc;
		Tuplestorestate *rows;

		runner_begin(&scope);
		served_watch_begin(deadline);
		rows = run_query(site, snapshot, limit, &desc);
		take(site, rows, desc, arg);
		tuplestore_end(rows);
		served_watch_end();
		runner_end(&scope);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		served_watch_end();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		raise_general_error(site->request, error);
	}
	PG_END_TRY();
}

Tuplestorestate *
site_look(SiteQuery *site, TupleDesc *desc)
{
	RunnerScope scope;
	Tuplestorestate *rows;

	runner_begin(&scope);
	rows = run_query(site, NULL, 0, desc);
	runner_end(&scope);
	return rows;
}

SiteValues *
site_execute(SiteQuery *site, uint128 *elements, TimestampTz deadline)
{
	Encoding	encoding = {elements, site_values_create(site->plan, site->rows_most), plan_layout(site->plan)};
	ListCell   *lc;

	foreach(lc, site->cohort_targets)
		site->query->targetList = lappend(site->query->targetList,
										  makeTargetEntry(lfirst(lc), list_length(site->query->targetList) + 1, "cohort", false));
	site_run(site, NULL, 0, deadline, encode_rows, &encoding);
	return encoding.values;
}
