/*
 * seal.c
 *	  Sealed boxes: anyone can seal to a node, only the node can open.
 *
 * libsodium refuses public keys of small order, with which a box would open
 * for everybody.
 */
#include "base/base.h"

#include "crypto/libsodium.h"
#include "crypto/seal.h"

StaticAssertDecl(SEAL_PUBLIC_BYTES == crypto_box_PUBLICKEYBYTES, "X25519 public key");
StaticAssertDecl(SEAL_SECRET_BYTES == crypto_box_SECRETKEYBYTES, "X25519 secret key");
StaticAssertDecl(SEAL_OVERHEAD_BYTES == crypto_box_SEALBYTES, "ephemeral key and tag");

void
seal_keypair(uint8 public_key[SEAL_PUBLIC_BYTES], uint8 secret_key[SEAL_SECRET_BYTES])
{
	libsodium_start();
	crypto_box_keypair(public_key, secret_key);
}

void
seal_message(uint8 *out, const uint8 public_key[SEAL_PUBLIC_BYTES],
			 const void *message, size_t len)
{
	libsodium_start();
	if (crypto_box_seal(out, message, len, public_key) != 0)
		fail(ERRCODE_SECMED_WRONG_KEY, "nothing can be sealed to this node's public key");
}

bool
seal_open(void *out, const uint8 *sealed, size_t sealed_len,
		  const uint8 public_key[SEAL_PUBLIC_BYTES],
		  const uint8 secret_key[SEAL_SECRET_BYTES])
{
	if (sealed_len < SEAL_OVERHEAD_BYTES)
		return false;
	libsodium_start();
	return crypto_box_seal_open(out, sealed, sealed_len, public_key, secret_key) == 0;
}
