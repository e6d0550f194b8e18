/*
 * card.c
 *	  Node cards and key files, as bytes and as text.
 *
 * A card is read strictly: the text that card_to_text() makes is the only one
 * that is accepted for it (base64 alone would allow several), so that two
 * people who compare cards compare keys.
 */
#include "base/base.h"

#include "common/base64.h"
#include "crypto/libsodium.h"
#include "identity/card.h"

#define CARD_VERSION		1
#define CARD_PREFIX			"secmed-node1:"
#define CARD_PURPOSE		"secmed/card/1"

/* Array, version, name, two keys of 32 bytes, time, signature: 207 at most. */
#define CARD_BYTES_MAX		256
#define CARD_TEXT_BYTES_MAX	512

#define KEYS_VERSION		1
#define KEYS_KIND			"keys"
#define KEYS_BYTES_MAX		512

/* The end of year 9999: later times don't fit into what people read. */
#define CREATED_AT_US_MAX	INT64CONST(253402300799999999)

bool
node_name_valid_at(const char *name, size_t len)
{
	if (len < 1 || len > NODE_NAME_BYTES_MAX || name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 1; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
			  name[i] == '_' || name[i] == '-'))
			return false;
	return true;
}

bool
node_name_valid(const char *name)
{
	return node_name_valid_at(name, strnlen(name, NODE_NAME_BYTES_MAX + 1));
}

void
node_name_read(CborReader *reader, char name[NODE_NAME_BYTES_MAX + 1])
{
	char	   *text = cbor_read_text(reader, NODE_NAME_BYTES_MAX);

	if (reader->error == NULL && !node_name_valid(text))
		reader->error = "holds something that is not a node's name";
	strlcpy(name, reader->error == NULL ? text : "", NODE_NAME_BYTES_MAX + 1);
	pfree(text);
}

void
node_keys_generate(NodeKeys *keys, const char *name, int64 created_at_us)
{
	if (!node_name_valid(name))
		fail(ERRCODE_INVALID_NAME, "a node's name has 1 to %d of a-z, 0-9, _ and -, and begins with a letter",
			 NODE_NAME_BYTES_MAX);
	if (created_at_us < 0 || created_at_us > CREATED_AT_US_MAX)
		fail(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "a node is created between the years 1970 and 9999");

	memset(keys, 0, sizeof(*keys));
	strlcpy(keys->card.name, name, sizeof(keys->card.name));
	keys->card.created_at_us = created_at_us;
	sign_keypair(keys->card.sign_public, keys->sign_secret);
	seal_keypair(keys->card.seal_public, keys->seal_secret);
}

/* name, sign_public, seal_public, created_at_us: the same in cards and key files. */
static void
write_fields(StringInfo out, const NodeCard *card)
{
	cbor_text(out, card->name);
	cbor_bytes(out, card->sign_public, SIGN_PUBLIC_BYTES);
	cbor_bytes(out, card->seal_public, SEAL_PUBLIC_BYTES);
	cbor_int(out, card->created_at_us);
}

static void
read_fields(CborReader *reader, NodeCard *card)
{
	node_name_read(reader, card->name);
	cbor_read_fixed(reader, card->sign_public, SIGN_PUBLIC_BYTES);
	cbor_read_fixed(reader, card->seal_public, SEAL_PUBLIC_BYTES);
	card->created_at_us = (int64) cbor_read_uint(reader, CREATED_AT_US_MAX);
}

static void
read_version(CborReader *reader, uint64 version)
{
	if (cbor_read_uint(reader, PG_UINT64_MAX) != version && reader->error == NULL)
		reader->error = "is of another version";
}

/* palloc'd prefix, name, colon and base64 of the signed bytes. */
static char *
text_of_bytes(const char *name, const uint8 *bytes, int len)
{
	int			base64_len = pg_b64_enc_len(len);
	size_t		head_len = strlen(CARD_PREFIX) + strlen(name) + 1;
	char	   *text = palloc(head_len + base64_len + 1);

	snprintf(text, head_len + 1, "%s%s:", CARD_PREFIX, name);
	base64_len = pg_b64_encode((const char *) bytes, len, text + head_len, base64_len);
	if (base64_len < 0)
		fail(ERRCODE_INTERNAL_ERROR, "a node card could not be written");
	text[head_len + base64_len] = '\0';
	return text;
}

char *
card_to_text(const NodeKeys *keys)
{
	StringInfoData bytes;
	uint8		signature[SIGNATURE_BYTES];
	char	   *text;

	initStringInfo(&bytes);
	cbor_array(&bytes, 5);
	cbor_uint(&bytes, CARD_VERSION);
	write_fields(&bytes, &keys->card);
	sign_message(signature, keys->sign_secret, CARD_PURPOSE, bytes.data, bytes.len);
	appendBinaryStringInfo(&bytes, (char *) signature, SIGNATURE_BYTES);

	text = text_of_bytes(keys->card.name, (uint8 *) bytes.data, bytes.len);
	pfree(bytes.data);
	return text;
}

