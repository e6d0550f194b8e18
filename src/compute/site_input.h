/*
 * site_input.h
 *	  Rows that sites share as a relation of an oblivious plan: the SELECT that each of them runs.
 *
 * Whatever one site can do alone it does, in the clear and before anything is shared: conditions on one table,
 * expressions of its columns with any function that sites run, and joins on local keys, if all of FROM hangs
 * together by them and a row is of one patient.  Everything else is computed on shares.
 */
#ifndef SECMED_SITE_INPUT_H
#define SECMED_SITE_INPUT_H

#include "compute/compile.h"
#include "oblivious/check.h"

/* Is it a foreign table of secmed whose rows are the sites'? */
extern bool is_published_table(Oid relid);

/* Does the query group by patients of the sites?  Such groups are of no use but to a query around it. */
extern bool query_groups_patients(Query *query);

/*
 * One table.  Of *conditions, those that are about it alone and that sites can check are taken off the
 * list.  NULL with the compiler's refusal.
 */
extern Rel *site_input_table(Compiler *compiler, Index varno, List **conditions);

/*
 * All of this part of FROM, with its conditions, joined at the sites; NULL if it can't be, or is one table only.  No
 * refusal is given then.
 */
extern Rel *site_input_join(Compiler *compiler, FromExpr *from);

/*
 * The bound for each site: what the tables (list of PublishedTable) are published with, or the setting; false with
 * the refusal.  grouped: of groups that sites make.
 */
extern bool site_rows_bound(TermMaker *maker, List *tables, bool grouped, uint64 *rows);

/* setting secmed.site_groups; secmed.site_rows is in query/settings.h */
extern int	site_groups_setting;

/* The largest of the tables' smallest groups. */
extern uint64 site_threshold(List *tables);

/*
 * Once all inputs of a plan are known: patients' numbers get as many bits as those of all sites and inputs need, and no
 * more, because they are sorted by.
 */
extern void site_inputs_finish(ObliviousPlan *plan);

/* Of which columns of the query the columns of an input are made. */
typedef struct SiteColumns
{
	PlannerInfo *root;
	int			input;
	int			patient;		/* as the input's */
	List	   *exprs;			/* of Node, then, if it has one, the column that tells patients apart */
	List	   *conditions;		/* that the sites check */
} SiteColumns;

/*
 * Does the policy of the sites, as the foreign tables tell it, allow what the checked plan does with their columns?  False
 * with the refusal.  The sites decide.
 */
extern bool site_inputs_allowed(Compiler *compiler, const CheckedPlan *checked);

/* How many sites the server names. */
extern int	site_count(Oid serverid);

/* settings secmed.site_rows, secmed.site_groups */
extern void site_input_init(void);

#endif							/* SECMED_SITE_INPUT_H */
