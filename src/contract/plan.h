/*
 * plan.h
 *	  The canonical plan: what a query asks of every site, as one sequence of
 *	  bytes with one hash.  It is what is signed, decided on, run and logged.
 *
 *	  [1, sql, tables, parameter types, keys, components, estimate]
 *
 *	  sql         one SELECT over views of secmed_published, target list:
 *	              the keys in order, then one aggregate for each component
 *	  tables      sorted by name: [name, [[column, type], ...]], the columns that
 *	              the query reads, sorted, as the coordinator knows them
 *	  keys        for each GROUP BY key [type, [value or null, ...]]: its public
 *	              domain, as text, in the type's order, null last
 *	  components  for each aggregate of the target list [ComponentKind, part], and
 *	              for a vector the number of its sums, for quantiles what is asked
 *	              (quantile.h) behind them
 *	  estimate    only there if the parties run a program on the sums, in whose place
 *	              what it comes to is opened (contract/estimate.h); there is one component then
 *
 * A cell has parts: part 0 is all of its patients, each further part those who
 * contribute to some of its aggregates (query/support.h).  Each part has a
 * patient count of its own, and is opened only if that reaches the threshold.
 *
 * The cells of the answer are the cross product of the keys' domains, the
 * last key running fastest; without keys there is one cell.  Parameter values
 * are not in the plan but in the request (request.h), so that one vetted
 * plan may be run with many.
 */
#ifndef SECMED_PLAN_H
#define SECMED_PLAN_H

#include "base/base.h"
#include "base/cbor.h"
#include "contract/estimate.h"
#include "contract/quantile.h"
#include "crypto/hash.h"

/*
 * What a site computes for a component and how it becomes ring elements that
 * add.  Every sum begins with a mark (share/wide.h): there was a value that is
 * not NULL.
 */
typedef enum ComponentKind
{
	COMPONENT_COUNT = 1,		/* bigint -> the number */
	COMPONENT_SUM_INTEGER = 2,	/* bigint or integral numeric -> mark, number */
	COMPONENT_SUM_NUMERIC = 3,	/* numeric -> mark, limbs, scale marks, special marks */
	COMPONENT_SUM_NUMERIC_PRODUCT = 4,	/* numeric -> mark, limbs */
	COMPONENT_SUM_FLOAT = 5,	/* secmed.exact_sum(x) -> mark, limbs, special marks */
	COMPONENT_SUM_FLOAT_PRODUCT = 6,	/* secmed.exact_sum(x, y) -> mark, limbs */
	COMPONENT_SUM_INTERVAL = 7, /* interval -> mark, months, days, microseconds */
	COMPONENT_BOOL_OR = 8,		/* boolean -> mark, mark of true */
	COMPONENT_BOOL_AND = 9,		/* boolean -> mark, mark of false */
	COMPONENT_SUM_FLOAT_PRODUCT_3 = 10, /* secmed.exact_sum(x, y, z) -> mark, limbs */
	COMPONENT_SUM_FLOAT_PRODUCT_4 = 11, /* secmed.exact_sum(x, y, z, u) -> mark, limbs */
	COMPONENT_SUM_FLOAT_VECTOR = 12,	/* secmed.exact_glm_sums(...) -> mark, vector's marks, limbs of each sum */
	COMPONENT_EVENT_COUNTS = 13,	/* secmed.event_counts(...) -> counts; of an estimate only */
	COMPONENT_QUANTILES = 14	/* secmed.all_values(x, scale) -> mark, what quantile.h says */
} ComponentKind;

#define COMPONENT_KIND_MAX		COMPONENT_QUANTILES

/* A numeric sum is a 512-bit integer of units of 10^-32; of products, 10^-64. */
#define NUMERIC_LIMBS			8
#define NUMERIC_SCALE			32
#define NUMERIC_PRODUCT_SCALE	64
/* NaN, Infinity, -Infinity */
#define SPECIAL_MARKS			3

/*
 * Ring elements of a component of this kind; 0 if there is no such kind.  Width
 * is the number of sums of a vector, or of elements behind the mark of quantiles, and 0 of all other kinds.
 */
extern int	component_elements(ComponentKind kind, int width);

typedef struct PlanKey
{
	char	   *type;			/* as format_type() prints it */
	int			nvalues;
	char	  **values;			/* text; NULL is the SQL NULL */
} PlanKey;

