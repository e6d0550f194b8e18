/*
 * plan.c
 *	  The oblivious plan's bytes.
 *
 * Nodes are written in postorder without the numbers of their children: whoever
 * reads keeps a stack.  Thus every list of nodes is a tree or refused.
 */
#include "oblivious/plan.h"

#include "base/cbor.h"

/* ---- building ---- */

/* Lists grow by doubling. */
static void *
grown(void *list, int n, size_t size)
{
	if (list == NULL)
		return palloc0(size);
	return (n & (n - 1)) == 0 ? repalloc(list, Max(2 * n, 1) * size) : list;
}

ObliviousPlan *
oblivious_plan_create(void)
{
	return palloc0(sizeof(ObliviousPlan));
}

int
oblivious_plan_add_input(ObliviousPlan *plan, const PlanInput *input)
{
	plan->inputs = grown(plan->inputs, plan->ninputs, sizeof(PlanInput));
	plan->inputs[plan->ninputs] = *input;
	return plan->ninputs++;
}

int
oblivious_plan_add_parameter(ObliviousPlan *plan, SecretType type)
{
	plan->params = grown(plan->params, plan->nparams, sizeof(SecretType));
	plan->params[plan->nparams] = type;
	return plan->nparams++;
}

int
oblivious_plan_add_node(ObliviousPlan *plan, const PlanNode *node)
{
	plan->nodes = grown(plan->nodes, plan->nnodes, sizeof(PlanNode));
	plan->nodes[plan->nnodes] = *node;
	return plan->nnodes++;
}

int
plan_group_parts(const PlanNode *node)
{
	int			parts = 1;

	for (int i = 0; i < node->naggregates; i++)
		parts = Max(parts, node->aggregates[i].part + 1);
	return parts;
}

int
input_keys(const PlanInput *input)
{
	int			keys = input->ncolumns - input->source->naggregates - source_parts(input->source);

	return Max(keys, -1);
}

int
oblivious_plan_parameters(const ObliviousPlan *plan)
{
	int			n = plan->nparams;

	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].source)
			n += plan->inputs[i].source->nparams;
	return n;
}

bool
oblivious_plan_asks_sites(const ObliviousPlan *plan)
{
	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].kind == INPUT_SITES)
			return true;
	return false;
}

/* In the order of PlanNodeKind and of PlanAggregateKind. */
static const char *const node_names[] = {
	NULL, "scan", "filter", "project", "union", "join", "group", "sort", "limit", "release", "store",
	"merge"
};

static const char *const aggregate_names[] = {
	NULL, "count(*)", "count", "count(DISTINCT)", "sum", "sum of products", "min", "max",
	"bool_and", "bool_or", "any_value", "percentile_disc", "percentile_cont"
};

const char *
plan_node_name(PlanNodeKind kind)
{
	StaticAssertStmt(lengthof(node_names) == PLAN_NODE_KIND_MAX + 1, "a name for each kind");
	return node_names[kind];
}

const char *
plan_aggregate_name(PlanAggregateKind kind)
{
	StaticAssertStmt(lengthof(aggregate_names) == PLAN_AGGREGATE_KIND_MAX + 1, "a name for each kind");
	return aggregate_names[kind];
}

/* ---- writing ---- */

static void
encode_numbers(StringInfo out, const int *numbers, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
		cbor_uint(out, numbers[i]);
}

static void
encode_input(StringInfo out, const PlanInput *input)
{
	cbor_array(out, input->kind == INPUT_SITES ? 6 : 5);
	cbor_text(out, input->name);
	cbor_uint(out, input->kind);
	cbor_uint(out, input->rows);
	cbor_int(out, input->patient);
	cbor_array(out, input->ncolumns);
	for (int i = 0; i < input->ncolumns; i++)
	{
		cbor_array(out, 3);
		cbor_text(out, input->columns[i].name);
		secret_type_encode(out, &input->columns[i].type);
		cbor_bool(out, input->columns[i].unique);
	}
	if (input->kind == INPUT_SITES)
		source_encode(out, input->source);
}

