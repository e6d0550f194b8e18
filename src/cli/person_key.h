/*
 * person_key.h
 *	  Key files of people and organisations: made, read and used by the tool only.
 *
 * One line, SECMED+KEY+BASE64, of the CBOR array
 *
 *	  [1, kind, name, seed, seal secret]
 *
 * with kind "person" or "organisation", the printed name, the 32 bytes that an
 * Ed25519 key is made of, and an X25519 secret key.
 */
#ifndef SECMED_PERSON_KEY_H
#define SECMED_PERSON_KEY_H

#include "contract/person.h"

typedef struct PersonKey
{
	IdentityKind kind;
	char		name[IDENTITY_NAME_MAX + 1];
	uint8		sign_public[SIGN_PUBLIC_BYTES];
	uint8		sign_secret[SIGN_SECRET_BYTES];
	uint8		seal_public[SEAL_PUBLIC_BYTES];
	uint8		seal_secret[SEAL_SECRET_BYTES];
} PersonKey;

/* Is this the text of such a file? */
extern bool person_key_is(const char *text);

/* Reads the file, or gives up. */
extern void person_key_read(PersonKey *key, const char *path);

/* secmed keygen --person|--organisation NAME FILE */
extern int	person_keygen(IdentityKind kind, const char *name, const char *path);

#endif							/* SECMED_PERSON_KEY_H */
