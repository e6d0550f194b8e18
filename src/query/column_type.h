/*
 * column_type.h
 *	  What values of an expression over published tables are shared as.
 */
#ifndef SECMED_COLUMN_TYPE_H
#define SECMED_COLUMN_TYPE_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "share/secret.h"

/* False with a hint (may be NULL) if they can't be.  optional: tables whose rows may be left out. */
extern bool site_column_type(PlannerInfo *root, Bitmapset *optional, Node *expr, SecretType *type, char **hint);

#endif							/* SECMED_COLUMN_TYPE_H */
