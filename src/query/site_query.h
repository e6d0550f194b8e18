/*
 * site_query.h
 *	  What the checking and the running half of a site's part share.
 */
#ifndef SECMED_SITE_QUERY_H
#define SECMED_SITE_QUERY_H

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "query/published.h"
#include "query/site.h"

struct SiteQuery
{
	const Request *request;
	const CanonicalPlan *plan;
	List	   *tables;			/* Published for each range table entry, or NULL */
	Bitmapset  *optional;		/* range table indexes whose rows an outer join may leave out */
	Query	   *query;			/* the patient counts of the parts are its last columns */
	ParamListInfo params;
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

/* The published column that a Var of the query is, or NULL. */
extern PublishedColumn *site_column(SiteQuery *site, Var *var);

/* Range table indexes whose rows an outer join may leave out. */
extern Bitmapset *site_optional_tables(Query *query);

/* Refuses an outer join in the tree that is not on local keys. (site_joins.c) */
extern void site_check_outer_joins(SiteQuery *site, Node *item);

/* One column more for each part of the answer: its patients. (site_patients.c) */
extern void site_add_patient_counts(SiteQuery *site, Query *query);

/* ERRCODE_SECMED_REFUSED, in the name of this site. */
extern void site_refuse(const char *why) pg_attribute_noreturn();

#endif							/* SECMED_SITE_QUERY_H */
