/*
 * log_key.c
 *	  The two keys of this node's ledger.
 */
#include "base/base.h"

#include "audit/log_key.h"
#include "base/cbor.h"
#include "crypto/libsodium.h"
#include "identity/card.h"
#include "identity/key_file.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "utils/guc.h"

/* Epochs that a lost tail may have used; none of them is used again. */
#define LOST_EPOCHS		10

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

/* Files ---------------------------------------------------------------------*/

typedef struct KeyPair
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret[SIGN_SECRET_BYTES];
} KeyPair;

static const char *
kind_word(KeyFile file)
{
	return file == KEY_FILE_LOG ? "log key" : "cosigner key";
}

static KeyFile
file_of(const NoteKey *key)
{
	return key->kind == NOTE_LOG ? KEY_FILE_LOG : KEY_FILE_COSIGNER;
}

static void
encode(StringInfo out, KeyFile file, const KeyPair *pairs, int n)
{
	initStringInfo(out);
	/* Room for all at once: growing would leave copies of the secret behind. */
	enlargeStringInfo(out, KEY_FILE_BYTES_MAX);
	cbor_array(out, 2 + 2 * n);
	cbor_uint(out, n);
	cbor_text(out, kind_word(file));
	for (int i = 0; i < n; i++)
	{
		cbor_bytes(out, pairs[i].public_key, SIGN_PUBLIC_BYTES);
		cbor_bytes(out, pairs[i].secret, SIGN_SECRET_BYTES);
	}
}

/* The newest first; for_good: in place of what is there, whatever becomes of the transaction. */
static void
store(KeyFile file, const KeyPair *pairs, int n, bool for_good)
{
	StringInfoData bytes;

	encode(&bytes, file, pairs, n);
	PG_TRY();
	{
		if (for_good)
			key_file_replace(file, bytes.data, bytes.len);
		else
			key_file_write(file, bytes.data, bytes.len);
	}
	PG_FINALLY();
	{
		wipe(bytes.data, bytes.maxlen);
	}
	PG_END_TRY();
}

/*
 * Signing with a public key that is another one's would give the secret away.
 * What was found good last is known by its hash: finding it out takes as long as a signature.
 */
static bool
belong_together(const KeyPair *pair)
{
	static uint8 known[HASH_BYTES];
	uint8		hash[HASH_BYTES];
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret[SIGN_SECRET_BYTES];
	bool		good;

	hash_bytes(hash, pair, sizeof(*pair));
	if (memcmp(hash, known, HASH_BYTES) == 0)
		return true;
	libsodium_start();
	crypto_sign_seed_keypair(public_key, secret, pair->secret);
	good = sodium_memcmp(secret, pair->secret, SIGN_SECRET_BYTES) == 0 &&
		memcmp(public_key, pair->public_key, SIGN_PUBLIC_BYTES) == 0;
	wipe(secret, sizeof(secret));
	if (good)
		memcpy(known, hash, HASH_BYTES);
	return good;
}

/* How many keys the file has: 1 or 2; 0 with a reason.  The caller wipes both. */
static int
decode(KeyPair pairs[2], KeyFile file, const uint8 *bytes, size_t len, const char **reason)
{
	CborReader	reader;
	uint64		n;

	cbor_start(&reader, bytes, len);
	n = (cbor_read_array(&reader, 6) - 2) / 2;
	*reason = "is not that of a ledger's key";
	if (n < 1 || n > 2 || cbor_read_uint(&reader, PG_UINT64_MAX) != n ||
		strcmp(cbor_read_text(&reader, strlen("cosigner key")), kind_word(file)) != 0)
		return 0;
	for (uint64 i = 0; i < n; i++)
	{
		cbor_read_fixed(&reader, pairs[i].public_key, SIGN_PUBLIC_BYTES);
		cbor_read_fixed(&reader, pairs[i].secret, SIGN_SECRET_BYTES);
	}
	if (!cbor_finish(&reader))
	{
		*reason = reader.error;
		return 0;
	}
	*reason = "holds a public key that is not the secret one's";
	for (uint64 i = 0; i < n; i++)
		if (!belong_together(&pairs[i]))
			return 0;
	return (int) n;
}

static int
read_file(KeyPair pairs[2], KeyFile file, const char *site)
{
	uint8		bytes[KEY_FILE_BYTES_MAX];
	size_t		len = key_file_read(file, site, bytes);
	const char *reason;
	int			n = decode(pairs, file, bytes, len, &reason);

	wipe(bytes, sizeof(bytes));
	if (n > 0)
		return n;
	wipe(pairs, 2 * sizeof(KeyPair));
	key_file_unusable(file, site, reason, "Restore the file and the database from the same backup.");
}

/* False if the file holds another; *pair is to be wiped. */
static bool
find_pair(KeyPair *pair, const NoteKey *key, const char *site)
{
	KeyPair		pairs[2];
	int			n = read_file(pairs, file_of(key), site);
	bool		found = false;

	for (int i = 0; i < n && !found; i++)
	{
		found = memcmp(pairs[i].public_key, key->public_key, SIGN_PUBLIC_BYTES) == 0;
		if (found)
			*pair = pairs[i];
	}
	wipe(pairs, sizeof(pairs));
	return found;
}

