/*
 * site_cohorts.c
 *	  Whom a site's sums are about.
 *
 * Two sums are compared by whom conditions choose: WHERE, the group, FILTER, a mask or a CASE in a sum.  That a column
 * has no value in some rows is no choice: by count(*) and avg(weight) one learns for how many patients there
 * is no weight, and of no other column anything about them.  But sums that are made of the same column are compared by
 * who has values, too: sum(weight) and corr(weight, height) differ by the weights of those without a height.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "contract/cohort.h"
#include "crypto/hash.h"
#include "executor/tuptable.h"
#include "govern/answered.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "query/disclosure.h"
#include "query/site_cohorts.h"
#include "query/support.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

/* ---- columns ---- */

/* "measure", and if a table is joined with itself "measure 2". */
static char *
label_of(SiteQuery *site, int rtindex)
{
	const Published *published = list_nth(site->tables, rtindex - 1);
	int			same = 1;

	for (int i = 1; i < rtindex; i++)
	{
		const Published *other = list_nth(site->tables, i - 1);

		same += other != NULL && strcmp(other->name, published->name) == 0;
	}
	return same == 1 ? published->name : psprintf("%s %d", published->name, same);
}

/* The patient, or where nothing tells patients apart the whole row. */
static char *
who(const Published *published)
{
	PublishedColumn *column = published->patient ? published_column(published, published->patient) : NULL;
	TypeCacheEntry *type;

	if (column == NULL)
		return psprintf("%s::pg_catalog.text", quote_identifier(published->name));
	type = lookup_type_cache(column->type, TYPECACHE_HASH_EXTENDED_PROC);
	return psprintf("%s%s", quote_identifier(published->patient),
					OidIsValid(type->hash_extended_proc) ? "" : "::pg_catalog.text");
}

/* Tables whose rows are always there and tell patients apart; the only one in any case. */
static Bitmapset *
tables_of_patients(SiteQuery *site)
{
	Bitmapset  *tables = NULL;
	int			ntables = 0;
	int			only = 0;
	ListCell   *lc;

	foreach(lc, site->tables)
	{
		const Published *published = lfirst(lc);
		int			rtindex = foreach_current_index(lc) + 1;

		if (published == NULL)
			continue;
		ntables++;
		only = rtindex;
		if (published->patient != NULL && !bms_is_member(rtindex, site->optional))
			tables = bms_add_member(tables, rtindex);
	}
	return ntables == 1 ? bms_make_singleton(only) : tables;
}

/* ---- who is chosen, who has values ---- */

static Expr *
is_null(Node *expr, bool not)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) copyObject(expr);
	test->nulltesttype = not ? IS_NOT_NULL : IS_NULL;
	test->location = -1;
	return (Expr *) test;
}

/* Null though all columns in it have values? */
static Expr *
chooses(Node *expr)
{
	List	   *either = list_make1(is_null(expr, true));
	ListCell   *lc;

	foreach(lc, pull_var_clause(expr, 0))
		either = lappend(either, is_null(lfirst(lc), false));
	return makeBoolExpr(OR_EXPR, either, -1);
}

static Expr *
all_of(List *conditions)
{
	return conditions == NIL ? NULL : list_length(conditions) == 1 ? linitial(conditions) :
		makeBoolExpr(AND_EXPR, conditions, -1);
}

/* Of a part as one of its aggregates shows it; NULL for all rows. */
static void
part_conditions(const Support *support, Expr **chosen, Expr **present)
{
	List	   *operands = list_concat_copy(support->present, support->nonzero);
	List	   *choice = copyObject(support->conditions);
	List	   *presence = copyObject(support->conditions);
	ListCell   *lc;

	foreach(lc, operands)
	{
		if (contain_nonstrict_functions(lfirst(lc)))
			choice = lappend(choice, chooses(lfirst(lc)));
		presence = lappend(presence, is_null(lfirst(lc), true));
	}
	*chosen = all_of(choice);
	*present = list_length(presence) == list_length(support->conditions) ? NULL : all_of(presence);
}

/* What conditions choose does not depend on whether they are true. */
static Support *
support_of_part(SiteQuery *site, Query *query, int component)
{
	TargetEntry *target = list_nth(query->targetList, site->plan->nkeys + component);
	ComponentKind kind = site->plan->components[component];

	if (kind == COMPONENT_BOOL_OR || kind == COMPONENT_BOOL_AND)
		kind = COMPONENT_COUNT;
	return support_of_aggregate(castNode(Aggref, target->expr), kind, ALL_ARGUMENTS, site_never_null, site);
}