static void
encode_aggregate(StringInfo out, const PlanAggregate *aggregate)
{
	cbor_array(out, 5);
	cbor_uint(out, aggregate->kind);
	cbor_array(out, aggregate->nargs);
	for (int i = 0; i < aggregate->nargs; i++)
		expression_encode(out, aggregate->args[i]);
	if (aggregate->filter == NULL)
		cbor_null(out);
	else
		expression_encode(out, aggregate->filter);
	cbor_uint(out, aggregate->part);
	if (aggregate->kind < PLAN_AGGREGATE_PERCENTILE_DISC)
		cbor_null(out);
	else
	{
		cbor_array(out, 2);
		cbor_uint(out, aggregate->numerator);
		cbor_uint(out, aggregate->denominator);
	}
}

static void
encode_join(StringInfo out, const PlanNode *node)
{
	cbor_uint(out, node->form);
	cbor_array(out, node->nkeys);
	for (int i = 0; i < node->nkeys; i++)
	{
		cbor_array(out, 2);
		cbor_uint(out, node->keys[i]);
		cbor_uint(out, node->right_keys[i]);
	}
	cbor_uint(out, node->rows);
}

static void
encode_group(StringInfo out, const PlanNode *node)
{
	encode_numbers(out, node->keys, node->nkeys);
	cbor_array(out, node->naggregates);
	for (int i = 0; i < node->naggregates; i++)
		encode_aggregate(out, &node->aggregates[i]);
	encode_numbers(out, node->patients, node->npatients);
	cbor_uint(out, node->patients_min);
	cbor_bool(out, node->show_zero);
	cbor_uint(out, node->rows);
}

static void
encode_order(StringInfo out, const PlanNode *node)
{
	cbor_array(out, node->norder);
	for (int i = 0; i < node->norder; i++)
	{
		cbor_array(out, 3);
		cbor_uint(out, node->order[i].column);
		cbor_bool(out, node->order[i].descending);
		cbor_bool(out, node->order[i].nulls_first);
	}
}

/* Elements of each kind's array, in the order of PlanNodeKind. */
static const int node_elements[] = {0, 2, 2, 2, 2, 4, 7, 2, 3, 4, 2, 3};

static void
encode_node(StringInfo out, const PlanNode *node)
{
	StaticAssertStmt(lengthof(node_elements) == PLAN_NODE_KIND_MAX + 1, "elements of each kind");
	cbor_array(out, node_elements[node->kind]);
	cbor_uint(out, node->kind);
	switch (node->kind)
	{
		case PLAN_SCAN:
			cbor_uint(out, node->input);
			break;
		case PLAN_FILTER:
			expression_encode(out, node->condition);
			break;
		case PLAN_PROJECT:
			cbor_array(out, node->nexpressions);
			for (int i = 0; i < node->nexpressions; i++)
				expression_encode(out, node->expressions[i]);
			break;
		case PLAN_UNION:
			cbor_uint(out, node->nchildren);
			break;
		case PLAN_JOIN:
			encode_join(out, node);
			break;
		case PLAN_GROUP:
			encode_group(out, node);
			break;
		case PLAN_SORT:
			encode_order(out, node);
			break;
		case PLAN_LIMIT:
			cbor_uint(out, node->offset);
			cbor_uint(out, node->count);
			break;
		case PLAN_RELEASE:
			encode_numbers(out, node->columns, node->ncolumns);
			cbor_uint(out, node->rows);
			cbor_bool(out, node->ordered);
			break;
		case PLAN_STORE:
			encode_numbers(out, node->columns, node->ncolumns);
			break;
		case PLAN_MERGE:
			cbor_uint(out, node->patients_min);
			cbor_uint(out, node->rows);
			break;
	}
}

