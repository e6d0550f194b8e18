/*
 * test_card.c
 *	  Names, cards as text and key files: what was made is read, and nothing else.
 */
#include "base/base.h"

#include <sodium.h>

#include "common/base64.h"
#include "identity/card.h"
#include "unit.h"

#define TEXT_BYTES	1024
#define CREATED_AT_US	INT64CONST(1700000000123456)

static void
test_names(void)
{
	static const char *good[] = {"a", "charite", "site-1", "a_b-c9",
	"a23456789012345678901234567890123456789012345678901234567890123"};
	static const char *bad[] = {"", "1a", "_a", "-a", "A", "aB", "a b", "a.b", "a:b", "a\n", "\303\244", "a\303\244",
	"a234567890123456789012345678901234567890123456789012345678901234"};
	NodeKeys	keys;

	for (int i = 0; i < lengthof(good); i++)
		check(node_name_valid(good[i]), "name \"%s\" is valid", good[i]);
	for (int i = 0; i < lengthof(bad); i++)
		check(!node_name_valid(bad[i]), "bad name %d is not", i);
	check_fails(ERRCODE_INVALID_NAME, node_keys_generate(&keys, "A", 0), "no keys for a bad name");
	check_fails(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, node_keys_generate(&keys, "a", -1), "no keys from before 1970");
}

static bool
accepted(const char *text)
{
	NodeCard	card;
	const char *reason = NULL;
	bool		ok = card_from_text(&card, text, &reason);

	/* Either a card, or a reason and nothing of a card. */
	if (ok != (reason == NULL) || (!ok && !sodium_is_zero((uint8 *) &card, sizeof(card))))
		abort();
	return ok;
}

static void
test_card(const char *name)
{
	NodeKeys	keys;
	NodeCard	card;
	const char *reason;
	char	   *text;
	char		changed[TEXT_BYTES];
	size_t		len;
	bool		refused = true;

	node_keys_generate(&keys, name, CREATED_AT_US);
	text = card_to_text(&keys);
	len = strlen(text);
	check(strncmp(text, "secmed-node1:", 13) == 0 && strncmp(text + 13, name, strlen(name)) == 0 &&
		  text[13 + strlen(name)] == ':' && strchr(text, '\n') == NULL, "a card is one line with a name");
	check(card_from_text(&card, text, &reason) && memcmp(&card, &keys.card, sizeof(card)) == 0, "a card is read back");

	for (size_t cut = 0; cut < len; cut++)
	{
		memcpy(changed, text, cut);
		changed[cut] = '\0';
		refused &= !accepted(changed);
	}
	check(refused, "not cut at any of %zu lengths", len);
	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		strcpy(changed, text);
		changed[bit / 8] ^= 1 << bit % 8;
		refused &= !accepted(changed);
	}
	check(refused, "not with any bit flipped");

	snprintf(changed, TEXT_BYTES, "%s\n", text);
	check(!accepted(changed), "not with a line end");
	snprintf(changed, TEXT_BYTES, " %s", text);
	check(!accepted(changed), "not with a blank before");
	snprintf(changed, TEXT_BYTES, "secmed-node1:other:%s", text + 14 + strlen(name));
	check(!accepted(changed), "not under another name");
	snprintf(changed, TEXT_BYTES, "secmed-node1:%s", text + 14 + strlen(name));
	check(!accepted(changed), "not without its name");
	pfree(text);
	wipe(&keys, sizeof(keys));
}

/* A well-signed card with these fields, as only its own holder could make. */
static bool
accepts_fields(uint64 version, const char *name, size_t key_len, int64 created_at_us, int more)
{
	NodeKeys	keys;
	StringInfoData bytes;
	uint8		signature[SIGNATURE_BYTES];
	char		base64[TEXT_BYTES];
	char		text[TEXT_BYTES + 128];

	node_keys_generate(&keys, "made", 0);
	initStringInfo(&bytes);
	cbor_array(&bytes, 5 + more);
	cbor_uint(&bytes, version);
	cbor_text(&bytes, name);
	cbor_bytes(&bytes, keys.card.sign_public, SIGN_PUBLIC_BYTES);
	cbor_bytes(&bytes, keys.card.seal_public, key_len);
	cbor_int(&bytes, created_at_us);
	for (int i = 0; i < more; i++)
		cbor_null(&bytes);
	sign_message(signature, keys.sign_secret, "secmed/card/1", bytes.data, bytes.len);
	appendBinaryStringInfo(&bytes, (char *) signature, SIGNATURE_BYTES);
	base64[pg_b64_encode(bytes.data, bytes.len, base64, TEXT_BYTES - 1)] = '\0';
	snprintf(text, sizeof(text), "secmed-node1:%s:%s", name, base64);
	pfree(bytes.data);
	return accepted(text);
}