/* "table.column" of all columns in a component's aggregate. */
static List *
add_measures(SiteQuery *site, Query *query, int component, List *measures)
{
	TargetEntry *target = list_nth(query->targetList, site->plan->nkeys + component);
	ListCell   *lc;

	foreach(lc, pull_var_clause((Node *) castNode(Aggref, target->expr)->args, 0))
	{
		Var		   *var = lfirst_node(Var, lc);
		PublishedColumn *column = site_column(site, var);
		const Published *published = list_nth(site->tables, var->varno - 1);

		if (column != NULL)
			measures = list_append_unique(measures, makeString(psprintf("%s.%s", quote_identifier(published->name),
																		quote_identifier(column->name))));
	}
	return measures;
}

static Node *
cohort_column(const Published *published, int rtindex, int64 key, Expr *filter)
{
	Aggref	   *cohort = castNode(Aggref, site_own_expression(psprintf("secmed.cohort((" INT64_FORMAT ")::pg_catalog.int8, %s)",
																	  key, who(published)), published, rtindex));

	cohort->aggfilter = copyObject(filter);
	return (Node *) cohort;
}

/* All pairs of parts of a cell are compared. */
static size_t
pairs_of(const CanonicalPlan *plan)
{
	size_t		parts = plan->nparts;
	size_t		pairs = plan_cells(plan) * (parts * (parts - 1) / 2);

	if (pairs > PART_PAIRS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many groups with aggregates of different patients"),
				 errdetail("%zu pairs would have to be compared; at most %d can be.", pairs, PART_PAIRS_MAX),
				 errhint("Ask for fewer aggregates with conditions at a time, or group by fewer columns.")));
	return pairs;
}

static SiteCohorts *
cohorts_make(SiteQuery *site, Bitmapset *tables)
{
	int			parts = site->plan->nparts;
	SiteCohorts *cohorts = palloc0(sizeof(SiteCohorts));
	int			rtindex = -1;
	size_t		n;

	cohorts->labels = palloc(sizeof(char *) * (bms_num_members(tables) + 1));
	while ((rtindex = bms_next_member(tables, rtindex)) >= 0)
		cohorts->labels[cohorts->nlabels++] = label_of(site, rtindex);
	cohorts->measures = palloc0(sizeof(List *) * parts);
	cohorts->revealed = palloc0(parts);
	cohorts->has_present = palloc0(parts);
	cohorts->n = plan_cells(site->plan) * parts;
	n = cohorts->n * cohorts->nlabels + 1;
	cohorts->chosen = palloc_extended(sizeof(bytea *) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	cohorts->present = palloc_extended(sizeof(bytea *) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return cohorts;
}

static List *
targets_of_part(SiteQuery *site, Query *query, Bitmapset *tables, int part, int64 key)
{
	Expr	   *chosen = NULL;
	Expr	   *present = NULL;
	List	   *targets = NIL;
	int			rtindex = -1;

	for (int i = 0; i < site->plan->ncomponents; i++)
	{
		if (site->plan->parts[i] != part)
			continue;
		if (!site->cohorts->revealed[part])
			part_conditions(support_of_part(site, query, i), &chosen, &present);
		site->cohorts->revealed[part] = true;
		site->cohorts->measures[part] = add_measures(site, query, i, site->cohorts->measures[part]);
	}
	site->cohorts->has_present[part] = present != NULL;
	while ((rtindex = bms_next_member(tables, rtindex)) >= 0)
	{
		const Published *published = list_nth(site->tables, rtindex - 1);

		targets = lappend(targets, cohort_column(published, rtindex, key, chosen));
		if (present != NULL)
			targets = lappend(targets, cohort_column(published, rtindex, key, present));
	}
	return targets;
}

List *
site_cohort_targets(SiteQuery *site, Query *query, int64 key)
{
	Bitmapset  *tables = tables_of_patients(site);
	List	   *targets = NIL;

	(void) pairs_of(site->plan);
	site->cohorts = cohorts_make(site, tables);
	for (int part = 0; part < site->plan->nparts; part++)
		targets = list_concat(targets, targets_of_part(site, query, tables, part, key));
	return targets;
}

static bytea *
take_sketch(TupleTableSlot *slot, int column)
{
	return slot->tts_isnull[column] ? NULL : DatumGetByteaPCopy(slot->tts_values[column]);
}

void
site_cohorts_take(SiteQuery *site, size_t cell, TupleTableSlot *slot, int column)
{
	SiteCohorts *cohorts = site->cohorts;
	size_t		at = cell * site->plan->nparts * cohorts->nlabels;

	for (int part = 0; part < site->plan->nparts; part++)
		for (int label = 0; label < cohorts->nlabels; label++, at++)
		{
			cohorts->chosen[at] = take_sketch(slot, column++);
			if (cohorts->has_present[part])
				cohorts->present[at] = take_sketch(slot, column++);
		}
}

/* ---- comparing ---- */

/* No number of patients is as large: sketches can't differ in more buckets. */
#define UNRELATED	COHORT_BUCKETS

/* Both sketches of a cohort. */
typedef struct CohortPair
{
	CohortView	chosen;
	CohortView	present;
} CohortPair;

static CohortView
view_of(const void *bytes, size_t len)
{
	Cohort		cohort = {0};

	if (!cohort_decode(&cohort, bytes, len))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("secmed's table of answers is damaged")));
	return cohort_view(&cohort);
}

