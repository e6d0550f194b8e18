/*
 * domain.c
 *	  Public domains: the values by which an answer may be grouped.
 *
 * Values are kept as the text that their type's output function writes under
 * the settings of transmission (query/deparse.h), so equal values of the types
 * allowed here have equal text.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/limits.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/domain.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/resowner.h"
#include "utils/typcache.h"

/* A domain while it grows. */
typedef struct DomainBuilder
{
	Oid			type;
	int32		typmod;			/* char(3) pads its values */
	int			n;
	int			allocated;
	char	  **values;
} DomainBuilder;

static void
builder_start(DomainBuilder *builder, Oid type)
{
	builder->type = type;
	builder->typmod = -1;
	builder->n = 0;
	builder->allocated = 16;
	builder->values = palloc(sizeof(char *) * builder->allocated);
}

static void
builder_add(DomainBuilder *builder, char *value)
{
	if (builder->n >= DOMAIN_VALUES_MAX + 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a public domain can't have more than %d values", DOMAIN_VALUES_MAX)));
	if (builder->n == builder->allocated)
	{
		builder->allocated *= 2;
		builder->values = repalloc(builder->values, sizeof(char *) * builder->allocated);
	}
	builder->values[builder->n++] = value;
}

typedef struct SortItem
{
	char	   *text;
	Datum		datum;
} SortItem;

static int
compare_items(const void *a, const void *b, void *arg)
{
	const SortItem *x = a,
			   *y = b;

	if (x->text == NULL || y->text == NULL)
		return (x->text == NULL) - (y->text == NULL);
	return DatumGetInt32(FunctionCall2Coll(arg, C_COLLATION_OID, x->datum, y->datum));
}

static Datum
typed_text_to_datum(Oid type, int32 typmod, const char *text)
{
	Oid			input,
				ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, (char *) text, ioparam, typmod);
}

static Datum
text_to_datum(Oid type, const char *text)
{
	return typed_text_to_datum(type, -1, text);
}

static char *
datum_to_text(Oid type, Datum value)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

/* Sorted by the type's order, each value once. */
static Domain *
builder_finish(DomainBuilder *builder)
{
	Domain	   *domain = palloc(sizeof(Domain));
	SortItem   *items = palloc(sizeof(SortItem) * (builder->n + 1));
	TypeCacheEntry *cache = lookup_type_cache(builder->type, TYPECACHE_CMP_PROC_FINFO);

	for (int i = 0; i < builder->n; i++)
	{
		items[i].text = builder->values[i];
		items[i].datum = items[i].text ? text_to_datum(builder->type, items[i].text) : 0;
	}
	qsort_arg(items, builder->n, sizeof(SortItem), compare_items, &cache->cmp_proc_finfo);

	domain->type = builder->type;
	domain->nvalues = 0;
	domain->values = builder->values;
	for (int i = 0; i < builder->n; i++)
		if (i == 0 || compare_items(&items[i - 1], &items[i], &cache->cmp_proc_finfo) != 0)
			domain->values[domain->nvalues++] = items[i].text;
	return domain;
}

/* Types whose text is as unique as their value, and that sort everywhere alike. */
static bool
type_may_have_domain(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case DATEOID:
			return true;
		default:
			return type_is_enum(type);
	}
}

static void
add_enum_labels(DomainBuilder *builder, Oid type)
{
	Relation	pg_enum = table_open(EnumRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(type));
	scan = systable_beginscan(pg_enum, EnumTypIdLabelIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		builder_add(builder, pstrdup(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel)));
	systable_endscan(scan);
	table_close(pg_enum, AccessShareLock);
}

Domain *
domain_of_type(Oid type, bool nullable)
{
	DomainBuilder builder;

	if (type != BOOLOID && !type_is_enum(type))
		return NULL;
	builder_start(&builder, type);
	if (type == BOOLOID)
	{
		builder_add(&builder, "f");
		builder_add(&builder, "t");
	}
	else
		add_enum_labels(&builder, type);
	if (nullable)
		builder_add(&builder, NULL);
	return builder_finish(&builder);
}

