/*
 * prg.c
 *	  A stream of pseudo-random bytes: the key stream of AES-256-CTR.
 *
 * The seed is the key and the counter starts at zero; a seed is used for one
 * stream, so no counter block is ever used twice under a key.  The key stream
 * is what zeros encrypt to.
 *
 * OpenSSL's state is not palloc'd.  In the server each stream has a memory
 * context of its own, below the current one, whose callback releases (and
 * wipes) the state, so that an error leaves no key behind.
 */
#include "base/base.h"

#include <openssl/evp.h>

#include "crypto/hash.h"
#include "crypto/prg.h"
#ifndef FRONTEND
#include "utils/memutils.h"
#endif

/* Large enough to make the call's own cost vanish, small enough for L1. */
#define ZEROS_BYTES		16384

struct Prg
{
	EVP_CIPHER_CTX *ctx;
#ifndef FRONTEND
	MemoryContext context;
	MemoryContextCallback callback;
#endif
};

#ifndef FRONTEND
static void
prg_release(void *arg)
{
	EVP_CIPHER_CTX_free(((Prg *) arg)->ctx);
}
#endif

static Prg *
prg_alloc(void)
{
#ifdef FRONTEND
	return palloc0(sizeof(Prg));
#else
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "secmed random stream",
												  ALLOCSET_SMALL_SIZES);
	Prg		   *prg = MemoryContextAllocZero(context, sizeof(Prg));

	prg->context = context;
	prg->callback.func = prg_release;
	prg->callback.arg = prg;
	MemoryContextRegisterResetCallback(context, &prg->callback);
	return prg;
#endif
}

Prg *
prg_create(const uint8 seed[SEED_BYTES])
{
	static const uint8 counter[16] = {0};
	Prg		   *prg = prg_alloc();

	prg->ctx = EVP_CIPHER_CTX_new();
	if (prg->ctx == NULL ||
		EVP_EncryptInit_ex(prg->ctx, EVP_aes_256_ctr(), NULL, seed, counter) != 1)
	{
		prg_free(prg);
		fail(ERRCODE_INTERNAL_ERROR, "OpenSSL could not start AES-256-CTR");
	}
	return prg;
}

void
prg_fill(Prg *prg, void *out, size_t len)
{
	static const uint8 zeros[ZEROS_BYTES] = {0};

	for (size_t done = 0; done < len;)
	{
		int			bytes = (int) Min(len - done, ZEROS_BYTES);
		int			written = 0;

		if (EVP_EncryptUpdate(prg->ctx, (uint8 *) out + done, &written, zeros, bytes) != 1 ||
			written != bytes)
			fail(ERRCODE_INTERNAL_ERROR, "OpenSSL could not compute AES-256-CTR");
		done += bytes;
	}
}

void
prg_free(Prg *prg)
{
#ifdef FRONTEND
	EVP_CIPHER_CTX_free(prg->ctx);
	pfree(prg);
#else
	MemoryContextDelete(prg->context);
#endif
}

/* The zero byte keeps purpose "a" with id "bc" apart from "ab" with "c". */
void
prg_derive_seed(uint8 out[SEED_BYTES], const uint8 secret[SEED_BYTES],
				const char *purpose, const void *id, size_t id_len)
{
	HashPart	parts[] = {
		{secret, SEED_BYTES},
		{purpose, strlen(purpose) + 1},
		{id, id_len},
	};

	StaticAssertStmt(SEED_BYTES == HASH_BYTES, "a seed is a hash");
	hash_parts(out, parts, lengthof(parts));
}
