/*
 * costs.c
 *	  Rounds and bytes, counted at the channels, are those of the README.
 *
 * Reads the block ```costs of src/mpc/README.md: one run a line, the name of
 * a protocol and then name=number.
 */
#include "sim.h"

#include "mpc/adder.h"
#include "mpc/aggregate.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/expand.h"
#include "mpc/function.h"
#include "mpc/group.h"
#include "mpc/logic.h"
#include "mpc/noise.h"
#include "mpc/place.h"
#include "mpc/release.h"
#include "mpc/scaled.h"
#include "mpc/scan.h"
#include "mpc/shuffle.h"

typedef struct Row
{
	char		protocol[32];
	uint64		n;
	uint64		planes;
	uint64		width;
	uint64		parts;
	uint64		cells;
	uint64		show_zero;
	uint64		bits;			/* declared of a number, or shifted */
	uint64		party;			/* who shares or learns */
	uint64		copies;			/* of all rows together */
	uint64		keys;			/* of a table of cells: two values each, and the last the rest */
	uint64		rounds;
	uint64		bytes[PARTIES];
} Row;

/* ---- the README ---- */

static FILE *
open_readme(void)
{
	static const char *const paths[] = {
		"src/mpc/README.md", "../src/mpc/README.md", "../../src/mpc/README.md",
	};

	for (int k = 0; k < lengthof(paths); k++)
	{
		FILE	   *file = fopen(paths[k], "r");

		if (file)
			return file;
	}
	return NULL;
}

/* Puts name=number where it belongs; false if nobody knows the name. */
static bool
read_field(Row *row, const char *field)
{
	struct
	{
		const char *name;
		uint64	   *to;
	}			known[] = {
		{"n", &row->n}, {"planes", &row->planes}, {"width", &row->width}, {"parts", &row->parts},
		{"cells", &row->cells}, {"keys", &row->keys}, {"show_zero", &row->show_zero}, {"bits", &row->bits},
		{"party", &row->party}, {"copies", &row->copies}, {"rounds", &row->rounds},
		{"bytes0", &row->bytes[0]}, {"bytes1", &row->bytes[1]}, {"bytes2", &row->bytes[2]},
	};
	const char *equals = strchr(field, '=');

	if (equals == NULL)
		return false;
	for (int k = 0; k < lengthof(known); k++)
	{
		char	   *end;

		if (strlen(known[k].name) != equals - field ||
			strncmp(known[k].name, field, equals - field) != 0)
			continue;
		*known[k].to = strtoull(equals + 1, &end, 10);
		return end > equals + 1 && *end == '\0';
	}
	return false;
}

/* The fields that must be there for the row to say anything. */
#define FIELDS_MIN	5			/* a size, rounds, three byte counts */

static void
read_row(Row *row, char *line)
{
	char	   *save;
	char	   *word = strtok_r(line, " \n", &save);
	int			fields = 0;

	memset(row, 0, sizeof(Row));
	strlcpy(row->protocol, word ? word : "", sizeof(row->protocol));
	while ((word = strtok_r(NULL, " \n", &save)) != NULL)
	{
		CHECK(read_field(row, word), "README: \"%s\"", word);
		fields++;
	}
	CHECK(fields >= FIELDS_MIN, "README: %s has %d fields", row->protocol, fields);
}

/* ---- the runs ---- */

static void
step_arith(Party *self, const Row *row)
{
	size_t		n = row->n * (row->width ? row->width : 1);
	Shared		x = shared_alloc(n);
	Shared		y = shared_alloc(row->n);

	if (strcmp(row->protocol, "input") == 0)
		arith_input_from_0(self, &y, self->index == 0 ? x.mine : NULL);
	else if (strcmp(row->protocol, "multiply") == 0)
		arith_multiply(self, &x, &x, &y);
	else
		arith_multiply_rows(self, &x, &x, &y);
	shared_free(&x);
	shared_free(&y);
}

static void
step_noise(Party *self, const Row *row)
{
	Shared		x = shared_alloc(row->n);
	int64	   *drawn = palloc0((row->n + 1) * sizeof(int64));

	noise_add(self, &x, drawn);
	pfree(drawn);
	shared_free(&x);
}

