/*
 * life.h
 *	  In which state a contract is.
 *
 * A pure function of the set of acts and of a few facts: in whatever order acts
 * arrive, nodes that have the same ones agree.  Whoever asks has verified
 * each act's signature and says who made it.
 *
 *	  draft      signed by its author, not proposed yet
 *	  proposed   may be vetted
 *	  vetted     enough vetters of enough organisations said yes; sites may sign (and may have before)
 *	  signed     every site has signed; it waits for its date, payment or consents
 *	  active     may be run
 *	  suspended  by an owner, a vetter or governance, until each of them resumes it
 *	  expired    its time is over
 *	  replaced   by a later version that has been active and names all of its sites
 *	  revoked    by its author, an owner of a site or governance; for good
 *
 * Later ones of the last four win over all before them.  What only forbids counts though who
 * said it has left since; what permits does not.
 */
#ifndef SECMED_CONTRACT_LIFE_H
#define SECMED_CONTRACT_LIFE_H

#include "contract/act.h"
#include "contract/contract.h"

/* Numbers are stored. */
typedef enum ContractState
{
	CONTRACT_DRAFT = 1,
	CONTRACT_PROPOSED,
	CONTRACT_VETTED,
	CONTRACT_SIGNED,
	CONTRACT_ACTIVE,
	CONTRACT_SUSPENDED,
	CONTRACT_EXPIRED,
	CONTRACT_REPLACED,
	CONTRACT_REVOKED
} ContractState;

#define CONTRACT_STATE_MAX		CONTRACT_REVOKED

extern const char *contract_state_name(ContractState state);

/* An act and who made it. */
typedef struct ContractDeed
{
	ContractAct act;
	uint8		person[HASH_BYTES]; /* the same for all identities that replaced one another */
	const char *organisation;	/* "" if none */
	bool		valid;			/* admitted, and within its validity when it acted */
	bool		removed;		/* since; what it permitted counts no more */
	bool		vetter;			/* has a role that vets */
	bool		governs;
	bool		owns;			/* answers for act.node */
} ContractDeed;

typedef struct ContractFacts
{
	int64		now_us;
	uint8		author[HASH_BYTES]; /* the author's person */
	int			ndeeds;
	const ContractDeed *deeds;
	bool		paid;			/* what must be paid before it is active, if anything */
	uint64		consents;
	bool		replaced;
} ContractFacts;

/* What it waits for. */
typedef enum ContractWait
{
	CONTRACT_WAITS_PROPOSAL = 1,
	CONTRACT_WAITS_VETTERS = 2,
	CONTRACT_WAITS_ORGANISATIONS = 4,
	CONTRACT_WAITS_SIGNATURES = 8,
	CONTRACT_WAITS_DATE = 16,
	CONTRACT_WAITS_PAYMENT = 32,
	CONTRACT_WAITS_CONSENTS = 64
} ContractWait;

typedef struct ContractLife
{
	ContractState state;
	int			waits;			/* bits of ContractWait */
	int			vetters;		/* that say yes */
	int			organisations;	/* of these */
	int			objections;
	int			suspensions;
	uint32		signed_by;		/* bit i: signer i of contract_signers() */
	int			nsigned;
} ContractLife;

extern ContractLife contract_life(const Contract *contract, const ContractFacts *facts);

/* "2 of 3 sites have signed; it is valid from ..."; what it waits for, as a clause; "" if for nothing. */
extern void contract_waits(StringInfo out, const Contract *contract, const ContractLife *life);

/* The next time at which the state changes by itself, or 0. */
extern int64 contract_next_us(const Contract *contract, int64 now_us);

#endif							/* SECMED_CONTRACT_LIFE_H */
