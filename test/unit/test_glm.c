/*
 * test_glm.c
 *	  Regression against R 4.2.2, over rows in memory.
 *
 * Data: mtcars of R (Henderson and Velleman 1981).  The R calls stand beside
 * the figures: options(digits = 17).
 */
#include "base/base.h"

#include <math.h>

#include "stats/glm.h"
#include "leaves.h"
#include "unit.h"

#define ROWS	32

/* mpg, cyl, hp, wt, am, carb */
static const double mtcars[ROWS][6] = {
	{21, 6, 110, 2.62, 1, 4},
	{21, 6, 110, 2.875, 1, 4},
	{22.8, 4, 93, 2.32, 1, 1},
	{21.4, 6, 110, 3.215, 0, 1},
	{18.7, 8, 175, 3.44, 0, 2},
	{18.1, 6, 105, 3.46, 0, 1},
	{14.3, 8, 245, 3.57, 0, 4},
	{24.4, 4, 62, 3.19, 0, 2},
	{22.8, 4, 95, 3.15, 0, 2},
	{19.2, 6, 123, 3.44, 0, 4},
	{17.8, 6, 123, 3.44, 0, 4},
	{16.4, 8, 180, 4.07, 0, 3},
	{17.3, 8, 180, 3.73, 0, 3},
	{15.2, 8, 180, 3.78, 0, 3},
	{10.4, 8, 205, 5.25, 0, 4},
	{10.4, 8, 215, 5.424, 0, 4},
	{14.7, 8, 230, 5.345, 0, 4},
	{32.4, 4, 66, 2.2, 1, 1},
	{30.4, 4, 52, 1.615, 1, 2},
	{33.9, 4, 65, 1.835, 1, 1},
	{21.5, 4, 97, 2.465, 0, 1},
	{15.5, 8, 150, 3.52, 0, 2},
	{15.2, 8, 150, 3.435, 0, 2},
	{13.3, 8, 245, 3.84, 0, 4},
	{19.2, 8, 175, 3.845, 0, 2},
	{27.3, 4, 66, 1.935, 1, 1},
	{26, 4, 91, 2.14, 1, 2},
	{30.4, 4, 113, 1.513, 1, 2},
	{15.8, 8, 264, 3.17, 1, 4},
	{19.7, 6, 175, 2.77, 1, 6},
	{15, 8, 335, 3.57, 1, 8},
	{21.4, 4, 109, 2.78, 1, 2}
};

enum
{
	MPG, CYL, HP, WT, AM, CARB
};

/* A design over mtcars; in p: -1 intercept, else a column. */
typedef struct Design
{
	int			outcome;
	int			columns[5];
	double		(*offset) (const double *row);
	double		(*weight) (const double *row);
	int			passes;
} Design;

static void
ask(void *arg, const GlmPoint *point, double *sums, uint32 *marks)
{
	Design	   *design = arg;
	FixedVector *vector = palloc(fixed_vector_bytes(glm_sums_count(point->p)));
	int			length = glm_point_length(point->pass, point->p);
	double	   *numbers = palloc(sizeof(double) * length);
	GlmPoint	again;

	/* As it goes to sites. */
	glm_point_encode(numbers, point);
	if (!glm_point_decode(&again, numbers, length))
		abort();
	fixed_vector_init(vector, glm_sums_count(point->p));
	for (int i = 0; i < ROWS; i++)
	{
		double		x[5];

		for (int j = 0; j < point->p; j++)
			x[j] = design->columns[j] < 0 ? 1 : mtcars[i][design->columns[j]];
		glm_sums_add(vector, &again, mtcars[i][design->outcome], design->weight ? design->weight(mtcars[i]) : 1,
					 design->offset ? design->offset(mtcars[i]) : 0, x);
	}
	fixed_vector_doubles(sums, vector);
	*marks = vector->marks;
	design->passes++;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b) + 1e-300;
}

static void
check_near(double a, double b, const char *what)
{
	check(near(a, b), "%s: %.17g is %.17g", what, a, b);
}

static GlmModel
model_of(GlmFamily family, int p, Design *design)
{
	GlmModel	model = {.family = family, .p = p, .intercept = design->columns[0] < 0,
		.offset = design->offset != NULL, .epsilon = 1e-8, .iterations_max = 25,
	.conf_level = 0.95, .ask = ask, .arg = design};

	return model;
}

static GlmFit
fit_of(const GlmModel *model)
{
	GlmMoments	moments;
	GlmFit		fit = {.column = -1};

	fit.problem = glm_moments(&moments, model);
	if (fit.problem == GLM_FITS)
		glm_fit(&fit, model, &moments);
	return fit;
}