static CohortView
view_of_sketch(const bytea *sketch)
{
	return sketch ? view_of(VARDATA_ANY(sketch), VARSIZE_ANY_EXHDR(sketch)) : (CohortView) {0};
}

static CohortPair *
make_views(SiteQuery *site)
{
	const SiteCohorts *cohorts = site->cohorts;
	size_t		n = cohorts->n * cohorts->nlabels;
	CohortPair *views = palloc_extended(sizeof(CohortPair) * (n + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (size_t i = 0; i < n; i++)
	{
		views[i].chosen = view_of_sketch(cohorts->chosen[i]);
		views[i].present = cohorts->has_present[i / cohorts->nlabels % site->plan->nparts] ?
			view_of_sketch(cohorts->present[i]) : views[i].chosen;
	}
	return views;
}

/* Of differences by several tables the least that is one: few patients of one of them are few. */
static uint32
least_difference(uint32 a, uint32 b)
{
	return a == 0 ? b : b == 0 ? a : Min(a, b);
}

/* An answer, group by group, against all of ours. */
typedef struct Comparison
{
	const SiteCohorts *cohorts;
	int			parts;
	const CohortPair *views;	/* n times nlabels */
	int64		group;			/* that is being read; -1: none yet */
	bool		related;		/* it has a label of ours */
	int64		patients;
	uint32	   *differences;	/* by each of ours */
	uint128    *out;			/* of each group its patients and the differences; or NULL */
	uint64		patients_min;	/* without out: what is close is refused */
} Comparison;

static void
refuse_close(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_DIFFERENCING),
			 errmsg("the question is too close to one that was answered"),
			 errdetail("Site \"%s\" remembers more answers than a run compares, and took its own patients for all.",
					   node_self()->card.name),
			 errhint("Ask about larger groups, or ask the site for secmed.forget_answers().")));
}

static void
end_group(Comparison *comparison)
{
	size_t		n = comparison->cohorts->n;
	uint128    *out = comparison->out ? comparison->out + comparison->group * (1 + n) : NULL;

	if (comparison->group < 0)
		return;
	if (out != NULL)
		out[0] = comparison->patients;
	for (size_t i = 0; i < n; i++)
	{
		uint32		difference = comparison->related ? comparison->differences[i] : UNRELATED;

		if (out != NULL)
			out[1 + i] = difference;
		else if (difference > 0 && difference < comparison->patients_min)
			refuse_close();
	}
}

/* Nobody is in it here: all of ours are the difference. */
static void
begin_group(Comparison *comparison, int64 group)
{
	comparison->group = group;
	comparison->related = false;
	comparison->patients = 0;
	memset(comparison->differences, 0, comparison->cohorts->n * sizeof(uint32));
}

/* A sketch of the answer, opened for comparing. */
typedef struct Opened
{
	uint32		buckets[COHORT_BUCKETS];
	uint32		filled;
} Opened;

static void
open_sketch(Opened *opened, const void *bytes, size_t len)
{
	Cohort		cohort = {0};

	memset(opened, 0, sizeof(*opened));
	if (!cohort_decode(&cohort, bytes, len))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("secmed's table of answers is damaged")));
	cohort_expand(opened->buckets, &cohort);
	opened->filled = cohort_filled(opened->buckets);
}

