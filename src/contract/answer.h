/*
 * answer.h
 *	  An answer for one reader: the parties seal what they would open to the
 *	  coordinator to the reader's key instead.
 *
 *	  part    party -> coordinator, in place of its open message
 *	          [BYTES, signature of the party for "secmed/answer/1"], BYTES =
 *	          ["part", run, plan hash, party, reader, patients_min, sealed]
 *	  answer  coordinator -> reader, a file, or text between
 *	          -----BEGIN SECMED ANSWER----- and -----END SECMED ANSWER-----
 *	          ["answer", 1, plan, [card, card, card], [part, part, part]]
 *
 * sealed is the party's open message (share/ring.h) in a sealed box
 * (crypto/seal.h) of the X25519 key in the reader's identity document.  Who has
 * the boxes and no key learns their length, which the plan tells anyway.  The
 * reader rebuilds: each summand came from two parties, whose copies are
 * compared; each part is signed by its party, for this run and plan, so that
 * nobody in between can put numbers of his own in their place.  That the cards
 * are the parties' the reader settles by their fingerprints.
 */
#ifndef SECMED_ANSWER_H
#define SECMED_ANSWER_H

#include "contract/request.h"

#define ANSWER_PURPOSE	"secmed/answer/1"
/* The parts of the longest answer, 32 bytes an element, and a plan. */
#define ANSWER_BYTES_MAX	(PARTIES * (ELEMENTS_MAX * 32 + 1024) + REQUEST_BYTES_MAX)

typedef struct AnswerPart
{
	uint8		run[RUN_ID_BYTES];
	uint8		plan[HASH_BYTES];
	int			party;
	uint8		reader[HASH_BYTES];	/* fingerprint */
	uint64		patients_min;
	Bytes		sealed;
} AnswerPart;

/* Appends the signed part whose box holds this open message; part->sealed is not looked at. */
extern void answer_part_make(StringInfo out, const AnswerPart *part, const void *opened, size_t len,
							 const uint8 seal_public[SEAL_PUBLIC_BYTES], const uint8 sign_secret[SIGN_SECRET_BYTES]);

/* Strict, and signed by this key; false with a reason.  sealed points into bytes. */
extern bool answer_part_read(AnswerPart *part, const void *bytes, size_t len,
							 const uint8 sign_public[SIGN_PUBLIC_BYTES], const char **reason);

typedef struct SealedAnswer
{
	Bytes		plan;
	char	   *cards[PARTIES];
	Bytes		parts[PARTIES];
} SealedAnswer;

extern void answer_encode(StringInfo out, const SealedAnswer *answer);
extern bool answer_decode(SealedAnswer *answer, const void *bytes, size_t len, const char **reason);
extern void answer_to_text(StringInfo out, const void *bytes, size_t len);
extern bool answer_from_text(StringInfo out, const char *text, size_t len, const char **reason);

/* What a reader finds in it. */
typedef struct OpenedAnswer
{
	uint8		run[RUN_ID_BYTES];
	CanonicalPlan plan;
	NodeCard	parties[PARTIES];
	uint64		patients_min;
	size_t		n;
	uint128    *elements;		/* as plan_layout() says, with flags in place of patient counts */
} OpenedAnswer;

/*
 * Verifies, opens and rebuilds; false with a reason.  reader: the fingerprint
 * of whom these X25519 keys are.
 */
extern bool answer_open(OpenedAnswer *opened, const SealedAnswer *answer, const uint8 reader[HASH_BYTES],
						const uint8 seal_public[SEAL_PUBLIC_BYTES], const uint8 seal_secret[SEAL_SECRET_BYTES],
						const char **reason);

#endif							/* SECMED_ANSWER_H */
