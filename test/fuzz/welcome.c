/*
 * welcome.c
 *	  A welcome, as it came, and as the node we called would sign it for our hello.
 */
#include "fuzz.h"

#include "identity/session.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static NodeKeys self;
	static NodeKeys called;
	uint8	   *welcome = palloc(size);
	StringInfoData hello = empty();
	Session    *session;
	bool		wrong_key;
	bool		finished;
	const char *reason = NULL;

	if (self.card.name[0] == '\0')
	{
		node_keys_generate(&self, "research", 0);
		node_keys_generate(&called, "charite", 0);
	}
	session = session_hello(&self, "charite", &hello);
	must(!session_finish(session, &called.card, data, size, &reason, &wrong_key));
	must_say(reason);

	memcpy(welcome, data, size);
	if (size >= HASH_BYTES + SIGNATURE_BYTES)
	{
		hash_bytes(welcome + size - SIGNATURE_BYTES - HASH_BYTES, hello.data, hello.len);
		sign_message(welcome + size - SIGNATURE_BYTES, called.sign_secret, "secmed/welcome/1",
					 welcome, size - SIGNATURE_BYTES);
	}
	finished = session_finish(session, &called.card, welcome, size, &reason, &wrong_key);
	must(!wrong_key || !finished);
	if (finished)
	{
		session_seal(session, "hi", 2, &hello);
		must(strcmp(session_peer(session)->name, "charite") == 0);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