typedef struct PlanColumn
{
	char	   *name;
	char	   *type;			/* as format_type() prints it, without typmod */
} PlanColumn;

typedef struct PlanTable
{
	char	   *name;
	int			ncolumns;
	PlanColumn *columns;
} PlanTable;

typedef struct CanonicalPlan
{
	char	   *sql;
	int			ntables;
	PlanTable  *tables;
	int			nparams;
	char	  **param_types;
	int			nkeys;
	PlanKey    *keys;
	int			ncomponents;
	ComponentKind *components;
	int		   *parts;			/* the part of each component */
	int			nparts;			/* at least 1 */
	int		   *widths;			/* of each that is a vector or quantiles, 0 of the others; NULL if none is */
	Estimate	estimate;		/* its program is 0 if there is none */
	QuantileSpec **quantiles;	/* of each that is quantiles, else NULL; NULL if none is */
} CanonicalPlan;

/*
 * Where things are in a cell: of each part its patient count (after release:
 * its flag) and then its components; part 0 ends with a mark that some site
 * has a row of the cell.
 */
typedef struct PlanLayout
{
	size_t		stride;			/* elements of a cell */
	size_t	   *part_start;		/* of each part's count */
	size_t	   *part_width;		/* elements of each part, after its count */
	size_t	   *component;		/* where each component begins */
	size_t		exists;			/* the mark */
} PlanLayout;

extern PlanLayout plan_layout(const CanonicalPlan *plan);

/* The same of what is opened: another one if there is an estimate, whose outputs begin at `component`. */
extern PlanLayout plan_opened_layout(const CanonicalPlan *plan);

extern void plan_encode(StringInfo out, const CanonicalPlan *plan);

/* Strict and bounded; false with a reason (constant string). */
extern bool plan_decode(CanonicalPlan *plan, const void *bytes, size_t len, const char **reason);
extern void plan_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len);

/* Sums of a component that is a vector, elements behind the mark of quantiles; 0 of another. */
extern int	plan_width(const CanonicalPlan *plan, int component);

/* The same of what is opened: outputs in the place of counts that an estimate is made of. */
extern int	plan_opened_width(const CanonicalPlan *plan, int component);

/* What is asked of a component, or NULL. */
extern const QuantileSpec *plan_quantiles(const CanonicalPlan *plan, int component);

/* Quantiles of all components, in all groups. */
extern size_t plan_quantile_goals(const CanonicalPlan *plan);

/* What a site sends to a party behind its vector: the values that quantiles are of. */
extern size_t plan_quantile_bytes(const CanonicalPlan *plan, int party);

/* The number of cells, or 0 if it is more than CELLS_MAX. */
extern size_t plan_cells(const CanonicalPlan *plan);

/* The number of values of each key. */
extern size_t *plan_key_sizes(const CanonicalPlan *plan);

/* Ring elements of one cell, patient counts included. */
extern size_t plan_stride(const CanonicalPlan *plan);

/* Elements of the whole vector, cells * stride; 0 if more than ELEMENTS_MAX. */
extern size_t plan_elements(const CanonicalPlan *plan);

/* Elements of what is opened; 0 if more than ELEMENTS_MAX. */
extern size_t plan_opened_elements(const CanonicalPlan *plan);

/* The table of this name, or NULL. */
extern PlanTable *plan_table(const CanonicalPlan *plan, const char *name);

/* "trial, visit": the tables, for ledgers and messages; at most max bytes. */
extern char *plan_tables_text(const CanonicalPlan *plan, int max);

/* Parts of plans: tables with their columns, and lists of texts, which may be NULL if `nulls`. */
extern void plan_tables_encode(StringInfo out, const PlanTable *tables, int n);
extern PlanTable *plan_tables_read(CborReader *in, int *n);
extern void plan_texts_encode(StringInfo out, char **texts, int n);
extern char **plan_texts_read(CborReader *in, int max, bool nulls, size_t text_max, int *n);

/*
 * What opening one group reveals, in words without any of the query's text:
 * "2 x count, 1 x integer sum".  For ledgers, where constants of a query must not be.
 */
extern void plan_describe(StringInfo out, const CanonicalPlan *plan);

#endif							/* SECMED_PLAN_H */
