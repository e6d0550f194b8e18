/*
 * adder.c
 *	  Carries of a binary addition: one of them, or all.
 *
 * Two spans, low and high, become one:
 *
 *	  a = a_high ^ p_high (a_high ^ a_low)		p = p_high p_low
 *
 * A span that begins at leaf 0 never needs its p.  Which spans are joined, in
 * which round, is a table of joins; what it costs is counted from the same table.
 */
#include "mpc/adder.h"

/* 128 bits, and the carry that goes in. */
#define LEAVES_MAX	129

typedef struct Join
{
	int			high;
	int			low;
	bool		with_p;
} Join;

int
log2_up(int x)
{
	int			k = 0;

	while (1 << k < x)
		k++;
	return k;
}

/* The spans of one addition. */
typedef struct Spans
{
	PlaneRef	a[LEAVES_MAX];
	PlaneRef	p[LEAVES_MAX];
} Spans;

/*
 * a[high] and p[high] become those of both, in `trees` additions at the same
 * time: first the gates of all a, then those of p.
 */
static void
run_joins(Party *self, const Join *joins, int count, const Spans *spans, int trees, size_t n)
{
	Gate	   *gates = palloc0(2 * Max(count, 1) * trees * sizeof(Gate));
	int			used = 0;

	for (int t = 0; t < trees; t++)
	{
		for (int j = 0; j < count; j++)
		{
			Gate	   *gate = &gates[used++];

			gate->z = gate->v = gate->y = spans[t].a[joins[j].high];
			gate->y2 = spans[t].a[joins[j].low];
			gate->x = spans[t].p[joins[j].high];
		}
	}
	for (int t = 0; t < trees; t++)
	{
		for (int j = 0; j < count; j++)
		{
			if (joins[j].with_p)
			{
				Gate	   *gate = &gates[used++];

				gate->z = gate->x = spans[t].p[joins[j].high];
				gate->y = spans[t].p[joins[j].low];
			}
		}
	}
	logic_gates(self, gates, used, n);
	pfree(gates);
}

static void
spans_of(Spans *spans, const SharedBits *a, const SharedBits *p)
{
	Assert(a->planes <= LEAVES_MAX && p->planes == a->planes && p->n == a->n);
	for (int k = 0; k < a->planes; k++)
	{
		spans->a[k] = plane_ref(a, k);
		spans->p[k] = plane_ref(p, k);
	}
}

/* ---- the last carry ---- */

/* Neighbours among the `left` spans are joined into the higher one's place. */
static int
joins_of_neighbours(Join *joins, int left)
{
	for (int j = 0; j < left / 2; j++)
		joins[j] = (Join)
		{
			2 * j + 1, 2 * j, j > 0
		};
	return left / 2;
}

/* Span j of the next level is where spans 2j and 2j + 1 were; one left over moves along. */
static void
halve(PlaneRef *refs, int left)
{
	for (int j = 0; j < left / 2; j++)
		refs[j] = refs[2 * j + 1];
	if (left % 2 == 1)
		refs[left / 2] = refs[left - 1];
}

void
adder_tops(Party *self, int count, SharedBits *top, SharedBits *a, SharedBits *p)
{
	Spans		spans[ADDER_TOPS_MAX];
	Join		joins[LEAVES_MAX];

	Assert(count <= ADDER_TOPS_MAX);
	for (int t = 0; t < count; t++)
		spans_of(&spans[t], &a[t], &p[t]);
	for (int left = a->planes; left > 1; left = (left + 1) / 2)
	{
		run_joins(self, joins, joins_of_neighbours(joins, left), spans, count, a->n);
		for (int t = 0; t < count; t++)
		{
			halve(spans[t].a, left);
			halve(spans[t].p, left);
		}
	}
	for (int t = 0; t < count; t++)
	{
		SharedBits	last = {spans[t].a[0].mine, spans[t].a[0].next, 1, a->n};

		shared_bits_copy(&top[t], &last);
	}
}

void
adder_top(Party *self, SharedBits *top, SharedBits *a, SharedBits *p)
{
	adder_tops(self, 1, top, a, p);
}

int
carry_rounds(int leaves)
{
	return log2_up(leaves);
}

int
carry_gates(int leaves)
{
	int			gates = 0;

	for (int left = leaves; left > 1; left = (left + 1) / 2)
		gates += 2 * (left / 2) - 1;
	return gates;
}

/* ---- two carries ---- */

/* The leaves that stand for the spans of one tree. */
typedef struct Tree
{
	int			leaf[LEAVES_MAX];
	int			left;
	bool		has_p;			/* so has its first span */
} Tree;

static void
tree_init(Tree *tree, int first, int leaves, bool has_p)
{
	tree->left = leaves;
	tree->has_p = has_p;
	for (int k = 0; k < leaves; k++)
		tree->leaf[k] = first + k;
}

/* Joins of neighbours, appended to those of other trees; returns how many there are now. */
static int
tree_joins(Tree *tree, Join *joins, int count)
{
	for (int j = 0; j < tree->left / 2; j++)
	{
		joins[count++] = (Join)
		{
			tree->leaf[2 * j + 1], tree->leaf[2 * j], j > 0 || tree->has_p
		};
		tree->leaf[j] = tree->leaf[2 * j + 1];
	}
	if (tree->left % 2 == 1)
		tree->leaf[tree->left / 2] = tree->leaf[tree->left - 1];
	tree->left = (tree->left + 1) / 2;
	return count;
}

