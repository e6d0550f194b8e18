/*
 * test_entry.c
 *	  Ledger entries and the chain: what was written is read, what was changed
 *	  is refused or is another entry written properly.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledger/chain.h"
#include "unit.h"

#define AT_US	INT64CONST(1700000000123456)

static void
fill(uint8 *out, size_t len, int seed)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8) (seed + 7 * i);
}

/* Small, and with everything that may be missing. */
static LedgerEntry
small_entry(void)
{
	LedgerEntry entry = {.kind = ENTRY_NODE_CREATED, .actor = "", .object = "",
	.outcome = "asked", .revealed = "", .site = "charite"};

	return entry;
}

static LedgerEntry
full_entry(void)
{
	LedgerEntry entry = {.kind = ENTRY_OUTCOME, .has_run = true, .actor = "mayo:anna",
		.object = "trial, \303\244rzte", .has_plan = true, .outcome = "ok",
		.revealed = "3 cells to mayo", .ncounters = ENTRY_COUNTERS_MAX,
	.has_commitment = true, .site = "charite", .seq = 77, .at_us = AT_US};

	fill(entry.run, RUN_ID_BYTES, 1);
	fill(entry.plan, HASH_BYTES, 2);
	fill(entry.commitment, HASH_BYTES, 3);
	fill(entry.prev, HASH_BYTES, 4);
	for (int i = 0; i < entry.ncounters; i++)
		entry.counters[i] = i == 0 ? (uint64) PG_INT64_MAX : UINT64CONST(1) << (7 * i);
	return entry;
}

static LedgerEntry
spooled_entry(void)
{
	LedgerEntry entry = full_entry();

	entry.has_spooled = true;
	entry.spooled_us = AT_US + 1000000;
	return entry;
}

static bool
same(const LedgerEntry *a, const LedgerEntry *b)
{
	return a->kind == b->kind && a->seq == b->seq && a->at_us == b->at_us &&
		strcmp(a->site, b->site) == 0 && strcmp(a->actor, b->actor) == 0 &&
		strcmp(a->object, b->object) == 0 && strcmp(a->outcome, b->outcome) == 0 &&
		strcmp(a->revealed, b->revealed) == 0 &&
		memcmp(a->prev, b->prev, HASH_BYTES) == 0 &&
		a->has_run == b->has_run && memcmp(a->run, b->run, RUN_ID_BYTES) == 0 &&
		a->has_plan == b->has_plan && memcmp(a->plan, b->plan, HASH_BYTES) == 0 &&
		a->has_commitment == b->has_commitment &&
		memcmp(a->commitment, b->commitment, HASH_BYTES) == 0 &&
		a->has_spooled == b->has_spooled && a->spooled_us == b->spooled_us &&
		a->ncounters == b->ncounters &&
		memcmp(a->counters, b->counters, a->ncounters * sizeof(uint64)) == 0;
}

static void
encode(StringInfo out, const LedgerEntry *entry)
{
	initStringInfo(out);
	entry_encode(out, entry);
}

/* Refused with a reason, or read as something that is written with these bytes. */
static bool
honest(const void *bytes, size_t len)
{
	LedgerEntry entry;
	StringInfoData again;
	const char *reason = NULL;
	bool		equal;

	if (!entry_decode(&entry, bytes, len, &reason))
		return reason != NULL;
	encode(&again, &entry);
	equal = again.len == len && memcmp(again.data, bytes, len) == 0;
	pfree(again.data);
	return equal;
}

static void
test_round_trip(const char *what, LedgerEntry entry)
{
	StringInfoData bytes;
	LedgerEntry back;
	const char *reason;
	int			bad = 0;

	encode(&bytes, &entry);
	check(entry_decode(&back, bytes.data, bytes.len, &reason) && same(&entry, &back),
		  "a %s entry is read as it was written", what);

	for (int len = 0; len < bytes.len; len++)
		bad += entry_decode(&back, bytes.data, len, &reason) || reason == NULL;
	check(bad == 0, "no truncation of a %s entry is read", what);

	bad = 0;
	for (int i = 0; i < bytes.len; i++)
		for (int change = 1; change < 256; change++)
		{
			bytes.data[i] ^= change;
			bad += !honest(bytes.data, bytes.len);
			bytes.data[i] ^= change;
		}
	check(bad == 0, "any byte of a %s entry changed: refused, or another entry", what);

	appendStringInfoChar(&bytes, 0);
	check(!entry_decode(&back, bytes.data, bytes.len, &reason), "a %s entry has no byte after it", what);
}