/* shares: of each part, is it made of a column that the answer is made of? */
static void
compare_with(Comparison *comparison, int label, const Opened *chosen, const Opened *present, const bool *shares)
{
	const SiteCohorts *cohorts = comparison->cohorts;

	for (size_t i = 0; i < cohorts->n; i++)
	{
		const CohortPair *ours = &comparison->views[i * cohorts->nlabels + label];
		uint32	   *least = &comparison->differences[i];

		if (!cohorts->revealed[i % comparison->parts])
			continue;
		*least = least_difference(*least, cohort_difference(&ours->chosen, chosen->buckets, chosen->filled));
		if (shares[i % comparison->parts])
			*least = least_difference(*least, cohort_difference(&ours->present, present->buckets, present->filled));
	}
	comparison->related = true;
	CHECK_FOR_INTERRUPTS();
}

static void
compare_with_nobody(Comparison *comparison, int64 from, int64 to)
{
	static const Opened nobody;
	bool	   *shares = palloc0(comparison->parts);

	for (int64 group = from; group < to; group++)
	{
		begin_group(comparison, group);
		for (int label = 0; label < comparison->cohorts->nlabels; label++)
			compare_with(comparison, label, &nobody, &nobody, shares);
		end_group(comparison);
	}
	pfree(shares);
}

static bool *
shared_measures(const Comparison *comparison, List *measures)
{
	bool	   *shares = palloc0(comparison->parts);

	for (int part = 0; part < comparison->parts; part++)
		shares[part] = list_intersection(comparison->cohorts->measures[part], measures) != NIL;
	return shares;
}

static void
take_group(const AnsweredGroup *group, void *arg)
{
	Comparison *comparison = arg;
	bool	   *shares = shared_measures(comparison, group->measures);
	Opened		chosen;
	Opened		present;

	if (group->number != comparison->group)
	{
		end_group(comparison);
		compare_with_nobody(comparison, comparison->group + 1, group->number);
		begin_group(comparison, group->number);
	}
	comparison->patients = group->patients;
	open_sketch(&chosen, group->chosen, group->chosen_len);
	if (group->present != NULL)
		open_sketch(&present, group->present, group->present_len);
	for (int label = 0; label < comparison->cohorts->nlabels; label++)
		if (strcmp(group->label, comparison->cohorts->labels[label]) == 0)
			compare_with(comparison, label, &chosen, group->present ? &present : &chosen, shares);
	pfree(shares);
}

static void
compare_content(Comparison *comparison, const uint8 content[HASH_BYTES], uint32 groups, uint128 *out)
{
	comparison->out = out;
	comparison->group = -1;
	answered_read(content, take_group, comparison);
	end_group(comparison);
	compare_with_nobody(comparison, comparison->group + 1, groups);
	comparison->group = -1;
}

static void
compare_answers(SiteQuery *site, const CohortPair *views, const AnsweredList *list, uint128 *out)
{
	Comparison	comparison = {.cohorts = site->cohorts,.parts = site->plan->nparts,.views = views,.group = -1};
	bool		show_zero;

	comparison.differences = palloc_extended(sizeof(uint32) * (site->cohorts->n + 1), MCXT_ALLOC_HUGE);
	site_rule(site, &comparison.patients_min, &show_zero);
	for (int i = 0; i < list->earlier.ncontents; i++)
		compare_content(&comparison, list->contents[i], list->earlier.groups[i],
						out + earlier_offset(&list->earlier, i, site->cohorts->n));
	for (int i = 0; i < list->nunlisted; i++)
		compare_content(&comparison, list->contents[list->earlier.ncontents + i], list->unlisted_groups[i], NULL);
}

static uint32
difference_of_parts(SiteQuery *site, const CohortPair *views, size_t cell, int p, int q)
{
	const SiteCohorts *cohorts = site->cohorts;
	bool		shares = list_intersection(cohorts->measures[p], cohorts->measures[q]) != NIL;
	uint32		difference = 0;

	for (int label = 0; label < cohorts->nlabels && cohorts->revealed[p] && cohorts->revealed[q]; label++)
	{
		const CohortPair *a = &views[(cell * site->plan->nparts + p) * cohorts->nlabels + label];
		const CohortPair *b = &views[(cell * site->plan->nparts + q) * cohorts->nlabels + label];

		difference = least_difference(difference, cohort_view_difference(&a->chosen, &b->chosen));
		if (shares)
			difference = least_difference(difference, cohort_view_difference(&a->present, &b->present));
	}
	return difference;
}

/* Parts p < q of each cell. */
static void
compare_parts(SiteQuery *site, const CohortPair *views, uint128 *out)
{
	size_t		cells = site->cohorts->n / site->plan->nparts;

	for (size_t cell = 0; cell < cells; cell++)
		for (int q = 1; q < site->plan->nparts; q++)
			for (int p = 0; p < q; p++)
				*out++ = difference_of_parts(site, views, cell, p, q);
}

/* ---- remembering ---- */

