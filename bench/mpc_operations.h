/*
 * mpc_operations.h
 *	  What bench/mpc measures.
 */
#ifndef MPC_OPERATIONS_H
#define MPC_OPERATIONS_H

#include "base/base.h"
#include "mpc/party.h"

#define MPC_RUNS	5

typedef struct Work Work;

typedef struct Operation
{
	const char *name;
	size_t		rows;
	double		goal_s;			/* for that many rows; 0: none */
	double		goal_mb;		/* a party; 0: none */
	uint64		x_mask;			/* inputs are random below these */
	uint64		y_mask;
	int			planes;			/* of bx, by, bz; 0: none */
	bool		no_numbers;		/* bits only */
	void		(*run) (Party *self, Work *work);
	bool		(*check) (Party *self, Work *work);
	void		(*prepare) (Work *work);	/* changes xv and yv before they are shared; may be NULL */
} Operation;

extern const Operation mpc_operations[];
extern const int mpc_operation_count;

/* What one party tells; times are those of CLOCK_MONOTONIC, run 0 is not measured. */
typedef struct Report
{
	double		start[MPC_RUNS + 1];
	double		end[MPC_RUNS + 1];
	double		cpu[MPC_RUNS + 1];
	uint64		bytes;
	uint64		rounds;
	bool		good;			/* what came out is right */
} Report;

extern void mpc_measure(Party *self, const Operation *operation, size_t n, Report *report);

#endif							/* MPC_OPERATIONS_H */
