/*
 * domain.h
 *	  Public domains: the values by which an answer may be grouped.
 *
 * Groups are cells of a vector, so their number must be known before any row
 * is looked at, and must not depend on the rows.  A domain is a list of
 * values as text, in the order of the type, NULL last.
 *
 * Coordinator and site work a domain out independently, by this code, from
 * the published domains of the columns, and the site refuses when the two
 * differ.
 */
#ifndef SECMED_DOMAIN_H
#define SECMED_DOMAIN_H

#include "postgres.h"
#include "nodes/primnodes.h"
#include "utils/jsonb.h"

typedef struct Domain
{
	Oid			type;
	int			nvalues;
	char	  **values;			/* type's output text; NULL is the SQL NULL */
} Domain;

/* The domain of a column, or NULL if it is not public. */
typedef Domain *(*DomainOfColumn) (Var *var, void *arg);

/*
 * The domain of an expression, or NULL if it has none: a column's; of boolean
 * and enum types; of CASE and COALESCE from their results; and the image of an
 * expression whose columns all have domains.
 */
extern Domain *domain_of_expression(Node *expr, DomainOfColumn column, void *arg);

/*
 * All values of boolean and enum types, and NULL if nullable; NULL for other
 * types.
 */
extern Domain *domain_of_type(Oid type, bool nullable);

/*
 * From what publish() takes: [v, ..., null] or {"min": a, "max": b, "null":
 * true}.  Errors name the column.
 */
extern Domain *domain_from_json(JsonbValue *json, Oid type, int32 typmod, const char *column);
extern Domain *domain_from_json_text(const char *json, Oid type, int32 typmod, const char *column);

/* The same and NULL. */
extern Domain *domain_with_null(const Domain *domain);

/* As a JSON array of strings and null, for column options. */
extern char *domain_to_json(const Domain *domain);

extern bool domain_equal(const Domain *a, const Domain *b);

#endif							/* SECMED_DOMAIN_H */
