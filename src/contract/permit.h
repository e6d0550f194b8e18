/*
 * permit.h
 *	  Whether a contract allows a run: what each node that is asked decides for
 *	  itself.
 *
 * Nothing that the coordinator says of the contract is looked at but its hash.  Facts are of
 * this node's own tables (govern/contract_ground.c); what is missing is a no.  The order:
 * known, active, the plan, values, who asks, sites, parties, model, runs left; then terms.
 */
#ifndef SECMED_CONTRACT_PERMIT_H
#define SECMED_CONTRACT_PERMIT_H

#include "contract/life.h"

typedef struct ContractGround
{
	const char *self;			/* this node */
	const Contract *contract;	/* NULL: not known here */
	ContractState state;		/* now */
	const char *waits;			/* contract_waits(); "" */
	bool		same_plan;		/* the request's plan is the contract's */
	const char *value_problem;	/* "\"age\" is 12, and not from 18 to 80"; NULL: every value is allowed */

	bool		has_requester;	/* the request names an identity that may act, and ask there */
	const char *requester_problem;	/* "Identity ... was removed ..."; NULL: it names none, or that one */
	uint8		requester[HASH_BYTES];
	const char *organisation;
	uint32		roles;			/* as in person.h */
	uint64		uses;			/* runs that this node took part in */
	bool		terms_accepted; /* by the requester */
} ContractGround;

typedef struct ContractRefusal
{
	int			sqlstate;
	char		message[512];
	char		detail[1024];	/* may be empty */
	char		hint[512];		/* may be empty */
} ContractRefusal;

/* False with the reason; the second, when the first has said yes. */
extern bool contract_permit_terms(ContractRefusal *no, const Request *request, const ContractGround *ground);
extern bool contract_permit(ContractRefusal *no, const Request *request, const ContractGround *ground);

/* May this identity ask?  Those who are named; or who has one of the roles in one of the organisations. */
extern bool contract_lets_ask(const Contract *contract, const uint8 identity[HASH_BYTES],
							  const char *organisation, uint32 roles);

#endif							/* SECMED_CONTRACT_PERMIT_H */