static void
test_strange_cards(void)
{
	char		long_text[5000];

	check(accepts_fields(1, "made", 32, 0, 0), "a card made by hand is read");
	check(!accepts_fields(2, "made", 32, 0, 0), "not of another version");
	check(!accepts_fields(1, "Made", 32, 0, 0), "not with a bad name");
	check(!accepts_fields(1, "", 32, 0, 0), "not without a name");
	check(!accepts_fields(1, "made", 31, 0, 0), "not with a short key");
	check(!accepts_fields(1, "made", 32, -1, 0), "not from before 1970");
	check(accepts_fields(1, "made", 32, INT64CONST(253402300799999999), 0), "from the year 9999");
	check(!accepts_fields(1, "made", 32, INT64CONST(253402300800000000), 0), "not from the year 10000");
	check(!accepts_fields(1, "made", 32, 0, 1), "not with one field more");

	memset(long_text, 'A', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	check(!accepted(long_text), "not a long text");
	memcpy(long_text, "secmed-node1:a:", 15);
	check(!accepted(long_text), "not a long text that begins well");
	long_text[300] = '\0';
	check(!accepted(long_text), "not zeros");
	long_text[400] = '\0';
	check(!accepted(long_text), "not more zeros");
	check(!accepted("secmed-node1:"), "not a beginning alone");
	check(!accepted("secmed-node1:a:"), "not a name alone");
	check(!accepted(""), "not nothing");
}

static void
test_fingerprint(void)
{
	NodeCard	card = {.name = "charite"};
	NodeCard	other;
	uint8		bytes[1 + 34 + 34 + 8];
	uint8		expected[HASH_BYTES];
	uint8		found[HASH_BYTES];
	char		text[FINGERPRINT_TEXT_BYTES];

	memset(card.sign_public, 0x11, 32);
	memset(card.seal_public, 0x22, 32);
	memset(bytes, 0x11, sizeof(bytes));
	memset(bytes + 35, 0x22, 34);
	memcpy(bytes, "\x83\x58\x20", 3);
	memcpy(bytes + 35, "\x58\x20", 2);
	memcpy(bytes + 69, "\x67" "charite", 8);
	crypto_hash_sha256(expected, bytes, sizeof(bytes));
	card_fingerprint(found, &card);
	check(memcmp(found, expected, HASH_BYTES) == 0, "a fingerprint is SHA-256 of keys and name");

	other = card;
	other.created_at_us = 1;
	card_fingerprint(expected, &other);
	check(memcmp(found, expected, HASH_BYTES) == 0, "whenever the card was made");
	other.name[0] = 'd';
	card_fingerprint(expected, &other);
	check(memcmp(found, expected, HASH_BYTES) != 0, "another name has another one");

	for (int i = 0; i < HASH_BYTES; i++)
		found[i] = (uint8) (i * 17);
	fingerprint_to_text(text, found);
	check(strcmp(text, "0011 2233 4455 6677 8899 aabb ccdd eeff") == 0, "it is read in groups of four");
}

static void
test_key_file(void)
{
	NodeKeys	keys;
	NodeKeys	read;
	StringInfoData file;
	const char *reason = NULL;
	bool		refused = true;
	int			ignored = 0;

	node_keys_generate(&keys, "charite", CREATED_AT_US);
	initStringInfo(&file);
	node_keys_encode(&file, &keys);
	check(node_keys_decode(&read, file.data, file.len, &reason) && memcmp(&read, &keys, sizeof(keys)) == 0,
		  "a key file is read back");
	for (int len = 0; len < file.len; len++)
		refused &= !node_keys_decode(&read, file.data, len, &reason) && reason != NULL;
	check(refused && sodium_is_zero((uint8 *) &read, sizeof(read)), "not cut at any of %d lengths, and nothing is left", file.len);

	/* In the name, the time and the five bits that X25519 ignores, a flipped bit may give a file. */
	for (int bit = 0; bit < 8 * file.len; bit++)
	{
		file.data[bit / 8] ^= 1 << bit % 8;
		if (node_keys_decode(&read, file.data, file.len, &reason))
		{
			bool		same_secrets = memcmp(read.sign_secret, keys.sign_secret, SIGN_SECRET_BYTES) == 0;
			bool		same_public = memcmp(read.card.sign_public, keys.card.sign_public, 32) == 0 &&
				memcmp(read.card.seal_public, keys.card.seal_public, 32) == 0;

			refused &= same_secrets && same_public;
			ignored++;
		}
		file.data[bit / 8] ^= 1 << bit % 8;
	}
	check(refused && ignored < 8 * (7 + 9) + 5, "no flipped bit gives other keys");
	appendStringInfoChar(&file, 0);
	check(!node_keys_decode(&read, file.data, file.len, &reason), "not with a byte more");
	wipe(&keys, sizeof(keys));
	wipe(file.data, file.len);
	pfree(file.data);
}

int
main(void)
{
	test_names();
	test_card("a");
	test_card("charite");
	test_card("a23456789012345678901234567890123456789012345678901234567890123");
	test_strange_cards();
	test_fingerprint();
	test_key_file();
	return unit_done();
}