/* ---- JSON ---- */

static void
bad_domain(const char *column, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid domain of column \"%s\": %s", column, why),
			 errhint("Write a list of values, [1, 2, null], or a range of integers, {\"min\": 0, \"max\": 4, \"null\": true}.")));
}

/* A JSON scalar as text for the type's input function; NULL for null. */
static char *
scalar_text(JsonbValue *value, const char *column)
{
	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			bad_domain(column, "a value that is neither text, number, boolean nor null");
	}
	return NULL;
}

static void
add_list(DomainBuilder *builder, JsonbContainer *array, const char *column)
{
	uint32		n = JsonContainerSize(array);

	for (uint32 i = 0; i < n; i++)
	{
		char	   *text = scalar_text(getIthJsonbValueFromContainer(array, i), column);

		if (text != NULL)
			text = datum_to_text(builder->type, typed_text_to_datum(builder->type, builder->typmod, text));
		builder_add(builder, text);
	}
}

static int64
range_bound(JsonbContainer *object, const char *name, const char *column)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);

	if (value == NULL || value->type != jbvNumeric)
		bad_domain(column, "a range needs the integers \"min\" and \"max\"");
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

static void
add_range(DomainBuilder *builder, JsonbContainer *object, const char *column)
{
	int64		min = range_bound(object, "min", column);
	int64		max = range_bound(object, "max", column);
	JsonbValue *null = getKeyJsonValueFromContainer(object, "null", 4, NULL);

	if (builder->type != INT2OID && builder->type != INT4OID && builder->type != INT8OID)
		bad_domain(column, "only integers have a range");
	if (max < min || (uint64) max - (uint64) min >= DOMAIN_VALUES_MAX)
		bad_domain(column, "the range is empty or too large");
	for (int64 value = min; value <= max; value++)
		builder_add(builder, datum_to_text(builder->type,
										   text_to_datum(builder->type, psprintf(INT64_FORMAT, value))));
	if (null != NULL && null->type == jbvBool && null->val.boolean)
		builder_add(builder, NULL);
}

Domain *
domain_with_null(const Domain *domain)
{
	DomainBuilder builder;

	builder_start(&builder, domain->type);
	for (int i = 0; i < domain->nvalues; i++)
		builder_add(&builder, domain->values[i]);
	builder_add(&builder, NULL);
	return builder_finish(&builder);
}

Domain *
domain_from_json(JsonbValue *json, Oid type, int32 typmod, const char *column)
{
	DomainBuilder builder;
	Domain	   *domain;

	if (!type_may_have_domain(type))
		bad_domain(column, psprintf("type %s can't have one", format_type_be(type)));
	if (json->type != jbvBinary)
		bad_domain(column, "neither a list nor a range");

	builder_start(&builder, type);
	builder.typmod = typmod;
	if (JsonContainerIsObject(json->val.binary.data))
		add_range(&builder, json->val.binary.data, column);
	else
		add_list(&builder, json->val.binary.data, column);
	domain = builder_finish(&builder);
	if (domain->nvalues == 0)
		bad_domain(column, "it is empty");
	return domain;
}

Domain *
domain_from_json_text(const char *json, Oid type, int32 typmod, const char *column)
{
	Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	JsonbValue	value;

	value.type = jbvBinary;
	value.val.binary.data = &jsonb->root;
	value.val.binary.len = VARSIZE(jsonb);
	if (JsonContainerIsScalar(&jsonb->root))
		bad_domain(column, "neither a list nor a range");
	return domain_from_json(&value, type, typmod, column);
}

char *
domain_to_json(const Domain *domain)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < domain->nvalues; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		if (domain->values[i] == NULL)
			appendStringInfoString(&out, "null");
		else
			escape_json(&out, domain->values[i]);
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

bool
domain_equal(const Domain *a, const Domain *b)
{
	if (a->type != b->type || a->nvalues != b->nvalues)
		return false;
	for (int i = 0; i < a->nvalues; i++)
	{
		if ((a->values[i] == NULL) != (b->values[i] == NULL))
			return false;
		if (a->values[i] != NULL && strcmp(a->values[i], b->values[i]) != 0)
			return false;
	}
	return true;
}

