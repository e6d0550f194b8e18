/*
 * component.h
 *	  Standard aggregates taken apart: what each site adds up (components),
 *	  and how the opened totals become PostgreSQL's own result (finals).
 *
 * An average is a sum and a count, a variance a count and two sums; equal
 * components of several aggregates are computed and opened once.  Finals use
 * PostgreSQL's final functions on the totals, so that the answer has the
 * digits PostgreSQL would give on the pooled rows.
 */
#ifndef SECMED_COMPONENT_H
#define SECMED_COMPONENT_H

#include "postgres.h"
#include "contract/plan.h"
#include "nodes/primnodes.h"
#include "query/deparse.h"
#include "query/support.h"
#include "stats/linear.h"

/* What is made of the totals; see finals.c. */
typedef enum FinalKind
{
	FINAL_KEY = 1,				/* not an aggregate: the group's key */
	FINAL_COUNT,				/* count */
	FINAL_SUM,					/* integer or numeric sum, to the result's type */
	FINAL_AVG,					/* count, sum -> numeric */
	FINAL_VARIANCE,				/* count, sum, sum of squares -> numeric, by `function` */
	FINAL_SUM_FLOAT,			/* sum -> double precision or real */
	FINAL_AVG_FLOAT,			/* count, sum -> double precision */
	FINAL_MOMENTS,				/* count, sum, sum of squares, by `function` */
	FINAL_COMOMENTS,			/* count and sums of two columns, by `function` */
	FINAL_SUM_INTERVAL,
	FINAL_AVG_INTERVAL,			/* count, sum */
	FINAL_BOOL,
	FINAL_VALUE,				/* the opened value itself (over shared tables) */
	FINAL_PERCENTILE,			/* likewise, divided by components[1] */
	FINAL_LINEAR,				/* secmed's own: a total for each term of `linear` */
	FINAL_VECTOR,				/* marks and sums, as double precision[] */
	FINAL_ESTIMATE,				/* what a program of the parties opens, as double precision[] */
	FINAL_QUANTILE				/* percentile_disc, percentile_cont: of components[0], from `asked` on */
} FinalKind;

/* Which of the sums a FINAL_COMOMENTS has, in this order; -1 if not needed. */
typedef enum Comoment
{
	CO_N, CO_X, CO_XX, CO_Y, CO_YY, CO_XY,
	CO_COUNT
} Comoment;

#define FINAL_COMPONENTS_MAX	Max(CO_COUNT, LINEAR_TERMS_MAX)

typedef struct Final
{
	FinalKind	kind;
	Oid			type;			/* of the result */
	Oid			function;		/* PostgreSQL's final function, or InvalidOid */
	int			components[FINAL_COMPONENTS_MAX];	/* indexes; -1 unused; for FINAL_KEY [0] is the key */
	int			linear;			/* FINAL_LINEAR: which of linear_all() */
	double		options[LINEAR_OPTIONS_MAX];
	int			asked;			/* FINAL_QUANTILE: which of its component's */
	int			nasked;			/* and how many, as an array; 0: one, by itself */
} Final;

/* A component that does not add: the least or greatest value of a group. */
typedef enum Extreme
{
	EXTREME_NONE,
	EXTREME_LEAST,
	EXTREME_GREATEST
} Extreme;

typedef struct Component
{
	ComponentKind kind;
	int			width;			/* sums of a vector, or elements of quantiles; 0 of all else */
	QuantileSpec *quantiles;	/* what is asked of quantiles; NULL of all else */
	int			part;			/* of the answer: whose values it is made of */
	char	   *sql;			/* one aggregate call */
	char	   *what;			/* what opening it reveals, for EXPLAIN: "count(*)" */
	Extreme		extreme;		/* not a sum: merged from groups only; its kind says who contributes */
	Node	   *arg;			/* of the query's aggregate: the first argument, or NULL */
} Component;

typedef struct ComponentSet
{
	Deparser   *deparser;
	List	   *components;		/* of Component */
	List	   *supports;		/* of Support: one for each part; the first is all rows */
	Estimate	estimate;		/* program 0: none */
	NeverNull	never_null;
	bool		merged;			/* the sites' groups are merged (oblivious/source.h): minima and maxima, too */
	bool		(*is_patient) (Node *expr, void *arg);	/* the published patient column? */

	/* What numbers values of it are shared as; false with a hint (may be NULL) if they can't be. */
	bool		(*number_type) (Node *expr, SecretType *type, char **hint, void *arg);
	void	   *arg;
} ComponentSet;

/* The index of this component, which is added if the set lacks it. */
extern int	component_add(ComponentSet *set, Support *support, ComponentKind kind, char *sql, char *what);

/* An empty result of this type, for those who fill it. */
extern void final_init(Final *final, Oid type);

/*
 * Takes an aggregate apart, adding to the set what it lacks.  False with a
 * reason and a hint (may be NULL) if the aggregate is not available over
 * several sites.
 */
extern bool aggregate_decompose(ComponentSet *set, Aggref *agg, Final *final,
								char **reason, char **hint);

/* A variance's final functions, for exact and for floating point input; NULL if this is no variance. */
typedef struct VarianceFinal
{
	const char *name;
	Oid			exact;
	Oid			floating;
} VarianceFinal;

extern const VarianceFinal *variance_find(const char *name);

/* f(Y, X): final function and the sums it reads; NULL if this is none. */
typedef struct ComomentFinal
{
	const char *name;
	Oid			function;
	const char *sums;			/* of n x X y Y p: count, sum, squares, products */
} ComomentFinal;

extern const ComomentFinal *comoment_find(const char *name);

/* For plans, which are made of nodes. */
extern List *final_to_list(const Final *final);
extern Final final_from_list(List *list);

#endif							/* SECMED_COMPONENT_H */
