/*
 * keys.c
 *	  Sort keys of shuffled rows, one row after the other.
 *
 * Rows are moved and compared far more often than they are sliced, so keys lie
 * by rows, both summands next to each other, and are sliced anew for each comparison:
 * VECTOR_BLOCK pairs at a time, in the cache.
 */
#include "mpc/keys.h"

#include "crypto/hash.h"
#include "share/memory.h"
#include "share/vector.h"

/* ---- which planes a key is made of ---- */

typedef struct KeyPlane
{
	uint64	   *mine;
	uint64	   *next;
	bool		inverted;
} KeyPlane;

int
keys_planes(const Table *table, const KeySource *source)
{
	int			planes = table->slice[source->number].planes + (source->valid == SORT_ALL_VALID ? 0 : 1);

	for (int k = 0; k < source->count; k++)
		planes += table->slice[source->keys[k].slice].planes;
	return planes;
}

static int
add_column(KeyPlane *planes, int used, const SharedBits *column, bool invert_all, bool invert_top)
{
	for (int k = 0; k < column->planes; k++)
	{
		size_t		at = k * BIT_WORDS(column->n);

		/* A column that has been taken out has no planes to be looked at. */
		planes[used + k].mine = column->mine ? column->mine + at : NULL;
		planes[used + k].next = column->next ? column->next + at : NULL;
		planes[used + k].inverted = invert_all != (invert_top && k == column->planes - 1);
	}
	return used + column->planes;
}

static KeyPlane *
list_planes(const Table *table, const KeySource *source)
{
	KeyPlane   *planes = palloc(keys_planes(table, source) * sizeof(KeyPlane));
	int			used = add_column(planes, 0, &table->slice[source->number], false, false);

	for (int k = source->count - 1; k >= 0; k--)
	{
		const SortKey *key = &source->keys[k];

		used = add_column(planes, used, &table->slice[key->slice], key->descending, key->is_signed);
	}
	if (source->valid != SORT_ALL_VALID)
		used = add_column(planes, used, &table->slice[source->valid], true, false);
	Assert(used == keys_planes(table, source));
	return planes;
}

/* Is the column in the key, so that it needs no vectors of its own? */
static bool
in_key(const KeySource *source, int column)
{
	bool		found = column == source->valid || column == source->number;

	for (int k = 0; k < source->count; k++)
		found |= column == source->keys[k].slice;
	return found;
}

static bool
all_in_key(const Table *table, const KeySource *source)
{
	for (int c = 0; c < table->slices; c++)
	{
		if (!in_key(source, c))
			return false;
	}
	return table->numbers == 0;
}

/* ---- into rows and back ---- */

static KeyRows
layout(const Table *table, const KeySource *source, size_t spare_rows)
{
	KeyRows		rows = {table->n, keys_planes(table, source)};

	rows.parts = (rows.planes + 31) / 32;
	rows.numbered = !all_in_key(table, source);
	rows.units = 2 * rows.parts + (rows.numbered ? 1 : 0);
	rows.spare_rows = spare_rows;
	return rows;
}

static size_t
rows_bytes(const KeyRows *rows, size_t n)
{
	return n * rows->units * sizeof(uint32);
}

uint64
keys_bytes(const Table *table, const KeySource *source, size_t spare_rows)
{
	KeyRows		rows = layout(table, source, spare_rows);

	return rows_bytes(&rows, rows.n + spare_rows);
}

uint64
keys_others_bytes(const Table *table, const KeySource *source)
{
	uint64		bytes = table_bytes(table);

	for (int c = 0; c < table->slices; c++)
	{
		if (in_key(source, c))
			bytes -= 2 * sizeof(uint64) * table->slice[c].planes * (uint64) BIT_WORDS(table->n);
	}
	return bytes;
}

static inline uint32 *
row_at(const KeyRows *rows, size_t v)
{
	return rows->unit + v * rows->units;
}

/* Does this party invert this summand of a bit?  Summand 0 is flipped, by the two who hold it. */
static inline bool
flips(const Party *self, bool next)
{
	return self->index == (next ? 2 : 0);
}

