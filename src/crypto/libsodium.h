/*
 * libsodium.h
 *	  libsodium, initialised before use.
 *
 * sodium_init() may be called again and from several threads; after the
 * first time it costs a lock.
 */
#ifndef SECMED_LIBSODIUM_H
#define SECMED_LIBSODIUM_H

#include "base/base.h"

#include <sodium.h>

static inline void
libsodium_start(void)
{
	if (sodium_init() < 0)
		fail(ERRCODE_INTERNAL_ERROR, "libsodium could not be initialised");
}

#endif							/* SECMED_LIBSODIUM_H */
