/*
 * order.h
 *	  ORDER BY, LIMIT and OFFSET of one query level, computed on shares.
 */
#ifndef SECMED_ORDER_H
#define SECMED_ORDER_H

#include "compute/compile.h"

/*
 * SORT and LIMIT above `rel`, as far as the query has them.  In a sub-query
 * without LIMIT an order tells nothing, and is left out.  NULL with the refusal.
 */
extern Rel *compile_order(Compiler *compiler, Rel *rel);

/* Has the query level a LIMIT or OFFSET? */
extern bool query_has_limit(const Query *query);

#endif							/* SECMED_ORDER_H */
