/*
 * published.c
 *	  What this site publishes.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "identity/node.h"
#include "query/column_policy.h"
#include "query/deparse.h"
#include "query/published.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PublishedColumn *
published_column(const Published *published, const char *name)
{
	ListCell   *lc;

	foreach(lc, published->columns)
	{
		PublishedColumn *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/*
 * The column of the published relation behind a column of the view, found
 * through the view's own definition: names may have changed since.  False if
 * the view does not just show it.
 */
static bool
base_column(const Published *published, const char *name, AttrNumber *attnum, bool *not_null)
{
	Relation	view = relation_open(published->view, AccessShareLock);
	Query	   *definition = get_view_query(view);
	AttrNumber	position = get_attnum(published->view, name);
	TargetEntry *target = get_tle_by_resno(definition->targetList, position);
	HeapTuple	tuple;
	bool		found = false;

	if (target != NULL && IsA(target->expr, Var) &&
		rt_fetch(((Var *) target->expr)->varno, definition->rtable)->relid == published->relation)
	{
		*attnum = ((Var *) target->expr)->varattno;
		tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(published->relation), Int16GetDatum(*attnum));
		found = HeapTupleIsValid(tuple);
		if (found)
		{
			*not_null = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
			ReleaseSysCache(tuple);
		}
	}
	relation_close(view, AccessShareLock);
	return found;
}

static bool
index_makes_unique(Oid indexid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	Form_pg_index index;
	bool		unique;

	if (!HeapTupleIsValid(tuple))
		return false;
	index = (Form_pg_index) GETSTRUCT(tuple);
	unique = index->indisunique && index->indisvalid && index->indimmediate &&
		index->indnkeyatts == 1 && index->indkey.values[0] == attnum &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
		heap_attisnull(tuple, Anum_pg_index_indexprs, NULL);
	ReleaseSysCache(tuple);
	return unique;
}

/* Then patients can be counted by counting rows. */
static bool
patient_is_unique(const Published *published)
{
	Oid			relid = published->relation;
	AttrNumber	attnum;
	bool		not_null;
	bool		unique = false;
	Relation	relation;
	ListCell   *lc;

	if (!base_column(published, published->patient, &attnum, &not_null) || !not_null)
		return false;
	relation = relation_open(relid, AccessShareLock);
	/* An index of a table says nothing of its children's rows. */
	if ((relation->rd_rel->relkind == RELKIND_RELATION && !has_subclass(relid)) ||
		relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		foreach(lc, RelationGetIndexList(relation))
			unique = unique || index_makes_unique(lfirst_oid(lc), attnum);
	relation_close(relation, AccessShareLock);
	return unique;
}

/* The domain from publish(), or that of a boolean or enum. */
static Domain *
column_domain(Jsonb *domains, const PublishedColumn *column)
{
	JsonbValue *json = getKeyJsonValueFromContainer(&domains->root, column->name,
													strlen(column->name), NULL);

	if (json != NULL)
		return domain_from_json(json, column->type, column->typmod, column->name);
	return domain_of_type(column->type, !column->not_null);
}

static void
load_columns(Published *published, Jsonb *domains)
{
	Relation	view = relation_open(published->view, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(view);
	int			level = transmission_settings();

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		PublishedColumn *column = palloc0(sizeof(PublishedColumn));
		AttrNumber	attnum;

		if (attribute->attisdropped)
			continue;
		column->name = pstrdup(NameStr(attribute->attname));
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->collation = attribute->attcollation;
		base_column(published, column->name, &attnum, &column->not_null);
		column->domain = column_domain(domains, column);
		published->columns = lappend(published->columns, column);
	}
	AtEOXact_GUC(true, level);
	relation_close(view, AccessShareLock);
}

static List *
name_array(Datum array)
{
	Datum	   *names;
	int			n;
	List	   *list = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, NULL, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, pstrdup(NameStr(*DatumGetName(names[i]))));
	return list;
}

/* ---- policy ---- */

/* Texts of an array, with NULL for NULL. */
static List *
text_array(Datum array)
{
	Datum	   *texts;
	bool	   *nulls;
	int			n;
	List	   *list = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, nulls[i] ? NULL : TextDatumGetCString(texts[i]));
	return list;
}

static void
default_policy(Published *published)
{
	ListCell   *lc;

	foreach(lc, published->columns)
	{
		PublishedColumn *column = lfirst(lc);
		bool		patient = published->patient != NULL && strcmp(published->patient, column->name) == 0;

		column->uses = patient ? USES_OF_PATIENT : USES_OF_COLUMN;
		column->patients_min = 1;
	}
}

