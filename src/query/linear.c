/*
 * linear.c
 *	  secmed's linear aggregates (stats/linear.h) over several sites.
 *
 * Each term becomes a count or an exact sum with a FILTER that says which rows
 * it is of.  Whose values a term is made of is worked out from the aggregate
 * call that the site will read, so that both sides see the same.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/linear.h"
#include "stats/call_sql.h"
#include "stats/outcome_sql.h"

/* One call being taken apart. */
typedef struct LinearCall
{
	ComponentSet *set;
	Aggref	   *agg;
	int			nargs;
	Node	   *args[LINEAR_ARGS_MAX];
	char	   *sql[LINEAR_ARGS_MAX];	/* for the sites */
	char	   *words[LINEAR_ARGS_MAX]; /* as the analyst wrote it */
	char	   *filter;			/* SQL text, or NULL */
	char	   *filter_words;
} LinearCall;

/* ---- text ---- */

/* "a, b" or "a AND b" of texts. */
static void
append_item(StringInfo out, const char *separator, const char *text)
{
	appendStringInfo(out, "%s%s", out->len ? separator : "", text);
}

static bool
is_factor(const LinearTerm *term, int arg)
{
	for (int i = 0; i < term->nfactors; i++)
		if (term->factors[i] == arg)
			return true;
	return false;
}

/* Sums leave out a row by themselves if a factor is NULL. */
static char *
condition_on(const LinearTerm *term, int arg, const char *text)
{
	switch (term->where[arg])
	{
		case LINEAR_TRUE:
			return psprintf("(%s)", text);
		case LINEAR_FALSE:
			return psprintf("(NOT (%s))", text);
		case LINEAR_PRESENT:
			return is_factor(term, arg) ? NULL : psprintf("(%s) IS NOT NULL", text);
		case LINEAR_ANY:
			return NULL;
	}
	return NULL;
}

static void
append_filter(StringInfo out, const LinearCall *call, const LinearTerm *term, char *const *texts, const char *filter)
{
	StringInfoData conditions;

	initStringInfo(&conditions);
	if (filter != NULL)
		append_item(&conditions, " AND ", psprintf("(%s)", filter));
	for (int i = 0; i < call->nargs; i++)
	{
		char	   *condition = condition_on(term, i, texts[i]);

		if (condition != NULL)
			append_item(&conditions, " AND ", condition);
	}
	if (conditions.len > 0)
		appendStringInfo(out, " FILTER (WHERE %s)", conditions.data);
}

static void
append_factors(StringInfo out, const LinearTerm *term, char *const *texts, const char *separator)
{
	for (int i = 0; i < term->nfactors; i++)
		appendStringInfo(out, "%s%s", i ? separator : "", texts[term->factors[i]]);
}

/* "sum(x, x) FILTER (WHERE g)"; a count of one column's values is written as others would write it. */
static char *
term_text(const LinearCall *call, const LinearTerm *term, const char *sum, const char *separator,
		  char *const *texts, const char *filter)
{
	LinearTerm	without = *term;
	StringInfoData out;

	initStringInfo(&out);
	if (term->nfactors > 0)
	{
		appendStringInfo(&out, "%s(", sum);
		append_factors(&out, term, texts, separator);
		appendStringInfoChar(&out, ')');
	}
	else if (call->nargs == 1 && term->where[0] == LINEAR_PRESENT)
	{
		appendStringInfo(&out, "count(%s)", texts[0]);
		without.where[0] = LINEAR_ANY;
	}
	else
		appendStringInfoString(&out, "count(*)");
	append_filter(&out, call, &without, texts, filter);
	return out.data;
}

static char *
term_sql(const LinearCall *call, const LinearTerm *term)
{
	return term_text(call, term, "secmed.exact_sum", ", ", call->sql, call->filter);
}

/* What opening it reveals. */
static char *
term_words(const LinearCall *call, const LinearTerm *term)
{
	return term_text(call, term, "sum", " * ", call->words, call->filter_words);
}

/* ---- support ---- */

static ComponentKind
component_of_term(const LinearTerm *term)
{
	static const ComponentKind kinds[] = {COMPONENT_COUNT, COMPONENT_SUM_FLOAT, COMPONENT_SUM_FLOAT_PRODUCT,
	COMPONENT_SUM_FLOAT_PRODUCT_3, COMPONENT_SUM_FLOAT_PRODUCT_4};

	return kinds[term->nfactors];
}

static Node *
condition_node(const LinearCall *call, const LinearTerm *term, int arg)
{
	NullTest   *test;

	if (term->where[arg] == LINEAR_ANY)
		return NULL;
	if (term->where[arg] == LINEAR_TRUE)
		return call->args[arg];
	if (term->where[arg] == LINEAR_FALSE)
		return (Node *) make_notclause((Expr *) call->args[arg]);
	test = makeNode(NullTest);
	test->arg = (Expr *) call->args[arg];
	test->nulltesttype = IS_NOT_NULL;
	test->argisrow = false;
	test->location = -1;
	return (Node *) test;
}

