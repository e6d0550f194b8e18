/*
 * calibrate.c
 *	  secmed.calibrate(server): what rounds, bytes and values cost among the parties of a server.
 *
 * Plans over numbers that everybody knows (INPUT_NUMBERS) are run as any question is, with its requests,
 * decisions and entries on the ledgers.  What differs between two of them is what one of the costs is taken from:
 *
 *	  idle	 a sum of few numbers
 *	  rounds idle, and many comparisons one after the other
 *	  sum	 a sum of many numbers
 *	  values sum, and many additions, which send nothing
 *	  bytes	 sum, and each number a group of its own, which sorts them
 *
 * Less than a second on one machine, and some 1000 rounds where a round is long.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "compute/run.h"
#include "compute/scan.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "query/calibration.h"
#include "query/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_calibrate);

#define FEW_NUMBERS		64
#define MANY_NUMBERS	(32 * 1024)
#define COMPARISONS		20
#define ADDITIONS		100
/* Of each the fastest of so many runs counts: others were disturbed. */
#define RUNS			3

typedef enum Probe
{
	PROBE_IDLE,
	PROBE_ROUNDS,
	PROBE_SUM,
	PROBE_VALUES,
	PROBE_BYTES,
	PROBES
} Probe;

typedef struct Taken
{
	double		mpc_us;
	double		other_us;		/* of the whole run */
	double		rounds;
	double		bytes;			/* of one party */
} Taken;

/* ---- plans ---- */

static int
add_above(ObliviousPlan *plan, PlanNode node, int child)
{
	node.nchildren = 1;
	node.children = palloc(sizeof(int));
	node.children[0] = child;
	return oblivious_plan_add_node(plan, &node);
}

/* The number, with each comparison or addition on top of the one before. */
static Expression *
chain(ExpressionKind kind, int length)
{
	Expression *expression = expression_column(0);

	for (int i = 0; i < length; i++)
		expression = expression_binary(kind, expression_column(0), expression);
	return expression;
}

static int
add_project(ObliviousPlan *plan, ExpressionKind kind, int columns, int length, int child)
{
	PlanNode	project = {.kind = PLAN_PROJECT,.nexpressions = columns};

	project.expressions = palloc(sizeof(Expression *) * columns);
	for (int i = 0; i < columns; i++)
		project.expressions[i] = chain(kind, length);
	return add_above(plan, project, child);
}

static PlanNode
sum_of_first(int nkeys)
{
	PlanNode	group = {.kind = PLAN_GROUP,.nkeys = nkeys,.naggregates = 1};

	group.keys = palloc0(sizeof(int));
	group.aggregates = palloc0(sizeof(PlanAggregate));
	group.aggregates[0].kind = PLAN_AGGREGATE_SUM;
	group.aggregates[0].nargs = 1;
	group.aggregates[0].args[0] = expression_column(0);
	return group;
}

static ObliviousPlan *
plan_of(Probe probe)
{
	ObliviousPlan *plan = oblivious_plan_create();
	InputColumn *column = palloc0(sizeof(InputColumn));
	PlanInput	input = {.name = "numbers",.kind = INPUT_NUMBERS,.patient = PATIENT_NONE,.ncolumns = 1,.columns = column};
	PlanNode	release = {.kind = PLAN_RELEASE,.ncolumns = 1,.columns = palloc0(sizeof(int)),.rows = 1};
	int			at;

	*column = (InputColumn) {"number", secret_integer(20), true};
	input.rows = probe < PROBE_SUM ? FEW_NUMBERS : MANY_NUMBERS;
	oblivious_plan_add_input(plan, &input);
	at = oblivious_plan_add_node(plan, &(PlanNode) {.kind = PLAN_SCAN});
	if (probe == PROBE_ROUNDS)
		at = add_project(plan, EXPRESSION_LEAST, 1, COMPARISONS, at);
	if (probe == PROBE_VALUES)
		at = add_project(plan, EXPRESSION_ADD, ADDITIONS / 10, 10, at);
	if (probe == PROBE_BYTES)
		at = add_above(plan, sum_of_first(1), at);
	at = add_above(plan, sum_of_first(0), at);
	add_above(plan, release, at);
	return plan;
}

