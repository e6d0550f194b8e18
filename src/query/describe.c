/*
 * describe.c
 *	  secmed.describe: another node asks what this site publishes.
 */
#include "postgres.h"

#include "contract/describe.h"
#include "fmgr.h"
#include "peer/served.h"
#include "query/deparse.h"
#include "query/published.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(secmed_describe);

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
	described.uses = column->uses;
	described.bucket = column->bucket;
	described.class = column->class;
	return described;
}

static DescribedTable
describe_table(const Published *published)
{
	DescribedTable table = {published->name, published->patient, published->patients_min};
	ListCell   *lc;

	table.patient_unique = published->patient_unique;
	table.rows_max = published->rows_max;
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
