/*
 * base.h
 *	  What every file of secmed includes first.
 *
 * The core layers (see the Makefile) are built twice: into the server's
 * extension, and with -DFRONTEND into the unit tests and the simulator.  Core
 * code therefore uses what PostgreSQL offers on both sides (palloc,
 * StringInfo, its integer types) and reports failure through error.h.
 */
#ifndef SECMED_BASE_H
#define SECMED_BASE_H

#ifdef FRONTEND
#include "postgres_fe.h"
#include "common/fe_memutils.h"
#else
#include "postgres.h"
#endif

#ifndef HAVE_INT128
#error "secmed needs a compiler with a 128-bit integer"
#endif

#include "lib/stringinfo.h"

#include "base/error.h"
#include "base/limits.h"

#endif							/* SECMED_BASE_H */