/* The lower leaves up to split and the upper ones, at the same time; then both. */
static int
split_joins(Join *joins, int leaves, int split, int round)
{
	Tree		lower;
	Tree		upper;
	int			count = 0;
	bool		joined = split + 1 >= leaves;

	tree_init(&lower, 0, split + 1, false);
	tree_init(&upper, split + 1, leaves - split - 1, true);
	for (;;)
	{
		if (lower.left > 1 || upper.left > 1)
			count = tree_joins(&upper, joins, tree_joins(&lower, joins, 0));
		else if (!joined)
		{
			joins[0] = (Join)
			{
				upper.leaf[0], lower.leaf[0], false
			};
			count = 1;
			joined = true;
		}
		else
			return -1;
		if (round-- == 0)
			return count;
	}
}

void
adder_split(Party *self, SharedBits *low, SharedBits *top,
			SharedBits *a, SharedBits *p, int split)
{
	Spans		spans;
	Join		joins[LEAVES_MAX];
	int			count;
	SharedBits	low_leaf = shared_bits_view(a, split, 1);
	SharedBits	top_leaf = shared_bits_view(a, a->planes - 1, 1);

	Assert(low->planes == 1 && top->planes == 1);
	spans_of(&spans, a, p);
	for (int round = 0; (count = split_joins(joins, a->planes, split, round)) >= 0; round++)
		run_joins(self, joins, count, &spans, 1, a->n);
	shared_bits_copy(low, &low_leaf);
	shared_bits_copy(top, &top_leaf);
}

int
split_rounds(int leaves, int split)
{
	Join		joins[LEAVES_MAX];
	int			round = 0;

	while (split_joins(joins, leaves, split, round) >= 0)
		round++;
	return round;
}

static int
gates_of(const Join *joins, int count)
{
	int			gates = 0;

	for (int j = 0; j < count; j++)
		gates += joins[j].with_p ? 2 : 1;
	return gates;
}

int
split_gates(int leaves, int split)
{
	Join		joins[LEAVES_MAX];
	int			gates = 0;
	int			count;

	for (int round = 0; (count = split_joins(joins, leaves, split, round)) >= 0; round++)
		gates += gates_of(joins, count);
	return gates;
}

/* ---- all carries ---- */

/* Of every `stride` leaves the last joins the one half a stride before it. */
static int
joins_up(Join *joins, int leaves, int stride)
{
	int			count = 0;

	for (int high = stride - 1; high < leaves; high += stride)
		joins[count++] = (Join)
		{
			high, high - stride / 2, high >= stride
		};
	return count;
}

/* Sklansky over the last leaves of the quarters: those in an upper half join the end of the lower. */
static int
joins_across(Join *joins, int leaves, int bit)
{
	int			count = 0;

	for (int j = 0; j < leaves / 4; j++)
	{
		int			half = j >> bit;

		if (half % 2 == 1)
			joins[count++] = (Join)
			{
				4 * j + 3, 4 * (half << bit) - 1, half > 1
			};
	}
	return count;
}

/* Leaves `stride` / 2 after one whose carry is complete. */
static int
joins_down(Join *joins, int leaves, int stride)
{
	int			count = 0;

	for (int high = stride + stride / 2 - 1; high < leaves; high += stride)
		joins[count++] = (Join)
		{
			high, high - stride / 2, false
		};
	return count;
}

/* The joins of round `round`; -1 after the last.  A round without any is left out. */
static int
prefix_joins(Join *joins, int leaves, int round)
{
	int			across = log2_up(leaves / 4);
	int			levels = across + 4;

	for (int level = 0; level < levels; level++)
	{
		int			count;

		if (level == 0)
			count = joins_up(joins, leaves, 2);
		else if (level == 1)
			count = joins_up(joins, leaves, 4);
		else if (level < 2 + across)
			count = joins_across(joins, leaves, level - 2);
		else
			count = joins_down(joins, leaves, level == 2 + across ? 4 : 2);
		if (count > 0 && round-- == 0)
			return count;
	}
	return -1;
}

void
adder_prefix(Party *self, SharedBits *a, SharedBits *p)
{
	Spans		spans;
	Join		joins[LEAVES_MAX];
	int			count;

	spans_of(&spans, a, p);
	for (int round = 0; (count = prefix_joins(joins, a->planes, round)) >= 0; round++)
		run_joins(self, joins, count, &spans, 1, a->n);
}

int
prefix_rounds(int leaves)
{
	Join		joins[LEAVES_MAX];
	int			round = 0;

	while (prefix_joins(joins, leaves, round) >= 0)
		round++;
	return round;
}

int
prefix_gates(int leaves)
{
	Join		joins[LEAVES_MAX];
	int			gates = 0;
	int			count;

	for (int round = 0; (count = prefix_joins(joins, leaves, round)) >= 0; round++)
		gates += gates_of(joins, count);
	return gates;
}
