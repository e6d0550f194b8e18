/*
 * value.h
 *	  Between PostgreSQL's values and public values of secret types: constants
 *	  and parameters of a plan, and what an answer opens.
 */
#ifndef SECMED_VALUE_H
#define SECMED_VALUE_H

#include "postgres.h"
#include "oblivious/plan.h"

/*
 * The smallest type that holds this value, and the value.  false with a reason
 * (constant string) if there is none.
 */
extern bool value_from_datum(PublicValue *value, SecretType *type, Datum datum, bool isnull,
							 Oid datum_type, const char **reason);

/* As the text of a request's parameter, NULL for NULL; and back, for a parameter of this type. */
extern char *value_to_text(const PublicValue *value, const SecretType *type);
extern bool value_from_text(PublicValue *value, const SecretType *type, const char *text);

/* An opened value as a value of a PostgreSQL type that its kind can be. */
extern Datum value_to_datum(const PublicValue *value, const SecretType *type, Oid datum_type);

#endif							/* SECMED_VALUE_H */
