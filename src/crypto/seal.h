/*
 * seal.h
 *	  Sealed boxes: anyone can seal to a node's X25519 key, only the node can
 *	  open (libsodium crypto_box_seal: X25519, XSalsa20-Poly1305).
 *
 * A sealed box does not say who sealed it; the sender signs the hash of it.
 */
#ifndef SECMED_SEAL_H
#define SECMED_SEAL_H

#include "base/base.h"

#define SEAL_PUBLIC_BYTES	32
#define SEAL_SECRET_BYTES	32
#define SEAL_OVERHEAD_BYTES	48

extern void seal_keypair(uint8 public_key[SEAL_PUBLIC_BYTES], uint8 secret_key[SEAL_SECRET_BYTES]);

/* out holds len + SEAL_OVERHEAD_BYTES. */
extern void seal_message(uint8 *out, const uint8 public_key[SEAL_PUBLIC_BYTES],
						 const void *message, size_t len);

/* out holds sealed_len - SEAL_OVERHEAD_BYTES; false if it was not sealed to us. */
extern bool seal_open(void *out, const uint8 *sealed, size_t sealed_len,
					  const uint8 public_key[SEAL_PUBLIC_BYTES],
					  const uint8 secret_key[SEAL_SECRET_BYTES]);

#endif							/* SECMED_SEAL_H */
