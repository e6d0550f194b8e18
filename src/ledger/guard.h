/*
 * guard.h
 *	  Whether this process is the one that appends (server only).
 */
#ifndef SECMED_GUARD_H
#define SECMED_GUARD_H

#include "base/base.h"

/*
 * Set by the sequencer for its lifetime: the guard's trigger then lets
 * appends through, which have already passed chain_accept().
 */
extern bool guard_is_sequencer;

#endif							/* SECMED_GUARD_H */
