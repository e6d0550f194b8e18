/*
 * allowed.h
 *	  Which expressions may run at a site.
 *
 * Allowed: immutable functions and operators that PostgreSQL itself brings,
 * over columns, constants and parameters.  Asked at the coordinator, so that
 * the analyst gets an early and clear answer, and again at every site, which
 * trusts no coordinator.
 */
#ifndef SECMED_ALLOWED_H
#define SECMED_ALLOWED_H

#include "postgres.h"
#include "nodes/primnodes.h"

/*
 * NULL if the expression (or list) may run at a site; otherwise why not, as a
 * palloc'd clause: "function random() is volatile".  Aggregates are not
 * looked at by this function: give it their arguments.
 */
extern char *expression_refusal(Node *expr);

/*
 * Types whose values are names of a database's objects or roles, and
 * pseudo-types: none of them is data.
 */
extern bool type_names_objects(Oid type);

#endif							/* SECMED_ALLOWED_H */
