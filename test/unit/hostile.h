/*
 * hostile.h
 *	  What every decoder of foreign bytes is put through.
 */
#ifndef SECMED_TEST_HOSTILE_H
#define SECMED_TEST_HOSTILE_H

#include "../memory.h"
#include "unit.h"

static inline StringInfoData
empty(void)
{
	StringInfoData out;

	initStringInfo(&out);
	return out;
}

static inline void
fill(uint8 *out, size_t len, int seed)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8) (seed + 7 * i);
}

static inline char *
text_of(int len)
{
	char	   *text = palloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

/* Decodes, and writes what was read into again.  False with a reason. */
typedef bool (*Again) (StringInfo again, const void *bytes, size_t len, const char **reason);

/* Refused with a reason, or read as something that is written with these bytes. */
static inline bool
honest(Again again, const void *bytes, size_t len, bool *accepted)
{
	StringInfoData out = empty();
	const char *reason = NULL;
	bool		fine;

	*accepted = again(&out, bytes, len, &reason);
	fine = *accepted ? out.len == len && memcmp(out.data, bytes, len) == 0
		: reason != NULL && reason[0] != '\0';
	memory_reset();
	return fine;
}

/*
 * Takes the bytes out of palloc'd memory, which is freed.  Each length has
 * memory of its own, so that reading beyond it is seen by the sanitizers.
 */
static inline void
test_hostile(const char *what, Again again, const StringInfoData *message)
{
	int			len = message->len;
	uint8	   *bytes = malloc(len + 1);
	bool		accepted;
	int			bad = 0;
	int			others = 0;

	memcpy(bytes, message->data, len);
	bytes[len] = 0;
	check(honest(again, bytes, len, &accepted) && accepted, "%s: read as it was written", what);
	check(honest(again, bytes, len + 1, &accepted) && !accepted, "%s: no byte after it", what);
	for (int cut = 0; cut < len; cut++)
	{
		uint8	   *copy = malloc(cut);

		memcpy(copy, bytes, cut);
		bad += !honest(again, copy, cut, &accepted) || accepted;
		free(copy);
	}
	check(bad == 0, "%s: not cut at any of %d lengths", what, len);
	bad = 0;
	for (int bit = 0; bit < 8 * len; bit++)
	{
		bytes[bit / 8] ^= 1 << bit % 8;
		bad += !honest(again, bytes, len, &accepted);
		others += accepted;
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	check(bad == 0, "%s: any of %d bits flipped: refused, or another message (%d)", what, 8 * len, others);
	free(bytes);
}

/* Why these bytes are refused, or "accepted"; frees all memory. */
static inline const char *
refusal(Again again, StringInfoData bytes)
{
	StringInfoData out = empty();
	const char *reason = NULL;

	if (again(&out, bytes.data, bytes.len, &reason))
		reason = "accepted";
	memory_reset();
	return reason ? reason : "no reason given";
}

#define check_refused(again, bytes, wanted, ...) \
	do { \
		const char *got = refusal(again, bytes); \
		char		what[128]; \
		snprintf(what, sizeof(what), __VA_ARGS__); \
		check(strcmp(got, wanted) == 0, "%s: %s", what, got); \
	} while (0)

/* Reasons of base/cbor.c and contract/request.c. */
#define TOO_LONG_LIST	"holds too long a list"
#define TOO_LARGE		"holds too large a number"
#define TOO_LONG		"holds too long a string"
#define OTHER_LENGTH	"holds a list of another length than expected"
#define OTHER_WORD		"message of another kind than expected"

/* The same text, or column, or ... n times. */
static inline void *
repeated(const void *what, size_t size, int n)
{
	char	   *copies = palloc(size * n);

	for (int i = 0; i < n; i++)
		memcpy(copies + i * size, what, size);
	return copies;
}

#endif							/* SECMED_TEST_HOSTILE_H */
