/*
 * node_sql.c
 *	  secmed.create_node(), add_peer() and remove_peer(): what changes who this
 *	  node is and whom it knows, and writes so to the ledger.
 *
 * The entry is durable before the function returns, and stays if the caller
 * rolls back.  Its outcome is therefore "asked": somebody asked for the
 * change; whether it holds is what secmed.node and secmed.peer say.
 *
 * The change is made first and the entry written last, so that what is
 * refused leaves no entry.
 */
#include "base/base.h"

#include <libpq-fe.h>

#include "audit/append.h"
#include "audit/log_key.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_create_node);
PG_FUNCTION_INFO_V1(secmed_add_peer);
PG_FUNCTION_INFO_V1(secmed_remove_peer);

static void
run(const char *command, int expected, int nargs, Oid *types, Datum *values, const char *nulls)
{
	if (SPI_execute_with_args(command, nargs, types, values, nulls, false, 0) != expected)
		elog(ERROR, "SPI could not run: %s", command);
}

static char *
value(int row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

static char *
fingerprint_text(const NodeCard *card)
{
	char	   *text = palloc(FINGERPRINT_TEXT_BYTES);
	uint8		hash[HASH_BYTES];

	card_fingerprint(hash, card);
	fingerprint_to_text(text, hash);
	return text;
}

/* Writes to the ledger that this was asked for, durably. */
static void
write_asked(EntryKind kind, const NodeCard *card, const char *site)
{
	LedgerEntry entry = {
		.kind = kind,
		/* The person who logged in, whatever role they have taken on. */
		.actor = GetUserNameFromId(GetSessionUserId(), false),
		.object = psprintf("%s %s", card->name, fingerprint_text(card)),
		.outcome = "asked",
		.site = site,
	};

	audit_wait(audit_append(&entry, NULL, 0));
}

/* create_node ---------------------------------------------------------------*/

static void
require_no_node(void)
{
	run("SELECT name FROM secmed.node", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("this database is already node \"%s\"", value(0, 1)),
				 errdetail("A database is one node, and keeps its name and keys.")));
}

/*
 * An earlier create_node() that was rolled back has left its entry: the
 * ledger goes on under that name or not at all.  The sequencer insists on it
 * as well; here the error comes before anything is made.
 */
static void
require_own_ledger(const char *name)
{
	LedgerEntry last;
	const char *reason;
	bytea	   *bytes;
	bool		isnull;

	run("SELECT entry FROM secmed.ledger ORDER BY seq DESC LIMIT 1",
		SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed == 0)
		return;
	bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (!entry_decode(&last, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger of this database is broken"),
				 errdetail("Its last entry %s.", reason)));
	if (strcmp(last.site, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger of this database was begun by node \"%s\"", last.site),
				 errdetail("A ledger is never begun a second time, even if the node's creation was rolled back."),
				 errhint("Create the node with that name, or drop the extension and create it again to begin a new ledger.")));
}

static void
store_node(const NodeKeys *keys)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(keys->card.name),
	CStringGetTextDatum(card_to_text(keys))};

	run("INSERT INTO secmed.node (name, card) VALUES ($1::name, $2)",
		SPI_OK_INSERT, 2, types, values, NULL);
	node_keys_store(keys);
}

static NodeCard
make_node(const char *name)
{
	NodeKeys	keys;
	NodeCard	card;
	int64		now_us = GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	node_keys_generate(&keys, name, now_us);
	card = keys.card;
	PG_TRY();
	{
		store_node(&keys);
	}
	PG_FINALLY();
	{
		wipe(&keys, sizeof(keys));
	}
	PG_END_TRY();
	return card;
}

/* A key for the ledger's checkpoints, and the entry that introduces it. */
static void
make_log_key(LedgerEntry *entry, const char *name)
{
	KeyHistory *history = palloc(sizeof(KeyHistory));
	const char *reason;

	if (!store_keys(history, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger of this database is broken"),
				 errdetail("One of its keys %s.", reason)));
	log_key_create(entry, history, name);
	entry->actor = GetUserNameFromId(GetSessionUserId(), false);
}

Datum
secmed_create_node(PG_FUNCTION_ARGS)
{
	const char *name = NameStr(*PG_GETARG_NAME(0));
	MemoryContext caller = CurrentMemoryContext;
	OwnerScope	scope;
	NodeCard	card;
	LedgerEntry key;

	PreventCommandIfReadOnly("secmed.create_node()");
	if (!node_name_valid(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" can't be the name of a node", name),
				 errdetail("A node's name has 1 to %d of a-z, 0-9, _ and -, and begins with a letter.",
						   NODE_NAME_BYTES_MAX)));

	owner_begin(&scope);
	SPI_connect();
	run("LOCK TABLE secmed.node IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	require_no_node();
	require_own_ledger(name);
	card = make_node(name);
	MemoryContextSwitchTo(caller);	/* the entry outlives SPI's */
	make_log_key(&key, name);
	SPI_finish();
	owner_end(&scope);

	write_asked(ENTRY_NODE_CREATED, &card, name);
	audit_wait(audit_append(&key, NULL, 0));
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint_text(&card)));
}

/* add_peer, remove_peer -----------------------------------------------------*/

static void pg_attribute_noreturn()
other_key(const NodeCard *card, const NodeCard *known)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_WRONG_KEY),
			 errmsg("node \"%s\" is known with another key", card->name),
			 errdetail("Its fingerprint is %s, that of this card %s.",
					   fingerprint_text(known), fingerprint_text(card)),
			 errhint("If the node really has new keys (ask by phone), use secmed.remove_peer('%s') first.",
					 card->name)));
}

