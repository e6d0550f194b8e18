/*
 * plan.h
 *	  The oblivious plan: a query over shares as an algebra of relations,
 *	  as one sequence of bytes with one hash.  It is what is signed, decided on, run and logged.
 *
 * A relation has a public number of rows, columns of a SecretType each, and
 * one secret bit a row: whether the row is there.  Operators see no value and
 * no number of rows that are there; they work on all rows alike.
 *
 *	  [1, inputs, parameters, nodes]
 *
 *	  inputs      [name, InputKind, rows, patient, [[column, type, unique], ...]], and for
 *	              rows that sites share one element more (source.h)
 *	  parameters  [type, ...]; their values are in the request
 *	  nodes       in postorder: each takes its children from the end of what is
 *	              not taken yet, and the last takes everything:
 *
 *	  SCAN        [1, input]
 *	  FILTER      [2, condition]
 *	  PROJECT     [3, [expression, ...]]
 *	  UNION       [4, children]
 *	  JOIN        [5, JoinForm, [[left column, right column], ...], rows]
 *	  GROUP       [6, [key column, ...], [aggregate, ...], [patient column, ...],
 *	              smallest number of patients, whether none at all may show, rows]
 *	  SORT        [7, [[column, descending, nulls first], ...]]
 *	  LIMIT       [8, offset, count]
 *	  RELEASE     [9, [column, ...], rows, ordered]
 *	  STORE       [10, [column, ...]]
 *	  MERGE       [11, smallest number of patients, rows]
 *
 *	  aggregate   [PlanAggregateKind, [argument, ...], filter or null, part,
 *	              [numerator, denominator] or null]
 *
 * Expressions are computed for every row that is there, whatever a CASE, a FILTER or an AND around them
 * says; that matters for casts that may fail.
 *
 * Columns, parts, inputs, parameters are numbered from 0.  The last node is RELEASE or STORE,
 * and no other is.  What the bytes mean is checked by plan_check() (check.h), not by the decoder.
 *
 * Who is protected.  Each input says what tells its patients apart.  A GROUP
 * lists patient columns; a group is there only if each of them has, in the
 * group's rows, at least the smallest number of different values (NULL is none).  An aggregate
 * that not every row contributes to (it has a FILTER, or an argument may be NULL)
 * is in a part of its own, with patients of its own: where these are too few,
 * it becomes NULL.  So what leaves a GROUP may be opened, compared, sorted by or grouped again.  Rows that have not
 * passed a GROUP may be released only where one patient is enough; plan_check() says
 * for each input how many patients are behind what the plan opens.
 */
#ifndef SECMED_OBLIVIOUS_PLAN_H
#define SECMED_OBLIVIOUS_PLAN_H

#include "base/base.h"
#include "crypto/hash.h"
#include "oblivious/expression.h"
#include "oblivious/source.h"
#include "share/secret.h"

/* Where an input's rows come from; the executor does not care, the server does. */
typedef enum InputKind
{
	INPUT_SHARED_TABLE = 1,		/* shares at rest at the parties */
	INPUT_SITES = 2,			/* rows that sites share for this run */
	INPUT_NUMBERS = 3			/* 0, 1, 2, ... in one column: everybody knows them, to measure what plans cost */
} InputKind;

#define INPUT_KIND_MAX			INPUT_NUMBERS

typedef struct InputColumn
{
	char	   *name;
	SecretType	type;
	bool		unique;			/* no value twice among rows that are there; NULLs aside */
} InputColumn;

/* Instead of a column that tells patients apart: */
#define PATIENT_EACH_ROW		(-1)	/* every row is one; SCAN adds a column, the row's number */
#define PATIENT_NONE			(-2)	/* nobody's data, like a list of codes */
#define PATIENT_COUNTED			(-3)	/* rows are groups; the last columns count the patients of each part (source.h) */

typedef struct PlanInput
{
	char	   *name;
	InputKind	kind;
	uint64		rows;			/* at most so many come, or the run fails */
	int			patient;		/* column, or as above */
	int			ncolumns;
	InputColumn *columns;
	InputSource *source;		/* of INPUT_SITES, else NULL */
} PlanInput;

