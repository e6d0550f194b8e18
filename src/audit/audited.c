/*
 * audited.c
 *	  Which relations leave entries when somebody looks at them.
 *
 * secmed.published is read with a scan of our own, not with SPI: this runs at
 * the start of other people's statements, also in parallel mode.  Whoever
 * writes to it makes all sessions look again (audited_written()).
 */
#include "base/base.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/relation.h"
#include "access/table.h"
#include "audit/audited.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext_data.h"
#include "identity/key_file.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "postmaster/bgworker.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* While it is read it may change again; so often we start anew. */
#define TRIES_MAX			3

/* Column 2 of secmed.published. */
#define PUBLISHED_RELATION	2

typedef struct Own
{
	Oid			schema;			/* InvalidOid: no secmed here */
	Oid			published_schema;
	Oid			shared_schema;
	Oid			node;
	Oid			published;
	Oid			ledger;
} Own;

static Own	own;
static bool valid = false;		/* own, has_node and relations are known */
static bool has_node;
static bool is_new;				/* the sequencer can't see a ledger that is not committed */
static bool has_key;			/* once seen; a node keeps it */
static uint64 changes = 0;		/* how often something was forgotten */

static MemoryContext names = NULL;	/* of the names in relations */
static HTAB *relations = NULL;	/* of Audited */

/* Forgetting ----------------------------------------------------------------*/

static void
forget_all(void)
{
	valid = false;
	changes++;
}

static void
relation_changed(Datum arg, Oid relid)
{
	const Audited *known;

	if (!OidIsValid(relid) || relid == own.node || relid == own.published || relid == own.ledger)
	{
		forget_all();
		return;
	}
	known = valid ? hash_search(relations, &relid, HASH_FIND, NULL) : NULL;
	if (known && OidIsValid(known->root))
		forget_all();
	else if (known)
		(void) hash_search(relations, &relid, HASH_REMOVE, NULL);
}

static void
schema_changed(Datum arg, int cache, uint32 hash)
{
	forget_all();
}

void
audited_written(Oid relid)
{
	if (relid == own.node || relid == own.published)
		CacheInvalidateRelcacheByRelid(relid);
}

static void
empty_cache(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Audited)};

	if (names == NULL)
	{
		names = AllocSetContextCreate(CacheMemoryContext, "secmed audited", ALLOCSET_SMALL_SIZES);
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	}
	relations = NULL;
	MemoryContextReset(names);
	control.hcxt = names;
	relations = hash_create("secmed audited", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* What is published ---------------------------------------------------------*/

static Audited *
remember(Oid relid, Oid root, bool is_own)
{
	bool		found;
	Audited    *audited = hash_search(relations, &relid, HASH_ENTER, &found);

	if (!found)
	{
		audited->root = root;
		audited->own = is_own;
		audited->name = NULL;
	}
	return audited;
}

static Oid
toast_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			toast = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		toast = ((Form_pg_class) GETSTRUCT(tuple))->reltoastrelid;
		ReleaseSysCache(tuple);
	}
	return toast;
}

static void remember_family(Oid relid, Oid root);

static bool
remember_tables_of(Node *node, void *root)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION)
			remember_family(rte->relid, *(Oid *) root);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, remember_tables_of, root, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, remember_tables_of, root);
}

/* The tables that a view shows are published as much as the view. */
static void
remember_view(Oid view, Oid root)
{
	Relation	relation = try_relation_open(view, AccessShareLock);

	if (relation == NULL)
		return;
	(void) remember_tables_of((Node *) get_view_query(relation), &root);
	relation_close(relation, AccessShareLock);
}

/* A relation, what it is made of, and the tables' overlong values. */
static void
remember_family(Oid relid, Oid root)
{
	char		relkind = get_rel_relkind(relid);
	ListCell   *cell;

	if (relkind == '\0' || hash_search(relations, &relid, HASH_FIND, NULL) != NULL)
		return;
	if (relkind == RELKIND_VIEW)
	{
		(void) remember(relid, root, false);
		remember_view(relid, root);
		return;
	}
	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		Oid			child = lfirst_oid(cell);
		Oid			toast = toast_of(child);

		(void) remember(child, root, false);
		if (OidIsValid(toast))
			(void) remember(toast, root, false);
	}
}

/* Statements may be so long that they are kept in a TOAST table. */
static void
remember_own_toast(const char *name)
{
	Oid			relid = get_relname_relid(name, own.schema);
	Oid			toast = OidIsValid(relid) ? toast_of(relid) : InvalidOid;

	if (OidIsValid(toast))
		(void) remember(toast, toast, true);
}

static void
remember_published(void)
{
	Relation	published = table_open(own.published, AccessShareLock);
	SysScanDesc scan = systable_beginscan(published, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(heap_getattr(tuple, PUBLISHED_RELATION,
														  RelationGetDescr(published), &isnull));

		if (!isnull)
			remember_family(relid, relid);
	}
	systable_endscan(scan);
	table_close(published, AccessShareLock);
}

/* Is this a node? -----------------------------------------------------------*/

