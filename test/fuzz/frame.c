/*
 * frame.c
 *	  Sealed frames that someone in the middle changes, drops, doubles and makes
 *	  up: the next true one opens, and nothing else.
 *
 * The input tells what is done, four bytes at a time.
 */
#include "fuzz.h"

#include "identity/session.h"

#define FRAMES	8

typedef struct Pair
{
	Session    *sender;
	Session    *receiver;
} Pair;

static Pair
open_pair(void)
{
	static NodeKeys keys[2];
	StringInfoData hello = empty();
	StringInfoData welcome = empty();
	Pair		pair;
	bool		wrong_key;
	const char *reason;

	if (keys[0].card.name[0] == '\0')
	{
		node_keys_generate(&keys[0], "research", 0);
		node_keys_generate(&keys[1], "charite", 0);
	}
	pair.sender = session_hello(&keys[0], "charite", &hello);
	pair.receiver = session_welcome(&keys[1], &keys[0].card, hello.data, hello.len, &welcome, &reason);
	must(session_finish(pair.sender, &keys[1].card, welcome.data, welcome.len, &reason, &wrong_key));
	return pair;
}

/* Memory of its own, so that reading beyond it is seen. */
static bool
opens(Session *receiver, const StringInfoData *frame)
{
	StringInfoData out = empty();
	uint8	   *copy = palloc(frame->len);
	bool		opened;

	memcpy(copy, frame->data, frame->len);
	opened = session_open(receiver, copy, frame->len, &out);
	must(opened || out.len == 0);
	return opened;
}

/* Gives the receiver frame number what[0], changed as what[1] says. */
static bool
give(Session *receiver, const StringInfoData *frame, const uint8 what[4], bool *changed)
{
	StringInfoData odd = empty();
	int			at = (what[2] << 8 | what[3]) % frame->len;

	appendBinaryStringInfo(&odd, frame->data, frame->len);
	*changed = true;
	switch (what[1] % 6)
	{
		case 0:
			odd.data[at] ^= 1 << what[1] % 8;
			break;
		case 1:
			odd.len = at;
			break;
		case 2:
			appendStringInfoChar(&odd, what[2]);
			break;
		case 3:
			memmove(odd.data, odd.data + 1, --odd.len);
			break;
		default:
			*changed = false;
	}
	return opens(receiver, &odd);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Pair		pair = open_pair();
	StringInfoData frames[FRAMES];
	StringInfoData made_up = empty();
	int			next = 0;

	for (int i = 0; i < FRAMES; i++)
	{
		frames[i] = empty();
		session_seal(pair.sender, data, Min(size, i * 5), &frames[i]);
	}
	appendBinaryStringInfo(&made_up, (const char *) data, size);
	must(!opens(pair.receiver, &made_up));
	must(!opens(pair.sender, &frames[0]));
	for (; size >= 4; data += 4, size -= 4)
	{
		int			n = data[0] % FRAMES;
		bool		changed;
		bool		opened = give(pair.receiver, &frames[n], data, &changed);

		must(opened == (n == next && !changed));
		next += opened;
	}
	memory_reset();
	return 0;
}
