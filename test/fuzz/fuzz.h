/*
 * fuzz.h
 *	  What the fuzzers share.  Each is one decoder of foreign bytes, named as
 *	  the file of test/vectors that it begins with; see run.
 */
#ifndef SECMED_TEST_FUZZ_H
#define SECMED_TEST_FUZZ_H

#include "base/base.h"

#include "../memory.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* Asserts stay on (USE_ASSERT_CHECKING), and abort() is what a fuzzer finds. */
#define must(condition)	Assert(condition)

static inline StringInfoData
empty(void)
{
	StringInfoData out;

	initStringInfo(&out);
	return out;
}

/* What was accepted is written again with the same bytes. */
static inline void
must_be(const StringInfoData *again, const uint8 *data, size_t size)
{
	must(again->len == size && memcmp(again->data, data, size) == 0);
}

/* What was not has a reason. */
static inline void
must_say(const char *reason)
{
	must(reason != NULL && reason[0] != '\0');
}

#endif							/* SECMED_TEST_FUZZ_H */