void
ledger_key_secret(uint8 secret[SIGN_SECRET_BYTES], const NoteKey *key, const char *site)
{
	KeyPair		pair;

	if (!find_pair(&pair, key, site))
		key_file_unusable(file_of(key), site, "holds another key than the ledger names",
						  "Restore the file and the database from the same backup.");
	memcpy(secret, pair.secret, SIGN_SECRET_BYTES);
	wipe(&pair, sizeof(pair));
}

bool
ledger_key_in_file(KeyFile file, uint8 public_key[SIGN_PUBLIC_BYTES], const char *site)
{
	KeyPair		pairs[2];

	if (!key_file_exists(file, MyDatabaseId))
		return false;
	(void) read_file(pairs, file, site);
	memcpy(public_key, pairs[0].public_key, SIGN_PUBLIC_BYTES);
	wipe(pairs, sizeof(pairs));
	return true;
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
	KeyPair		pair;
	uint8		policy[HASH_BYTES];
	Origin		origin;
	NoteKey		key;

	name_origin(&origin, history, site);
	sign_keypair(pair.public_key, pair.secret);
	PG_TRY();
	{
		note_key_make(&key, origin_to_text(&origin), NOTE_LOG, pair.public_key);
		(void) policy_of_one_log(&key, policy);
		history_make(entry, history, history->nlogs > 0 ? "recovered" : "first", &key, pair.secret, NULL, policy);
		store(KEY_FILE_LOG, &pair, 1, false);
	}
	PG_FINALLY();
	{
		wipe(&pair, sizeof(pair));
	}
	PG_END_TRY();
}

/* Changes -------------------------------------------------------------------*/

/* The newest key of a kind; NULL if there is none. */
static const NoteKey *
current_key(const KeyHistory *history, KeyFile file)
{
	if (file == KEY_FILE_LOG)
		return history->nlogs > 0 ? &history->logs[history->nlogs - 1].key : NULL;
	return history->nwitnesses > 0 ? &history->witnesses[history->nwitnesses - 1].key : NULL;
}

static void
name_key(NoteKey *key, const KeyHistory *history, KeyFile file, const char *outcome, const char *site,
		 const uint8 *public_key)
{
	Origin		origin;

	name_origin(&origin, history, site);
	if (strcmp(outcome, "recovered") == 0)
		origin.epoch += LOST_EPOCHS;
	if (file == KEY_FILE_LOG)
		note_key_make(key, origin_to_text(&origin), NOTE_LOG, public_key);
	else
		note_key_make(key, cosigner_name(history->origin.federation, site), NOTE_WITNESS, public_key);
}

static void
change(LedgerEntry *entry, const KeyHistory *history, KeyFile file, const char *outcome,
	   const char *site, PolicyMaker policy_of, void *arg, KeyPair *pairs)
{
	const NoteKey *current = current_key(history, file);
	bool		has_old = current != NULL && key_file_exists(file, MyDatabaseId) && find_pair(&pairs[1], current, site);
	uint8		policy[HASH_BYTES] = {0};
	NoteKey		key;

	if (strcmp(outcome, "rotated") == 0 && !has_old)
		key_file_unusable(file, site, "holds another key than the ledger names",
						  "Restore the file and the database from the same backup.");
	sign_keypair(pairs[0].public_key, pairs[0].secret);
	name_key(&key, history, file, outcome, site, pairs[0].public_key);
	if (file == KEY_FILE_LOG)
		policy_of(&key, policy, arg);
	history_make(entry, history, outcome, &key, pairs[0].secret, has_old ? pairs[1].secret : NULL, policy);
	store(file, pairs, has_old ? 2 : 1, true);
}

void
ledger_key_change(LedgerEntry *entry, const KeyHistory *history, KeyFile file, const char *outcome,
				  const char *site, PolicyMaker policy_of, void *arg)
{
	KeyPair    *pairs = palloc(2 * sizeof(KeyPair));

	PG_TRY();
	{
		change(entry, history, file, outcome, site, policy_of, arg, pairs);
	}
	PG_FINALLY();
	{
		wipe(pairs, 2 * sizeof(KeyPair));
	}
	PG_END_TRY();
}

void
cosigner_key_first(LedgerEntry *entry, const KeyHistory *history, const char *site)
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret[SIGN_SECRET_BYTES];
	NoteKey		key;

	if (!ledger_key_in_file(KEY_FILE_COSIGNER, public_key, site))
		elog(ERROR, "there is no cosigner's key");
	name_key(&key, history, KEY_FILE_COSIGNER, "first", site, public_key);
	ledger_key_secret(secret, &key, site);
	history_make(entry, history, "first", &key, secret, NULL, NULL);
	wipe(secret, sizeof(secret));
}

void
log_key_policy(LedgerEntry *entry, const KeyHistory *history, const char *site,
			   const uint8 policy[HASH_BYTES])
{
	const NoteKey *key = current_key(history, KEY_FILE_LOG);
	uint8		secret[SIGN_SECRET_BYTES];

	ledger_key_secret(secret, key, site);
	history_make(entry, history, "policy", key, secret, NULL, policy);
	wipe(secret, sizeof(secret));
}
