/*
 * contract_values.c
 *	  Values of a contract's parameters: what their bounds allow.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "govern/contract_values.h"
#include "parser/parse_type.h"
#include "peer/transmission.h"
#include "share/secret.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* ---- types ---- */

/* Of an array its element's. */
static Oid
element_type(Oid type)
{
	Oid			element = get_element_type(type);

	return OidIsValid(element) ? element : type;
}

static FmgrInfo *
comparison_of(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(element_type(type), TYPECACHE_CMP_PROC_FINFO);

	return OidIsValid(entry->cmp_proc_finfo.fn_oid) ? &entry->cmp_proc_finfo : NULL;
}

Oid
contract_type(const char *type)
{
	int			level = transmission_settings();
	Oid			oid;
	int32		typmod;

	parseTypeString(type, &oid, &typmod, false);
	AtEOXact_GUC(true, level);
	if (typmod >= 0 || oid >= FirstNormalObjectId || get_typtype(element_type(oid)) != TYPTYPE_BASE ||
		comparison_of(oid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a parameter of a contract can't be of type %s", type),
				 errhint("Use one of PostgreSQL's own types whose values can be compared, or a list of one, without a length.")));
	return oid;
}

char *
contract_type_name(Oid type)
{
	int			level = transmission_settings();
	char	   *name = format_type_be_qualified(type);

	AtEOXact_GUC(true, level);
	return name;
}

/* ---- values ---- */

/* Under transmission_settings(). */
static Datum
datum_of(Oid type, const char *value)
{
	Oid			input,
				ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, (char *) value, ioparam, -1);
}

static char *
text_of(Oid type, Datum value)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

Datum
contract_value_datum(Oid type, const char *value)
{
	int			level = transmission_settings();
	Datum		datum = datum_of(type, value);

	AtEOXact_GUC(true, level);
	return datum;
}

char *
contract_value_text(Oid type, Datum value)
{
	int			level = transmission_settings();
	char	   *text = text_of(type, value);

	AtEOXact_GUC(true, level);
	return text;
}

char *
contract_value_normal(Oid type, const char *value)
{
	return contract_value_text(type, contract_value_datum(type, value));
}

static int
compare_values(Oid type, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(comparison_of(type), C_COLLATION_OID, a, b));
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* ---- bounds ---- */

void
contract_bounds_normalize(ContractParameter *param)
{
	Oid			type = element_type(contract_type(param->type));

	if (param->min != NULL && param->max != NULL)
	{
		param->min = contract_value_normal(type, param->min);
		param->max = contract_value_normal(type, param->max);
		if (compare_values(type, contract_value_datum(type, param->min), contract_value_datum(type, param->max)) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the smallest value of parameter \"%s\" is larger than the largest", param->name)));
	}
	for (int i = 0; i < param->nvalues; i++)
		param->values[i] = contract_value_normal(type, param->values[i]);
	qsort(param->values, param->nvalues, sizeof(char *), compare_texts);
}

static char *
element_problem(const ContractParameter *param, Oid type, Datum value)
{
	char	   *text = text_of(type, value);
	const char *key = text;

	if (param->min != NULL)
	{
		if (compare_values(type, value, datum_of(type, param->min)) >= 0 &&
			compare_values(type, value, datum_of(type, param->max)) <= 0)
			return NULL;
		return psprintf("\"%s\" is %s, and not from %s to %s", param->name, text, param->min, param->max);
	}
	if (param->nvalues == 0 ||
		bsearch(&key, param->values, param->nvalues, sizeof(char *), compare_texts) != NULL)
		return NULL;
	return psprintf("\"%s\" is %s, which is not among its %d values", param->name, text, param->nvalues);
}

static char *
array_problem(const ContractParameter *param, Oid type, Datum value)
{
	Oid			element = get_element_type(type);
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *items;
	bool	   *nulls;
	int			n;
	int16		len;
	bool		byval;
	char		align;

	if (ARR_NDIM(array) > 1)
		return psprintf("\"%s\" is a list of lists", param->name);
	get_typlenbyvalalign(element, &len, &byval, &align);
	deconstruct_array(array, element, len, byval, align, &items, &nulls, &n);
	if (n > param->items_max)
		return psprintf("\"%s\" lists %d values, and not at most " UINT64_FORMAT, param->name, n, param->items_max);
	for (int i = 0; i < n; i++)
	{
		char	   *problem = nulls[i] ? psprintf("\"%s\" lists a NULL", param->name) :
			element_problem(param, element, items[i]);

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

char *
contract_value_problem(const ContractParameter *param, const char *value)
{
	Oid			type = contract_type(param->type);
	char	   *problem;
	Datum		datum;
	int			level;

	if (value == NULL)
		return param->null_allowed ? NULL : psprintf("\"%s\" is NULL", param->name);
	level = transmission_settings();
	datum = datum_of(type, value);
	problem = OidIsValid(get_element_type(type)) ? array_problem(param, type, datum) : element_problem(param, type, datum);
	AtEOXact_GUC(true, level);
	return problem;
}

/* ---- values of shared tables ---- */

static int64
number_of(const char *value)
{
	char	   *end;
	int64		number;

	errno = 0;
	number = strtoi64(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("a parameter of the request is not of its type")));
	return number;
}

char *
contract_value_of_shared(const ContractParameter *param, const char *value)
{
	Oid			type = contract_type(param->type);

	if (value == NULL)
		return NULL;
	switch (type)
	{
		case BOOLOID:
			return contract_value_text(type, BoolGetDatum(number_of(value) != 0));
		case DATEOID:
			return contract_value_text(type, DateADTGetDatum((DateADT) number_of(value)));
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return contract_value_text(type, TimestampTzGetDatum(number_of(value)));
		case FLOAT4OID:
			return contract_value_text(type, Float4GetDatum((float4) secret_to_double(number_of(value))));
		case FLOAT8OID:
			return contract_value_text(type, Float8GetDatum(secret_to_double(number_of(value))));
		default:
			return pstrdup(value);
	}
}
