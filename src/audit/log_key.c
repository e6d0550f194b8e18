/*
 * log_key.c
 *	  The key that signs the checkpoints of this node's ledger.
 */
#include "base/base.h"

#include "audit/log_key.h"
#include "base/cbor.h"
#include "crypto/libsodium.h"
#include "identity/card.h"
#include "identity/key_file.h"
#include "ledger/store_sql.h"
#include "utils/guc.h"

#define LOG_KEY_VERSION		1
#define LOG_KEY_KIND		"log key"

static char *federation = NULL;

static bool
check_federation(char **value, void **extra, GucSource source)
{
	if (node_name_valid(*value))
		return true;
	GUC_check_errdetail("A federation's name has 1 to %d of a-z, 0-9, _ and -, and begins with a letter.",
						NODE_NAME_BYTES_MAX);
	return false;
}

void
log_key_init(void)
{
	DefineCustomStringVariable("secmed.federation",
							   "Sets the federation in the name of a ledger that create_node() begins.",
							   NULL,
							   &federation, "secmed", PGC_USERSET, 0,
							   check_federation, NULL, NULL);
}

/* The file ------------------------------------------------------------------*/

static void
store(const uint8 *public_key, const uint8 *secret)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	/* Room for all at once: growing would leave copies of the secret behind. */
	enlargeStringInfo(&bytes, KEY_FILE_BYTES_MAX);
	PG_TRY();
	{
		cbor_array(&bytes, 4);
		cbor_uint(&bytes, LOG_KEY_VERSION);
		cbor_text(&bytes, LOG_KEY_KIND);
		cbor_bytes(&bytes, public_key, SIGN_PUBLIC_BYTES);
		cbor_bytes(&bytes, secret, SIGN_SECRET_BYTES);
		key_file_write(KEY_FILE_LOG, bytes.data, bytes.len);
	}
	PG_FINALLY();
	{
		wipe(bytes.data, bytes.maxlen);
	}
	PG_END_TRY();
}

static const char *
decode(uint8 secret[SIGN_SECRET_BYTES], const NoteKey *key, const uint8 *bytes, size_t len)
{
	CborReader	reader;
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		derived[SIGN_SECRET_BYTES];
	bool		whole;

	cbor_start(&reader, bytes, len);
	cbor_expect_array(&reader, 4);
	if (cbor_read_uint(&reader, PG_UINT64_MAX) != LOG_KEY_VERSION ||
		strcmp(cbor_read_text(&reader, strlen(LOG_KEY_KIND)), LOG_KEY_KIND) != 0)
		return "is not that of a ledger's key";
	cbor_read_fixed(&reader, public_key, SIGN_PUBLIC_BYTES);
	cbor_read_fixed(&reader, secret, SIGN_SECRET_BYTES);
	if (!cbor_finish(&reader))
		return reader.error;

	/* Signing with a public key that is another one's would give the secret away. */
	libsodium_start();
	crypto_sign_seed_keypair(public_key, derived, secret);
	whole = sodium_memcmp(derived, secret, SIGN_SECRET_BYTES) == 0 &&
		memcmp(public_key, key->public_key, SIGN_PUBLIC_BYTES) == 0;
	wipe(derived, sizeof(derived));
	return whole ? NULL : "holds another key than the ledger names";
}

void
log_key_secret(uint8 secret[SIGN_SECRET_BYTES], const NoteKey *key, const char *site)
{
	uint8		bytes[KEY_FILE_BYTES_MAX];
	size_t		len = key_file_read(KEY_FILE_LOG, site, bytes);
	const char *problem = decode(secret, key, bytes, len);

	wipe(bytes, sizeof(bytes));
	if (problem == NULL)
		return;
	wipe(secret, SIGN_SECRET_BYTES);
	key_file_unusable(KEY_FILE_LOG, site, problem,
					  "Restore the file and the database from the same backup.");
}

/* A new key -----------------------------------------------------------------*/

static void
random_uuid(char out[UUID_TEXT_BYTES + 1])
{
	uint8		bytes[16];
	char	   *at = out;

	if (!pg_strong_random(bytes, sizeof(bytes)))
		elog(ERROR, "no random numbers");
	bytes[6] = (bytes[6] & 0x0f) | 0x40;	/* RFC 9562, version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

static void
name_origin(Origin *origin, const KeyHistory *history, const char *site)
{
	if (history->nlogs > 0)
	{
		*origin = history->origin;
		origin->epoch++;
		return;
	}
	strlcpy(origin->federation, federation, sizeof(origin->federation));
	strlcpy(origin->site, site, sizeof(origin->site));
	random_uuid(origin->ledger);
	origin->epoch = 1;
}

void
log_key_create(LedgerEntry *entry, const KeyHistory *history, const char *site)
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret[SIGN_SECRET_BYTES];
	uint8		policy[HASH_BYTES];
	Origin		origin;
	NoteKey		key;

	name_origin(&origin, history, site);
	sign_keypair(public_key, secret);
	PG_TRY();
	{
		note_key_make(&key, origin_to_text(&origin), NOTE_LOG, public_key);
		(void) policy_of_one_log(&key, policy);
		history_make(entry, history, history->nlogs > 0 ? "recovered" : "first", &key, secret, NULL, policy);
		store(public_key, secret);
	}
	PG_FINALLY();
	{
		wipe(secret, sizeof(secret));
	}
	PG_END_TRY();
}