void
oblivious_plan_encode(StringInfo out, const ObliviousPlan *plan)
{
	cbor_array(out, 4);
	cbor_uint(out, 1);
	cbor_array(out, plan->ninputs);
	for (int i = 0; i < plan->ninputs; i++)
		encode_input(out, &plan->inputs[i]);
	cbor_array(out, plan->nparams);
	for (int i = 0; i < plan->nparams; i++)
		secret_type_encode(out, &plan->params[i]);
	cbor_array(out, plan->nnodes);
	for (int i = 0; i < plan->nnodes; i++)
		encode_node(out, &plan->nodes[i]);
}

/* ---- reading ---- */

/* What is read so far: expressions and nodes whose parent is still to come. */
typedef struct PlanReader
{
	CborReader	in;
	ObliviousPlan *plan;
	int			budget;			/* expressions there may still be */
	int			waiting[PLAN_NODES_MAX];
	int			nwaiting;
} PlanReader;

static void
refuse(PlanReader *reader, const char *reason)
{
	if (reader->in.error == NULL)
		reader->in.error = reason;
}

static bool
fine(const PlanReader *reader)
{
	return reader->in.error == NULL;
}

static int *
read_numbers(PlanReader *reader, int *n)
{
	int		   *numbers;

	*n = cbor_read_array(&reader->in, RELATION_COLUMNS_MAX);
	numbers = palloc0((*n + 1) * sizeof(int));
	for (int i = 0; i < *n && fine(reader); i++)
		numbers[i] = cbor_read_uint(&reader->in, RELATION_COLUMNS_MAX - 1);
	return numbers;
}

static void
read_input(PlanReader *reader, PlanInput *input)
{
	CborReader *in = &reader->in;
	uint64		elements = cbor_read_array(in, 6);
	int64		patient;

	input->name = cbor_read_text(in, NAMEDATALEN - 1);
	input->kind = (InputKind) cbor_read_uint(in, INPUT_KIND_MAX);
	input->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
	patient = cbor_read_int(in);
	input->ncolumns = cbor_read_array(in, SHARED_COLUMNS_MAX);
	input->columns = palloc0((input->ncolumns + 1) * sizeof(InputColumn));
	for (int i = 0; i < input->ncolumns && fine(reader); i++)
	{
		cbor_expect_array(in, 3);
		input->columns[i].name = cbor_read_text(in, NAMEDATALEN - 1);
		secret_type_read(in, &input->columns[i].type);
		input->columns[i].unique = cbor_read_bool(in);
	}
	if (input->kind == 0)
		refuse(reader, "input of an unknown kind");
	if (elements != (input->kind == INPUT_SITES ? 6 : 5))
		refuse(reader, "input of another length than its kind's");
	if (input->kind == INPUT_SITES && fine(reader))
		input->source = source_read(in);
	if (patient < PATIENT_COUNTED || patient >= input->ncolumns)
		refuse(reader, "patient column that is not there");
	if (fine(reader) && (patient == PATIENT_COUNTED) != (input->source != NULL && input->source->grouped))
		refuse(reader, "groups whose patients are not counted");
	input->patient = fine(reader) ? patient : PATIENT_NONE;
}

static void
read_inputs(PlanReader *reader)
{
	ObliviousPlan *plan = reader->plan;

	plan->ninputs = cbor_read_array(&reader->in, TABLES_MAX);
	plan->inputs = palloc0((plan->ninputs + 1) * sizeof(PlanInput));
	for (int i = 0; i < plan->ninputs && fine(reader); i++)
		read_input(reader, &plan->inputs[i]);
}

static void
read_params(PlanReader *reader)
{
	ObliviousPlan *plan = reader->plan;

	plan->nparams = cbor_read_array(&reader->in, PARAMETERS_MAX);
	plan->params = palloc0((plan->nparams + 1) * sizeof(SecretType));
	for (int i = 0; i < plan->nparams && fine(reader); i++)
		secret_type_read(&reader->in, &plan->params[i]);
}

