/*
 * estimate.c
 *	  Programs of the parties on counts: what is opened is what the same
 *	  statistic gives in the clear, of arms and times with enough patients only,
 *	  and it costs what is said.
 */
#include "sim.h"

#include <math.h>

#include "base/limits.h"
#include "estimate/program.h"
#include "estimate/reciprocal.h"
#include "stats/distribution.h"
#include "stats/survival.h"

#define PATIENTS_MIN	5
#define ARMS_MAX		4

typedef struct Job
{
	EstimateRule rule;
	Shared		in[PARTIES];
	Shared		out[PARTIES];
	uint64		rounds[PARTIES];
	uint64		bytes[PARTIES];
	uint64		reserved;
} Job;

static uint64 runs = 0;

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	estimate_run(self, &job->out[i], &job->in[i], &job->rule);
	job->rounds[i] = self->rounds;
	job->bytes[i] = self->bytes_sent;
}

/* What is opened, as a number. */
static double
number(uint128 element)
{
	return ldexp((double) (int128) element, -ESTIMATE_FRACTION);
}

static bool
near(double got, double wanted)
{
	return got == wanted || fabs(got - wanted) <= 1e-10 * fabs(wanted) + 1e-15;
}

/* ---- cases ---- */

typedef struct Case
{
	Estimate	estimate;
	size_t		arms;
	bool		show_zero;
	double		events_share;
	uint64		rows[ARMS_MAX];
	EventCount *counts;			/* of each arm, stratum and cell */
} Case;

static EventCount *
counts_of(const Case *of, size_t arm, size_t stratum)
{
	return of->counts + (arm * of->estimate.strata + stratum) * of->estimate.cells;
}

/* Rows fall into random cells; few of the largest arms' rows into each draw. */
static void
draw_counts(Case *of, Prg *prg)
{
	of->counts = palloc0(sizeof(EventCount) * of->arms * of->estimate.strata * of->estimate.cells);
	for (size_t arm = 0; arm < of->arms; arm++)
	{
		uint64		each = 1 + of->rows[arm] / 5000;

		for (size_t stratum = 0; stratum < of->estimate.strata; stratum++)
			for (size_t cell = 0; cell < of->estimate.cells; cell++)
				counts_of(of, arm, stratum)[cell].time = cell;
		for (uint64 row = 0; row < of->rows[arm]; row += each)
		{
			uint64		n = Min(each, of->rows[arm] - row);
			EventCount *count = counts_of(of, arm, sim_u64(prg) % of->estimate.strata) + sim_u64(prg) % of->estimate.cells;

			if (sim_u64(prg) % 1000 < of->events_share * 1000)
				count->events += n;
			else
				count->censored += n;
		}
	}
}

static uint128 *
elements_of(const Case *of, const EstimateRule *rule)
{
	size_t		stride = estimate_stride_in(rule);
	uint128    *elements = palloc0(sizeof(uint128) * of->arms * stride);

	for (size_t arm = 0; arm < of->arms; arm++)
	{
		elements[arm * stride] = of->rows[arm];
		for (size_t stratum = 0; stratum < of->estimate.strata; stratum++)
			for (size_t cell = 0; cell < of->estimate.cells; cell++)
			{
				elements[arm * stride + 1 + 2 * stratum * of->estimate.cells + cell] = counts_of(of, arm, stratum)[cell].events;
				elements[arm * stride + 1 + (2 * stratum + 1) * of->estimate.cells + cell] = counts_of(of, arm, stratum)[cell].censored;
			}
		elements[(arm + 1) * stride - 1] = of->rows[arm] > 0 ? 3 : 0;
	}
	return elements;
}

/* ---- the curve ---- */

static double
rows_up_to(const Case *of, size_t arm, size_t cells)
{
	double		rows = 0;

	for (size_t cell = 0; cell < cells; cell++)
		rows += counts_of(of, arm, 0)[cell].events + counts_of(of, arm, 0)[cell].censored;
	return rows;
}

