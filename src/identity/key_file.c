/*
 * key_file.c
 *	  Private keys in the data directory.
 *
 * A file without a row in secmed.node is the rest of a node that was dropped
 * or of a create_node() that crashed: it is nobody's, but not ours to destroy.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "identity/key_file.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#define KEY_DIRECTORY		"secmed"

/* Key files -----------------------------------------------------------------*/

static void
database_key_path(char path[MAXPGPATH], Oid database, KeyFile file, const char *suffix)
{
	static const char *const kinds[] = {"", "log.", "cosigner."};

	snprintf(path, MAXPGPATH, KEY_DIRECTORY "/%u.%skey%s", database, kinds[file], suffix);
}

static void
key_path(char path[MAXPGPATH], KeyFile file, const char *suffix)
{
	database_key_path(path, MyDatabaseId, file, suffix);
}

bool
key_file_exists(KeyFile file, Oid database)
{
	char		path[MAXPGPATH];

	database_key_path(path, database, file, "");
	return access(path, F_OK) == 0;
}

void
key_file_unusable(KeyFile file, const char *name, const char *problem, const char *hint)
{
	char		path[MAXPGPATH];

	key_path(path, file, "");
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NO_NODE),
			 errmsg("the private keys of node \"%s\" can't be used", name),
			 errdetail("The key file %s in the data directory %s.", path, problem),
			 errhint("%s", hint)));
}

static void
check_key_file(KeyFile file, const char *name, const struct stat *stats)
{
	if (!S_ISREG(stats->st_mode))
		key_file_unusable(file, name, "is not a file", "Restore it from a backup.");
	if (stats->st_uid != geteuid())
		key_file_unusable(file, name, "belongs to another operating system user",
					  "It must belong to the user the server runs as.");
	if ((stats->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		key_file_unusable(file, name, "can be read by others",
					  "Allow it to its owner only (chmod 600). If others may have read it, create new keys.");
	if (stats->st_size < 1 || stats->st_size > KEY_FILE_BYTES_MAX)
		key_file_unusable(file, name, "has a size that no key file has", "Restore it from a backup.");
}

size_t
key_file_read(KeyFile file, const char *name, uint8 bytes[KEY_FILE_BYTES_MAX])
{
	char		path[MAXPGPATH];
	struct stat stats;
	ssize_t		len;
	int			fd;

	key_path(path, file, "");
	fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		key_file_unusable(file, name, "is missing",
					  "A dump or a copy of the database does not contain it. Copy it from the data directory in which the node was created.");
	if (fd < 0 || fstat(fd, &stats) != 0)
		key_file_unusable(file, name, psprintf("can't be opened: %m"), "Restore it from a backup.");
	check_key_file(file, name, &stats);

	len = read(fd, bytes, KEY_FILE_BYTES_MAX);
	CloseTransientFile(fd);
	if (len != stats.st_size)
		key_file_unusable(file, name, "can't be read", "Restore it from a backup.");
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

/* The subtransaction that has written each file and is not yet over. */
static SubTransactionId writers[KEY_FILE_COSIGNER + 1];

static void
remove_written(KeyFile file)
{
	char		path[MAXPGPATH];

	writers[file] = InvalidSubTransactionId;
	key_path(path, file, ".new");
	(void) unlink(path);
	key_path(path, file, "");
	(void) unlink(path);
}

/* Both callbacks run before the lock on secmed.node is released. */
static void
transaction_ends(XactEvent event, void *arg)
{
	for (KeyFile file = KEY_FILE_NODE; file <= KEY_FILE_COSIGNER; file++)
	{
		if (writers[file] == InvalidSubTransactionId)
			continue;
		if (event == XACT_EVENT_ABORT)
			remove_written(file);
		if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
			writers[file] = InvalidSubTransactionId;
	}
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	for (KeyFile file = KEY_FILE_NODE; file <= KEY_FILE_COSIGNER; file++)
	{
		if (writers[file] != subid)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			remove_written(file);
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			writers[file] = parent;
	}
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
set_aside(KeyFile kind, const char *path)
{
	char		aside[MAXPGPATH];
	char		suffix[32];
	struct stat file;

	if (lstat(path, &file) != 0)
		return;
	snprintf(suffix, sizeof(suffix), "." INT64_FORMAT, (int64) GetCurrentTimestamp());
	key_path(aside, kind, suffix);
	durable_rename(path, aside, ERROR);
	ereport(NOTICE,
			(errmsg("a key file of an earlier node was kept as \"%s\" in the data directory", aside)));
}

void
key_file_write(KeyFile file, const void *bytes, size_t len)
{
	char		path[MAXPGPATH];
	char		new_path[MAXPGPATH];

	key_path(path, file, "");
	key_path(new_path, file, ".new");
	make_key_directory();
	set_aside(file, path);
	watch_transactions();
	writers[file] = GetCurrentSubTransactionId();
	(void) unlink(new_path);	/* of a crash */
	write_new_file(new_path, bytes, len);
	durable_rename(new_path, path, ERROR);
}

void
key_file_replace(KeyFile file, const void *bytes, size_t len)
{
	char		path[MAXPGPATH];
	char		new_path[MAXPGPATH];

	key_path(path, file, "");
	key_path(new_path, file, ".new");
	make_key_directory();
	(void) unlink(new_path);	/* of a crash */
	write_new_file(new_path, bytes, len);
	durable_rename(new_path, path, ERROR);
}
