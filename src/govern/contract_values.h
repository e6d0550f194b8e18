/*
 * contract_values.h
 *	  Values of a contract's parameters: what their bounds allow.
 *
 * Values are text as PostgreSQL writes them under transmission_settings()
 * (peer/transmission.h); text orders by its bytes.
 */
#ifndef SECMED_CONTRACT_VALUES_H
#define SECMED_CONTRACT_VALUES_H

#include "postgres.h"
#include "contract/contract.h"

/* Of one of PostgreSQL's own types that can be compared, or of an array of it; an error otherwise. */
extern Oid	contract_type(const char *type);

/* A type's name as contracts have it. */
extern char *contract_type_name(Oid type);

/* The value as this type writes it, and of the element's type if it is one of an array. */
extern char *contract_value_normal(Oid type, const char *value);
extern Datum contract_value_datum(Oid type, const char *value);
extern char *contract_value_text(Oid type, Datum value);

/* Brings the bounds into normal form, sorts the values; an error if a bound is none, or min is above max. */
extern void contract_bounds_normalize(ContractParameter *param);

/* NULL, or why this value (NULL is the SQL NULL) is not allowed: "\"age\" is 12, and not from 18 to 80". */
extern char *contract_value_problem(const ContractParameter *param, const char *value);

/*
 * The value of a parameter of a plan over shared tables, which travels as a number (oblivious/expression.h),
 * in the contract's form.
 */
extern char *contract_value_of_shared(const ContractParameter *param, const char *value);

#endif							/* SECMED_CONTRACT_VALUES_H */
