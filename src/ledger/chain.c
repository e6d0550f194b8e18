/*
 * chain.c
 *	  One step along a ledger: does this entry follow the one before?
 */
#include "base/base.h"

#include "ledger/chain.h"

void
chain_start(ChainState *chain, const char *site)
{
	memset(chain, 0, sizeof(*chain));
	strlcpy(chain->site, site, sizeof(chain->site));
}

/* The state after an entry that was found whole. */
static void
step(ChainState *chain, const LedgerEntry *entry, const void *bytes, size_t len)
{
	chain->next_seq = entry->seq + 1;
	chain->last_at_us = entry->at_us;
	entry_hash(chain->head, bytes, len);
}

bool
chain_resume(ChainState *chain, uint64 seq, const void *bytes, size_t len, const char **reason)
{
	LedgerEntry entry;

	if (!entry_decode(&entry, bytes, len, reason))
		return false;
	*reason = "is stored under another number than its own";
	if (entry.seq != seq)
		return false;
	chain_start(chain, entry.site);
	step(chain, &entry, bytes, len);
	return true;
}

static const char *
link_problem(const ChainState *chain, uint64 seq, const LedgerEntry *entry)
{
	if (entry->seq != seq)
		return "is stored under another number than its own";
	if (seq != chain->next_seq)
		return seq > chain->next_seq ? "has no entry before it"
			: "has a number that came before";
	if (strcmp(entry->site, chain->site) != 0)
		return "belongs to another node's ledger";
	if (memcmp(entry->prev, chain->head, HASH_BYTES) != 0)
		return "does not link to the entry before it";
	if (entry->at_us < chain->last_at_us)
		return "is older than the entry before it";
	return NULL;
}

bool
chain_accept(ChainState *chain, uint64 seq, const void *bytes, size_t len, const char **reason)
{
	LedgerEntry entry;

	if (!entry_decode(&entry, bytes, len, reason))
		return false;
	*reason = link_problem(chain, seq, &entry);
	if (*reason != NULL)
		return false;

	step(chain, &entry, bytes, len);
	return true;
}
