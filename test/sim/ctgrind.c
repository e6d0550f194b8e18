/*
 * ctgrind.c
 *	  No branch and no index depends on a share.
 *
 * Valgrind follows undefined memory and reports every conditional jump and
 * every address that depends on it.  So shares are declared undefined, the
 * protocols run, and nothing may be reported (Langley, ctgrind, 2010).
 * Messages carry what they carry: they stay undefined from party to party.
 *
 * Started natively, the program starts itself again under valgrind.
 */
#include "sim.h"

#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#if !defined(VALGRIND_MAKE_MEM_UNDEFINED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

int
main(void)
{
	printf("1..0 # SKIP needs valgrind/memcheck.h and no sanitizer\n");
	return 0;
}

#else

#include "sim_table.h"

#include "mpc/aggregate.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/function.h"
#include "mpc/group.h"
#include "mpc/join.h"
#include "mpc/logic.h"
#include "mpc/release.h"
#include "mpc/rows.h"
#include "mpc/scaled.h"

#define SECRET(bytes, len)	((void) VALGRIND_MAKE_MEM_UNDEFINED(bytes, len))
#define PUBLIC(bytes, len)	((void) VALGRIND_MAKE_MEM_DEFINED(bytes, len))

#define CELLS		70
#define WIDTH		2
#define ELEMENTS	(CELLS * (1 + WIDTH))

typedef struct Job
{
	Shared		in[PARTIES];
	Shared		out[PARTIES];
} Job;

static void
secret_shared(const Shared *x)
{
	SECRET(x->mine, x->n * sizeof(uint128));
	SECRET(x->next, x->n * sizeof(uint128));
}

static void
public_shared(const Shared *x)
{
	PUBLIC(x->mine, x->n * sizeof(uint128));
	PUBLIC(x->next, x->n * sizeof(uint128));
}

/* A site splits secret values, the parties add secret elements and seeds. */
static void
share(Job *job)
{
	uint128		values[ELEMENTS];
	StringInfoData package[PARTIES];

	for (size_t v = 0; v < ELEMENTS; v++)
		values[v] = v;
	SECRET(values, sizeof(values));
	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&package[i]);
		job->in[i] = shared_alloc(ELEMENTS);
		job->out[i] = shared_alloc(ELEMENTS);
	}
	ring_split(values, ELEMENTS, (StringInfo[PARTIES])
			   {
				   &package[0], &package[1], &package[2]
			   });
	for (int i = 0; i < PARTIES; i++)
	{
		SECRET(package[i].data, package[i].len);
		CHECK(ring_add_package(&job->in[i], i, package[i].data, package[i].len), "party %d", i);
		secret_shared(&job->in[i]);
		pfree(package[i].data);
	}
}

/* release_cells() compares, converts and multiplies; the rest stands beside it. */
static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	ReleaseRule rule = {CELLS, WIDTH, 11, true};
	int			i = self->index;
	StringInfoData message;

	release_cells(self, &job->out[i], &job->in[i], &rule);
	initStringInfo(&message);
	ring_open_message(&job->out[i], &message);
	pfree(message.data);
	arith_multiply(self, &job->in[i], &job->in[i], &job->in[i]);
}

/* ---- the protocols over Z_2^64 ---- */

#define NUMBERS		70

typedef struct EngineJob
{
	Shared64	x[PARTIES];
	Shared64	y[PARTIES];
	Shared64	z[PARTIES];
} EngineJob;

/* Whether the two copies of a summand agree is no secret. */
static void
watch_digests(Party *self, const Watched *what)
{
	if (what->kind != WATCH_DIGEST)
		return;
	PUBLIC(what->x_mine, what->n);
	PUBLIC(what->x_next, what->n);
}

