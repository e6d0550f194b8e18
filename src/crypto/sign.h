/*
 * sign.h
 *	  Ed25519 signatures (RFC 8032), thin over libsodium.
 *
 * Every signature is made for a purpose: the purpose string and a zero byte
 * are signed before the message, so that no signature can be taken for one of
 * another kind.
 */
#ifndef SECMED_SIGN_H
#define SECMED_SIGN_H

#include "base/base.h"

#define SIGN_PUBLIC_BYTES	32
#define SIGN_SECRET_BYTES	64
#define SIGNATURE_BYTES		64

extern void sign_keypair(uint8 public_key[SIGN_PUBLIC_BYTES], uint8 secret_key[SIGN_SECRET_BYTES]);
extern void sign_message(uint8 signature[SIGNATURE_BYTES],
						 const uint8 secret_key[SIGN_SECRET_BYTES],
						 const char *purpose, const void *message, size_t len);
extern bool sign_verify(const uint8 signature[SIGNATURE_BYTES],
						const uint8 public_key[SIGN_PUBLIC_BYTES],
						const char *purpose, const void *message, size_t len);

#endif							/* SECMED_SIGN_H */
