/*
 * prg.h
 *	  A stream of pseudo-random bytes from a seed: AES-256-CTR (NIST SP
 *	  800-38A), through OpenSSL, which picks AES-NI or VAES at run time.
 *
 * Two holders of one seed who ask for the same sizes in the same order see
 * the same bytes.  A stream is for one purpose: derive a seed for each.
 */
#ifndef SECMED_PRG_H
#define SECMED_PRG_H

#include "base/base.h"

#define SEED_BYTES	32

typedef struct Prg Prg;

extern Prg *prg_create(const uint8 seed[SEED_BYTES]);
extern void prg_fill(Prg *prg, void *out, size_t len);
extern void prg_free(Prg *prg);

/* seed for one purpose of a pair's secret: SHA-256(secret || purpose || zero byte || id). */
extern void prg_derive_seed(uint8 out[SEED_BYTES], const uint8 secret[SEED_BYTES],
							const char *purpose, const void *id, size_t id_len);

#endif							/* SECMED_PRG_H */
