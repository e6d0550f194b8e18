/*
 * test_plan.c
 *	  Canonical plans: what was written is read, every limit holds, anything
 *	  different has another hash, and the sizes are those counted by hand.
 */
#include "base/base.h"

#include "contract/plan.h"
#include "hostile.h"

static PlanColumn columns[] = {{"age", "integer"}, {"sex", "text"}, {"stage", "text"}};
static PlanTable tables[] = {{"trial", 3, columns}, {"visit\303\244", 0, NULL}};
static char *types[] = {"integer", "text"};
static char *sexes[] = {"f", "m", NULL};
static char *stages[] = {"I", "II", "III", "IV"};
static PlanKey keys[] = {{"text", 3, sexes}, {"text", 4, stages}};
static ComponentKind components[] = {COMPONENT_COUNT, COMPONENT_SUM_INTEGER, COMPONENT_SUM_INTEGER, COMPONENT_BOOL_AND};
static int	parts[] = {0, 1, 1, 2};
static int	part_0[COMPONENTS_MAX + 1];

static CanonicalPlan
small_plan(void)
{
	CanonicalPlan plan = {.sql = "SELECT count(*) FROM secmed_published.trial", .ntables = 1, .tables = tables,
	.ncomponents = 1, .components = components, .parts = part_0, .nparts = 1};

	return plan;
}