/* Planes 32 * part and on of one summand: for all rows a word of its own. */
static void
load_part(Party *self, KeyRows *rows, const KeyPlane *planes, int part, bool next)
{
	int			count = Min(32, rows->planes - 32 * part);
	uint64	   *planes_of[64];
	uint64		values[VECTOR_BLOCK];
	uint64		inverted = 0;

	for (int k = 0; k < count; k++)
	{
		const KeyPlane *plane = &planes[32 * part + k];

		planes_of[k] = next ? plane->next : plane->mine;
		if (plane->inverted && flips(self, next))
			inverted |= UINT64CONST(1) << k;
	}
	for (size_t at = 0; at < rows->n; at += VECTOR_BLOCK)
	{
		size_t		len = Min(VECTOR_BLOCK, rows->n - at);

		bits_unslice_planes(values, planes_of, count, at / 64, len);
		for (size_t v = 0; v < len; v++)
			row_at(rows, at + v)[next * rows->parts + part] = values[v] ^ inverted;
	}
	wipe(values, sizeof(values));
}

static void
store_part(Party *self, const KeyRows *rows, const KeyPlane *planes, int part, bool next)
{
	int			count = Min(32, rows->planes - 32 * part);
	uint64	   *planes_of[64];
	uint64		values[VECTOR_BLOCK];
	uint64		inverted = 0;
	uint64		unwanted[VECTOR_BLOCK_WORDS];

	for (size_t at = 0; at < rows->n; at += VECTOR_BLOCK)
	{
		size_t		len = Min(VECTOR_BLOCK, rows->n - at);

		for (int k = 0; k < count; k++)
		{
			const KeyPlane *plane = &planes[32 * part + k];

			if (plane->inverted && flips(self, next))
				inverted |= UINT64CONST(1) << k;
			/* The column of row numbers does not come back. */
			planes_of[k] = plane->mine == NULL ? unwanted : (next ? plane->next : plane->mine) + at / 64;
		}
		for (size_t v = 0; v < len; v++)
			values[v] = row_at(rows, at + v)[next * rows->parts + part] ^ inverted;
		bits_slice_planes(planes_of, count, 0, values, len);
	}
	wipe(values, sizeof(values));
	wipe(unwanted, sizeof(unwanted));
}

void
keys_take(Party *self, KeyRows *rows, Table *table, const KeySource *source, size_t spare_rows)
{
	KeyPlane   *planes = list_planes(table, source);

	*rows = layout(table, source, spare_rows);
	rows->unit = vector_alloc(rows_bytes(rows, rows->n));
	rows->spare = vector_alloc(rows_bytes(rows, rows->spare_rows));
	for (int part = 0; part < rows->parts; part++)
	{
		load_part(self, rows, planes, part, false);
		load_part(self, rows, planes, part, true);
	}
	for (size_t v = 0; rows->numbered && v < rows->n; v++)
		row_at(rows, v)[rows->units - 1] = v;
	for (int c = 0; c < table->slices; c++)
	{
		SharedBits *column = &table->slice[c];
		int			width = column->planes;

		if (in_key(source, c))
		{
			shared_bits_free(column);
			column->planes = width;
			column->n = rows->n;
		}
	}
	pfree(planes);
}

/* The table without the columns that are in the key moves to where its rows are now. */
static void
take_others(Table *table, const KeySource *source, const uint32 *from)
{
	Table		others = *table;

	others.slices = 0;
	others.slice = palloc(table->slices * sizeof(SharedBits));
	for (int c = 0; c < table->slices; c++)
	{
		if (!in_key(source, c))
			others.slice[others.slices++] = table->slice[c];
	}
	table_take(&others, from, table->n);
	for (int c = 0, k = 0; c < table->slices; c++)
	{
		if (!in_key(source, c))
			table->slice[c] = others.slice[k++];
	}
	pfree(others.slice);
}

static void
free_rows(KeyRows *rows)
{
	vector_free(rows->unit, rows_bytes(rows, rows->n));
	vector_free(rows->spare, rows_bytes(rows, rows->spare_rows));
}

void
keys_put_back(Party *self, KeyRows *rows, Table *table, const KeySource *source)
{
	KeyPlane   *planes;
	uint32	   *from = NULL;

	for (int c = 0; c < table->slices; c++)
	{
		if (in_key(source, c) && c != source->number)
			table->slice[c] = shared_bits_raw(table->slice[c].planes, rows->n);
	}
	planes = list_planes(table, source);
	for (int part = 0; part < rows->parts; part++)
	{
		store_part(self, rows, planes, part, false);
		store_part(self, rows, planes, part, true);
	}
	pfree(planes);
	if (rows->numbered)
	{
		from = vector_alloc(rows->n * sizeof(uint32));
		for (size_t v = 0; v < rows->n; v++)
			from[v] = row_at(rows, v)[rows->units - 1];
	}
	free_rows(rows);
	if (from)
	{
		take_others(table, source, from);
		vector_free(from, table->n * sizeof(uint32));
	}
}

