/*
 * act.h
 *	  What people do with a contract (contract.h): documents, by which each who
 *	  has signed one has done what it says.
 *
 *	  ["contract-act", 1, verb, contract, at_us, node or null, meaning or null, words]
 *
 *	  contract  hash of its document
 *	  node      of "sign": the site or party for which it is done; of "suspend", "resume" and
 *	            "revoke" as well if an owner does it for his, otherwise null
 *	  meaning   of "vet": "review", "approval" or "responsibility" (21 CFR 11.50)
 *	  words     the reason; not empty for "object", "suspend" and "revoke"
 *
 * Whether an act counts is life.h's.
 */
#ifndef SECMED_CONTRACT_ACT_H
#define SECMED_CONTRACT_ACT_H

#include "base/base.h"
#include "crypto/hash.h"

#define CONTRACT_ACT_KIND		"contract-act"
#define CONTRACT_ACT_VERSION	1
#define CONTRACT_ACT_WORDS_MAX	2000

typedef enum ContractVerb
{
	CONTRACT_PROPOSE = 1,		/* its author: from now on it may be vetted */
	CONTRACT_VET,				/* a vetter: yes */
	CONTRACT_OBJECT,			/* a vetter: no, or no longer */
	CONTRACT_SIGN,				/* the owner of a site: this site takes part */
	CONTRACT_SUSPEND,
	CONTRACT_RESUME,			/* whoever suspended it */
	CONTRACT_REVOKE,			/* for good */
	CONTRACT_ACCEPT				/* somebody who asks: accepts the terms */
} ContractVerb;

#define CONTRACT_VERB_MAX		CONTRACT_ACCEPT

typedef struct ContractAct
{
	ContractVerb verb;
	uint8		contract[HASH_BYTES];
	int64		at_us;
	char	   *node;			/* or NULL */
	char	   *meaning;		/* or NULL */
	char	   *words;
} ContractAct;

extern void contract_act_encode(StringInfo out, const ContractAct *act);
extern bool contract_act_decode(ContractAct *act, const void *bytes, size_t len, const char **reason);

/* For document_kinds[]. */
extern bool contract_act_check(const void *body, size_t len, const char **reason);
extern void contract_act_describe(StringInfo out, const void *body, size_t len);

/* "propose"; and back, 0 if there is none. */
extern const char *contract_verb_name(ContractVerb verb);
extern ContractVerb contract_verb_of_name(const char *name);

#endif							/* SECMED_CONTRACT_ACT_H */
