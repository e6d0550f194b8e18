/*
 * quantile.c
 *	  percentile_disc and percentile_cont over several sites.
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "query/quantile.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* One aggregate call being taken apart. */
typedef struct Call
{
	ComponentSet *set;
	Aggref	   *agg;
	Node	   *arg;			/* the column, without a cast that percentile_cont needs */
	bool		continuous;
	SecretType	type;
	Final	   *final;
	char	  **reason;
	char	  **hint;
} Call;

static bool
refuse(Call *call, char *reason, char *hint)
{
	*call->reason = reason;
	*call->hint = hint;
	return false;
}

bool
is_percentile(const Aggref *agg)
{
	const char *name = get_func_name(agg->aggfnoid);

	return agg->aggkind == AGGKIND_ORDERED_SET && get_func_namespace(agg->aggfnoid) == PG_CATALOG_NAMESPACE &&
		(strcmp(name, "percentile_disc") == 0 || strcmp(name, "percentile_cont") == 0);
}

bool
percentile_ratio(double fraction, int *numerator, int *denominator)
{
	if (!(fraction >= 0 && fraction <= 1))
		return false;
	for (*denominator = 1; *denominator <= PERCENTILE_DENOMINATOR_MAX; ++*denominator)
	{
		*numerator = (int) rint(fraction * *denominator);
		if ((double) *numerator / *denominator == fraction)
			return true;
	}
	return false;
}

Node *
percentile_argument(Node *arg)
{
	FuncExpr   *cast = (FuncExpr *) arg;

	if (IsA(arg, FuncExpr) && cast->funcresulttype == FLOAT8OID && cast->funcid < FirstNormalObjectId &&
		cast->funcformat == COERCE_IMPLICIT_CAST && list_length(cast->args) == 1)
		return linitial(cast->args);
	return arg;
}

/* ---- what is asked ---- */

/* Fractions of the call: one, or those of an array. */
static bool
read_fractions(Call *call, Datum **fractions, int *n, bool *array)
{
	Const	   *given = list_length(call->agg->aggdirectargs) == 1 ? linitial(call->agg->aggdirectargs) : NULL;
	bool	   *nulls;

	if (given == NULL || !IsA(given, Const) || given->constisnull)
		return refuse(call, "the fraction of a percentile must be a constant", NULL);
	*array = given->consttype == FLOAT8ARRAYOID;
	if (!*array)
	{
		*n = 1;
		*fractions = &given->constvalue;
		return given->consttype == FLOAT8OID || refuse(call, "the fraction of a percentile must be a constant", NULL);
	}
	if (ARR_NDIM(DatumGetArrayTypeP(given->constvalue)) != 1)
		return refuse(call, "the fractions of a percentile must be a list", NULL);
	deconstruct_array(DatumGetArrayTypeP(given->constvalue), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  fractions, &nulls, n);
	for (int i = 0; i < *n; i++)
		if (nulls[i])
			return refuse(call, "the fraction of a percentile must not be NULL", NULL);
	return true;
}

static bool
read_asked(Call *call, double fraction, QuantileAsked *asked)
{
	asked->form = !call->continuous ? QUANTILE_DISC : call->type.kind == SECRET_FLOAT ? QUANTILE_NEIGHBOURS : QUANTILE_CONT;
	if (percentile_ratio(fraction, &asked->numerator, &asked->denominator))
		return true;
	return refuse(call, psprintf("%g is not a fraction of at most %d parts", fraction, PERCENTILE_DENOMINATOR_MAX),
				  "Write it with fewer digits.");
}

/* Of its component, one that is asked already. */
static int
find_asked(const QuantileSpec *spec, const QuantileAsked *asked)
{
	for (int i = 0; i < spec->nasked; i++)
		if (spec->asked[i].form == asked->form && spec->asked[i].numerator == asked->numerator &&
			spec->asked[i].denominator == asked->denominator)
			return i;
	return -1;
}

static bool
add_asked(Call *call, Component *component)
{
	QuantileSpec *spec = component->quantiles;
	Datum	   *fractions;
	bool		array;
	int			n;

	if (!read_fractions(call, &fractions, &n, &array))
		return false;
	for (int i = 0; i < n; i++)
	{
		QuantileAsked asked;

		if (!read_asked(call, DatumGetFloat8(fractions[i]), &asked))
			return false;
		call->final->asked = find_asked(spec, &asked);
		if (!array && call->final->asked >= 0)
			return true;
		if (spec->nasked == QUANTILES_MAX)
			return refuse(call, psprintf("more than %d percentiles of a column", QUANTILES_MAX), NULL);
		spec->asked[spec->nasked++] = asked;
	}
	call->final->asked = spec->nasked - n;
	call->final->nasked = array ? n : 0;
	return n > 0 || refuse(call, "no percentile is asked for", NULL);
}

/* ---- the component ---- */

