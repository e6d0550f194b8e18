/*
 * repeats.c
 *	  How often somebody has asked the same.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "crypto/hash.h"
#include "govern/names.h"
#include "govern/repeats.h"
#include "govern/statement.h"
#include "ledger/datum.h"
#include "utils/builtins.h"

static void
question_hash(uint8 out[HASH_BYTES], const Request *request, const uint8 plan_hash[HASH_BYTES])
{
	hash_parts(out, (HashPart[]) {{"secmed/question/1", 18}, {plan_hash, HASH_BYTES}}, 2);
	for (int i = 0; i < request->nparams; i++)
	{
		const char *value = request->params[i];
		uint8		is_null = value == NULL;

		hash_parts(out, (HashPart[]) {{out, HASH_BYTES}, {&is_null, 1}, {value, value ? strlen(value) : 0}}, 3);
	}
}

static char *
actor_of(const Request *request)
{
	return psprintf("%s:%s", request->coordinator, request->requester);
}

static Statement count_runs = {
	"SELECT (SELECT pg_catalog.count(*) FROM secmed.question_run WHERE question = $1 AND actor = $2 AND at > $3),"
	" (SELECT pg_catalog.count(*) FROM secmed.question_run WHERE failed AND actor = $2 AND at > $3)",
	3, {BYTEAOID, TEXTOID, TIMESTAMPTZOID}
};

RepeatsFact
repeats_of_run(const Request *request, const uint8 plan_hash[HASH_BYTES], int max)
{
	RepeatsFact fact = {.max = max,.days = REPEATS_DAYS};
	uint8		question[HASH_BYTES];
	TimestampTz since = GetCurrentTimestamp() - REPEATS_DAYS * USECS_PER_DAY;
	Datum		values[3];
	bool		isnull;

	if (max == 0 || !repeats_count(request))
		return (RepeatsFact) {0};
	question_hash(question, request, plan_hash);
	values[0] = bytea_datum(question, HASH_BYTES);
	values[1] = CStringGetTextDatum(actor_of(request));
	values[2] = TimestampTzGetDatum(since);
	(void) statement_begin(&count_runs, values, NULL);
	fact.times = DatumGetInt64(statement_value(0, 1, &isnull));
	fact.failed = DatumGetInt64(statement_value(0, 2, &isnull));
	statement_end(&count_runs);
	for (int i = 0; i < 4; i++)
		snprintf(fact.question + 2 * i, 3, "%02x", question[i]);
	return fact;
}

bool
repeats_count(const Request *request)
{
	return request->kind == REQUEST_RUN && !request->has_contract && !request->has_submission;
}

static Statement insert_run = {
	"INSERT INTO secmed.question_run (run, question, actor, tables) VALUES ($1, $2, $3, $4)",
	4, {BYTEAOID, BYTEAOID, TEXTOID, NAMEARRAYOID}
};
static Statement end_run = {
	"UPDATE secmed.question_run SET failed = false WHERE run = $1", 1, {BYTEAOID}
};
static Statement forget_old = {
	"DELETE FROM secmed.question_run WHERE actor = $1 AND at <= $2", 2, {TEXTOID, TIMESTAMPTZOID}
};

void
repeats_begin(const Request *request, const uint8 plan_hash[HASH_BYTES], const List *tables)
{
	uint8		question[HASH_BYTES];
	Datum		values[4] = {bytea_datum(request->run, RUN_ID_BYTES)};
	Datum		old[2] = {CStringGetTextDatum(actor_of(request)),
	TimestampTzGetDatum(GetCurrentTimestamp() - REPEATS_DAYS * USECS_PER_DAY)};

	question_hash(question, request, plan_hash);
	values[1] = bytea_datum(question, HASH_BYTES);
	values[2] = old[0];
	values[3] = name_array_datum(tables);
	statement_run(&forget_old, old, NULL);
	statement_run(&insert_run, values, NULL);
}

void
repeats_shared(const Request *request)
{
	Datum		value = bytea_datum(request->run, RUN_ID_BYTES);

	statement_run(&end_run, &value, NULL);
}
