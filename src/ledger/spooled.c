/*
 * spooled.c
 *	  What is kept in a file while the ledger can't be written: the bytes.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "ledger/spooled.h"

#define FIELDS			14
#define MAGIC			"sMfR"
#define MAGIC_BYTES		4
#define SUM_BYTES		8
#define FRAME_HEAD_BYTES	(MAGIC_BYTES + 4 + SUM_BYTES)

static const char header_text[SPOOL_HEADER_BYTES - SPOOL_ID_BYTES] = "secmed spool 1\n";

bool
spooled_kind(EntryKind kind)
{
	return entry_kind_is_local(kind) || kind == ENTRY_NOTE ||
		(kind >= ENTRY_REQUEST && kind <= ENTRY_OUTCOME);
}

void
spooled_header(uint8 out[SPOOL_HEADER_BYTES], const uint8 id[SPOOL_ID_BYTES])
{
	memcpy(out, header_text, sizeof(header_text));
	memcpy(out + sizeof(header_text), id, SPOOL_ID_BYTES);
}

const uint8 *
spooled_id(const uint8 *bytes, size_t len)
{
	if (len < SPOOL_HEADER_BYTES || memcmp(bytes, header_text, sizeof(header_text)) != 0)
		return NULL;
	return bytes + sizeof(header_text);
}

/* Writing -------------------------------------------------------------------*/

static void
write_optional(StringInfo out, bool present, const void *bytes, size_t len)
{
	if (present)
		cbor_bytes(out, bytes, len);
	else
		cbor_null(out);
}

static void
write_body(StringInfo out, const SpooledEntry *spooled)
{
	const LedgerEntry *entry = &spooled->entry;

	cbor_array(out, FIELDS);
	cbor_int(out, entry->spooled_us);
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
	write_optional(out, spooled->has_payload, spooled->salt, SALT_BYTES);
	write_optional(out, spooled->has_payload, spooled->payload, spooled->payload_len);
	if (spooled->has_place)
		cbor_uint(out, spooled->seq);
	else
		cbor_null(out);
	write_optional(out, spooled->has_place, spooled->leaf, HASH_BYTES);
}

static void
frame_sum(uint8 sum[SUM_BYTES], const uint8 *length, const void *body, size_t len)
{
	HashPart	parts[] = {{length, 4}, {body, len}};
	uint8		hash[HASH_BYTES];

	hash_parts(hash, parts, lengthof(parts));
	memcpy(sum, hash, SUM_BYTES);
}

void
spooled_write(StringInfo out, const SpooledEntry *spooled)
{
	StringInfoData body;
	uint8		length[4];
	uint8		sum[SUM_BYTES];

	initStringInfo(&body);
	write_body(&body, spooled);
	for (int i = 0; i < 4; i++)
		length[i] = (uint8) ((uint32) body.len >> (24 - 8 * i));
	frame_sum(sum, length, body.data, body.len);
	appendBinaryStringInfo(out, MAGIC, MAGIC_BYTES);
	appendBinaryStringInfo(out, (char *) length, sizeof(length));
	appendBinaryStringInfo(out, (char *) sum, SUM_BYTES);
	appendBinaryStringInfo(out, body.data, body.len);
	wipe(body.data, body.len);
	pfree(body.data);
}

/* Reading -------------------------------------------------------------------*/

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
	entry->has_spooled = true;
	entry->spooled_us = (int64) cbor_read_uint(reader, ENTRY_AT_US_MAX);
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
read_body(SpooledEntry *spooled, const uint8 *bytes, size_t len)
{
	CborReader	reader;
	bool		payload;

	memset(spooled, 0, sizeof(*spooled));
	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, FIELDS);
	read_fields(&reader, &spooled->entry);
	spooled->has_payload = read_optional(&reader, spooled->salt, SALT_BYTES);
	payload = !cbor_read_null(&reader);
	if (payload)
		spooled->payload = cbor_read_bytes(&reader, LEDGER_PAYLOAD_BYTES_MAX, &spooled->payload_len);
	spooled->has_place = !cbor_read_null(&reader);
	if (spooled->has_place)
		spooled->seq = cbor_read_uint(&reader, PG_INT64_MAX);
	return read_optional(&reader, spooled->leaf, HASH_BYTES) == spooled->has_place &&
		cbor_finish(&reader) && payload == spooled->has_payload &&
		spooled_kind(spooled->entry.kind) && entry_problem(&spooled->entry) == NULL;
}

size_t
spooled_read(SpooledEntry *spooled, const uint8 *bytes, size_t len)
{
	const uint8 *length = bytes + MAGIC_BYTES;
	uint8		sum[SUM_BYTES];
	size_t		body = 0;

	if (len < FRAME_HEAD_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
		return 0;
	for (int i = 0; i < 4; i++)
		body = body << 8 | length[i];
	if (body > len - FRAME_HEAD_BYTES)
		return 0;
	frame_sum(sum, length, bytes + FRAME_HEAD_BYTES, body);
	if (memcmp(sum, length + 4, SUM_BYTES) != 0 ||
		!read_body(spooled, bytes + FRAME_HEAD_BYTES, body))
		return 0;
	return FRAME_HEAD_BYTES + body;
}

size_t
spooled_skip(const uint8 *bytes, size_t len)
{
	for (size_t i = 1; i < len; i++)
	{
		size_t		compare = Min((size_t) MAGIC_BYTES, len - i);

		if (memcmp(bytes + i, MAGIC, compare) == 0)
			return i;
	}
	return len;
}