typedef enum PlanNodeKind
{
	/*
	 * All columns of the input, then, with PATIENT_EACH_ROW, one more: the row's
	 * number, an integer of PLAN_ROW_BITS.
	 */
	PLAN_SCAN = 1,
	/* The rows for which the condition is true. */
	PLAN_FILTER = 2,
	PLAN_PROJECT = 3,
	/* UNION ALL of two or more, column by column of one kind and scale. */
	PLAN_UNION = 4,
	/* Left columns, then, unless semi or anti, right columns. */
	PLAN_JOIN = 5,
	/*
	 * One row for each group; without keys one row, whatever there is.  Keys that are NULL
	 * are equal.  Columns: keys, aggregates, and if patients are counted for
	 * each part from 1 on a boolean: its aggregates are shown.  Without
	 * aggregates it is DISTINCT.
	 */
	PLAN_GROUP = 6,
	/* Stable. */
	PLAN_SORT = 7,
	/* Of the rows that are there, in their order. */
	PLAN_LIMIT = 8,
	/* Root: opens these columns of the rows that are there to the requester. */
	PLAN_RELEASE = 9,
	/*
	 * Root: new shares of these columns, and of the bit whether the row is there, in the
	 * order of the one input below; FILTER and PROJECT only may be between.
	 */
	PLAN_STORE = 10,
	/*
	 * Of a SCAN of groups that sites made (PATIENT_COUNTED): one row for each group that some site has, its
	 * columns merged as the input's source says.  Columns: keys, aggregates, and if more than one patient is
	 * wanted, for each part from 1 on a boolean: its aggregates are shown.  Patients of several sites are
	 * different ones.
	 */
	PLAN_MERGE = 11
} PlanNodeKind;

#define PLAN_NODE_KIND_MAX		PLAN_MERGE

typedef enum JoinForm
{
	JOIN_FORM_INNER = 1,
	JOIN_FORM_LEFT = 2,
	JOIN_FORM_SEMI = 3,			/* rows of the left with a match */
	JOIN_FORM_ANTI = 4			/* rows of the left without one */
} JoinForm;

#define JOIN_FORM_MAX			JOIN_FORM_ANTI

typedef enum PlanAggregateKind
{
	PLAN_AGGREGATE_COUNT_ROWS = 1,	/* count(*); no argument */
	PLAN_AGGREGATE_COUNT = 2,		/* of an expression of any type */
	PLAN_AGGREGATE_COUNT_DISTINCT = 3,
	PLAN_AGGREGATE_SUM = 4,			/* numbers; of the same scale, in up to 128 bits */
	PLAN_AGGREGATE_SUM_PRODUCT = 5,	/* two numbers of one kind and scale, which doubles */
	PLAN_AGGREGATE_MIN = 6,			/* any type */
	PLAN_AGGREGATE_MAX = 7,
	PLAN_AGGREGATE_BOOL_AND = 8,
	PLAN_AGGREGATE_BOOL_OR = 9,
	PLAN_AGGREGATE_ANY = 10,			/* of what is the same in all rows of the group that contribute */

	/*
	 * Of numbers: percentile_disc(f), f = numerator / denominator; and percentile_cont(f) times
	 * the denominator.
	 */
	PLAN_AGGREGATE_PERCENTILE_DISC = 11,
	PLAN_AGGREGATE_PERCENTILE_CONT = 12
} PlanAggregateKind;

#define PLAN_AGGREGATE_KIND_MAX		PLAN_AGGREGATE_PERCENTILE_CONT

typedef struct PlanAggregate
{
	PlanAggregateKind kind;
	int			nargs;
	Expression *args[2];
	Expression *filter;			/* of FILTER (WHERE ...), or NULL */

	/*
	 * 0: every row of the group contributes.  Others are numbered in the order in which
	 * aggregates first use them; aggregates of one part have equal
	 * filters and, as far as they may be NULL, equal arguments.  All 0 if no patients are counted.
	 */
	int			part;
	int			numerator;		/* of percentiles: 0 <= numerator <= denominator */
	int			denominator;	/* 1 to PERCENTILE_DENOMINATOR_MAX */
} PlanAggregate;