/* True if the signed bytes hold a card that its own key has signed. */
static bool
card_from_bytes(NodeCard *card, const uint8 *bytes, int len, const char **reason)
{
	CborReader	reader;
	int			signed_len = len - SIGNATURE_BYTES;

	cbor_start(&reader, bytes, Max(signed_len, 0));
	cbor_expect_array(&reader, 5);
	read_version(&reader, CARD_VERSION);
	read_fields(&reader, card);
	if (!cbor_finish(&reader))
		*reason = reader.error;
	else if (!sign_verify(bytes + signed_len, card->sign_public, CARD_PURPOSE, bytes, signed_len))
		*reason = "is not signed with its own key";
	return *reason == NULL;
}

/* True if this is the text of the card, which base64 with spare bits is not. */
static bool
is_text_of(const char *text, const char *name, const uint8 *bytes, int len)
{
	char	   *canonical = text_of_bytes(name, bytes, len);
	bool		same = strcmp(text, canonical) == 0;

	pfree(canonical);
	return same;
}

bool
card_from_text(NodeCard *card, const char *text, const char **reason)
{
	const char *base64 = strrchr(text, ':');
	uint8		bytes[CARD_BYTES_MAX];
	int			len;

	memset(card, 0, sizeof(*card));
	*reason = NULL;
	if (strncmp(text, CARD_PREFIX, strlen(CARD_PREFIX)) != 0)
		*reason = "does not begin with " CARD_PREFIX;
	else if (strnlen(text, CARD_TEXT_BYTES_MAX + 1) > CARD_TEXT_BYTES_MAX)
		*reason = "is too long";
	if (*reason != NULL)
		return false;

	len = pg_b64_decode(base64 + 1, (int) strlen(base64 + 1), (char *) bytes, sizeof(bytes));
	if (len < 0)
		*reason = "is not base64, or was cut";
	else if (card_from_bytes(card, bytes, len, reason) && !is_text_of(text, card->name, bytes, len))
		*reason = "is not written as its maker wrote it";
	if (*reason != NULL)
		memset(card, 0, sizeof(*card));
	return *reason == NULL;
}

void
card_fingerprint(uint8 out[HASH_BYTES], const NodeCard *card)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	cbor_array(&bytes, 3);
	cbor_bytes(&bytes, card->sign_public, SIGN_PUBLIC_BYTES);
	cbor_bytes(&bytes, card->seal_public, SEAL_PUBLIC_BYTES);
	cbor_text(&bytes, card->name);
	hash_bytes(out, bytes.data, bytes.len);
	pfree(bytes.data);
}

void
fingerprint_to_text(char out[FINGERPRINT_TEXT_BYTES], const uint8 fingerprint[HASH_BYTES])
{
	for (int group = 0; group < 8; group++)
		snprintf(out + 5 * group, 6, "%02x%02x%s", fingerprint[2 * group],
				 fingerprint[2 * group + 1], group < 7 ? " " : "");
}

void
node_keys_encode(StringInfo out, const NodeKeys *keys)
{
	/* Room for all at once: growing would leave copies of the secrets behind. */
	enlargeStringInfo(out, KEYS_BYTES_MAX);
	cbor_array(out, 8);
	cbor_uint(out, KEYS_VERSION);
	cbor_text(out, KEYS_KIND);
	write_fields(out, &keys->card);
	cbor_bytes(out, keys->sign_secret, SIGN_SECRET_BYTES);
	cbor_bytes(out, keys->seal_secret, SEAL_SECRET_BYTES);
}

/*
 * Ed25519 with a public key that does not belong to the secret one gives the
 * secret key away, so a damaged file must not be used.
 */
static bool
keys_belong_together(const NodeKeys *keys)
{
	uint8		sign_public[SIGN_PUBLIC_BYTES];
	uint8		sign_secret[SIGN_SECRET_BYTES];
	uint8		seal_public[SEAL_PUBLIC_BYTES];
	bool		same;

	libsodium_start();
	crypto_sign_seed_keypair(sign_public, sign_secret, keys->sign_secret);
	crypto_scalarmult_base(seal_public, keys->seal_secret);
	same = sodium_memcmp(sign_secret, keys->sign_secret, SIGN_SECRET_BYTES) == 0 &&
		memcmp(sign_public, keys->card.sign_public, SIGN_PUBLIC_BYTES) == 0 &&
		memcmp(seal_public, keys->card.seal_public, SEAL_PUBLIC_BYTES) == 0;
	wipe(sign_secret, sizeof(sign_secret));
	return same;
}

static void
read_kind(CborReader *reader, const char *kind)
{
	char	   *found = cbor_read_text(reader, strlen(kind));

	if (reader->error == NULL && strcmp(found, kind) != 0)
		reader->error = "is of another kind";
	pfree(found);
}

bool
node_keys_decode(NodeKeys *keys, const void *bytes, size_t len, const char **reason)
{
	CborReader	reader;

	memset(keys, 0, sizeof(*keys));
	*reason = NULL;
	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, 8);
	read_version(&reader, KEYS_VERSION);
	read_kind(&reader, KEYS_KIND);
	read_fields(&reader, &keys->card);
	cbor_read_fixed(&reader, keys->sign_secret, SIGN_SECRET_BYTES);
	cbor_read_fixed(&reader, keys->seal_secret, SEAL_SECRET_BYTES);
	if (!cbor_finish(&reader))
		*reason = reader.error;
	else if (!keys_belong_together(keys))
		*reason = "holds a secret key that does not belong to its public key";
	if (*reason != NULL)
		wipe(keys, sizeof(*keys));
	return *reason == NULL;
}
