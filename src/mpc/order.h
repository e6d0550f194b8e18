/*
 * order.h
 *	  Which rows to compare next, and where they go when the answers are known.
 *
 * Everything here is public: it knows places and answers, and nothing of the keys.
 *
 * A segment is rows that are known to lie together.  All pairs of a small sample of it are compared
 * in one batch; then the middle one of the sorted sample splits the segment and the
 * sample, and so on.  All segments do their next step in the same batch.
 */
#ifndef SECMED_ORDER_H
#define SECMED_ORDER_H

#include "mpc/keys.h"

typedef struct Order
{
	size_t		n;
	size_t		wanted;			/* rows from this place on may be in any order */
	size_t		together;		/* so many rows are compared each with each */
	uint64	   *first;			/* a bit for each row: a segment begins here; and one behind the last row */
	uint16	   *sorted;			/* by half of a segment's first row: so many of its rows are in order */
	uint64	   *before;			/* the answers of a batch: is the left row before the right one? */
	uint32	   *place;			/* of the rows of a sample */
} Order;

/* So many comparisons make a batch worth its rounds, and take a few megabytes. */
#define ORDER_BATCH_MIN	(128 * 1024)

/* So many rows are compared each with each at least. */
#define ORDER_TOGETHER_MIN	6

/*
 * How many rows it pays to compare each with each, when keys have so many planes, and a round lasts as long as sending
 * so many bytes (Party.round_bytes): the least if that is 0, up to all rows of a small table, which then takes one batch.
 */
extern size_t order_together(size_t n, int planes, uint64 round_bytes);

/* What sorting will mostly take: for estimates. */
typedef struct OrderWork
{
	double		batches;
	double		comparisons;
} OrderWork;

extern OrderWork order_expected(size_t n, int planes, uint64 round_bytes);

/* The most questions of a batch. */
extern uint64 order_pairs_max(size_t n, size_t together);

/* Rows of the largest sample of n rows: what KeyRows.spare must hold. */
extern size_t order_spare_rows(size_t n, size_t together);
extern uint64 order_bytes(size_t n, size_t together);

extern Order order_create(size_t n, size_t wanted, size_t together);
extern void order_free(Order *order);

/* Pairs of rows to be compared in this batch; 0 when all rows that matter are in order. */
extern uint64 order_pairs(const Order *order);

/* Goes through the pairs of a batch. */
typedef struct OrderAsk
{
	size_t		segment;		/* its first row; n at the end */
	size_t		end;
	size_t		left;			/* the next pair, counted from the segment's first row */
	size_t		right;
} OrderAsk;

extern OrderAsk order_ask(const Order *order);

/*
 * The next pairs, `count` of them.  Right rows do not decrease, and of pairs with the same right
 * row the left ones lie one behind the other.
 */
extern void order_ask_pairs(const Order *order, OrderAsk *ask, uint32 *left, uint32 *right, size_t count);

/* With all answers of the batch in order->before: moves the rows.  Fails if answers contradict each other. */
extern void order_settle(Order *order, KeyRows *rows);

#endif							/* SECMED_ORDER_H */
