/*
 * join.c
 *	  Rows of two tables whose keys are equal, where one side's keys are unique.
 *
 * The rows of both are sorted together, the unique side's before the other's of the same
 * key.  What they hold is copied down (scan.c), and then all rows go back where they came from: a shuffle,
 * after which the place that each row had may be opened.  So nothing of the other side but its
 * keys ever moves.  [The sorting together: Blanton, Aguiar: Private and Oblivious Set and Multiset
 * Operations, ASIACCS 2012; copying and going back: ours; mpc/README.md, "Join"]
 */
#include "mpc/join.h"

#include "mpc/group.h"
#include "mpc/logic.h"
#include "mpc/place.h"
#include "mpc/rows.h"
#include "mpc/scan.h"

/* Both sides end to end, the unique side first: columns of bits, in this order. */
enum
{
	HERE,						/* valid, and no key is NULL */
	PLACE,						/* where the row was; public, and the last of these to be opened */
	UNIQUE,						/* of the unique side; later: has a row of it before it */
	VALUES						/* the unique side's values; then the keys */
};

/* valid and not NULL: one plane */
static SharedBits
rows_here(Party *self, const JoinSide *side)
{
	const Table *table = side->table;
	SharedBits	all = shared_bits_raw(1 + side->null_count, table->n);
	SharedBits	here = shared_bits_raw(1, table->n);
	SharedBits	part = shared_bits_view(&all, 0, 1);

	shared_bits_copy(&part, &table->slice[side->valid]);
	for (int k = 0; k < side->null_count; k++)
	{
		part = shared_bits_view(&all, 1 + k, 1);
		shared_bits_copy(&part, &table->slice[side->nulls[k]]);
		logic_not(self, &part);
	}
	logic_and_all(self, &here, &all);
	shared_bits_free(&all);
	return here;
}

static SharedBits
both_here(Party *self, const JoinSide *one, const JoinSide *many)
{
	SharedBits	first = rows_here(self, one);
	SharedBits	second = rows_here(self, many);
	SharedBits	both = shared_bits_append(&first, &second);

	shared_bits_free(&first);
	shared_bits_free(&second);
	return both;
}

/* 1 for the first `ones` of n rows, known to all. */
static SharedBits
first_rows(Party *self, size_t ones, size_t n)
{
	SharedBits	yes = shared_bits_alloc(1, ones);
	SharedBits	no = shared_bits_alloc(1, n - ones);
	SharedBits	all;

	logic_constant(self, &yes, true);
	all = shared_bits_append(&yes, &no);
	shared_bits_free(&yes);
	shared_bits_free(&no);
	return all;
}

/* Its columns, of more rows than it has. */
static void
add_values(Table *both, const JoinSide *one)
{
	Table		values = table_create(one->table->n);

	for (int k = 0; k < one->slice_count; k++)
	{
		const SharedBits *column = &one->table->slice[one->slices[k]];

		table_add_slice(&values, shared_bits_cut(column, 0, column->n));
	}
	for (int k = 0; k < one->number_count; k++)
	{
		table_add_number(&values, shared64_alloc(values.n));
		shared64_copy(&values.number[k], &one->table->number[one->numbers[k]]);
	}
	table_pad(&values, both->n);
	columns_beside(both, &values);
	table_destroy(&values);
}

static Table
both_sides(Party *self, const JoinSide *one, const JoinSide *many)
{
	size_t		n1 = one->table->n;
	Table		both = table_create(n1 + many->table->n);

	table_add_slice(&both, both_here(self, one, many));
	table_add_slice(&both, place_row_numbers(self, both.n));
	table_add_slice(&both, first_rows(self, n1, both.n));
	add_values(&both, one);
	for (int k = 0; k < one->key_count; k++)
		table_add_slice(&both, shared_bits_append(&one->table->slice[one->keys[k]],
												  &many->table->slice[many->keys[k]]));
	return both;
}

/* ---- equal keys ---- */

