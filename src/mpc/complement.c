/*
 * complement.c
 *	  Cells that would give back a withheld one, by subtraction from a total.
 *
 * The margins of a table lie one behind the other in one vector of bits, line after line, so that
 * all of them take the same rounds.  Where a cell is in it follows from the public sizes of the keys.
 */
#include "mpc/complement.h"

#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* The places of all margins: each is a cell of a line. */
typedef struct Places
{
	size_t		n;
	size_t		cells;
	size_t		parts;
	int			margins;
	size_t		nlines;
	size_t		longest;		/* cells of a line, at most */
	uint32	   *cell;			/* of each place */
	uint32	   *line;
	uint32	   *behind;			/* how many come behind it in its line */
} Places;

/* ---- where things are ---- */

/* Which keys a margin sums out: one bit each. */
static uint32
margin_keys(const CellTable *table, int margin)
{
	if (table->nkeys <= COMPLEMENT_KEYS_MAX)
		return margin + 1;
	return margin < table->nkeys ? (uint32) 1 << margin : ((uint32) 1 << table->nkeys) - 1;
}

static int
margins_of(const CellTable *table)
{
	return table->nkeys <= COMPLEMENT_KEYS_MAX ? (1 << table->nkeys) - 1 : table->nkeys + 1;
}

static size_t
cells_of(const CellTable *table)
{
	size_t		cells = 1;

	for (int k = 0; k < table->nkeys; k++)
		cells *= table->sizes[k];
	return cells;
}

static size_t
line_length(const CellTable *table, uint32 keys)
{
	size_t		length = 1;

	for (int k = 0; k < table->nkeys; k++)
		if (keys >> k & 1)
			length *= table->sizes[k];
	return length;
}

/* The number of a line and a position in it make up a cell's values of the keys. */
static size_t
cell_at(const CellTable *table, uint32 keys, size_t line, size_t position)
{
	size_t		cell = 0;
	size_t		step = 1;

	for (int k = table->nkeys - 1; k >= 0; k--)
	{
		size_t	   *from = keys >> k & 1 ? &position : &line;

		cell += *from % table->sizes[k] * step;
		*from /= table->sizes[k];
		step *= table->sizes[k];
	}
	return cell;
}

/* Sizes only; the arrays are filled in by places_make(). */
static Places
places_size(const CellTable *table)
{
	Places		places = {.cells = cells_of(table), .parts = table->parts, .margins = margins_of(table), .longest = 1};

	places.n = places.cells * places.margins;
	for (int m = 0; m < places.margins; m++)
	{
		size_t		length = line_length(table, margin_keys(table, m));

		places.nlines += places.cells / length;
		places.longest = Max(places.longest, length);
	}
	return places;
}

static Places
places_make(const CellTable *table)
{
	Places		places = places_size(table);
	size_t		at = 0;
	size_t		first_line = 0;

	places.cell = palloc(places.n * sizeof(uint32));
	places.line = palloc(places.n * sizeof(uint32));
	places.behind = palloc(places.n * sizeof(uint32));
	for (int m = 0; m < places.margins; m++)
	{
		uint32		keys = margin_keys(table, m);
		size_t		length = line_length(table, keys);

		for (size_t i = 0; i < places.cells; i++, at++)
		{
			places.line[at] = first_line + i / length;
			places.behind[at] = length - 1 - i % length;
			places.cell[at] = cell_at(table, keys, i / length, i % length);
		}
		first_line += places.cells / length;
	}
	return places;
}

static void
places_free(Places *places)
{
	pfree(places->cell);
	pfree(places->line);
	pfree(places->behind);
}

/* ---- bits of one plane, moved by public numbers ---- */

static void
move_bit(SharedBits *to, size_t at, const SharedBits *from, size_t which)
{
	to->mine[at / 64] |= (from->mine[which / 64] >> which % 64 & 1) << at % 64;
	to->next[at / 64] |= (from->next[which / 64] >> which % 64 & 1) << at % 64;
}

/* Of each part of each place the bit of its cell, or of its line. */
static SharedBits
spread(const Places *places, const uint32 *where, const SharedBits *bits)
{
	SharedBits	z = shared_bits_alloc(1, places->n * places->parts);

	for (size_t i = 0; i < places->n; i++)
		for (size_t p = 0; p < places->parts; p++)
			move_bit(&z, i * places->parts + p, bits, where[i] * places->parts + p);
	return z;
}

/* The bit of the place that is so far behind, in the same line; elsewhere 0. */
static SharedBits
shift(const Places *places, const SharedBits *bits, size_t by)
{
	SharedBits	z = shared_bits_alloc(1, places->n * places->parts);

	for (size_t i = 0; i < places->n; i++)
		for (size_t p = 0; p < places->parts && places->behind[i] >= by; p++)
			move_bit(&z, i * places->parts + p, bits, (i + by) * places->parts + p);
	return z;
}

/* ---- the steps ---- */

