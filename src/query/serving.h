/*
 * serving.h
 *	  What is the same for every kind of run at a node that was asked: whose
 *	  request it is, the decision, the ledger, the limits of time, the end.
 */
#ifndef SECMED_SERVING_H
#define SECMED_SERVING_H

#include "postgres.h"
#include "fmgr.h"
#include "identity/node.h"
#include "nodes/pg_list.h"
#include "peer/link.h"
#include "query/record.h"

typedef struct Serving
{
	NodeCard	coordinator;
	Request		request;
	uint8		plan_hash[HASH_BYTES];
	RunRecord	record;			/* filled in by whoever knows the plan */
	List	   *tables;			/* their names, likewise */
	bool		about_nobody;	/* the plan reads nothing but numbers that it makes up */
	int			site;			/* index of this node among the sites, or -1 */
	int			party;			/* among the parties, or -1 */
	PartyLinks *links;
	bool		recorded;		/* the request is on the ledger: so must be its end */
	bool		decided;		/* and the answer was yes */
	bool		approved;		/* because people here have said so, to this run alone */
	bool		proposed;		/* only asked about: nothing is paid yet */
	bool		released;
	const Noise *noise;			/* of the answer, and this node is a site: it spends privacy; or NULL */
	uint64		rho_left;		/* then, for this requester */
	TimestampTz work_until;		/* for a site's sub-query */
	TimestampTz patience;		/* for the coordinator, who has the same timeout and counts first */
} Serving;

/*
 * Opens the argument of the call, verifies the coordinator's signature and works out
 * the limits of time.  Nothing of the plan has been looked at.  over_sums: a REQUEST_RUN,
 * and no other, is expected.
 */
extern void serving_take(Serving *serving, bytea *frame, bool over_sums);

/* The same with the bytes of a request of any kind, which another message brought. */
extern void serving_take_bytes(Serving *serving, const char *bytes, size_t len);

/* An error if the request is one of several passes, and its plan not one that has them. */
extern void serving_check_passes(const Serving *serving, const CanonicalPlan *plan);

/* The request is queued for the ledger, with the question's words. */
extern void serving_record(Serving *serving, const char *words);

/* At a party, before anything is decided: a run that costs something has begun.  Commits. */
extern void serving_begin_paid(Serving *serving, FunctionCallInfo fcinfo);

/*
 * Asks policy.c: first all that comes before this node's own reading of the question, then, once
 * it has read it, the rest.  An error, with the rule's name in the record, if the answer is no.
 */
extern void serving_decide(Serving *serving);
extern void serving_decide_rest(Serving *serving);

/* Yes, for the ledger. */
extern void serving_agree(Serving *serving);

/*
 * A site takes the question up: from now on it counts as asked, also if it fails (govern/repeats.h).  Commits.
 */
extern void serving_take_up(Serving *serving, FunctionCallInfo fcinfo);

/*
 * This node is about to give something away: a run under a contract counts from now on, and what its
 * noise spends is spent, whatever becomes of it.  Commits, with all that was written about the run.
 */
extern void serving_count_use(Serving *serving, FunctionCallInfo fcinfo);

/* Of a site or party of the run: its card, as it is known here. */
extern NodeCard serving_card(const NodeRef *ref);

/*
 * Seals one package to each party, and wipes them; ERRCODE_PROGRAM_LIMIT_EXCEEDED if they are longer than a party
 * takes.  `sealed` and their hashes are palloc'd.  What a party does with the
 * one that is for it: serving_is_sealed() holds it against the hash that the receipt binds; serving_unseal() opens it, NULL if it is not
 * sealed to this node; the package has *len bytes, to be wiped.
 */
extern void serving_seal(const Serving *serving, StringInfo packages[PARTIES], Bytes sealed[PARTIES],
						 uint8 hashes[PARTIES][HASH_BYTES]);
extern bool serving_is_sealed(Bytes sealed, const uint8 hash[HASH_BYTES]);
extern uint8 *serving_unseal(Bytes sealed, size_t *len);

/* The next message of the coordinator: every site's receipt and package, kept in `message`. */
extern void serving_inputs(Serving *serving, InputsMessage *inputs, StringInfo message);

/* Fails unless the bytes are signed by this site for this purpose. */
extern void serving_verify_site(const Serving *serving, int site, const char *purpose, const InputsMessage *inputs);

/* Opens the links to the other parties (does not wait). */
extern void serving_link(Serving *serving);

/* When a computation must be over: parties miss each other before the coordinator misses them all. */
extern TimestampTz serving_compute_until(const Serving *serving);

/* The outcome `opened` is durable, and that the run is to be paid, then the message leaves.  Commits. */
extern void serving_open(Serving *serving, const StringInfoData *message, FunctionCallInfo fcinfo);

/* Or the outcome that nothing is opened, because a group is close to an answered one. */
extern void serving_refuse(Serving *serving, const StringInfoData *message);

/*
 * Waits for the coordinator's word of the end; records it if this node has not opened anything. True if the
 * parties have signed that none of them has.
 */
extern bool serving_finish(Serving *serving);

/* In a PG_CATCH: records the outcome and raises the error again. */
extern void serving_failed(Serving *serving) pg_attribute_noreturn();

/* ERRCODE_SECMED_PROTOCOL in the name of the caller. */
extern void serving_protocol_error(const char *reason) pg_attribute_noreturn();

#endif							/* SECMED_SERVING_H */
