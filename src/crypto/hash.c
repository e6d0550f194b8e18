/*
 * hash.c
 *	  SHA-256 through OpenSSL, which uses the processor's SHA instructions;
 *	  commitments, random bytes and wiping through libsodium, which can't fail.
 *
 * The digest is OpenSSL's own and not one of a provider: EVP looks up, allocates
 * and frees something for each message, 40 ns of 220 for an entry of the
 * ledger, and its verification hashes twice an entry.  OpenSSL 3 calls these
 * functions deprecated; PostgreSQL asks its headers for those of 1.0.1.
 */
#include "base/base.h"

#include <openssl/sha.h>

#include "crypto/hash.h"
#include "crypto/libsodium.h"

StaticAssertDecl(SALT_BYTES == crypto_auth_hmacsha256_KEYBYTES, "a salt is an HMAC key");
StaticAssertDecl(HASH_BYTES == crypto_auth_hmacsha256_BYTES, "a commitment is a hash");

static const char commit_purpose[] = "secmed/commit/1";

void
hash_parts(uint8 out[HASH_BYTES], const HashPart *parts, int n)
{
	SHA256_CTX	state;
	bool		done = SHA256_Init(&state) == 1;

	for (int i = 0; i < n; i++)
		done = done && SHA256_Update(&state, parts[i].bytes, parts[i].len) == 1;
	if (!done || SHA256_Final(out, &state) != 1)
		fail(ERRCODE_INTERNAL_ERROR, "OpenSSL could not compute SHA-256");
}

void
commit_payload(uint8 out[HASH_BYTES], const uint8 salt[SALT_BYTES],
			   const void *payload, size_t len)
{
	crypto_auth_hmacsha256_state state;

	libsodium_start();
	crypto_auth_hmacsha256_init(&state, salt, SALT_BYTES);
	crypto_auth_hmacsha256_update(&state, (const uint8 *) commit_purpose, sizeof(commit_purpose) - 1);
	crypto_auth_hmacsha256_update(&state, payload, len);
	crypto_auth_hmacsha256_final(&state, out);
	wipe(&state, sizeof(state));
}

void
random_bytes(void *out, size_t len)
{
	libsodium_start();
	randombytes_buf(out, len);
}

void
wipe(void *secret, size_t len)
{
	sodium_memzero(secret, len);
}