static void
step_bits(Party *self, const Row *row)
{
	SharedBits	x = shared_bits_alloc(row->planes, row->n);
	SharedBits	y = shared_bits_alloc(row->planes, row->n);

	if (strcmp(row->protocol, "and") == 0)
		logic_and(self, &x, &x, &y);
	else
		logic_input_from_0(self, &y, self->index == 0 ? x.mine : NULL);
	shared_bits_free(&x);
	shared_bits_free(&y);
}

static void
step_both(Party *self, const Row *row)
{
	SharedBits	bits = shared_bits_alloc(1, row->n);
	Shared		x = shared_alloc(row->n);
	uint64	   *bound = palloc0(row->n * sizeof(uint64));

	if (strcmp(row->protocol, "compare") == 0)
		compare_ge_public(self, &bits, &x, bound);
	else
		convert_bit_to_ring(self, &x, &bits);
	shared_bits_free(&bits);
	shared_free(&x);
	pfree(bound);
}

/* Of a table if the row has keys. */
static ReleaseRule
release_rule(const Row *row, size_t sizes[KEYS_MAX])
{
	ReleaseRule rule = {row->cells, row->width, 11, row->show_zero, row->parts, .nkeys = row->keys, .sizes = sizes};

	for (int k = 0; k < rule.nkeys; k++)
		sizes[k] = k < rule.nkeys - 1 ? 2 : row->cells >> (rule.nkeys - 1);
	return rule;
}

static void
step_release(Party *self, const Row *row)
{
	size_t		sizes[KEYS_MAX];
	ReleaseRule rule = release_rule(row, sizes);
	Shared		in = shared_alloc(rule.cells * release_stride(&rule));
	Shared		out = shared_alloc(rule.cells * release_stride(&rule));

	release_cells(self, &out, &in, &rule);
	shared_free(&in);
	shared_free(&out);
}

/* What protocols over Z_2^64 and over bits work on; y are zeros too, which cost the same. */
typedef struct Work
{
	Shared64	x;
	Shared64	y;
	Shared64	z;
	Shared64	one;			/* width elements, for sums */
	Shared		wide;
	SharedBits	bx;
	SharedBits	by;
	SharedBits	bz;
	SharedBits	bit;
	uint64	   *clear;
} Work;

#define NAMED(text)	(strcmp(row->protocol, text) == 0)

static void
run_numbers(Party *self, const Row *row, Work *w)
{
	bool		there = self->index == row->party;

	if (NAMED("multiply64"))
		arith64_multiply(self, &w->z, &w->x, &w->y);
	else if (NAMED("square64"))
		arith64_square(self, &w->z, &w->x);
	else if (NAMED("refresh64"))
		arith64_refresh(self, &w->z, &w->x);
	else if (NAMED("dot64"))
		arith64_dot(self, &w->one, &w->x, &w->y);
	else if (NAMED("input64"))
		arith64_input(self, &w->z, row->party, there ? w->clear : NULL);
	else if (NAMED("known64"))
		arith64_multiply_known(self, &w->z, &w->x, self->index == 0 ? NULL : w->clear);
	else if (NAMED("open64"))
		arith64_open(self, w->clear, &w->x);
	else if (NAMED("open_to64"))
		arith64_open_to(self, row->party, there ? w->clear : NULL, &w->x);
	else if (NAMED("truncate"))
		scaled_truncate(self, &w->z, &w->x, row->bits);
	else if (NAMED("truncate_near"))
		scaled_truncate_near(self, &w->wide, &w->wide, row->bits);
	else if (NAMED("widen"))
		scaled_widen(self, &w->wide, &w->x);
	else if (NAMED("fixed_multiply"))
		scaled_multiply(self, &w->z, &w->x, &w->y, row->bits);
	else if (NAMED("divide"))
		scaled_divide(self, &w->z, &w->x, &w->y, row->bits);
	else if (NAMED("exp"))
		function_exp(self, &w->z, &w->x);
	else if (NAMED("sigmoid"))
		function_sigmoid(self, &w->z, &w->x);
	else if (NAMED("ln"))
		function_ln(self, &w->z, &w->x);
	else if (NAMED("sqrt"))
		scaled_sqrt(self, &w->z, &w->x, row->bits);
	else
		CHECK(false, "nothing ran for %s", row->protocol);
}

