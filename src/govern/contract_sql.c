/*
 * contract_sql.c
 *	  secmed.draft_contract_act(), secmed.contract_state().
 */
#include "postgres.h"

#include "fmgr.h"
#include "govern/contracts.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_draft_contract_act);
PG_FUNCTION_INFO_V1(secmed_contract_state);

static char *
text_or_null(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static ContractVerb
verb_argument(const char *name)
{
	ContractVerb verb = name ? contract_verb_of_name(name) : (ContractVerb) 0;

	if (verb == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nothing of that name can be done with a contract"),
				 errhint("Verbs are propose, vet, object, sign, suspend, resume, revoke and accept.")));
	return verb;
}

Datum
secmed_draft_contract_act(PG_FUNCTION_ARGS)
{
	ContractAct act = {.verb = verb_argument(text_or_null(fcinfo, 0)), .at_us = identity_now_us()};
	char	   *contract = text_or_null(fcinfo, 1);
	StoredContract stored;
	Document	document;
	StringInfoData body;
	StringInfoData bytes;
	StringInfoData text;
	const char *reason;

	contract_require(&stored, contract ? contract : "");
	memcpy(act.contract, stored.hash, HASH_BYTES);
	act.words = PG_ARGISNULL(2) ? pstrdup("") : text_or_null(fcinfo, 2);
	act.node = text_or_null(fcinfo, 3);
	act.meaning = text_or_null(fcinfo, 4);
	initStringInfo(&body);
	contract_act_encode(&body, &act);
	if (!document_begin(&document, body.data, body.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the act %s", reason)));
	initStringInfo(&bytes);
	document_encode(&bytes, &document);
	initStringInfo(&text);
	document_to_text(&text, bytes.data, bytes.len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}

Datum
secmed_contract_state(PG_FUNCTION_ARGS)
{
	int16		state = PG_GETARG_INT16(0);

	if (state < CONTRACT_DRAFT || state > CONTRACT_STATE_MAX)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(contract_state_name((ContractState) state)));
}
