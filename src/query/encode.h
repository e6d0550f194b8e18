/*
 * encode.h
 *	  Between PostgreSQL's values and ring elements that add over sites.
 *
 * What each ComponentKind looks like as elements is in contract/plan.h.
 */
#ifndef SECMED_ENCODE_H
#define SECMED_ENCODE_H

#include "postgres.h"
#include "contract/noise.h"
#include "share/fixed.h"
#include "utils/timestamp.h"

/*
 * A site's value of a component, other than quantiles (query/site_values.h), into its elements.  NULL is encoded as
 * zeros.  ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE (without the value) if it does
 * not fit.
 */
extern void component_encode(ComponentKind kind, int width, Datum value, bool isnull, Oid type, uint128 *elements);

/*
 * A whole number of units (contract/noise.h), of which only the element noise_number() is used.  NULL is
 * zero; the others are zero.
 */
extern void component_encode_bounded(ComponentKind kind, Datum value, bool isnull, Oid type, uint128 *elements);

/* The type a site's aggregate of this kind may have. */
extern bool component_accepts(ComponentKind kind, Oid type);

/* A total, after opening. */
typedef struct ComponentTotal
{
	bool		present;		/* some site had a value that is not NULL */
	bool		truth;			/* BOOL_OR, BOOL_AND */
	int64		count;			/* COUNT */
	Datum		numeric;		/* SUM_INTEGER, SUM_NUMERIC, SUM_NUMERIC_PRODUCT */
	uint64		limbs[FIXED_LIMBS_MAX + 1]; /* SUM_FLOAT, SUM_FLOAT_PRODUCT and those of more factors */
	bool		nan;			/* of SUM_NUMERIC and SUM_FLOAT: sum is NaN, Infinity ... */
	bool		pinf;
	bool		ninf;
	Interval	interval;		/* SUM_INTERVAL */
	double	   *sums;			/* SUM_FLOAT_VECTOR: `width` of them; EVENT_COUNTS: what is opened in their place */
	int			width;
	uint32		marks;			/* of SUM_FLOAT_VECTOR */
	const uint128 *quantiles;	/* QUANTILES: the elements behind the mark, and what they are of */
	const QuantileSpec *asked;
} ComponentTotal;

/*
 * The second, of what component_encode_bounded() made, and noise: in units of 10^-scale.
 *
 * ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE if the total does not fit its type;
 * ERRCODE_SECMED_SHARES_DIFFER if elements are not what sites encode.  width: of
 * EVENT_COUNTS the number of outputs of the plan's estimate.
 */
extern void component_decode(ComponentKind kind, int width, const uint128 *elements, ComponentTotal *total);
extern void component_decode_noisy(ComponentKind kind, int scale, const uint128 *elements, ComponentTotal *total);

#endif							/* SECMED_ENCODE_H */
