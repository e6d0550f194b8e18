/*
 * watch.c
 *	  What Party.watch is told of a sort and a grouping: every AND and every product as it is,
 *	  with all operands, and the same rows before and after each shuffle.  A check against
 *	  cheating parties will build on that.
 */
#include "sim64.h"

#include "mpc/group.h"
#include "mpc/sort.h"

/* One call, with copies of what it pointed to; NULL where that was NULL. */
typedef struct Told
{
	Watched		what;
	uint64	   *x[2];
	uint64	   *y[2];
	uint64	   *v[2];
	uint64	   *z;
} Told;

typedef struct Log
{
	Told	   *told;
	size_t		used;
	size_t		room;
} Log;

typedef struct Job
{
	Table		table[PARTIES];
	SharedBits	slice[PARTIES][2];
	Shared64	number[PARTIES][1];
	Log			log[PARTIES];
} Job;

static uint64 *
copy_words(const void *words, size_t n)
{
	uint64	   *copy;

	if (words == NULL)
		return NULL;
	copy = palloc(Max(n, 1) * sizeof(uint64));
	memcpy(copy, words, n * sizeof(uint64));
	return copy;
}

/* Words that each pointer of a call has. */
static size_t
words_of(const Watched *what)
{
	if (what->kind == WATCH_SHUFFLE || what->kind == WATCH_SHUFFLED)
		return what->bytes > 0 ? what->n : what->party * BIT_WORDS(what->n);
	return what->n;
}

static void
tell(Party *self, const Watched *what)
{
	Log		   *log = &((Job *) self->watch_arg)->log[self->index];
	size_t		n = words_of(what);
	Told	   *told;

	if (what->kind == WATCH_OPEN || what->kind == WATCH_DIGEST || what->kind == WATCH_KNOWN ||
		what->kind == WATCH_INPUT)
		return;
	if (log->used == log->room)
	{
		log->room = Max(1024, 2 * log->room);
		log->told = log->told ? repalloc(log->told, log->room * sizeof(Told)) : palloc(log->room * sizeof(Told));
	}
	told = &log->told[log->used++];
	*told = (Told)
	{
		*what, {copy_words(what->x_mine, n), copy_words(what->x_next, n)},
		{copy_words(what->y_mine, n), copy_words(what->y_next, n)},
		{copy_words(what->v_mine, n), copy_words(what->v_next, n)}, copy_words(what->z_mine, n)
	};
}

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	SortKey		sort_key = {1, true, false};
	int			key = 1;
	int			sum = 0;
	Grouping	by = {&key, 1, 0, &sum, 1, GROUP_WITHOUT_ROWS};
	Table	   *table = &job->table[self->index];

	self->watch = tell;
	self->watch_arg = job;
	sort_table(self, table, &sort_key, 1, 0, NULL);
	group_table(self, table, &by, table->n, NULL);
}

/* The three summands of what the k-th call told, put together; copies must agree. */
static uint64
whole(const Job *job, size_t k, size_t w, uint64 *const *(*of) (const Told *), bool adds)
{
	uint64		sum = 0;

	for (int i = 0; i < PARTIES; i++)
	{
		uint64	   *const *mine = of(&job->log[i].told[k]);
		uint64	   *const *next = of(&job->log[PARTY_NEXT(i)].told[k]);

		CHECK(mine[1][w] == next[0][w], "call %zu, word %zu, party %d", k, w, i);
		sum = adds ? sum + mine[0][w] : sum ^ mine[0][w];
	}
	return sum;
}

static uint64 *const *
of_x(const Told *told)
{
	return told->x;
}

static uint64 *const *
of_y(const Told *told)
{
	return told->y;
}

static uint64 *const *
of_v(const Told *told)
{
	return told->v;
}

