/*
 * fdw.h
 *	  The foreign data wrapper: which kind of question a statement is.
 */
#ifndef SECMED_FDW_H
#define SECMED_FDW_H

/* _PG_init: the hook for questions over shared tables. */
extern void fdw_init(void);

#endif							/* SECMED_FDW_H */
