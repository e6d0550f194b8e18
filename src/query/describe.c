/*
 * describe.c
 *	  What a site publishes, as a message, and the function that sends it.
 */
#include "postgres.h"

#include "base/cbor.h"
#include "fmgr.h"
#include "peer/served.h"
#include "query/deparse.h"
#include "query/describe.h"
#include "query/published.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(secmed_describe);

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
	cbor_array(out, 4);
	cbor_text(out, column->name);
	cbor_text(out, column->type);
	cbor_bool(out, column->not_null);
	if (column->nvalues < 0)
	{
		cbor_null(out);
		return;
	}
	cbor_array(out, column->nvalues);
	for (int i = 0; i < column->nvalues; i++)
		encode_text_or_null(out, column->values[i]);
}

static void
encode_table(StringInfo out, const DescribedTable *table)
{
	cbor_array(out, 5);
	cbor_text(out, table->name);
	encode_text_or_null(out, table->patient);
	cbor_uint(out, table->patients_min);
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
decode_column(CborReader *in, DescribedColumn *column)
{
	cbor_expect_array(in, 4);
	column->name = cbor_read_text(in, NAMEDATALEN - 1);
	column->type = cbor_read_text(in, 256);
	column->not_null = cbor_read_bool(in);
	column->nvalues = -1;
	if (cbor_read_null(in))
		return;
	column->nvalues = (int) cbor_read_array(in, DOMAIN_VALUES_MAX + 1);
	column->values = palloc0(sizeof(char *) * (column->nvalues + 1));
	for (int i = 0; i < column->nvalues && in->error == NULL; i++)
		if (!cbor_read_null(in))
			column->values[i] = cbor_read_text(in, 1024);
}

static void
decode_table(CborReader *in, DescribedTable *table)
{
	cbor_expect_array(in, 5);
	table->name = cbor_read_text(in, NAMEDATALEN - 1);
	if (!cbor_read_null(in))
		table->patient = cbor_read_text(in, NAMEDATALEN - 1);
	table->patients_min = cbor_read_uint(in, PG_INT32_MAX);
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

/* ---- this site ---- */

static char **
text_array(List *texts, int *n)
{
	char	  **array = palloc(sizeof(char *) * (list_length(texts) + 1));
	ListCell   *lc;

	*n = 0;
	foreach(lc, texts)
		array[(*n)++] = lfirst(lc);
	return array;
}

static DescribedColumn
describe_column(const PublishedColumn *column)
{
	DescribedColumn described = {column->name, NULL, column->not_null, -1, NULL};

	described.type = format_type_extended(column->type, column->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
	if (column->domain != NULL)
	{
		described.nvalues = column->domain->nvalues;
		described.values = column->domain->values;
	}
	return described;
}

static DescribedTable
describe_table(const Published *published)
{
	DescribedTable table = {published->name, published->patient, published->patients_min};
	ListCell   *lc;

	table.local_keys = text_array(published->local_keys, &table.nkeys);
	table.columns = palloc(sizeof(DescribedColumn) * (list_length(published->columns) + 1));
	foreach(lc, published->columns)
		table.columns[table.ncolumns++] = describe_column(lfirst(lc));
	return table;
}

Datum
secmed_describe(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);
	StringInfoData question;
	StringInfoData expected;
	StringInfoData answer;
	StringInfoData sealed;
	List	   *all;
	DescribedTable *tables;
	int			n = 0;
	bytea	   *result;
	ListCell   *lc;

	initStringInfo(&question);
	initStringInfo(&expected);
	initStringInfo(&answer);
	initStringInfo(&sealed);
	served_open(&question, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	question_encode(&expected);
	if (question.len != expected.len || memcmp(question.data, expected.data, expected.len) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", served_peer()->name)));

	all = published_all();
	tables = palloc(sizeof(DescribedTable) * (list_length(all) + 1));
	foreach(lc, all)
		if (n < DESCRIBED_TABLES_MAX)
			tables[n++] = describe_table(lfirst(lc));
	description_encode(&answer, tables, n);
	served_seal(&sealed, answer.data, answer.len);
	result = palloc(VARHDRSZ + sealed.len);
	SET_VARSIZE(result, VARHDRSZ + sealed.len);
	memcpy(VARDATA(result), sealed.data, sealed.len);
	PG_RETURN_BYTEA_P(result);
}