static bool
node_has_row(void)
{
	Relation	node = table_open(own.node, AccessShareLock);
	SysScanDesc scan = systable_beginscan(node, InvalidOid, false, NULL, 0, NULL);
	bool		found = HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	table_close(node, AccessShareLock);
	return found;
}

static void
find_own(void)
{
	memset(&own, 0, sizeof(own));
	own.schema = get_namespace_oid("secmed", true);
	own.published_schema = get_namespace_oid("secmed_published", true);
	own.shared_schema = get_namespace_oid("secmed_shared", true);
	if (!OidIsValid(own.schema))
		return;
	own.node = get_relname_relid("node", own.schema);
	own.published = get_relname_relid("published", own.schema);
	own.ledger = get_relname_relid("ledger", own.schema);
}

static bool
ledger_is_new(void)
{
	Relation	ledger = RelationIdGetRelation(own.ledger);
	bool		is_new;

	if (!RelationIsValid(ledger))
		return true;
	is_new = ledger->rd_createSubid != InvalidSubTransactionId;
	RelationClose(ledger);
	return is_new;
}

static void
read_all(void)
{
	for (int tries = 0; tries < TRIES_MAX && !valid; tries++)
	{
		uint64		before = changes;

		empty_cache();
		find_own();
		has_node = OidIsValid(own.node) && OidIsValid(own.published) && OidIsValid(own.ledger) &&
			node_has_row();
		if (has_node)
		{
			remember_own_toast("ledger");
			remember_own_toast("ledger_payload");
			remember_published();
		}
		valid = changes == before || tries == TRIES_MAX - 1;
	}
	/* Nothing tells that it is committed: look again each time until then. */
	is_new = has_node && ledger_is_new();
	valid = valid && !is_new;
}

static bool
own_work(void)
{
	Oid			userid;
	int			context;

	GetUserIdAndSecContext(&userid, &context);
	if (context & NODE_OWN_WORK)
		return true;
	return MyBgworkerEntry != NULL && !IsParallelWorker() &&
		strcmp(MyBgworkerEntry->bgw_library_name, "secmed") == 0;
}

bool
audited_here(void)
{
	if ((valid && !has_node) || !OidIsValid(MyDatabaseId) || own_work())
		return false;
	if (!valid)
		read_all();
	return has_node;
}

bool
audited_for_real(void)
{
	if (!has_key)
		has_key = key_file_exists(KEY_FILE_NODE, MyDatabaseId);
	return has_key && OidIsValid(own.ledger) && !is_new;
}

Oid
audited_ledger(void)
{
	return own.ledger;
}

bool
audited_ledger_is_there(void)
{
	return OidIsValid(own.ledger) && SearchSysCacheExists1(RELOID, ObjectIdGetDatum(own.ledger));
}

/* One relation --------------------------------------------------------------*/

bool
audited_schema(Oid namespace)
{
	return OidIsValid(namespace) &&
		(namespace == own.schema || namespace == own.published_schema);
}

bool
audited_in_schema(Oid namespace)
{
	HASH_SEQ_STATUS all;
	Audited    *audited;
	List	   *relids = NIL;
	ListCell   *cell;

	if (namespace == own.shared_schema)
		return true;
	/* Looking up a schema may change the table. */
	hash_seq_init(&all, relations);
	while ((audited = hash_seq_search(&all)) != NULL)
		if (OidIsValid(audited->root))
			relids = lappend_oid(relids, audited->relid);
	foreach(cell, relids)
		if (get_rel_namespace(lfirst_oid(cell)) == namespace)
			return true;
	return false;
}

/* PostgreSQL names it after the table whose overlong values it holds. */
static Oid
table_of_toast(Oid relid)
{
	char	   *name = get_rel_name(relid);
	Oid			table;

	return name && sscanf(name, "pg_toast_%u", &table) == 1 ? table : InvalidOid;
}

static bool
is_shared(Oid relid, Oid namespace)
{
	if (namespace == PG_TOAST_NAMESPACE)
		namespace = get_rel_namespace(table_of_toast(relid));
	return OidIsValid(namespace) && namespace == own.shared_schema;
}

static Audited *
decide(Oid relid)
{
	if (is_shared(relid, get_rel_namespace(relid)))
		return remember(relid, relid, false);
	if (relid == StatisticRelationId || relid == StatisticExtDataRelationId)
		return remember(relid, relid, false);
	if (audited_schema(get_rel_namespace(relid)))
		return remember(relid, relid, true);
	return remember(relid, InvalidOid, false);
}

static char *
full_name(Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);

	return MemoryContextStrdup(names, schema && name ? quote_qualified_identifier(schema, name) : "?");
}

const Audited *
audited_find(Oid relid)
{
	Audited    *audited;

	if (!valid)
		read_all();
	audited = hash_search(relations, &relid, HASH_FIND, NULL);
	if (audited == NULL)
		audited = decide(relid);
	if (!OidIsValid(audited->root))
		return NULL;
	if (audited->name == NULL)
	{
		char	   *name = full_name(relid);

		/* Looking it up may have made us forget. */
		audited = remember(relid, audited->root, audited->own);
		audited->name = name;
	}
	return audited;
}