/* The last n nodes without a parent get this one. */
static void
take_children(PlanReader *reader, PlanNode *node, uint64 n)
{
	if (n > reader->nwaiting)
	{
		refuse(reader, "node without its children");
		return;
	}
	reader->nwaiting -= n;
	node->nchildren = n;
	node->children = palloc0((n + 1) * sizeof(int));
	memcpy(node->children, reader->waiting + reader->nwaiting, n * sizeof(int));
}

static Expression **
read_expressions(PlanReader *reader, int max, int *n)
{
	Expression **expressions;

	*n = cbor_read_array(&reader->in, max);
	expressions = palloc0((*n + 1) * sizeof(Expression *));
	for (int i = 0; i < *n && fine(reader); i++)
		expressions[i] = expression_read(&reader->in, &reader->budget);
	return expressions;
}

static void
read_aggregate(PlanReader *reader, PlanAggregate *aggregate)
{
	CborReader *in = &reader->in;
	Expression **args;

	cbor_expect_array(in, 5);
	aggregate->kind = (PlanAggregateKind) cbor_read_uint(in, PLAN_AGGREGATE_KIND_MAX);
	args = read_expressions(reader, lengthof(aggregate->args), &aggregate->nargs);
	memcpy(aggregate->args, args, aggregate->nargs * sizeof(Expression *));
	pfree(args);
	if (!cbor_read_null(in))
		aggregate->filter = expression_read(in, &reader->budget);
	aggregate->part = cbor_read_uint(in, COMPONENTS_MAX);
	if (aggregate->kind == 0)
		refuse(reader, "aggregate of an unknown kind");
	if (aggregate->kind < PLAN_AGGREGATE_PERCENTILE_DISC)
	{
		if (!cbor_read_null(in))
			refuse(reader, "fraction of something that is no percentile");
		return;
	}
	cbor_expect_array(in, 2);
	aggregate->numerator = cbor_read_uint(in, PERCENTILE_DENOMINATOR_MAX);
	aggregate->denominator = cbor_read_uint(in, PERCENTILE_DENOMINATOR_MAX);
}

static void
read_join(PlanReader *reader, PlanNode *node)
{
	CborReader *in = &reader->in;

	take_children(reader, node, 2);
	node->form = (JoinForm) cbor_read_uint(in, JOIN_FORM_MAX);
	if (node->form == 0)
		refuse(reader, "join of an unknown form");
	node->nkeys = cbor_read_array(in, KEYS_MAX);
	node->keys = palloc0((node->nkeys + 1) * sizeof(int));
	node->right_keys = palloc0((node->nkeys + 1) * sizeof(int));
	for (int i = 0; i < node->nkeys && fine(reader); i++)
	{
		cbor_expect_array(in, 2);
		node->keys[i] = cbor_read_uint(in, RELATION_COLUMNS_MAX - 1);
		node->right_keys[i] = cbor_read_uint(in, RELATION_COLUMNS_MAX - 1);
	}
	node->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
}

static void
read_group(PlanReader *reader, PlanNode *node)
{
	CborReader *in = &reader->in;

	take_children(reader, node, 1);
	node->keys = read_numbers(reader, &node->nkeys);
	node->naggregates = cbor_read_array(in, COMPONENTS_MAX);
	node->aggregates = palloc0((node->naggregates + 1) * sizeof(PlanAggregate));
	for (int i = 0; i < node->naggregates && fine(reader); i++)
		read_aggregate(reader, &node->aggregates[i]);
	node->patients = read_numbers(reader, &node->npatients);
	node->patients_min = cbor_read_uint(in, RELATION_ROWS_MAX);
	node->show_zero = cbor_read_bool(in);
	node->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
}

