/*
 * permit.c
 *	  Whether a party computes a plan.
 */
#include "postgres.h"

#include "compute/permit.h"
#include "compute/value.h"
#include "oblivious/cost.h"
#include "query/serving.h"
#include "shared/stage.h"

static void refuse(const char *table, const char *why) pg_attribute_noreturn();

static void
refuse(const char *table, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_REFUSED),
			 errmsg("party \"%s\" does not compute this over shared table \"%s\"", node_self()->card.name, table),
			 errdetail("%s.", why)));
}

/* The same three, in the same order, with the keys they had when the table was made. */
static void
check_parties(const SharedDefinition *definition, const Request *request)
{
	for (int i = 0; i < PARTIES; i++)
		if (strcmp(definition->parties[i].name, request->parties[i].name) != 0 ||
			memcmp(definition->parties[i].fingerprint, request->parties[i].fingerprint, HASH_BYTES) != 0)
			refuse(definition->name, "Its shares are held by other parties than the run's");
}

static bool
is_unique(const SharedDefinition *definition, const char *column)
{
	for (int i = 0; i < definition->nunique; i++)
		if (strcmp(definition->unique[i], column) == 0)
			return true;
	return false;
}

static int
permit_column(const SharedDefinition *definition, const InputColumn *column)
{
	int			at = shared_definition_column(definition, column->name);

	if (at < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("shared table \"%s\" has no column \"%s\" at party \"%s\"", definition->name,
						column->name, node_self()->card.name)));
	if (!secret_type_equal(&definition->types[at], &column->type))
		refuse(definition->name, "A column has another type than the plan says");
	if (column->unique && !is_unique(definition, column->name))
		refuse(definition->name, "A column is not unique, as the plan says");
	return at;
}

/* Whoever tells patients apart in the table must do so in the plan. */
static void
check_patient(const SharedDefinition *definition, const PlanInput *input)
{
	bool		same;

	if (definition->patient != NULL)
		same = input->patient >= 0 && strcmp(input->columns[input->patient].name, definition->patient) == 0;
	else
		same = input->patient == (definition->threshold > 1 ? PATIENT_EACH_ROW : PATIENT_NONE);
	if (!same)
		refuse(definition->name, "Patients are told apart by something else than the plan says");
}

static void
check_threshold(const SharedDefinition *definition, uint64 patients_min)
{
	if (patients_min < definition->threshold)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("party \"%s\" does not compute this over shared table \"%s\"", node_self()->card.name,
						definition->name),
				 errdetail("What it opens may be about fewer than " UINT64_FORMAT " patients, the table's smallest group.",
						   definition->threshold)));
}

/* What the sites think of it is in their receipts. */
static void
permit_sites(const PlanInput *input, const Request *request)
{
	if (request->nsites < SITES_MIN)
		serving_protocol_error("rows of fewer than two sites");
	if (input->rows != request->nsites * input->source->rows)
		serving_protocol_error("another number of rows than the sites'");
}

bool
permit_numbers(const CheckedPlan *checked)
{
	NodeCost	cost = plan_cost_total(checked, &link_cost_usual);

	for (int i = 0; i < checked->plan->ninputs; i++)
		if (checked->plan->inputs[i].kind != INPUT_NUMBERS)
			return false;
	if (cost.bytes > NUMBERS_BYTES_MAX || cost.rounds > NUMBERS_ROUNDS_MAX)
		serving_protocol_error("a plan over numbers that costs too much");
	return true;
}

static PermittedInput
permit_input(const CheckedPlan *checked, int number, const Request *request, const NodeCard *coordinator)
{
	const PlanInput *input = &checked->plan->inputs[number];
	PermittedInput permitted = {.columns = palloc(sizeof(int) * (input->ncolumns + 1))};
	const SharedDefinition *definition;

	if (input->kind != INPUT_SHARED_TABLE && request->kind != REQUEST_COMPUTE)
		serving_protocol_error("a change of rows that are kept nowhere");
	if (input->kind == INPUT_SITES)
		permit_sites(input, request);
	if (input->kind != INPUT_SHARED_TABLE)
		return permitted;
	permitted.table = shared_table_require(input->name);
	definition = &permitted.table->definition;
	if (!shared_is_creator(definition, coordinator))
		refuse(input->name, "Only the node that made it may ask");
	check_parties(definition, request);
	for (int i = 0; i < input->ncolumns; i++)
		permitted.columns[i] = permit_column(definition, &input->columns[i]);
	check_patient(definition, input);
	check_threshold(definition, checked->patients_min[number]);
	return permitted;
}

PermittedInput *
permit_inputs(const CheckedPlan *checked, const Request *request, const NodeCard *coordinator)
{
	PermittedInput *permitted = palloc(sizeof(PermittedInput) * (checked->plan->ninputs + 1));

	for (int i = 0; i < checked->plan->ninputs; i++)
		permitted[i] = permit_input(checked, i, request, coordinator);
	return permitted;
}

/* Does the column hold all values of this type? */
static bool
fits_column(const SecretType *type, const SecretType *column)
{
	return type->kind == column->kind && type->scale == column->scale && type->bits <= column->bits &&
		(column->nullable || !type->nullable);
}

void
permit_change(const CheckedPlan *checked, const PermittedInput *input, const NodeCard *coordinator)
{
	const SharedDefinition *definition = &input->table->definition;
	const RelationType *stored = &checked->nodes[checked->plan->nnodes - 1];

	stage_require_allowed(definition->name, coordinator);
	if (checked->plan->ninputs != 1 || stored->ncolumns > checked->plan->inputs[0].ncolumns)
		refuse(definition->name, "A change is of one table");
	for (int i = 0; i < stored->ncolumns; i++)
		if (!fits_column(&stored->columns[i].type, &definition->types[input->columns[i]]))
			refuse(definition->name, "New values are of another type than their column");
}

PublicValue *
permit_parameters(const ObliviousPlan *plan, const Request *request)
{
	PublicValue *values = palloc(sizeof(PublicValue) * (plan->nparams + 1));

	if (request->nparams != oblivious_plan_parameters(plan))
		serving_protocol_error("another number of parameters than the plan's");
	for (int i = 0; i < plan->nparams; i++)
		if (!value_from_text(&values[i], &plan->params[i], request->params[i]))
			serving_protocol_error("a parameter that is not of its type");
	return values;
}
