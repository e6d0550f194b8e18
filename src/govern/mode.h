/*
 * mode.h
 *	  In which mode this node is: who may ask what without a contract.
 *
 *	  secmed.site_mode	  one row for the node, table_name '', and one for each table
 *						  that has a mode of its own; who: "node:role", "node:*"
 *						  or "node:fingerprint", an identity in whose name that node asks;
 *						  NULL: whoever a known node lets ask
 *
 * A node without a row is in MODE_DEFAULT.
 */
#ifndef SECMED_GOVERN_MODE_H
#define SECMED_GOVERN_MODE_H

#include "postgres.h"
#include "contract/policy.h"
#include "nodes/pg_list.h"

#define MODE_DEFAULT	MODE_CONTRACTS

/*
 * The modes that a question about these tables (names) must meet, palloc'd; the
 * node's, which is first, stands for all tables without one of their own, and a closed node is closed.
 * Returns how many.
 */
extern int	modes_of_question(ModeFact **modes, const Request *request, const List *tables);

#endif							/* SECMED_GOVERN_MODE_H */
