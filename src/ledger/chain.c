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

void
chain_skip(ChainState *chain, const uint8 hash[HASH_BYTES])
{
	chain->next_seq++;
	memcpy(chain->head, hash, HASH_BYTES);
}

static const char *
link_problem(const ChainState *chain, uint64 seq, const EntryView *entry)
{
	if (entry->seq != seq)
		return "is stored under another number than its own";
	if (seq != chain->next_seq)
		return seq > chain->next_seq ? "has no entry before it"
			: "has a number that came before";
	if (!entry_text_is(entry->site, chain->site))
		return "belongs to another node's ledger";
	if (memcmp(entry->prev, chain->head, HASH_BYTES) != 0)
		return "does not link to the entry before it";
	if (entry->at_us < chain->last_at_us)
		return "is older than the entry before it";
	return NULL;
}

const char *
chain_follow(ChainState *chain, uint64 seq, const EntryView *entry, const uint8 hash[HASH_BYTES])
{
	const char *problem = link_problem(chain, seq, entry);

	if (problem != NULL)
		return problem;
	chain_skip(chain, hash);
	chain->last_at_us = entry->at_us;
	return NULL;
}

bool
chain_accept(ChainState *chain, uint64 seq, const void *bytes, size_t len, const char **reason)
{
	EntryView	entry;
	uint8		hash[HASH_BYTES];

	if (!entry_view(&entry, bytes, len, reason))
		return false;
	entry_hash(hash, bytes, len);
	*reason = chain_follow(chain, seq, &entry, hash);
	return *reason == NULL;
}

bool
chain_resume(ChainState *chain, uint64 seq, const void *bytes, size_t len, const char **reason)
{
	EntryView	entry;

	if (!entry_view(&entry, bytes, len, reason))
		return false;
	*reason = "is stored under another number than its own";
	if (entry.seq != seq)
		return false;
	memset(chain, 0, sizeof(*chain));
	memcpy(chain->site, entry.site.at, entry.site.len);
	chain->next_seq = seq + 1;
	chain->last_at_us = entry.at_us;
	entry_hash(chain->head, bytes, len);
	return true;
}
