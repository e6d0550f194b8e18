/*
 * sign.c
 *	  Ed25519 signatures for a purpose.
 *
 * What is signed is purpose, a zero byte, message: purposes hold no zero
 * byte, so the bytes say where the message begins.  libsodium wants them in
 * one piece.
 */
#include "base/base.h"

#include "crypto/libsodium.h"
#include "crypto/sign.h"

StaticAssertDecl(SIGN_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
StaticAssertDecl(SIGN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
StaticAssertDecl(SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519 signature");

void
sign_keypair(uint8 public_key[SIGN_PUBLIC_BYTES], uint8 secret_key[SIGN_SECRET_BYTES])
{
	libsodium_start();
	crypto_sign_keypair(public_key, secret_key);
}

/* palloc'd bytes that are signed; len is at most MESSAGE_BYTES_MAX. */
static uint8 *
signed_bytes(const char *purpose, const void *message, size_t len, size_t *total)
{
	size_t		purpose_len = strlen(purpose) + 1;
	uint8	   *bytes;

	*total = purpose_len + len;
	bytes = palloc(*total);
	memcpy(bytes, purpose, purpose_len);
	if (len > 0)
		memcpy(bytes + purpose_len, message, len);
	return bytes;
}

void
sign_message(uint8 signature[SIGNATURE_BYTES], const uint8 secret_key[SIGN_SECRET_BYTES],
			 const char *purpose, const void *message, size_t len)
{
	size_t		total;
	uint8	   *bytes;

	if (len > MESSAGE_BYTES_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a message of %zu bytes is longer than %d bytes",
			 len, MESSAGE_BYTES_MAX);
	libsodium_start();
	bytes = signed_bytes(purpose, message, len, &total);
	crypto_sign_detached(signature, NULL, bytes, total, secret_key);
	pfree(bytes);
}

bool
sign_verify(const uint8 signature[SIGNATURE_BYTES], const uint8 public_key[SIGN_PUBLIC_BYTES],
			const char *purpose, const void *message, size_t len)
{
	size_t		total;
	uint8	   *bytes;
	bool		valid;

	if (len > MESSAGE_BYTES_MAX)
		return false;
	libsodium_start();
	bytes = signed_bytes(purpose, message, len, &total);
	valid = crypto_sign_verify_detached(signature, bytes, total, public_key) == 0;
	pfree(bytes);
	return valid;
}
