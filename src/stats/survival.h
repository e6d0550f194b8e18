/*
 * survival.h
 *	  Times until an event, right-censored: the curve, its limits, what is
 *	  read off it, and the log-rank test.
 *
 * Kaplan and Meier, JASA 53, 1958; Greenwood, Reports on Public Health 33,
 * 1926; Nelson, Technometrics 14, 1972; Peto and Peto, JRSS A 135, 1972; Irwin,
 * Journal of Hygiene 47, 1949 (the restricted mean).  As R's survival 3.5:
 * survfit, survdiff, print(rmean = ).
 */
#ifndef SECMED_SURVIVAL_H
#define SECMED_SURVIVAL_H

#include "base/base.h"

/* How many have their event, or are last seen, at a time. */
typedef struct EventCount
{
	double		time;
	double		events;
	double		censored;
} EventCount;

/* The curve from this time on. */
typedef struct SurvivalPoint
{
	double		time;
	double		at_risk;		/* just before the time */
	double		events;			/* at the time; of asked times, since the one before */
	double		censored;
	double		survival;
	double		log_variance;	/* of log(survival), Greenwood's sum; infinite where survival is 0 */
	double		hazard;			/* cumulative: Nelson and Aalen */
	double		hazard_variance;
} SurvivalPoint;

/* A point for each of n counts, which are sorted by time. */
extern void survival_curve(SurvivalPoint *points, const EventCount *counts, int n);

/* The curve at asked times, sorted, also before its first and after its last point. */
extern void survival_at(SurvivalPoint *asked, int nasked, const SurvivalPoint *points, int n);

/* On which scale limits are symmetric. */
typedef enum SurvivalLimits
{
	LIMITS_PLAIN = 1,
	LIMITS_LOG,
	LIMITS_LOG_LOG
} SurvivalLimits;

/* "plain", "log", "log-log"; 0 if it is none. */
extern SurvivalLimits survival_limits_of_name(const char *name);

/* NaN where R says NA.  z is the normal quantile of the level. */
extern void survival_limits(const SurvivalPoint *point, SurvivalLimits kind, double z, double *lower, double *upper);

/* The standard error of the survival itself; NaN where survival is 0. */
extern double survival_error(const SurvivalPoint *point);

/* The first time at which a curve is at most 1/2, between two where it stays there; NaN if there is none. */
typedef struct SurvivalMedian
{
	double		median;
	double		lower;
	double		upper;
} SurvivalMedian;

extern SurvivalMedian survival_median(const SurvivalPoint *points, int n, SurvivalLimits kind, double z);

/* The area under the curve from 0 until a time, and its standard error. */
extern double survival_mean(const SurvivalPoint *points, int n, double until, double *error);

/*
 * The log-rank test, stratified: expected[] and covariance[] (arms x arms) are summed over strata.
 */
typedef struct LogRank
{
	int			arms;
	double	   *rows;
	double	   *observed;
	double	   *expected;
	double	   *covariance;
	double		statistic;		/* chi-square */
	double		df;
	double		p;
} LogRank;

extern void logrank_init(LogRank *test, int arms);

/* A time at which events[] of at_risk[] of each arm of one stratum have their event. */
extern void logrank_add(LogRank *test, const double *at_risk, const double *events);

/* When all is added: statistic, df, p. */
extern void logrank_finish(LogRank *test);

#endif							/* SECMED_SURVIVAL_H */
