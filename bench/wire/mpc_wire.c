/*
 * mpc_wire.c
 *	  The engine measured over the links of real nodes: for bench/mpc, never
 *	  installed.
 *
 * A library for a superuser's session at each of three nodes.  It brings the
 * engine and the operations along, and asks secmed for a party's two links
 * (src/peer/link.h): sealed messages in CopyBoth over TLS to the next node, and
 * from the previous one through its relay and shared memory.  So what is
 * measured is what a run does between its first round and its last, in the
 * backends that do it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mpc_operations.h"
#include "peer/link.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(mpc_wire);

/* Longest operation, with all its runs. */
#define DEADLINE_MS		(10 * 60 * 1000)

static const char *const nodes[PARTIES] = {"charite", "lmu", "gemelli"};

static const Operation *
find_operation(const char *name)
{
	for (int k = 0; k < mpc_operation_count; k++)
	{
		if (strcmp(mpc_operations[k].name, name) == 0)
			return &mpc_operations[k];
	}
	elog(ERROR, "there is no operation \"%s\"", name);
}

static char *
report_text(const Report *report)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int run = 0; run <= MPC_RUNS; run++)
		appendStringInfo(&text, "%.9f %.9f %.9f ", report->start[run], report->end[run], report->cpu[run]);
	appendStringInfo(&text, UINT64_FORMAT " " UINT64_FORMAT " %d", report->bytes, report->rounds, report->good);
	return text.data;
}

/* mpc_wire(operation, rows, run, party) */
Datum
mpc_wire(PG_FUNCTION_ARGS)
{
	const Operation *operation = find_operation(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	int64		rows = PG_GETARG_INT64(1);
	bytea	   *run = PG_GETARG_BYTEA_PP(2);
	int			index = PG_GETARG_INT32(3);
	const LinksInterface *const *found = (const LinksInterface *const *) find_rendezvous_variable(LINKS_RENDEZVOUS);
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DEADLINE_MS);
	Party		party = {0};
	Report		report = {{0}};
	PartyLinks *links;

	if (*found == NULL)
		elog(ERROR, "secmed is not loaded");
	if (VARSIZE_ANY_EXHDR(run) != RUN_ID_BYTES || index < 0 || index >= PARTIES || rows < 0)
		elog(ERROR, "no such run or party");
	links = (*found)->open((const uint8 *) VARDATA_ANY(run), index, nodes);
	(*found)->ready(links, &party, deadline);
	mpc_measure(&party, operation, rows, &report);
	(*found)->close(links);
	PG_RETURN_TEXT_P(cstring_to_text(report_text(&report)));
}
