/*
 * test_spooled.c
 *	  A spool gives back what was written, and whatever was cut or changed is
 *	  skipped without what stands around it.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledger/spooled.h"
#include "unit.h"

#define FRAMES	5

static SpooledEntry
some_entry(int n)
{
	static const char *const payloads[] = {"SELECT 1", "sMfR sMfR", "", "x"};
	SpooledEntry spooled = {.entry = {.kind = ENTRY_ACCESS, .actor = "anna", .object = "clinic.trial", .outcome = "read",
	.revealed = "select", .ncounters = 1, .has_spooled = true}};

	spooled.entry.spooled_us = INT64CONST(1700000000000000) + n;
	spooled.entry.counters[0] = n;
	if (n > 0)
	{
		spooled.has_payload = true;
		spooled.payload = (const uint8 *) payloads[n - 1];
		spooled.payload_len = strlen(payloads[n - 1]);
		memset(spooled.salt, n, SALT_BYTES);
		spooled.entry.has_commitment = true;
		commit_payload(spooled.entry.commitment, spooled.salt, spooled.payload, spooled.payload_len);
	}
	if (n % 2)
	{
		spooled.has_place = true;
		spooled.seq = 1000 + n;
		memset(spooled.leaf, n, HASH_BYTES);
	}
	return spooled;
}

/* Which frames are read: one bit each. */
static unsigned
frames_in(const StringInfoData *spool)
{
	const uint8 *bytes = (const uint8 *) spool->data;
	unsigned	found = 0;
	size_t		at = 0;

	while (at < (size_t) spool->len)
	{
		SpooledEntry spooled;
		size_t		len = spooled_read(&spooled, bytes + at, spool->len - at);

		if (len > 0)
			found |= 1U << spooled.entry.counters[0];
		at += len > 0 ? len : spooled_skip(bytes + at, spool->len - at);
	}
	return found;
}

static void
test_spool(void)
{
	StringInfoData spool;
	int			ends[FRAMES];
	int			bad = 0;

	initStringInfo(&spool);
	for (int i = 0; i < FRAMES; i++)
	{
		SpooledEntry spooled = some_entry(i);

		spooled_write(&spool, &spooled);
		ends[i] = spool.len;
	}
	check(frames_in(&spool) == 31, "all frames are read");

	for (int i = 0; i < spool.len; i++)
	{
		int			frame = 0;

		while (i >= ends[frame])
			frame++;
		spool.data[i] ^= 1;
		bad += frames_in(&spool) != (31U & ~(1U << frame));
		spool.data[i] ^= 1;
	}
	check(bad == 0, "a changed byte loses its frame and no other");

	bad = 0;
	for (int len = 0; len < spool.len; len++)
	{
		StringInfoData cut = spool;
		unsigned	whole = 0;

		for (int i = 0; i < FRAMES; i++)
			whole |= ends[i] <= len ? 1U << i : 0;
		cut.len = len;
		bad += frames_in(&cut) != whole;
	}
	check(bad == 0, "a cut spool gives its whole frames");
}

/* A torn frame in the middle: another was appended after a crash. */
static void
test_torn(void)
{
	StringInfoData spool;
	SpooledEntry first = some_entry(2);
	SpooledEntry second = some_entry(3);

	initStringInfo(&spool);
	spooled_write(&spool, &first);
	spool.len -= 7;
	spooled_write(&spool, &second);
	check(frames_in(&spool) == 1U << 3, "what follows a torn frame is read");
}

static void
test_kinds(void)
{
	SpooledEntry spooled = some_entry(0);
	StringInfoData spool;

	check(spooled_kind(ENTRY_NOTE) && spooled_kind(ENTRY_ACCESS) && spooled_kind(ENTRY_REQUEST), "events are spooled");
	check(!spooled_kind(ENTRY_KEY) && !spooled_kind(ENTRY_NODE_CREATED) && !spooled_kind(ENTRY_HEAD) &&
		  !spooled_kind(ENTRY_ERASED), "what the ledger is made of is not");
	spooled.entry.kind = ENTRY_KEY;
	initStringInfo(&spool);
	spooled_write(&spool, &spooled);
	check(frames_in(&spool) == 0, "and is not read from a spool");
}

int
main(void)
{
	test_spool();
	memory_reset();
	test_torn();
	test_kinds();
	return unit_done();
}
