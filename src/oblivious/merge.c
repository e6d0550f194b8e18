/*
 * merge.c
 *	  MERGE: groups that several sites made become one each, if they have enough patients together.
 *
 * Each site has a group at most once, and counts its own patients.  So rows are grouped by all keys, aggregates
 * merged, counts of patients added (group.c); the sums are compared with the threshold, of all parts at once.
 */
#include "oblivious/operator.h"

#include "mpc/compare.h"
#include "mpc/logic.h"

/* Of each part, end to end, a bit for each group: it has enough patients. */
static SharedBits
enough_patients(const NodeRun *at, const SharedColumn *counts, int parts)
{
	size_t		n = counts[0].number.n;
	Shared64	all = shared64_alloc(parts * n);
	SharedBits	enough = shared_bits_alloc(1, parts * n);

	for (int part = 0; part < parts; part++)
	{
		Shared64	view = shared64_view(&all, part * n, n);

		shared64_copy(&view, &counts[part].number);
	}
	compare_less_public(at->self, &enough, &all, &at->node->patients_min, 1, KIND_INT(counts[0].type.type.bits));
	logic_not(at->self, &enough);
	shared64_free(&all);
	return enough;
}

/* NULL where the part is not shown, beside what was NULL before. */
static void
hide(const NodeRun *at, SharedColumn *column, const SharedBits *shown)
{
	SharedBits	hidden = plane_not(at->self, shown);

	if (column->null.mine)
	{
		logic_or(at->self, &column->null, &column->null, &hidden);
		shared_bits_free(&hidden);
	}
	else
		column->null = hidden;
	column->type.type.nullable = true;
	column->loose = true;
	/* A truth value that is NULL is never 1: conditions rely on it. */
	if (column->type.type.kind == SECRET_BOOLEAN)
		column_tighten(at->self, column);
}

SharedRelation
execute_merge(const NodeRun *at, SharedRelation *child)
{
	const ObliviousPlan *plan = at->run->checked->plan;
	const PlanInput *input = &plan->inputs[plan->nodes[at->node->children[0]].input];
	int			parts = source_parts(input->source);
	int			values = input->ncolumns - parts;
	PlanNode	group;
	RelationType type;
	NodeRun		inner = *at;
	SharedRelation relation;
	SharedBits	enough;

	plan_merge_group(at->run->checked, at->number, &group, &type);
	inner.node = &group;
	inner.type = &type;
	relation = execute_group(&inner, child);
	if (at->node->patients_min > 1)
	{
		SharedColumn *counts = palloc(parts * sizeof(SharedColumn));
		size_t		n = relation.n;

		enough = enough_patients(at, &relation.columns[values], parts);
		memcpy(counts, &relation.columns[values], parts * sizeof(SharedColumn));
		for (int part = 0; part < parts; part++)
		{
			SharedBits	shown = shared_bits_cut(&enough, part * n, n);

			column_free(&counts[part]);
			for (int i = 0; i < input->source->naggregates && part > 0; i++)
				if (input->source->aggregates[i].part == part)
					hide(at, &relation.columns[values - input->source->naggregates + i], &shown);
			if (part > 0)
			{
				relation.columns[values + part - 1] = (SharedColumn) {.type = column_type(secret_boolean()),.bits = shown};
				continue;
			}
			logic_and(at->self, &relation.valid, &relation.valid, &shown);
			shared_bits_free(&shown);
		}
		relation.valid_first = false;
		relation.ncolumns--;
		shared_bits_free(&enough);
		pfree(counts);
		return relation;
	}
	for (int part = 0; part < parts; part++)
		column_free(&relation.columns[values + part]);
	relation.ncolumns -= parts;
	return relation;
}
