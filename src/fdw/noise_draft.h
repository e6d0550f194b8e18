/*
 * noise_draft.h
 *	  The noise of a contract that is drafted: bounds of every value that its plan adds up, from bounds of columns.
 */
#ifndef SECMED_NOISE_DRAFT_H
#define SECMED_NOISE_DRAFT_H

#include "postgres.h"
#include "contract/noise.h"
#include "utils/jsonb.h"

/*
 * {"rho": 0.1, "rows_max": 3, "thresholds": true, "bounds": {"age": [0, 120], "weight": [0, 250, 1]}}: of
 * each column the least and the largest value that counts, and decimal places, 0 if they are not said.  An error, with
 * the column or the part of the expression, if a value of the plan has no bounds.
 */
extern Noise *noise_draft(JsonbContainer *json, const CanonicalPlan *plan);

#endif							/* SECMED_NOISE_DRAFT_H */
