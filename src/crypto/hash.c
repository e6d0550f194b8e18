/*
 * hash.c
 *	  SHA-256 and commitments through OpenSSL, which uses the processor's SHA
 *	  instructions; random bytes and wiping through libsodium, which can't fail.
 *
 * The digest is OpenSSL's own and not one of a provider: EVP looks up, allocates
 * and frees something for each message, 40 ns of 220 for an entry of the
 * ledger, and its verification hashes twice an entry.  OpenSSL 3 calls these
 * functions deprecated; PostgreSQL asks its headers for those of 1.0.1.  An
 * audited read pays for one commitment: libsodium's HMAC, in plain C, took more
 * than half of what the audit did in the reader's process.
 */
#include "base/base.h"

#include <openssl/sha.h>

#include "crypto/hash.h"
#include "crypto/libsodium.h"

StaticAssertDecl(SALT_BYTES <= SHA256_CBLOCK, "a salt is an HMAC key as it is");
StaticAssertDecl(HASH_BYTES == SHA256_DIGEST_LENGTH, "a commitment is a hash");

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

/* The key of an HMAC (RFC 2104, section 2), XORed with the constant of one of its two hashes. */
static bool
start_keyed(SHA256_CTX *state, const uint8 salt[SALT_BYTES], uint8 constant)
{
	uint8		block[SHA256_CBLOCK];
	bool		done;

	memset(block, constant, sizeof(block));
	for (int i = 0; i < SALT_BYTES; i++)
		block[i] ^= salt[i];
	done = SHA256_Init(state) == 1 && SHA256_Update(state, block, sizeof(block)) == 1;
	wipe(block, sizeof(block));
	return done;
}

void
commit_payload(uint8 out[HASH_BYTES], const uint8 salt[SALT_BYTES],
			   const void *payload, size_t len)
{
	SHA256_CTX	state;
	bool		done = start_keyed(&state, salt, 0x36) &&
		SHA256_Update(&state, commit_purpose, sizeof(commit_purpose) - 1) == 1 &&
		SHA256_Update(&state, payload, len) == 1 && SHA256_Final(out, &state) == 1;

	done = done && start_keyed(&state, salt, 0x5c) &&
		SHA256_Update(&state, out, HASH_BYTES) == 1 && SHA256_Final(out, &state) == 1;
	wipe(&state, sizeof(state));
	if (!done)
		fail(ERRCODE_INTERNAL_ERROR, "OpenSSL could not compute SHA-256");
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