static char *
text_of(int len)
{
	char	   *text = palloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

static void
test_bounds(void)
{
	LedgerEntry entry = full_entry();
	LedgerEntry longest = full_entry();
	StringInfoData bytes;

	longest.actor = text_of(ENTRY_ACTOR_MAX);
	longest.object = text_of(ENTRY_TEXT_MAX);
	longest.outcome = text_of(ENTRY_OUTCOME_MAX);
	longest.revealed = text_of(ENTRY_TEXT_MAX);
	encode(&bytes, &longest);
	check(bytes.len <= LEDGER_ENTRY_BYTES_MAX && honest(bytes.data, bytes.len),
		  "the longest entry has %d bytes and is read", bytes.len);

#define refused(field, bad, what) \
	do { \
		LedgerEntry wrong = entry; \
		StringInfoData out; \
		initStringInfo(&out); \
		wrong.field = (bad); \
		check_fails(ERRCODE_SECMED_LEDGER, entry_encode(&out, &wrong), "%s is not written", what); \
	} while (0)

	refused(actor, text_of(ENTRY_ACTOR_MAX + 1), "too long an actor");
	refused(object, text_of(ENTRY_TEXT_MAX + 1), "too long an object");
	refused(outcome, text_of(ENTRY_OUTCOME_MAX + 1), "too long an outcome");
	refused(revealed, text_of(ENTRY_TEXT_MAX + 1), "too long a revealed");
	refused(kind, (EntryKind) 19, "an unknown kind");
	refused(kind, (EntryKind) 0, "kind 0");
	refused(ncounters, ENTRY_COUNTERS_MAX + 1, "one counter too many");
	refused(counters[2], (uint64) PG_INT64_MAX + 1, "a counter beyond bigint");
	refused(seq, (uint64) PG_INT64_MAX + 1, "a number beyond bigint");
	refused(seq, 0, "a first entry that links to another");
	refused(at_us, -1, "a time before 1970");
	refused(at_us, ENTRY_AT_US_MAX + 1, "a time after 9999");
	refused(site, "Charite", "a bad site");
}

/* A chain of n entries ------------------------------------------------------*/

#define CHAIN	6

static StringInfoData chain_bytes[CHAIN];

static void
write_chain(void)
{
	ChainState	chain;
	const char *reason;
	bool		whole = true;

	chain_start(&chain, "charite");
	for (int i = 0; i < CHAIN; i++)
	{
		LedgerEntry entry = full_entry();

		entry.seq = chain.next_seq;
		entry.at_us = AT_US + i / 2;	/* equal times are fine */
		memcpy(entry.prev, chain.head, HASH_BYTES);
		encode(&chain_bytes[i], &entry);
		whole = whole && chain_accept(&chain, i, chain_bytes[i].data, chain_bytes[i].len, &reason);
	}
	check(whole && chain.next_seq == CHAIN, "a whole chain is accepted");
}

/* Walks to entry n, and gives it these bytes under this number instead. */
static const char *
offer(int n, uint64 seq, const StringInfoData *bytes)
{
	ChainState	chain;
	ChainState	before;
	const char *reason;

	chain_start(&chain, "charite");
	for (int i = 0; i < n; i++)
		if (!chain_accept(&chain, i, chain_bytes[i].data, chain_bytes[i].len, &reason))
			abort();
	before = chain;
	if (chain_accept(&chain, seq, bytes->data, bytes->len, &reason))
		return NULL;
	if (memcmp(&before, &chain, sizeof(chain)) != 0)
		abort();				/* the state must not move */
	return reason;
}

/* Entry 3, changed by the caller and written again. */
static StringInfoData
forged(const char *site, int64 at_us, int flip_prev)
{
	LedgerEntry entry;
	StringInfoData bytes;
	const char *reason;

	if (!entry_decode(&entry, chain_bytes[3].data, chain_bytes[3].len, &reason))
		abort();
	entry.site = site;
	entry.at_us = at_us;
	entry.prev[31] ^= flip_prev;
	encode(&bytes, &entry);
	return bytes;
}

#define expect(reason, wanted, what) \
	do { \
		const char *got = (reason); \
		check(got != NULL && strcmp(got, (wanted)) == 0, "%s: %s", what, got ? got : "accepted"); \
	} while (0)

static void
test_chain(void)
{
	StringInfoData forgery;
	LedgerEntry entry;
	ChainState	chain;
	const char *reason;
	int			bad = 0;

	write_chain();
	expect(offer(3, 4, &chain_bytes[4]), "has no entry before it", "a gap");
	expect(offer(3, 3, &chain_bytes[4]), "is stored under another number than its own", "a swap");
	expect(offer(3, 2, &chain_bytes[2]), "has a number that came before", "a repetition");
	forgery = forged("charite", AT_US + 1, 1);
	expect(offer(3, 3, &forgery), "does not link to the entry before it", "a changed link");
	forgery = forged("mayo", AT_US + 1, 0);
	expect(offer(3, 3, &forgery), "belongs to another node's ledger", "another site");
	forgery = forged("charite", AT_US, 0);
	expect(offer(3, 3, &forgery), "is older than the entry before it", "time going back");
	forgery = forged("charite", AT_US + 1, 0);
	check(offer(3, 3, &forgery) == NULL, "the same bytes again are accepted");

	/* Whatever is changed in entry 3, it or entry 4 shows it. */
	for (int i = 0; i < chain_bytes[3].len; i++)
	{
		chain_start(&chain, "charite");
		chain_bytes[3].data[i] ^= 1;
		for (int n = 0; n < CHAIN; n++)
			if (!chain_accept(&chain, n, chain_bytes[n].data, chain_bytes[n].len, &reason))
				break;
		bad += chain.next_seq != 3 && chain.next_seq != 4;
		chain_bytes[3].data[i] ^= 1;
	}
	check(bad == 0, "any bit changed in an entry breaks the chain there");

	check(chain_resume(&chain, 3, chain_bytes[3].data, chain_bytes[3].len, &reason) &&
		  chain_accept(&chain, 4, chain_bytes[4].data, chain_bytes[4].len, &reason),
		  "a chain is resumed after any entry");
	check(!chain_resume(&chain, 2, chain_bytes[3].data, chain_bytes[3].len, &reason),
		  "but not under another number");
	check(entry_decode(&entry, chain_bytes[0].data, chain_bytes[0].len, &reason) && entry.seq == 0,
		  "the first entry has number 0");
}

static void
test_hash(void)
{
	uint8		hash[HASH_BYTES];
	uint8		expected[HASH_BYTES];

	/* RFC 9162, section 2.1.5: the leaf hash of the empty string is SHA-256(0x00). */
	entry_hash(hash, "", 0);
	unit_hex(expected, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	check(memcmp(hash, expected, HASH_BYTES) == 0, "entry_hash is the leaf hash of RFC 9162");
}

int
main(void)
{
	test_round_trip("small", small_entry());
	memory_reset();
	test_round_trip("full", full_entry());
	test_round_trip("spooled", spooled_entry());
	memory_reset();
	test_bounds();
	memory_reset();
	test_chain();
	memory_reset();
	test_hash();
	for (int kind = 0; kind <= 300; kind++)
		if (entry_kind_name(kind) != NULL && strlen(entry_kind_name(kind)) == 0)
			abort();
	check(strcmp(entry_kind_name(ENTRY_REQUEST), "request") == 0, "kinds have names");
	return unit_done();
}
