/*
 * story.c
 *	  What the entries of each run tell.
 *
 * Runs are kept while they are open, in a table with linear probing; one that
 * ends leaves without a mark (Knuth, volume 3, 6.4, algorithm R).  So it stays
 * small however long the ledger is.
 */
#include "base/base.h"

#include "ledger/story.h"

#define ROOM_MIN		1024

void
stories_start(Stories *stories)
{
	memset(stories, 0, sizeof(*stories));
	random_bytes(&stories->secret, sizeof(stories->secret));
	stories->room = ROOM_MIN;
	stories->runs = palloc0(ROOM_MIN * sizeof(RunState));
}

/* Where a run is best put.  The mixing is that of splitmix64 (Steele et al., OOPSLA 2014). */
static uint64
home_of(const Stories *stories, const uint8 run[RUN_ID_BYTES])
{
	uint64		words[2];
	uint64		x;

	memcpy(words, run, RUN_ID_BYTES);
	x = words[0] ^ stories->secret;
	x = (x ^ (x >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9) + (words[1] ^ stories->secret);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return (x ^ (x >> 31)) & (stories->room - 1);
}

static RunState *
place_of(const Stories *stories, const uint8 run[RUN_ID_BYTES])
{
	for (uint64 i = home_of(stories, run);; i = (i + 1) & (stories->room - 1))
		if (stories->runs[i].open == 0 || memcmp(stories->runs[i].run, run, RUN_ID_BYTES) == 0)
			return &stories->runs[i];
}

static void
grow(Stories *stories)
{
	RunState   *old = stories->runs;
	uint64		n = stories->room;

	stories->room = 2 * n;
	stories->runs = palloc_extended(stories->room * sizeof(RunState), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < n; i++)
		if (old[i].open > 0)
			*place_of(stories, old[i].run) = old[i];
	pfree(old);
}

/* Those behind a place that becomes free move up, unless that is before their home. */
static void
leave(Stories *stories, RunState *state)
{
	uint64		mask = stories->room - 1;
	uint64		hole = state - stories->runs;

	stories->counts.open--;
	for (uint64 i = (hole + 1) & mask; stories->runs[i].open > 0; i = (i + 1) & mask)
	{
		uint64		home = home_of(stories, stories->runs[i].run);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		stories->runs[hole] = stories->runs[i];
		hole = i;
	}
	stories->runs[hole].open = 0;
}

/* Local actions have one id a transaction, and a number each. */
static void
story_of(uint8 story[RUN_ID_BYTES], const EntryView *entry)
{
	uint64		number = entry->kind >= ENTRY_INTENT && entry->ncounters > 0 ? entry->counters[0] : 0;
	uint64		word;

	memcpy(story, entry->run, RUN_ID_BYTES);
	memcpy(&word, story, sizeof(word));
	word ^= number;
	memcpy(story, &word, sizeof(word));
}

static void
take_request(Stories *stories, const uint8 story[RUN_ID_BYTES])
{
	RunState   *state;

	stories->counts.requests++;
	if (stories->counts.open * 2 >= stories->room)
		grow(stories);
	state = place_of(stories, story);
	if (state->open == 0)
	{
		memcpy(state->run, story, RUN_ID_BYTES);
		state->yes = false;
		stories->counts.open++;
	}
	if (state->open < PG_UINT32_MAX)
		state->open++;
}

/* Does it claim that something was allowed, done or revealed? That some run failed may come late, or alone. */
static bool
claims(const EntryView *entry)
{
	switch (entry->kind)
	{
		case ENTRY_DECISION:
			return entry_text_is(entry->outcome, "yes");
		case ENTRY_OUTCOME:
			return entry_text_is(entry->outcome, "opened") || entry_text_is(entry->outcome, "released");
		default:
			return true;
	}
}

/* What comes after a beginning; ends says whether it is the end. */
static void
take_next(Stories *stories, const uint8 story[RUN_ID_BYTES], const EntryView *entry, bool ends)
{
	RunCounts  *counts = &stories->counts;
	RunState   *state = place_of(stories, story);

	if (state->open == 0 ? !stories->partial && claims(entry)
		: entry->kind == ENTRY_EXECUTION && !state->yes)
	{
		if (counts->unfounded++ == 0)
			counts->first_unfounded = entry->seq;
	}
	if (state->open == 0)
		return;
	if (entry->kind == ENTRY_DECISION)
		state->yes |= entry_text_is(entry->outcome, "yes");
	else if (ends && --state->open == 0)
		leave(stories, state);
}

void
stories_take(Stories *stories, const EntryView *entry)
{
	uint8		story[RUN_ID_BYTES];

	if (entry->run == NULL)
		return;
	story_of(story, entry);
	switch (entry->kind)
	{
		case ENTRY_REQUEST:
		case ENTRY_INTENT:
		case ENTRY_CHANGE:
			take_request(stories, story);
			break;
		case ENTRY_DECISION:
		case ENTRY_EXECUTION:
			take_next(stories, story, entry, false);
			break;
		case ENTRY_OUTCOME:
		case ENTRY_CLOSED:
			take_next(stories, story, entry, true);
			break;
		default:
			break;
	}
}

void
stories_end(Stories *stories, RunCounts *counts)
{
	*counts = stories->counts;
	pfree(stories->runs);
}