static Component *
add_component(Call *call)
{
	Deparser   *deparser = call->set->deparser;
	char	   *words = psprintf("%s%s", deparse_for_people(deparser, (Node *) call->agg),
								 call->continuous && call->type.kind == SECRET_FLOAT ?
								 " (both neighbours, and how far it is between them)" : "");
	char	   *sql = deparse_site_expression(deparser, call->arg, call->reason);
	char	   *filter = NULL;
	Component  *component;
	int			at;

	if (sql != NULL && call->agg->aggfilter != NULL)
		filter = deparse_site_expression(deparser, (Node *) call->agg->aggfilter, call->reason);
	if (sql == NULL || (filter == NULL && call->agg->aggfilter != NULL))
		return NULL;
	sql = psprintf("secmed.all_values(%s, %d)%s", sql, call->type.scale,
				   filter ? psprintf(" FILTER (WHERE %s)", filter) : "");
	at = component_add(call->set,
					   support_of_aggregate(call->agg, COMPONENT_QUANTILES, ALL_ARGUMENTS, call->set->never_null, call->set->arg),
					   COMPONENT_QUANTILES, sql, words);
	component = list_nth(call->set->components, at);
	call->final->components[0] = at;
	component->arg = call->arg;
	if (component->quantiles == NULL)
	{
		component->quantiles = palloc0(sizeof(QuantileSpec));
		component->quantiles->type = call->type;
	}
	else if (strstr(component->what, words) == NULL)
		component->what = psprintf("%s, %s", component->what, words);
	return component;
}

static bool
check_order(Call *call)
{
	SortGroupClause *order = list_length(call->agg->aggorder) == 1 ? linitial(call->agg->aggorder) : NULL;

	if (order == NULL || strcmp(get_opname(order->sortop), "<") != 0)
		return refuse(call, "a percentile in descending order is not available", "Ask for 1 minus the fraction, ascending.");
	return true;
}

bool
quantile_decompose(ComponentSet *set, Aggref *agg, Final *final, char **reason, char **hint)
{
	Call		call = {.set = set, .agg = agg, .final = final, .reason = reason, .hint = hint};
	Component  *component;

	call.arg = percentile_argument((Node *) linitial_node(TargetEntry, agg->args)->expr);
	call.continuous = strcmp(get_func_name(agg->aggfnoid), "percentile_cont") == 0;
	final->kind = FINAL_QUANTILE;
	if (!check_order(&call))
		return false;
	if (!set->number_type(call.arg, &call.type, hint, set->arg))
		return refuse(&call, psprintf("values of %s can't be shared as numbers", deparse_for_people(set->deparser, call.arg)), *hint);
	component = add_component(&call);
	return component != NULL && add_asked(&call, component);
}

/* ---- results ---- */

static Datum
exact_number(const SecretType *type, Oid sql_type, int64 number)
{
	char		text[SECRET_DECIMAL_BYTES];

	switch (sql_type)
	{
		case INT2OID:
			return Int16GetDatum((int16) number);
		case INT4OID:
			return Int32GetDatum((int32) number);
		case INT8OID:
			return Int64GetDatum(number);
		case DATEOID:
			return DateADTGetDatum((DateADT) number);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return TimestampGetDatum(number);
		case FLOAT4OID:
			return Float4GetDatum((float4) quantile_to_double(number));
		case NUMERICOID:
			secret_to_decimal(text, number, type->scale);
			return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		default:
			elog(ERROR, "no quantile is of type %u", sql_type);
	}
}

static Datum
one_result(const QuantileSpec *spec, int which, const uint128 *elements, Oid sql_type)
{
	if (sql_type == FLOAT8OID)
		return Float8GetDatum(quantile_value(spec, which, elements));
	return exact_number(&spec->type, sql_type, quantile_number(spec, which, elements));
}

static Datum
array_result(const Final *final, const ComponentTotal *total, Oid element)
{
	Datum	   *values = palloc(sizeof(Datum) * final->nasked);
	bool	   *nulls = palloc(sizeof(bool) * final->nasked);
	int			dims[1] = {final->nasked};
	int			lower[1] = {1};
	int16		len;
	bool		byval;
	char		align;

	for (int i = 0; i < final->nasked; i++)
	{
		nulls[i] = !quantile_is_shown(total->asked, final->asked + i, total->quantiles);
		values[i] = nulls[i] ? (Datum) 0 : one_result(total->asked, final->asked + i, total->quantiles, element);
	}
	get_typlenbyvalalign(element, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lower, element, len, byval, align));
}

Datum
quantile_result(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *total = &totals[final->components[0]];

	*isnull = !total->present;
	if (*isnull)
		return (Datum) 0;
	if (final->nasked > 0)
		return array_result(final, total, get_element_type(final->type));
	*isnull = !quantile_is_shown(total->asked, final->asked, total->quantiles);
	return *isnull ? (Datum) 0 : one_result(total->asked, final->asked, total->quantiles, final->type);
}

int
quantile_withheld(const Final *final, const ComponentTotal *totals)
{
	const ComponentTotal *total = &totals[final->components[0]];
	int			withheld = 0;

	for (int i = 0; total->present && i < Max(1, final->nasked); i++)
		withheld += !quantile_is_shown(total->asked, final->asked + i, total->quantiles);
	return withheld;
}
