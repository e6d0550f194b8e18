/*
 * describe.c
 *	  An oblivious plan in words.
 */
#include "postgres.h"

#include "compute/describe.h"
#include "compute/value.h"
#include "utils/builtins.h"

/* ---- for ledgers ---- */

static List *
add_name(List *names, char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
			return names;
	return lappend(names, name);
}

List *
describe_tables(const ObliviousPlan *plan)
{
	List	   *names = NIL;

	for (int i = 0; i < plan->ninputs; i++)
	{
		const InputSource *source = plan->inputs[i].source;

		if (plan->inputs[i].kind == INPUT_SHARED_TABLE)
			names = add_name(names, plan->inputs[i].name);
		for (int t = 0; source && t < source->ntables; t++)
			names = add_name(names, source->tables[t].name);
	}
	return names;
}

static char *
table_names(const ObliviousPlan *plan)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, describe_tables(plan))
	{
		const char *name = lfirst(lc);

		if (names.len + strlen(name) + 2 <= ENTRY_TEXT_MAX)
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", name);
	}
	return names.data;
}

/* The smallest number of patients behind anything that is opened; 0: it is about nobody. */
static uint64
patients_behind(const CheckedPlan *checked)
{
	uint64		least = PATIENTS_NOT_OPENED;

	for (int i = 0; i < checked->plan->ninputs; i++)
		least = Min(least, checked->patients_min[i]);
	return least == PATIENTS_NOT_OPENED ? 0 : least;
}

/* ", with 1 keys, 2 x sum" */
static void
append_merged(StringInfo what, const PlanInput *input)
{
	appendStringInfo(what, ", with %d keys", input_keys(input));
	for (int kind = 1; kind <= PLAN_AGGREGATE_KIND_MAX; kind++)
	{
		int			n = 0;

		for (int k = 0; k < input->source->naggregates; k++)
			n += input->source->aggregates[k].kind == kind;
		if (n > 0)
			appendStringInfo(what, ", %d x %s", n, plan_aggregate_name(kind));
	}
}

/* "3 columns of at most 4096 rows, with 1 keys, 2 x count, 1 x sum", of the last grouping */
static char *
what_is_opened(const CheckedPlan *checked)
{
	const ObliviousPlan *plan = checked->plan;
	const RelationType *root = &checked->nodes[plan->nnodes - 1];
	StringInfoData what;

	initStringInfo(&what);
	if (plan->nodes[plan->nnodes - 1].kind == PLAN_STORE)
	{
		appendStringInfo(&what, "new shares of %d columns", root->ncolumns);
		return what.data;
	}
	appendStringInfo(&what, "%d columns of at most " UINT64_FORMAT " rows", root->ncolumns, root->rows);
	for (int i = plan->nnodes - 1; i >= 0; i--)
	{
		const PlanNode *node = &plan->nodes[i];

		if (node->kind == PLAN_MERGE)
			append_merged(&what, &plan->inputs[plan->nodes[node->children[0]].input]);
		if (node->kind == PLAN_MERGE)
			break;
		if (node->kind != PLAN_GROUP)
			continue;
		appendStringInfo(&what, ", with %d keys", node->nkeys);
		for (int kind = 1; kind <= PLAN_AGGREGATE_KIND_MAX; kind++)
		{
			int			n = 0;

			for (int k = 0; k < node->naggregates; k++)
				n += node->aggregates[k].kind == kind;
			if (n > 0)
				appendStringInfo(&what, ", %d x %s", n, plan_aggregate_name(kind));
		}
		break;
	}
	return what.data;
}

RunRecord
describe_answer(const Request *request, const CheckedPlan *checked, const uint8 *plan_hash)
{
	const RelationType *root = &checked->nodes[checked->plan->nnodes - 1];

	return (RunRecord) {.request = request,.plan_hash = plan_hash,.tables = table_names(checked->plan),
		.what = what_is_opened(checked),.cells = root->rows,.elements = root->rows * root->ncolumns,
		.patients_min = patients_behind(checked)};
}

/* ---- expressions ---- */

static void
append_value(StringInfo out, const Expression *expression)
{
	const PublicValue *value = &expression->value;

	if (value->null)
		appendStringInfoString(out, "NULL");
	else if (expression->type.kind == SECRET_TEXT)
		appendStringInfoString(out, quote_literal_cstr(pnstrdup(value->text, value->len)));
	else if (expression->type.kind == SECRET_BOOLEAN)
		appendStringInfoString(out, value->number ? "true" : "false");
	else if (expression->type.kind == SECRET_NUMERIC)
	{
		char		text[SECRET_DECIMAL_BYTES];

		secret_to_decimal(text, value->number, expression->type.scale);
		appendStringInfoString(out, text);
	}
	else if (expression->type.kind == SECRET_FLOAT)
		appendStringInfo(out, "%.17g", secret_to_double(value->number));
	else
		appendStringInfo(out, INT64_FORMAT, value->number);
}

static void
append_expression(StringInfo out, const Expression *expression)
{
	switch (expression->kind)
	{
		case EXPRESSION_COLUMN:
			appendStringInfo(out, "c%d", expression->number);
			return;
		case EXPRESSION_PARAMETER:
			appendStringInfo(out, "$%d", expression->number + 1);
			return;
		case EXPRESSION_CONSTANT:
			append_value(out, expression);
			return;
		default:
			break;
	}
	appendStringInfo(out, "%s(", expression_kind_name(expression->kind));
	for (int i = 0; i < expression->nargs; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		append_expression(out, expression->args[i]);
	}
	appendStringInfoChar(out, ')');
}

