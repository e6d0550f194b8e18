/*
 * hello.c
 *	  A hello, as it came and signed by the node it names.
 */
#include "fuzz.h"

#include "identity/session.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static NodeKeys self;
	static NodeKeys caller;
	uint8	   *hello = palloc(size);
	StringInfoData answer = empty();
	Session    *session;
	char	   *from;
	char	   *to;
	const char *reason = NULL;
	bool		is_hello = session_hello_names(data, size, &from, &to, &reason);

	if (self.card.name[0] == '\0')
	{
		node_keys_generate(&self, "charite", 0);
		node_keys_generate(&caller, "research", 0);
	}
	must(is_hello ? node_name_valid(from) && node_name_valid(to) : reason != NULL);
	must(session_welcome(&self, &caller.card, data, size, &answer, &reason) == NULL);
	must_say(reason);

	memcpy(hello, data, size);
	if (size >= SIGNATURE_BYTES)
		sign_message(hello + size - SIGNATURE_BYTES, caller.sign_secret, "secmed/hello/1", data, size - SIGNATURE_BYTES);
	session = session_welcome(&self, &caller.card, hello, size, &answer, &reason);
	if (session != NULL)
	{
		must(is_hello && strcmp(from, "research") == 0 && strcmp(to, "charite") == 0);
		must(answer.len > SIGNATURE_BYTES);
	}
	else
		must(answer.len == 0);
	memory_reset();
	return 0;
}