static void
step_engine(Party *self, void *arg)
{
	EngineJob  *job = arg;
	Shared64   *x = &job->x[self->index];
	Shared64   *y = &job->y[self->index];
	Shared64   *z = &job->z[self->index];
	uint64		c = 5;
	uint64		opened[NUMBERS];
	SharedBits	bits = shared_bits_alloc(64, NUMBERS);
	SharedBits	more = shared_bits_alloc(64, NUMBERS);
	SharedBits	bit = shared_bits_alloc(1, NUMBERS);
	SharedBits	all = shared_bits_alloc(64, NUMBERS);

	self->watch = watch_digests;
	arith64_multiply(self, z, x, y);
	arith64_dot(self, &(Shared64)
				{
					z->mine, z->next, 1
				}, x, y);
	arith64_refresh(self, z, z);
	convert_to_bits(self, &bits, x);
	convert_to_bits(self, &more, y);
	logic_or(self, &all, &bits, &more);
	logic_and_all(self, &bit, &all);
	compare_less_bits(self, &bit, &bits, &more, true);
	logic_select(self, &bits, &bit, &bits, &more);
	compare_equal_bits(self, &bit, &bits, &more);
	compare_equal(self, &bit, x, y, 64);
	compare_equal_public(self, &bit, x, &c, 1, 64);
	compare_less(self, &bit, x, y, KIND_INT(63));
	compare_less(self, &bit, x, y, KIND_UINT64);
	compare_less_public(self, &bit, x, &c, 1, KIND_INT64);
	compare_min_max(self, x, y, x, y, KIND_INT64);
	convert_select(self, z, &bit, x, y);
	convert_bit_to_ring64(self, z, &bit);
	convert_from_bits(self, y, &bits);
	scaled_divide(self, y, x, y, 20);
	scaled_sqrt(self, y, y, 0);
	function_exp(self, x, y);
	function_ln(self, x, x);
	function_sigmoid(self, x, x);
	scaled_truncate(self, z, x, 20);
	arith64_multiply(self, z, z, y);
	arith64_open(self, opened, z);
	logic_open(self, opened, &bit);
	shared_bits_free(&bits);
	shared_bits_free(&more);
	shared_bits_free(&bit);
	shared_bits_free(&all);
}

static void
run_engine(void)
{
	EngineJob	job;
	Sim			sim;
	Prg		   *prg = sim_prg("ctgrind", 0);
	uint64		values[NUMBERS];

	for (size_t v = 0; v < NUMBERS; v++)
		values[v] = sim_hard64(prg);
	sim_share64(job.x, values, NUMBERS, prg, false);
	sim_share64(job.y, values, NUMBERS, prg, false);
	sim_alloc64(job.z, NUMBERS);
	for (int i = 0; i < PARTIES; i++)
	{
		SECRET(job.x[i].mine, sizeof(values));
		SECRET(job.x[i].next, sizeof(values));
		SECRET(job.y[i].mine, sizeof(values));
		SECRET(job.y[i].next, sizeof(values));
	}
	sim_open(&sim, 1);
	sim_run_well(&sim, step_engine, &job);
	sim_close(&sim);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		undefined = 0;

		(void) VALGRIND_GET_VBITS(job.z[i].mine, &undefined, sizeof(undefined));
		CHECK(undefined == ~UINT64CONST(0), "valgrind has lost sight of party %d's result", i);
	}
	sim_free64(job.x);
	sim_free64(job.y);
	sim_free64(job.z);
	prg_free(prg);
	sim_report("shares were followed through the protocols over Z_2^64");
}

/* ---- tables ---- */

/* What is opened to all is public: places of rows that are shuffled. */
static void
watch_opened(Party *self, const Watched *what)
{
	watch_digests(self, what);
	if (what->kind != WATCH_OPEN)
		return;
	PUBLIC(what->x_mine, what->n);
	PUBLIC(what->x_next, what->n);
}

typedef struct TableJob
{
	Shared64	number[PARTIES];
	SharedBits	slice[PARTIES][2];
} TableJob;

static void
step_tables(Party *self, void *arg)
{
	TableJob   *job = arg;
	int			key = 1;
	int			sum = 0;
	Grouping	by = {&key, 1, 0, &sum, 1, GROUP_WITHOUT_ROWS};
	Table		table = {NUMBERS, 1, &job->number[self->index], 2, job->slice[self->index]};

	self->watch = watch_opened;
	group_table(self, &table, &by, NUMBERS / 2, NULL);
}