/* ---- expressions ---- */

static void
add_domain(DomainBuilder *builder, const Domain *domain, bool nulls)
{
	for (int i = 0; i < domain->nvalues; i++)
		if (nulls || domain->values[i] != NULL)
			builder_add(builder, domain->values[i]);
}

static Domain *
domain_of_const(Const *constant)
{
	DomainBuilder builder;

	if (!type_may_have_domain(constant->consttype))
		return NULL;
	builder_start(&builder, constant->consttype);
	builder_add(&builder, constant->constisnull ? NULL :
				datum_to_text(constant->consttype, constant->constvalue));
	return builder_finish(&builder);
}

/* The union of what a CASE may give. */
static Domain *
domain_of_case(CaseExpr *expr, DomainOfColumn column, void *arg)
{
	DomainBuilder builder;
	List	   *results = NIL;
	ListCell   *lc;

	foreach(lc, expr->args)
		results = lappend(results, lfirst_node(CaseWhen, lc)->result);
	results = lappend(results, expr->defresult);

	builder_start(&builder, expr->casetype);
	foreach(lc, results)
	{
		Domain	   *domain = NULL;

		if (lfirst(lc) != NULL)
			domain = domain_of_expression(lfirst(lc), column, arg);
		else
			domain = domain_of_const(makeNullConst(expr->casetype, -1, InvalidOid));
		if (domain == NULL || domain->type != expr->casetype)
			return NULL;
		add_domain(&builder, domain, true);
	}
	return builder_finish(&builder);
}

/* The union of the arguments; NULL only if all may be. */
static Domain *
domain_of_coalesce(CoalesceExpr *expr, DomainOfColumn column, void *arg)
{
	DomainBuilder builder;
	bool		nulls = true;
	ListCell   *lc;

	builder_start(&builder, expr->coalescetype);
	foreach(lc, expr->args)
	{
		Domain	   *domain = domain_of_expression(lfirst(lc), column, arg);

		if (domain == NULL || domain->type != expr->coalescetype)
			return NULL;
		add_domain(&builder, domain, false);
		nulls = nulls && domain->values[domain->nvalues - 1] == NULL;
	}
	if (nulls)
		builder_add(&builder, NULL);
	return builder_finish(&builder);
}

/* The columns of an expression with their domains, and one value of each. */
typedef struct Image
{
	List	   *vars;
	List	   *domains;
	int		   *choice;
} Image;

static Node *
replace_vars(Node *node, Image *image)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		int			i = 0;
		ListCell   *lc;

		foreach(lc, image->vars)
		{
			if (equal(lfirst(lc), var))
			{
				Domain	   *domain = list_nth(image->domains, i);
				char	   *text = domain->values[image->choice[i]];
				int16		len;
				bool		byval;

				get_typlenbyval(var->vartype, &len, &byval);
				return (Node *) makeConst(var->vartype, var->vartypmod, var->varcollid, len,
										  text ? text_to_datum(var->vartype, text) : (Datum) 0,
										  text == NULL, byval);
			}
			i++;
		}
	}
	return expression_tree_mutator(node, replace_vars, image);
}

/* The next combination of values; false after the last. */
static bool
next_choice(Image *image)
{
	for (int i = 0; i < list_length(image->domains); i++)
	{
		if (++image->choice[i] < ((Domain *) list_nth(image->domains, i))->nvalues)
			return true;
		image->choice[i] = 0;
	}
	return false;
}

/*
 * The text of a closed expression's value.  False if it raises an error, such
 * as a division by zero: a row with these values raises it too, or WHERE keeps
 * it away; either way no group is needed for it.
 */
static bool
image_value(Node *closed, char **text)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Oid			type = exprType(closed);
	bool		evaluated = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		Const	   *value = (Const *) evaluate_expr((Expr *) closed, type, exprTypmod(closed),
													exprCollation(closed));

		*text = value->constisnull ? NULL : datum_to_text(type, value->constvalue);
		evaluated = true;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return evaluated;
}