static bool
position_passes(const Case *of, size_t arm, int position)
{
	uint32		here = of->estimate.positions[position];
	uint32		last = position > 0 ? of->estimate.positions[position - 1] : 0;
	size_t		up_to = (here + 1) / 2;
	size_t		before = here / 2;

	return (up_to == 0 || rows_up_to(of, arm, up_to) - rows_up_to(of, arm, (last + 1) / 2) >= PATIENTS_MIN) &&
		(before == 0 || rows_up_to(of, arm, before) - rows_up_to(of, arm, last / 2) >= PATIENTS_MIN) &&
		(up_to == of->estimate.cells || of->rows[arm] - rows_up_to(of, arm, up_to) >= PATIENTS_MIN);
}

static void
check_position(const Case *of, size_t arm, int position, const SurvivalPoint *point, const uint128 *opened)
{
	bool		passes = position_passes(of, arm, position);
	const double wanted[CURVE_OUTPUTS] = {1, point->at_risk, point->events, point->censored, log(point->survival),
	point->log_variance, point->hazard, point->hazard_variance};

	for (int i = 0; i < CURVE_OUTPUTS; i++)
	{
		double		got = number(opened[i]);

		if (passes && (i == 4 || i == 5) && point->survival == 0)
			CHECK(i == 5 || got < -30, "log survival %g at 0", got);
		else
			CHECK(passes ? near(got, wanted[i]) : opened[i] == 0, "arm %zu, position %u, number %d: %.17g, not %.17g", arm,
				  of->estimate.positions[position], i, got, wanted[i]);
	}
}

/* The first cell with a time of this kind, or all of them. */
static double
cell_of(const Case *of, double time)
{
	return isnan(time) ? of->estimate.cells : floor(time);
}

/* The median, but where the curve is at 1/2 for some time: the start of that. */
static double
first_half(const Case *of, const SurvivalPoint *points)
{
	for (size_t cell = 0; cell < of->estimate.cells; cell++)
		if (points[cell].survival < 0.5 + 1e-9)
			return cell;
	return (double) NAN;
}

/* Where it is reached, it is not to be known. */
static bool
few_at_risk(const Case *of, const SurvivalPoint *points, double time)
{
	return !isnan(time) && points[(size_t) cell_of(of, time)].at_risk < PATIENTS_MIN;
}

static void
check_limits(const Case *of, size_t arm, const SurvivalPoint *points, const uint128 *opened)
{
	double		z = sqrt(ldexp(of->estimate.squared, -ESTIMATE_SQUARED_BITS));
	SurvivalMedian median = survival_median(points, of->estimate.cells, LIMITS_LOG, z);
	double		first = number(opened[0]) - 1;
	double		second = number(opened[1]) - 1;
	bool		between = second > first && second < of->estimate.cells;

	if (first >= 0 && second >= 0)
		CHECK(isnan(median.median) ? first == of->estimate.cells : (between ? (first + second) / 2 : first) == median.median,
			  "arm %zu: median %g, %g, not %g", arm, first, second, median.median);
	CHECK((first < 0) == few_at_risk(of, points, first_half(of, points)), "arm %zu: median %g", arm, median.median);
	CHECK(number(opened[2]) == (few_at_risk(of, points, median.lower) ? 0 : 1 + cell_of(of, median.lower)),
		  "arm %zu: lower %g, not %g", arm, number(opened[2]), median.lower);
	CHECK(number(opened[3]) == (few_at_risk(of, points, median.upper) ? 0 : 1 + cell_of(of, median.upper)),
		  "arm %zu: upper %g, not %g", arm, number(opened[3]), median.upper);
}

