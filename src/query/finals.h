/*
 * finals.h
 *	  From opened totals to the results PostgreSQL would give.
 */
#ifndef SECMED_FINALS_H
#define SECMED_FINALS_H

#include "postgres.h"
#include "query/component.h"
#include "query/encode.h"

/* The aggregate's result from its components' totals. */
extern Datum final_compute(const Final *final, const ComponentTotal *totals, bool *isnull);

#endif							/* SECMED_FINALS_H */