static void
check_values(const double *found, const double *wanted, int n, const char *what)
{
	for (int i = 0; i < n; i++)
		check(near(found[i], wanted[i]), "%s %d: %.17g is %.17g", what, i + 1, found[i], wanted[i]);
}

static double
log_horsepower(const double *row)
{
	return log(row[HP]);
}

static double
carburettors(const double *row)
{
	return row[CARB];
}

/* m <- lm(mpg ~ wt + hp, mtcars) */
static void
test_linear(void)
{
	Design		design = {MPG, {-1, WT, HP}};
	GlmModel	model = model_of(FAMILY_GAUSSIAN, 3, &design);
	GlmFit		fit = fit_of(&model);

	check(fit.problem == GLM_FITS, "a linear model fits");
	/* coef(m); summary(m)$coefficients[, 2]; [, 4]; confint(m) */
	check_values(fit.beta, (double[]) {37.227270116447201, -3.8778307424046821, -0.031772946982161002}, 3, "coefficient");
	check_values(fit.error, (double[]) {1.5987875379993941, 0.63273349437739534, 0.0090297096758557224}, 3, "standard error");
	check_values(fit.probability, (double[]) {2.5654585119837577e-20, 1.1196471362000422e-06, 0.0014512285315694238}, 3, "p");
	check_values(fit.low, (double[]) {33.957382452258472, -5.1719160406755371, -0.05024077687107361}, 3, "lower limit");
	check_values(fit.high, (double[]) {40.497157780635931, -2.583745444133827, -0.013305117093248393}, 3, "upper limit");
	check_near(fit.deviance, 195.04775474146638, "deviance(m)");
	check_near(fit.aic, 156.65233882564132, "AIC(m)");
	check_near(fit.bic, 162.51528243684024, "BIC(m)");
	check_near(fit.loglik, -74.326169412820661, "logLik(m)");
	check_near(fit.r_squared, 0.82678545188279118, "summary(m)$r.squared");
	check_near(fit.adjusted, 0.8148396209781561, "summary(m)$adj.r.squared");
	check_near(fit.sigma, 2.5934117772265668, "summary(m)$sigma");
	check_near(fit.f, 69.211213391777648, "summary(m)$fstatistic");
	check_near(fit.f_probability, 9.1090543852220887e-12, "its p");
	/* 1 / (1 - summary(lm(wt ~ hp, mtcars))$r.squared) */
	check(isnan(fit.vif[0]) && near(fit.vif[1], 1.7666245792682791) && near(fit.vif[2], 1.7666245792682791),
		  "inflation of variance");
	check(fit.df_residual == 29 && fit.df_model == 2 && fit.df_null == 31 && fit.rows == ROWS, "degrees of freedom");
	check(design.passes == 4, "moments, start, two iterations: %d passes", design.passes);
}

/* h <- hatvalues(m); b <- solve(crossprod(x)); sqrt(diag(b %*% crossprod(x * sqrt(w)) %*% b)) for w = u^2 ... */
static void
test_robust(void)
{
	static const double wanted[][3] = {
		{1.9389139564175428, 0.61992750528988805, 0.0066460579081830716},
		{2.0367350019129495, 0.65120375480993553, 0.0069813612520213918},
		{2.0776099435146151, 0.6877654817358354, 0.0078250293975150442},
		{2.2298054034362176, 0.76851905035780865, 0.0093851379086475149}
	};

	for (int i = 0; i < lengthof(wanted); i++)
	{
		Design		design = {MPG, {-1, WT, HP}};
		GlmModel	model = model_of(FAMILY_GAUSSIAN, 3, &design);
		GlmFit		fit;

		model.errors = ERRORS_HC0 + i;
		fit = fit_of(&model);
		check_values(fit.error, wanted[i], 3, psprintf("robust error HC%d", i));
		check_near(fit.deviance, 195.04775474146638, "and the deviance is what it was");
	}
}

/* m <- lm(mpg ~ 0 + wt + hp, mtcars, weights = carb) */
static void
test_without_intercept(void)
{
	Design		design = {MPG, {WT, HP}, NULL, carburettors};
	GlmModel	model = model_of(FAMILY_GAUSSIAN, 2, &design);
	GlmFit		fit = fit_of(&model);

	check_values(fit.beta, (double[]) {4.9503001630062471, -0.0070776654628886158}, 2, "coefficient without intercept");
	check_values(fit.error, (double[]) {1.4036697849604383, 0.026310782666133587}, 2, "its standard error");
	check_values(fit.probability, (double[]) {0.0013756887180297129, 0.78976922329479637}, 2, "its p");
	check_near(fit.deviance, 7992.0558157906617, "deviance(m)");
	check_near(fit.aic, 245.5055696781746, "AIC(m)");
	check_near(fit.r_squared, 0.75284469942511245, "summary(m)$r.squared");
	check_near(fit.adjusted, 0.7363676793867866, "summary(m)$adj.r.squared");
	check_near(fit.f, 45.690585899269557, "summary(m)$fstatistic");
	check(isnan(fit.vif[0]), "no inflation without intercept");
}

