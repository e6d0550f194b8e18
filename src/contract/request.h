/*
 * request.h
 *	  What the nodes of a run say to each other: signed requests, signed
 *	  receipts, and the plain messages around them.
 *
 * Every message is deterministic CBOR, travels in a session's sealed frames
 * (identity/session.h), and is decoded strictly.
 *
 *	  request  coordinator -> every node, argument of CALL secmed.serve
 *	           [body, signature for "secmed/run/1"], body =
 *	           [kind, run, at_us, coordinator, requester, authority, model, timeout_ms,
 *	            round bytes, sites, parties, plan, parameters]
 *	           kind: "run", or for CALL secmed.compute, whose sites may be none,
 *	           "compute" or "change"; a change has [change id, xid] behind its parameters
 *	           sites and parties: [[name, fingerprint], ...]
 *	           authority: [identity, contract, submission, reader, passes], each of them or null: the
 *	           requester's identity, the hash of the contract under which is asked, the id under which
 *	           sites were asked for their yes, the identity to which the answer is sealed, how many
 *	           runs at most are asked for under this submission (2 to PASSES_MAX); of a run that
 *	           costs something as a sixth element the document by which its price is held (payment.h)
 *	  shares   site -> coordinator
 *	           ["shares", receipt, signature, [sealed 0, 1, 2], elapsed_us, rho left or null]
 *	           rho left: of a run with noise, what the requester may still spend there, in millionths
 *	  receipt  signed by the site for "secmed/receipt/1"
 *	           ["receipt", run, plan hash, site, contract or null, patients_min, show_zero,
 *	            elements, [hash of sealed 0, 1, 2]]
 *	  inputs   coordinator -> party
 *	           ["inputs", [[receipt, signature, sealed for this party], ...]]
 *	  result   party -> coordinator
 *	           ["result", open message, patients_min, elapsed_us, rounds, bytes]
 *	  progress party -> coordinator, before its result, of a computation:
 *	           ["progress", step, steps, rounds, bytes]
 *	  finish   coordinator -> every node: ["finish", released, refusals]
 *           refusals: null, or those of the three parties
 *	  done     node -> coordinator: ["done"]
 *
 * A receipt binds a site's sealed shares to the run and the plan, and carries
 * the site's threshold to the parties past a coordinator who might like a
 * lower one, and the contract under which the site was asked, whose noise the parties add.
 */
#ifndef SECMED_REQUEST_H
#define SECMED_REQUEST_H

#include "contract/earlier.h"
#include "contract/plan.h"
#include "identity/card.h"
#include "ledger/entry.h"

/* The only security model so far: three parties, one may be curious. */
#define MODEL_HONEST_MAJORITY	"honest-majority"

typedef struct NodeRef
{
	char	   *name;
	uint8		fingerprint[HASH_BYTES];
} NodeRef;

/* What its plan is: over the rows of sites, or over shared tables (oblivious/plan.h). */
typedef enum RequestKind
{
	REQUEST_RUN = 1,			/* "run" */
	REQUEST_COMPUTE,			/* "compute" */
	REQUEST_CHANGE				/* "change": computes new shares of a shared table */
} RequestKind;

/* What a change of a shared table is known by at all nodes. */
#define CHANGE_ID_BYTES		16

/* What an analyst's submission is known by at all nodes. */
#define SUBMISSION_ID_BYTES	16

typedef struct Request
{
	RequestKind kind;
	uint8		run[RUN_ID_BYTES];
	int64		at_us;			/* microseconds since 1970, UTC; until year 9999 */
	char	   *coordinator;
	char	   *requester;		/* role at the coordinator */
	bool		has_identity;	/* what the coordinator says of who asks, and by which right */
	uint8		identity[HASH_BYTES];	/* fingerprint */
	bool		has_contract;
	uint8		contract[HASH_BYTES];	/* of the document */
	bool		has_submission;
	uint8		submission[SUBMISSION_ID_BYTES];
	bool		has_reader;
	uint8		reader[HASH_BYTES]; /* fingerprint */
	uint64		passes_max;		/* 0: this run alone; else see request_may_iterate() */
	const uint8 *payment;		/* bytes of a document; NULL: none */
	size_t		payment_len;
	char	   *model;
	uint64		timeout_ms;		/* longest silence the coordinator accepts */
	uint64		round_bytes;	/* a round among the parties lasts as long as sending so many, as it has measured */
	int			nsites;
	NodeRef		sites[SITES_MAX];
	NodeRef		parties[PARTIES];
	const uint8 *plan;			/* bytes of the plan */
	size_t		plan_len;
	char	  **params;			/* text or NULL */
	int			nparams;
	uint8		change[CHANGE_ID_BYTES];	/* of a REQUEST_CHANGE */
	uint64		change_xid;		/* of the coordinator's transaction that decides on it */
} Request;

