/*
 * answer.c
 *	  Answers for one reader: made by the parties, opened by the reader.
 */
#include "base/base.h"

#include "contract/answer.h"
#include "contract/armour.h"
#include "share/ring.h"

#define ANSWER_VERSION		1
#define ARMOUR_WORD			"ANSWER"
#define CARD_BYTES_MAX		512
/* What one part has around its box. */
#define PART_BYTES_MAX		(ELEMENTS_MAX * 32 + 1024)

static void
expect_word(CborReader *in, const char *word)
{
	char	   *found = cbor_read_text(in, 16);

	if (in->error == NULL && strcmp(found, word) != 0)
		in->error = "is of another kind than expected";
	pfree(found);
}

/* ---- parts ---- */

void
answer_part_make(StringInfo out, const AnswerPart *part, const void *opened, size_t len,
				 const uint8 seal_public[SEAL_PUBLIC_BYTES], const uint8 sign_secret[SIGN_SECRET_BYTES])
{
	uint8	   *box = palloc(len + SEAL_OVERHEAD_BYTES);
	uint8		signature[SIGNATURE_BYTES];
	StringInfoData bytes;

	seal_message(box, seal_public, opened, len);
	initStringInfo(&bytes);
	cbor_array(&bytes, 7);
	cbor_text(&bytes, "part");
	cbor_bytes(&bytes, part->run, RUN_ID_BYTES);
	cbor_bytes(&bytes, part->plan, HASH_BYTES);
	cbor_uint(&bytes, (uint64) part->party);
	cbor_bytes(&bytes, part->reader, HASH_BYTES);
	cbor_uint(&bytes, part->patients_min);
	cbor_bytes(&bytes, box, len + SEAL_OVERHEAD_BYTES);
	sign_message(signature, sign_secret, ANSWER_PURPOSE, bytes.data, bytes.len);
	cbor_array(out, 2);
	cbor_bytes(out, bytes.data, bytes.len);
	cbor_bytes(out, signature, SIGNATURE_BYTES);
	pfree(bytes.data);
	pfree(box);
}

static bool
read_part_bytes(AnswerPart *part, const uint8 *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 7);
	expect_word(&in, "part");
	cbor_read_fixed(&in, part->run, RUN_ID_BYTES);
	cbor_read_fixed(&in, part->plan, HASH_BYTES);
	part->party = (int) cbor_read_uint(&in, PARTIES - 1);
	cbor_read_fixed(&in, part->reader, HASH_BYTES);
	part->patients_min = cbor_read_uint(&in, PG_INT64_MAX);
	part->sealed.data = cbor_read_bytes(&in, PART_BYTES_MAX, &part->sealed.len);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

bool
answer_part_read(AnswerPart *part, const void *bytes, size_t len,
				 const uint8 sign_public[SIGN_PUBLIC_BYTES], const char **reason)
{
	CborReader	in;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];

	memset(part, 0, sizeof(*part));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	body = cbor_read_bytes(&in, PART_BYTES_MAX, &body_len);
	cbor_read_fixed(&in, signature, SIGNATURE_BYTES);
	if (!cbor_finish(&in))
		*reason = in.error;
	else if (!sign_verify(signature, sign_public, ANSWER_PURPOSE, body, body_len))
		*reason = "is not signed by its party";
	else
		return read_part_bytes(part, body, body_len, reason);
	return false;
}

/* ---- answers ---- */

void
answer_encode(StringInfo out, const SealedAnswer *answer)
{
	cbor_array(out, 5);
	cbor_text(out, "answer");
	cbor_uint(out, ANSWER_VERSION);
	cbor_bytes(out, answer->plan.data, answer->plan.len);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_text(out, answer->cards[i]);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_bytes(out, answer->parts[i].data, answer->parts[i].len);
}

