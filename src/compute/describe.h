/*
 * describe.h
 *	  An oblivious plan in words: for ledgers, which may hold nothing of the
 *	  query's constants, and for people.
 */
#ifndef SECMED_COMPUTE_DESCRIBE_H
#define SECMED_COMPUTE_DESCRIBE_H

#include "nodes/pg_list.h"
#include "oblivious/check.h"
#include "query/record.h"

/* The record of a run, with the names of its tables and what is opened. */
extern RunRecord describe_answer(const Request *request, const CheckedPlan *checked, const uint8 *plan_hash);

/* Names of all tables that it reads (char *), each once: shared ones, and those of the sites. */
extern List *describe_tables(const ObliviousPlan *plan);

/* Its nodes, one a line, with expressions: goes to the side table only. */
extern char *describe_plan(const CheckedPlan *checked);

/* One node: "filter less than(c2, 40)"; and without what is in it: "filter". */
extern char *describe_node(const CheckedPlan *checked, int node);
extern char *describe_node_briefly(const CheckedPlan *checked, int node);

#endif							/* SECMED_COMPUTE_DESCRIBE_H */
