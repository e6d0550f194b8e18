/*
 * plan.c
 *	  The canonical plan's bytes, and the size of its answer.
 *
 * Decoding is bounded by base/limits.h before anything is allocated: a plan
 * comes from another node.
 */
#include "contract/plan.h"

#include "base/cbor.h"
#include "share/fixed_vector.h"

int
component_elements(ComponentKind kind, int width)
{
	switch (kind)
	{
		case COMPONENT_COUNT:
			return 1;
		case COMPONENT_SUM_INTEGER:
		case COMPONENT_BOOL_OR:
		case COMPONENT_BOOL_AND:
			return 2;
		case COMPONENT_SUM_NUMERIC:
			return 1 + NUMERIC_LIMBS + NUMERIC_SCALE + SPECIAL_MARKS;
		case COMPONENT_SUM_NUMERIC_PRODUCT:
			return 1 + NUMERIC_LIMBS;
		case COMPONENT_SUM_FLOAT:
			return 1 + FIXED_SUM_LIMBS + SPECIAL_MARKS;
		case COMPONENT_SUM_FLOAT_PRODUCT:
			return 1 + FIXED_PRODUCT_LIMBS;
		case COMPONENT_SUM_FLOAT_PRODUCT_3:
			return 1 + fixed_limbs_of(FIXED_PRODUCT_3);
		case COMPONENT_SUM_FLOAT_PRODUCT_4:
			return 1 + fixed_limbs_of(FIXED_PRODUCT_4);
		case COMPONENT_SUM_INTERVAL:
			return 4;
		case COMPONENT_SUM_FLOAT_VECTOR:
			return 1 + FIXED_VECTOR_MARKS + width * FIXED_SUM_LIMBS;
		case COMPONENT_EVENT_COUNTS:
			return width;
		case COMPONENT_QUANTILES:
			return 1 + width;
	}
	return 0;
}

void
plan_texts_encode(StringInfo out, char **texts, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
	{
		if (texts[i] == NULL)
			cbor_null(out);
		else
			cbor_text(out, texts[i]);
	}
}

void
plan_tables_encode(StringInfo out, const PlanTable *tables, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
	{
		const PlanTable *table = &tables[i];

		cbor_array(out, 2);
		cbor_text(out, table->name);
		cbor_array(out, table->ncolumns);
		for (int j = 0; j < table->ncolumns; j++)
		{
			cbor_array(out, 2);
			cbor_text(out, table->columns[j].name);
			cbor_text(out, table->columns[j].type);
		}
	}
}

void
plan_encode(StringInfo out, const CanonicalPlan *plan)
{
	cbor_array(out, plan->estimate.program ? 7 : 6);
	cbor_uint(out, 1);
	cbor_text(out, plan->sql);
	plan_tables_encode(out, plan->tables, plan->ntables);
	plan_texts_encode(out, plan->param_types, plan->nparams);
	cbor_array(out, plan->nkeys);
	for (int i = 0; i < plan->nkeys; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, plan->keys[i].type);
		plan_texts_encode(out, plan->keys[i].values, plan->keys[i].nvalues);
	}
	cbor_array(out, plan->ncomponents);
	for (int i = 0; i < plan->ncomponents; i++)
	{
		cbor_array(out, plan_width(plan, i) > 0 ? 3 : 2);
		cbor_uint(out, plan->components[i]);
		cbor_uint(out, plan->parts[i]);
		if (plan_quantiles(plan, i))
			quantile_encode(out, plan_quantiles(plan, i));
		else if (plan_width(plan, i) > 0)
			cbor_uint(out, plan_width(plan, i));
	}
	if (plan->estimate.program)
		estimate_encode(out, &plan->estimate);
}

char **
plan_texts_read(CborReader *in, int max, bool nulls, size_t text_max, int *n)
{
	char	  **texts;

	*n = (int) cbor_read_array(in, max);
	texts = palloc0(sizeof(char *) * (*n + 1));
	for (int i = 0; i < *n && in->error == NULL; i++)
	{
		if (nulls && cbor_read_null(in))
			continue;
		texts[i] = cbor_read_text(in, text_max);
	}
	return texts;
}

