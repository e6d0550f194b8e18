/*
 * audited.h
 *	  Which relations leave entries when somebody looks at them.
 *
 *	- what is published: the relation itself, tables behind it if it is a view,
 *	  all their partitions and children, their TOAST tables;
 *	- everything in the schemas secmed and secmed_published;
 *	- shares, in the schema secmed_shared, as what is published: no exceptions hold;
 *	- pg_statistic and pg_statistic_ext_data, which hold values of columns.
 *
 * Nothing is audited in a database that is not a node: that has no row in
 * secmed.node, or not the key file that belongs to it (a copy, a dump that is
 * being restored), or whose extension this transaction has made.
 *
 * The answers are cached for the session, one hash lookup for each relation of
 * a statement, and forgotten when relcache or syscache tell of a change.
 */
#ifndef SECMED_AUDITED_H
#define SECMED_AUDITED_H

#include "base/base.h"

typedef struct Audited
{
	Oid			relid;			/* the key */
	Oid			root;			/* published, or relid itself; InvalidOid: not audited */
	bool		own;			/* one of the extension's own */
	char	   *name;			/* with its schema, quoted where needed */
} Audited;

/*
 * Can anything be audited in this session?  Cheap.  False where there is no
 * node, within what secmed does itself (node.h, NODE_OWN_WORK), in its workers.
 */
extern bool audited_here(void);

/* And is it this node's own ledger, committed?  To be asked when something was found. */
extern bool audited_for_real(void);

/* NULL: the relation is not audited.  Valid until the next call. */
extern const Audited *audited_find(Oid relid);

/* True for the schemas secmed and secmed_published. */
extern bool audited_schema(Oid namespace);

/* Is something published in this schema, or is it that of shares? */
extern bool audited_in_schema(Oid namespace);

/* The ledger's table, as it was when last looked for; and is it still there? */
extern Oid	audited_ledger(void);
extern bool audited_ledger_is_there(void);

/* Somebody has written to this relation: if it says what is audited, look again. */
extern void audited_written(Oid relid);

#endif							/* SECMED_AUDITED_H */
