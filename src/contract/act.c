/*
 * act.c
 *	  Bytes and words of what people do with a contract.
 */
#include "contract/act.h"

#include "base/cbor.h"
#include "contract/words.h"
#include "identity/card.h"
#include "ledger/entry.h"

static const char *const verb_words[] = {
	[CONTRACT_PROPOSE] = "propose", [CONTRACT_VET] = "vet", [CONTRACT_OBJECT] = "object",
	[CONTRACT_SIGN] = "sign", [CONTRACT_SUSPEND] = "suspend", [CONTRACT_RESUME] = "resume",
	[CONTRACT_REVOKE] = "revoke", [CONTRACT_ACCEPT] = "accept",
};

const char *
contract_verb_name(ContractVerb verb)
{
	return verb_words[verb];
}

ContractVerb
contract_verb_of_name(const char *name)
{
	for (int verb = CONTRACT_PROPOSE; verb <= CONTRACT_VERB_MAX; verb++)
		if (strcmp(verb_words[verb], name) == 0)
			return (ContractVerb) verb;
	return (ContractVerb) 0;
}

static void
write_text_or_null(StringInfo out, const char *text)
{
	if (text == NULL)
		cbor_null(out);
	else
		cbor_text(out, text);
}

void
contract_act_encode(StringInfo out, const ContractAct *act)
{
	cbor_array(out, 8);
	cbor_text(out, CONTRACT_ACT_KIND);
	cbor_uint(out, CONTRACT_ACT_VERSION);
	cbor_text(out, verb_words[act->verb]);
	cbor_bytes(out, act->contract, HASH_BYTES);
	cbor_int(out, act->at_us);
	write_text_or_null(out, act->node);
	write_text_or_null(out, act->meaning);
	cbor_text(out, act->words);
}

static bool
meaning_is_known(const char *meaning)
{
	return strcmp(meaning, "review") == 0 || strcmp(meaning, "approval") == 0 ||
		strcmp(meaning, "responsibility") == 0;
}

static bool
needs_words(ContractVerb verb)
{
	return verb == CONTRACT_OBJECT || verb == CONTRACT_SUSPEND || verb == CONTRACT_REVOKE;
}

static const char *
problem_of(const ContractAct *act)
{
	bool		may_name_node = act->verb == CONTRACT_SIGN || act->verb == CONTRACT_SUSPEND ||
		act->verb == CONTRACT_RESUME || act->verb == CONTRACT_REVOKE;

	if (act->node != NULL && (!may_name_node || !node_name_valid(act->node)))
		return "names a node that it does not need, or that is none";
	if (act->verb == CONTRACT_SIGN && act->node == NULL)
		return "signs for no node";
	if ((act->verb == CONTRACT_VET) != (act->meaning != NULL))
		return "has a meaning if and only if it vets";
	if (act->meaning != NULL && !meaning_is_known(act->meaning))
		return "means neither review nor approval nor responsibility";
	if (needs_words(act->verb) && act->words[0] == '\0')
		return "gives no reason";
	return NULL;
}

static void
read_heading(CborReader *in, ContractAct *act)
{
	char	   *word;

	cbor_expect_array(in, 8);
	word = cbor_read_text(in, 32);
	if (in->error == NULL && strcmp(word, CONTRACT_ACT_KIND) != 0)
		in->error = "is of another kind than expected";
	if (cbor_read_uint(in, PG_UINT64_MAX) != CONTRACT_ACT_VERSION && in->error == NULL)
		in->error = "is of another version";
	word = cbor_read_text(in, 16);
	act->verb = contract_verb_of_name(word);
	if (in->error == NULL && act->verb == 0)
		in->error = "does something unknown";
}

bool
contract_act_decode(ContractAct *act, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(act, 0, sizeof(*act));
	cbor_start(&in, bytes, len);
	read_heading(&in, act);
	cbor_read_fixed(&in, act->contract, HASH_BYTES);
	act->at_us = (int64) cbor_read_uint(&in, ENTRY_AT_US_MAX);
	act->node = cbor_read_null(&in) ? NULL : cbor_read_text(&in, NODE_NAME_BYTES_MAX);
	act->meaning = cbor_read_null(&in) ? NULL : cbor_read_text(&in, 32);
	act->words = cbor_read_text(&in, CONTRACT_ACT_WORDS_MAX);
	*reason = cbor_finish(&in) ? problem_of(act) : in.error;
	return *reason == NULL;
}

bool
contract_act_check(const void *body, size_t len, const char **reason)
{
	ContractAct act;

	return contract_act_decode(&act, body, len, reason);
}

void
contract_act_describe(StringInfo out, const void *body, size_t len)
{
	ContractAct act;
	const char *reason;

	if (!contract_act_decode(&act, body, len, &reason))
		return;
	words_text(out, "act", verb_words[act.verb]);
	words_hex(out, "contract", act.contract, HASH_BYTES);
	words_time(out, "at", act.at_us);
	if (act.node)
		words_text(out, "for node", act.node);
	if (act.meaning)
		words_text(out, "meaning", act.meaning);
	words_lines(out, "reason", act.words[0] ? act.words : "none given");
}