PlanTable *
plan_tables_read(CborReader *in, int *n)
{
	PlanTable  *tables;

	*n = (int) cbor_read_array(in, TABLES_MAX);
	tables = palloc0(sizeof(PlanTable) * (*n + 1));
	for (int i = 0; i < *n && in->error == NULL; i++)
	{
		PlanTable  *table = &tables[i];

		cbor_expect_array(in, 2);
		table->name = cbor_read_text(in, NAMEDATALEN - 1);
		table->ncolumns = (int) cbor_read_array(in, COLUMNS_MAX);
		table->columns = palloc0(sizeof(PlanColumn) * (table->ncolumns + 1));
		for (int j = 0; j < table->ncolumns && in->error == NULL; j++)
		{
			cbor_expect_array(in, 2);
			table->columns[j].name = cbor_read_text(in, NAMEDATALEN - 1);
			table->columns[j].type = cbor_read_text(in, 256);
		}
	}
	return tables;
}

static void
decode_keys(CborReader *in, CanonicalPlan *plan)
{
	plan->nkeys = (int) cbor_read_array(in, KEYS_MAX);
	plan->keys = palloc0(sizeof(PlanKey) * (plan->nkeys + 1));
	for (int i = 0; i < plan->nkeys && in->error == NULL; i++)
	{
		PlanKey    *key = &plan->keys[i];

		cbor_expect_array(in, 2);
		key->type = cbor_read_text(in, 256);
		key->values = plan_texts_read(in, DOMAIN_VALUES_MAX, true, 1024, &key->nvalues);
	}
}

static bool
is_vector(ComponentKind kind)
{
	return kind == COMPONENT_SUM_FLOAT_VECTOR || kind == COMPONENT_EVENT_COUNTS;
}

static uint64
width_max(ComponentKind kind)
{
	return kind == COMPONENT_EVENT_COUNTS ? ELEMENTS_MAX : VECTOR_SUMS_MAX;
}

/* What is behind the kind and the part. */
static void
decode_component(CborReader *in, CanonicalPlan *plan, int i, bool more)
{
	ComponentKind kind = plan->components[i];

	if (in->error != NULL)
		return;
	if (component_elements(kind, 1) == 0)
		in->error = "component of an unknown kind";
	else if (more != (is_vector(kind) || kind == COMPONENT_QUANTILES))
		in->error = "component with a number of sums that is not its kind's";
	else if (is_vector(kind))
		plan->widths[i] = (int) cbor_read_uint(in, width_max(kind));
	else if (kind == COMPONENT_QUANTILES)
	{
		plan->quantiles[i] = palloc(sizeof(QuantileSpec));
		quantile_read(in, plan->quantiles[i]);
		plan->widths[i] = quantile_elements(plan->quantiles[i]);
	}
	if (in->error == NULL && more && plan->widths[i] == 0)
		in->error = "component with a number of sums that is not its kind's";
}

/* Parts are numbered in the order in which components first use them. */
static void
decode_components(CborReader *in, CanonicalPlan *plan)
{
	plan->ncomponents = (int) cbor_read_array(in, COMPONENTS_MAX);
	plan->components = palloc0(sizeof(ComponentKind) * (plan->ncomponents + 1));
	plan->parts = palloc0(sizeof(int) * (plan->ncomponents + 1));
	plan->widths = palloc0(sizeof(int) * (plan->ncomponents + 1));
	plan->quantiles = palloc0(sizeof(QuantileSpec *) * (plan->ncomponents + 1));
	plan->nparts = 1;
	for (int i = 0; i < plan->ncomponents; i++)
	{
		uint64		fields = cbor_read_array(in, 3);

		plan->components[i] = (ComponentKind) cbor_read_uint(in, COMPONENT_KIND_MAX);
		plan->parts[i] = (int) cbor_read_uint(in, plan->nparts);
		if (plan->parts[i] == plan->nparts)
			plan->nparts++;
		if (fields < 2 && in->error == NULL)
			in->error = "component without a part";
		decode_component(in, plan, i, fields == 3);
	}
}

