/*
 * joins.c
 *	  Rows of two tables with equal keys, as the clear computation finds them, for what the header says;
 *	  and no operator holds more memory than it has reserved.
 */
#include "sim_operators.h"

#include "mpc/aggregate.h"
#include "mpc/expand.h"
#include "mpc/join.h"
#include "share/memory.h"

static const size_t joined_sizes[][2] = {
	{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 1}, {1, 2}, {3, 5}, {64, 0}, {0, 64}, {17, 64}, {63, 1}, {65, 64}, {128, 129},
	{3, 300}, {300, 3}, {255, 257}, {512, 513}
};
static const size_t paired_sizes[][2] = {
	{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 1}, {1, 2}, {3, 5}, {8, 8}, {9, 7}, {30, 33}, {1, 64}, {65, 2}
};

/* ---- joins on a unique key ---- */

typedef struct JoinJob
{
	Table		one[PARTIES];
	Table		many[PARTIES];
	Table		beside[PARTIES];
	SharedBits	duplicate[PARTIES];
	JoinKind	kind;
	SortWork	work;
} JoinJob;

static void
step_join(Party *self, void *arg)
{
	JoinJob    *job = arg;
	int			i = self->index;
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;
	JoinSide	one = {&job->one[i], join_keys, 2, join_nulls, 1, J_VALID};
	JoinSide	many = one;
	SortWork	work;

	if (values)
	{
		one.numbers = join_numbers;
		one.number_count = 2;
		one.slices = join_values;
		one.slice_count = 2;
		one.value_nulls = 1;
	}
	many = (JoinSide) {&job->many[i], join_keys, 2, join_nulls, 1, J_VALID};
	join_unique(self, job->kind, &many, &one, &job->beside[i], &job->duplicate[i], &work);
	if (i == 0)
		job->work = work;
}

/* How many rows have the key of an earlier one; they become invalid, if asked. */
static int
join_duplicates(Clear *rows, bool remove)
{
	int			count = 0;

	for (size_t v = 0; v < rows->n; v++)
	{
		for (size_t w = 0; w < v; w++)
		{
			if (!join_equal(rows, v, rows, w))
				continue;
			count++;
			if (remove)
				rows->slice[J_VALID][v] = 0;
			break;
		}
	}
	return count;
}

static void
expect_join(const JoinJob *job, const Clear *many, const Clear *one)
{
	Clear		beside = sim_rebuild_table(job->beside);
	Clear		after = sim_rebuild_table(job->many);
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;

	CHECK(beside.n == many->n && beside.slices == (values ? 3 : 1) && beside.numbers == (values ? 2 : 0), "columns");
	for (size_t v = 0; v < many->n; v++)
	{
		size_t		w = 0;
		bool		matched;
		bool		valid = many->slice[J_VALID][v];

		while (w < one->n && !join_equal(many, v, one, w))
			w++;
		matched = w < one->n;
		CHECK(beside.slice[0][v] == matched, "n=%zu row %zu", many->n, v);
		CHECK(after.slice[J_VALID][v] == (job->kind == JOIN_LEFT ? valid : job->kind == JOIN_ANTI ? valid && !matched : matched),
			  "kind %d n=%zu row %zu", job->kind, many->n, v);
		for (int c = 1; c < JOIN_SLICES; c++)
			CHECK(after.slice[c][v] == many->slice[c][v], "n=%zu row %zu", many->n, v);
		for (int c = 0; c < 2; c++)
			CHECK(after.number[c][v] == many->number[c][v], "n=%zu row %zu", many->n, v);
		if (!values)
			continue;
		CHECK(beside.slice[1][v] == (matched ? one->slice[J_VALUE][w] : 0), "n=%zu row %zu", many->n, v);
		CHECK(beside.slice[2][v] == (matched ? one->slice[J_VALUE_NULL][w] : job->kind == JOIN_LEFT),
			  "kind %d n=%zu row %zu", job->kind, many->n, v);
		for (int c = 0; c < 2; c++)
			CHECK(beside.number[c][v] == (matched ? one->number[c][w] : 0), "n=%zu row %zu", many->n, v);
	}
	clear_free(&beside);
	clear_free(&after);
}

