/*
 * entry.c
 *	  The bytes of a ledger entry, written one way and read strictly.
 *
 * Decoding ends with encoding again and comparing: an entry that does not
 * come back byte for byte is refused, whatever it seems to say.
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
		case ENTRY_NOTE:
			return "note";
		case ENTRY_REQUEST:
			return "request";
		case ENTRY_DECISION:
			return "decision";
		case ENTRY_EXECUTION:
			return "execution";
		case ENTRY_OUTCOME:
			return "outcome";
		case ENTRY_KEY:
			return "key";
		case ENTRY_HEAD:
			return "head";
		case ENTRY_ERASED:
			return "erased";
		case ENTRY_FORK:
			return "fork";
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
	cbor_array(out, ENTRY_ELEMENTS);
	cbor_uint(out, ENTRY_FORMAT);
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

static bool
read_optional(CborReader *reader, void *out, size_t len)
{
	if (cbor_read_null(reader))
		return false;
	cbor_read_fixed(reader, out, len);
	return true;
}

static void
read_fields(CborReader *reader, LedgerEntry *entry)
{
	entry->site = cbor_read_text(reader, NODE_NAME_BYTES_MAX);
	entry->seq = cbor_read_uint(reader, PG_INT64_MAX);
	cbor_read_fixed(reader, entry->prev, HASH_BYTES);
	entry->at_us = (int64) cbor_read_uint(reader, ENTRY_AT_US_MAX);
	entry->kind = (EntryKind) cbor_read_uint(reader, ENTRY_KIND_MAX);
	entry->has_run = read_optional(reader, entry->run, RUN_ID_BYTES);
	entry->actor = cbor_read_text(reader, ENTRY_ACTOR_MAX);
	entry->object = cbor_read_text(reader, ENTRY_TEXT_MAX);
	entry->has_plan = read_optional(reader, entry->plan, HASH_BYTES);
	entry->outcome = cbor_read_text(reader, ENTRY_OUTCOME_MAX);
	entry->revealed = cbor_read_text(reader, ENTRY_TEXT_MAX);
	entry->ncounters = (int) cbor_read_array(reader, ENTRY_COUNTERS_MAX);
	for (int i = 0; i < entry->ncounters; i++)
		entry->counters[i] = cbor_read_uint(reader, PG_INT64_MAX);
	entry->has_commitment = read_optional(reader, entry->commitment, HASH_BYTES);
}

static bool
comes_back(const LedgerEntry *entry, const void *bytes, size_t len)
{
	StringInfoData again;
	bool		equal;

	initStringInfo(&again);
	write_fields(&again, entry);
	equal = again.len == len && memcmp(again.data, bytes, len) == 0;
	pfree(again.data);
	return equal;
}

bool
entry_decode(LedgerEntry *entry, const void *bytes, size_t len, const char **reason)
{
	CborReader	reader;
	uint64		format;

	memset(entry, 0, sizeof(*entry));
	*reason = "is too long";
	if (len > LEDGER_ENTRY_BYTES_MAX)
		return false;

	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, ENTRY_ELEMENTS);
	format = cbor_read_uint(&reader, PG_UINT64_MAX);
	*reason = "is of an unknown format";
	if (reader.error == NULL && format != ENTRY_FORMAT)
		return false;
	read_fields(&reader, entry);
	if (!cbor_finish(&reader))
	{
		*reason = reader.error ? reader.error : "has bytes left over";
		return false;
	}

	if ((*reason = entry_problem(entry)) != NULL ||
		(*reason = place_problem(entry)) != NULL)
		return false;
	*reason = "is not written canonically";
	return comes_back(entry, bytes, len);
}

void
entry_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len)
{
	static const uint8 leaf = 0x00; /* RFC 9162, section 2.1.1 */
	HashPart	parts[] = {{&leaf, 1}, {bytes, len}};

	hash_parts(out, parts, lengthof(parts));
}