/* ---- runs ---- */

static Taken
take(const Federation *federation, const ObliviousPlan *plan)
{
	bytea	   *bytes = answer_plan_to_bytea(plan);
	CheckedPlan checked;
	PlanRefusal refusal;
	AnswerSpec	spec = {.federation = federation,.plan = plan,.checked = &checked,
		.plan_bytes = (uint8 *) VARDATA(bytes),.plan_len = VARSIZE(bytes) - VARHDRSZ};
	AnswerResult *result;

	if (!plan_check(&checked, plan, &refusal))
		elog(ERROR, "a plan to measure with: node %d %s", refusal.node, refusal.refusal.reason);
	spec.params = palloc0(sizeof(char *));
	spec.statement = psprintf("SELECT secmed.calibrate(%s)", quote_literal_cstr(federation->server));
	result = answer_run(&spec);
	return (Taken) {result->mpc_ms * 1000, (result->total_ms - result->mpc_ms) * 1000, result->rounds,
		result->mpc_bytes / PARTIES};
}

static Taken
take_fastest(const Federation *federation, Probe probe)
{
	const ObliviousPlan *plan = plan_of(probe);
	Taken		fastest = take(federation, plan);

	for (int i = 1; i < RUNS; i++)
	{
		Taken		taken = take(federation, plan);

		fastest.other_us = Min(fastest.other_us, taken.other_us);
		fastest.mpc_us = Min(fastest.mpc_us, taken.mpc_us);
	}
	return fastest;
}

/* Noise must not make anything cost nothing. */
static double
per(double us, double count, double least)
{
	return Max(us / count, least);
}

static Calibration
measure(const Federation *federation)
{
	Taken		taken[PROBES];
	Calibration calibration = {.measured = true};
	double		more;

	for (Probe probe = 0; probe < PROBES; probe++)
		taken[probe] = take_fastest(federation, probe);
	calibration.link.round_us = per(taken[PROBE_ROUNDS].mpc_us - taken[PROBE_IDLE].mpc_us,
									taken[PROBE_ROUNDS].rounds - taken[PROBE_IDLE].rounds, 1);
	calibration.link.value_ns = 1000 * per(taken[PROBE_VALUES].mpc_us - taken[PROBE_SUM].mpc_us,
										   (double) ADDITIONS * MANY_NUMBERS, 1e-5);
	more = taken[PROBE_BYTES].mpc_us - taken[PROBE_SUM].mpc_us -
		(taken[PROBE_BYTES].rounds - taken[PROBE_SUM].rounds) * calibration.link.round_us;
	calibration.link.bytes_per_us = 1 / per(more, taken[PROBE_BYTES].bytes - taken[PROBE_SUM].bytes, 1e-5);
	calibration.run_ms = (taken[PROBE_IDLE].other_us + taken[PROBE_IDLE].mpc_us -
						  taken[PROBE_IDLE].rounds * calibration.link.round_us) / 1000;
	calibration.run_ms = Max(calibration.run_ms, 0.1);
	return calibration;
}

Datum
secmed_calibrate(PG_FUNCTION_ARGS)
{
	const char *name = NameStr(*PG_GETARG_NAME(0));
	Federation *federation = federation_of_server(get_foreign_server_oid(name, false));
	Calibration calibration = measure(federation);
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "secmed.calibrate() returns another row than declared");
	calibration_store(name, &calibration);
	values[0] = Float8GetDatum(calibration.link.round_us);
	values[1] = Float8GetDatum(calibration.link.bytes_per_us * 1e6);
	values[2] = Float8GetDatum(calibration.link.value_ns);
	values[3] = Float8GetDatum(calibration.run_ms);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
