/*
 * test_oblivious_plan.c
 *	  Oblivious plans: what was written is read, every limit holds, and what a plan may not
 *	  be is refused for the reason that is said; and whom an answer tells about.
 */
#include "base/base.h"

#include "a_plan.h"
#include "hostile.h"
#include "oblivious/check.h"

static bool
plan_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ObliviousPlan plan;

	if (!oblivious_plan_decode(&plan, bytes, len, reason))
		return false;
	oblivious_plan_encode(again, &plan);
	return true;
}

/* Groups of sites by diagnosis: sum(n) of everybody, sum(cost) of some; merged, with eleven patients. */
static ObliviousPlan *
merge_plan(void)
{
	ObliviousPlan *plan = oblivious_plan_create();
	InputSource *source = a_source();
	PlanInput	input = {pstrdup("visit"), INPUT_SITES, 512, PATIENT_COUNTED, 5, palloc0(5 * sizeof(InputColumn)), source};

	source->grouped = true;
	source->naggregates = 2;
	source->aggregates = palloc0(2 * sizeof(SourceAggregate));
	source->aggregates[0] = (SourceAggregate) {PLAN_AGGREGATE_SUM, 0};
	source->aggregates[1] = (SourceAggregate) {PLAN_AGGREGATE_SUM, 1};
	input.columns[0] = (InputColumn) {pstrdup("diagnosis"), nullable(secret_text(4))};
	input.columns[1] = (InputColumn) {pstrdup("n"), secret_integer(40)};
	input.columns[2] = (InputColumn) {pstrdup("cost"), nullable(secret_numeric(10, 2))};
	for (int i = 3; i < 5; i++)
		input.columns[i] = (InputColumn) {psprintf("patients_%d", i - 3), secret_integer(PLAN_ROW_BITS)};
	oblivious_plan_add_input(plan, &input);
	oblivious_plan_add_node(plan, &(PlanNode) {PLAN_SCAN, .input = 0});
	oblivious_plan_add_node(plan, &(PlanNode) {PLAN_MERGE, 1, numbers_of(1, 0, 0), .patients_min = 11, .rows = 100});
	oblivious_plan_add_node(plan, &(PlanNode) {PLAN_RELEASE, 1, numbers_of(1, 1, 0), .ncolumns = 2, .columns = numbers_of(2, 0, 3)});
	return plan;
}

static StringInfoData
plan_bytes(const ObliviousPlan *plan)
{
	StringInfoData bytes = empty();

	oblivious_plan_encode(&bytes, plan);
	return bytes;
}

static void
test_plan_bytes(void)
{
	StringInfoData bytes = plan_bytes(a_plan());

	test_hostile("oblivious plan", plan_again, &bytes);
	bytes = plan_bytes(merge_plan());
	test_hostile("oblivious plan of groups", plan_again, &bytes);
}

/* A plan that must not be read. */
static void
unreadable(const ObliviousPlan *plan, const char *why, const char *what)
{
	StringInfoData bytes = plan_bytes(plan);
	ObliviousPlan read;
	const char *reason = "";
	bool		accepted = oblivious_plan_decode(&read, bytes.data, bytes.len, &reason);

	check(!accepted && strstr(reason, why) != NULL, "%s: not read (%s)", what, accepted ? "accepted" : reason);
}

static Expression *
nested(int depth)
{
	Expression *expression = expression_boolean(true);

	while (--depth > 0)
		expression = expression_unary(EXPRESSION_NOT, expression);
	return expression;
}

static Expression *
wide_or(int nargs)
{
	Expression **args = palloc(nargs * sizeof(Expression *));

	for (int i = 0; i < nargs; i++)
		args[i] = expression_boolean(false);
	return expression_make(EXPRESSION_OR, nargs, args);
}