static void
expect_join_cost(const JoinJob *job, const Cost *cost, size_t n1, size_t n2)
{
	size_t		n = n1 + n2;
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;
	int			l = table_row_planes(n);
	int			v = values ? 35 : 1;
	int			numbers = values ? 2 : 0;
	int			w = 12 + 64;
	const SortWork *work = &job->work;
	uint64		rounds = 2 + 3 + table_row_planes(w + 1) + 1 + scan_levels(n) + table_row_planes(n);
	uint64		bytes;

	if (n == 0)
	{
		CHECK(cost->rounds == 2 && cost->sent[0] == 0, "no rows: " UINT64_FORMAT, cost->rounds);
		return;
	}
	if (values && n > 1)
		rounds += scan_levels(n) + 2;
	if (n > 1)
		rounds += 2 + work->batches * (1 + carry_rounds(work->planes));
	CHECK(cost->rounds == rounds, "n=%zu+%zu: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, cost->rounds, rounds);
	bytes = PLANE_BYTES(n1) + PLANE_BYTES(n2) + work->bytes * (carry_gates(work->planes) + 1) +
		work->batches * HASH_BYTES + w * PLANE_BYTES(n - 1) + PLANE_BYTES(n) + any_bytes(n) +
		level_bytes(n, v + 1, v, v, true) + l * PLANE_BYTES(n);
	if (n > 1)
		bytes += HASH_BYTES;
	if (values && n > 1)
		bytes += 8 * n + level_bytes(n, 24, 24, 16, false);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		moved = shuffle_bytes(i, n, numbers, v + l) +
			(n > 1 ? shuffle_bytes(i, n, numbers, v + w + 1 + 2 * l) : 0);

		CHECK(cost->sent[i] == bytes + moved, "n=%zu+%zu party %d: " UINT64_FORMAT " for " UINT64_FORMAT,
			  n1, n2, i, cost->sent[i], bytes + moved);
	}
}

static void
test_join(JoinKind kind, const Clear *many, const Clear *one, bool duplicates, Prg *prg)
{
	JoinJob		job = {.kind = kind};
	Cost		cost;
	uint64	   *duplicate;

	sim_share_table(job.many, many, prg);
	sim_share_table(job.one, one, prg);
	sim_alloc_bits(job.duplicate, 1, 1);
	cost = run(step_join, &job);
	duplicate = sim_rebuild_bits(job.duplicate);
	CHECK(duplicate[0] == duplicates, "n=%zu+%zu: " UINT64_FORMAT, one->n, many->n, duplicate[0]);
	if (!duplicates)
		expect_join(&job, many, one);
	expect_join_cost(&job, &cost, one->n, many->n);
	pfree(duplicate);
	sim_free_table(job.many);
	sim_free_table(job.one);
	sim_free_bits(job.duplicate);
	for (int i = 0; i < PARTIES; i++)
		table_destroy(&job.beside[i]);
}

static void
test_joins(size_t n1, size_t n2, Prg *prg)
{
	uint64		ranges[] = {1, n1 + 1, 4 * n1 + 4};

	for (int k = 0; k < lengthof(ranges); k++)
	{
		for (int invalid = 0; invalid < 4; invalid++)
		{
			Clear		one = join_rows(n1, ranges[k], invalid, (invalid + k) % 4 * 2, prg);
			Clear		many = join_rows(n2, ranges[k], (invalid + k) % 4, 5, prg);
			JoinKind	kind = (JoinKind) ((k + invalid) % 4);

			test_join(kind, &many, &one, join_duplicates(&one, false) > 0, prg);
			join_duplicates(&one, true);
			for (kind = JOIN_INNER; kind <= JOIN_ANTI; kind++)
				test_join(kind, &many, &one, false, prg);
			clear_free(&one);
			clear_free(&many);
		}
	}
}

/* ---- joins of all pairs ---- */

typedef struct PairsJob
{
	Table		left[PARTIES];
	Table		right[PARTIES];
	Table		joined[PARTIES];
	Shared64	rows[PARTIES];
	size_t		size;
	SortWork	work[PARTIES];
} PairsJob;

static const int right_values[] = {J_VALUE};
static const int right_numbers[] = {1};

