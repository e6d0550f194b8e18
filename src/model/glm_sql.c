/*
 * glm_sql.c
 *	  secmed.glm_model(): a regression by formula, over local tables and
 *	  federations alike.
 *
 * It runs as its caller, who needs the rights on the relation.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "compute/progress.h"
#include "model/ask.h"
#include "query/submission.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(secmed_glm_model);

/* Arguments, in their order. */
enum
{
	ARG_FORMULA, ARG_RELATION, ARG_FAMILY, ARG_WHERE, ARG_WEIGHTS, ARG_RIDGE, ARG_ERRORS, ARG_LEVELS,
	ARG_ITERATIONS, ARG_EPSILON, ARG_CONF_LEVEL
};

/* ---- arguments ---- */

static char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static void
require_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s can't be NULL", name)));
}

static void
refuse_argument(const char *name, const char *rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %s", name, rule)));
}

static GlmErrors
errors_of_name(const char *name)
{
	static const char *const names[] = {"model", "HC0", "HC1", "HC2", "HC3"};

	for (int i = 0; i < lengthof(names); i++)
		if (pg_strcasecmp(name, names[i]) == 0)
			return (GlmErrors) i;
	refuse_argument("errors", "are model, HC0, HC1, HC2 or HC3");
	return ERRORS_MODEL;
}

static void
read_options(FunctionCallInfo fcinfo, GlmModel *model)
{
	static const char *const names[] = {"formula", "relation", "family", NULL, NULL, "ridge", "errors", NULL,
	"max_iterations", "epsilon", "conf_level"};

	for (int i = 0; i < lengthof(names); i++)
		if (names[i])
			require_argument(fcinfo, i, names[i]);
	model->family = family_of_name(text_argument(fcinfo, ARG_FAMILY));
	if (model->family == 0)
		refuse_argument("family", "is gaussian, binomial, poisson or negative_binomial");
	model->ridge = PG_GETARG_FLOAT8(ARG_RIDGE);
	if (!(model->ridge >= 0) || isinf(model->ridge))
		refuse_argument("ridge", "is a number from 0 on");
	model->errors = errors_of_name(text_argument(fcinfo, ARG_ERRORS));
	if (model->ridge > 0 && model->errors != ERRORS_MODEL)
		refuse_argument("errors", "of a ridge regression are those of the model");
	if (model->ridge > 0 && model->family == FAMILY_NEGATIVE_BINOMIAL)
		refuse_argument("ridge", "is not available for negative_binomial");
	model->iterations_max = PG_GETARG_INT32(ARG_ITERATIONS);
	if (model->iterations_max < 1 || model->iterations_max > 1000)
		refuse_argument("max_iterations", "is from 1 to 1000");
	model->epsilon = PG_GETARG_FLOAT8(ARG_EPSILON);
	if (!(model->epsilon > 0 && model->epsilon < 1))
		refuse_argument("epsilon", "is between 0 and 1");
	model->conf_level = PG_GETARG_FLOAT8(ARG_CONF_LEVEL);
	if (!(model->conf_level > 0 && model->conf_level < 1))
		refuse_argument("conf_level", "is between 0 and 1");
}

/* ---- what can go wrong with a fit ---- */

/* Of rows and values; the first pass finds them. */
static void
raise_of_rows(const char *outcome, const GlmModel *model, GlmProblem problem)
{
	if (problem == GLM_NO_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are no rows with a weight above zero")));
	if (problem == GLM_VALUE_NOT_FINITE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a variable has values that are infinite, NaN, or beyond 1e48"),
				 errhint("Leave such rows out with the argument \"where\".")));
	if (problem == GLM_OUTCOME_IMPOSSIBLE)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 model->family == FAMILY_BINOMIAL ?
				 errmsg("outcome %s of a binomial model has values that are not between 0 and 1", outcome) :
				 errmsg("outcome %s of a %s model has negative values", outcome, family_name(model->family))));
	if (problem == GLM_WEIGHT_NEGATIVE)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are negative weights")));
	if (problem == GLM_OUTCOME_CONSTANT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("outcome %s is the same in all complete rows", outcome)));
}