static void
read_order(PlanReader *reader, PlanNode *node)
{
	take_children(reader, node, 1);
	node->norder = cbor_read_array(&reader->in, KEYS_MAX);
	node->order = palloc0((node->norder + 1) * sizeof(OrderKey));
	for (int i = 0; i < node->norder && fine(reader); i++)
	{
		cbor_expect_array(&reader->in, 3);
		node->order[i].column = cbor_read_uint(&reader->in, RELATION_COLUMNS_MAX - 1);
		node->order[i].descending = cbor_read_bool(&reader->in);
		node->order[i].nulls_first = cbor_read_bool(&reader->in);
	}
}

static void
read_node_body(PlanReader *reader, PlanNode *node)
{
	CborReader *in = &reader->in;

	switch (node->kind)
	{
		case PLAN_SCAN:
			node->input = cbor_read_uint(in, TABLES_MAX - 1);
			break;
		case PLAN_FILTER:
			take_children(reader, node, 1);
			node->condition = expression_read(in, &reader->budget);
			break;
		case PLAN_PROJECT:
			take_children(reader, node, 1);
			node->expressions = read_expressions(reader, RELATION_COLUMNS_MAX, &node->nexpressions);
			break;
		case PLAN_UNION:
			take_children(reader, node, cbor_read_uint(in, PLAN_NODES_MAX));
			break;
		case PLAN_JOIN:
			read_join(reader, node);
			break;
		case PLAN_GROUP:
			read_group(reader, node);
			break;
		case PLAN_SORT:
			read_order(reader, node);
			break;
		case PLAN_LIMIT:
			take_children(reader, node, 1);
			node->offset = cbor_read_uint(in, RELATION_ROWS_MAX);
			node->count = cbor_read_uint(in, RELATION_ROWS_MAX);
			break;
		case PLAN_RELEASE:
			take_children(reader, node, 1);
			node->columns = read_numbers(reader, &node->ncolumns);
			node->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
			node->ordered = cbor_read_bool(in);
			break;
		case PLAN_STORE:
			take_children(reader, node, 1);
			node->columns = read_numbers(reader, &node->ncolumns);
			break;
		case PLAN_MERGE:
			take_children(reader, node, 1);
			node->patients_min = cbor_read_uint(in, PG_INT32_MAX);
			node->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
			break;
	}
}

static void
read_node(PlanReader *reader, int number)
{
	PlanNode   *node = &reader->plan->nodes[number];
	uint64		elements = cbor_read_array(&reader->in, 16);

	node->kind = (PlanNodeKind) cbor_read_uint(&reader->in, PLAN_NODE_KIND_MAX);
	if (node->kind == 0 || elements != node_elements[node->kind])
		refuse(reader, "node of an unknown kind");
	else
		read_node_body(reader, node);
	reader->waiting[reader->nwaiting++] = number;
}

static void
read_nodes(PlanReader *reader)
{
	ObliviousPlan *plan = reader->plan;

	plan->nnodes = cbor_read_array(&reader->in, PLAN_NODES_MAX);
	plan->nodes = palloc0((plan->nnodes + 1) * sizeof(PlanNode));
	for (int i = 0; i < plan->nnodes && fine(reader); i++)
		read_node(reader, i);
	if (reader->nwaiting != 1)
		refuse(reader, "nodes that are no tree");
}

bool
oblivious_plan_decode(ObliviousPlan *plan, const void *bytes, size_t len, const char **reason)
{
	PlanReader	reader = {.plan = plan, .budget = EXPRESSIONS_MAX};

	memset(plan, 0, sizeof(*plan));
	cbor_start(&reader.in, bytes, len);
	cbor_expect_array(&reader.in, 4);
	if (cbor_read_uint(&reader.in, 1) != 1)
		refuse(&reader, "plan of another version");
	read_inputs(&reader);
	read_params(&reader);
	read_nodes(&reader);

	*reason = NULL;
	if (!cbor_finish(&reader.in))
		*reason = reader.in.error ? reader.in.error : "bytes after the plan";
	return *reason == NULL;
}

void
oblivious_plan_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len)
{
	HashPart	parts[] = {{"secmed/oblivious-plan/1", 24}, {bytes, len}};

	hash_parts(out, parts, lengthof(parts));
}
