/*
 * worker.h
 *	  The mirror worker: a background worker for each database whose ledger has
 *	  witnesses, or that has begun to hold ledgers of others.
 */
#ifndef SECMED_WORKER_H
#define SECMED_WORKER_H

#include "base/base.h"

/* _PG_init: secmed.heartbeat_interval, and the worker that starts the others. */
extern void worker_init(void);

#endif							/* SECMED_WORKER_H */
