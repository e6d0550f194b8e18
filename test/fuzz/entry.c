/*
 * entry.c
 *	  A ledger entry.
 */
#include "fuzz.h"

#include "ledger/chain.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	LedgerEntry entry;
	ChainState	chain;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (entry_decode(&entry, data, size, &reason))
	{
		entry_encode(&again, &entry);
		must_be(&again, data, size);
		must(chain_resume(&chain, entry.seq, data, size, &reason));
		must(!chain_accept(&chain, entry.seq, data, size, &reason));
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