/* m <- glm(am ~ wt + hp, binomial, mtcars) */
static void
test_logistic(void)
{
	Design		design = {AM, {-1, WT, HP}};
	GlmModel	model = model_of(FAMILY_BINOMIAL, 3, &design);
	GlmFit		fit = fit_of(&model);

	check_values(fit.beta, (double[]) {18.866298717204096, -8.0834751824446283, 0.036255596082216547}, 3, "log odds");
	check_values(fit.error, (double[]) {7.443558060205274, 3.0686751130546961, 0.017734153650769347}, 3, "their standard error");
	check_values(fit.probability, (double[]) {0.011258198716613689, 0.0084338125997070225, 0.040914646459029938}, 3, "their p");
	check_near(fit.deviance, 10.059110472266989, "deviance(m)");
	check_near(fit.null_deviance, 43.229733276857807, "m$null.deviance");
	check_near(fit.aic, 16.059110472266987, "AIC(m)");
	check_near(fit.bic, 20.456318180666166, "BIC(m)");
	check(fit.iterations == 8, "m$iter: %d", fit.iterations);
	check(isnan(fit.r_squared) && isnan(fit.f), "no R squared");
}

/* m <- glm(carb ~ wt + am + offset(log(hp)), poisson, mtcars) */
static void
test_poisson(void)
{
	Design		design = {CARB, {-1, WT, AM}, log_horsepower};
	GlmModel	model = model_of(FAMILY_POISSON, 3, &design);
	GlmFit		fit = fit_of(&model);

	check_values(fit.beta, (double[]) {-4.2708342822004344, 0.050799346715415229, 0.36186933572042945}, 3, "log rate");
	check_values(fit.error, (double[]) {0.58412983737044866, 0.14295269506922545, 0.27652033199184628}, 3, "its standard error");
	check_near(fit.deviance, 10.835550768330354, "deviance(m)");
	check_near(fit.null_deviance, 12.895574087801233, "m$null.deviance, with an offset");
	check_near(fit.aic, 106.20120042573814, "AIC(m)");
	check(fit.iterations == 4, "m$iter: %d", fit.iterations);
}

/* m <- MASS::glm.nb(hp ~ wt + cyl, mtcars) */
static void
test_negative_binomial(void)
{
	Design		design = {HP, {-1, WT, CYL}};
	GlmModel	model = model_of(FAMILY_NEGATIVE_BINOMIAL, 3, &design);
	GlmFit		fit = fit_of(&model);

	check(fit.problem == GLM_FITS, "a negative binomial model fits");
	check_values(fit.beta, (double[]) {3.4533043454614321, 0.012262394433621491, 0.22853013458848456}, 3, "coefficient");
	check_values(fit.error, (double[]) {0.15236595336402525, 0.065070230544718652, 0.035925555660150189}, 3, "its standard error");
	check_near(fit.theta, 23.907326156443951, "m$theta");
	check_near(fit.theta_error, 7.0267347612012978, "m$SE.theta");
	check_near(fit.deviance, 32.084852039249597, "deviance(m)");
	check_near(fit.null_deviance, 137.72510814043329, "m$null.deviance");
	check_near(fit.aic, 315.79150947466746, "AIC(m)");
}

/* coef(MASS::lm.ridge(mpg ~ wt + hp, mtcars, lambda = 3)) */
static void
test_ridge(void)
{
	Design		design = {MPG, {-1, WT, HP}};
	GlmModel	model = model_of(FAMILY_GAUSSIAN, 3, &design);
	GlmFit		fit;

	model.ridge = 3;
	fit = fit_of(&model);
	check_values(fit.beta, (double[]) {36.160188321455948, -3.5366031348972475, -0.03198245853060263}, 3, "ridge coefficient");
	check(fit.df_residual > 29 && fit.df_residual < 30, "it counts for less than three");
}

static void
check_problem(Design design, GlmFamily family, int p, GlmProblem problem, int column, const char *what)
{
	GlmModel	model = model_of(family, p, &design);
	GlmFit		fit = fit_of(&model);

	check(fit.problem == problem && fit.column == column, "%s: problem %d, column %d",
		  what, fit.problem, fit.column);
}

static double
nothing(const double *row)
{
	return 0;
}

static double
minus(const double *row)
{
	return -1;
}

static double
one_row(const double *row)
{
	return row[HP] == 335;
}

