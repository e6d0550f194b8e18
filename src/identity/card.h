/*
 * card.h
 *	  What a node is to others: a name and two public keys, signed by itself.
 *
 * As text, a node card is one line, to be mailed and pasted:
 *
 *	  secmed-node1:charite:BASE64
 *
 * BASE64 is the CBOR array [1, name, sign_public, seal_public, created_at_us]
 * followed by the Ed25519 signature of those bytes for purpose
 * "secmed/card/1".  The signature only proves that the maker held the key;
 * who it belongs to is settled by comparing fingerprints by phone.
 */
#ifndef SECMED_CARD_H
#define SECMED_CARD_H

#include "base/base.h"
#include "base/cbor.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "crypto/sign.h"

typedef struct NodeCard
{
	char		name[NODE_NAME_BYTES_MAX + 1];
	uint8		sign_public[SIGN_PUBLIC_BYTES];
	uint8		seal_public[SEAL_PUBLIC_BYTES];
	int64		created_at_us;	/* microseconds since 1970, UTC; until year 9999 */
} NodeCard;

typedef struct NodeKeys
{
	NodeCard	card;
	uint8		sign_secret[SIGN_SECRET_BYTES];
	uint8		seal_secret[SEAL_SECRET_BYTES];
} NodeKeys;

/* New keys; the caller wipes them. */
extern void node_keys_generate(NodeKeys *keys, const char *name, int64 created_at_us);

/* True if name is 1 to 63 bytes of [a-z0-9_-] starting with a letter. */
extern bool node_name_valid(const char *name);
extern bool node_name_valid_at(const char *name, size_t len);	/* not terminated */

/* Reads a name; "" and reader->error set if it is not a valid one. */
extern void node_name_read(CborReader *reader, char name[NODE_NAME_BYTES_MAX + 1]);

/* palloc'd text of the card. */
extern char *card_to_text(const NodeKeys *keys);

/* False with a reason (constant string) if text is not a well-formed, self-signed card. */
extern bool card_from_text(NodeCard *card, const char *text, const char **reason);

/* SHA-256 over both public keys and the name (CBOR array of the three). */
extern void card_fingerprint(uint8 out[HASH_BYTES], const NodeCard *card);

/* The first 16 bytes as eight groups of four hex digits, to read by phone. */
#define FINGERPRINT_TEXT_BYTES	40
extern void fingerprint_to_text(char out[FINGERPRINT_TEXT_BYTES], const uint8 fingerprint[HASH_BYTES]);

/*
 * Exact bytes of a key file, and back: the CBOR array [1, "keys", name,
 * sign_public, seal_public, created_at_us, sign_secret, seal_secret].  False
 * with a reason if the bytes are malformed or a secret key does not belong to
 * its public one; keys is wiped then.  The caller wipes out and keys.
 */
extern void node_keys_encode(StringInfo out, const NodeKeys *keys);
extern bool node_keys_decode(NodeKeys *keys, const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_CARD_H */
