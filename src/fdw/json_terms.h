/*
 * json_terms.h
 *	  Arguments of SQL functions that are JSON, taken strictly: an unknown key
 *	  or a value of another type is an error that names the argument.
 */
#ifndef SECMED_JSON_TERMS_H
#define SECMED_JSON_TERMS_H

#include "postgres.h"
#include "utils/jsonb.h"

/* An object: its keys must be among these (NULL at the end; NULL: any key). */
extern JsonbContainer *json_keys(const char *what, JsonbContainer *json, const char *const *keys);

/* A list: palloc'd elements. */
extern int	json_list(const char *what, JsonbContainer *json, JsonbValue **elements);
extern JsonbContainer *json_container(const char *what, const JsonbValue *value);

/* Keys of an object, and their values, in JSON's order; returns how many. */
extern int	json_pairs(const char *what, JsonbContainer *json, char ***keys, JsonbValue **values);

/* The value of a key; NULL if it is missing. */
extern JsonbValue *json_get(JsonbContainer *json, const char *key);

/* A string, number or truth value as text; NULL for null or no value. */
extern char *json_text(const char *what, const JsonbValue *value);
extern uint64 json_number(const char *what, const JsonbValue *value, uint64 missing);
extern bool json_truth(const char *what, const JsonbValue *value, bool missing);

#endif							/* SECMED_JSON_TERMS_H */
