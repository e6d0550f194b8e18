/*
 * entry.c
 *	  The bytes of a ledger entry, written one way and read strictly.
 *
 * What is read is what would be written: every head is the shortest (cbor.c),
 * the fields are the fourteen in their order and within the limits that hold
 * for writing, and nothing follows.  test/fuzz/entry.c and test_entry.c write
 * again what was read, and compare.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "identity/card.h"
#include "ledger/entry.h"

#define ENTRY_ELEMENTS	14

const char *
entry_kind_name(EntryKind kind)
{
	switch (kind)
	{
		case ENTRY_NODE_CREATED:
			return "node created";
		case ENTRY_PEER_ADDED:
			return "peer added";
		case ENTRY_PEER_REMOVED:
			return "peer removed";
		case ENTRY_PUBLISHED:
			return "published";
		case ENTRY_UNPUBLISHED:
			return "unpublished";
		case ENTRY_SHARED:
			return "shared table";
		case ENTRY_NOTE:
			return "note";
		case ENTRY_DOCUMENT:
			return "document";
		case ENTRY_RULE:
			return "rule";
		case ENTRY_REQUEST:
			return "request";
		case ENTRY_DECISION:
			return "decision";
		case ENTRY_EXECUTION:
			return "execution";
		case ENTRY_OUTCOME:
			return "outcome";
		case ENTRY_APPROVAL:
			return "approval";
		case ENTRY_BUDGET:
			return "budget";
		case ENTRY_ACCOUNT:
			return "account";
		case ENTRY_KEY:
			return "key";
		case ENTRY_HEAD:
			return "head";
		case ENTRY_ERASED:
			return "erased";
		case ENTRY_FORK:
			return "fork";
		case ENTRY_REVIEWED:
			return "reviewed";
		case ENTRY_ARCHIVED:
			return "archived";
		case ENTRY_INTENT:
			return "intent";
		case ENTRY_CHANGE:
			return "change";
		case ENTRY_PRECOMMIT:
			return "precommit";
		case ENTRY_CLOSED:
			return "closed";
		case ENTRY_ACCESS:
			return "access";
		case ENTRY_LOGIN:
			return "login";
		case ENTRY_RESTART:
			return "restart";
	}
	return NULL;
}

bool
entry_kind_is_local(EntryKind kind)
{
	return kind >= ENTRY_INTENT && kind <= ENTRY_RESTART;
}

static const char *
counters_problem(const LedgerEntry *entry)
{
	if (entry->ncounters < 0 || entry->ncounters > ENTRY_COUNTERS_MAX)
		return "has too many counters";
	for (int i = 0; i < entry->ncounters; i++)
		if (entry->counters[i] > (uint64) PG_INT64_MAX)
			return "has a counter that is out of range";
	return NULL;
}

const char *
entry_problem(const LedgerEntry *entry)
{
	if (entry_kind_name(entry->kind) == NULL)
		return "is of an unknown kind";
	if (strlen(entry->actor) > ENTRY_ACTOR_MAX)
		return "names too long an actor";
	if (strlen(entry->object) > ENTRY_TEXT_MAX)
		return "names too long an object";
	if (strlen(entry->outcome) > ENTRY_OUTCOME_MAX)
		return "has too long an outcome";
	if (strlen(entry->revealed) > ENTRY_TEXT_MAX)
		return "says at too great a length what was revealed";
	if (entry->has_spooled && (entry->spooled_us < 0 || entry->spooled_us > ENTRY_AT_US_MAX))
		return "was spooled at a time that is out of range";
	return counters_problem(entry);
}

/* The fields the sequencer sets. */
static const char *
place_problem(const LedgerEntry *entry)
{
	static const uint8 zeros[HASH_BYTES] = {0};

	if (!node_name_valid(entry->site))
		return "names a site that is not a node's name";
	if (entry->seq > (uint64) PG_INT64_MAX)
		return "has a number that is out of range";
	if (entry->seq == 0 && memcmp(entry->prev, zeros, HASH_BYTES) != 0)
		return "is the first and links to another";
	if (entry->at_us < 0 || entry->at_us > ENTRY_AT_US_MAX)
		return "has a time that is out of range";
	return NULL;
}