static void
run_tables(void)
{
	TableJob	job;
	Sim			sim;
	Prg		   *prg = sim_prg("ctgrind", 1);
	uint64		values[NUMBERS];
	SharedBits	valid[PARTIES];
	SharedBits	keys[PARTIES];

	for (size_t v = 0; v < NUMBERS; v++)
		values[v] = v / 3;
	sim_share64(job.number, values, NUMBERS, prg, false);
	sim_share_bits(keys, values, 7, NUMBERS, prg);
	for (size_t v = 0; v < NUMBERS; v++)
		values[v] = v < 50;
	sim_share_bits(valid, values, 1, NUMBERS, prg);
	for (int i = 0; i < PARTIES; i++)
	{
		job.slice[i][0] = valid[i];
		job.slice[i][1] = keys[i];
		SECRET(job.number[i].mine, sizeof(values));
		SECRET(job.number[i].next, sizeof(values));
		for (int c = 0; c < 2; c++)
		{
			size_t		len = job.slice[i][c].planes * BIT_WORDS(NUMBERS) * sizeof(uint64);

			SECRET(job.slice[i][c].mine, len);
			SECRET(job.slice[i][c].next, len);
		}
	}
	sim_open(&sim, 2);
	sim_run_well(&sim, step_tables, &job);
	sim_close(&sim);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		undefined = 0;

		/* Summand 2 is nothing but a stream. */
		(void) VALGRIND_GET_VBITS(i == 2 ? job.number[i].next : job.number[i].mine, &undefined, sizeof(undefined));
		CHECK(undefined == ~UINT64CONST(0), "valgrind has lost sight of party %d's result", i);
		shared64_free(&job.number[i]);
		shared_bits_free(&job.slice[i][0]);
		shared_bits_free(&job.slice[i][1]);
	}
	prg_free(prg);
	sim_report("shares were followed through shuffling and grouping");
}

/* ---- sorting, aggregates, joins ---- */

#define OPERATOR_ROWS	37

typedef struct OperatorJob
{
	Table		grouped[PARTIES];
	Table		left[PARTIES];
	Table		right[PARTIES];
	Table		beside[PARTIES];
	Table		pairs[PARTIES];
} OperatorJob;

/* Slices of all three: validity, a key, whether it is NULL, a value, a bit. */
static const int operator_planes[] = {1, 9, 1, 20, 1};

