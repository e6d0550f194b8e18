/*
 * kinds.c
 *	  Every kind of document: its name, its strict check, its words.
 *
 * What a kind does at a node when it has arrived is in govern/hooks.c.
 */
#include "base/base.h"

#include "contract/act.h"
#include "contract/contract.h"
#include "contract/document.h"
#include "contract/payment.h"
#include "contract/person.h"
#include "contract/vote.h"

const DocumentKind document_kinds[] = {
	{"identity", person_check, person_describe},
	{"vote", vote_check, vote_describe},
	{"governance", governance_check, governance_describe},
	{CONTRACT_KIND, contract_check, contract_describe},
	{CONTRACT_ACT_KIND, contract_act_check, contract_act_describe},
	{PAYMENT_KIND, payment_check, payment_describe},
	{NULL}
};