static void
write_optional(StringInfo out, bool present, const void *bytes, size_t len)
{
	if (present)
		cbor_bytes(out, bytes, len);
	else
		cbor_null(out);
}

static void
write_fields(StringInfo out, const LedgerEntry *entry)
{
	cbor_array(out, ENTRY_ELEMENTS + (entry->has_spooled ? 1 : 0));
	cbor_uint(out, entry->has_spooled ? ENTRY_FORMAT_SPOOLED : ENTRY_FORMAT);
	cbor_text(out, entry->site);
	cbor_uint(out, entry->seq);
	cbor_bytes(out, entry->prev, HASH_BYTES);
	cbor_int(out, entry->at_us);
	cbor_uint(out, entry->kind);
	write_optional(out, entry->has_run, entry->run, RUN_ID_BYTES);
	cbor_text(out, entry->actor);
	cbor_text(out, entry->object);
	write_optional(out, entry->has_plan, entry->plan, HASH_BYTES);
	cbor_text(out, entry->outcome);
	cbor_text(out, entry->revealed);
	cbor_array(out, entry->ncounters);
	for (int i = 0; i < entry->ncounters; i++)
		cbor_uint(out, entry->counters[i]);
	write_optional(out, entry->has_commitment, entry->commitment, HASH_BYTES);
	if (entry->has_spooled)
		cbor_int(out, entry->spooled_us);
}

void
entry_encode(StringInfo out, const LedgerEntry *entry)
{
	const char *problem = entry_problem(entry);

	if (problem == NULL)
		problem = place_problem(entry);
	if (problem != NULL)
		fail(ERRCODE_SECMED_LEDGER, "an entry for the ledger %s", problem);
	write_fields(out, entry);
}

static const uint8 *
read_fixed(CborReader *reader, size_t len)
{
	size_t		found;
	const uint8 *bytes = cbor_read_bytes(reader, len, &found);

	if (found != len && reader->error == NULL)
		reader->error = "holds a string of another length than expected";
	return bytes;
}

static const uint8 *
read_optional(CborReader *reader, size_t len)
{
	return cbor_read_null(reader) ? NULL : read_fixed(reader, len);
}

static EntryText
read_text(CborReader *reader, size_t max)
{
	EntryText	text;

	text.at = cbor_read_text_at(reader, max, &text.len);
	return text;
}

static void
read_fields(CborReader *reader, EntryView *view)
{
	view->site = read_text(reader, NODE_NAME_BYTES_MAX);
	view->seq = cbor_read_uint(reader, PG_INT64_MAX);
	view->prev = read_fixed(reader, HASH_BYTES);
	view->at_us = (int64) cbor_read_uint(reader, ENTRY_AT_US_MAX);
	view->kind = (EntryKind) cbor_read_uint(reader, ENTRY_KIND_MAX);
	view->run = read_optional(reader, RUN_ID_BYTES);
	view->actor = read_text(reader, ENTRY_ACTOR_MAX);
	view->object = read_text(reader, ENTRY_TEXT_MAX);
	view->plan = read_optional(reader, HASH_BYTES);
	view->outcome = read_text(reader, ENTRY_OUTCOME_MAX);
	view->revealed = read_text(reader, ENTRY_TEXT_MAX);
	view->ncounters = (int) cbor_read_array(reader, ENTRY_COUNTERS_MAX);
	for (int i = 0; i < view->ncounters; i++)
		view->counters[i] = cbor_read_uint(reader, PG_INT64_MAX);
	view->commitment = read_optional(reader, HASH_BYTES);
	if (view->has_spooled)
		view->spooled_us = (int64) cbor_read_uint(reader, ENTRY_AT_US_MAX);
}