/* Counts of events are there for an estimate, and it has nothing besides. */
static const char *
estimate_fits(const CanonicalPlan *plan)
{
	bool		counts = plan->ncomponents == 1 && plan->components[0] == COMPONENT_EVENT_COUNTS;

	for (int i = 0; i < plan->ncomponents; i++)
		if (plan->components[i] == COMPONENT_EVENT_COUNTS && plan->estimate.program == 0)
			return "counts of events without a program of the parties";
	if (plan->estimate.program != 0 &&
		!(counts && plan->nparts == 1 && plan_width(plan, 0) == (int) estimate_inputs(&plan->estimate)))
		return "a program of the parties with other components than its own";
	return NULL;
}

bool
plan_decode(CanonicalPlan *plan, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	uint64		fields;

	memset(plan, 0, sizeof(*plan));
	cbor_start(&in, bytes, len);
	fields = cbor_read_array(&in, 7);
	if (fields < 6 && in.error == NULL)
		in.error = "holds a list of another length than expected";
	if (cbor_read_uint(&in, 1) != 1 && in.error == NULL)
		in.error = "plan of another version";
	plan->sql = cbor_read_text(&in, REQUEST_BYTES_MAX);
	plan->tables = plan_tables_read(&in, &plan->ntables);
	plan->param_types = plan_texts_read(&in, PARAMETERS_MAX, false, 256, &plan->nparams);
	decode_keys(&in, plan);
	decode_components(&in, plan);
	if (fields == 7)
		estimate_read(&in, &plan->estimate);
	if (in.error == NULL)
		in.error = estimate_fits(plan);

	*reason = NULL;
	if (!cbor_finish(&in))
		*reason = in.error ? in.error : "bytes after the plan";
	else if (plan_elements(plan) == 0 || plan_opened_elements(plan) == 0)
		*reason = "the answer would be too large";
	else if (plan_quantile_goals(plan) > QUANTILE_GOALS_MAX)
		*reason = "there would be too many quantiles";
	return *reason == NULL;
}

void
plan_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len)
{
	HashPart	parts[] = {{"secmed/plan/1", 14}, {bytes, len}};

	hash_parts(out, parts, lengthof(parts));
}

int
plan_width(const CanonicalPlan *plan, int component)
{
	return plan->widths ? plan->widths[component] : 0;
}

int
plan_opened_width(const CanonicalPlan *plan, int component)
{
	if (plan->estimate.program != 0)
		return (int) estimate_outputs(&plan->estimate, plan_cells(plan));
	return plan_width(plan, component);
}

const QuantileSpec *
plan_quantiles(const CanonicalPlan *plan, int component)
{
	return plan->quantiles ? plan->quantiles[component] : NULL;
}

size_t
plan_quantile_bytes(const CanonicalPlan *plan, int party)
{
	size_t		bytes = 0;

	for (int i = 0; i < plan->ncomponents; i++)
		if (plan_quantiles(plan, i))
			bytes += quantile_package_bytes(plan_quantiles(plan, i), plan_cells(plan), party);
	return bytes;
}

size_t
plan_quantile_goals(const CanonicalPlan *plan)
{
	size_t		goals = 0;

	for (int i = 0; i < plan->ncomponents; i++)
		if (plan_quantiles(plan, i))
			goals += plan_quantiles(plan, i)->nasked * plan_cells(plan);
	return goals;
}

size_t
plan_cells(const CanonicalPlan *plan)
{
	size_t		cells = 1;

	for (int i = 0; i < plan->nkeys; i++)
	{
		cells *= plan->keys[i].nvalues;
		if (cells > CELLS_MAX)
			return 0;
	}
	return cells;
}

size_t *
plan_key_sizes(const CanonicalPlan *plan)
{
	size_t	   *sizes = palloc(sizeof(size_t) * (plan->nkeys + 1));

	for (int i = 0; i < plan->nkeys; i++)
		sizes[i] = plan->keys[i].nvalues;
	return sizes;
}

