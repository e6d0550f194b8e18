/*
 * document.c
 *	  A document of any kind: bytes, words, and text.
 */
#include "fuzz.h"

#include "contract/document.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Document   *document = palloc(sizeof(Document));
	StringInfoData again = empty();
	StringInfoData bytes = empty();
	const char *reason = NULL;

	if (document_decode(document, data, size, &reason))
	{
		document_encode(&again, document);
		must_be(&again, data, size);
		resetStringInfo(&again);
		document_describe(&again, document);
		must(again.len > 0);
		resetStringInfo(&again);
		document_to_text(&again, data, size);
		must(document_from_text(&bytes, again.data, again.len, &reason));
		must_be(&bytes, data, size);
	}
	else
		must_say(reason);
	resetStringInfo(&bytes);
	reason = NULL;
	if (!document_from_text(&bytes, (const char *) data, size, &reason))
		must_say(reason);
	memory_reset();
	return 0;
}