static void
check_curve(const Case *of, size_t arm, const uint128 *opened)
{
	SurvivalPoint *points = palloc0(sizeof(SurvivalPoint) * of->estimate.cells);
	SurvivalPoint *asked = palloc0(sizeof(SurvivalPoint) * (of->estimate.npositions + 1));
	double		events = 0;

	survival_curve(points, counts_of(of, arm, 0), of->estimate.cells);
	for (int i = 0; i < of->estimate.npositions; i++)
		asked[i].time = (of->estimate.positions[i] - 1.0) / 2;
	survival_at(asked, of->estimate.npositions, points, of->estimate.cells);
	for (size_t cell = 0; cell < of->estimate.cells; cell++)
		events += points[cell].events;
	CHECK(number(opened[1]) == of->rows[arm] && number(opened[2]) == events, "arm %zu", arm);
	for (int i = 0; i < of->estimate.npositions; i++)
		check_position(of, arm, i, &asked[i], opened + 1 + CURVE_TOTALS + i * CURVE_OUTPUTS);
	if (of->estimate.squared > 0 && of->rows[arm] > 0)
		check_limits(of, arm, points, opened + 1 + CURVE_TOTALS + of->estimate.npositions * CURVE_OUTPUTS);
	pfree(points);
	pfree(asked);
}

/* ---- the log-rank test ---- */

static LogRank
clear_logrank(const Case *of)
{
	LogRank		test;

	logrank_init(&test, of->arms);
	for (size_t stratum = 0; stratum < of->estimate.strata; stratum++)
	{
		double		at_risk[ARMS_MAX] = {0};
		double		events[ARMS_MAX];

		for (size_t arm = 0; arm < of->arms; arm++)
			for (size_t cell = 0; cell < of->estimate.cells; cell++)
				at_risk[arm] += counts_of(of, arm, stratum)[cell].events + counts_of(of, arm, stratum)[cell].censored;
		for (size_t cell = 0; cell < of->estimate.cells; cell++)
		{
			for (size_t arm = 0; arm < of->arms; arm++)
				events[arm] = counts_of(of, arm, stratum)[cell].events;
			logrank_add(&test, at_risk, events);
			for (size_t arm = 0; arm < of->arms; arm++)
				at_risk[arm] -= events[arm] + counts_of(of, arm, stratum)[cell].censored;
		}
	}
	logrank_finish(&test);
	return test;
}

static void
check_logrank(const Case *of, const LogRank *test, size_t arm, const uint128 *opened)
{
	CHECK(number(opened[1]) == of->rows[arm], "arm %zu", arm);
	CHECK(number(opened[2]) == test->observed[arm], "arm %zu: %g observed, not %g", arm, number(opened[2]), test->observed[arm]);
	CHECK(fabs(number(opened[3]) - test->expected[arm]) < 1e-10 * test->expected[arm] + 1e-11, "arm %zu: %.17g expected, not %.17g", arm, number(opened[3]), test->expected[arm]);
	for (size_t b = 0; b < of->arms; b++)
		CHECK(fabs(number(opened[4 + b]) - test->covariance[arm * of->arms + b]) < 1e-9 * fabs(test->covariance[arm * of->arms + arm]) + 1e-10,
			  "covariance of arms %zu and %zu: %.17g, not %.17g", arm, b, number(opened[4 + b]), test->covariance[arm * of->arms + b]);
}

/* ---- one case ---- */

/* As mpc/complement.h says of one key: the last large arm goes with withheld ones that are few together. */
static uint64
events_of(const Case *of, size_t arm)
{
	double		events = 0;

	for (size_t i = 0; i < of->estimate.strata * of->estimate.cells; i++)
		events += counts_of(of, arm, 0)[i].events;
	return (uint64) events;
}

static bool
rows_pass(const Case *of, int nkeys, size_t arm)
{
	uint64		rows = of->rows[arm];
	uint64		withheld = 0;
	size_t		last = of->arms;

	for (size_t a = 0; a < of->arms; a++)
	{
		withheld += of->rows[a] < PATIENTS_MIN ? of->rows[a] : 0;
		last = of->rows[a] >= PATIENTS_MIN ? a : last;
	}
	if (nkeys > 0 && withheld > 0 && withheld < PATIENTS_MIN && arm == last)
		return false;
	if (rows > 0 && events_of(of, arm) < PATIENTS_MIN)
		return false;
	return rows < UINT64CONST(1) << ESTIMATE_ROWS_BITS && (rows >= PATIENTS_MIN || (of->show_zero && rows == 0));
}