/* The left side has two numbers and 34 bits to show, the right side one and 33. */
static void
step_pairs(Party *self, void *arg)
{
	PairsJob   *job = arg;
	int			i = self->index;
	JoinSide	left = {&job->left[i], join_keys, 2, join_nulls, 1, J_VALID, join_numbers, 2, join_values, 2};
	JoinSide	right = {&job->right[i], join_keys, 2, join_nulls, 1, J_VALID, right_numbers, 1, right_values, 1};

	join_many(self, &left, &right, job->size, &job->joined[i], &job->rows[i], &job->work[i]);
}

static void
expect_pairs_cost(const PairsJob *job, const Cost *cost, size_t n1, size_t n2)
{
	size_t		n = n1 + n2;
	size_t		all = n + 2 + 2 * job->size;
	int			w = 12 + 64;
	int			v = 34;
	int			numbers = 2;
	const SortWork *work = &job->work[0];
	Cost		expand = expand_cost(n + 2, 2 * job->size, numbers + 2, v + 1);
	uint64		rounds = 16 + 4 + 2 * scan_levels(n) + expand.rounds;
	uint64		bytes = 56 * n + 16 + level_bytes(n, 24, 24, 16, false) + level_bytes(n, 16, 16, 8, false) +
		8 * all + 8 * all + HASH_BYTES;

	if (n > 0)
	{
		rounds += 2 + table_row_planes(w + 1);
		bytes += PLANE_BYTES(n1) + PLANE_BYTES(n2) + w * PLANE_BYTES(n - 1);
	}
	if (n > 1)
	{
		rounds += 2 + work->batches * (1 + carry_rounds(work->planes));
		bytes += work->bytes * (carry_gates(work->planes) + 1) + work->batches * HASH_BYTES;
	}
	CHECK(cost->rounds == rounds, "n=%zu+%zu: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, cost->rounds, rounds);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		want = bytes + expand.sent[i] + shuffle_bytes(i, all, numbers + 1, v + 1) + (i == 2 ? 241 : 305);

		if (n > 1)
			want += shuffle_bytes(i, n, numbers, v + w + 2 + table_row_planes(n));
		CHECK(cost->sent[i] == want, "n=%zu+%zu party %d: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, i,
			  cost->sent[i], want);
	}
}

/* Each pair must be there; there are as many as there should be, so each is there once. */
static void
expect_pairs(const PairsJob *job, const Clear *left, const Clear *right, size_t pairs)
{
	Clear		joined = sim_rebuild_table(job->joined);
	uint64	   *rows = sim_rebuild64(job->rows);
	bool		fits = pairs <= job->size;
	uint8	   *seen = palloc0(left->n * right->n + 1);

	CHECK(rows[0] == pairs, "%zu+%zu: " UINT64_FORMAT " pairs for %zu", left->n, right->n, rows[0], pairs);
	CHECK(joined.n == job->size && joined.slices == 4 && joined.numbers == 3, "columns");
	for (size_t q = 0; q < joined.n; q++)
	{
		/* Numbers 1 and 2 are the rows' own. */
		uint64		v = joined.number[1][q];
		uint64		w = joined.number[2][q];

		CHECK(joined.slice[0][q] == (fits && q < pairs), "%zu+%zu row %zu", left->n, right->n, q);
		if (!fits || q >= pairs)
		{
			CHECK(v == 0 && w == 0 && joined.slice[1][q] == 0 && joined.slice[3][q] == 0, "row %zu", q);
			continue;
		}
		CHECK(v < left->n && w < right->n && join_equal(left, v, right, w), "row %zu", q);
		if (v >= left->n || w >= right->n)
			continue;
		CHECK(!seen[v * right->n + w]++, "pair of %zu and %zu twice", (size_t) v, (size_t) w);
		CHECK(joined.slice[1][q] == left->slice[J_VALUE][v] && joined.slice[2][q] == left->slice[J_VALUE_NULL][v] &&
			  joined.slice[3][q] == right->slice[J_VALUE][w] && joined.number[0][q] == left->number[0][v],
			  "%zu+%zu row %zu", left->n, right->n, q);
	}
	pfree(rows);
	pfree(seen);
	clear_free(&joined);
}

