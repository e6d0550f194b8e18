/*
 * record.h
 *	  What a run leaves on a node's ledger, the same at coordinator, site and
 *	  party.
 */
#ifndef SECMED_RECORD_H
#define SECMED_RECORD_H

#include "postgres.h"
#include "audit/append.h"
#include "contract/noise.h"
#include "contract/request.h"

typedef struct RunRecord
{
	const Request *request;
	const uint8 *plan_hash;
	char	   *tables;			/* "trial, visit"; at most ENTRY_TEXT_MAX bytes */
	char	   *what;			/* what opening a group reveals: "2 x count", nothing of the query's text */
	uint64		cells;			/* groups the answer may have */
	uint64		elements;		/* shared values in it */
	uint64		patients_min;	/* 0 until it is known */
	const char *rule;			/* that is being decided by, for a no; NULL before */
} RunRecord;

extern RunRecord record_of_plan(const Request *request, const CanonicalPlan *plan, const uint8 *hash);

/* What is opened has this noise. */
extern void record_noise(RunRecord *record, const Noise *noise);

/* Queues an entry of this run; see audit_append(). */
extern AuditTicket record_run(const RunRecord *record, EntryKind kind, const char *outcome,
							  const char *revealed);

/*
 * The entry of the request, with the question's words and parameters: they
 * may hold a patient's details and stay in this node's side table.
 */
extern void record_request(const RunRecord *record, const char *outcome, const char *words);

/* "to research:alice, of each group with at least 5 patients: 2 x count" */
extern char *record_revealed(const RunRecord *record);

/*
 * Called in a PG_CATCH, after whatever must be closed was closed: the outcome
 * `word` with the SQLSTATE of the error ("cancelled" if it was), then raises
 * the error again.  Reads no catalog.
 */
extern void record_failure_and_rethrow(const RunRecord *record, bool decided) pg_attribute_noreturn();

#endif							/* SECMED_RECORD_H */
