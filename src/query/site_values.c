/*
 * site_values.c
 *	  The values of a site that quantiles are found among.
 */
#include "postgres.h"

#include "fmgr.h"
#include "identity/node.h"
#include "mpc/ranked.h"
#include "query/site_values.h"
#include "share/memory.h"
#include "share/packed.h"
#include "share/wide.h"

/* Where the values of a cell are, in ascending order. */
typedef struct CellValues
{
	uint64		first;
	uint64		n;
} CellValues;

/* Of one component: cells one after the other, in the order in which they came. */
typedef struct ComponentValues
{
	CellValues *cells;			/* NULL if it is not quantiles */
	uint64	   *values;			/* with room for as many as are shared */
	uint64		n;
} ComponentValues;

struct SiteValues
{
	const CanonicalPlan *plan;
	const uint64 *rows_most;
	ComponentValues *components;
};

SiteValues *
site_values_create(const CanonicalPlan *plan, const uint64 *rows_most)
{
	SiteValues *values = palloc0(sizeof(SiteValues));

	values->plan = plan;
	values->rows_most = rows_most;
	values->components = palloc0(sizeof(ComponentValues) * (plan->ncomponents + 1));
	for (int i = 0; i < plan->ncomponents; i++)
	{
		const QuantileSpec *spec = plan_quantiles(plan, i);

		if (spec == NULL)
			continue;
		values->components[i].cells = palloc0(sizeof(CellValues) * plan_cells(plan));
		values->components[i].values = vector_alloc(sizeof(uint64) * spec->rows);
	}
	return values;
}

int
site_values_memory_kb(const CanonicalPlan *plan)
{
	uint64		bytes = 0;

	for (int i = 0; i < plan->ncomponents; i++)
		if (plan_quantiles(plan, i))
			bytes += plan_quantiles(plan, i)->rows * sizeof(uint64);
	return (int) Min(bytes / 1024, 1024 * 1024);
}

/* ---- sorting ---- */

/* Signed numbers in the order of unsigned ones, and back. */
static void
turn_signs(uint64 *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] ^= UINT64CONST(1) << 63;
}

/* One byte of a radix sort; false if it is the same in all. */
static bool
sort_by_byte(uint64 *to, const uint64 *from, size_t n, int shift)
{
	size_t		at[256] = {0};
	size_t		sum = 0;

	for (size_t i = 0; i < n; i++)
		at[from[i] >> shift & 0xff]++;
	if (at[from[0] >> shift & 0xff] == n)
		return false;
	for (int b = 0; b < 256; b++)
	{
		size_t		count = at[b];

		at[b] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> shift & 0xff]++] = from[i];
	return true;
}

/* Millions of numbers, in as many passes as bytes differ. */
static void
sort_values(uint64 *values, size_t n)
{
	uint64	   *other = vector_alloc(n * sizeof(uint64));
	uint64	   *from = values;
	uint64	   *to = other;

	turn_signs(values, n);
	for (int shift = 0; shift < 64 && n > 0; shift += 8)
		if (sort_by_byte(to, from, n, shift))
		{
			uint64	   *swap = from;

			from = to;
			to = swap;
		}
	if (from != values)
		memcpy(values, from, n * sizeof(uint64));
	turn_signs(values, n);
	vector_free(other, n * sizeof(uint64));
}

/* ---- taking ---- */

static void
too_many(const CanonicalPlan *plan, uint64 most)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("site \"%s\" has more rows of \"%s\" than it shares", node_self()->card.name, plan_tables_text(plan, 256)),
			 errdetail("At most " UINT64_FORMAT " are shared, a public number.", most),
			 errhint("The site publishes the table with a larger rows_max, or SET secmed.site_rows to more, or leave rows out with WHERE.")));
}

static void
check_range(const SecretType *type, const uint64 *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!secret_fits(type, (int64) values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a value is beyond the bits that it is declared to have")));
}

void
site_values_take(SiteValues *values, int component, size_t cell, Datum datum, uint128 *elements)
{
	const QuantileSpec *spec = plan_quantiles(values->plan, component);
	ComponentValues *all = &values->components[component];
	bytea	   *bytes = DatumGetByteaPP(datum);
	uint64		n = VARSIZE_ANY_EXHDR(bytes) / sizeof(uint64);
	uint64	   *own = all->values + all->n;

	if (all->n + n > values->rows_most[component])
		too_many(values->plan, values->rows_most[component]);
	memcpy(own, VARDATA_ANY(bytes), n * sizeof(uint64));
	check_range(&spec->type, own, n);
	sort_values(own, n);
	all->cells[cell] = (CellValues) {all->n, n};
	all->n += n;
	elements[0] = mark_encode(n > 0);
	elements[1] = n;
}

/* ---- sharing ---- */

/* The column, filled up behind, to the parties; and wiped. */
static void
share_column(uint64 *column, uint64 n, uint64 rows, int bits, uint64 last, StringInfo packages[PARTIES])
{
	for (uint64 i = n; i < rows; i++)
		column[i] = last;
	packed_split(column, rows, packed_width(bits), packages);
	vector_free(column, rows * sizeof(uint64));
}

/* Values, or the numbers of their cells, in the order of the cells. */
static uint64 *
column_of_cells(const SiteValues *values, int component, bool groups)
{
	const ComponentValues *all = &values->components[component];
	uint64	   *column = vector_alloc(plan_quantiles(values->plan, component)->rows * sizeof(uint64));
	uint64		at = 0;

	for (size_t cell = 0; cell < plan_cells(values->plan); cell++)
		for (uint64 i = 0; i < all->cells[cell].n; i++)
			column[at++] = groups ? cell : all->values[all->cells[cell].first + i];
	return column;
}

static void
share_component(SiteValues *values, int component, StringInfo packages[PARTIES])
{
	const QuantileSpec *spec = plan_quantiles(values->plan, component);
	ComponentValues *all = &values->components[component];
	int			group_bits = quantile_group_bits(plan_cells(values->plan));
	uint64		last = ranked_last_value(spec->type.bits);

	if (group_bits == 0)
	{
		share_column(all->values, all->n, spec->rows, spec->type.bits, last, packages);
		return;
	}
	share_column(column_of_cells(values, component, false), all->n, spec->rows, spec->type.bits, last, packages);
	share_column(column_of_cells(values, component, true), all->n, spec->rows, group_bits,
				 ranked_last_group(group_bits), packages);
	vector_free(all->values, spec->rows * sizeof(uint64));
}

void
site_values_share(SiteValues *values, StringInfo packages[PARTIES])
{
	for (int i = 0; i < values->plan->ncomponents; i++)
		if (plan_quantiles(values->plan, i))
			share_component(values, i, packages);
}
