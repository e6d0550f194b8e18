/*
 * join.c
 *	  JOIN: rows of two relations whose keys are equal.
 */
#include "oblivious/operator.h"

#include "mpc/join.h"
#include "mpc/logic.h"
#include "mpc/rows.h"

/* A side with its keys as bits, as wide as those of the other. */
typedef struct KeyedSide
{
	SharedRelation *relation;
	Table		table;
	int			keys[KEYS_MAX];
	int			nulls[KEYS_MAX];
	int			nnulls;
	int		   *numbers;		/* columns that go beside the other side's rows */
	int		   *slices;			/* the same; last those that say where a value is NULL */
	JoinSide	side;
} KeyedSide;

static void
add_key(const NodeRun *at, KeyedSide *keyed, int which, int column, int planes)
{
	SharedColumn *key = &keyed->relation->columns[column];

	keyed->keys[which] = table_place_slice(&keyed->table, column_to_planes(at->self, key, planes));
	if (key->null.mine)
		keyed->nulls[keyed->nnulls++] = relation_null_place(keyed->relation, column);
}

/* Of both sides, so that equal values are equal bits. */
static int
planes_of_key(const NodeRun *at, int which)
{
	const RelationType *left = &at->run->checked->nodes[at->node->children[0]];
	const RelationType *right = &at->run->checked->nodes[at->node->children[1]];
	ColumnType	both = {{0}};

	column_type_join(&both, &left->columns[at->node->keys[which]], &right->columns[at->node->right_keys[which]]);
	return column_planes(&both);
}

/* The columns of the relation in the table, then its keys. */
static void
key_side(const NodeRun *at, KeyedSide *keyed, SharedRelation *relation, const int *keys)
{
	memset(keyed, 0, sizeof(KeyedSide));
	keyed->relation = relation;
	keyed->table = relation_to_table(relation);
	for (int k = 0; k < at->node->nkeys; k++)
		add_key(at, keyed, k, keys[k], planes_of_key(at, k));
	keyed->side = (JoinSide) {&keyed->table, keyed->keys, at->node->nkeys, keyed->nulls, keyed->nnulls, 0};
}

/* All columns of the relation go along. */
static void
bring_columns(KeyedSide *keyed)
{
	const SharedRelation *relation = keyed->relation;
	int			count = 0;

	keyed->numbers = palloc((relation->ncolumns + 1) * sizeof(int));
	keyed->slices = palloc((2 * relation->ncolumns + 1) * sizeof(int));
	for (int c = 0; c < relation->ncolumns; c++)
	{
		if (relation->columns[c].number.mine)
			keyed->numbers[keyed->side.number_count++] = relation_value_place(relation, c);
		else
			keyed->slices[count++] = relation_value_place(relation, c);
	}
	for (int c = 0; c < relation->ncolumns; c++)
		if (relation->columns[c].null.mine)
		{
			keyed->slices[count++] = relation_null_place(relation, c);
			keyed->side.value_nulls++;
		}
	keyed->side.numbers = keyed->numbers;
	keyed->side.slices = keyed->slices;
	keyed->side.slice_count = count;
}

static void
end_side(KeyedSide *keyed)
{
	table_drop(&keyed->table, 0, keyed->side.key_count);
	relation_from_table(keyed->relation, &keyed->table);
	if (keyed->numbers)
	{
		pfree(keyed->numbers);
		pfree(keyed->slices);
	}
}

/*
 * Columns that lie in a table in the order of bring_columns(), from these places on; the relation gets
 * their memory, and the table keeps it no more.
 */
static void
take_columns(SharedRelation *relation, int first, const SharedRelation *like, Table *table, int number, int slice)
{
	for (int c = 0; c < like->ncolumns; c++)
	{
		SharedColumn *column = &relation->columns[first + c];

		*column = (SharedColumn) {.type = like->columns[c].type, .loose = like->columns[c].loose};
		if (like->columns[c].number.mine)
			column->number = table->number[number++];
		else
			column->bits = table->slice[slice++];
	}
	for (int c = 0; c < like->ncolumns; c++)
		if (like->columns[c].null.mine)
			relation->columns[first + c].null = table->slice[slice++];
}

/* ---- no unique key ---- */