static void pg_attribute_noreturn()
other_name(const NodeCard *card, const NodeCard *known)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_WRONG_KEY),
			 errmsg("the key of this card is known as that of node \"%s\"", known->name),
			 errdetail("The card is that of \"%s\"; two nodes never share a key.", card->name),
			 errhint("If the node has a new name, use secmed.remove_peer('%s') first.", known->name)));
}

static void
check_against(const NodeCard *card, const NodeCard *known)
{
	bool		share_a_key =
		memcmp(card->sign_public, known->sign_public, SIGN_PUBLIC_BYTES) == 0 ||
		memcmp(card->seal_public, known->seal_public, SEAL_PUBLIC_BYTES) == 0;

	if (strcmp(card->name, known->name) != 0 && share_a_key)
		other_name(card, known);
	if (strcmp(card->name, known->name) == 0 && !card_same_keys(card, known))
		other_key(card, known);
}

static void
check_against_peers(const NodeCard *card)
{
	run("SELECT card FROM secmed.peer", SPI_OK_SELECT, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		NodeCard	known;

		(void) card_parse(&known, value((int) i, 1));
		check_against(card, &known);
	}
}

/* This node may be its own peer, but nobody else goes by its name or key. */
static void
check_against_self(const NodeCard *card)
{
	const NodeCard *self = &node_self()->card;

	if (strcmp(card->name, self->name) == 0 && !card_same_keys(card, self))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("this node itself is \"%s\", and this card has another key", self->name),
				 errhint("Each node needs a name of its own.")));
	check_against(card, self);
}

/* Is every item of a list of hosts a name or address, none a socket? */
static bool
all_network(const char *list)
{
	for (const char *item = list;; item++)
	{
		size_t		len = strcspn(item, ",");

		if (len == 0 || item[0] == '/' || item[0] == '@')
			return false;
		item += len;
		if (*item == '\0')
			return true;
	}
}

/*
 * Connections are made as the server's operating-system user.  Over a Unix
 * socket that name alone may open a superuser's session, so only a superuser
 * may send the node there, be it by leaving the host out, or by a service
 * file that names it.
 */
static void
check_way(const PQconninfoOption *options)
{
	bool		named = false;
	bool		network = true;

	for (; options->keyword != NULL; options++)
	{
		if (options->val == NULL)
			continue;
		if (strcmp(options->keyword, "service") == 0)
			network = false;
		if (strcmp(options->keyword, "host") == 0 || strcmp(options->keyword, "hostaddr") == 0)
		{
			named = true;
			network = network && all_network(options->val);
		}
	}
	if (!(named && network) && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only a superuser may add a peer that could be reached over a Unix socket"),
				 errhint("Name a host: 'host=db.charite.example dbname=research ...'.")));
}

/* libpq's own message quotes the string, which may hold a password. */
static void
check_conninfo(const char *conninfo)
{
	char	   *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);

	if (options == NULL)
	{
		PQfreemem(message);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the connection string is not valid"),
				 errdetail("It is not shown here, as it may hold a password."),
				 errhint("A connection string is like 'host=db.charite.example dbname=research user=secmed_login'.")));
	}
	check_way(options);
	PQconninfoFree(options);
}

static void
store_peer(const NodeCard *card, const char *line, const char *conninfo, const char *added_by)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(card->name), CStringGetTextDatum(line),
	conninfo ? CStringGetTextDatum(conninfo) : (Datum) 0, CStringGetTextDatum(added_by)};

	run("INSERT INTO secmed.peer (name, card, conninfo, added_by)"
		" VALUES ($1::name, $2, $3, $4::name)"
		" ON CONFLICT (name) DO UPDATE SET card = EXCLUDED.card, conninfo = EXCLUDED.conninfo",
		SPI_OK_INSERT, 4, types, values, conninfo ? "    " : "  n ");
}

Datum
secmed_add_peer(PG_FUNCTION_ARGS)
{
	char	   *conninfo = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *caller = GetUserNameFromId(GetUserId(), false);
	char	   *line;
	OwnerScope	scope;
	NodeCard	card;

	PreventCommandIfReadOnly("secmed.add_peer()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a peer needs a card")));
	line = card_parse(&card, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (conninfo)
		check_conninfo(conninfo);
	check_against_self(&card);

	owner_begin(&scope);
	SPI_connect();
	run("LOCK TABLE secmed.peer IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	check_against_peers(&card);
	store_peer(&card, line, conninfo, caller);
	SPI_finish();
	owner_end(&scope);

	write_asked(ENTRY_PEER_ADDED, &card, NULL);
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint_text(&card)));
}

Datum
secmed_remove_peer(PG_FUNCTION_ARGS)
{
	char	   *name = NameStr(*PG_GETARG_NAME(0));
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	OwnerScope	scope;
	Peer		peer;

	PreventCommandIfReadOnly("secmed.remove_peer()");
	peer_require(&peer, name);

	owner_begin(&scope);
	SPI_connect();
	run("DELETE FROM secmed.peer WHERE name = $1", SPI_OK_DELETE, 1, types, values, NULL);
	SPI_finish();
	owner_end(&scope);

	write_asked(ENTRY_PEER_REMOVED, &peer.card, NULL);
	PG_RETURN_VOID();
}