static CanonicalPlan
full_plan(void)
{
	CanonicalPlan plan = {"SELECT sex, stage, count(*) FROM \"\303\244rzte\"", 2, tables, 2, types, 2, keys,
	4, components, parts, 3};

	return plan;
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

static StringInfoData
plan_bytes(CanonicalPlan plan)
{
	StringInfoData bytes = empty();

	plan_encode(&bytes, &plan);
	return bytes;
}

static void
test_plan_bytes(void)
{
	StringInfoData bytes = plan_bytes(small_plan());

	test_hostile("small plan", plan_again, &bytes);
	bytes = plan_bytes(full_plan());
	test_hostile("full plan", plan_again, &bytes);
}

static CanonicalPlan
plan_of_components(ComponentKind kind, int n)
{
	CanonicalPlan plan = small_plan();

	plan.components = repeated(&kind, sizeof(kind), n);
	plan.ncomponents = n;
	return plan;
}

static CanonicalPlan
plan_of_keys(int nkeys, int nvalues)
{
	CanonicalPlan plan = small_plan();
	char	   *value = "v";
	PlanKey		key = {"text", nvalues, repeated(&value, sizeof(value), nvalues)};

	plan.keys = repeated(&key, sizeof(key), nkeys);
	plan.nkeys = nkeys;
	return plan;
}

static CanonicalPlan
plan_of_tables(int ntables, int ncolumns)
{
	CanonicalPlan plan = small_plan();
	PlanTable	table = {"t", ncolumns, repeated(&columns[0], sizeof(PlanColumn), ncolumns)};

	plan.tables = repeated(&table, sizeof(table), ntables);
	plan.ntables = ntables;
	return plan;
}

static CanonicalPlan
plan_of_params(int n)
{
	CanonicalPlan plan = small_plan();

	plan.param_types = repeated(&types[0], sizeof(char *), n);
	plan.nparams = n;
	return plan;
}

/* One text of the plan made longer. */
static StringInfoData
plan_of_texts(int sql, int table, int column, int type, int param, int value)
{
	CanonicalPlan plan = full_plan();
	PlanColumn	long_column = {text_of(column), text_of(type)};
	PlanTable	long_table = {text_of(table), 1, &long_column};
	char	   *param_type = text_of(param);
	char	   *values[] = {text_of(value)};
	PlanKey		key = {text_of(type), 1, values};

	plan.sql = text_of(sql);
	plan.ntables = plan.nparams = plan.nkeys = 1;
	plan.tables = &long_table;
	plan.param_types = &param_type;
	plan.keys = &key;
	return plan_bytes(plan);
}

/* Three counts in these parts. */
static CanonicalPlan
plan_of_parts(int a, int b, int c)
{
	CanonicalPlan plan = plan_of_components(COMPONENT_COUNT, 3);
	int			three[] = {a, b, c};

	plan.parts = repeated(three, sizeof(three), 1);
	return plan;
}

/* Counts of events on a grid, and a program on them. */
static CanonicalPlan
plan_of_estimate(EstimateProgram program, uint32 cells, uint32 strata, int npositions)
{
	static ComponentKind counts[] = {COMPONENT_EVENT_COUNTS};
	CanonicalPlan plan = small_plan();
	int			width = (int) (2 * cells * strata);

	plan.components = counts;
	plan.widths = repeated(&width, sizeof(width), 1);
	plan.estimate = (Estimate) {program, cells, strata, npositions};
	plan.estimate.positions = palloc(sizeof(uint32) * (npositions + 1));
	for (int i = 0; i < npositions; i++)
		plan.estimate.positions[i] = i;
	return plan;
}

#define accepted(plan, ...)	check_refused(plan_again, plan_bytes(plan), "accepted", __VA_ARGS__)
#define refused(plan, wanted, ...)	check_refused(plan_again, plan_bytes(plan), wanted, __VA_ARGS__)
#define NO_ANSWER	"the answer would be too large"

static void
test_plan_limits(void)
{
	CanonicalPlan plan;
	StringInfoData bytes;

	accepted(plan_of_components(COMPONENT_COUNT, COMPONENTS_MAX), "%d components", COMPONENTS_MAX);
	refused(plan_of_components(COMPONENT_COUNT, COMPONENTS_MAX + 1), TOO_LONG_LIST, "one more");
	refused(plan_of_components(0, 1), "component of an unknown kind", "component 0");
	refused(plan_of_components(COMPONENT_KIND_MAX + 1, 1), TOO_LARGE, "component %d", COMPONENT_KIND_MAX + 1);
	accepted(plan_of_components(COMPONENT_COUNT, 0), "no components");
	accepted(plan_of_parts(0, 0, 0), "one part");
	accepted(plan_of_parts(1, 2, 3), "three more parts");
	accepted(plan_of_parts(1, 0, 1), "a part again");
	refused(plan_of_parts(2, 0, 0), TOO_LARGE, "part 2 without part 1");
	refused(plan_of_parts(0, 1, 3), TOO_LARGE, "a part left out");
	accepted(plan_of_keys(KEYS_MAX, 1), "%d keys", KEYS_MAX);
	refused(plan_of_keys(KEYS_MAX + 1, 1), TOO_LONG_LIST, "one more");
	accepted(plan_of_keys(1, DOMAIN_VALUES_MAX), "%d values", DOMAIN_VALUES_MAX);
	refused(plan_of_keys(1, DOMAIN_VALUES_MAX + 1), TOO_LONG_LIST, "one more");
	accepted(plan_of_keys(2, 256), "%d cells", CELLS_MAX);
	refused(plan_of_keys(2, 257), NO_ANSWER, "more cells");
	refused(plan_of_keys(KEYS_MAX, DOMAIN_VALUES_MAX), NO_ANSWER, "4096 ^ 16 cells");
	refused(plan_of_keys(1, 0), NO_ANSWER, "a key without values");
	accepted(plan_of_tables(TABLES_MAX, 1), "%d tables", TABLES_MAX);
	refused(plan_of_tables(TABLES_MAX + 1, 1), TOO_LONG_LIST, "one more");
	accepted(plan_of_tables(1, COLUMNS_MAX), "%d columns", COLUMNS_MAX);
	refused(plan_of_tables(1, COLUMNS_MAX + 1), TOO_LONG_LIST, "one more");
	accepted(plan_of_params(PARAMETERS_MAX), "%d parameters", PARAMETERS_MAX);
	refused(plan_of_params(PARAMETERS_MAX + 1), TOO_LONG_LIST, "one more");

	/* 65536 cells of a patient count, a mark and 6 more are the most elements. */
	plan = plan_of_keys(2, 256);
	plan.components = repeated(&components[0], sizeof(ComponentKind), 7);
	plan.ncomponents = 6;
	accepted(plan, "%d elements", ELEMENTS_MAX);
	plan = plan_of_keys(2, 256);
	plan.components = repeated(&components[0], sizeof(ComponentKind), 7);
	plan.ncomponents = 7;
	refused(plan, NO_ANSWER, "more elements");

	check_refused(plan_again, plan_of_texts(REQUEST_BYTES_MAX, 63, 63, 256, 256, 1024), "accepted", "the longest texts");
	check_refused(plan_again, plan_of_texts(REQUEST_BYTES_MAX + 1, 1, 1, 1, 1, 1), TOO_LONG, "longer SQL");
	check_refused(plan_again, plan_of_texts(1, 64, 1, 1, 1, 1), TOO_LONG, "a longer table");
	check_refused(plan_again, plan_of_texts(1, 1, 64, 1, 1, 1), TOO_LONG, "a longer column");
	check_refused(plan_again, plan_of_texts(1, 1, 1, 257, 1, 1), TOO_LONG, "a longer type");
	check_refused(plan_again, plan_of_texts(1, 1, 1, 1, 257, 1), TOO_LONG, "a longer parameter type");
	check_refused(plan_again, plan_of_texts(1, 1, 1, 1, 1, 1025), TOO_LONG, "a longer value");

	bytes = plan_bytes(small_plan());
	bytes.data[1] = 2;
	check_refused(plan_again, bytes, TOO_LARGE, "version 2");
	bytes = plan_bytes(small_plan());
	bytes.data[1] = 0;
	check_refused(plan_again, bytes, "plan of another version", "version 0");
	bytes = plan_bytes(small_plan());
	bytes.data[0] = (char) 0x85;
	check_refused(plan_again, bytes, OTHER_LENGTH, "five parts");
	bytes = plan_bytes(small_plan());
	bytes.data[4] = (char) 0xff;
	check_refused(plan_again, bytes, "holds text that is not UTF-8", "SQL that is not UTF-8");
}

static void
test_estimates(void)
{
	CanonicalPlan plan = plan_of_estimate(ESTIMATE_CURVE, 300, 1, 3);
	PlanLayout	layout;
	StringInfoData bytes;

	plan.estimate.squared = 257796711;
	layout = plan_opened_layout(&plan);
	check(plan_elements(&plan) == 602 && layout.stride == 1 + 2 + 3 * 8 + 4 + 1 && plan_opened_elements(&plan) == 32,
		  "600 counts come in, and 30 numbers out");
	bytes = plan_bytes(plan);
	test_hostile("plan with a curve", plan_again, &bytes);
	accepted(plan_of_estimate(ESTIMATE_CURVE, ESTIMATE_CELLS_MAX, 1, ESTIMATE_TIMES_MAX), "the largest curve");
	accepted(plan_of_estimate(ESTIMATE_LOG_RANK, 16, 16383, 0), "the largest test");
	refused(plan_of_estimate(ESTIMATE_LOG_RANK, 16, 16384, 0), NO_ANSWER, "a larger one");
	refused(plan_of_estimate(ESTIMATE_CURVE, ESTIMATE_CELLS_MAX + 1, 1, 0), TOO_LARGE, "a larger grid");
	refused(plan_of_estimate(ESTIMATE_CURVE, 200, 1, ESTIMATE_TIMES_MAX + 1), TOO_LONG_LIST, "more times");
	refused(plan_of_estimate(ESTIMATE_PROGRAM_MAX + 1, 10, 1, 0), TOO_LARGE, "a program that is none");
	refused(plan_of_estimate(ESTIMATE_CURVE, 10, 2, 0), "a curve of several strata", "strata of a curve");
	refused(plan_of_estimate(ESTIMATE_LOG_RANK, 10, 2, 1), "a log-rank test with asked times", "times of a test");
	refused(plan_of_estimate(ESTIMATE_CURVE, 2, 1, 6), "an asked time beyond the grid", "a time beyond the grid");
	refused(plan_of_estimate(ESTIMATE_CURVE, 10, 0, 0), "component with a number of sums that is not its kind's", "no strata");
	plan = plan_of_estimate(ESTIMATE_CURVE, 10, 1, 3);
	plan.estimate.positions[2] = 1;
	refused(plan, "asked times that do not ascend", "a time twice");
	plan = plan_of_estimate(0, 10, 1, 0);
	refused(plan, "counts of events without a program of the parties", "counts alone");
	plan = plan_of_estimate(ESTIMATE_CURVE, 10, 1, 0);
	plan.estimate.cells = 11;
	refused(plan, "a program of the parties with other components than its own", "another grid than is counted on");
	plan = small_plan();
	plan.estimate = (Estimate) {ESTIMATE_CURVE, 10, 1};
	refused(plan, "a program of the parties with other components than its own", "a program without counts");
}

/* Each change alone: tables, columns, ... of its own, so that nothing is shared. */
#define PLAN_CHANGES	20

static void
hash_of_changed(uint8 hash[HASH_BYTES], int change)
{
	CanonicalPlan plan = full_plan();
	PlanColumn	c[3] = {columns[0], columns[1], columns[2]};
	PlanTable	t[2] = {tables[0], tables[1]};
	char	   *p[3] = {types[0], types[1], "integer"};
	char	   *v[3] = {sexes[0], sexes[1], sexes[2]};
	PlanKey		k[2] = {keys[0], keys[1]};
	ComponentKind m[5] = {components[0], components[1], components[2], components[3], COMPONENT_COUNT};
	int			q[5] = {0, 1, 1, 2, 0};
	StringInfoData bytes;

	t[0].columns = c;
	k[0].values = v;
	plan.tables = t;
	plan.param_types = p;
	plan.keys = k;
	plan.components = m;
	plan.parts = q;
	switch (change)
	{
		case 0: break;
		case 1: plan.sql = "SELECT sex, stage, count(*) FROM \"\303\244rzte\" "; break;
		case 2: t[0].name = "trials"; break;
		case 3: t[0] = tables[1]; t[1] = tables[0]; break;
		case 4: plan.ntables = 1; break;
		case 5: c[0].name = "Age"; break;
		case 6: c[0].type = "bigint"; break;
		case 7: t[0].ncolumns = 2; break;
		case 8: p[0] = "bigint"; break;
		case 9: plan.nparams = 3; break;
		case 10: k[0].type = "name"; break;
		case 11: v[1] = "w"; break;
		case 12: v[2] = ""; break;	/* not NULL */
		case 13: k[0].nvalues = 2; break;
		case 14: k[0] = keys[1]; k[1] = keys[0]; break;
		case 15: plan.nkeys = 1; break;
		case 16: m[0] = COMPONENT_SUM_NUMERIC; break;
		case 17: plan.ncomponents = 5; break;
		case 18: m[0] = components[1]; m[1] = components[0]; break;
		case 19: q[3] = 1; break;
	}
	bytes = plan_bytes(plan);
	plan_hash(hash, bytes.data, bytes.len);
}

static void
test_plan_hash(void)
{
	uint8		hashes[PLAN_CHANGES][HASH_BYTES];
	uint8		again[HASH_BYTES];
	uint8		plain[HASH_BYTES];
	StringInfoData bytes = plan_bytes(full_plan());
	int			same = 0;

	for (int i = 0; i < PLAN_CHANGES; i++)
		hash_of_changed(hashes[i], i);
	for (int i = 0; i < PLAN_CHANGES; i++)
		for (int j = 0; j < i; j++)
			same += memcmp(hashes[i], hashes[j], HASH_BYTES) == 0;
	check(same == 0, "a plan and %d changes of it have different hashes", PLAN_CHANGES - 1);
	hash_of_changed(again, 0);
	plan_hash(plain, bytes.data, bytes.len);
	check(memcmp(again, hashes[0], HASH_BYTES) == 0 && memcmp(again, plain, HASH_BYTES) == 0,
		  "and the same plan the same");
	hash_bytes(plain, bytes.data, bytes.len);
	check(memcmp(again, plain, HASH_BYTES) != 0, "the hash is for plans only");
}

static void
test_plan_sizes(void)
{
	static const struct
	{
		ComponentKind kind;
		int			elements;
	}			kinds[] = {
		{0, 0}, {COMPONENT_COUNT, 1}, {COMPONENT_SUM_INTEGER, 2},
		{COMPONENT_SUM_NUMERIC, 1 + 8 + 32 + 3}, {COMPONENT_SUM_NUMERIC_PRODUCT, 1 + 8},
		{COMPONENT_SUM_FLOAT, 1 + 8 + 3}, {COMPONENT_SUM_FLOAT_PRODUCT, 1 + 16},
		{COMPONENT_SUM_INTERVAL, 1 + 3}, {COMPONENT_BOOL_OR, 2}, {COMPONENT_BOOL_AND, 2},
		{COMPONENT_SUM_FLOAT_PRODUCT_3, 1 + 24}, {COMPONENT_SUM_FLOAT_PRODUCT_4, 1 + 32},
		{COMPONENT_SUM_FLOAT_VECTOR, 1 + 8}, {COMPONENT_EVENT_COUNTS, 0},
		{COMPONENT_KIND_MAX + 1, 0}
	};
	CanonicalPlan plan = full_plan();
	PlanLayout	layout;

	for (int i = 0; i < lengthof(kinds); i++)
		check(component_elements(kinds[i].kind, 0) == kinds[i].elements, "a component of kind %d has %d elements",
			  kinds[i].kind, kinds[i].elements);

	/*
	 * 3 sexes, 4 stages.  Part 0: its patient count, the count and the mark;
	 * part 1: its patient count, two sums of 2; part 2: its patient count,
	 * bool_and of 2.
	 */
	layout = plan_layout(&plan);
	check(plan_cells(&plan) == 12, "12 cells");
	check(plan_stride(&plan) == 3 + 5 + 3 && layout.stride == 11, "of 11 elements");
	check(plan_elements(&plan) == 12 * 11, "132 elements");
	check(layout.part_start[0] == 0 && layout.part_start[1] == 3 && layout.part_start[2] == 8, "parts begin at 0, 3, 8");
	check(layout.part_width[0] == 2 && layout.part_width[1] == 4 && layout.part_width[2] == 2, "and are 2, 4, 2 wide");
	check(layout.component[0] == 1 && layout.component[1] == 4 && layout.component[2] == 6 && layout.component[3] == 9,
		  "components begin at 1, 4, 6, 9");
	check(layout.exists == 2, "the mark is at 2");

	plan = small_plan();
	layout = plan_layout(&plan);
	check(plan_cells(&plan) == 1 && plan_stride(&plan) == 3 && layout.stride == 3 && plan_elements(&plan) == 3,
		  "without keys: 1 cell of 3");
	check(layout.component[0] == 1 && layout.exists == 2, "count, component, mark");
	plan.ncomponents = 0;
	layout = plan_layout(&plan);
	check(plan_cells(&plan) == 1 && plan_stride(&plan) == 2 && layout.exists == 1, "nothing asked: 1 cell of 2");
	plan = plan_of_keys(2, 257);
	check(plan_cells(&plan) == 0 && plan_elements(&plan) == 0, "too many cells: 0, 0");
}

static bool
describes(CanonicalPlan plan, const char *wanted)
{
	StringInfoData text = empty();

	plan_describe(&text, &plan);
	return strcmp(text.data, wanted) == 0;
}

static void
test_plan_texts(void)
{
	static ComponentKind all[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
	CanonicalPlan plan = full_plan();

	check(describes(plan, "1 x count, 2 x integer sum, 1 x bool_and"), "what a full plan reveals");
	check(describes(plan_of_components(COMPONENT_COUNT, 0), "its existence"), "what a group alone reveals");
	plan.components = all;
	plan.ncomponents = lengthof(all);
	check(describes(plan, "1 x count, 1 x integer sum, 1 x numeric sum, 1 x numeric sum of squares, "
					"1 x floating-point sum, 1 x floating-point sum of products, 1 x interval sum, "
					"1 x bool_or, 1 x bool_and"), "what each kind reveals");

	check(strcmp(plan_tables_text(&plan, 100), "trial, visit\303\244") == 0, "the tables in words");
	check(strcmp(plan_tables_text(&plan, 14), "trial, visit\303\244") == 0, "they just fit");
	check(strcmp(plan_tables_text(&plan, 13), "trial, visit") == 0, "half a character is cut off");
	check(strcmp(plan_tables_text(&plan, 12), "trial, visit") == 0, "a character is cut off");
	check(strcmp(plan_tables_text(&plan, 0), "") == 0, "all is cut off");
}

int
main(void)
{
	test_plan_bytes();
	test_plan_limits();
	test_estimates();
	test_plan_hash();
	test_plan_sizes();
	test_plan_texts();
	memory_reset();
	return unit_done();
}