bool
answer_decode(SealedAnswer *answer, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(answer, 0, sizeof(*answer));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 5);
	expect_word(&in, "answer");
	if (cbor_read_uint(&in, PG_UINT64_MAX) != ANSWER_VERSION && in.error == NULL)
		in.error = "is of another version";
	answer->plan.data = cbor_read_bytes(&in, REQUEST_BYTES_MAX, &answer->plan.len);
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		answer->cards[i] = cbor_read_text(&in, CARD_BYTES_MAX);
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		answer->parts[i].data = cbor_read_bytes(&in, PART_BYTES_MAX, &answer->parts[i].len);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

void
answer_to_text(StringInfo out, const void *bytes, size_t len)
{
	armour_write(out, ARMOUR_WORD, bytes, len);
}

bool
answer_from_text(StringInfo out, const char *text, size_t len, const char **reason)
{
	return armour_read(out, ARMOUR_WORD, text, len, ANSWER_BYTES_MAX, reason);
}

/* ---- opening ---- */

/* Each party has signed its own part, all three for one run, this plan and this reader. */
static const char *
parts_problem(OpenedAnswer *opened, AnswerPart parts[PARTIES], const SealedAnswer *answer, const uint8 *reader)
{
	uint8		hash[HASH_BYTES];
	const char *reason;

	plan_hash(hash, answer->plan.data, answer->plan.len);
	for (int i = 0; i < PARTIES; i++)
	{
		if (!card_from_text(&opened->parties[i], answer->cards[i], &reason))
			return "has a node card that can't be read";
		if (!answer_part_read(&parts[i], answer->parts[i].data, answer->parts[i].len, opened->parties[i].sign_public, &reason))
			return psprintf("has a part that %s", reason);
		if (parts[i].party != i || memcmp(parts[i].run, parts[0].run, RUN_ID_BYTES) != 0 ||
			parts[i].patients_min != parts[0].patients_min)
			return "has parts that are not of one run";
		if (memcmp(parts[i].plan, hash, HASH_BYTES) != 0)
			return "has another plan than its parties computed";
		if (memcmp(parts[i].reader, reader, HASH_BYTES) != 0)
			return "is for another reader";
		for (int k = 0; k < i; k++)
			if (memcmp(opened->parties[i].sign_public, opened->parties[k].sign_public, SIGN_PUBLIC_BYTES) == 0)
				return "has two parts of one party";
	}
	return NULL;
}

bool
answer_open(OpenedAnswer *opened, const SealedAnswer *answer, const uint8 reader[HASH_BYTES],
			const uint8 seal_public[SEAL_PUBLIC_BYTES], const uint8 seal_secret[SEAL_SECRET_BYTES], const char **reason)
{
	AnswerPart	parts[PARTIES];
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];

	memset(opened, 0, sizeof(*opened));
	if (!plan_decode(&opened->plan, answer->plan.data, answer->plan.len, reason))
		return false;
	opened->n = plan_opened_elements(&opened->plan);
	*reason = opened->n == 0 ? "has a plan of too many groups" : parts_problem(opened, parts, answer, reader);
	for (int i = 0; i < PARTIES && *reason == NULL; i++)
	{
		uint8	   *message;

		lens[i] = opened->n * 32;
		if (parts[i].sealed.len != lens[i] + SEAL_OVERHEAD_BYTES)
		{
			*reason = "has a part of another length than the plan's";
			break;
		}
		messages[i] = message = palloc(lens[i]);
		if (!seal_open(message, parts[i].sealed.data, parts[i].sealed.len, seal_public, seal_secret))
			*reason = "is not sealed to this key";
	}
	if (*reason != NULL)
		return false;
	memcpy(opened->run, parts[0].run, RUN_ID_BYTES);
	opened->patients_min = parts[0].patients_min;
	opened->elements = palloc(opened->n * sizeof(uint128));
	if (!ring_rebuild(opened->elements, opened->n, messages, lens))
		*reason = "has parts that do not fit together: one of the parties computed wrongly or lied";
	return *reason == NULL;
}
