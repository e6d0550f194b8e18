/*
 * test_quantile.c
 *	  What a plan asks of quantiles is read as it was written, doubles keep their order as numbers, and what was
 *	  opened is what R and PostgreSQL make of it.
 */
#include "base/base.h"

#include <math.h>

#include "contract/plan.h"
#include "hostile.h"

static QuantileSpec
a_spec(void)
{
	return (QuantileSpec) {1024, secret_numeric(8, 2), 11, 3,
		{{QUANTILE_DISC, 1, 2}, {QUANTILE_CONT, 9, 10}, {QUANTILE_NEIGHBOURS, 0, 1}}};
}

/* SELECT percentile_disc(...) ... GROUP BY sex */
static StringInfoData
plan_of(QuantileSpec *spec)
{
	static char *sexes[] = {"f", "m"};
	static PlanKey keys[] = {{"text", 2, sexes}};
	ComponentKind kinds[] = {COMPONENT_QUANTILES, COMPONENT_COUNT};
	int			parts[] = {0, 1};
	int			widths[] = {quantile_elements(spec), 0};
	QuantileSpec *quantiles[] = {spec, NULL};
	CanonicalPlan plan = {.sql = "SELECT 1", .nkeys = 1, .keys = keys, .ncomponents = 2, .components = kinds, .parts = parts,
	.nparts = 2, .widths = widths, .quantiles = quantiles};
	StringInfoData bytes = empty();

	plan_encode(&bytes, &plan);
	return bytes;
}

static bool
plan_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	CanonicalPlan plan;

	if (!plan_decode(&plan, bytes, len, reason))
		return false;
	plan_encode(again, &plan);
	return true;
}

static void
test_bytes(void)
{
	QuantileSpec spec = a_spec();
	StringInfoData bytes = plan_of(&spec);
	CanonicalPlan plan;
	const char *reason;

	check(plan_decode(&plan, bytes.data, bytes.len, &reason), "a plan with quantiles is read");
	check(memcmp(plan_quantiles(&plan, 0)->asked, spec.asked, 3 * sizeof(QuantileAsked)) == 0 &&
		  plan_quantiles(&plan, 0)->rows == 1024 && plan_quantiles(&plan, 0)->tail == 11 && plan_quantiles(&plan, 1) == NULL,
		  "as it was written");
	check(plan_width(&plan, 0) == 2 + 2 + 4 && plan_quantile_goals(&plan) == 6, "a mark, and 8 elements; 6 goals in two groups");
	check(plan_quantile_bytes(&plan, 1) == 2 * 64, "two seeds for each of two columns");
	check(plan_quantile_bytes(&plan, 0) == 1024 * (4 + 1) + 2 * 32,
		  "28 bits are 4 bytes of each value, and one of its group");
	test_hostile("plan with quantiles", plan_again, &bytes);
}

/* Refused, whoever writes it. */
static void
check_spec_refused(QuantileSpec spec, const char *what)
{
	StringInfoData bytes = plan_of(&spec);
	CanonicalPlan plan;
	const char *reason;

	check(!plan_decode(&plan, bytes.data, bytes.len, &reason), "%s: refused", what);
}

static void
test_limits(void)
{
	QuantileSpec spec = a_spec();

	spec.rows = 0;
	check_spec_refused(spec, "no rows");
	spec.rows = (uint64) QUANTILE_ROWS_MAX + 1;
	check_spec_refused(spec, "too many rows");
	spec = a_spec();
	spec.nasked = 0;
	check_spec_refused(spec, "nothing asked");
	spec = a_spec();
	spec.type = secret_text(4);
	check_spec_refused(spec, "texts");
	spec.type = secret_integer(32);
	spec.type.nullable = true;
	check_spec_refused(spec, "NULLs among the values");
	spec = a_spec();
	spec.asked[1].numerator = 11;
	check_spec_refused(spec, "more than all");
	spec = a_spec();
	spec.asked[1].denominator = 0;
	check_spec_refused(spec, "a fraction of nothing");
	spec = a_spec();
	spec.asked[1].form = 4;
	check_spec_refused(spec, "an unknown form");
}

static void
test_doubles(void)
{
	static const double ordered[] = {-INFINITY, -1e308, -1, -5e-324, 0, 5e-324, 2.2e-308, 0.5, 1, 1e308, INFINITY, NAN};
	int			wrong = 0;

	for (int i = 0; i < lengthof(ordered); i++)
	{
		double		back = quantile_to_double(quantile_of_double(ordered[i]));

		wrong += i > 0 && quantile_of_double(ordered[i - 1]) >= quantile_of_double(ordered[i]);
		wrong += isnan(ordered[i]) ? !isnan(back) : back != ordered[i];
	}
	check(wrong == 0, "doubles are numbers in their order, and come back");
	check(quantile_of_double(-0.0) == quantile_of_double(0) && quantile_of_double(-NAN) == quantile_of_double(NAN),
		  "there is one zero and one NaN");
}

/* x <- c(1.5, 2.25, 7); quantile(x, 0.9, type = 7) is 6.05; median(c(-Inf, 1, 2, Inf)) is 1.5 */
static void
test_values(void)
{
	QuantileSpec spec = a_spec();
	uint128		elements[8] = {1, 225, 1, 10 * 225 + 8 * 475};

	check(quantile_is_shown(&spec, 0, elements) && quantile_number(&spec, 0, elements) == 225, "a value is its number");
	check(quantile_value(&spec, 1, elements) == 6.05, "between two, as in R's type 7");
	spec.type = secret_float();
	spec.asked[2].numerator = 1;
	spec.asked[2].denominator = 2;
	elements[4] = 1;
	elements[5] = (uint128) (int128) quantile_of_double(1);
	elements[6] = (uint128) (int128) quantile_of_double(2);
	elements[7] = 1;
	check(quantile_value(&spec, 2, elements) == 1.5, "between two doubles");
	elements[5] = elements[6] = (uint128) (int128) quantile_of_double(-INFINITY);
	elements[7] = 0;
	check(quantile_value(&spec, 2, elements) == -INFINITY, "at an infinite one");
	elements[4] = 0;
	check(!quantile_is_shown(&spec, 2, elements), "and one that is not shown");
}

int
main(void)
{
	test_bytes();
	test_limits();
	test_doubles();
	test_values();
	return unit_done();
}
