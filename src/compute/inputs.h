/*
 * inputs.h
 *	  The relations a plan begins with: shared tables.
 */
#ifndef SECMED_INPUTS_H
#define SECMED_INPUTS_H

#include "compute/relation.h"

/* Is it a foreign table of secmed whose rows are shared among the parties? */
extern bool is_shared_table(Oid relid);

/*
 * The SCAN of a shared table with those of its columns that the query reads
 * (list of Var) and the column of its patients.  *threshold is raised to the table's
 * smallest group.  NULL with the maker's refusal.
 */
extern Rel *input_scan(TermMaker *maker, Oid relid, Index varno, List *vars, uint64 *threshold);

#endif							/* SECMED_INPUTS_H */