/* Of the call that a site will read: its arguments and its FILTER. */
static Support *
term_support(const LinearCall *call, const LinearTerm *term)
{
	Aggref		read = {.xpr = {T_Aggref}};
	List	   *conditions = NIL;

	for (int i = 0; i < term->nfactors; i++)
		read.args = lappend(read.args, list_nth(call->agg->args, term->factors[i]));
	if (call->agg->aggfilter != NULL)
		conditions = lappend(conditions, call->agg->aggfilter);
	for (int i = 0; i < call->nargs; i++)
	{
		Node	   *condition = condition_node(call, term, i);

		if (condition != NULL)
			conditions = lappend(conditions, condition);
	}
	read.aggfilter = (Expr *) conditions;
	return support_of_aggregate(&read, component_of_term(term), ALL_ARGUMENTS, call->set->never_null, call->set->arg);
}

/* ---- taking apart ---- */

/* Arguments and FILTER as text; false with a reason. */
static bool
deparse_call(LinearCall *call, char **reason)
{
	Deparser   *deparser = call->set->deparser;

	for (int i = 0; i < call->nargs; i++)
	{
		call->args[i] = (Node *) list_nth_node(TargetEntry, call->agg->args, i)->expr;
		call->sql[i] = deparse_site_expression(deparser, call->args[i], reason);
		if (call->sql[i] == NULL)
			return false;
		call->words[i] = deparse_for_people(deparser, call->args[i]);
	}
	if (call->agg->aggfilter == NULL)
		return true;
	call->filter = deparse_site_expression(deparser, (Node *) call->agg->aggfilter, reason);
	if (call->filter == NULL)
		return false;
	call->filter_words = deparse_for_people(deparser, (Node *) call->agg->aggfilter);
	return true;
}

/* Into the final, checked by the one who computes. */
static bool
take_options(const LinearCall *call, const LinearAggregate *aggregate, Final *final, char **reason, char **hint)
{
	int			noptions = list_length(call->agg->args) - call->nargs;
	LinearTotals *totals = palloc0(sizeof(LinearTotals));
	double		values[LINEAR_OPTIONS_MAX];

	for (int i = 0; i < noptions; i++)
	{
		Const	   *option = (Const *) list_nth_node(TargetEntry, call->agg->args, call->nargs + i)->expr;

		if (!IsA(option, Const))
		{
			*reason = psprintf("an option of %s is not a constant", aggregate->name);
			*hint = pstrdup("Write it as a constant; in a prepared statement, SET plan_cache_mode = force_custom_plan.");
			return false;
		}
		values[i] = linear_option_of_datum(option->constvalue, option->constisnull, option->consttype);
	}
	totals->aggregate = aggregate;
	linear_set_options(totals, values, noptions);
	memcpy(final->options, totals->options, sizeof(final->options));
	pfree(totals);
	return true;
}

bool
linear_decompose(ComponentSet *set, Aggref *agg, Final *final, char **reason, char **hint)
{
	const LinearAggregate *aggregate = linear_of_aggref(agg);
	LinearCall	call = {.set = set,.agg = agg,.nargs = linear_nargs(aggregate)};
	int			n;

	if (agg->aggdistinct != NIL || agg->aggorder != NIL || agg->agglevelsup != 0)
	{
		*reason = psprintf("DISTINCT and ORDER BY are not available in %s", aggregate->name);
		return false;
	}
	if (!deparse_call(&call, reason) || !take_options(&call, aggregate, final, reason, hint))
		return false;
	final->kind = FINAL_LINEAR;
	final->linear = (int) (aggregate - linear_all(&n));
	for (int i = 0; i < linear_nterms(aggregate); i++)
	{
		LinearTerm	term;

		linear_term(aggregate, i, &term);
		final->components[i] = component_add(set, term_support(&call, &term), component_of_term(&term),
											 term_sql(&call, &term), term_words(&call, &term));
	}
	return true;
}

/* ---- the result ---- */

static void
take_total(LinearTotal *out, const LinearTerm *term, const ComponentTotal *total)
{
	FixedKind	kind = (FixedKind) (term->nfactors - 1);

	out->count = total->count;
	if (term->nfactors == 0)
		return;
	out->special = total->nan || total->pinf || total->ninf;
	out->nlimbs = fixed_limbs_of(kind) + 1;
	out->exponent = fixed_exponent_of(kind);
	memcpy(out->limbs, total->limbs, sizeof(uint64) * out->nlimbs);
}

Datum
linear_result(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	LinearTotals *linear = palloc0(sizeof(LinearTotals));
	Outcome		outcome;
	int			n;

	linear->aggregate = &linear_all(&n)[final->linear];
	memcpy(linear->options, final->options, sizeof(linear->options));
	for (int i = 0; i < linear_nterms(linear->aggregate); i++)
	{
		LinearTerm	term;

		linear_term(linear->aggregate, i, &term);
		take_total(&linear->terms[i], &term, &totals[final->components[i]]);
	}
	linear_compute(linear, &outcome);
	pfree(linear);
	return outcome_to_datum(&outcome, final->type, isnull);
}