static void
run_bits(Party *self, const Row *row, Work *w)
{
	bool		there = self->index == row->party;

	if (NAMED("or"))
		logic_or(self, &w->bz, &w->bx, &w->by);
	else if (NAMED("select_bits"))
		logic_select(self, &w->bz, &w->bit, &w->bx, &w->by);
	else if (NAMED("and_bit"))
		logic_and_bit(self, &w->bz, &w->bx, &w->bit);
	else if (NAMED("and_all"))
		logic_and_all(self, &w->bit, &w->bx);
	else if (NAMED("or_all"))
		logic_or_all(self, &w->bit, &w->bx);
	else if (NAMED("input_bits_from"))
		logic_input(self, &w->bz, row->party, there ? w->clear : NULL);
	else if (NAMED("open_bits"))
		logic_open(self, w->clear, &w->bx);
	else if (NAMED("open_bits_to"))
		logic_open_to(self, row->party, there ? w->clear : NULL, &w->bx);
	else if (NAMED("open_bits_to_pair"))
		logic_open_to_pair(self, self->index == 0 ? NULL : w->clear, &w->bx);
	else if (NAMED("to_bits"))
		convert_to_bits(self, &w->bx, &w->x);
	else if (NAMED("to_bits_wide"))
		convert_to_bits_wide(self, &w->bx, &w->wide);
	else if (NAMED("from_bits"))
		convert_from_bits(self, &w->z, &w->bx);
	else if (NAMED("from_bits_wide"))
		convert_from_bits_wide(self, &w->wide, &w->bx);
	else if (NAMED("bit_to_ring64"))
		convert_bit_to_ring64(self, &w->z, &w->bit);
	else if (NAMED("bit_times"))
		convert_bit_times(self, &w->z, &w->bit, &w->x);
	else if (NAMED("select"))
		convert_select(self, &w->z, &w->bit, &w->x, &w->y);
	else
		CHECK(false, "nothing ran for %s", row->protocol);
}

static void
run_comparison(Party *self, const Row *row, Work *w)
{
	NumberKind	kind = {true, row->bits};

	if (NAMED("less"))
		compare_less(self, &w->bit, &w->x, &w->y, kind);
	else if (NAMED("less_public"))
		compare_less_public(self, &w->bit, &w->x, w->clear, 1, kind);
	else if (NAMED("negative"))
		compare_negative(self, &w->bit, &w->x);
	else if (NAMED("equal"))
		compare_equal(self, &w->bit, &w->x, &w->y, row->bits);
	else if (NAMED("equal_public"))
		compare_equal_public(self, &w->bit, &w->x, w->clear, 1, row->bits);
	else if (NAMED("equal_bits"))
		compare_equal_bits(self, &w->bit, &w->bx, &w->by);
	else if (NAMED("less_bits"))
		compare_less_bits(self, &w->bit, &w->bx, &w->by, true);
	else if (NAMED("min_max"))
		compare_min_max(self, &w->z, &w->y, &w->x, &w->y, kind);
	else if (NAMED("min_max_bits"))
		compare_min_max_bits(self, &w->bz, &w->by, &w->bx, &w->by, true);
	else
		CHECK(false, "nothing ran for %s", row->protocol);
}

typedef void (*Runner) (Party *self, const Row *row, Work *work);

static void
with_work(Party *self, const Row *row, Runner run)
{
	Work		w = {shared64_zero(row->n), shared64_zero(row->n), shared64_zero(row->n), shared64_zero(row->width)};
	int			planes = Max(row->planes, 1);

	w.wide = shared_alloc(row->n);
	w.bx = shared_bits_alloc(planes, row->n);
	w.by = shared_bits_alloc(planes, row->n);
	w.bz = shared_bits_alloc(planes, row->n);
	w.bit = shared_bits_alloc(1, row->n);
	w.clear = palloc0((row->n + planes * BIT_WORDS(row->n)) * sizeof(uint64));
	run(self, row, &w);
	shared64_free(&w.x);
	shared64_free(&w.y);
	shared64_free(&w.z);
	shared64_free(&w.one);
	shared_free(&w.wide);
	shared_bits_free(&w.bx);
	shared_bits_free(&w.by);
	shared_bits_free(&w.bz);
	shared_bits_free(&w.bit);
	pfree(w.clear);
}

