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

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define KEY_DIRECTORY		"secmed"
/* A key file has about 250 bytes (node_keys_encode). */
#define KEY_FILE_BYTES_MAX	512

/* The rights of the owner ---------------------------------------------------*/

static Oid
extension_owner(void)
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

void
owner_begin(OwnerScope *scope)
{
	Oid			owner = extension_owner();

	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	SetUserIdAndSecContext(owner, scope->sec_context | SECURITY_LOCAL_USERID_CHANGE);
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
	if (SPI_execute_with_args(query, param ? 1 : 0, types, values, NULL, false, 1) != SPI_OK_SELECT)
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

/* A card in our own tables was checked when it came; now again. */
static void
parse_row(NodeCard *card, const NodeRow *row)
{
	const char *reason;

	if (!card_from_text(card, row->card, &reason))
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

/* Key files -----------------------------------------------------------------*/

static void
key_path(char path[MAXPGPATH], const char *suffix)
{
	snprintf(path, MAXPGPATH, KEY_DIRECTORY "/%u.key%s", MyDatabaseId, suffix);
}

static void pg_attribute_noreturn()
keys_unusable(const char *name, const char *problem, const char *hint)
{
	char		path[MAXPGPATH];

	key_path(path, "");
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NO_NODE),
			 errmsg("the private keys of node \"%s\" can't be used", name),
			 errdetail("The key file %s in the data directory %s.", path, problem),
			 errhint("%s", hint)));
}

static void
check_key_file(const char *name, const struct stat *file)
{
	if (!S_ISREG(file->st_mode))
		keys_unusable(name, "is not a file", "Restore it from a backup.");
	if (file->st_uid != geteuid())
		keys_unusable(name, "belongs to another operating system user",
					  "It must belong to the user the server runs as.");
	if ((file->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		keys_unusable(name, "can be read by others",
					  "Allow it to its owner only (chmod 600). If others may have read it, create new keys.");
	if (file->st_size < 1 || file->st_size > KEY_FILE_BYTES_MAX)
		keys_unusable(name, "has a size that no key file has", "Restore it from a backup.");
}

/* The bytes of the key file; the caller wipes them. */
static size_t
read_key_file(const char *name, uint8 bytes[KEY_FILE_BYTES_MAX])
{
	char		path[MAXPGPATH];
	struct stat file;
	ssize_t		len;
	int			fd;

	key_path(path, "");
	fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		keys_unusable(name, "is missing",
					  "A dump or a copy of the database does not contain it. Copy it from the data directory in which the node was created.");
	if (fd < 0 || fstat(fd, &file) != 0)
		keys_unusable(name, psprintf("can't be opened: %m"), "Restore it from a backup.");
	check_key_file(name, &file);

	len = read(fd, bytes, KEY_FILE_BYTES_MAX);
	CloseTransientFile(fd);
	if (len != file.st_size)
		keys_unusable(name, "can't be read", "Restore it from a backup.");
	return (size_t) len;
}

static void
make_key_directory(void)
{
	if (mkdir(KEY_DIRECTORY, S_IRWXU) == 0)
		fsync_fname(".", true);
	else if (errno != EEXIST)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\" in the data directory: %m", KEY_DIRECTORY)));
}

static void
write_new_file(const char *path, const void *bytes, size_t len)
{
	int			fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY,
										   S_IRUSR | S_IWUSR);

	errno = fd < 0 ? errno : 0;
	if (fd < 0 || write(fd, bytes, len) != (ssize_t) len || pg_fsync(fd) != 0 ||
		CloseTransientFile(fd) != 0)
	{
		if (errno == 0)
			errno = ENOSPC;		/* a short write does not say so */
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write key file \"%s\" in the data directory: %m", path)));
	}
}

/* Key files and rollback ----------------------------------------------------*/

/* The subtransaction that has written a key file and is not yet over. */
static SubTransactionId writer = InvalidSubTransactionId;

static void
remove_written(void)
{
	char		path[MAXPGPATH];

	writer = InvalidSubTransactionId;
	key_path(path, ".new");
	(void) unlink(path);
	key_path(path, "");
	(void) unlink(path);
}

/* Both callbacks run before the lock on secmed.node is released. */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (writer == InvalidSubTransactionId)
		return;
	if (event == XACT_EVENT_ABORT)
		remove_written();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		writer = InvalidSubTransactionId;
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	if (writer != subid)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		remove_written();
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		writer = parent;
}

static void
watch_transactions(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
	watching = true;
}

/* A file without a row in secmed.node: nobody's, but not ours to destroy. */
static void
set_aside(const char *path)
{
	char		aside[MAXPGPATH];
	char		suffix[32];
	struct stat file;

	if (lstat(path, &file) != 0)
		return;
	snprintf(suffix, sizeof(suffix), "." INT64_FORMAT, (int64) GetCurrentTimestamp());
	key_path(aside, suffix);
	durable_rename(path, aside, ERROR);
	ereport(NOTICE,
			(errmsg("a key file of an earlier node was kept as \"%s\" in the data directory", aside)));
}

void
node_keys_store(const NodeKeys *keys)
{
	char		path[MAXPGPATH];
	char		new_path[MAXPGPATH];
	StringInfoData bytes;

	key_path(path, "");
	key_path(new_path, ".new");
	make_key_directory();
	set_aside(path);
	watch_transactions();
	writer = GetCurrentSubTransactionId();
	(void) unlink(new_path);	/* of a crash */

	initStringInfo(&bytes);
	PG_TRY();
	{
		node_keys_encode(&bytes, keys);
		write_new_file(new_path, bytes.data, bytes.len);
	}
	PG_FINALLY();
	{
		wipe(bytes.data, bytes.maxlen);
	}
	PG_END_TRY();
	durable_rename(new_path, path, ERROR);
}

/* This node -----------------------------------------------------------------*/

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
	len = read_key_file(row->name, bytes);
	whole = node_keys_decode(&self, bytes, len, &reason);
	wipe(bytes, sizeof(bytes));
	if (!whole)
		keys_unusable(row->name, reason, "Restore it from a backup.");
	if (strcmp(self.card.name, card.name) != 0 || !card_same_keys(&self.card, &card))
	{
		forget_self(0, (Datum) 0);
		keys_unusable(row->name, "holds other keys than those in secmed.node",
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