/*
 * A row of the array is [column, uses or NULL, bucket, class, uses of the class or NULL, its smallest group],
 * and what secmed's own tables hold was checked when it was written.
 */
static void
load_policy(Published *published, List *policy)
{
	default_policy(published);
	for (int i = 0; i + 6 <= list_length(policy); i += 6)
	{
		PublishedColumn *column = published_column(published, list_nth(policy, i));
		const char *uses = list_nth(policy, i + 1);
		const char *class_uses = list_nth(policy, i + 4);
		const char *patients_min = list_nth(policy, i + 5);

		if (column == NULL)
			continue;
		if (uses != NULL)
			column->uses = Max(column_uses_parse(uses), 0);
		column->bucket = list_nth(policy, i + 2);
		column->class = list_nth(policy, i + 3);
		if (class_uses != NULL)
			column->uses &= Max(column_uses_parse(class_uses), 0);
		if (patients_min != NULL)
			column->patients_min = Max(1, atoi(patients_min));
	}
}

/* One row of secmed.published; NULL if its relation or view is gone. */
static Published *
load_row(HeapTuple tuple, TupleDesc desc)
{
	Published  *published = palloc0(sizeof(Published));
	Datum		sites;
	Datum		policy;
	bool		isnull;

	published->name = SPI_getvalue(tuple, desc, 1);
	published->relation = DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull));
	published->patient = SPI_getvalue(tuple, desc, 3);
	published->patients_min = DatumGetInt32(SPI_getbinval(tuple, desc, 4, &isnull));
	published->show_zero = DatumGetBool(SPI_getbinval(tuple, desc, 5, &isnull));
	published->local_keys = name_array(SPI_getbinval(tuple, desc, 6, &isnull));
	published->rows_max = DatumGetInt32(SPI_getbinval(tuple, desc, 10, &isnull));
	sites = SPI_getbinval(tuple, desc, 8, &isnull);
	if (!isnull)
		published->sites = name_array(sites);
	published->view = get_relname_relid(published->name, get_namespace_oid(PUBLISHED_SCHEMA, false));
	if (!OidIsValid(published->view) || get_rel_name(published->relation) == NULL)
		return NULL;
	load_columns(published, DatumGetJsonbP(SPI_getbinval(tuple, desc, 7, &isnull)));
	policy = SPI_getbinval(tuple, desc, 9, &isnull);
	load_policy(published, isnull ? NIL : text_array(policy));
	if (published->patient != NULL)
		published->patient_unique = patient_is_unique(published);
	return published;
}

#define PUBLISHED_QUERY \
	"SELECT name, relation::oid, patient, min_patients, show_zero, local_keys, domains, sites," \
	" (SELECT array_agg(v.value ORDER BY r.\"column\", v.place) FROM secmed.column_rule r," \
	"   LATERAL (VALUES (1, r.\"column\"::text), (2, r.uses), (3, r.bucket), (4, r.class), (5, r.class_uses)," \
	"    (6, r.class_min_patients::text)) v(place, value) WHERE r.\"table\" = name), rows_max" \
	"  FROM secmed.published"

static List *
load_rows(const char *query, const char *name)
{
	OwnerScope	scope;
	Oid			types[1] = {NAMEOID};
	NameData	key;
	Datum		values[1] = {NameGetDatum(&key)};
	MemoryContext caller = CurrentMemoryContext;
	List	   *list = NIL;

	namestrcpy(&key, name);
	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args(query, 1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read secmed.published");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);
		Published  *published = load_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc);

		if (published != NULL)
			list = lappend(list, published);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	owner_end(&scope);
	return list;
}

void
published_buckets(const char *name, List **columns, List **buckets)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[1] = {NAMEOID};
	NameData	key;
	Datum		values[1] = {NameGetDatum(&key)};
	OwnerScope	scope;

	*columns = *buckets = NIL;
	namestrcpy(&key, name);
	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("SELECT \"column\"::text, bucket FROM secmed.column_policy WHERE \"table\" = $1",
							  1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read secmed.column_policy");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *column = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *bucket = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		MemoryContext old = MemoryContextSwitchTo(caller);

		*columns = lappend(*columns, pstrdup(column));
		*buckets = lappend(*buckets, bucket ? pstrdup(bucket) : NULL);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	owner_end(&scope);
}

Published *
published_find(const char *name)
{
	List	   *list = load_rows(PUBLISHED_QUERY " WHERE name = $1", name);

	return list == NIL ? NULL : linitial(list);
}

List *
published_all(void)
{
	return load_rows(PUBLISHED_QUERY " WHERE $1 IS NOT NULL ORDER BY name", "");
}