static void
step_numbers(Party *self, const Row *row)
{
	with_work(self, row, run_numbers);
}

static void
step_planes(Party *self, const Row *row)
{
	with_work(self, row, run_bits);
}

static void
step_comparison(Party *self, const Row *row)
{
	with_work(self, row, run_comparison);
}

/* ---- tables: a bit of validity (not in a shuffle), a column of `planes`, `width` numbers ---- */

static void
step_table(Party *self, const Row *row)
{
	bool		whole = NAMED("shuffle");
	int			key = 1;
	int			sums[] = {0, 1, 2};
	Grouping	by = {&key, 1, 0, sums, row->width, GROUP_WITHOUT_ROWS};
	SharedBits	slices[2] = {shared_bits_alloc(whole ? 0 : 1, row->n), shared_bits_alloc(row->planes, row->n)};
	Shared64	numbers[lengthof(sums)];
	Table		table = {row->n, row->width, numbers, 2, slices};

	for (int c = 0; c < row->width; c++)
		numbers[c] = shared64_zero(row->n);
	if (whole)
		shuffle_table(self, &table);
	else if (NAMED("group"))
		group_table(self, &table, &by, row->n / 2, NULL);
	else
		group_compact(self, &table, 0, NAMED("compact") ? row->n : SIZE_OPENED, NULL);
	for (int c = 0; c < row->width; c++)
		shared64_free(&numbers[c]);
	shared_bits_free(&slices[0]);
	shared_bits_free(&slices[1]);
}

/* ---- scans: `width` columns of `planes`, or of one plane, or of numbers ---- */

static void
step_scan(Party *self, const Row *row)
{
	SharedBits	pass = shared_bits_alloc(1, row->n);
	SharedBits	slices[3];
	Shared64	numbers[3];
	int			count = Max(row->width, 1);

	for (int c = 0; c < count; c++)
	{
		slices[c] = shared_bits_alloc(Max(row->planes, 1), row->n);
		numbers[c] = shared64_zero(row->n);
	}
	if (NAMED("scan_copy_bits"))
		scan_copy_bits(self, slices, count, &pass);
	else if (NAMED("scan_copy_numbers"))
		scan_copy_numbers(self, numbers, count, &pass);
	else if (NAMED("scan_any"))
	{
		SharedBits	any = shared_bits_alloc(1, 1);

		scan_any(self, &any, &pass);
		shared_bits_free(&any);
	}
	else if (NAMED("scan_or"))
		scan_or(self, slices, count, &pass);
	else if (NAMED("scan_and"))
		scan_and(self, slices, count, &pass);
	else if (NAMED("scan_least"))
		scan_least(self, slices, count, &pass);
	else
		scan_greatest(self, slices, count, &pass);
	shared_bits_free(&pass);
	for (int c = 0; c < count; c++)
	{
		shared_bits_free(&slices[c]);
		shared64_free(&numbers[c]);
	}
}

/* Rows moved or copied: `planes` and `width` numbers; each row stays where it is. */
static void
step_places(Party *self, const Row *row)
{
	Table		table = table_create(row->n);
	Shared64	numbers = shared64_alloc(row->n);
	Shared64	first = shared64_alloc(row->n + row->copies);
	uint64	   *values = palloc(row->n * sizeof(uint64));

	table_add_slice(&table, shared_bits_alloc(row->planes, row->n));
	for (int c = 0; c < row->width; c++)
		table_add_number(&table, shared64_zero(row->n));
	for (size_t v = 0; v < row->n; v++)
		values[v] = v;
	arith64_public(self, &numbers, values);
	if (NAMED("place_by_bits"))
	{
		table_add_slice(&table, place_row_numbers(self, row->n));
		place_by_bits(self, &table, 1, 0, row->n);
	}
	else if (NAMED("place_by_numbers"))
	{
		table_add_number(&table, numbers);
		numbers = shared64_alloc(row->n);
		place_by_numbers(self, &table, row->width, 0, row->n);
	}
	else if (NAMED("place_take"))
		place_take(self, &table, &numbers);
	else
	{
		/* All of the last row. */
		for (size_t v = 0; v < row->n; v++)
			values[v] = v + 1 == row->n ? row->copies : 0;
		arith64_public(self, &numbers, values);
		expand_table(self, &table, &numbers, row->copies, &first);
	}
	table_destroy(&table);
	shared64_free(&numbers);
	shared64_free(&first);
	pfree(values);
}

