/*
 * answered.c
 *	  Answers that this site has shared sums for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "crypto/prg.h"
#include "govern/answered.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "ledger/datum.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

/* ---- the key ---- */

static Statement find_key = {"SELECT key FROM secmed.answered_key"};
static Statement make_key = {
	"INSERT INTO secmed.answered_key (key) VALUES ($1) ON CONFLICT DO NOTHING", 1, {INT8OID}
};

static bool
read_key(int64 *key)
{
	bool		isnull;
	bool		found = statement_begin(&find_key, NULL, NULL) > 0;

	if (found)
		*key = DatumGetInt64(statement_value(0, 1, &isnull));
	statement_end(&find_key);
	return found;
}

int64
answered_key(void)
{
	int64		key;
	Datum		value;

	if (read_key(&key))
		return key;
	random_bytes((uint8 *) &key, sizeof(key));
	value = Int64GetDatum(key);
	statement_run(&make_key, &value, NULL);
	if (!read_key(&key))
		elog(ERROR, "there is no key for cohorts");
	return key;
}

/* ---- reading ---- */

void
answered_lock(void)
{
	Oid			relid = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum("secmed.answered_run")));

	LockRelationOid(relid, ShareRowExclusiveLock);
}

static Statement find_runs = {
	"SELECT r.run, r.content, c.groups FROM secmed.answered_run r JOIN secmed.answered_content c USING (content)"
	" WHERE r.tables && $1 AND ($2 IS NULL OR r.actor = $2) ORDER BY r.at DESC",
	2, {NAMEARRAYOID, TEXTOID}
};

static void
take_bytes(void *out, size_t len, uint64 row, int column)
{
	bool		isnull;
	bytea	   *bytes = DatumGetByteaPP(statement_value(row, column, &isnull));

	if (isnull || VARSIZE_ANY_EXHDR(bytes) != len)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("secmed's table of answers is damaged")));
	memcpy(out, VARDATA_ANY(bytes), len);
}

/* Where a content stands among list->contents. */
typedef struct Place
{
	uint8		content[HASH_BYTES];
	int			at;
} Place;

static HTAB *
places_create(uint64 n)
{
	HASHCTL		control = {.keysize = HASH_BYTES,.entrysize = sizeof(Place),.hcxt = CurrentMemoryContext};

	return hash_create("secmed answers", n + 1, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The latest come first; once there is no room all that follow are not listed. */
static bool
has_room(const AnsweredList *list, uint32 groups, size_t k)
{
	return list->nunlisted == 0 && list->earlier.ncontents < EARLIER_RUNS_MAX &&
		list->elements + groups * (1 + k) <= EARLIER_ELEMENTS_MAX;
}

static int
add_content(AnsweredList *list, const uint8 content[HASH_BYTES], uint32 groups, size_t k)
{
	int			at = list->earlier.ncontents + list->nunlisted;

	memcpy(list->contents[at], content, HASH_BYTES);
	if (has_room(list, groups, k))
	{
		list->earlier.groups[list->earlier.ncontents++] = groups;
		list->elements += groups * (1 + k);
	}
	else
		list->unlisted_groups[list->nunlisted++] = groups;
	return at;
}

static void
list_run(AnsweredList *list, HTAB *places, uint64 row, size_t k)
{
	EarlierAnswers *earlier = &list->earlier;
	EarlierRun	run;
	uint8		content[HASH_BYTES];
	bool		known;
	bool		isnull;
	Place	   *place;

	take_bytes(run.run, RUN_ID_BYTES, row, 1);
	take_bytes(content, HASH_BYTES, row, 2);
	place = hash_search(places, content, HASH_ENTER, &known);
	if (!known)
		place->at = add_content(list, content, DatumGetInt32(statement_value(row, 3, &isnull)), k);
	/* A content that is listed has a run that is. */
	if (place->at < earlier->ncontents && earlier->nruns < EARLIER_RUNS_MAX)
	{
		run.content = place->at;
		earlier->runs[earlier->nruns++] = run;
	}
}

void
answered_list(AnsweredList *list, const List *tables, const char *actor, size_t k)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {name_array_datum(tables), actor ? CStringGetTextDatum(actor) : (Datum) 0};
	uint64		n = statement_begin(&find_runs, values, actor ? NULL : " n");
	HTAB	   *places;

	memset(list, 0, sizeof(*list));
	list->contents = MemoryContextAlloc(context, (n + 1) * HASH_BYTES);
	list->unlisted_groups = MemoryContextAlloc(context, (n + 1) * sizeof(uint32));
	list->earlier.groups = MemoryContextAlloc(context, (n + 1) * sizeof(uint32));
	list->earlier.runs = MemoryContextAlloc(context, (n + 1) * sizeof(EarlierRun));
	places = places_create(n);
	for (uint64 i = 0; i < n; i++)
		list_run(list, places, i, k);
	hash_destroy(places);
	statement_end(&find_runs);
}

static List *
measures_of(Datum array)
{
	Datum	   *texts;
	int			n;
	List	   *measures = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, &n);
	for (int i = 0; i < n; i++)
		measures = lappend(measures, makeString(TextDatumGetCString(texts[i])));
	return measures;
}