static void
test_unreadable(void)
{
	ObliviousPlan *plan = a_plan();
	Expression *condition = plan->nodes[1].condition;
	StringInfoData bytes;
	ObliviousPlan read;
	const char *reason;

	plan->nnodes = 3;
	unreadable(plan, "no tree", "two roots");
	plan->nodes[0].kind = PLAN_LIMIT;
	plan->nnodes = 1;
	unreadable(plan, "children", "a limit of nothing");
	plan = a_plan();
	plan->nodes[1].condition = nested(EXPRESSION_DEPTH_MAX + 1);
	unreadable(plan, "too large", "a deep expression");
	plan->nodes[1].condition = wide_or(EXPRESSIONS_MAX - 1);
	unreadable(plan, "too large", "a long expression");
	plan->nodes[1].condition = nested(EXPRESSION_DEPTH_MAX);
	bytes = plan_bytes(plan);
	check(oblivious_plan_decode(&read, bytes.data, bytes.len, &reason), "the deepest expression is read");
	plan->nodes[1].condition = condition;
	plan->inputs[0].patient = 4;
	unreadable(plan, "patient column", "patients by a column that is not there");
	plan->inputs[0].patient = -4;
	unreadable(plan, "patient column", "patients by nothing that there is");
	plan->inputs[0].patient = PATIENT_COUNTED;
	unreadable(plan, "not counted", "groups of a shared table");
	plan = a_plan();
	plan->inputs[1].source->rows = 100;
	unreadable(plan, "no whole words", "rows of a site that do not fill words");
	plan = merge_plan();
	plan->inputs[0].patient = 0;
	unreadable(plan, "not counted", "groups with a patient column");
	plan = merge_plan();
	plan->inputs[0].source->aggregates[1].kind = PLAN_AGGREGATE_COUNT_DISTINCT;
	unreadable(plan, "can't be merged", "different values of each site");
	plan = merge_plan();
	plan->inputs[0].source->aggregates[1].part = 3;
	unreadable(plan, "", "parts that are not numbered by first use");
	plan = a_plan();
	plan->inputs[0].columns[0].type.bits = 65;
	unreadable(plan, "width", "an integer of 65 bits");
	plan = a_plan();
	plan->params[0].scale = 1;
	unreadable(plan, "scale", "an integer with digits after the point");
	plan = a_plan();
	plan->nodes[1].condition = expression_number(secret_integer(4), 8);
	unreadable(plan, "does not fit", "a constant beyond its type");
}

/* ---- what means nothing ---- */

static void
refused(ObliviousPlan *plan, int node, const char *why)
{
	CheckedPlan checked;
	PlanRefusal refusal;
	bool		accepted = plan_check(&checked, plan, &refusal);

	check(!accepted && refusal.node == node && strstr(refusal.refusal.reason, why) != NULL,
		  "node %d %s (%d %s)", node, why, refusal.node, accepted ? "accepted" : refusal.refusal.reason);
}

static ObliviousPlan *
plan_with_condition(Expression *condition)
{
	ObliviousPlan *plan = a_plan();

	plan->nodes[1].condition = condition;
	return plan;
}

static Expression *
compare(Expression *left, Expression *right)
{
	return expression_binary(EXPRESSION_LESS, left, right);
}