/* Of a column of the design. */
static void
raise_of_column(const char *outcome, const char *name, GlmProblem problem)
{
	if (problem == GLM_COLUMN_CONSTANT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s is the same in all complete rows", name),
				 errhint("Leave it out of the formula.")));
	if (problem == GLM_COLLINEAR)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s is a linear combination of the terms before it", name),
				 errdetail("Its coefficient can't be told from theirs."),
				 errhint("Leave one of them out of the formula, or use ridge.")));
	if (problem == GLM_SEPARATED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("no finite estimate: %s separates the values of outcome %s", name, outcome),
				 errdetail("Its coefficient grows with each iteration while the fit hardly changes: in a part of the rows that it tells apart, all outcomes are alike."),
				 errhint("Join levels, leave the variable out, or use ridge.")));
}

/* Of the iterations. */
static void
raise_of_fit(const char *outcome, const GlmModel *model, const GlmFit *fit, GlmProblem problem)
{
	if (problem == GLM_TOO_FEW_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("too many coefficients: %d, for %lld complete rows", model->p, (long long) fit->rows),
				 errhint("Leave variables out, or join levels of factors.")));
	if (problem == GLM_NOT_CONVERGED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the fit has not converged after %d iterations", model->iterations_max),
				 errhint("Raise max_iterations, or look at outliers.")));
	if (problem == GLM_DIVERGED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the fit diverges: no valid coefficients are found, even with smaller steps"),
				 errhint("Bring variables to a smaller scale, or add an offset.")));
	if (problem == GLM_THETA_LOST)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("theta can't be estimated: outcome %s does not vary more than a Poisson variable", outcome),
				 errhint("Use family => 'poisson'.")));
}

static void
raise_problem(const Design *design, const GlmModel *model, const GlmFit *fit, GlmProblem problem, int column)
{
	const char *outcome = design->formula->outcome.label;

	if (problem == GLM_FITS)
		return;
	raise_of_rows(outcome, model, problem);
	raise_of_fit(outcome, model, fit, problem);
	raise_of_column(outcome, design->columns[Max(column, 0)].name, problem);
	elog(ERROR, "unknown problem %d of a fit", problem);
}

/* ---- the result ---- */

static TupleDesc
composite(const char *name)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
									   ObjectIdGetDatum(get_namespace_oid("secmed", false)));

	return lookup_rowtype_tupdesc_copy(type, -1);
}

/* NaN is what a model of this kind does not have: NULL. */
static void
set_number(Datum *values, bool *nulls, int i, double number)
{
	nulls[i] = isnan(number);
	values[i] = Float8GetDatum(number);
}

