/*
 * noise_draft.c
 *	  The noise of a contract that is drafted.
 *
 * The bounds of a sum's argument follow from those of its columns by interval arithmetic over the
 * plan's SQL.  Nothing depends on their being right: what the sites clamp to is what the contract
 * says in the end, and the noise is measured by that.
 */
#include "postgres.h"

#include <math.h>

#include "base/error.h"
#include "fdw/json_terms.h"
#include "fdw/noise_draft.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

typedef struct Range
{
	double		low;
	double		high;
	int			scale;			/* decimal places */
} Range;

static void refuse(const char *what, const char *hint) pg_attribute_noreturn();

static void
refuse(const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_CONTRACT),
			 errmsg("noise can't be measured: %s", what),
			 hint ? errhint("%s", hint) : 0));
}

/* ---- what is given ---- */

static double
number_of(const char *what, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be numbers", what)));
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

static Range
range_of_column(JsonbContainer *bounds, const char *column)
{
	const char *what = psprintf("the bounds of column \"%s\"", column);
	JsonbValue *given = bounds ? json_get(bounds, column) : NULL;
	JsonbValue *numbers;
	Range		range = {0};
	int			n;

	if (given == NULL)
		refuse(psprintf("nobody has said between what the values of column \"%s\" are", column),
			   psprintf("noise => '{..., \"bounds\": {\"%s\": [least, largest, decimal places]}}'; other values count as the nearest of these.",
						column));
	n = json_list(what, json_container(what, given), &numbers);
	if (n < 2 || n > 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be [least, largest] or [least, largest, decimal places]", what)));
	range.low = number_of(what, &numbers[0]);
	range.high = number_of(what, &numbers[1]);
	if (n == 3)
		range.scale = (int) Min(json_number(what, &numbers[2], 0), NOISE_SCALE_MAX + 1);
	return range;
}

/* ---- interval arithmetic ---- */

static Range range_of(Node *node, JsonbContainer *bounds);

static Range
hull(Range a, Range b)
{
	return (Range) {Min(a.low, b.low), Max(a.high, b.high), Max(a.scale, b.scale)};
}

static Range
product(Range a, Range b)
{
	double		corners[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
	Range		range = {corners[0], corners[0], a.scale + b.scale};

	for (int i = 1; i < lengthof(corners); i++)
	{
		range.low = Min(range.low, corners[i]);
		range.high = Max(range.high, corners[i]);
	}
	return range;
}

/* x x is no product of two that may differ in sign. */
static Range
square(Range x)
{
	Range		range = product(x, x);

	range.low = x.low <= 0 && x.high >= 0 ? 0 : Min(x.low * x.low, x.high * x.high);
	return range;
}

static Range
range_of_product(Node *left, Node *right, JsonbContainer *bounds)
{
	Range		x = range_of(left, bounds);

	return equal(left, right) ? square(x) : product(x, range_of(right, bounds));
}

static Range
range_of_constant(const A_Const *constant)
{
	const char *digits;
	const char *point;
	double		value;

	if (constant->isnull)
		return (Range) {0};
	if (IsA(&constant->val, Integer))
		return (Range) {constant->val.ival.ival, constant->val.ival.ival, 0};
	if (!IsA(&constant->val, Float))
		refuse("a constant is no number", NULL);
	digits = constant->val.fval.fval;
	value = atof(digits);
	point = strchr(digits, '.');
	return (Range) {value, value, point ? (int) strspn(point + 1, "0123456789") : 0};
}

static Range
range_of_operation(const A_Expr *expr, JsonbContainer *bounds)
{
	const char *name = strVal(llast(expr->name));
	Range		x;
	Range		y;

	if (expr->kind != AEXPR_OP || strchr("+-*", name[0]) == NULL || name[1] != '\0')
		refuse(psprintf("the values of an expression with %s have no bounds", name),
			   "Sums may be of columns, and of what +, - and * make of them.");
	if (name[0] == '*')
		return range_of_product(expr->lexpr, expr->rexpr, bounds);
	x = expr->lexpr ? range_of(expr->lexpr, bounds) : (Range) {0};
	y = range_of(expr->rexpr, bounds);
	if (name[0] == '-')
		y = (Range) {-y.high, -y.low, y.scale};
	return (Range) {x.low + y.low, x.high + y.high, Max(x.scale, y.scale)};
}

static Range
range_of_case(const CaseExpr *expr, JsonbContainer *bounds)
{
	Range		range = expr->defresult ? range_of((Node *) expr->defresult, bounds) : (Range) {0};
	ListCell   *lc;

	foreach(lc, expr->args)
		range = hull(range, range_of((Node *) lfirst_node(CaseWhen, lc)->result, bounds));
	return range;
}

static Range
range_of(Node *node, JsonbContainer *bounds)
{
	switch (nodeTag(node))
	{
		case T_ColumnRef:
			return range_of_column(bounds, strVal(llast(((ColumnRef *) node)->fields)));
		case T_A_Const:
			return range_of_constant((A_Const *) node);
		case T_A_Expr:
			return range_of_operation((A_Expr *) node, bounds);
		case T_TypeCast:
			return range_of(((TypeCast *) node)->arg, bounds);
		case T_CaseExpr:
			return range_of_case((CaseExpr *) node, bounds);
		default:
			refuse("the values of an expression have no bounds", "Sums may be of columns, and of what +, -, * and CASE make of them.");
	}
}

/* ---- components ---- */

static NoiseBound
bound_of_range(Range range, bool whole)
{
	NoiseBound	bound = {.scale = whole ? 0 : range.scale};
	double		unit = pow(10, bound.scale);
	double		low = floor(range.low * unit);
	double		high = ceil(range.high * unit);

	if (bound.scale > NOISE_SCALE_MAX || !(fabs(low) <= NOISE_BOUND_MAX && fabs(high) <= NOISE_BOUND_MAX))
		refuse("the bounds of a value are too wide, or too fine", "Fewer decimal places, or narrower bounds, are less noise, too.");
	bound.low = (int64) low;
	bound.high = (int64) high;
	return bound;
}

static NoiseBound
bound_of_component(ComponentKind kind, FuncCall *call, JsonbContainer *bounds)
{
	Range		range;

	if (noise_number(kind) < 0)
		refuse("the question asks for an aggregate whose answer can't have noise",
			   "Noise is for count, sum, avg, variances, covariances and what is made of them, of numbers.");
	if (kind == COMPONENT_COUNT)
		return (NoiseBound) {0, 1, 0};
	range = list_length(call->args) == 2 ? range_of_product(linitial(call->args), lsecond(call->args), bounds) :
		range_of(linitial(call->args), bounds);
	return bound_of_range(range, kind == COMPONENT_SUM_INTEGER);
}

static void
read_bounds(Noise *noise, const CanonicalPlan *plan, JsonbContainer *bounds)
{
	List	   *statements = raw_parser(plan->sql, RAW_PARSE_DEFAULT);
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);

	noise->nbounds = plan->ncomponents;
	noise->bounds = palloc0(sizeof(NoiseBound) * (plan->ncomponents + 1));
	for (int i = 0; i < plan->ncomponents; i++)
	{
		ResTarget  *target = list_nth(select->targetList, plan->nkeys + i);

		noise->bounds[i] = bound_of_component(plan->components[i], castNode(FuncCall, target->val), bounds);
	}
}

static uint64
millionths(const JsonbValue *value)
{
	Datum		product;

	if (value == NULL || value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("noise needs a number \"rho\"")));
	product = DirectFunctionCall2(numeric_mul, NumericGetDatum(value->val.numeric), NumericGetDatum(int64_to_numeric(1000000)));
	return (uint64) Max(DatumGetInt64(DirectFunctionCall1(numeric_int8, product)), 0);
}

Noise *
noise_draft(JsonbContainer *json, const CanonicalPlan *plan)
{
	static const char *const keys[] = {"rho", "rows_max", "thresholds", "bounds", NULL};
	Noise	   *noise = palloc0(sizeof(Noise));
	JsonbValue *given = json_get(json, "bounds");

	json_keys("noise", json, keys);
	noise->rho = millionths(json_get(json, "rho"));
	noise->rows_max = json_number("rows_max", json_get(json, "rows_max"), 1);
	noise->thresholds = json_truth("thresholds", json_get(json, "thresholds"), true);
	if (plan->ncomponents > 0)
		read_bounds(noise, plan, given ? json_container("bounds", given) : NULL);
	return noise;
}
