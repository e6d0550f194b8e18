/*
 * contract.h
 *	  The contract: what may be asked, by whom, of whom, and on which terms.
 *
 * It is a document that people sign (document.h); its body is deterministic CBOR:
 *
 *	  ["contract", 1, name, title, version, replaces or null, author,
 *	   [purpose code, purpose], legal basis, [terms hash, terms], query, parameters,
 *	   [[identity, ...], [role, ...], [organisation, ...]],
 *	   sites, parties, model, [patients_min, rounding, noise or null], runs_max or null,
 *	   [from_us, until_us], [[jurisdiction, patients_min, rule], ...],
 *	   [price, [[account, weight], ...]], [vetters, organisations],
 *	   [[role, number], ...], consents_min]
 *
 *	  author, identity  32 bytes, fingerprints of identities
 *	  role              a word of IdentityRole (person.h)
 *	  query             [kind, sql, plan, [parameter, ...], skeleton, [slot, ...]]
 *	      kind          "run" over the rows of sites, "compute" over shared tables
 *	      sql           as its author wrote it, parameters as $1, $2, ...; tables under their published names
 *	      plan          the canonical plan (plan.h, oblivious/plan.h) whose constants are those of the
 *	                    query and whose parameters are those that are listed then, by number from 0
 *	      skeleton      32 bytes: what all plans have in common that differ in constants only
 *	      slot          for each place of a constant in the skeleton: a parameter's number, or [type, value]
 *	  parameters        [name, type, words, null allowed, min or null, max or null, [value, ...],
 *	                    items_max]; values are text as PostgreSQL writes it, listed in the order
 *	                    of their bytes
 *	  sites, parties    [[name, fingerprint], ...]
 *	  noise             what is added to answers, and how much privacy a run spends (noise.h)
 *	  rounding          answers are multiples of this; 0: as they are
 *
 * A node's part in a run is decided by comparing bytes: the plan that is asked for must be
 * this plan, and what differs from run to run are the values of its parameters, which have
 * bounds.  Skeleton and slots only help a coordinator to find the contract that a SELECT is an
 * instance of; nothing trusts them.
 */
#ifndef SECMED_CONTRACT_H
#define SECMED_CONTRACT_H

#include "contract/noise.h"
#include "contract/request.h"

#define CONTRACT_KIND			"contract"
#define CONTRACT_FORMAT			1

#define CONTRACT_PARAMETERS_MAX	64
/* Constants in one query. */
#define CONTRACT_SLOTS_MAX		4096
#define CONTRACT_VALUES_MAX		DOMAIN_VALUES_MAX
#define CONTRACT_LIST_MAX		256
/* Elements of the value of a parameter that is an array. */
#define CONTRACT_ITEMS_MAX		4096
#define CONTRACT_LINE_MAX		256
#define CONTRACT_VALUE_MAX		1024
#define CONTRACT_TEXT_MAX		(64 * 1024)

typedef struct ContractParameter
{
	char	   *name;
	char	   *type;			/* as format_type() prints it, qualified; "...[]" of an array */
	char	   *words;			/* what it is */
	bool		null_allowed;
	char	   *min;			/* or NULL: both, or values, or a type that has few values */
	char	   *max;
	int			nvalues;
	char	  **values;
	uint64		items_max;		/* of an array; 0 of others */
} ContractParameter;

/* What stands at one place of the skeleton. */
typedef struct ContractSlot
{
	int			parameter;		/* or -1, and then: */
	char	   *type;
	char	   *value;			/* NULL is the SQL NULL */
} ContractSlot;

typedef struct ContractJurisdiction
{
	char	   *code;			/* ISO 3166-1 or -2: "DE", "US-CA" */
	uint64		patients_min;	/* there; at least the contract's */
	char	   *rule;			/* in words */
} ContractJurisdiction;

typedef struct ContractPayee
{
	char	   *account;
	uint64		weight;			/* of the price, weight parts of the sum of all weights */
} ContractPayee;

/* So many yes of people with this role, for each run. */
typedef struct ContractApproval
{
	char	   *role;
	uint64		number;
} ContractApproval;

typedef struct Contract
{
	char	   *name;			/* like a node's; versions have the same */
	char	   *title;
	uint64		version;		/* from 1 */
	bool		has_replaces;
	uint8		replaces[HASH_BYTES];	/* the version before */
	uint8		author[HASH_BYTES];
	char	   *purpose_code;	/* HL7 PurposeOfUse: "HRESCH" */
	char	   *purpose;
	char	   *legal_basis;
	char	   *terms;

	bool		over_sites;		/* sums of sites; or a plan over shares: of shared tables, or with sites of their rows */
	char	   *query;
	const uint8 *plan;			/* points into the decoded bytes */
	size_t		plan_len;
	int			nplan_params;
	int		   *plan_params;	/* parameters of the contract */
	uint8		skeleton[HASH_BYTES];
	int			nslots;
	ContractSlot *slots;
	int			nparams;
	ContractParameter *params;

	int			nidentities;
	uint8		(*identities)[HASH_BYTES];
	int			nroles;
	char	  **roles;
	int			norganisations;
	char	  **organisations;

	int			nsites;
	NodeRef		sites[SITES_MAX];
	int			nparties;		/* 0: whichever three; PARTIES over shared tables */
	NodeRef		parties[PARTIES];
	char	   *model;
	uint64		patients_min;	/* smallest group */
	uint64		rounding;
	Noise	   *noise;			/* NULL: none */
	bool		has_runs_max;
	uint64		runs_max;
	int64		from_us;		/* microseconds since 1970, UTC; valid from, and until before */
	int64		until_us;
	int			njurisdictions;
	ContractJurisdiction *jurisdictions;
	uint64		price;			/* credits a run */
	int			npayees;
	ContractPayee *payees;
	uint64		vetters_min;
	uint64		vetting_organisations_min;
	int			napprovals;
	ContractApproval *approvals;
	uint64		consents_min;	/* patients that must have consented before it is active */
} Contract;

extern void contract_encode(StringInfo out, const Contract *contract);

/* Strict, bounded and consistent (contract_problem()); false with a reason, a constant string. */
extern bool contract_decode(Contract *contract, const void *bytes, size_t len, const char **reason);

/*
 * What is inconsistent in it, for "the contract %s", or NULL.  What only a server can tell (types,
 * values) or only the oblivious engine (a plan over shared tables) is not looked at.
 */
extern const char *contract_problem(const Contract *contract);

/* The parameter of this name, or -1. */
extern int	contract_parameter(const Contract *contract, const char *name);

/* Who must sign it: the sites, or over shared tables the parties.  Returns how many. */
extern int	contract_signers(const Contract *contract, const NodeRef **signers);

/* The smallest group where this jurisdiction holds ("" if none). */
extern uint64 contract_patients_min(const Contract *contract, const char *jurisdiction);

/* For document_kinds[]: the same, and every field in words. */
extern bool contract_check(const void *body, size_t len, const char **reason);
extern void contract_describe(StringInfo out, const void *body, size_t len);

#endif							/* SECMED_CONTRACT_H */