static uint64
whole_z(const Job *job, size_t k, size_t w, bool adds)
{
	uint64		z[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		z[i] = job->log[i].told[k].z[w];
	return adds ? z[0] + z[1] + z[2] : z[0] ^ z[1] ^ z[2];
}

/* Call k told the operands of an AND or a product, and call `after` what came out. */
static void
expect_gate(const Job *job, size_t k, size_t after)
{
	const Told *told = &job->log[0].told[k];
	bool		adds = told->what.kind == WATCH_MULTIPLY;

	CHECK(job->log[0].told[after].z != NULL, "call %zu", after);
	for (size_t w = 0; w < told->what.n; w++)
	{
		uint64		x = whole(job, k, w, of_x, adds);
		uint64		y = whole(job, k, w, of_y, adds);
		uint64		z = whole_z(job, after, w, adds);

		if (adds)
			CHECK(z == x * y, "call %zu, word %zu", k, w);
		else
			CHECK(z == ((x & y) ^ whole(job, k, w, of_v, false)), "call %zu, word %zu", k, w);
	}
}

static int
by_word(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* The values of a column, in their order. */
static uint64 *
sorted_values(const Job *job, size_t k)
{
	const Watched *what = &job->log[0].told[k].what;
	uint64	   *words = palloc(words_of(what) * sizeof(uint64));
	uint64	   *values = palloc(what->n * sizeof(uint64));

	for (size_t w = 0; w < words_of(what); w++)
		words[w] = whole(job, k, w, of_x, what->bytes > 0);
	if (what->bytes > 0)
		memcpy(values, words, what->n * sizeof(uint64));
	else
		bits_unslice(values, words, what->n, what->party);
	pfree(words);
	qsort(values, what->n, sizeof(uint64), by_word);
	return values;
}

/* Columns of one shuffle: all before, then all after. */
static size_t
expect_shuffle(const Job *job, size_t first)
{
	const Told *told = job->log[0].told;
	size_t		columns = 0;

	while (told[first + columns].what.kind == WATCH_SHUFFLE)
		columns++;
	for (size_t c = 0; c < columns; c++)
	{
		uint64	   *before = sorted_values(job, first + c);
		uint64	   *after;

		CHECK(told[first + columns + c].what.kind == WATCH_SHUFFLED, "column %zu", c);
		after = sorted_values(job, first + columns + c);
		CHECK(memcmp(before, after, told[first].what.n * sizeof(uint64)) == 0, "column %zu", c);
		pfree(before);
		pfree(after);
	}
	return 2 * columns;
}

static void
open_job(Job *job, size_t n, Prg *prg)
{
	uint64	   *keys = palloc(n * sizeof(uint64));
	uint64	   *valid = palloc(n * sizeof(uint64));
	SharedBits	shared[2][PARTIES];
	Shared64	numbers[PARTIES];

	memset(job, 0, sizeof(Job));
	for (size_t v = 0; v < n; v++)
	{
		keys[v] = sim_u64(prg) % 30;
		valid[v] = sim_u64(prg) % 5 > 0;
	}
	sim_share_bits(shared[0], valid, 1, n, prg);
	sim_share_bits(shared[1], keys, 7, n, prg);
	sim_share64(numbers, keys, n, prg, false);
	for (int i = 0; i < PARTIES; i++)
	{
		job->slice[i][0] = shared[0][i];
		job->slice[i][1] = shared[1][i];
		job->number[i][0] = numbers[i];
		job->table[i] = (Table)
		{
			n, 1, job->number[i], 2, job->slice[i]
		};
	}
	pfree(keys);
	pfree(valid);
}

static void
close_job(Job *job)
{
	for (int i = 0; i < PARTIES; i++)
	{
		for (size_t k = 0; k < job->log[i].used; k++)
		{
			Told	   *told = &job->log[i].told[k];
			uint64	   *copies[] = {told->x[0], told->x[1], told->y[0], told->y[1], told->v[0], told->v[1], told->z};

			for (int c = 0; c < lengthof(copies); c++)
			{
				if (copies[c])
					pfree(copies[c]);
			}
		}
		if (job->log[i].told)
			pfree(job->log[i].told);
		shared_bits_free(&job->slice[i][0]);
		shared_bits_free(&job->slice[i][1]);
		shared64_free(&job->number[i][0]);
	}
}

static void
test_watch(size_t n, Prg *prg)
{
	Job			job;
	Sim			sim;
	size_t		gates = 0;
	size_t		shuffles = 0;

	open_job(&job, n, prg);
	sim_open(&sim, n);
	sim_run_well(&sim, step, &job);
	sim_close(&sim);
	for (int i = 1; i < PARTIES; i++)
		CHECK(job.log[i].used == job.log[0].used, "party %d was told other things", i);
	for (size_t k = 0; sim_failures == 0 && k < job.log[0].used;)
	{
		size_t		count = 0;

		if (job.log[0].told[k].what.kind == WATCH_SHUFFLE)
		{
			k += expect_shuffle(&job, k);
			shuffles++;
			continue;
		}
		/* The operands of all gates of a block are told first, then what came of each. */
		while (k + count < job.log[0].used && job.log[0].told[k + count].z == NULL)
			count++;
		for (size_t g = 0; g < count; g++)
			expect_gate(&job, k + g, k + count + g);
		gates += count;
		k += 2 * count;
	}
	CHECK(shuffles == 2 && gates > 10, "%zu shuffles, %zu gates", shuffles, gates);
	close_job(&job);
	sim_report("all gates, products and shuffles of %zu rows are told as they are", n);
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("watch", 0);
	test_watch(2, prg);
	test_watch(65, prg);
	test_watch(700, prg);
	prg_free(prg);
	return sim_end();
}
