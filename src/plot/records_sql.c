/*
 * records_sql.c
 *	  Rows of any type, by the names of their columns.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "plot/records_sql.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* More steps than a curve on paper has. */
#define PLOT_ROWS_MAX	100000

static void
check_one_type(const PlotRecords *rows)
{
	HeapTupleHeader first = DatumGetHeapTupleHeader(rows->records[0]);

	for (int i = 1; i < rows->n; i++)
	{
		HeapTupleHeader other = DatumGetHeapTupleHeader(rows->records[i]);

		if (HeapTupleHeaderGetTypeId(other) != HeapTupleHeaderGetTypeId(first) ||
			HeapTupleHeaderGetTypMod(other) != HeapTupleHeaderGetTypMod(first))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the rows of a plot must be of one type")));
	}
}

PlotRecords
records_of_array(ArrayType *array)
{
	PlotRecords	rows = {0};
	bool	   *nulls;
	int			n;
	HeapTupleHeader first;

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &rows.records, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			rows.records[rows.n++] = rows.records[i];
	if (rows.n < 1 || rows.n > PLOT_ROWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a plot is of 1 to %d rows, not of %d", PLOT_ROWS_MAX, rows.n)));
	check_one_type(&rows);
	first = DatumGetHeapTupleHeader(rows.records[0]);
	rows.desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(first), HeapTupleHeaderGetTypMod(first));
	return rows;
}

int
records_find(const PlotRecords *rows, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < rows->desc->natts; j++)
		{
			Form_pg_attribute attribute = TupleDescAttr(rows->desc, j);

			if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), names[i]) == 0)
				return j + 1;
		}
	return 0;
}

int
records_column(const PlotRecords *rows, const char *name)
{
	int			column = records_find(rows, &name, 1);

	if (column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the rows of this plot need a column \"%s\"", name)));
	return column;
}

static Datum
value_at(const PlotRecords *rows, int row, int column, bool *isnull)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(rows->records[row]);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_data = header};

	return heap_getattr(&tuple, column, rows->desc, isnull);
}

double
records_number(const PlotRecords *rows, int row, int column)
{
	bool		isnull = true;
	Datum		value = column > 0 ? value_at(rows, row, column, &isnull) : (Datum) 0;

	if (isnull)
		return NAN;
	switch (TupleDescAttr(rows->desc, column - 1)->atttypid)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT2OID:
			return DatumGetInt16(value);
		case BOOLOID:
			return DatumGetBool(value);
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of a plot must be a number", NameStr(TupleDescAttr(rows->desc, column - 1)->attname))));
}

char *
records_text(const PlotRecords *rows, int row, int column)
{
	bool		isnull = true;
	Datum		value = column > 0 ? value_at(rows, row, column, &isnull) : (Datum) 0;
	Oid			function;
	bool		varlena;

	if (isnull)
		return NULL;
	getTypeOutputInfo(TupleDescAttr(rows->desc, column - 1)->atttypid, &function, &varlena);
	return OidOutputFunctionCall(function, value);
}