static Domain *
image_of_expression(Node *expr, Image *image)
{
	DomainBuilder builder;
	Oid			type = exprType(expr);

	builder_start(&builder, type);
	do
	{
		char	   *value;

		if (image_value(replace_vars(expr, image), &value))
			builder_add(&builder, value);
		CHECK_FOR_INTERRUPTS();
	} while (next_choice(image));
	return builder_finish(&builder);
}

/* NULL unless all columns have domains of few enough combinations. */
static Domain *
domain_of_image(Node *expr, DomainOfColumn column, void *arg)
{
	Image		image = {NIL, NIL, NULL};
	uint64		combinations = 1;
	ListCell   *lc;

	foreach(lc, pull_var_clause(expr, PVC_RECURSE_PLACEHOLDERS))
	{
		Domain	   *domain;

		if (list_member(image.vars, lfirst(lc)))
			continue;
		domain = column(lfirst(lc), arg);
		if (domain == NULL || (combinations *= domain->nvalues) > DOMAIN_VALUES_MAX)
			return NULL;
		image.vars = lappend(image.vars, lfirst(lc));
		image.domains = lappend(image.domains, domain);
	}
	if (image.vars == NIL)
		return NULL;
	image.choice = palloc0(sizeof(int) * list_length(image.vars));
	return image_of_expression(expr, &image);
}

static bool
has_param_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	return IsA(node, Param) || expression_tree_walker(node, has_param_walker, unused);
}

/* How many buckets a width_bucket() of constants has beside the two outer ones; 0 if this is none. */
static int64
buckets_of(FuncExpr *func)
{
	Const	   *last;

	if (!IsA(func, FuncExpr) || func->funcresulttype != INT4OID)
		return 0;
	last = llast(func->args);
	if (!IsA(last, Const) || last->constisnull)
		return 0;
	if (func->funcid == F_WIDTH_BUCKET_FLOAT8_FLOAT8_FLOAT8_INT4 || func->funcid == F_WIDTH_BUCKET_NUMERIC_NUMERIC_NUMERIC_INT4)
		return DatumGetInt32(last->constvalue);
	if (func->funcid == F_WIDTH_BUCKET_ANYCOMPATIBLE_ANYCOMPATIBLEARRAY)
		return ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(last->constvalue)),
							  ARR_DIMS(DatumGetArrayTypeP(last->constvalue))) - 1;
	return 0;
}

/* 0, 1 .. buckets, one more above, and NULL: the bounds are public, whatever the rows are. */
static Domain *
domain_of_buckets(FuncExpr *func)
{
	int64		buckets = buckets_of(func);
	DomainBuilder builder;

	if (buckets <= 0 || buckets >= DOMAIN_VALUES_MAX - 2)
		return NULL;
	builder_start(&builder, INT4OID);
	for (int64 i = 0; i <= buckets + 1; i++)
		builder_add(&builder, psprintf(INT64_FORMAT, i));
	builder_add(&builder, NULL);
	return builder_finish(&builder);
}

Domain *
domain_of_expression(Node *expr, DomainOfColumn column, void *arg)
{
	Oid			type = exprType(expr);
	Domain	   *domain = NULL;

	if (!type_may_have_domain(type))
		return NULL;
	if (IsA(expr, Var))
		return column((Var *) expr, arg);
	if (IsA(expr, Const))
		return domain_of_const((Const *) expr);
	if (IsA(expr, CaseExpr))
		domain = domain_of_case((CaseExpr *) expr, column, arg);
	else if (IsA(expr, CoalesceExpr))
		domain = domain_of_coalesce((CoalesceExpr *) expr, column, arg);
	else
		domain = domain_of_buckets((FuncExpr *) expr);
	if (domain == NULL && !has_param_walker(expr, NULL))
		domain = domain_of_image(expr, column, arg);
	if (domain == NULL)
		domain = domain_of_type(type, true);
	return domain;
}