static void
test_pairs(const Clear *left, const Clear *right, size_t size, size_t pairs, Prg *prg)
{
	PairsJob	job = {.size = size};
	Cost		cost;

	sim_share_table(job.left, left, prg);
	sim_share_table(job.right, right, prg);
	sim_alloc64(job.rows, 1);
	cost = run(step_pairs, &job);
	expect_pairs_cost(&job, &cost, left->n, right->n);
	expect_pairs(&job, left, right, pairs);
	sim_free_table(job.left);
	sim_free_table(job.right);
	sim_free64(job.rows);
	for (int i = 0; i < PARTIES; i++)
		table_destroy(&job.joined[i]);
}

static void
test_all_pairs(size_t n1, size_t n2, Prg *prg)
{
	uint64		ranges[] = {1, 3, n1 + 1};

	for (int k = 0; k < lengthof(ranges); k++)
	{
		size_t		pairs = 0;
		Clear		left = join_rows(n1, ranges[k], k * 2, 5, prg);
		Clear		right = join_rows(n2, ranges[k], (k + 1) % 3 * 2, 0, prg);

		for (size_t v = 0; v < n1; v++)
		{
			left.number[1][v] = v;
			for (size_t w = 0; w < n2; w++)
				pairs += join_equal(&left, v, &right, w);
		}
		for (size_t w = 0; w < n2; w++)
			right.number[1][w] = w;
		test_pairs(&left, &right, pairs, pairs, prg);
		test_pairs(&left, &right, pairs + 1 + n1, pairs, prg);
		test_pairs(&left, &right, pairs / 2, pairs, prg);
		if (pairs > 0)
			test_pairs(&left, &right, pairs - 1, pairs, prg);
		clear_free(&left);
		clear_free(&right);
	}
}

/* A bound that no column could be numbered with is refused before anything is made of it. */
static void
test_too_large(Prg *prg)
{
	size_t		sizes[] = {UINT32_MAX / 2, UINT32_MAX, SIZE_MAX};
	Clear		rows = join_rows(3, 3, 0, 0, prg);

	sim_allow_leaks();
	for (int k = 0; k < lengthof(sizes); k++)
	{
		PairsJob	job = {.size = sizes[k]};
		Sim			sim;

		sim_share_table(job.left, &rows, prg);
		sim_share_table(job.right, &rows, prg);
		sim_alloc64(job.rows, 1);
		sim_open(&sim, runs++);
		sim_run(&sim, step_pairs, &job);
		for (int i = 0; i < PARTIES; i++)
			CHECK(sim.outcome[i].failed && sim.outcome[i].sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED &&
				  sim.party[i].bytes_sent == 0, "size %zu: %s", sizes[k], sim.outcome[i].message);
		sim_close(&sim);
		sim_free_table(job.left);
		sim_free_table(job.right);
		sim_free64(job.rows);
	}
	clear_free(&rows);
}

/* ---- memory: no more is held than was reserved ---- */

typedef enum Operator
{
	OPERATOR_SCAN_BITS,
	OPERATOR_SCAN_NUMBERS,
	OPERATOR_LEAST,
	OPERATOR_AGGREGATE,
	OPERATOR_JOIN,
	OPERATOR_EXPAND,
	OPERATOR_PAIRS,
	OPERATORS
} Operator;

static const char *const operator_names[] = {
	"copying bits", "copying numbers", "a minimum", "aggregates", "a join", "expanding", "a join of all pairs"
};

typedef struct MemoryJob
{
	Operator	what;
	Table		one[PARTIES];
	Table		two[PARTIES];
	Shared64	copies[PARTIES];
	SharedBits	pass[PARTIES];
	size_t		total;
	int64		held[PARTIES];
	uint64		reserved[PARTIES];
} MemoryJob;

