/*
 * calibration.h
 *	  What rounds, bytes and values cost among the parties of a server, as secmed.calibrate() has measured it.
 */
#ifndef SECMED_CALIBRATION_H
#define SECMED_CALIBRATION_H

#include "postgres.h"
#include "oblivious/cost.h"

typedef struct Calibration
{
	LinkCost	link;
	double		run_ms;			/* what a run takes that computes nothing: decisions, ledgers, opening */
	bool		measured;		/* or what is usual */
} Calibration;

/* Of a foreign server, by its name. */
extern Calibration calibration_of(const char *server);

/* Instead of what was measured before. */
extern void calibration_store(const char *server, const Calibration *calibration);

/* "rounds of 0.041 ms, 210 MB/s, 0.80 ns a value, 12 ms a run" */
extern char *calibration_text(const Calibration *calibration);

/* A run of so much. */
extern double calibration_run_ms(const Calibration *calibration, const NodeCost *cost);

#endif							/* SECMED_CALIBRATION_H */