static void
test_problems(void)
{
	Design		constant = {AM, {-1, WT}, NULL, one_row};

	check_problem((Design) {MPG, {-1, WT, WT}}, FAMILY_GAUSSIAN, 3, GLM_COLLINEAR, 2, "the same column twice");
	check_problem((Design) {MPG, {-1, WT, -1}}, FAMILY_GAUSSIAN, 3, GLM_COLUMN_CONSTANT, 2, "a column of ones beside the intercept");
	check_problem((Design) {CARB, {-1, WT}}, FAMILY_BINOMIAL, 2, GLM_OUTCOME_IMPOSSIBLE, -1, "an outcome of 8, binomial");
	check_problem((Design) {AM, {-1, AM}}, FAMILY_BINOMIAL, 2, GLM_SEPARATED, 1, "an outcome that explains itself");
	check_problem((Design) {MPG, {-1, WT}, NULL, nothing}, FAMILY_GAUSSIAN, 2, GLM_NO_ROWS, -1, "weights of 0");
	check_problem((Design) {MPG, {-1, WT}, NULL, minus}, FAMILY_GAUSSIAN, 2, GLM_WEIGHT_NEGATIVE, -1, "negative weights");
	check_problem((Design) {MPG, {-1, WT}, NULL, one_row}, FAMILY_GAUSSIAN, 2, GLM_TOO_FEW_ROWS, -1, "one row");
	check_problem(constant, FAMILY_BINOMIAL, 2, GLM_OUTCOME_CONSTANT, -1, "one outcome");
}

static void
test_bad_points(void)
{
	double		numbers[64] = {PASS_STEP, FAMILY_POISSON, 2, 1, 0, 0, 0, 0, 0, 1, 1};
	GlmPoint	point;

	check(glm_point_decode(&point, numbers, 11), "a point");
	check(!glm_point_decode(&point, numbers, 10) && !glm_point_decode(&point, numbers, 12) &&
		  !glm_point_decode(&point, numbers, 4) && !glm_point_decode(&point, numbers, 0), "of another length");
	for (int i = 0; i < 3; i++)
	{
		static const double bad[] = {0, -1, 1.5, 65, NAN, INFINITY, 1e300};

		for (int j = 0; j < lengthof(bad); j++)
		{
			double		kept = numbers[i];

			numbers[i] = bad[j];
			check(!glm_point_decode(&point, numbers, 11), "number %d is %g", i, bad[j]);
			numbers[i] = kept;
		}
	}
	numbers[1] = FAMILY_NEGATIVE_BINOMIAL;
	numbers[3] = 0;
	check(!glm_point_decode(&point, numbers, 11), "theta is 0");
	for (int p = 1; p <= GLM_COLUMNS_MAX; p++)
		if (glm_sums_columns(glm_sums_count(p)) != p || glm_product_at(p, p - 1, p - 1) != glm_sums_count(p) - 1)
			check(false, "sums of %d columns", p);
	check(glm_sums_columns(15) == 0 && glm_sums_columns(17) == 0, "no columns have 15 sums, or 17");
}

/* Sums do not depend on who holds which row. */
static void
test_vectors_add(void)
{
	FixedVector *all = palloc(fixed_vector_bytes(3));
	FixedVector *part[2] = {palloc(fixed_vector_bytes(3)), palloc(fixed_vector_bytes(3))};
	double		sums[3];
	double		again[3];

	fixed_vector_init(all, 3);
	fixed_vector_init(part[0], 3);
	fixed_vector_init(part[1], 3);
	for (int i = 0; i < 10000; i++)
	{
		FixedVector *one = part[unit_random() % 2];
		double		x[3] = {ldexp((double) (int64) unit_random(), unit_random_between(-200, 90)), i * 0.1, -1e-300};

		fixed_vector_next(all);
		fixed_vector_next(one);
		for (int j = 0; j < 3; j++)
			if (!fixed_vector_add(all, j, x[j]) || !fixed_vector_add(one, j, x[j]))
				check(false, "adding %g", x[j]);
	}
	fixed_vector_combine(part[0], part[1]);
	fixed_vector_doubles(sums, all);
	fixed_vector_doubles(again, part[0]);
	check(memcmp(sums, again, sizeof(sums)) == 0, "the same sum in two parts");
	check(fabs(sums[1] - 4999500.0) < 1e-6, "10000 tenths: %.17g", sums[1]);
	check(sums[2] == 0, "too small to count");
	check(!fixed_vector_add(all, 0, NAN) && !fixed_vector_add(all, 0, -INFINITY) && !fixed_vector_add(all, 0, 1e60),
		  "NaN, infinity, and what is too large");
	fixed_vector_doubles(again, all);
	check(sums[0] == again[0], "left the sum alone");
}

int
main(void)
{
	test_linear();
	test_robust();
	test_without_intercept();
	test_logistic();
	test_poisson();
	test_negative_binomial();
	test_ridge();
	test_problems();
	test_bad_points();
	test_vectors_add();
	return unit_done();
}