static void
hash_view(uint8 content[HASH_BYTES], const CohortView *view)
{
	HashPart	parts[] = {
		{content, HASH_BYTES}, {view->which, view->n * sizeof(uint16)}, {view->sums, view->n * sizeof(uint32)},
		{view->buckets, view->buckets ? COHORT_BUCKETS * sizeof(uint32) : 0}
	};

	hash_parts(content, parts, lengthof(parts));
}

static void
hash_group(uint8 content[HASH_BYTES], const AnsweredGroup *group, const CohortPair *views)
{
	char	   *words = psprintf("%u %s " INT64_FORMAT " %s", group->number, group->label, group->patients,
								 nodeToString(group->measures));
	HashPart	parts[] = {{content, HASH_BYTES}, {words, strlen(words)}};

	hash_parts(content, parts, lengthof(parts));
	hash_view(content, &views->chosen);
	hash_view(content, &views->present);
	pfree(words);
}

static AnsweredGroup
group_of(SiteQuery *site, const uint128 *elements, const PlanLayout *layout, size_t i)
{
	const SiteCohorts *cohorts = site->cohorts;
	uint32		number = i / cohorts->nlabels;
	int			part = number % site->plan->nparts;
	size_t		cell = number / site->plan->nparts;
	const bytea *chosen = cohorts->chosen[i];
	const bytea *present = cohorts->present[i];
	AnsweredGroup group = {number, cohorts->labels[i % cohorts->nlabels], cohorts->measures[part]};

	group.patients = (int64) elements[cell * layout->stride + layout->part_start[part]];
	group.chosen = VARDATA_ANY(chosen);
	group.chosen_len = VARSIZE_ANY_EXHDR(chosen);
	if (cohorts->has_present[part])
	{
		group.present = present ? VARDATA_ANY(present) : "\1";	/* nobody */
		group.present_len = present ? VARSIZE_ANY_EXHDR(present) : 1;
	}
	return group;
}

/* Groups that have rows here and tell of them; and a hash of whom all of them are about. */
static AnsweredGroup *
groups_of(SiteQuery *site, const CohortPair *views, const uint128 *elements, uint8 content[HASH_BYTES], size_t *n)
{
	const SiteCohorts *cohorts = site->cohorts;
	PlanLayout	layout = plan_layout(site->plan);
	AnsweredGroup *groups = palloc_extended(sizeof(AnsweredGroup) * (cohorts->n * cohorts->nlabels + 1), MCXT_ALLOC_HUGE);

	*n = 0;
	hash_bytes(content, &cohorts->n, sizeof(cohorts->n));
	for (size_t i = 0; i < cohorts->n * cohorts->nlabels; i++)
	{
		if (cohorts->chosen[i] == NULL || !cohorts->revealed[i / cohorts->nlabels % site->plan->nparts])
			continue;
		groups[*n] = group_of(site, elements, &layout, i);
		hash_group(content, &groups[*n], &views[i]);
		(*n)++;
	}
	return groups;
}

static void
remember(SiteQuery *site, const CohortPair *views, const uint128 *elements, const List *tables)
{
	uint8		content[HASH_BYTES];
	size_t		n;
	AnsweredGroup *groups = groups_of(site, views, elements, content, &n);

	answered_record(site->request, tables, content, site->cohorts->n, groups, n);
}

uint128 *
site_compare(SiteQuery *site, const uint128 *elements, const List *tables, EarlierAnswers *earlier, size_t *n)
{
	DisclosureRule rule = disclosure_rule(tables);
	CohortPair *views;
	size_t		k = plan_cells(site->plan) * site->plan->nparts;
	size_t		pairs = pairs_of(site->plan);
	const char *actor = rule.differencing == DIFFERENCING_EVERYBODY ? NULL :
		psprintf("%s:%s", site->request->coordinator, site->request->requester);
	AnsweredList list = {0};
	uint128    *out;

	if (site->noise != NULL)
		rule.differencing = DIFFERENCING_NONE;
	if (rule.differencing != DIFFERENCING_NONE)
	{
		answered_lock();
		answered_list(&list, tables, actor, k);
	}
	*earlier = list.earlier;
	*n = pairs + earlier_elements(earlier, k);
	out = palloc_extended(sizeof(uint128) * (*n + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (site->noise != NULL)
		return out;
	views = make_views(site);
	compare_parts(site, views, out);
	if (rule.differencing != DIFFERENCING_NONE)
	{
		compare_answers(site, views, &list, out + pairs);
		remember(site, views, elements, tables);
	}
	return out;
}