/* In the order of the keys; the unique side's rows were first and so stay first. */
static void
sort_both(Party *self, Table *both, int key_count, SortWork *work)
{
	SortKey    *keys = palloc(Max(key_count, 1) * sizeof(SortKey));

	for (int k = 0; k < key_count; k++)
		keys[k] = (SortKey)
		{
			both->slices - key_count + k, false, false
		};
	sort_table(self, both, keys, key_count, HERE, work);
	pfree(keys);
}

/* For each row but the first: does it have the key of the row before it?  Both are here then. */
static SharedBits
equal_to_previous(Party *self, const Table *both, int key_count)
{
	int		   *keys = palloc(Max(key_count, 1) * sizeof(int));
	Grouping	by = {keys, key_count, HERE};
	SharedBits	same;
	SharedBits	equal;

	for (int k = 0; k < key_count; k++)
		keys[k] = both->slices - key_count + k;
	same = group_same(self, both, &by);
	equal = shared_bits_cut(&same, 0, both->n - 1);
	shared_bits_free(&same);
	pfree(keys);
	return equal;
}

/* A row of the unique side that has the key of the row before it, which then is one too. */
static void
find_duplicate(Party *self, SharedBits *duplicate, const Table *both, const SharedBits *equal)
{
	SharedBits	unique = shared_bits_cut(&both->slice[UNIQUE], 1, both->n - 1);

	logic_and(self, &unique, &unique, equal);
	scan_any(self, duplicate, &unique);
	shared_bits_free(&unique);
}

/* Each row takes UNIQUE and the values from the first row with its key. */
static void
copy_values(Party *self, Table *both, const SharedBits *equal, int slice_count)
{
	SharedBits	first = shared_bits_alloc(1, 1);
	SharedBits	pass = shared_bits_append(&first, equal);

	scan_copy_bits(self, &both->slice[UNIQUE], 1 + slice_count, &pass);
	scan_copy_numbers(self, both->number, both->numbers, &pass);
	shared_bits_free(&first);
	shared_bits_free(&pass);
}

/* The last columns are no longer wanted, nor is the first. */
static void
drop_keys(Table *both, int key_count)
{
	for (int k = 0; k < key_count; k++)
		shared_bits_free(&both->slice[--both->slices]);
	shared_bits_free(&both->slice[HERE]);
	(void) table_remove_slice(both, HERE);
}

/* ---- all of it ---- */

/* A row that matches is valid. */
static void
set_validity(Party *self, JoinKind kind, SharedBits *valid, const SharedBits *matched)
{
	if (kind == JOIN_INNER || kind == JOIN_SEMI)
		shared_bits_copy(valid, matched);
	else if (kind == JOIN_ANTI)
		logic_xor(valid, matched);
}

/* What is zero where nothing matched is to be 1 there. */
static void
set_nulls(Party *self, Table *beside, int count)
{
	for (int c = beside->slices - count; c < beside->slices; c++)
	{
		logic_not(self, &beside->slice[c]);
		logic_xor(&beside->slice[c], &beside->slice[0]);
	}
}

void
join_unique(Party *self, JoinKind kind, const JoinSide *many, const JoinSide *one,
			Table *beside, SharedBits *duplicate, SortWork *work)
{
	Table		both;
	SharedBits	equal;
	uint64		need;

	Assert(many->key_count == one->key_count && many->number_count == 0 && many->slice_count == 0);
	logic_constant(self, duplicate, false);
	if (work)
		memset(work, 0, sizeof(SortWork));
	both = both_sides(self, one, many);
	need = table_bytes(&both);
	party_reserve(self, "joining", need);
	if (both.n > 0)
	{
		sort_both(self, &both, one->key_count, work);
		equal = equal_to_previous(self, &both, one->key_count);
		find_duplicate(self, duplicate, &both, &equal);
		copy_values(self, &both, &equal, one->slice_count);
		shared_bits_free(&equal);
	}
	drop_keys(&both, one->key_count);
	place_by_bits(self, &both, 0, one->table->n, many->table->n);
	party_release(self, need);

	set_validity(self, kind, &many->table->slice[many->valid], &both.slice[0]);
	if (kind == JOIN_LEFT)
		set_nulls(self, &both, one->value_nulls);
	*beside = both;
}
