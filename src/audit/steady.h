/*
 * steady.h
 *	  Time that doesn't jump when somebody sets the clock, for deadlines.
 *
 * Milliseconds since the machine was started, the same in all processes.
 */
#ifndef SECMED_STEADY_H
#define SECMED_STEADY_H

#include "base/base.h"
#include "portability/instr_time.h"

static inline int64
steady_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}

/* How long until then; 0 if it has come.  Fits a WaitLatch(). */
static inline long
steady_wait_ms(int64 until_ms)
{
	return (long) Min(Max(until_ms - steady_ms(), 0), PG_INT32_MAX);
}

#endif							/* SECMED_STEADY_H */