static Datum
coefficients_datum(const Design *design, const GlmFit *fit)
{
	TupleDesc	desc = BlessTupleDesc(composite("coefficient"));
	Datum	   *rows = palloc(sizeof(Datum) * design->p);

	for (int i = 0; i < design->p; i++)
	{
		Datum		values[8];
		bool		nulls[8] = {0};

		values[0] = CStringGetTextDatum(design->columns[i].name);
		set_number(values, nulls, 1, fit->beta[i]);
		set_number(values, nulls, 2, fit->error[i]);
		set_number(values, nulls, 3, fit->statistic[i]);
		set_number(values, nulls, 4, fit->probability[i]);
		set_number(values, nulls, 5, fit->low[i]);
		set_number(values, nulls, 6, fit->high[i]);
		set_number(values, nulls, 7, fit->vif[i]);
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	return PointerGetDatum(construct_array(rows, design->p, desc->tdtypeid, -1, false, TYPALIGN_DOUBLE));
}

static Datum
covariance_datum(const Design *design, const GlmFit *fit)
{
	int			dims[] = {design->p, design->p};
	int			lower[] = {1, 1};
	Datum	   *datums = palloc(sizeof(Datum) * design->p * design->p);

	for (int i = 0; i < design->p * design->p; i++)
		datums[i] = Float8GetDatum(fit->covariance[i]);
	return PointerGetDatum(construct_md_array(datums, NULL, 2, dims, lower, FLOAT8OID, sizeof(float8),
											  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
model_datum(const Design *design, const GlmModel *model, const GlmFit *fit, int64 rows)
{
	TupleDesc	desc = BlessTupleDesc(composite("model"));
	Datum		values[26];
	bool		nulls[26] = {0};
	int			i = 0;
	const double numbers[] = {
		fit->df_residual, fit->deviance, fit->df_null, fit->null_deviance, fit->pearson, fit->dispersion, fit->loglik,
		fit->aic, fit->bic, fit->r_squared, fit->adjusted, fit->sigma, fit->f, fit->f_probability, fit->theta,
		fit->theta_error
	};

	values[i++] = CStringGetTextDatum(design->formula->text);
	values[i++] = CStringGetTextDatum(family_name(model->family));
	values[i++] = Int64GetDatum(fit->rows);
	values[i++] = Int64GetDatum(rows - fit->rows);
	values[i++] = Int32GetDatum(fit->iterations);
	values[i++] = BoolGetDatum(true);
	values[i++] = BoolGetDatum(fit->edge);
	for (int j = 0; j < lengthof(numbers); j++)
		set_number(values, nulls, i++, numbers[j]);
	values[i++] = coefficients_datum(design, fit);
	values[i++] = covariance_datum(design, fit);
	if (desc->natts != i)
		elog(ERROR, "secmed.model has %d columns, not %d", desc->natts, i);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* ---- the fit ---- */

/* A line at each iteration, for who waits. */
static void
tell_progress(void *arg, int iteration, double deviance)
{
	ereport(NOTICE, (errmsg("iteration %d: deviance %.8g", iteration, deviance)));
}

/* From here on the runs are passes of this fit, as many as its iterations may take with their halved steps. */
static void
begin_passes(Asker *asker, const GlmModel *model)
{
	asker->passes_max = Min(PASSES_MAX, 4 * model->iterations_max + 8);
	if (asker->design->federated)
		progress_begin_fit(submission_passes_begin(asker->passes_max), asker->passes_max);
}

static void
end_passes(const Design *design)
{
	if (!design->federated)
		return;
	submission_passes_end();
	progress_end();
}

Datum
secmed_glm_model(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	GlmModel	model = {.ask = asker_ask, .progress = tell_progress};
	Design	   *design;
	Asker		asker;
	GlmMoments	moments;
	GlmFit		fit = {0};
	GlmProblem	problem;
	Datum		result;

	read_options(fcinfo, &model);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	design = design_start(formula_parse_plain(text_argument(fcinfo, ARG_FORMULA)), PG_GETARG_OID(ARG_RELATION),
						  text_argument(fcinfo, ARG_WHERE), text_argument(fcinfo, ARG_WEIGHTS),
						  PG_ARGISNULL(ARG_LEVELS) ? NULL : PG_GETARG_JSONB_P(ARG_LEVELS),
						  model.family == FAMILY_BINOMIAL);
	/* A submission is one question. */
	if (design->federated && !submission_is_open())
		asker_drop_empty_levels(design);
	design_expand(design);
	asker_start(&asker, design);
	model.p = design->p;
	model.intercept = design->formula->intercept;
	model.offset = design->formula->offsets != NIL;
	model.arg = &asker;

	begin_passes(&asker, &model);
	problem = glm_moments(&moments, &model);
	if (asker.proposed)
	{
		end_passes(design);
		SPI_finish();
		PG_RETURN_NULL();
	}
	fit.rows = moments.rows;
	raise_problem(design, &model, &fit, problem, -1);
	glm_fit(&fit, &model, &moments);
	end_passes(design);
	raise_problem(design, &model, &fit, fit.problem, fit.column);
	if (fit.edge)
		ereport(WARNING,
				(errmsg("some fitted values are 0 or 1 to the machine's precision"),
				 errdetail("Standard errors and p of such a fit can't be relied on.")));
	MemoryContextSwitchTo(caller);
	result = model_datum(design, &model, &fit, asker.rows);
	SPI_finish();
	PG_RETURN_DATUM(result);
}
