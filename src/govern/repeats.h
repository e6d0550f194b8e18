/*
 * repeats.h
 *	  How often somebody has asked the same, and how many of his questions failed on rows here.
 *
 *	  secmed.question_run	one row for each run that this site took up, without a contract: a contract says itself how
 *							often it may run
 *
 * A question is its plan with its parameters.  A run is `failed` from the moment it is taken up until it has
 * shared, so that whoever asks by errors, time-outs or cancels is counted, too.
 */
#ifndef SECMED_REPEATS_H
#define SECMED_REPEATS_H

#include "postgres.h"
#include "contract/policy.h"
#include "nodes/pg_list.h"

/* For RULE_REPEATS; max is how often this site lets the same be asked, 0 for as often as one likes. */
extern RepeatsFact repeats_of_run(const Request *request, const uint8 plan_hash[HASH_BYTES], int max);

/* Is this run counted? */
extern bool repeats_count(const Request *request);

/* The run is taken up; it has shared.  Durable when the transaction has committed. */
extern void repeats_begin(const Request *request, const uint8 plan_hash[HASH_BYTES], const List *tables);
extern void repeats_shared(const Request *request);

#endif							/* SECMED_REPEATS_H */
