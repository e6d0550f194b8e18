/*
 * quantile.h
 *	  Which quantiles of a column a plan asks for: the last element of such a component (plan.h).
 *
 *	  [rows, type, tail, [[QuantileForm, numerator, denominator], ...]]
 *
 *	  rows        how many values each site shares, whatever it has: a public number
 *	  type        of the values (share/secret.h); those of double precision and real are the 64 bits of
 *	              the double, in the order of the numbers (quantile_of_double())
 *	  tail        a quantile is shown only if at least so many values are before it and after it; 0: always
 *
 * Each site sorts its values, by group and value, and shares them (share/packed.h) behind its vector of sums.  In the vector a
 * component is a mark and then the elements of each quantile; a site puts how many values it has
 * into the first of these, where the parties take it out before anything is opened.
 */
#ifndef SECMED_QUANTILE_H
#define SECMED_QUANTILE_H

#include "base/base.h"
#include "base/cbor.h"
#include "share/secret.h"

/*
 * Of N values in ascending order, with f = numerator / denominator.  Each is opened as a bit that it is shown, and
 *
 *	  DISC		  the value number ceil(f N), at least the first: percentile_disc
 *	  CONT		  denominator times the value between two neighbours at f (N - 1): percentile_cont
 *	  NEIGHBOURS  those neighbours, and the numerator of how far it is from the one to the other: the same where
 *				  what is between is left to floating point.  The second is opened as the first if it is not needed
 */
typedef enum QuantileForm
{
	QUANTILE_DISC = 1,
	QUANTILE_CONT = 2,
	QUANTILE_NEIGHBOURS = 3
} QuantileForm;

#define QUANTILE_FORM_MAX	QUANTILE_NEIGHBOURS

typedef struct QuantileAsked
{
	QuantileForm form;
	int			numerator;		/* 0 to denominator */
	int			denominator;	/* 1 to PERCENTILE_DENOMINATOR_MAX */
} QuantileAsked;

typedef struct QuantileSpec
{
	uint64		rows;			/* 1 to QUANTILE_ROWS_MAX */
	SecretType	type;			/* a number, not nullable */
	uint64		tail;			/* at most rows */
	int			nasked;			/* 1 to QUANTILES_MAX */
	QuantileAsked asked[QUANTILES_MAX];
} QuantileSpec;

extern void quantile_encode(StringInfo out, const QuantileSpec *spec);

/* The next element; what can't be a specification is an error of the reader. */
extern void quantile_read(CborReader *in, QuantileSpec *spec);

/* Ring elements of one quantile, and of all of them. */
extern int	quantile_form_elements(QuantileForm form);
extern int	quantile_elements(const QuantileSpec *spec);

/* Where the elements of one begin. */
extern int	quantile_at(const QuantileSpec *spec, int which);

/* Bits of the number of a group, if there are so many. */
extern int	quantile_group_bits(size_t groups);

/* Bytes that one site sends to a party for it. */
extern size_t quantile_package_bytes(const QuantileSpec *spec, size_t groups, int party);

/*
 * What was opened of one of them: is it shown, the number of a DISC, and what is between two
 * neighbours, or a DISC of floating point.
 */
extern bool quantile_is_shown(const QuantileSpec *spec, int which, const uint128 *elements);
extern int64 quantile_number(const QuantileSpec *spec, int which, const uint128 *elements);
extern double quantile_value(const QuantileSpec *spec, int which, const uint128 *elements);

/* The 64 bits of a double as a number that is ordered as it is, all NaN alike and last; and back. */
extern int64 quantile_of_double(double value);
extern double quantile_to_double(int64 number);

#endif							/* SECMED_QUANTILE_H */
