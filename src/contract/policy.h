/*
 * policy.h
 *	  The one place that decides whether this node takes part in a run.
 *
 * Every node that is asked decides for itself, by the same checks in the same
 * order; the first that fails ends it, and is named in the error and on the
 * ledger.  The decision needs no server: whoever asks brings the facts
 * (govern/facts.c), all of them this node's own, none of them the
 * coordinator's.  A fact that is missing is a no.
 *
 *	  rule		  what must be so								  SQLSTATE of a no
 *	  sender	  signed by who calls, clocks, keys of all nodes  SM003, SM011 to SM013
 *	  mode		  this node lets that requester ask so			  SM041
 *	  contract	  the contract that is named allows it			  SM042
 *	  terms		  and who asks has accepted its terms			  SM043
 *	  payment	  the price of the run is held for it				  SM045
 *	  columns	  the site's own reading of the question		  SM001 to SM003, SM015, ...
 *	  approval	  those who must have said yes to this very run	  SM047, SM048
 *	  budget	  what its noise spends is left (at a site)		  SM049
 *	  repeats	  the same was not asked too often (at a site)	  SM051
 *
 * "columns" is not decided here: the site prepares its sub-query (query/site.h), or the
 * party holds the plan against its definitions (compute/permit.h), between the first part of
 * the checks and the second.
 */
#ifndef SECMED_POLICY_H
#define SECMED_POLICY_H

#include "contract/request.h"

/* In the order in which they are checked. */
typedef enum PolicyRule
{
	RULE_SENDER = 1,
	RULE_MODE,
	RULE_CONTRACT,
	RULE_TERMS,
	RULE_PAYMENT,
	RULE_COLUMNS,
	RULE_APPROVAL,
	RULE_BUDGET,
	RULE_REPEATS
} PolicyRule;

#define RULE_FIRST		RULE_SENDER
#define RULE_LAST		RULE_REPEATS

/* "mode": for ledgers and errors. */
extern const char *policy_rule_name(PolicyRule rule);

/* From the strictest on. */
typedef enum SiteMode
{
	MODE_CLOSED = 1,			/* nothing is answered */
	MODE_CONTRACTS,				/* what an active contract allows */
	MODE_ADHOC					/* that, and free questions of those who are named */
} SiteMode;

extern const char *site_mode_name(SiteMode mode);

/* 0 if there is no such mode. */
extern SiteMode site_mode_from_name(const char *name);

/* The mode of one table of the question, or of all that have none of their own. */
typedef struct ModeFact
{
	const char *table;			/* NULL: the node's */
	SiteMode	mode;
	bool		named;			/* of MODE_ADHOC: the requester is among those who may ask */
} ModeFact;

/* What became of the question that people here were asked about. */
typedef enum ApprovalState
{
	APPROVAL_NOT_NEEDED = 1,
	APPROVAL_UNASKED,			/* nobody has been asked about such a run */
	APPROVAL_PENDING,
	APPROVAL_HELD,
	APPROVAL_GIVEN,
	APPROVAL_REJECTED,
	APPROVAL_EXPIRED,
	APPROVAL_WITHDRAWN,			/* by who asked */
	APPROVAL_USED,				/* a run has taken place with it */
	APPROVAL_OTHER				/* given to another question, requester or parameters */
} ApprovalState;

#define APPROVAL_STATE_MAX	APPROVAL_OTHER

/* "pending": for tables and messages. */
extern const char *approval_state_name(ApprovalState state);

/* 0 if there is no such state. */
extern ApprovalState approval_state_from_name(const char *name);

typedef struct ApprovalFact
{
	ApprovalState state;
	const char *waits_for;		/* "irb (1 of 2)"; "" if for nobody */
	const char *reason;			/* of who held or rejected it; "" if there is none */
} ApprovalFact;

/* Of a run that costs something. */
typedef struct PaymentFact
{
	uint64		price;			/* credits; 0: the run is free, or only proposed */
	const char *problem;		/* "is for another run"; NULL: it is held */
} PaymentFact;

/* Of all amounts of privacy that a run with noise is taken from, the one with the least left.  Millionths of rho. */
typedef struct BudgetFact
{
	uint64		needed;			/* 0: the run has no noise, or this is no site */
	bool		set;			/* false: for this table there is no budget */
	const char *table;
	uint64		left;
} BudgetFact;

/* How often the requester has asked the same of this site, and how many of his questions failed here. */
typedef struct RepeatsFact
{
	uint64		max;			/* 0: as often as one likes, or this is no site */
	uint64		times;
	uint64		failed;
	int			days;			/* in which this is counted */
	char		question[9];	/* what an auditor calls it */
} RepeatsFact;

typedef struct PolicyFacts
{
	const char *self;			/* this node */
	const char *caller;			/* the node at the other end of the session */
	int64		now_us;

	/* The fingerprint registered here for a node; false if it is unknown. */
	bool		(*known) (const char *name, uint8 fingerprint[HASH_BYTES]);

	bool		about_nobody;	/* no row of anybody's is read: a run that measures what runs cost */
	int			nmodes;			/* 0: no mode is known, which is a no */
	const ModeFact *modes;
	const struct ContractGround *contract;	/* permit.h; NULL: nothing is known of it, which is a no where one is named */
	const PaymentFact *payment; /* NULL: nothing is known of it, which is a no under a contract */
	const ApprovalFact *approval;	/* NULL: nothing is known of it, which is a no */
	const BudgetFact *budget;	/* likewise */
	const RepeatsFact *repeats; /* likewise */
} PolicyFacts;

/* Two names of people and nodes, a table's, and the words between. */
#define POLICY_TEXT_BYTES	1024

typedef struct PolicyDecision
{
	bool		yes;
	PolicyRule	rule;			/* that was not met */
	int			sqlstate;
	char		message[POLICY_TEXT_BYTES];
	char		detail[POLICY_TEXT_BYTES];	/* may be empty */
	char		hint[POLICY_TEXT_BYTES];	/* may be empty */
} PolicyDecision;

/* The checks of these rules, first to last. */
extern PolicyDecision policy_decide(const Request *request, const PolicyFacts *facts,
									PolicyRule first, PolicyRule last);

#endif							/* SECMED_POLICY_H */
