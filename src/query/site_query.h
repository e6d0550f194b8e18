/*
 * site_query.h
 *	  What the checking and the running half of a site's part share.
 */
#ifndef SECMED_SITE_QUERY_H
#define SECMED_SITE_QUERY_H

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "contract/noise.h"
#include "query/column_policy.h"
#include "query/published.h"
#include "query/site.h"
#include "query/support.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

typedef struct SiteCohorts SiteCohorts;

struct SiteQuery
{
	const Request *request;
	const CanonicalPlan *plan;
	List	   *tables;			/* Published for each range table entry, or NULL */
	Bitmapset  *optional;		/* range table indexes whose rows an outer join may leave out */
	Query	   *query;			/* the patient counts of the parts are its last columns */
	ParamListInfo params;
	uint64	   *rows_most;		/* of each component that is quantiles, the most values that are shared */
	const Noise *noise;			/* of the request's contract, or NULL; then: */
	Node	   *patient;		/* the column that tells patients apart, or NULL */
	bool		patient_unique; /* no patient has two rows */
	SiteCohorts *cohorts;		/* whom its groups are about (site_cohorts.h), or NULL: with noise */
	List	   *cohort_targets; /* columns that say so, behind those of the query */
	uint64		patients_min;	/* by the classes of the columns it reads, and by the request's contract */
};

/* The rights and settings of a sub-query. */
typedef struct RunnerScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} RunnerScope;

extern void runner_begin(RunnerScope *scope);
extern void runner_end(RunnerScope *scope);

/* Exactly one plain SELECT, or a refusal. */
extern RawStmt *site_parse(const char *sql);
extern Query *site_analyse(const char *sql, RawStmt *raw, Oid *types, int ntypes);

/*
 * Parses, analyses and walks all of site->plan but its target list: published tables and columns
 * that it names, joins on local keys, allowed conditions.  As the runner.
 */
extern Query *site_check_query(SiteQuery *site);

/*
 * The most rows, or groups, that this site shares where a plan asks for so many; refuses what it does not share, and bounds so
 * low that having more would tell something.
 */
extern uint64 site_rows_most(const SiteQuery *site, uint64 asked, bool groups);

/* Refuses whatever sites do not run (query/allowed.h). */
extern void site_check_expression(Node *expr);

/* Is this the patient column of its table?  *unique: of one table alone, in which no patient has two rows. */
extern bool site_is_patient(SiteQuery *site, Node *expr, bool *unique);

/*
 * The site's policy for its columns (query/column_policy.h): one use of a column of site->query, arg being the SiteQuery; and
 * all that a question for aggregates makes of them.
 */
extern void site_require_use(Var *var, ColumnUse use, void *arg);
extern void site_check_policy(SiteQuery *site, Query *query);

/* The published column that a Var of the query is, or NULL. */
extern PublishedColumn *site_column(SiteQuery *site, Var *var);

/* Range table indexes whose rows an outer join may leave out. */
extern Bitmapset *site_optional_tables(Query *query);

/* Refuses an outer join in the tree that is not on local keys. (site_joins.c) */
extern void site_check_outer_joins(SiteQuery *site, Node *item);

/* One column more for each part of the answer: its patients. (site_patients.c) */
extern void site_add_patient_counts(SiteQuery *site, Query *query);

/* Has a column of the query a value in each row?  arg is the SiteQuery. */
extern bool site_never_null(Var *var, void *arg);

/*
 * An expression over one published table, as PostgreSQL's own parser makes it from SQL that this site writes; nothing of
 * the plan's names is in it.
 */
extern Node *site_own_expression(const char *call, const Published *published, int rtindex);

/*
 * Of a query of rows: the column that tells patients apart, as an expression of the query; NULL if each row is a
 * patient of its own.  *unique: no patient has two rows.  Refuses a join of several tables with patients of their own.
 */
extern Node *site_patient_expression(SiteQuery *site, Query *query, bool *unique);

/*
 * Runs a checked query as secmed_runner, read-only, until the deadline; at most `limit` rows, or
 * all of them if it is 0.  snapshot may be NULL: now.  take() gets the rows, under the same rights.  What a
 * row's value raises becomes a general error (site.h).  (site_rows.c)
 */
typedef void (*SiteRowsTaker) (SiteQuery *site, Tuplestorestate *rows, TupleDesc desc, void *arg);

extern void site_run(SiteQuery *site, Snapshot snapshot, uint64 limit, TimestampTz deadline, SiteRowsTaker take, void *arg);

/* ERRCODE_SECMED_REFUSED, in the name of this site. */
extern void site_refuse(const char *why) pg_attribute_noreturn();

#endif							/* SECMED_SITE_QUERY_H */
