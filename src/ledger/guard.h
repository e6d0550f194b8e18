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

/*
 * Set while secmed.recover_ledger() exchanges entries for those that others
 * hold: they may then be deleted, and tiles and checkpoints change.
 */
extern bool guard_is_recovery;

#endif							/* SECMED_GUARD_H */
