/*
 * names.h
 *	  Names and lists of them as SQL values, and back.
 */
#ifndef SECMED_GOVERN_NAMES_H
#define SECMED_GOVERN_NAMES_H

#include "postgres.h"
#include "nodes/pg_list.h"

extern Datum name_datum(const char *name);	/* cut to what a name holds */
extern Datum name_array_datum(const List *names);
extern Datum text_array_datum(char *const *texts, int n);	/* NULL is NULL */
extern Datum text_list_datum(const List *texts);	/* of char * */

/* The current user, as who changes a rule. */
extern Datum user_datum(void);

#endif							/* SECMED_GOVERN_NAMES_H */
