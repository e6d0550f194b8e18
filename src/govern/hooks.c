/*
 * hooks.c
 *	  What a document of each kind does at a node.
 */
#include "postgres.h"

#include "govern/account.h"
#include "govern/contracts.h"
#include "govern/document.h"
#include "govern/registrar.h"

static const struct
{
	const char *kind;
	DocumentHook hook;
}			hooks[] = {
	{"identity", registrar_identity},
	{"vote", registrar_vote},
	{"governance", registrar_governance},
	{CONTRACT_KIND, contract_taken},
	{CONTRACT_ACT_KIND, contract_act_taken},
	{PAYMENT_KIND, payment_taken},
};

DocumentHook
document_hook(const char *kind)
{
	for (int i = 0; i < lengthof(hooks); i++)
		if (strcmp(hooks[i].kind, kind) == 0)
			return hooks[i].hook;
	return NULL;
}