static void
check_case(const Case *of, const EstimateRule *rule, const uint128 *opened)
{
	size_t		stride = estimate_stride_out(rule);
	bool		all = true;
	LogRank		test = {0};

	for (size_t arm = 0; arm < of->arms; arm++)
		all = all && rows_pass(of, rule->nkeys, arm);
	if (of->estimate.program == ESTIMATE_LOG_RANK)
		test = clear_logrank(of);
	for (size_t arm = 0; arm < of->arms; arm++)
	{
		const uint128 *own = opened + arm * stride;
		bool		passes = of->estimate.program == ESTIMATE_LOG_RANK ? all : rows_pass(of, rule->nkeys, arm);

		CHECK(own[0] == passes, "arm %zu with " UINT64_FORMAT " rows", arm, of->rows[arm]);
		CHECK(own[stride - 1] == (passes && of->rows[arm] > 0 ? 3 : 0), "mark of arm %zu", arm);
		for (size_t i = 0; !passes && i < stride; i++)
			CHECK(own[i] == 0, "element %zu of arm %zu is opened", i, arm);
		if (passes && of->estimate.program == ESTIMATE_LOG_RANK)
			check_logrank(of, &test, arm, own);
		else if (passes)
			check_curve(of, arm, own);
	}
	if (of->estimate.program == ESTIMATE_LOG_RANK)
	{
		pfree(test.rows);
		pfree(test.observed);
		pfree(test.expected);
		pfree(test.covariance);
	}
}

static void
check_costs(const Job *job)
{
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		rounds;
		uint64		bytes;

		estimate_cost(&job->rule, i, &rounds, &bytes);
		CHECK(rounds == job->rounds[i], "party %d: " UINT64_FORMAT " rounds, said " UINT64_FORMAT, i, job->rounds[i], rounds);
		CHECK(bytes == job->bytes[i], "party %d: " UINT64_FORMAT " bytes, said " UINT64_FORMAT, i, job->bytes[i], bytes);
	}
}

static void
test_case(Case *of, int nkeys, Prg *prg, bool extreme)
{
	Job			job = {{&of->estimate, of->arms, PATIENTS_MIN, of->show_zero, nkeys, &of->arms}};
	uint128    *elements;
	uint128    *opened;
	Sim			sim;

	draw_counts(of, prg);
	elements = elements_of(of, &job.rule);
	sim_share(job.in, elements, of->arms * estimate_stride_in(&job.rule), prg, extreme);
	sim_alloc(job.out, of->arms * estimate_stride_out(&job.rule));
	sim_open(&sim, runs++);
	sim_run_well(&sim, step, &job);
	sim_close(&sim);
	opened = sim_rebuild(job.out);
	check_case(of, &job.rule, opened);
	check_costs(&job);
	pfree(opened);
	pfree(elements);
	pfree(of->counts);
	sim_free(job.in);
	sim_free(job.out);
}

/* ---- reciprocals ---- */

typedef struct Counts
{
	Shared		x[PARTIES];
	Shared		inverse[PARTIES];
	Shared		logarithm[PARTIES];
} Counts;

static void
step_reciprocal(Party *self, void *arg)
{
	Counts	   *counts = arg;
	int			i = self->index;

	reciprocal_of_counts(self, &counts->inverse[i], &counts->logarithm[i], &counts->x[i]);
}

static void
test_reciprocals(Prg *prg, bool extreme)
{
	enum
	{
		N = 500
	};
	Counts		counts;
	uint128		x[N];
	uint128    *inverse;
	uint128    *logarithm;
	Sim			sim;

	for (int v = 0; v < N; v++)
		x[v] = v < 200 ? v - 1 : v < 250 ? (uint128) 1 << v % ESTIMATE_ROWS_BITS :
			sim_u64(prg) % (UINT64CONST(1) << (1 + v % ESTIMATE_ROWS_BITS));
	x[N - 1] = ((uint128) 1 << ESTIMATE_ROWS_BITS) - 1;
	sim_share(counts.x, x, N, prg, extreme);
	sim_alloc(counts.inverse, N);
	sim_alloc(counts.logarithm, N);
	sim_open(&sim, runs++);
	sim_run_well(&sim, step_reciprocal, &counts);
	sim_close(&sim);
	inverse = sim_rebuild(counts.inverse);
	logarithm = sim_rebuild(counts.logarithm);
	for (int v = 0; v < N; v++)
	{
		double		count = (double) (int128) x[v];
		double		got = ldexp((double) inverse[v], -RECIPROCAL_FRACTION);
		double		got_log = ldexp((double) (int128) logarithm[v], -LOGARITHM_FRACTION);

		CHECK(count > 0 ? fabs(got * count - 1) < 3e-16 : inverse[v] == 0, "1 / %g is %.17g", count, got);
		CHECK(count > 0 ? fabs(got_log - log(count)) < 4e-15 : got_log < -40, "ln %g is %.17g", count, got_log);
	}
	pfree(inverse);
	pfree(logarithm);
	sim_free(counts.x);
	sim_free(counts.inverse);
	sim_free(counts.logarithm);
}