typedef struct OrderKey
{
	int			column;
	bool		descending;
	bool		nulls_first;
} OrderKey;

/* What a node holds beyond `kind` and its children is below; the rest is 0. */
typedef struct PlanNode
{
	PlanNodeKind kind;
	int			nchildren;
	int		   *children;		/* nodes before this one */

	int			input;			/* SCAN */
	Expression *condition;		/* FILTER */
	int			nexpressions;	/* PROJECT */
	Expression **expressions;

	/*
	 * JOIN.  Keys that are NULL match nothing.  rows: at most so many rows in the result, or the
	 * run fails; 0: no two rows of the right that are there have the same keys, so there are no more
	 * than on the left.  0 for semi and anti joins, where rows of the right may repeat, and for left joins.
	 */
	JoinForm	form;
	int			nkeys;			/* JOIN, GROUP */
	int		   *keys;			/* columns of the child, or of the left one */
	int		   *right_keys;

	/* GROUP.  rows: at most so many groups, or the run fails; 0: as many as the child has rows. */
	int			naggregates;
	PlanAggregate  *aggregates;
	int			npatients;
	int		   *patients;		/* columns of the child */
	uint64		patients_min;	/* at least 1; 0 if there are no patient columns; of a MERGE too */
	bool		show_zero;		/* parts without any patient are shown */

	int			norder;			/* SORT */
	OrderKey   *order;
	uint64		offset;			/* LIMIT */
	uint64		count;

	/*
	 * RELEASE, STORE.  rows of a RELEASE: the answer has that many, padded, or the
	 * run fails; 0: as many as the child.  Unless ordered, the order of what is
	 * opened is random, and tells nothing.
	 */
	int			ncolumns;
	int		   *columns;
	bool		ordered;

	uint64		rows;			/* JOIN, GROUP, MERGE, RELEASE */
} PlanNode;

typedef struct ObliviousPlan
{
	int			ninputs;
	PlanInput  *inputs;
	int			nparams;
	SecretType *params;
	int			nnodes;
	PlanNode   *nodes;			/* in postorder, the last is the root */
} ObliviousPlan;

/* Of the column that tells rows apart, and of counts: rows are numbered in 32 bits. */
#define PLAN_ROW_BITS			33

/*
 * To build with: an empty plan; a node after its children, in postorder, palloc'd into
 * the plan (the node is copied; pointers in it belong to the plan from then on).  Returns its number.
 */
extern ObliviousPlan *oblivious_plan_create(void);
extern int	oblivious_plan_add_input(ObliviousPlan *plan, const PlanInput *input);
extern int	oblivious_plan_add_parameter(ObliviousPlan *plan, SecretType type);
extern int	oblivious_plan_add_node(ObliviousPlan *plan, const PlanNode *node);

extern void oblivious_plan_encode(StringInfo out, const ObliviousPlan *plan);

/* Strict and bounded by base/limits.h; false with a reason (constant string). */
extern bool oblivious_plan_decode(ObliviousPlan *plan, const void *bytes, size_t len, const char **reason);
extern void oblivious_plan_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len);

/* "join", "group": for messages and EXPLAIN. */
extern const char *plan_node_name(PlanNodeKind kind);
extern const char *plan_aggregate_name(PlanAggregateKind kind);

/* Parts of a GROUP; at least 1. */
extern int	plan_group_parts(const PlanNode *node);

/*
 * The first columns of an input of groups are keys; then come aggregates, then the patients of each part.
 * -1 if there are not so many columns.
 */
extern int	input_keys(const PlanInput *input);

/* Parameters of the plan, and behind them those of the inputs that sites share, in the order of the inputs. */
extern int	oblivious_plan_parameters(const ObliviousPlan *plan);

/* Rows of sites are among the inputs. */
extern bool oblivious_plan_asks_sites(const ObliviousPlan *plan);

#endif							/* SECMED_OBLIVIOUS_PLAN_H */