static SharedRelation
join_by_many(const NodeRun *at, SharedRelation *left, SharedRelation *right)
{
	uint64		pairs = (uint64) left->n * right->n;
	size_t		size = Max(Min(at->node->rows, pairs), 1);
	SharedRelation relation = {size, at->type->ncolumns};
	Shared64	rows = shared64_zero(1);
	KeyedSide	sides[2];
	Table		joined;

	key_side(at, &sides[0], left, at->node->keys);
	key_side(at, &sides[1], right, at->node->right_keys);
	bring_columns(&sides[0]);
	bring_columns(&sides[1]);
	join_many(at->self, &sides[0].side, &sides[1].side, size, &joined, &rows, NULL);
	note_rows(at, &rows, at->node->rows, pairs);

	relation.columns = palloc0((relation.ncolumns + 1) * sizeof(SharedColumn));
	relation.valid = joined.slice[0];
	take_columns(&relation, 0, left, &joined, 0, 1);
	take_columns(&relation, left->ncolumns, right, &joined, sides[0].side.number_count, 1 + sides[0].side.slice_count);
	shared64_free(&rows);
	pfree(joined.number);
	pfree(joined.slice);
	end_side(&sides[0]);
	end_side(&sides[1]);
	relation_free(left);
	relation_free(right);
	return relation;
}

/* ---- a unique key on the right ---- */

static bool
may_have_problem(const NodeRun *at, ProblemKind kind)
{
	const CheckedPlan *checked = at->run->checked;

	for (int i = 0; i < checked->nproblems; i++)
		if (checked->problems[i].kind == kind && checked->problems[i].node == at->number)
			return true;
	return false;
}

static JoinKind
kind_of_form(JoinForm form)
{
	static const JoinKind kinds[] = {JOIN_INNER, JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI};

	return kinds[form];
}

/* Left columns, and those beside them. */
static SharedRelation
put_beside(const NodeRun *at, SharedRelation *left, const SharedRelation *right, Table *beside)
{
	SharedRelation relation = *left;

	relation.ncolumns = at->type->ncolumns;
	relation.columns = repalloc(relation.columns, (relation.ncolumns + 1) * sizeof(SharedColumn));
	take_columns(&relation, left->ncolumns, right, beside, 0, 1);
	for (int c = left->ncolumns; c < relation.ncolumns && at->node->form == JOIN_FORM_LEFT; c++)
		if (relation.columns[c].null.mine == NULL)
			relation.columns[c].null = plane_not(at->self, &beside->slice[0]);
	shared_bits_free(&beside->slice[0]);
	pfree(beside->number);
	pfree(beside->slice);
	return relation;
}

static SharedRelation
join_by_unique(const NodeRun *at, SharedRelation *left, SharedRelation *right)
{
	bool		both = at->node->form <= JOIN_FORM_LEFT;
	KeyedSide	many;
	KeyedSide	one;
	Table		beside;
	SharedBits	duplicate = shared_bits_alloc(1, 1);
	SharedRelation relation;

	key_side(at, &many, left, at->node->keys);
	key_side(at, &one, right, at->node->right_keys);
	if (both)
		bring_columns(&one);
	join_unique(at->self, kind_of_form(at->node->form), &many.side, &one.side, &beside, &duplicate, NULL);
	end_side(&many);
	end_side(&one);
	left->valid_first = false;
	if (may_have_problem(at, PROBLEM_KEYS))
		note_problem(at, PROBLEM_KEYS, &duplicate);
	else
		shared_bits_free(&duplicate);
	if (both)
		relation = put_beside(at, left, right, &beside);
	else
	{
		relation = *left;
		table_destroy(&beside);
	}
	relation_free(right);
	return relation;
}

/* Nothing but the keys, each but once. */
static void
make_distinct(const NodeRun *at, SharedRelation *right)
{
	KeyedSide	keyed;
	int			keys[2 * KEYS_MAX];

	key_side(at, &keyed, right, at->node->right_keys);
	memcpy(keys, keyed.keys, keyed.side.key_count * sizeof(int));
	memcpy(keys + keyed.side.key_count, keyed.nulls, keyed.nnulls * sizeof(int));
	rows_distinct(at->self, &keyed.table, keys, keyed.side.key_count + keyed.nnulls, 0, keyed.table.n, NULL, NULL);
	end_side(&keyed);
}

/* Keys that are NULL hold zero. */
static void
tighten_keys(const NodeRun *at, SharedRelation *relation, const int *keys)
{
	for (int k = 0; k < at->node->nkeys; k++)
		column_tighten(at->self, &relation->columns[keys[k]]);
}

SharedRelation
execute_join(const NodeRun *at, SharedRelation *left, SharedRelation *right)
{
	bool		semi = at->node->form == JOIN_FORM_SEMI || at->node->form == JOIN_FORM_ANTI;

	tighten_keys(at, left, at->node->keys);
	tighten_keys(at, right, at->node->right_keys);
	if (semi && !may_have_problem(at, PROBLEM_KEYS))
		make_distinct(at, right);
	return at->node->rows ? join_by_many(at, left, right) : join_by_unique(at, left, right);
}