/* ---- the tests ---- */

static const uint32 squared_95 = 257796711;	/* 1.959964^2 */

static void
test_curves(Prg *prg)
{
	static uint32 few[] = {0, 1, 5, 6, 60, 71, 100, 199, 200};
	static uint32 ends[] = {1, 14};
	Case		cases[] = {
		{{ESTIMATE_CURVE, 100, 1, lengthof(few), few, squared_95}, 1, false, 0.7, {300}},
		{{ESTIMATE_CURVE, 100, 1, lengthof(few), few, squared_95}, 3, true, 0.4, {0, 4, 150}},
		{{ESTIMATE_CURVE, 100, 1, lengthof(few), few, 0}, 4, false, 0.9, {200, 0, 3, 4000000}},
		{{ESTIMATE_CURVE, 100, 1, lengthof(few), few, 0}, 2, false, 0.9, {200, UINT64CONST(5000000)}},
		{{ESTIMATE_CURVE, 7, 1, lengthof(ends), ends, squared_95}, 2, true, 1, {40, 6}},
		{{ESTIMATE_CURVE, 1, 1, 0, NULL, squared_95}, 1, true, 1, {40}},
		{{ESTIMATE_CURVE, 300, 1, 0, NULL, squared_95}, 2, false, 0.6, {90, 9000}},
		{{ESTIMATE_CURVE, 64, 1, 0, NULL, squared_95}, 1, false, 1, {10}},
	};

	for (int i = 0; i < lengthof(cases); i++)
		for (int round = 0; round < 3; round++)
			test_case(&cases[i], i % 2, prg, round == 2);
	sim_report("survival curves of shared counts are those of the counts");
	for (int round = 0; round < 40; round++)
	{
		Case		small = {{ESTIMATE_CURVE, 12, 1, 0, NULL, squared_95}, 2, false, 0.5 + round % 6 / 10.0, {6 + round % 7, 20}};

		test_case(&small, 1, prg, false);
	}
	sim_report("medians and their limits are where the curves reach 1/2");
}

static void
test_logranks(Prg *prg)
{
	Case		cases[] = {
		{{ESTIMATE_LOG_RANK, 100, 1}, 2, false, 0.7, {138, 90}},
		{{ESTIMATE_LOG_RANK, 30, 5}, 3, true, 0.7, {138, 90, 0}},
		{{ESTIMATE_LOG_RANK, 30, 2}, 4, false, 0.5, {60, 5, 9, 11}},
		{{ESTIMATE_LOG_RANK, 30, 2}, 3, false, 0.5, {60, 4, 9}},
		{{ESTIMATE_LOG_RANK, 50, 1}, 2, false, 0.5, {100000, 200000}},
		{{ESTIMATE_LOG_RANK, 1, 1}, 1, false, 0.5, {100}},
	};

	for (int i = 0; i < lengthof(cases); i++)
		for (int round = 0; round < 3; round++)
			test_case(&cases[i], i % 2, prg, round == 2);
	sim_report("log-rank tests of shared counts are those of the counts");
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("estimate", 0);
	for (int extreme = 0; extreme < 2; extreme++)
		test_reciprocals(prg, extreme);
	sim_report("reciprocals and logarithms of shared counts are right to 2^-52");
	test_curves(prg);
	test_logranks(prg);
	prg_free(prg);
	return sim_end();
}
