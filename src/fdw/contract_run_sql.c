/*
 * contract_run_sql.c
 *	  secmed.run(): a contract's question with values for its parameters.
 *
 * The contract's own text is planned over this node's foreign tables; the plan must be, byte by
 * byte, the one in the contract.  Sites see nothing of the text, only plan and values.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "fdw/contract_query.h"
#include "fdw/json_terms.h"
#include "fmgr.h"
#include "funcapi.h"
#include "govern/contract_values.h"
#include "miscadmin.h"
#include "query/scan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(secmed_run);

/* ---- values ---- */

static Datum
array_value(const ContractParameter *param, Oid type, JsonbValue *json)
{
	const char *what = psprintf("parameter \"%s\"", param->name);
	Oid			element = get_element_type(type);
	JsonbValue *elements;
	int			n = json_list(what, json_container(what, json), &elements);
	Datum	   *values = palloc(sizeof(Datum) * (n + 1));
	bool	   *nulls = palloc0(sizeof(bool) * (n + 1));
	int			dims[] = {n};
	int			bounds[] = {1};
	int16		len;
	bool		byval;
	char		align;

	for (int i = 0; i < n; i++)
	{
		char	   *text = json_text(what, &elements[i]);

		nulls[i] = text == NULL;
		values[i] = text ? contract_value_datum(element, text) : (Datum) 0;
	}
	get_typlenbyvalalign(element, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, bounds, element, len, byval, align));
}

static void
fill_value(ParamExternData *value, const ContractParameter *param, JsonbValue *json)
{
	Oid			type = contract_type(param->type);
	char	   *text;
	char	   *problem;

	value->ptype = type;
	value->isnull = json->type == jbvNull;
	if (!value->isnull && OidIsValid(get_element_type(type)))
		value->value = array_value(param, type, json);
	else if (!value->isnull)
		value->value = contract_value_datum(type, json_text(psprintf("parameter \"%s\"", param->name), json));
	text = value->isnull ? NULL : contract_value_text(type, value->value);
	problem = contract_value_problem(param, text);
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("the contract does not allow this value"),
				 errdetail("Parameter %s.", problem)));
}

static char *
parameter_names(const Contract *contract)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < contract->nparams; i++)
		appendStringInfo(&names, "%s\"%s\" (%s)", i ? ", " : "", contract->params[i].name, contract->params[i].type);
	return names.data;
}

static ParamListInfo
read_values(const Contract *contract, JsonbContainer *json)
{
	ParamListInfo params = makeParamList(contract->nparams);
	char	  **keys;
	JsonbValue *values;
	int			n = json_pairs("parameters", json, &keys, &values);

	memset(params->params, 0, contract->nparams * sizeof(ParamExternData));
	for (int i = 0; i < n; i++)
	{
		int			at = contract_parameter(contract, keys[i]);

		if (at < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_PARAMETER),
					 errmsg("contract \"%s\" has no parameter \"%s\"", contract->name, keys[i]),
					 contract->nparams ? errhint("It has %s.", parameter_names(contract)) : 0));
		fill_value(&params->params[at], &contract->params[at], &values[i]);
	}
	for (int i = 0; i < contract->nparams; i++)
		if (!OidIsValid(params->params[i].ptype))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_PARAMETER),
					 errmsg("parameter \"%s\" of contract \"%s\" has no value", contract->params[i].name, contract->name),
					 errhint("secmed.run('%s', '{\"%s\": ...}'); it has %s.", contract->name, contract->params[i].name,
							 parameter_names(contract))));
	return params;
}

/* ---- rows ---- */

/* "AS t(sex text, n bigint)" */
static char *
columns_text(TupleDesc desc)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&text, "%s%s %s", i ? ", " : "", quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)),
						 format_type_be(TupleDescAttr(desc, i)->atttypid));
	return text.data;
}

static void
check_columns(const Contract *contract, TupleDesc given, TupleDesc wanted)
{
	bool		same = given->natts == wanted->natts;

	for (int i = 0; same && i < given->natts; i++)
		same = TupleDescAttr(given, i)->atttypid == TupleDescAttr(wanted, i)->atttypid;
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("contract \"%s\" gives other columns than the query expects", contract->name),
				 errhint("SELECT * FROM secmed.run('%s', ...) AS t(%s);", contract->name, columns_text(given))));
}

static void
execute(const StoredContract *stored, const ContractQuestion *question, ParamListInfo params, ReturnSetInfo *result)
{
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);
	QueryDesc  *query;

	SetTuplestoreDestReceiverParams(dest, result->setResult, result->econtext->ecxt_per_query_memory, false, NULL, NULL);
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
	query = CreateQueryDesc(question->planned, stored->contract.query, GetActiveSnapshot(), InvalidSnapshot, dest, params,
							NULL, 0);
	ExecutorStart(query, 0);
	check_columns(&stored->contract, query->tupDesc, result->setDesc);
	ExecutorRun(query, ForwardScanDirection, 0, true);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	PopActiveSnapshot();
}

Datum
secmed_run(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	StoredContract *stored = palloc0(sizeof(StoredContract));
	ContractQuestion question;
	ParamListInfo params;
	Oid		   *types;

	require_analyst();
	contract_require(stored, name);
	types = palloc(sizeof(Oid) * (stored->contract.nparams + 1));
	for (int i = 0; i < stored->contract.nparams; i++)
		types[i] = contract_type(stored->contract.params[i].type);
	params = read_values(&stored->contract, &PG_GETARG_JSONB_P(1)->root);
	contract_query_plan(&question, stored->contract.query, types, stored->contract.nparams, stored);
	if (!question.contract.any)
		contract_refuse_instance(&stored->contract);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	execute(stored, &question, params, (ReturnSetInfo *) fcinfo->resultinfo);
	PG_RETURN_NULL();
}