/* ---- nodes ---- */

static void
append_columns(StringInfo out, const char *word, const int *columns, int n)
{
	if (n == 0)
		return;
	appendStringInfo(out, " %s", word);
	for (int i = 0; i < n; i++)
		appendStringInfo(out, "%s c%d", i ? "," : "", columns[i]);
}

static void
append_group(StringInfo out, const PlanNode *node)
{
	append_columns(out, "by", node->keys, node->nkeys);
	for (int i = 0; i < node->naggregates; i++)
	{
		const PlanAggregate *aggregate = &node->aggregates[i];

		appendStringInfo(out, "%s %s(", i ? "," : ":", plan_aggregate_name(aggregate->kind));
		for (int k = 0; k < aggregate->nargs; k++)
		{
			if (k > 0)
				appendStringInfoString(out, ", ");
			append_expression(out, aggregate->args[k]);
		}
		appendStringInfoChar(out, ')');
		if (aggregate->filter)
		{
			appendStringInfoString(out, " where ");
			append_expression(out, aggregate->filter);
		}
	}
	if (node->npatients > 0)
		appendStringInfo(out, "; at least " UINT64_FORMAT " patients", node->patients_min);
}

/* " visit", or " rows of visit, person at the sites" */
static void
append_input(StringInfo out, const PlanInput *input)
{
	if (input->source == NULL)
	{
		appendStringInfo(out, " %s", input->name);
		return;
	}
	appendStringInfo(out, " %s of", input->source->grouped ? "groups" : "rows");
	for (int i = 0; i < input->source->ntables; i++)
		appendStringInfo(out, "%s %s", i ? "," : "", input->source->tables[i].name);
	appendStringInfo(out, " at the sites");
}

static const char *
join_form_name(JoinForm form)
{
	switch (form)
	{
		case JOIN_FORM_LEFT:
			return "left ";
		case JOIN_FORM_SEMI:
			return "semi ";
		case JOIN_FORM_ANTI:
			return "anti ";
		default:
			return "";
	}
}

char *
describe_node(const CheckedPlan *checked, int number)
{
	const PlanNode *node = &checked->plan->nodes[number];
	StringInfoData out;

	initStringInfo(&out);
	if (node->kind == PLAN_JOIN)
		appendStringInfoString(&out, join_form_name(node->form));
	appendStringInfoString(&out, plan_node_name(node->kind));
	switch (node->kind)
	{
		case PLAN_SCAN:
			append_input(&out, &checked->plan->inputs[node->input]);
			if (checked->plan->inputs[node->input].source)
				appendStringInfo(&out, ": %s", checked->plan->inputs[node->input].source->sql);
			break;
		case PLAN_MERGE:
			appendStringInfo(&out, "; at least " UINT64_FORMAT " patients", node->patients_min);
			break;
		case PLAN_FILTER:
			appendStringInfoChar(&out, ' ');
			append_expression(&out, node->condition);
			break;
		case PLAN_PROJECT:
			for (int i = 0; i < node->nexpressions; i++)
			{
				appendStringInfoString(&out, i ? ", " : " ");
				append_expression(&out, node->expressions[i]);
			}
			break;
		case PLAN_JOIN:
			append_columns(&out, "on left", node->keys, node->nkeys);
			append_columns(&out, "= right", node->right_keys, node->nkeys);
			break;
		case PLAN_GROUP:
			append_group(&out, node);
			break;
		case PLAN_SORT:
			for (int i = 0; i < node->norder; i++)
				appendStringInfo(&out, "%s c%d%s", i ? "," : " by", node->order[i].column,
								 node->order[i].descending ? " descending" : "");
			break;
		case PLAN_LIMIT:
			appendStringInfo(&out, " " UINT64_FORMAT " after " UINT64_FORMAT, node->count, node->offset);
			break;
		case PLAN_RELEASE:
		case PLAN_STORE:
			append_columns(&out, "of", node->columns, node->ncolumns);
			break;
		default:
			break;
	}
	return out.data;
}

char *
describe_node_briefly(const CheckedPlan *checked, int number)
{
	const PlanNode *node = &checked->plan->nodes[number];

	if (node->kind == PLAN_SCAN)
	{
		StringInfoData out;

		initStringInfo(&out);
		appendStringInfoString(&out, "scan");
		append_input(&out, &checked->plan->inputs[node->input]);
		return out.data;
	}
	if (node->kind == PLAN_MERGE)
		return pstrdup("merge groups of the sites");
	if (node->kind == PLAN_JOIN)
		return psprintf("%sjoin", join_form_name(node->form));
	if (node->kind == PLAN_GROUP)
		return psprintf("group by %d columns, %d aggregates", node->nkeys, node->naggregates);
	return pstrdup(plan_node_name(node->kind));
}

char *
describe_plan(const CheckedPlan *checked)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < checked->plan->nnodes; i++)
		appendStringInfo(&out, "%s%d %s", i ? "\n" : "", i, describe_node(checked, i));
	return out.data;
}