PlanLayout
plan_layout(const CanonicalPlan *plan)
{
	PlanLayout	layout = {0};
	size_t	   *used = palloc0(sizeof(size_t) * plan->nparts);

	layout.part_start = palloc0(sizeof(size_t) * plan->nparts);
	layout.part_width = palloc0(sizeof(size_t) * plan->nparts);
	layout.component = palloc0(sizeof(size_t) * (plan->ncomponents + 1));

	for (int i = 0; i < plan->ncomponents; i++)
		layout.part_width[plan->parts[i]] += component_elements(plan->components[i], plan_width(plan, i));
	layout.part_width[0]++;		/* the mark */
	for (int part = 0; part < plan->nparts; part++)
	{
		layout.part_start[part] = layout.stride;
		layout.stride += 1 + layout.part_width[part];
	}
	layout.exists = layout.part_start[0] + layout.part_width[0];

	for (int i = 0; i < plan->ncomponents; i++)
	{
		int			part = plan->parts[i];

		layout.component[i] = layout.part_start[part] + 1 + used[part];
		used[part] += component_elements(plan->components[i], plan_width(plan, i));
	}
	pfree(used);
	return layout;
}

PlanLayout
plan_opened_layout(const CanonicalPlan *plan)
{
	PlanLayout	layout = {0};

	if (plan->estimate.program == 0)
		return plan_layout(plan);
	layout.part_start = palloc0(sizeof(size_t));
	layout.part_width = palloc0(sizeof(size_t));
	layout.component = palloc0(sizeof(size_t) * 2);
	layout.part_width[0] = estimate_outputs(&plan->estimate, plan_cells(plan)) + 1;
	layout.component[0] = 1;
	layout.exists = layout.part_width[0];
	layout.stride = 1 + layout.part_width[0];
	return layout;
}

size_t
plan_opened_elements(const CanonicalPlan *plan)
{
	size_t		elements = plan_cells(plan) * plan_stride(plan);

	if (plan->estimate.program != 0)
		elements = plan_cells(plan) * (2 + estimate_outputs(&plan->estimate, plan_cells(plan)));
	return elements <= ELEMENTS_MAX ? elements : 0;
}

size_t
plan_stride(const CanonicalPlan *plan)
{
	size_t		stride = plan->nparts + 1;

	for (int i = 0; i < plan->ncomponents; i++)
		stride += component_elements(plan->components[i], plan_width(plan, i));
	return stride;
}

size_t
plan_elements(const CanonicalPlan *plan)
{
	size_t		elements = plan_cells(plan) * plan_stride(plan);

	return elements <= ELEMENTS_MAX ? elements : 0;
}

PlanTable *
plan_table(const CanonicalPlan *plan, const char *name)
{
	for (int i = 0; i < plan->ntables; i++)
		if (strcmp(plan->tables[i].name, name) == 0)
			return &plan->tables[i];
	return NULL;
}

char *
plan_tables_text(const CanonicalPlan *plan, int max)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < plan->ntables; i++)
		appendStringInfo(&text, "%s%s", i ? ", " : "", plan->tables[i].name);
	if (text.len > max)
	{
		/* A byte 10xxxxxx continues a character of UTF-8. */
		while (max > 0 && (text.data[max] & 0xC0) == 0x80)
			max--;
		text.data[max] = '\0';
	}
	return text.data;
}

/* In the order of ComponentKind. */
static const char *const kind_words[] = {
	NULL, "count", "integer sum", "numeric sum", "numeric sum of squares",
	"floating-point sum", "floating-point sum of products", "interval sum",
	"bool_or", "bool_and", "floating-point sum of products of 3", "floating-point sum of products of 4",
	"vector of a regression's sums", "counts of events", "column's quantiles"
};

void
plan_describe(StringInfo out, const CanonicalPlan *plan)
{
	int			numbers[COMPONENT_KIND_MAX + 1] = {0};
	bool		any = false;

	if (plan->estimate.program)
	{
		appendStringInfoString(out, estimate_words(&plan->estimate));
		return;
	}

	for (int i = 0; i < plan->ncomponents; i++)
		numbers[plan->components[i]]++;
	for (int kind = 1; kind <= COMPONENT_KIND_MAX; kind++)
	{
		if (numbers[kind] == 0)
			continue;
		appendStringInfo(out, "%s%d x %s", any ? ", " : "", numbers[kind], kind_words[kind]);
		any = true;
	}
	if (!any)
		appendStringInfoString(out, "its existence");
}