static const void *
sketch_of(HeapTuple tuple, TupleDesc desc, int column, size_t *len)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(tuple, desc, column, &isnull);
	bytea	   *sketch;

	if (isnull)
		return NULL;
	sketch = DatumGetByteaPP(datum);
	*len = VARSIZE_ANY_EXHDR(sketch);
	return VARDATA_ANY(sketch);
}

static void
take_group(HeapTuple tuple, TupleDesc desc, void (*take) (const AnsweredGroup *, void *), void *arg)
{
	bool		isnull;
	AnsweredGroup group = {
		.number = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull)),
		.label = SPI_getvalue(tuple, desc, 2),
		.measures = measures_of(SPI_getbinval(tuple, desc, 3, &isnull)),
		.patients = DatumGetInt64(SPI_getbinval(tuple, desc, 4, &isnull))
	};

	group.chosen = sketch_of(tuple, desc, 5, &group.chosen_len);
	group.present = sketch_of(tuple, desc, 6, &group.present_len);
	take(&group, arg);
}

static Statement find_groups = {
	"SELECT number, label, measures, patients, chosen, present FROM secmed.answered_group WHERE content = $1 ORDER BY number, label",
	1, {BYTEAOID}
};

void
answered_read(const uint8 content[HASH_BYTES], void (*take) (const AnsweredGroup *group, void *arg), void *arg)
{
	Datum		value = bytea_datum(content, HASH_BYTES);
	uint64		n = statement_begin(&find_groups, &value, NULL);

	for (uint64 i = 0; i < n; i++)
		take_group(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, take, arg);
	statement_end(&find_groups);
}

/* ---- writing ---- */

static Statement insert_content = {
	"INSERT INTO secmed.answered_content (content, groups) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING content",
	2, {BYTEAOID, INT4OID}
};
static Statement insert_group = {
	"INSERT INTO secmed.answered_group (content, number, label, measures, patients, chosen, present)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7, {BYTEAOID, INT4OID, TEXTOID, TEXTARRAYOID, INT8OID, BYTEAOID, BYTEAOID}
};
static Statement insert_run = {
	"INSERT INTO secmed.answered_run (run, content, actor, tables) VALUES ($1, $2, $3, $4)",
	4, {BYTEAOID, BYTEAOID, TEXTOID, NAMEARRAYOID}
};

static Datum
measures_datum(const List *measures)
{
	char	  **texts = palloc(sizeof(char *) * (list_length(measures) + 1));
	ListCell   *lc;

	foreach(lc, measures)
		texts[foreach_current_index(lc)] = strVal(lfirst(lc));
	return text_array_datum(texts, list_length(measures));
}

static void
add_group(Datum content, const AnsweredGroup *group)
{
	Datum		values[] = {content, Int32GetDatum(group->number), CStringGetTextDatum(group->label),
		measures_datum(group->measures), Int64GetDatum(group->patients), bytea_datum(group->chosen, group->chosen_len),
	group->present ? bytea_datum(group->present, group->present_len) : (Datum) 0};

	statement_run(&insert_group, values, group->present ? NULL : "      n");
	pfree(DatumGetPointer(values[5]));
	if (group->present)
		pfree(DatumGetPointer(values[6]));
}

void
answered_record(const Request *request, const List *tables, const uint8 content[HASH_BYTES], uint32 groups,
				const AnsweredGroup *rows, size_t n)
{
	Datum		hash = bytea_datum(content, HASH_BYTES);
	Datum		known[] = {hash, Int32GetDatum(groups)};
	Datum		run[] = {bytea_datum(request->run, RUN_ID_BYTES), hash,
	CStringGetTextDatum(psprintf("%s:%s", request->coordinator, request->requester)), name_array_datum(tables)};
	bool		is_new = statement_run(&insert_content, known, NULL) > 0;

	for (size_t i = 0; i < n && is_new; i++)
		add_group(hash, &rows[i]);
	statement_run(&insert_run, run, NULL);
}

static Statement delete_run = {
	"DELETE FROM secmed.answered_run WHERE run = $1 RETURNING content", 1, {BYTEAOID}
};
static Statement delete_content = {
	"DELETE FROM secmed.answered_content c WHERE content = $1"
	" AND NOT EXISTS (SELECT FROM secmed.answered_run r WHERE r.content = c.content)",
	1, {BYTEAOID}
};

void
answered_forget(const uint8 run[RUN_ID_BYTES])
{
	Datum		value = bytea_datum(run, RUN_ID_BYTES);
	uint8		content[HASH_BYTES];
	bool		known;

	/* Who comes to share it meanwhile waits, and then adds it anew. */
	answered_lock();
	known = statement_begin(&delete_run, &value, NULL) > 0;
	if (known)
		take_bytes(content, HASH_BYTES, 0, 1);
	statement_end(&delete_run);
	if (!known)
		return;
	value = bytea_datum(content, HASH_BYTES);
	statement_run(&delete_content, &value, NULL);
}
