/*
 * mirror.c
 *	  What nodes say to each other about their ledgers.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "ledger/mirror.h"

#define MIRROR_VERSION	1

static const char *const kinds[] = {"key", "head", "update", "pull", "gossip"};
static const int elements[] = {2, 2, 8, 3, 4};

static void
write_list(StringInfo out, uint64 n, const uint8 *const *items, const size_t *lens)
{
	cbor_array(out, n);
	for (uint64 i = 0; i < n; i++)
		cbor_bytes(out, items[i], lens[i]);
}

static void
write_proofs(StringInfo out, const MirrorQuestion *question)
{
	cbor_array(out, question->nproofs);
	for (int i = 0; i < question->nproofs; i++)
		cbor_bytes(out, question->proofs[i].bytes, question->proofs[i].len);
}

static void
write_or_null(StringInfo out, const MirrorBytes *bytes)
{
	if (bytes->len > 0)
		cbor_bytes(out, bytes->bytes, bytes->len);
	else
		cbor_null(out);
}

void
mirror_question_encode(StringInfo out, const MirrorQuestion *question)
{
	cbor_array(out, elements[question->kind]);
	cbor_uint(out, MIRROR_VERSION);
	cbor_text(out, kinds[question->kind]);
	if (question->kind == MIRROR_UPDATE)
	{
		cbor_uint(out, question->turn);
		cbor_bytes(out, question->note.bytes, question->note.len);
	}
	if (question->kind == MIRROR_UPDATE || question->kind == MIRROR_PULL)
		cbor_uint(out, question->first);
	if (question->kind == MIRROR_UPDATE || question->kind == MIRROR_GOSSIP)
		write_list(out, question->n, question->items, question->lens);
	if (question->kind == MIRROR_GOSSIP)
		write_proofs(out, question);
	if (question->kind != MIRROR_UPDATE)
		return;
	write_or_null(out, &question->certified);
	write_or_null(out, &question->policy);
}

/* Lists ---------------------------------------------------------------------*/

static void
read_list(CborReader *reader, uint64 n_max, size_t len_max, uint64 *n, const uint8 ***items, size_t **lens)
{
	uint64		left;

	*n = cbor_read_array(reader, n_max);
	/* Each item has at least one byte: a short message asks for no long list. */
	left = (uint64) (reader->end - reader->at);
	if (reader->error == NULL && *n > left)
		reader->error = "is cut off";
	if (reader->error != NULL)
		*n = 0;
	*items = palloc((*n + 1) * sizeof(uint8 *));
	*lens = palloc((*n + 1) * sizeof(size_t));
	for (uint64 i = 0; i < *n && reader->error == NULL; i++)
		(*items)[i] = cbor_read_bytes(reader, len_max, &(*lens)[i]);
}

static void
read_proofs(CborReader *reader, MirrorQuestion *question)
{
	const uint8 **items;
	size_t	   *lens;
	uint64		n;

	read_list(reader, MIRROR_NOTES_MAX, MIRROR_PROOF_BYTES_MAX, &n, &items, &lens);
	question->nproofs = (int) n;
	question->proofs = palloc((n + 1) * sizeof(MirrorBytes));
	for (uint64 i = 0; i < n && reader->error == NULL; i++)
		question->proofs[i] = (MirrorBytes) {items[i], lens[i]};
	pfree(items);
	pfree(lens);
}

static void
read_or_null(CborReader *reader, size_t len_max, MirrorBytes *bytes)
{
	if (cbor_read_null(reader))
		return;
	bytes->bytes = cbor_read_bytes(reader, len_max, &bytes->len);
	if (bytes->len == 0 && reader->error == NULL)
		reader->error = "has something empty where it should have nothing";
}

static bool
read_kind(CborReader *reader, MirrorQuestion *question, uint64 n)
{
	char	   *kind;
	bool		found = false;

	if (cbor_read_uint(reader, PG_UINT64_MAX) != MIRROR_VERSION)
		return false;
	kind = cbor_read_text(reader, 16);
	for (int i = 0; i < lengthof(kinds) && !found; i++)
	{
		found = strcmp(kind, kinds[i]) == 0 && n == elements[i];
		question->kind = i;
	}
	pfree(kind);
	return found;
}

bool
mirror_question_decode(MirrorQuestion *question, const void *bytes, size_t len, const char **reason)
{
	CborReader	reader;

	memset(question, 0, sizeof(*question));
	cbor_start(&reader, bytes, len);
	*reason = "is not a question about ledgers";
	if (!read_kind(&reader, question, cbor_read_array(&reader, 8)))
		return false;
	if (question->kind == MIRROR_UPDATE)
		question->turn = cbor_read_uint(&reader, PG_INT64_MAX);
	if (question->kind == MIRROR_UPDATE)
		question->note.bytes = cbor_read_bytes(&reader, MIRROR_NOTE_BYTES_MAX, &question->note.len);
	if (question->kind == MIRROR_UPDATE || question->kind == MIRROR_PULL)
		question->first = cbor_read_uint(&reader, PG_INT64_MAX);
	if (question->kind == MIRROR_UPDATE)
		read_list(&reader, MIRROR_ENTRIES_LIMIT, LEDGER_ENTRY_BYTES_MAX,
				  &question->n, &question->items, &question->lens);
	if (question->kind == MIRROR_GOSSIP)
	{
		read_list(&reader, MIRROR_NOTES_MAX, MIRROR_NOTE_BYTES_MAX,
				  &question->n, &question->items, &question->lens);
		read_proofs(&reader, question);
	}
	if (question->kind == MIRROR_UPDATE)
	{
		read_or_null(&reader, MIRROR_NOTE_BYTES_MAX, &question->certified);
		read_or_null(&reader, MIRROR_POLICY_BYTES_MAX, &question->policy);
	}
	if ((question->certified.len > 0) != (question->policy.len > 0) && reader.error == NULL)
		reader.error = "has a certified checkpoint without its policy, or the reverse";
	if (cbor_finish(&reader))
		return true;
	*reason = reader.error;
	return false;
}

/* Answers -------------------------------------------------------------------*/

void
mirror_answer_encode(StringInfo out, const MirrorAnswer *answer)
{
	cbor_array(out, 7);
	cbor_uint(out, MIRROR_VERSION);
	cbor_text(out, "answer");
	cbor_uint(out, answer->code);
	cbor_uint(out, answer->size);
	cbor_uint(out, answer->turn);
	cbor_text(out, answer->text ? answer->text : "");
	write_list(out, answer->n, answer->items, answer->lens);
}

bool
mirror_answer_decode(MirrorAnswer *answer, const void *bytes, size_t len, const char **reason)
{
	CborReader	reader;
	char	   *word;

	memset(answer, 0, sizeof(*answer));
	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, 7);
	*reason = "is not an answer about ledgers";
	if (cbor_read_uint(&reader, PG_UINT64_MAX) != MIRROR_VERSION)
		return false;
	word = cbor_read_text(&reader, 16);
	if (strcmp(word, "answer") != 0)
		return false;
	pfree(word);
	answer->code = (int) cbor_read_uint(&reader, 999);
	answer->size = cbor_read_uint(&reader, PG_INT64_MAX);
	answer->turn = cbor_read_uint(&reader, PG_INT64_MAX);
	answer->text = cbor_read_text(&reader, MIRROR_NOTE_BYTES_MAX);
	read_list(&reader, MIRROR_ENTRIES_LIMIT, MIRROR_POLICY_BYTES_MAX, &answer->n, &answer->items, &answer->lens);
	if (cbor_finish(&reader))
		return true;
	*reason = reader.error;
	return false;
}
