/*
 * asked.c
 *	  Under which contract a planned question is asked.
 */
#include "postgres.h"

#include "nodes/value.h"
#include "query/asked.h"
#include "utils/builtins.h"

List *
asked_contract_to_list(const AskedContract *contract)
{
	char	   *hash;

	if (!contract->any)
		return NIL;
	hash = palloc0(2 * HASH_BYTES + 1);
	hex_encode((const char *) contract->hash, HASH_BYTES, hash);
	return list_make2(makeString(hash), makeString(contract->name));
}

AskedContract
asked_contract_from_list(List *list)
{
	AskedContract contract = {.any = list != NIL};

	if (list == NIL)
		return contract;
	hex_decode(strVal(linitial(list)), 2 * HASH_BYTES, (char *) contract.hash);
	contract.name = strVal(lsecond(list));
	return contract;
}

void
asked_contract_request(Request *request, const AskedContract *contract)
{
	request->has_contract = contract->any;
	memcpy(request->contract, contract->hash, HASH_BYTES);
}
