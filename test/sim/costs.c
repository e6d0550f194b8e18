/*
 * costs.c
 *	  Rounds and bytes, counted at the channels, are those of the README.
 *
 * Reads the block ```costs of src/mpc/README.md: one run a line, the name of
 * a protocol and then name=number.
 */
#include "sim.h"

#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/release.h"

typedef struct Row
{
	char		protocol[32];
	uint64		n;
	uint64		planes;
	uint64		width;
	uint64		parts;
	uint64		cells;
	uint64		show_zero;
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
		{"cells", &row->cells}, {"show_zero", &row->show_zero}, {"rounds", &row->rounds},
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

static void
step_release(Party *self, const Row *row)
{
	ReleaseRule rule = {row->cells, row->width, 11, row->show_zero, row->parts};
	Shared		in = shared_alloc(rule.cells * release_stride(&rule));
	Shared		out = shared_alloc(rule.cells * release_stride(&rule));

	release_cells(self, &out, &in, &rule);
	shared_free(&in);
	shared_free(&out);
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
	{"release", step_release},
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

/* Everything goes to the previous party, the context hash before it. */
static void
compare_counts(const Sim *sim, const Row *row)
{
	for (int i = 0; i < PARTIES; i++)
	{
		const Party *party = &sim->party[i];
		uint64		hash = row->bytes[i] > 0 ? HASH_BYTES : 0;

		CHECK(sim->prev[i].bytes_sent == row->bytes[i] + hash,
			  "%s: party %d sent " UINT64_FORMAT " bytes, the README says " UINT64_FORMAT,
			  row->protocol, i, sim->prev[i].bytes_sent - hash, row->bytes[i]);
		CHECK(sim->next[i].bytes_sent == 0, "%s: party %d sent to the next", row->protocol, i);
		CHECK(sim->next[i].bytes_received == sim->prev[PARTY_NEXT(i)].bytes_sent,
			  "%s: party %d did not take all", row->protocol, i);
		CHECK(party->bytes_sent == row->bytes[i], "%s: party %d", row->protocol, i);
		CHECK(party->rounds == row->rounds,
			  "%s: party %d had " UINT64_FORMAT " rounds, the README says " UINT64_FORMAT,
			  row->protocol, i, party->rounds, row->rounds);
	}

	/* Party 0 has something to say in every round. */
	CHECK(sim->prev[0].messages_sent == row->rounds + 1, "%s: " UINT64_FORMAT " messages",
		  row->protocol, sim->prev[0].messages_sent);
}

static void
compare_release_cost(const Row *row)
{
	ReleaseRule rule = {row->cells, row->width, 11, row->show_zero, row->parts};

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
