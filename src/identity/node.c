/*
 * node.c
 *	  This node's keys, its peers, and the rights to read them.
 *
 * secmed.node says who this node is, the key file proves it.  A copy of the
 * database without the file (a dump, a template) is not the node, and says
 * so; a file without the row is the rest of a node that was dropped or of a
 * create_node() that crashed, and is set aside when a new node is created.
 */
#include "base/base.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "identity/key_file.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* The rights of the owner ---------------------------------------------------*/

static Oid
find_owner(void)
{
	Oid			extension = get_extension_oid("secmed", true);
	Oid			owner = InvalidOid;
	Relation	catalog;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NO_NODE),
				 errmsg("the extension secmed is not installed in this database"),
				 errhint("Use CREATE EXTENSION secmed, then secmed.create_node().")));
	return owner;
}

/* Kept until a schema changes: ours comes, goes and changes hands with the extension. */
static Oid	kept_owner = InvalidOid;

static void
forget_owner(Datum arg, int cache, uint32 hash)
{
	kept_owner = InvalidOid;
}

static Oid
extension_owner(void)
{
	static bool registered = false;

	if (!registered)
		CacheRegisterSyscacheCallback(NAMESPACEOID, forget_owner, (Datum) 0);
	registered = true;
	if (!OidIsValid(kept_owner))
		kept_owner = find_owner();
	return kept_owner;
}

void
owner_begin(OwnerScope *scope)
{
	Oid			owner = extension_owner();

	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	SetUserIdAndSecContext(owner, scope->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   NODE_OWN_WORK);
	scope->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
owner_end(OwnerScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}

/* Rows of secmed.node and secmed.peer ---------------------------------------*/

typedef struct NodeRow
{
	char	   *name;
	char	   *card;
	char	   *conninfo;
} NodeRow;

static char *
copy_value(MemoryContext context, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(context, value) : NULL;
}

/* Every call between nodes reads these rows, so the plans are kept; found by the address of the query. */
static SPIPlanPtr
kept_plan(const char *query, int nargs, Oid *types)
{
	static struct
	{
		const char *query;
		SPIPlanPtr	plan;
	}			kept[4];
	int			i = 0;

	while (i < lengthof(kept) - 1 && kept[i].query != NULL && kept[i].query != query)
		i++;
	if (kept[i].query != query)
	{
		SPIPlanPtr	plan = SPI_prepare(query, nargs, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "can't prepare to read secmed's tables");
		if (kept[i].plan != NULL)
			SPI_freeplan(kept[i].plan);
		kept[i].query = query;
		kept[i].plan = plan;
	}
	return kept[i].plan;
}

/* One row of (name, card, conninfo), palloc'd; false if there is none.  $1 is param. */
static bool
read_row(NodeRow *row, const char *query, const char *param)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {param ? CStringGetTextDatum(param) : (Datum) 0};
	OwnerScope	scope;
	bool		found;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_plan(kept_plan(query, param ? 1 : 0, types), values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed's tables");
	found = SPI_processed == 1;
	if (found)
	{
		row->name = copy_value(context, 1);
		row->card = copy_value(context, 2);
		row->conninfo = copy_value(context, 3);
	}
	SPI_finish();
	owner_end(&scope);
	return found;
}

char *
card_parse(NodeCard *card, const char *text)
{
	const char *const space = " \t\r\n";
	char	   *line = pstrdup(text + strspn(text, space));
	size_t		len = strlen(line);
	const char *reason;

	while (len > 0 && strchr(space, line[len - 1]))
		line[--len] = '\0';
	if (!card_from_text(card, line, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("this is not a node card"),
				 errdetail("It %s.", reason),
				 errhint("A node's card is one line; its administrator gets it with SELECT secmed.node_card().")));
	return line;
}

/* As card_from_text(); the text that was good last is not checked again. */
static bool
parse_card(NodeCard *card, const char *text, const char **reason)
{
	static char *good_text = NULL;
	static NodeCard good;

	if (good_text == NULL || strcmp(good_text, text) != 0)
	{
		if (!card_from_text(card, text, reason))
			return false;
		if (good_text)
			pfree(good_text);
		good_text = NULL;
		good_text = MemoryContextStrdup(TopMemoryContext, text);
		good = *card;
	}
	*card = good;
	return true;
}

/* A card in our own tables was checked when it came; now again. */
static void
parse_row(NodeCard *card, const NodeRow *row)
{
	const char *reason;

	if (!parse_card(card, row->card, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the stored card of node \"%s\" is damaged", row->name),
				 errdetail("It %s.", reason)));
	if (strcmp(card->name, row->name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the stored card of node \"%s\" is that of \"%s\"", row->name, card->name)));
}