static void
test_refused_expressions(void)
{
	SecretType	big = secret_integer(64);
	Expression *large = expression_number(big, PG_INT64_MAX);
	Expression *patient = expression_column(0);

	refused(plan_with_condition(patient), 1, "no condition");
	refused(plan_with_condition(compare(patient, expression_text("x"))), 1, "is of values of type integer and text");
	refused(plan_with_condition(compare(patient, expression_column(4))), 1, "is not there: number 4 of 4");
	refused(plan_with_condition(compare(patient, expression_parameter(1))), 1, "is not there: number 1 of 1");
	refused(plan_with_condition(compare(expression_column(2), expression_number(secret_numeric(4, 1), 5))), 1,
			"different scales, 2 and 1");
	refused(plan_with_condition(compare(patient, expression_binary(EXPRESSION_ADD, patient, large))), 1,
			"could overflow 64 bits");
	refused(plan_with_condition(compare(patient, expression_binary(EXPRESSION_MULTIPLY, large, patient))), 1,
			"could overflow 64 bits");
	refused(plan_with_condition(compare(patient, expression_unary(EXPRESSION_NEGATE, expression_number(big, PG_INT64_MIN)))), 1,
			"could overflow 64 bits");
	refused(plan_with_condition(expression_unary(EXPRESSION_NOT, patient)), 1, "not boolean");
	refused(plan_with_condition(expression_unary(EXPRESSION_MONTH, patient)), 1, "not date");
	refused(plan_with_condition(expression_cast(expression_column(1), secret_text(2))), 1, "cuts a text");
	refused(plan_with_condition(expression_cast(expression_column(2), secret_numeric(8, 1))), 1, "rounds to 1");
	refused(plan_with_condition(expression_cast(patient, secret_boolean())), 1, "from integer to boolean");
	refused(plan_with_condition(expression_make(EXPRESSION_CASE, 2, (Expression *[]) {nested(1), nested(1)})), 1, "has 2 arguments");
	refused(plan_with_condition(expression_make(EXPRESSION_CASE, 4, (Expression *[]) {nested(1), nested(1), nested(1), nested(1)})), 1,
			"no value for ELSE");
	refused(plan_with_condition(expression_make(EXPRESSION_AND, 1, (Expression *[]) {nested(1)})), 1, "has 1 arguments");
}

static void
test_refused_nodes(void)
{
	ObliviousPlan *plan = a_plan();

	plan->nodes[0].input = 2;
	refused(plan, 0, "is of input 2 of 2");
	plan = a_plan();
	plan->inputs[1].columns[0].unique = false;
	refused(plan, 3, "not known to be unique");
	plan = a_plan();
	plan->nodes[3].right_keys[0] = 1;
	refused(plan, 3, "is by keys of type integer and boolean");
	plan = a_plan();
	plan->nodes[3].form = JOIN_FORM_LEFT;
	plan->nodes[3].rows = 10;
	refused(plan, 3, "several others");
	plan = a_plan();
	plan->nodes[5].keys[0] = 5;
	refused(plan, 5, "refers to column 5 of 5");
	plan = a_plan();
	plan->nodes[5].aggregates[1].part = 0;
	refused(plan, 5, "to which every row contributes");
	plan = a_plan();
	plan->nodes[5].aggregates[1].part = 2;
	refused(plan, 5, "part 2 where part 1 should follow");
	plan = a_plan();
	plan->nodes[5].aggregates[2].filter = NULL;
	refused(plan, 5, "different rows contribute");
	plan = a_plan();
	plan->nodes[5].aggregates[1].args[0] = expression_column(1);
	refused(plan, 5, "has sum of a value of type text");
	plan = a_plan();
	plan->nodes[5].aggregates[2].numerator = 3;
	refused(plan, 5, "percentile of 3 / 2");
	plan = a_plan();
	plan->nodes[5].patients_min = 0;
	refused(plan, 5, "wants at least 0");
	plan = a_plan();
	plan->nodes[5].patients[0] = 4;
	refused(plan, 5, "does not tell any apart");
	plan = a_plan();
	plan->nnodes--;
	refused(plan, 7, "neither opens nor stores");
	plan = a_plan();
	plan->nodes[8].kind = PLAN_STORE;
	refused(plan, 8, "does not keep its rows");
}

/* ---- whom it tells about ---- */

static uint64
patients_min(const ObliviousPlan *plan, int input)
{
	CheckedPlan checked;
	PlanRefusal refusal;

	if (!plan_check(&checked, plan, &refusal))
	{
		printf("# node %d %s\n", refusal.node, refusal.refusal.reason);
		return 0;
	}
	return checked.patients_min[input];
}

static ObliviousPlan *
start_plan(void)
{
	ObliviousPlan *plan = oblivious_plan_create();

	a_plan_inputs(plan);
	return plan;
}

static int
release_column(ObliviousPlan *plan, int child, int column)
{
	return oblivious_plan_add_node(plan, &(PlanNode) {PLAN_RELEASE, 1, numbers_of(1, child, 0), .ncolumns = 1,
		.columns = numbers_of(1, column, 0)});
}