/* SELECT min(x), count(x), bool_or(b), any_value(y) GROUP BY a key of 20 bits; x may be NULL, and y as x */
static void
step_aggregate(Party *self, const Row *row)
{
	enum
	{
		VALID, KEY, X, Y, IS_NULL, B, SLICES
	};
	int			planes[SLICES] = {1, 20, row->planes, row->planes, 1, 1};
	Aggregate	list[] = {
		{AGGREGATE_MIN, X, IS_NULL}, {AGGREGATE_COUNT, 0, IS_NULL},
		{AGGREGATE_OR, B, AGGREGATE_NOT_NULL}, {AGGREGATE_ANY, Y, IS_NULL},
	};
	int			key = KEY;
	Grouping	by = {&key, 1, VALID, NULL, 0, GROUP_WITHOUT_ROWS};
	SharedBits	slices[SLICES];
	Shared64	count = shared64_zero(row->n);
	Table		table = {row->n, 1, &count, SLICES, slices};

	for (int c = 0; c < SLICES; c++)
		slices[c] = shared_bits_alloc(planes[c], row->n);
	aggregate_table(self, &table, &by, list, lengthof(list), row->n, NULL);
	for (int c = 0; c < SLICES; c++)
		shared_bits_free(&slices[c]);
	shared64_free(&count);
}

typedef struct Protocol
{
	const char *name;
	void		(*step) (Party *self, const Row *row);
	int			rows;			/* seen in the README */
} Protocol;

static Protocol protocols[] = {
	{"multiply", step_arith}, {"multiply_rows", step_arith}, {"input", step_arith},
	{"and", step_bits}, {"input_bits", step_bits},
	{"compare", step_both}, {"convert", step_both},
	{"release", step_release}, {"noise", step_noise},
	{"multiply64", step_numbers}, {"square64", step_numbers}, {"refresh64", step_numbers},
	{"dot64", step_numbers}, {"input64", step_numbers}, {"known64", step_numbers},
	{"open64", step_numbers}, {"open_to64", step_numbers},
	{"truncate", step_numbers}, {"truncate_near", step_numbers}, {"widen", step_numbers},
	{"fixed_multiply", step_numbers}, {"divide", step_numbers}, {"sqrt", step_numbers},
	{"exp", step_numbers}, {"sigmoid", step_numbers}, {"ln", step_numbers},
	{"or", step_planes}, {"select_bits", step_planes}, {"and_bit", step_planes},
	{"and_all", step_planes}, {"or_all", step_planes}, {"input_bits_from", step_planes},
	{"open_bits", step_planes}, {"open_bits_to", step_planes}, {"open_bits_to_pair", step_planes},
	{"to_bits", step_planes}, {"to_bits_wide", step_planes}, {"from_bits", step_planes},
	{"from_bits_wide", step_planes}, {"bit_to_ring64", step_planes}, {"bit_times", step_planes},
	{"select", step_planes},
	{"less", step_comparison}, {"less_public", step_comparison}, {"negative", step_comparison},
	{"equal", step_comparison}, {"equal_public", step_comparison}, {"equal_bits", step_comparison},
	{"less_bits", step_comparison}, {"min_max", step_comparison}, {"min_max_bits", step_comparison},
	{"shuffle", step_table}, {"compact", step_table}, {"compact_opened", step_table}, {"group", step_table},
	{"scan_copy_bits", step_scan}, {"scan_copy_numbers", step_scan}, {"scan_or", step_scan},
	{"scan_and", step_scan}, {"scan_least", step_scan}, {"scan_greatest", step_scan}, {"scan_any", step_scan},
	{"aggregate", step_aggregate},
	{"place_by_bits", step_places}, {"place_by_numbers", step_places}, {"place_take", step_places},
	{"expand", step_places},
};

