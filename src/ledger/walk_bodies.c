/*
 * walk_bodies.c
 *	  The bodies of an export: each is the one its entry commits to, or said to
 *	  be erased by an entry that says so too.
 */
#include "base/base.h"

#include "ledger/walk.h"

static void
numbers_add(Numbers *numbers, uint64 value)
{
	if (numbers->n == numbers->room)
	{
		numbers->room = Max(numbers->room * 2, 64);
		if (numbers->at == NULL)
			numbers->at = palloc(numbers->room * sizeof(uint64));
		else
			numbers->at = repalloc(numbers->at, numbers->room * sizeof(uint64));
	}
	numbers->at[numbers->n++] = value;
}

/* Index of the first, in steps of width, that is not smaller. */
static uint64
numbers_find(const Numbers *numbers, int width, uint64 value)
{
	uint64		low = 0;
	uint64		high = numbers->n / width;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (numbers->at[middle * width] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low * width;
}

bool
walk_next_payload(Walk *walk)
{
	const char *end = walk->payloads_file.data + walk->payloads_file.len;
	const char *line;
	const char *space;
	size_t		len;
	uint64		before = walk->payload_seq;
	bool		first = !walk->has_payload;

	walk->has_payload = false;
	if (walk->payloads_at == end)
		return true;
	if (!next_line(&walk->payloads_at, end, &line, &len) ||
		(space = memchr(line, ' ', len)) == NULL ||
		!decimal_read(&walk->payload_seq, line, (size_t) (space - line), PG_INT64_MAX))
		return walk_fault_whole(walk, "has a list of bodies that can't be read");
	if (walk->payload_seq >= walk->result->head.size || (!first && walk->payload_seq <= before))
		return walk_fault(walk, walk->payload_seq, "has a body, and is not there or was listed before");
	walk->payload = space + 1;
	walk->payload_len = len - (size_t) (space + 1 - line);
	walk->has_payload = true;
	return true;
}

/* BASE64(SALT) BASE64(BODY) */
static const char *
opened_problem(Walk *walk, const EntryView *entry, const char *text, size_t len)
{
	size_t		salt_len = (SALT_BYTES + 2) / 3 * 4;
	size_t		body_len;
	uint8		salt[SALT_BYTES];
	uint8		commitment[HASH_BYTES];
	uint8	   *body;
	bool		read;

	if (len < salt_len + 1 || text[salt_len] != ' ' || !base64_read(salt, SALT_BYTES, text, salt_len))
		return "has a body that can't be read";
	text += salt_len + 1;
	len -= salt_len + 1;
	body_len = len / 4 * 3;
	if (len >= 4)
		body_len -= (text[len - 1] == '=') + (text[len - 2] == '=');
	body = palloc(body_len + 1);
	read = base64_read(body, body_len, text, len);
	if (read)
		commit_payload(commitment, salt, body, body_len);
	pfree(body);
	if (!read)
		return "has a body that can't be read";
	return memcmp(commitment, entry->commitment, HASH_BYTES) == 0 ? NULL
		: "has a body that is not the one it commits to";
}

static const char *
payload_problem(Walk *walk, const EntryView *entry)
{
	const char *text = walk->payload;
	size_t		len = walk->payload_len;
	const char *problem;
	uint64		by;

	if (entry->commitment == NULL)
		return "has a body, and commits to none";
	if (len >= 7 && memcmp(text, "opened ", 7) == 0)
	{
		problem = opened_problem(walk, entry, text + 7, len - 7);
		numbers_add(&walk->opened, entry->seq);
		walk->result->opened++;
		return problem;
	}
	if (len < 7 || memcmp(text, "erased ", 7) != 0 || !decimal_read(&by, text + 7, len - 7, PG_INT64_MAX))
		return "has a body that can't be read";
	numbers_add(&walk->erased, entry->seq);
	numbers_add(&walk->erased, by);
	walk->result->erased++;
	return NULL;
}

bool
walk_check_payload(Walk *walk, const EntryView *entry)
{
	const char *problem;

	if (!walk->has_payload || walk->payload_seq != entry->seq)
	{
		walk->result->withheld += entry->commitment != NULL;
		return true;
	}
	problem = payload_problem(walk, entry);
	if (problem != NULL)
		return walk_fault(walk, entry->seq, problem);
	return walk_next_payload(walk);
}

/* What an ERASED entry speaks of can't be here. */
bool
walk_take_erased(Walk *walk, const LedgerEntry *entry)
{
	const char *problem = erased_problem(entry);

	if (problem != NULL)
		return walk_fault(walk, entry->seq, problem);
	for (int i = 0; i < entry->ncounters; i += 2)
	{
		uint64		at = numbers_find(&walk->opened, 1, entry->counters[i]);

		if (at < walk->opened.n && walk->opened.at[at] <= entry->counters[i + 1])
			return walk_fault(walk, walk->opened.at[at], "is said to be erased, and its body is here");
		numbers_add(&walk->erasures, entry->seq);
		numbers_add(&walk->erasures, entry->counters[i]);
		numbers_add(&walk->erasures, entry->counters[i + 1]);
	}
	return true;
}

/* Each body that is listed as erased: does the entry that is named say so? */
bool
walk_check_erased(Walk *walk)
{
	for (uint64 i = 0; i < walk->erased.n; i += 2)
	{
		uint64		seq = walk->erased.at[i];
		uint64		by = walk->erased.at[i + 1];
		bool		covered = false;

		for (uint64 at = numbers_find(&walk->erasures, 3, by);
			 at < walk->erasures.n && walk->erasures.at[at] == by; at += 3)
			covered |= walk->erasures.at[at + 1] <= seq && seq <= walk->erasures.at[at + 2];
		if (!covered)
			return walk_fault(walk, seq, "lacks its body, and no entry says that it was erased");
	}
	return true;
}
