/*
 * execute.c
 *	  One node after the other, in postorder: the order in which the plan is written.
 */
#include "oblivious/execute.h"

#include "oblivious/operator.h"
#include "mpc/logic.h"

static void
require_types(const NodeRun *at, const SharedRelation *relation, int ncolumns)
{
	bool		same = relation->ncolumns == ncolumns;

	for (int c = 0; c < ncolumns && same; c++)
		same = secret_type_equal(&relation->columns[c].type.type, &at->type->columns[c].type);
	if (!same)
		fail(ERRCODE_SECMED_TABLE_MISMATCH, "input %d of the plan has other columns", at->node->input);
}

/* The number of each row, which everybody knows. */
static SharedColumn
row_numbers(const NodeRun *at, size_t n)
{
	SharedColumn column = column_create(at->type->columns[at->type->ncolumns - 1], n);

	for (size_t v = 0; v < n; v++)
	{
		column.number.mine[v] = at->self->index == 0 ? v : 0;
		column.number.next[v] = at->self->index == 2 ? v : 0;
	}
	return column;
}

static SharedRelation
scan_numbers(const NodeRun *at, size_t n)
{
	SharedRelation relation = {.n = n,.ncolumns = 1,.columns = palloc(sizeof(SharedColumn)),.valid = shared_bits_alloc(1, n)};

	relation.columns[0] = row_numbers(at, n);
	logic_not(at->self, &relation.valid);
	return relation;
}

SharedRelation
execute_scan(const NodeRun *at)
{
	const PlanInput *input = &at->run->checked->plan->inputs[at->node->input];
	SharedRelation relation = input->kind == INPUT_NUMBERS ? scan_numbers(at, input->rows) :
		at->run->executing->load(at->self, at->node->input, at->run->executing->arg);

	if (relation.n > input->rows)
		fail(ERRCODE_SECMED_TABLE_MISMATCH, "table \"%s\" has %zu rows, and the plan is for " UINT64_FORMAT " at most",
			 input->name, relation.n, input->rows);
	require_types(at, &relation, input->ncolumns);
	if (input->patient == PATIENT_EACH_ROW)
	{
		relation.columns = repalloc(relation.columns, (relation.ncolumns + 1) * sizeof(SharedColumn));
		relation.columns[relation.ncolumns++] = row_numbers(at, relation.n);
	}
	return relation;
}

/* Types of a node are known before; so what its columns may hold is what was checked. */
static void
set_types(const NodeRun *at, SharedRelation *relation)
{
	Assert(relation->ncolumns == at->type->ncolumns && relation->n <= at->type->rows);
	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedColumn *column = &relation->columns[c];

		Assert(column->type.type.kind == at->type->columns[c].type.kind);
		Assert((column->number.mine != NULL) == column_type_is_number(&at->type->columns[c]));
		Assert((column->null.mine != NULL) == at->type->columns[c].type.nullable);
		column->type = at->type->columns[c];
	}
}

static SharedRelation
execute_node(const NodeRun *at, SharedRelation *children)
{
	switch (at->node->kind)
	{
		case PLAN_SCAN:
			return execute_scan(at);
		case PLAN_FILTER:
			return execute_filter(at, children);
		case PLAN_PROJECT:
			return execute_project(at, children);
		case PLAN_UNION:
			return execute_union(at, children);
		case PLAN_JOIN:
			return execute_join(at, &children[0], &children[1]);
		case PLAN_GROUP:
			return execute_group(at, children);
		case PLAN_SORT:
			return execute_sort(at, children);
		case PLAN_LIMIT:
			return execute_limit(at, children);
		case PLAN_RELEASE:
			return execute_release(at, children);
		case PLAN_STORE:
			return execute_store(at, children);
		case PLAN_MERGE:
			return execute_merge(at, children);
	}
	fail(ERRCODE_SECMED_PROTOCOL, "a node of an unknown kind");
}

/* Children are given back once they are consumed, and the new relation is held. */
static void
run_node(Execution *run, SharedRelation *relations, int number)
{
	const PlanNode *node = &run->checked->plan->nodes[number];
	NodeRun		at = {run, run->self, number, node, &run->checked->nodes[number]};
	SharedRelation *children = palloc0((node->nchildren + 1) * sizeof(SharedRelation));
	uint64		held = 0;

	if (run->executing->step)
		run->executing->step(run->checked, number, run->executing->arg);
	for (int i = 0; i < node->nchildren; i++)
	{
		children[i] = relations[node->children[i]];
		memset(&relations[node->children[i]], 0, sizeof(SharedRelation));
		held += relation_bytes(&children[i]);
	}
	relations[number] = execute_node(&at, children);
	set_types(&at, &relations[number]);
	pfree(children);
	party_release(run->self, held);
	party_reserve(run->self, plan_node_name(node->kind), relation_bytes(&relations[number]));
}

static SharedBits
all_problems(const Execution *run)
{
	SharedBits	all = shared_bits_alloc(1, 0);

	for (int i = 0; i < run->checked->nproblems; i++)
	{
		SharedBits	none = shared_bits_alloc(1, 1);
		SharedBits	more = shared_bits_append(&all, run->problems[i].mine ? &run->problems[i] : &none);

		shared_bits_free(&none);
		shared_bits_free(&all);
		all = more;
	}
	return all;
}

ObliviousResult
execute_plan(Party *self, const CheckedPlan *checked, const PublicValue *params, const Executing *executing)
{
	const ObliviousPlan *plan = checked->plan;
	Execution	run = {self, checked, params, executing};
	SharedRelation *relations = palloc0(plan->nnodes * sizeof(SharedRelation));
	ObliviousResult result;

	run.problems = palloc0((checked->nproblems + 1) * sizeof(SharedBits));
	for (int i = 0; i < plan->nnodes; i++)
		run_node(&run, relations, i);
	result.relation = relations[plan->nnodes - 1];
	result.problems = all_problems(&run);
	party_release(self, relation_bytes(&result.relation));
	for (int i = 0; i < checked->nproblems; i++)
		if (run.problems[i].mine)
			shared_bits_free(&run.problems[i]);
	pfree(run.problems);
	pfree(relations);
	return result;
}

void
oblivious_result_free(ObliviousResult *result)
{
	relation_free(&result->relation);
	shared_bits_free(&result->problems);
}

bool
parameters_fit(const ObliviousPlan *plan, const PublicValue *params, const char **reason)
{
	*reason = NULL;
	for (int i = 0; i < plan->nparams && *reason == NULL; i++)
	{
		const SecretType *type = &plan->params[i];
		uint128		bits;

		if (params[i].null)
		{
			if (!type->nullable)
				*reason = "parameter is NULL";
		}
		else if (type->kind == SECRET_TEXT ? !secret_from_text(&bits, type, params[i].text, params[i].len) :
				 type->kind == SECRET_BOOLEAN ? params[i].number != 0 && params[i].number != 1 :
				 !secret_fits(type, params[i].number))
			*reason = "parameter that does not fit its type";
	}
	return *reason == NULL;
}