static void
secret_table(Table table[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
	{
		for (int c = 0; c < table[i].numbers; c++)
		{
			SECRET(table[i].number[c].mine, table[i].n * sizeof(uint64));
			SECRET(table[i].number[c].next, table[i].n * sizeof(uint64));
		}
		for (int c = 0; c < table[i].slices; c++)
		{
			size_t		len = table[i].slice[c].planes * BIT_WORDS(table[i].n) * sizeof(uint64);

			SECRET(table[i].slice[c].mine, len);
			SECRET(table[i].slice[c].next, len);
		}
	}
}

static void
share_secret(Table table[PARTIES], Prg *prg)
{
	Clear		rows = clear_rows(OPERATOR_ROWS, lengthof(operator_planes), operator_planes, 2);

	for (size_t v = 0; v < rows.n; v++)
	{
		rows.slice[0][v] = v % 7 != 0;
		rows.slice[1][v] = sim_u64(prg) % 9;
		rows.slice[2][v] = v % 5 == 0;
		rows.slice[3][v] = low_bits(sim_u64(prg), 20);
		rows.slice[4][v] = v % 2;
		rows.number[0][v] = rows.number[1][v] = sim_u64(prg);
	}
	sim_share_table(table, &rows, prg);
	clear_free(&rows);
	secret_table(table);
}

static void
aggregate_secrets(Party *self, Table *table)
{
	SortKey		order[] = {{1, true, true}, {3, false, false}};
	int			key = 1;
	Grouping	by = {&key, 1, 0, NULL, 0, GROUP_WITHOUT_ROWS};
	Aggregate	list[] = {
		{AGGREGATE_MAX, 3, 2, true}, {AGGREGATE_AND, 4, 2}, {AGGREGATE_SUM, 0, 2}, {AGGREGATE_ANY_NUMBER, 1, 2}
	};

	sort_table(self, table, order, 2, 0, NULL);
	aggregate_table(self, table, &by, list, lengthof(list), table->n, NULL);
}

static void
step_operators(Party *self, void *arg)
{
	OperatorJob *job = arg;
	int			i = self->index;
	int			key = 1;
	int			null = 2;
	int			value = 3;
	int			number = 0;
	JoinSide	left = {&job->left[i], &key, 1, &null, 1, 0};
	JoinSide	right = {&job->right[i], &key, 1, &null, 1, 0, &number, 1, &value, 1};
	SharedBits	duplicate = shared_bits_alloc(1, 1);
	Shared64	rows = shared64_zero(1);

	self->watch = watch_opened;
	aggregate_secrets(self, &job->grouped[i]);
	join_unique(self, JOIN_LEFT, &left, &right, &job->beside[i], &duplicate, NULL);
	join_many(self, &left, &right, OPERATOR_ROWS, &job->pairs[i], &rows, NULL);
	rows_distinct(self, &job->left[i], &value, 1, 0, OPERATOR_ROWS, &rows, NULL);
	shared_bits_free(&duplicate);
	shared64_free(&rows);
}

/* Summand 2 of a result of a shuffle is nothing but a stream. */
static void
expect_in_sight(Table table[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
	{
		const Shared64 *number = &table[i].number[0];
		uint64		undefined = 0;

		(void) VALGRIND_GET_VBITS(i == 2 ? number->next : number->mine, &undefined, sizeof(undefined));
		CHECK(undefined != 0, "valgrind has lost sight of party %d's result", i);
		table_destroy(&table[i]);
	}
}

static void
run_operators(void)
{
	OperatorJob job = {0};
	Sim			sim;
	Prg		   *prg = sim_prg("ctgrind", 2);

	share_secret(job.grouped, prg);
	share_secret(job.left, prg);
	share_secret(job.right, prg);
	sim_open(&sim, 3);
	sim_run_well(&sim, step_operators, &job);
	sim_close(&sim);
	expect_in_sight(job.grouped);
	expect_in_sight(job.left);
	expect_in_sight(job.right);
	expect_in_sight(job.beside);
	expect_in_sight(job.pairs);
	prg_free(prg);
	sim_report("shares were followed through sorting, aggregates and joins");
}

/* Reported on purpose. */
static void
branch_on_secret(void)
{
	volatile uint64 secret = 1;

	SECRET(&secret, sizeof(secret));
	if (secret == 1)
		printf("# that was it\n");
}

static void
run(bool control)
{
	Job			job;
	Sim			sim;

	share(&job);
	sim_open(&sim, 0);
	sim_run_well(&sim, step, &job);
	sim_close(&sim);
	for (int i = 0; i < PARTIES; i++)
	{
		uint128		undefined = 0;

		(void) VALGRIND_GET_VBITS(job.out[i].mine, &undefined, sizeof(undefined));
		CHECK(undefined == ~(uint128) 0, "valgrind has lost sight of party %d's result", i);
		public_shared(&job.in[i]);
		public_shared(&job.out[i]);
	}

	/* Cell 0 has no patients, cell 1 has 3 and is withheld, cell 4 has 12. */
	{
		uint128    *out = sim_rebuild(job.out);

		CHECK(out[0] == 1 && out[2] == 2 && out[3] == 0 && out[4] == 0, "cells 0 and 1");
		CHECK(out[12] == 1 && out[13] == 13 && out[14] == 14, "cell 4");
		pfree(out);
	}
	sim_free(job.in);
	sim_free(job.out);
	sim_report("shares were followed through a release");
	run_engine();
	run_tables();
	run_operators();
	check(VALGRIND_COUNT_ERRORS == 0, "no branch and no index depends on a share");

	if (control)
	{
		printf("# valgrind reports one branch now, on purpose\n");
		fflush(stdout);
		branch_on_secret();
		check(VALGRIND_COUNT_ERRORS > 0, "one that does is found");
	}
}

int
main(int argc, char **argv)
{
	if (RUNNING_ON_VALGRIND == 0)
	{
		if (argc > 1)
			return 2;
		fflush(stdout);
		execlp("valgrind", "valgrind", "-q", argv[0], "control", (char *) NULL);
		printf("1..0 # SKIP valgrind is not installed\n");
		return 0;
	}
	sim_start();
	run(argc > 1);
	return sim_end();
}

#endif