/* ---- rows in other places ---- */

void
keys_swap(KeyRows *rows, size_t u, size_t v)
{
	uint32	   *a = row_at(rows, u);
	uint32	   *b = row_at(rows, v);

	for (int k = 0; k < rows->units; k++)
	{
		uint32		unit = a[k];

		a[k] = b[k];
		b[k] = unit;
	}
}

void
keys_set_aside(KeyRows *rows, size_t spare, size_t from, size_t n)
{
	Assert(spare + n <= rows->spare_rows);
	memcpy(rows->spare + spare * rows->units, row_at(rows, from), rows_bytes(rows, n));
}

void
keys_bring_back(KeyRows *rows, size_t to, size_t spare, size_t n)
{
	memcpy(row_at(rows, to), rows->spare + spare * rows->units, rows_bytes(rows, n));
}

void
keys_move(KeyRows *rows, size_t to, size_t from, size_t n)
{
	memmove(row_at(rows, to), row_at(rows, from), rows_bytes(rows, n));
}

/* ---- pairs ---- */

/* Parts 2 k and 2 k + 1, if there are two. */
static inline uint64
read_word(const uint32 *parts, bool two)
{
	return two ? parts[0] | (uint64) parts[1] << 32 : parts[0];
}

/* The bits of one word for all pairs. */
static void
fill_plane(uint64 *a, uint64 word, int planes)
{
	for (int k = 0; k < planes; k++)
	{
		for (int w = 0; w < VECTOR_BLOCK_WORDS; w++)
			a[k * VECTOR_BLOCK_WORDS + w] = -(word >> k & 1);
	}
}

/*
 * Where all pairs have the same right row, as they have while a large segment is split: the left rows
 * lie one behind the other (order.h).
 */
static void
slice_against_one(const KeyRows *rows, const uint32 *first, bool two, const uint32 *left, uint64 pivot,
				  size_t pairs, int planes, uint64 *a, uint64 *p)
{
	uint64		(*both)[VECTOR_BLOCK_WORDS] = (void *) p;
	const uint32 *row = first + (size_t) left[0] * rows->units;

	for (size_t m = 0; m < pairs; m++, row += rows->units)
	{
		Assert(left[m] == left[0] + m);
		both[m % 64][m / 64] = pivot ^ read_word(row, two);
	}
	vector_slice(both, planes);
	fill_plane(a, pivot, planes);
}

static void
slice_against_many(const KeyRows *rows, const uint32 *first, bool two, const uint32 *left,
				   const uint32 *right, size_t pairs, int planes, uint64 *a, uint64 *p)
{
	uint64		(*of_right)[VECTOR_BLOCK_WORDS] = (void *) a;
	uint64		(*both)[VECTOR_BLOCK_WORDS] = (void *) p;

	for (size_t m = 0; m < pairs; m++)
	{
		uint64		word = read_word(first + (size_t) right[m] * rows->units, two);

		of_right[m % 64][m / 64] = word;
		both[m % 64][m / 64] = word ^ read_word(first + (size_t) left[m] * rows->units, two);
	}
	vector_slice(of_right, planes);
	vector_slice(both, planes);
}

/* Pairs come in the order of their right rows, so the first and the last tell whether there are several. */
void
keys_slice_pairs(const KeyRows *rows, bool next, const uint32 *left, const uint32 *right,
				 size_t pairs, uint64 *a, uint64 *p)
{
	for (int part = 0; part < rows->parts; part += 2)
	{
		const uint32 *first = rows->unit + next * rows->parts + part;
		bool		two = part + 1 < rows->parts;
		int			planes = Min(64, rows->planes - 32 * part);
		uint64	   *to_a = a + 32 * part * VECTOR_BLOCK_WORDS;
		uint64	   *to_p = p + 32 * part * VECTOR_BLOCK_WORDS;

		if (pairs < VECTOR_BLOCK)
		{
			memset(to_a, 0, 64 * VECTOR_BLOCK_WORDS * sizeof(uint64));
			memset(to_p, 0, 64 * VECTOR_BLOCK_WORDS * sizeof(uint64));
		}
		if (right[0] == right[pairs - 1])
			slice_against_one(rows, first, two, left,
							  read_word(first + (size_t) right[0] * rows->units, two), pairs, planes, to_a, to_p);
		else
			slice_against_many(rows, first, two, left, right, pairs, planes, to_a, to_p);
	}
}