static int
scan(ObliviousPlan *plan, int input)
{
	return oblivious_plan_add_node(plan, &(PlanNode) {PLAN_SCAN, .input = input});
}

/* One key, count(*), and patients by a column, or nobody counted. */
static int
group(ObliviousPlan *plan, int child, int key, int patient, uint64 least)
{
	PlanNode	node = {PLAN_GROUP, 1, numbers_of(1, child, 0), .nkeys = 1, .keys = numbers_of(1, key, 0), .naggregates = 1,
	.npatients = patient >= 0, .patients = numbers_of(1, patient, 0), .patients_min = least};

	node.aggregates = palloc0(sizeof(PlanAggregate));
	node.aggregates[0].kind = PLAN_AGGREGATE_COUNT_ROWS;
	return oblivious_plan_add_node(plan, &node);
}

static int
join(ObliviousPlan *plan, JoinForm form, int left, int right, int left_key, int right_key)
{
	return oblivious_plan_add_node(plan, &(PlanNode) {PLAN_JOIN, 2, numbers_of(2, left, right), .form = form, .nkeys = 1,
		.keys = numbers_of(1, left_key, 0), .right_keys = numbers_of(1, right_key, 0)});
}

static void
test_patients(void)
{
	ObliviousPlan *plan = a_plan();

	check(patients_min(plan, 0) == 11 && patients_min(plan, 1) == 11, "joined by patients, both are counted");

	plan = start_plan();
	release_column(plan, scan(plan, 0), 3);
	check(patients_min(plan, 0) == 1 && patients_min(plan, 1) == PATIENTS_NOT_OPENED, "rows as they are");

	plan = start_plan();
	release_column(plan, group(plan, group(plan, scan(plan, 0), 0, -1, 0), 1, 0, 7), 0);
	check(patients_min(plan, 0) == 7, "by patient first, then counted");

	plan = start_plan();
	release_column(plan, group(plan, group(plan, scan(plan, 0), 1, -1, 0), 0, -1, 0), 0);
	check(patients_min(plan, 0) == 1, "grouped without counting");

	plan = start_plan();
	release_column(plan, group(plan, group(plan, scan(plan, 0), 1, 0, 5), 0, -1, 0), 0);
	check(patients_min(plan, 0) == 5, "counted, then grouped again");

	/* By something else than the patient, so that nobody can count those on the right. */
	plan = start_plan();
	{
		int			left = scan(plan, 0);
		int			right = scan(plan, 0);

		release_column(plan, group(plan, join(plan, JOIN_FORM_SEMI, left, right, 1, 1), 1, 0, 9), 0);
	}
	check(patients_min(plan, 0) == 1, "a semi join by a diagnosis");

	plan = start_plan();
	{
		int			left = scan(plan, 0);
		int			right = scan(plan, 1);

		release_column(plan, group(plan, join(plan, JOIN_FORM_ANTI, left, right, 0, 0), 1, 0, 9), 0);
	}
	check(patients_min(plan, 0) == 9 && patients_min(plan, 1) == 9, "an anti join by patients");
}

/* Whoever adds rows of nobody to be counted as patients gains nothing; nor by a number that is no patient. */
static void
test_cheating(void)
{
	ObliviousPlan *plan = start_plan();
	PlanNode	node = {PLAN_PROJECT, .nexpressions = 2};
	int			left;
	int			right;

	plan->inputs[1].patient = PATIENT_NONE;
	left = scan(plan, 1);
	right = scan(plan, 1);
	plan->inputs[0].ncolumns = 2;
	plan->inputs[0].columns[1] = plan->inputs[1].columns[1];
	plan->nodes[left].input = 0;
	release_column(plan, group(plan, oblivious_plan_add_node(plan, &(PlanNode) {PLAN_UNION, 2, numbers_of(2, left, right)}), 1, -1, 0), 0);
	check(patients_min(plan, 0) == 1, "a union with nobody is of patients who can't be counted");
	plan->nodes[plan->nnodes - 2].npatients = 1;
	plan->nodes[plan->nnodes - 2].patients[0] = 0;
	plan->nodes[plan->nnodes - 2].patients_min = 5;
	refused(plan, 3, "does not tell any apart");

	plan = start_plan();
	node.nchildren = 1;
	node.children = numbers_of(1, scan(plan, 0), 0);
	node.expressions = palloc(2 * sizeof(Expression *));
	node.expressions[0] = expression_unary(EXPRESSION_NEGATE, expression_column(0));
	node.expressions[1] = expression_column(1);
	release_column(plan, group(plan, oblivious_plan_add_node(plan, &node), 1, 0, 5), 0);
	refused(plan, 2, "does not tell any apart");
}