static void
step_operator(Party *self, MemoryJob *job, Table *result)
{
	int			i = self->index;
	JoinSide	left = {&job->one[i], join_keys, 2, join_nulls, 1, J_VALID, join_numbers, 2, join_values, 2};
	JoinSide	right = {&job->two[i], join_keys, 2, join_nulls, 1, J_VALID};
	int			key = J_KEY;
	Grouping	by = {&key, 1, J_VALID, NULL, 0, GROUP_WITHOUT_ROWS};
	Aggregate	list[] = {
		{AGGREGATE_MIN, J_VALUE, J_VALUE_NULL}, {AGGREGATE_MAX, J_KEY_AGAIN, AGGREGATE_NOT_NULL}, {AGGREGATE_COUNT, 0, J_VALUE_NULL}
	};
	SharedBits	duplicate;
	Shared64	number;

	switch (job->what)
	{
		case OPERATOR_SCAN_BITS:
			scan_copy_bits(self, job->one[i].slice, 5, &job->pass[i]);
			break;
		case OPERATOR_SCAN_NUMBERS:
			scan_copy_numbers(self, job->one[i].number, 2, &job->pass[i]);
			break;
		case OPERATOR_LEAST:
			scan_least(self, &job->one[i].slice[J_KEY_AGAIN], 1, &job->pass[i]);
			break;
		case OPERATOR_AGGREGATE:
			aggregate_table(self, &job->one[i], &by, list, lengthof(list), job->one[i].n, NULL);
			break;
		case OPERATOR_JOIN:
			duplicate = shared_bits_alloc(1, 1);
			join_unique(self, JOIN_LEFT, &right, &left, result, &duplicate, NULL);
			shared_bits_free(&duplicate);
			break;
		case OPERATOR_EXPAND:
			number = shared64_zero(job->one[i].n + job->total);
			expand_table(self, &job->one[i], &job->copies[i], job->total, &number);
			shared64_free(&number);
			break;
		case OPERATOR_PAIRS:
			number = shared64_zero(1);
			join_many(self, &left, &right, job->total, result, &number, NULL);
			shared64_free(&number);
			break;
		case OPERATORS:
			break;
	}
}

static void
step_memory(Party *self, void *arg)
{
	MemoryJob  *job = arg;
	Table		result = {0};

	vector_memory.now = vector_memory.peak = 0;
	step_operator(self, job, &result);
	job->held[self->index] = vector_memory.peak;
	job->reserved[self->index] = self->memory_peak;
	if (result.slice)
		table_destroy(&result);
}

static void
test_memory(Operator what, Prg *prg)
{
	size_t		n = 20000;
	MemoryJob	job = {.what = what, .total = n};
	Clear		one = join_rows(n, n, 0, 0, prg);
	Clear		two = join_rows(n, n, 0, 0, prg);
	uint64	   *copies = palloc0(n * sizeof(uint64));
	uint64	   *pass = palloc(n * sizeof(uint64));
	double		part = 0;

	copies[n / 2] = job.total;
	for (size_t v = 0; v < n; v++)
		pass[v] = sim_u64(prg) % 2;
	sim_share_table(job.one, &one, prg);
	sim_share_table(job.two, &two, prg);
	sim_share64(job.copies, copies, n, prg, false);
	sim_share_bits(job.pass, pass, 1, n, prg);
	run(step_memory, &job);
	for (int i = 0; i < PARTIES; i++)
		part = Max(part, (double) job.held[i] / job.reserved[i]);
	CHECK(part <= 1, "%s held %.2f of what was reserved", operator_names[what], part);
	/* And a reservation that asks for far too much would be no help. */
	CHECK(part > 0.5, "%s held %.2f of what was reserved", operator_names[what], part);
	pfree(copies);
	pfree(pass);
	clear_free(&one);
	clear_free(&two);
	sim_free_table(job.one);
	sim_free_table(job.two);
	sim_free64(job.copies);
	sim_free_bits(job.pass);
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("joins", 0);
	for (int s = 0; s < lengthof(joined_sizes); s++)
		test_joins(joined_sizes[s][0], joined_sizes[s][1], prg);
	sim_report("rows find the one with their key, and a second one is told");
	for (int s = 0; s < lengthof(paired_sizes); s++)
		test_all_pairs(paired_sizes[s][0], paired_sizes[s][1], prg);
	sim_report("all pairs of rows with equal keys, and none if there is no room for all");
	test_too_large(prg);
	sim_report("a bound that is too large is refused");
	for (Operator what = 0; what < OPERATORS; what++)
		test_memory(what, prg);
	sim_report("no operator holds more than it has reserved");
	prg_free(prg);
	return sim_end();
}
