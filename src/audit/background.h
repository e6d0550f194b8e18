/*
 * background.h
 *	  What all background workers of secmed have in common: how they are
 *	  described to the postmaster, and which databases there are for them.
 */
#ifndef SECMED_BACKGROUND_H
#define SECMED_BACKGROUND_H

#include "postgres.h"
#include "nodes/pg_list.h"
#include "postmaster/bgworker.h"

/* A worker of this name that runs this function of the library once the server is open; never restarted. */
extern BackgroundWorker background_worker(const char *name, const char *function);

/*
 * Oids, in TopMemoryContext, of the databases that allow connections.  Begins a
 * transaction of its own; for workers that are connected to none.
 */
extern List *background_databases(bool templates_too);

#endif							/* SECMED_BACKGROUND_H */