/* Encodes, signs, appends. */
extern void request_encode(StringInfo out, const Request *request, const NodeKeys *keys);

/*
 * Decodes; plan points into bytes.  The signature is returned for the caller
 * to verify over *body with the coordinator's registered key.
 */
extern bool request_decode(Request *request, const void *bytes, size_t len,
						   const uint8 **body, size_t *body_len,
						   uint8 signature[SIGNATURE_BYTES], const char **reason);

/*
 * May runs of this plan be passes of one fit: do they differ in nothing but the point at which a
 * regression's sums are taken, the plan's only parameter?  One yes is for all of them then.
 * That the parameter is nothing but the point, each site sees in the query itself (query/site.c).
 */
extern bool request_may_iterate(const Request *request, const CanonicalPlan *plan);

/*
 * The hash of all that people say yes to: everything in the request but the run's id, the times, what a round
 * lasts, what is paid, and what a change is known by; and of passes their points.  Another plan, parameter,
 * requester, contract, site, reader or submission has another.
 */
extern void request_binding(uint8 out[HASH_BYTES], const Request *request);

/* Position of a node among sites or parties, or -1. */
extern int	noderef_find(const NodeRef *refs, int n, const char *name);

typedef struct Receipt
{
	uint8		run[RUN_ID_BYTES];
	uint8		plan[HASH_BYTES];
	char	   *site;
	bool		has_contract;
	uint8		contract[HASH_BYTES];
	uint64		patients_min;
	bool		show_zero;
	uint64		elements;		/* of the plan; those of `earlier` come behind them */
	uint8		sealed[PARTIES][HASH_BYTES];
	EarlierAnswers earlier;
} Receipt;

extern void receipt_encode(StringInfo out, const Receipt *receipt);
extern bool receipt_decode(Receipt *receipt, const void *bytes, size_t len, const char **reason);

/* A piece of a message; points into the message's bytes. */
typedef struct Bytes
{
	const uint8 *data;
	size_t		len;
} Bytes;

typedef struct SharesMessage
{
	Bytes		receipt;
	uint8		signature[SIGNATURE_BYTES];
	Bytes		sealed[PARTIES];
	uint64		elapsed_us;
	bool		has_rho_left;
	uint64		rho_left;
} SharesMessage;

extern void shares_encode(StringInfo out, const SharesMessage *shares);
extern bool shares_decode(SharesMessage *shares, const void *bytes, size_t len, const char **reason);

typedef struct InputsMessage
{
	int			nsites;
	Bytes		receipts[SITES_MAX];
	uint8		signatures[SITES_MAX][SIGNATURE_BYTES];
	Bytes		sealed[SITES_MAX];
} InputsMessage;

extern void inputs_encode(StringInfo out, const InputsMessage *inputs);
extern bool inputs_decode(InputsMessage *inputs, const void *bytes, size_t len, const char **reason);

typedef struct ResultMessage
{
	Bytes		opened;
	uint64		patients_min;
	uint64		elapsed_us;
	uint64		rounds;
	uint64		bytes;
	bool		refused;
	uint8		refusal[SIGNATURE_BYTES];
} ResultMessage;

extern void result_encode(StringInfo out, const ResultMessage *result);
extern bool result_decode(ResultMessage *result, const void *bytes, size_t len, const char **reason);

/* How far a party is: the node of the plan it is at, from 0, and what was sent until now. */
typedef struct ProgressMessage
{
	uint64		step;
	uint64		steps;			/* more than step */
	uint64		rounds;
	uint64		bytes;
} ProgressMessage;

extern void progress_encode(StringInfo out, const ProgressMessage *progress);
extern bool progress_decode(ProgressMessage *progress, const void *bytes, size_t len, const char **reason);

/* How a run ended; at most one of the two. */
typedef struct FinishMessage
{
	bool		released;
	bool		refused;
	uint8		refusals[PARTIES][SIGNATURE_BYTES];
} FinishMessage;

extern void finish_encode(StringInfo out, const FinishMessage *finish);
extern bool finish_decode(FinishMessage *finish, const void *bytes, size_t len, const char **reason);

/* What a party signs that has refused. */
#define REFUSAL_PURPOSE		"secmed/refused/1"
#define REFUSAL_BYTES		(RUN_ID_BYTES + HASH_BYTES)
extern void refusal_body(uint8 out[REFUSAL_BYTES], const uint8 run[RUN_ID_BYTES], const uint8 plan[HASH_BYTES]);
extern void done_encode(StringInfo out);
extern bool done_decode(const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_REQUEST_H */
