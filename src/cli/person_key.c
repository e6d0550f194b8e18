/*
 * person_key.c
 *	  Key files of people and organisations.
 */
#include "base/base.h"

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/person_key.h"
#include "contract/words.h"
#include "crypto/libsodium.h"
#include "ledger/note.h"

#define KEY_PREFIX			"SECMED+KEY+"
#define KEY_VERSION			1
#define KEY_SEED_BYTES		32
/* Base64 of the array with the longest name: 64 bytes of keys, and some heads. */
#define KEY_BYTES_MAX		512

bool
person_key_is(const char *text)
{
	return strncmp(text, KEY_PREFIX, strlen(KEY_PREFIX)) == 0;
}

static void
write_key(StringInfo out, const PersonKey *key)
{
	enlargeStringInfo(out, KEY_BYTES_MAX);	/* growing would leave copies behind */
	cbor_array(out, 5);
	cbor_uint(out, KEY_VERSION);
	cbor_text(out, identity_kind_word(key->kind));
	cbor_text(out, key->name);
	cbor_bytes(out, key->sign_secret, KEY_SEED_BYTES);	/* its first half */
	cbor_bytes(out, key->seal_secret, SEAL_SECRET_BYTES);
}

static bool
decode_key(PersonKey *key, const uint8 *bytes, size_t len)
{
	CborReader	in;
	uint8		seed[KEY_SEED_BYTES];
	char	   *text;

	memset(key, 0, sizeof(*key));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 5);
	if (cbor_read_uint(&in, KEY_VERSION) != KEY_VERSION)
		return false;
	text = cbor_read_text(&in, 16);
	if (!identity_kind_from_word(&key->kind, text))
		return false;
	strlcpy(key->name, cbor_read_text(&in, IDENTITY_NAME_MAX), sizeof(key->name));
	cbor_read_fixed(&in, seed, sizeof(seed));
	cbor_read_fixed(&in, key->seal_secret, SEAL_SECRET_BYTES);
	if (!cbor_finish(&in))
		return false;
	libsodium_start();
	crypto_sign_seed_keypair(key->sign_public, key->sign_secret, seed);
	crypto_scalarmult_base(key->seal_public, key->seal_secret);
	wipe(seed, sizeof(seed));
	return true;
}

/* How many bytes so much base64 is; 0 if it is none. */
static size_t
base64_bytes(const char *text)
{
	size_t		len = strlen(text);

	if (len == 0 || len % 4 != 0)
		return 0;
	return len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=');
}

void
person_key_read(PersonKey *key, const char *path)
{
	StringInfoData text;
	uint8	   *bytes;
	const char *line;
	size_t		len;

	initStringInfo(&text);
	if (!file_read(path, &text))
		give_up("can't read \"%s\": %s", path, strerror(errno));
	text.data[strcspn(text.data, "\r\n")] = '\0';
	if (!person_key_is(text.data))
		give_up("\"%s\" is not the key file of a person or an organisation", path);
	line = text.data + strlen(KEY_PREFIX);
	len = base64_bytes(line);
	bytes = palloc(len + 1);
	if (len == 0 || len > KEY_BYTES_MAX || !base64_read(bytes, len, line, strlen(line)) || !decode_key(key, bytes, len))
		give_up("the key in \"%s\" is damaged", path);
	wipe(bytes, len);
	wipe(text.data, text.len);
}

int
person_keygen(IdentityKind kind, const char *name, const char *path)
{
	PersonKey	key = {.kind = kind};
	uint8		fingerprint[HASH_BYTES];
	StringInfoData bytes;
	StringInfoData text;
	StringInfoData words;

	if (strlen(name) == 0 || strlen(name) > IDENTITY_NAME_MAX)
		give_up("a name has 1 to %d bytes", IDENTITY_NAME_MAX);
	strlcpy(key.name, name, sizeof(key.name));
	sign_keypair(key.sign_public, key.sign_secret);
	seal_keypair(key.seal_public, key.seal_secret);
	initStringInfo(&bytes);
	initStringInfo(&text);
	initStringInfo(&words);
	write_key(&bytes, &key);
	enlargeStringInfo(&text, 2 * KEY_BYTES_MAX);
	appendStringInfoString(&text, KEY_PREFIX);
	base64_write(&text, bytes.data, bytes.len);
	appendStringInfoChar(&text, '\n');
	if (!file_write_secret(path, text.data))
		give_up("can't write \"%s\": %s", path, strerror(errno));
	document_signer(fingerprint, key.sign_public);
	words_text(&words, identity_kind_word(kind), name);
	words_fingerprint(&words, "fingerprint", fingerprint);
	fputs(words.data, stdout);
	wipe(bytes.data, bytes.maxlen);
	wipe(text.data, text.maxlen);
	wipe(&key, sizeof(key));
	return 0;
}
