/*
 * describe.c
 *	  Bytes of what a site publishes.
 */
#include "contract/describe.h"

#include "base/cbor.h"

void
question_encode(StringInfo out)
{
	cbor_array(out, 1);
	cbor_text(out, "describe");
}

/* ---- encoding ---- */

static void
encode_text_or_null(StringInfo out, const char *text)
{
	if (text == NULL)
		cbor_null(out);
	else
		cbor_text(out, text);
}

static void
encode_column(StringInfo out, const DescribedColumn *column)
{
	cbor_array(out, 7);
	cbor_text(out, column->name);
	cbor_text(out, column->type);
	cbor_bool(out, column->not_null);
	if (column->nvalues < 0)
		cbor_null(out);
	else
		cbor_array(out, column->nvalues);
	for (int i = 0; i < column->nvalues; i++)
		encode_text_or_null(out, column->values[i]);
	cbor_uint(out, column->uses);
	encode_text_or_null(out, column->bucket);
	encode_text_or_null(out, column->class);
}

static void
encode_table(StringInfo out, const DescribedTable *table)
{
	cbor_array(out, 7);
	cbor_text(out, table->name);
	encode_text_or_null(out, table->patient);
	cbor_uint(out, table->patients_min);
	cbor_bool(out, table->patient_unique);
	cbor_uint(out, table->rows_max);
	cbor_array(out, table->nkeys);
	for (int i = 0; i < table->nkeys; i++)
		cbor_text(out, table->local_keys[i]);
	cbor_array(out, table->ncolumns);
	for (int i = 0; i < table->ncolumns; i++)
		encode_column(out, &table->columns[i]);
}

void
description_encode(StringInfo out, const DescribedTable *tables, int n)
{
	cbor_array(out, 2);
	cbor_text(out, "published");
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
		encode_table(out, &tables[i]);
}

/* ---- decoding ---- */

static void
decode_values(CborReader *in, DescribedColumn *column)
{
	column->nvalues = (int) cbor_read_array(in, DOMAIN_VALUES_MAX + 1);
	column->values = palloc0(sizeof(char *) * (column->nvalues + 1));
	for (int i = 0; i < column->nvalues && in->error == NULL; i++)
		if (!cbor_read_null(in))
			column->values[i] = cbor_read_text(in, 1024);
}

static void
decode_column(CborReader *in, DescribedColumn *column)
{
	cbor_expect_array(in, 7);
	column->name = cbor_read_text(in, NAMEDATALEN - 1);
	column->type = cbor_read_text(in, 256);
	column->not_null = cbor_read_bool(in);
	column->nvalues = -1;
	if (!cbor_read_null(in))
		decode_values(in, column);
	column->uses = (int) cbor_read_uint(in, DESCRIBED_USES_MAX);
	if (!cbor_read_null(in))
		column->bucket = cbor_read_text(in, DESCRIBED_WORD_MAX);
	if (!cbor_read_null(in))
		column->class = cbor_read_text(in, DESCRIBED_WORD_MAX);
}

static void
decode_table(CborReader *in, DescribedTable *table)
{
	cbor_expect_array(in, 7);
	table->name = cbor_read_text(in, NAMEDATALEN - 1);
	if (!cbor_read_null(in))
		table->patient = cbor_read_text(in, NAMEDATALEN - 1);
	table->patients_min = cbor_read_uint(in, PG_INT32_MAX);
	table->patient_unique = cbor_read_bool(in);
	table->rows_max = cbor_read_uint(in, PG_INT32_MAX);
	table->nkeys = (int) cbor_read_array(in, DESCRIBED_COLUMNS_MAX);
	table->local_keys = palloc0(sizeof(char *) * (table->nkeys + 1));
	for (int i = 0; i < table->nkeys && in->error == NULL; i++)
		table->local_keys[i] = cbor_read_text(in, NAMEDATALEN - 1);
	table->ncolumns = (int) cbor_read_array(in, DESCRIBED_COLUMNS_MAX);
	table->columns = palloc0(sizeof(DescribedColumn) * (table->ncolumns + 1));
	for (int i = 0; i < table->ncolumns && in->error == NULL; i++)
		decode_column(in, &table->columns[i]);
}

bool
description_decode(DescribedTable **tables, int *n, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	if (strcmp(cbor_read_text(&in, 16), "published") != 0 && in.error == NULL)
		in.error = "message of another kind than expected";
	*n = (int) cbor_read_array(&in, DESCRIBED_TABLES_MAX);
	*tables = palloc0(sizeof(DescribedTable) * (*n + 1));
	for (int i = 0; i < *n && in.error == NULL; i++)
		decode_table(&in, &(*tables)[i]);
	*reason = NULL;
	if (!cbor_finish(&in))
		*reason = in.error ? in.error : "bytes after the message";
	return *reason == NULL;
}
