/*
 * card.c
 *	  The text of a card, which a person has pasted.
 */
#include "fuzz.h"

#include "identity/card.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	char	   *text = pnstrdup((const char *) data, size);
	NodeCard	card;
	uint8		fingerprint[HASH_BYTES];
	const char *reason = NULL;

	if (card_from_text(&card, text, &reason))
	{
		must(node_name_valid(card.name));
		must(strncmp(text + strlen("secmed-node1:"), card.name, strlen(card.name)) == 0);
		card_fingerprint(fingerprint, &card);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