typedef struct Job
{
	const Protocol *protocol;
	const Row  *row;
} Job;

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;

	job->protocol->step(self, job->row);
}

/*
 * Everything goes to the previous party, the context hash before it, but for
 * the digests of what is opened, which go to the next.
 */
static void
compare_counts(const Sim *sim, const Row *row)
{
	for (int i = 0; i < PARTIES; i++)
	{
		const Party *party = &sim->party[i];
		uint64		hash = sim->prev[i].bytes_sent > 0 ? HASH_BYTES : 0;
		uint64		digests = sim->next[i].bytes_sent;

		CHECK(sim->prev[i].bytes_sent + digests == row->bytes[i] + hash,
			  "%s: party %d sent " UINT64_FORMAT " bytes, the README says " UINT64_FORMAT,
			  row->protocol, i, sim->prev[i].bytes_sent - hash + digests, row->bytes[i]);
		CHECK(digests == sim->next[i].messages_sent * HASH_BYTES, "%s: party %d sent to the next",
			  row->protocol, i);
		CHECK(sim->next[i].bytes_received == sim->prev[PARTY_NEXT(i)].bytes_sent &&
			  sim->prev[i].bytes_received == sim->next[PARTY_PREV(i)].bytes_sent,
			  "%s: party %d did not take all", row->protocol, i);
		CHECK(party->bytes_sent == row->bytes[i], "%s: party %d", row->protocol, i);
		CHECK(party->rounds == row->rounds,
			  "%s: party %d had " UINT64_FORMAT " rounds, the README says " UINT64_FORMAT,
			  row->protocol, i, party->rounds, row->rounds);
	}

	/* A short message is in one piece, after the context. */
	CHECK(sim->prev[0].messages_sent <= row->rounds + 1, "%s: " UINT64_FORMAT " messages",
		  row->protocol, sim->prev[0].messages_sent);
}

static void
compare_release_cost(const Row *row)
{
	size_t		sizes[KEYS_MAX];
	ReleaseRule rule = release_rule(row, sizes);

	for (int i = 0; i < PARTIES; i++)
	{
		uint64		rounds;
		uint64		bytes;

		release_cost(&rule, i, &rounds, &bytes);
		CHECK(rounds == row->rounds && bytes == row->bytes[i],
			  "release_cost() says " UINT64_FORMAT " rounds and " UINT64_FORMAT " bytes for party %d",
			  rounds, bytes, i);
	}
}

static Protocol *
find_protocol(const Row *row)
{
	for (int k = 0; k < lengthof(protocols); k++)
	{
		if (strcmp(protocols[k].name, row->protocol) == 0)
			return &protocols[k];
	}
	return NULL;
}

static void
run_row(const Row *row)
{
	Protocol   *protocol = find_protocol(row);
	Job			job = {protocol, row};
	Sim			sim;

	CHECK(protocol != NULL, "README: protocol \"%s\"", row->protocol);
	if (protocol == NULL)
		return;
	protocol->rows++;
	sim_open(&sim, 0);
	sim_run_well(&sim, step, &job);
	compare_counts(&sim, row);
	sim_close(&sim);
	if (strcmp(row->protocol, "release") == 0)
		compare_release_cost(row);
}

int
main(void)
{
	FILE	   *readme = open_readme();
	char		line[512];
	bool		inside = false;

	sim_start();
	if (readme == NULL)
	{
		check(false, "src/mpc/README.md can be read");
		return sim_end();
	}
	while (fgets(line, sizeof(line), readme))
	{
		Row			row;

		if (strncmp(line, "```", 3) == 0)
			inside = strcmp(line, "```costs\n") == 0;
		else if (inside)
		{
			read_row(&row, line);
			run_row(&row);
		}
	}
	fclose(readme);
	for (int k = 0; k < lengthof(protocols); k++)
		CHECK(protocols[k].rows > 0, "no row for %s", protocols[k].name);
	sim_report("rounds and bytes are those of src/mpc/README.md");
	return sim_end();
}