/* ---- what follows ---- */

static void
test_merge(void)
{
	ObliviousPlan *plan = merge_plan();
	CheckedPlan checked;
	PlanRefusal refusal;

	check(patients_min(plan, 0) == 11, "groups of sites have as many patients as their merge wants");
	check(plan_check(&checked, plan, &refusal) && checked.nodes[1].ncolumns == 4 && checked.nodes[1].rows == 100 &&
		  checked.nodes[1].columns[2].type.nullable && checked.nproblems == 1, "key, two aggregates, and whether the second is shown");
	plan->nodes[1].patients_min = 0;
	refused(plan, 1, "wants no patients");
	plan = merge_plan();
	plan->inputs[0].columns[4].type.nullable = true;
	refused(plan, 1, "does not fit");
	plan = merge_plan();
	plan->inputs[0].ncolumns = 4;
	refused(plan, 1, "without keys");
	plan = merge_plan();
	plan->inputs[0].source->aggregates[0].kind = PLAN_AGGREGATE_BOOL_OR;
	refused(plan, 1, "bool_or of a value of type integer");

	/* What sites counted is good for the merge alone. */
	plan = merge_plan();
	plan->nodes[1] = (PlanNode) {PLAN_FILTER, 1, numbers_of(1, 0, 0), .condition = expression_boolean(true)};
	refused(plan, 1, "no merge");
	plan = merge_plan();
	plan->nodes[1] = (PlanNode) {PLAN_GROUP, 1, numbers_of(1, 0, 0), .nkeys = 1, .keys = numbers_of(1, 0, 0), .npatients = 1,
		.patients = numbers_of(1, 3, 0), .patients_min = 11};
	plan->nodes[2].columns = numbers_of(2, 0, 0);
	refused(plan, 1, "does not tell any apart");
	plan = start_plan();
	release_column(plan, oblivious_plan_add_node(plan, &(PlanNode) {PLAN_MERGE, 1, numbers_of(1, scan(plan, 1), 0), .patients_min = 5}), 0);
	refused(plan, 1, "not of groups");
}

static void
test_types(void)
{
	CheckedPlan checked;
	PlanRefusal refusal;
	const ObliviousPlan *plan = a_plan();

	check(plan_check(&checked, plan, &refusal), "the plan is fine");
	check(checked.nodes[3].rows == 1000 && checked.nodes[3].ncolumns == 6, "a join with a unique key has the rows of the left");
	check(checked.nodes[5].rows == 100 && checked.nodes[5].ncolumns == 6, "a group: key, four aggregates, one part that may not be shown");
	check(checked.nodes[5].columns[1].high == 1000 && !checked.nodes[5].columns[1].type.nullable, "a count of up to 1000");
	check(checked.nodes[5].columns[2].type.nullable && checked.nodes[5].columns[2].type.scale == 2, "a sum that may be withheld");
	check(checked.nodes[8].rows == 10 && checked.nodes[8].ncolumns == 2, "what is opened");
	check(checked.nproblems == 3, "three things may go wrong: keys, groups, rows");
	check(relation_is_unique(&checked.nodes[2], (int[]) {0}, 1) && !relation_is_unique(&checked.nodes[2], (int[]) {1}, 1),
		  "what is unique");
}

int
main(void)
{
	test_plan_bytes();
	test_unreadable();
	test_refused_expressions();
	test_refused_nodes();
	test_patients();
	test_cheating();
	test_merge();
	test_types();
	memory_reset();
	return unit_done();
}