bool
peer_lookup(Peer *peer, const char *name)
{
	NodeRow		row;

	if (!read_row(&row, "SELECT name, card, conninfo FROM secmed.peer WHERE name = $1", name))
		return false;
	parse_row(&peer->card, &row);
	peer->conninfo = row.conninfo;
	return true;
}

void
peer_require(Peer *peer, const char *name)
{
	if (!peer_lookup(peer, name))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_UNKNOWN_NODE),
				 errmsg("node \"%s\" is not known here", name),
				 errhint("Ask its administrator for its card, then use secmed.add_peer().")));
}

/* This node -----------------------------------------------------------------*/

void
node_keys_store(const NodeKeys *keys)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	PG_TRY();
	{
		node_keys_encode(&bytes, keys);
		key_file_write(KEY_FILE_NODE, bytes.data, bytes.len);
	}
	PG_FINALLY();
	{
		wipe(bytes.data, bytes.maxlen);
	}
	PG_END_TRY();
}

/* The keys of the card whose text is self_card, or nothing. */
static NodeKeys self;
static char *self_card = NULL;

static void
forget_self(int code, Datum arg)
{
	wipe(&self, sizeof(self));
	if (self_card)
		pfree(self_card);
	self_card = NULL;
}

bool
card_same_keys(const NodeCard *a, const NodeCard *b)
{
	return memcmp(a->sign_public, b->sign_public, SIGN_PUBLIC_BYTES) == 0 &&
		memcmp(a->seal_public, b->seal_public, SEAL_PUBLIC_BYTES) == 0;
}

static void
load_self(const NodeRow *row)
{
	static bool registered = false;
	uint8		bytes[KEY_FILE_BYTES_MAX];
	const char *reason;
	NodeCard	card;
	size_t		len;
	bool		whole;

	if (!registered)
		on_proc_exit(forget_self, (Datum) 0);
	registered = true;
	forget_self(0, (Datum) 0);

	parse_row(&card, row);
	len = key_file_read(KEY_FILE_NODE, row->name, bytes);
	whole = node_keys_decode(&self, bytes, len, &reason);
	wipe(bytes, sizeof(bytes));
	if (!whole)
		key_file_unusable(KEY_FILE_NODE, row->name, reason, "Restore it from a backup.");
	if (strcmp(self.card.name, card.name) != 0 || !card_same_keys(&self.card, &card))
	{
		forget_self(0, (Datum) 0);
		key_file_unusable(KEY_FILE_NODE, row->name, "holds other keys than those in secmed.node",
					  "Restore the file and secmed.node from the same backup.");
	}
	self_card = MemoryContextStrdup(TopMemoryContext, row->card);
}

const NodeKeys *
node_self(void)
{
	NodeRow		row;

	/* A row may be rolled back or restored, so it is read each time. */
	if (!read_row(&row, "SELECT name, card, NULL::text FROM secmed.node", NULL))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NO_NODE),
				 errmsg("this database is not a node"),
				 errhint("Use secmed.create_node().")));
	if (self_card == NULL || strcmp(self_card, row.card) != 0)
		load_self(&row);
	return &self;
}
