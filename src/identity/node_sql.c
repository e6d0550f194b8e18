/*
 * node_sql.c
 *	  secmed.node_card() and secmed.fingerprint().
 *
 * What changes nodes and peers writes to the ledger, and so stands in
 * audit/node_sql.c.
 */
#include "base/base.h"

#include "fmgr.h"
#include "identity/node.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_node_card);
PG_FUNCTION_INFO_V1(secmed_fingerprint);

Datum
secmed_node_card(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(card_to_text(node_self())));
}

Datum
secmed_fingerprint(PG_FUNCTION_ARGS)
{
	char	   *line = text_to_cstring(PG_GETARG_TEXT_PP(0));
	uint8		hash[HASH_BYTES];
	char		fingerprint[FINGERPRINT_TEXT_BYTES];
	NodeCard	card;

	(void) card_parse(&card, line);
	card_fingerprint(hash, &card);
	fingerprint_to_text(fingerprint, hash);
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint));
}