/* Of each part of each line: its withheld patients are some, and too few. */
static SharedBits
bad_lines(Party *self, const SharedBits *pass, const Shared *patients, const Places *places, uint64 patients_min)
{
	size_t		k = places->cells * places->parts;
	size_t		lines = places->nlines * places->parts;
	Shared		withheld = shared_alloc(k);
	Shared		sums = shared_alloc(2 * lines);
	uint64	   *bound = palloc(2 * lines * sizeof(uint64));
	SharedBits	reached = shared_bits_alloc(1, 2 * lines);
	SharedBits	bad;
	SharedBits	enough;

	/* u = n - n f */
	convert_bit_to_ring(self, &withheld, pass);
	arith_multiply(self, &withheld, &withheld, patients);
	shared_linear(&withheld, 1, patients, -(uint128) 1, &withheld);
	for (size_t i = 0; i < places->n; i++)
		for (size_t p = 0; p < places->parts; p++)
		{
			size_t		to = places->line[i] * places->parts + p;
			size_t		from = places->cell[i] * places->parts + p;

			sums.mine[to] += withheld.mine[from];
			sums.next[to] += withheld.next[from];
		}
	for (size_t v = 0; v < lines; v++)
	{
		sums.mine[lines + v] = sums.mine[v];
		sums.next[lines + v] = sums.next[v];
		bound[v] = 1;
		bound[lines + v] = patients_min;
	}
	compare_ge_public(self, &reached, &sums, bound);
	bad = shared_bits_cut(&reached, 0, lines);
	enough = shared_bits_cut(&reached, lines, lines);
	logic_xor(&bad, &enough);	/* who reaches patients_min reaches 1 */
	shared_bits_free(&reached);
	shared_bits_free(&enough);
	shared_free(&withheld);
	shared_free(&sums);
	pfree(bound);
	return bad;
}

/* Is a large cell behind this one in its line?  [Hillis, Steele, CACM 29, 1986] */
static SharedBits
any_behind(Party *self, const SharedBits *large, const Places *places)
{
	SharedBits	behind = shift(places, large, 1);

	for (size_t by = 1; by < places->longest; by *= 2)
	{
		SharedBits	further = shift(places, &behind, by);

		logic_or(self, &behind, &behind, &further);
		shared_bits_free(&further);
	}
	return behind;
}

/* The last large cell of each bad line, as a bit of each place. */
static SharedBits
last_of_bad(Party *self, const SharedBits *large, const SharedBits *bad, const Places *places)
{
	SharedBits	here = spread(places, places->cell, large);
	SharedBits	line = spread(places, places->line, bad);
	SharedBits	last = any_behind(self, &here, places);

	logic_not(self, &last);
	logic_and(self, &last, &last, &here);
	logic_and(self, &last, &last, &line);
	shared_bits_free(&here);
	shared_bits_free(&line);
	return last;
}

/* For each part of each cell: was it taken in any margin? */
static SharedBits
taken_cells(Party *self, const SharedBits *last, const Places *places)
{
	size_t		k = places->cells * places->parts;
	SharedBits	margins = shared_bits_alloc(places->margins, k);
	SharedBits	taken = shared_bits_alloc(1, k);

	for (size_t i = 0; i < places->n; i++)
	{
		SharedBits	margin = shared_bits_view(&margins, i / places->cells, 1);

		for (size_t p = 0; p < places->parts; p++)
			move_bit(&margin, places->cell[i] * places->parts + p, last, i * places->parts + p);
	}
	logic_or_all(self, &taken, &margins);
	shared_bits_free(&margins);
	return taken;
}

void
complement_withhold(Party *self, SharedBits *pass, const SharedBits *large, const Shared *patients,
					const CellTable *table, uint64 patients_min)
{
	Places		places = places_make(table);
	SharedBits	bad = bad_lines(self, pass, patients, &places, patients_min);
	SharedBits	last = last_of_bad(self, large, &bad, &places);
	SharedBits	taken = taken_cells(self, &last, &places);

	/* What is taken is large, and what is large passes. */
	logic_xor(pass, &taken);
	shared_bits_free(&bad);
	shared_bits_free(&last);
	shared_bits_free(&taken);
	places_free(&places);
}

/* ---- what it takes ---- */

static int
doublings(size_t n)
{
	int			rounds = 0;

	for (size_t by = 1; by < n; by *= 2)
		rounds++;
	return rounds;
}

void
complement_cost(const CellTable *table, int party, uint64 *rounds, uint64 *bytes)
{
	Places		places = places_size(table);
	uint64		k = places.cells * places.parts;
	uint64		compared = PLANE_BYTES(2 * places.nlines * places.parts);
	uint64		or_rounds = doublings(places.longest);

	*rounds += 2 + 1 + COMPARE_ROUNDS + or_rounds + 2 + doublings(places.margins);
	*bytes += 2 * k * sizeof(uint128) + COMPARE_AND_PLANES * compared +
		(or_rounds + 2) * PLANE_BYTES(places.n * places.parts) + (places.margins - 1) * PLANE_BYTES(k);
	if (party == 0)
		*bytes += k * sizeof(uint128) + COMPARE_INPUT_PLANES * compared;
}

uint64
complement_need(const CellTable *table)
{
	Places		places = places_size(table);
	uint64		k = places.cells * places.parts;
	uint64		lines = 2 * places.nlines * places.parts;
	uint64		planes = (64 + 4 * 65 + 2) * (uint64) BIT_WORDS(lines) * sizeof(uint64);
	uint64		comparing = k * 4 * sizeof(uint128) + lines * (2 * sizeof(uint128) + 5 * sizeof(uint64)) + planes;
	uint64		bits = (10 * BIT_WORDS(places.n * places.parts) + 4 * (places.margins + 1) * BIT_WORDS(k)) * sizeof(uint64);

	return places.n * 3 * sizeof(uint32) + comparing + bits;
}