/* What the reader does not know of: kinds, names, the first entry. */
static const char *
view_problem(const EntryView *view)
{
	static const uint8 zeros[HASH_BYTES] = {0};

	if (entry_kind_name(view->kind) == NULL)
		return "is of an unknown kind";
	if (!node_name_valid_at(view->site.at, view->site.len))
		return "names a site that is not a node's name";
	if (view->seq == 0 && memcmp(view->prev, zeros, HASH_BYTES) != 0)
		return "is the first and links to another";
	return NULL;
}

bool
entry_view(EntryView *view, const void *bytes, size_t len, const char **reason)
{
	CborReader	reader;
	uint64		elements;
	uint64		format;

	*reason = "is too long";
	if (len > LEDGER_ENTRY_BYTES_MAX)
		return false;

	cbor_start(&reader, bytes, len);
	elements = cbor_read_array(&reader, ENTRY_ELEMENTS + 1);
	format = cbor_read_uint(&reader, PG_UINT64_MAX);
	*reason = "is of an unknown format";
	if (reader.error == NULL &&
		!(format == ENTRY_FORMAT && elements == ENTRY_ELEMENTS) &&
		!(format == ENTRY_FORMAT_SPOOLED && elements == ENTRY_ELEMENTS + 1))
		return false;
	view->has_spooled = format == ENTRY_FORMAT_SPOOLED;
	view->spooled_us = 0;
	read_fields(&reader, view);
	if (!cbor_finish(&reader))
	{
		*reason = reader.error;
		return false;
	}
	*reason = view_problem(view);
	return *reason == NULL;
}

bool
entry_text_is(EntryText text, const char *other)
{
	return text.len == strlen(other) && memcmp(text.at, other, text.len) == 0;
}

/* A terminated copy at *to, which then is behind it. */
static const char *
keep_text(char **to, EntryText text)
{
	char	   *start = *to;

	memcpy(start, text.at, text.len);
	start[text.len] = '\0';
	*to += text.len + 1;
	return start;
}

static bool
keep_fixed(uint8 *to, const uint8 *from, size_t len)
{
	if (from != NULL)
		memcpy(to, from, len);
	return from != NULL;
}

void
entry_from_view(LedgerEntry *entry, const EntryView *view)
{
	char	   *strings = palloc(view->site.len + view->actor.len + view->object.len +
								 view->outcome.len + view->revealed.len + 5);

	memset(entry, 0, sizeof(*entry));
	entry->site = keep_text(&strings, view->site);
	entry->seq = view->seq;
	memcpy(entry->prev, view->prev, HASH_BYTES);
	entry->at_us = view->at_us;
	entry->kind = view->kind;
	entry->has_run = keep_fixed(entry->run, view->run, RUN_ID_BYTES);
	entry->actor = keep_text(&strings, view->actor);
	entry->object = keep_text(&strings, view->object);
	entry->has_plan = keep_fixed(entry->plan, view->plan, HASH_BYTES);
	entry->outcome = keep_text(&strings, view->outcome);
	entry->revealed = keep_text(&strings, view->revealed);
	entry->ncounters = view->ncounters;
	memcpy(entry->counters, view->counters, view->ncounters * sizeof(uint64));
	entry->has_commitment = keep_fixed(entry->commitment, view->commitment, HASH_BYTES);
	entry->has_spooled = view->has_spooled;
	entry->spooled_us = view->spooled_us;
}

void
entry_forget(LedgerEntry *entry)
{
	pfree((char *) entry->site);
}

bool
entry_decode(LedgerEntry *entry, const void *bytes, size_t len, const char **reason)
{
	EntryView	view;

	if (!entry_view(&view, bytes, len, reason))
		return false;
	entry_from_view(entry, &view);
	return true;
}

void
entry_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len)
{
	static const uint8 leaf = 0x00; /* RFC 9162, section 2.1.1 */
	HashPart	parts[] = {{&leaf, 1}, {bytes, len}};

	hash_parts(out, parts, lengthof(parts));
}
