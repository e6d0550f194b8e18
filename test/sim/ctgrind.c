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

#include "mpc/arith.h"
#include "mpc/convert.h"
#include "mpc/release.h"

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
