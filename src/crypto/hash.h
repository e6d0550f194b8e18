/*
 * hash.h
 *	  SHA-256 (FIPS 180-4) and commitments, thin over OpenSSL.
 */
#ifndef SECMED_HASH_H
#define SECMED_HASH_H

#include "base/base.h"

#define HASH_BYTES	32
#define SALT_BYTES	32

typedef struct HashPart
{
	const void *bytes;
	size_t		len;
} HashPart;

/* SHA-256 over the parts, one after the other. */
extern void hash_parts(uint8 out[HASH_BYTES], const HashPart *parts, int n);

/* Inline, because the server has another function of this name (common/hashfn.h). */
static inline void
hash_bytes(uint8 out[HASH_BYTES], const void *bytes, size_t len)
{
	HashPart	part = {bytes, len};

	hash_parts(out, &part, 1);
}

/*
 * A commitment to payload that hides it while the salt is secret:
 * HMAC-SHA-256(salt, "secmed/commit/1" || payload).
 */
extern void commit_payload(uint8 out[HASH_BYTES], const uint8 salt[SALT_BYTES],
						   const void *payload, size_t len);

/* Cryptographically strong random bytes (libsodium randombytes_buf). */
extern void random_bytes(void *out, size_t len);

/* Overwrites a secret; never optimised away. */
extern void wipe(void *secret, size_t len);

#endif							/* SECMED_HASH_H */
