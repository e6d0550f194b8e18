/*
 * source.c
 *	  Bytes of what sites are asked to share.
 */
#include "oblivious/source.h"

#include "oblivious/plan.h"

int
source_parts(const InputSource *source)
{
	int			parts = 1;

	for (int i = 0; i < source->naggregates; i++)
		parts = Max(parts, source->aggregates[i].part + 1);
	return parts;
}

void
source_encode(StringInfo out, const InputSource *source)
{
	cbor_array(out, 5);
	cbor_uint(out, source->rows);
	cbor_text(out, source->sql);
	plan_tables_encode(out, source->tables, source->ntables);
	plan_texts_encode(out, source->param_types, source->nparams);
	if (!source->grouped)
	{
		cbor_null(out);
		return;
	}
	cbor_array(out, source->naggregates);
	for (int i = 0; i < source->naggregates; i++)
	{
		cbor_array(out, 2);
		cbor_uint(out, source->aggregates[i].kind);
		cbor_uint(out, source->aggregates[i].part);
	}
}

static bool
merges(uint64 kind)
{
	switch (kind)
	{
		case PLAN_AGGREGATE_SUM:
		case PLAN_AGGREGATE_MIN:
		case PLAN_AGGREGATE_MAX:
		case PLAN_AGGREGATE_BOOL_AND:
		case PLAN_AGGREGATE_BOOL_OR:
			return true;
		default:
			return false;
	}
}

static void
read_aggregates(CborReader *in, InputSource *source)
{
	int			parts = 1;

	source->grouped = true;
	source->naggregates = (int) cbor_read_array(in, RELATION_COLUMNS_MAX);
	source->aggregates = palloc0(sizeof(SourceAggregate) * (source->naggregates + 1));
	for (int i = 0; i < source->naggregates && in->error == NULL; i++)
	{
		SourceAggregate *aggregate = &source->aggregates[i];

		cbor_expect_array(in, 2);
		aggregate->kind = (int) cbor_read_uint(in, PLAN_AGGREGATE_KIND_MAX);
		aggregate->part = (int) cbor_read_uint(in, parts);
		if (aggregate->part == parts)
			parts++;
		if (in->error == NULL && !merges(aggregate->kind))
			in->error = "groups of sites that can't be merged";
	}
}

InputSource *
source_read(CborReader *in)
{
	InputSource *source = palloc0(sizeof(InputSource));

	cbor_expect_array(in, 5);
	source->rows = cbor_read_uint(in, RELATION_ROWS_MAX);
	source->sql = cbor_read_text(in, REQUEST_BYTES_MAX);
	source->tables = plan_tables_read(in, &source->ntables);
	source->param_types = plan_texts_read(in, PARAMETERS_MAX, false, 256, &source->nparams);
	if (!cbor_read_null(in))
		read_aggregates(in, source);
	if (in->error == NULL && (source->rows == 0 || source->rows % SITE_ROWS_STEP != 0))
		in->error = "rows of a site that are no whole words";
	return source;
}
