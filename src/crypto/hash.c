/*
 * hash.c
 *	  SHA-256 through OpenSSL, which uses the processor's SHA instructions;
 *	  commitments, random bytes and wiping through libsodium, which can't fail.
 *
 * OpenSSL 3 looks an algorithm up by name each time it is not given a fetched
 * one, which costs more than hashing a short message: it is fetched once.
 */
#include "base/base.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "crypto/hash.h"
#include "crypto/libsodium.h"

StaticAssertDecl(SALT_BYTES == crypto_auth_hmacsha256_KEYBYTES, "a salt is an HMAC key");
StaticAssertDecl(HASH_BYTES == crypto_auth_hmacsha256_BYTES, "a commitment is a hash");

static const char commit_purpose[] = "secmed/commit/1";

static EVP_MD *sha256;

static void
sha256_fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static bool
digest_parts(EVP_MD_CTX *ctx, uint8 *out, const HashPart *parts, int n)
{
	if (ctx == NULL || sha256 == NULL || EVP_DigestInit_ex(ctx, sha256, NULL) != 1)
		return false;
	for (int i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len) != 1)
			return false;
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

void
hash_parts(uint8 out[HASH_BYTES], const HashPart *parts, int n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	EVP_MD_CTX *ctx;
	bool		done;

	pthread_once(&once, sha256_fetch);
	ctx = EVP_MD_CTX_new();
	done = digest_parts(ctx, out, parts, n);
	EVP_MD_CTX_free(ctx);
	if (!done)
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
