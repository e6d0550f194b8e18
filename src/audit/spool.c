/*
 * spool.c
 *	  The file that entries go to when the ledger can't be written.
 *
 * queue->spool_lock is held while the file is written, set aside or found
 * gone, so nobody writes to one that is being taken.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/queue.h"
#include "audit/spool.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#define SPOOL_DIRECTORY		"secmed"

static void
spool_path(char path[MAXPGPATH], const char *suffix)
{
	snprintf(path, MAXPGPATH, SPOOL_DIRECTORY "/%u.spool%s", MyDatabaseId, suffix);
}

static bool
file_exists(const char *suffix)
{
	char		path[MAXPGPATH];
	struct stat stats;

	spool_path(path, suffix);
	return lstat(path, &stats) == 0;
}

/* In use --------------------------------------------------------------------*/

bool
spool_in_use(Oid database)
{
	bool		in_use = false;

	/* A database that is not seen yet is seen under the lock of the file. */
	for (int i = 0; i < LEDGER_DATABASES; i++)
		in_use = in_use || queue->spooling[i] == database;
	return in_use;
}

/* The caller holds the lock of the file. */
static void
set_in_use(bool in_use)
{
	if (spool_in_use(MyDatabaseId) == in_use)
		return;
	for (int i = 0; i < LEDGER_DATABASES; i++)
		if (queue->spooling[i] == (in_use ? InvalidOid : MyDatabaseId))
		{
			queue->spooling[i] = in_use ? MyDatabaseId : InvalidOid;
			return;
		}
}

/* Writing -------------------------------------------------------------------*/

static void pg_attribute_noreturn()
can_not_write(const char *path)
{
	if (errno == 0)
		errno = ENOSPC;			/* a short write does not say so */
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger can't be written, and neither can its spool"),
			 errdetail("File \"%s\" in the data directory: %m.", path)));
}

/* A file whose header never got to the disk holds nothing that was promised. */
static bool
read_header(int fd, uint8 id[SPOOL_ID_BYTES])
{
	uint8		header[SPOOL_HEADER_BYTES];
	ssize_t		n = pg_pread(fd, header, SPOOL_HEADER_BYTES, 0);
	const uint8 *found = n > 0 ? spooled_id(header, n) : NULL;

	if (found)
		memcpy(id, found, SPOOL_ID_BYTES);
	return found != NULL;
}

static void
keep_damaged(const char *path)
{
	char		aside[MAXPGPATH];

	spool_path(aside, psprintf(".damaged." INT64_FORMAT, (int64) GetCurrentTimestamp()));
	(void) durable_rename(path, aside, ERROR);
	ereport(LOG, (errmsg("a damaged spool of the ledger was kept as \"%s\"", aside)));
}

static int
open_for_append(const char *path, off_t *size)
{
	struct stat stats;
	uint8		id[SPOOL_ID_BYTES];
	int			fd;

	errno = 0;
	if (mkdir(SPOOL_DIRECTORY, S_IRWXU) == 0)
		fsync_fname(".", true);
	fd = OpenTransientFilePerm(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | PG_BINARY,
							   S_IRUSR | S_IWUSR);
	if (fd < 0 || fstat(fd, &stats) != 0)
		can_not_write(path);
	*size = stats.st_size;
	if (*size > 0 && !read_header(fd, id))
	{
		CloseTransientFile(fd);
		keep_damaged(path);
		return open_for_append(path, size);
	}
	return fd;
}

/* All of it and flushed, or the file as it was before as far as that is possible. */
static void
write_durably(int fd, const char *path, off_t size, const StringInfoData *bytes)
{
	errno = 0;
	if (write(fd, bytes->data, bytes->len) != bytes->len || pg_fdatasync(fd) != 0)
	{
		int			save_errno = errno;

		if (ftruncate(fd, size) != 0 || pg_fdatasync(fd) != 0)
			ereport(LOG, (errmsg("the ledger's spool has a torn entry: %m")));
		errno = save_errno;
		can_not_write(path);
	}
	if (CloseTransientFile(fd) != 0)
		can_not_write(path);
	if (size == 0)
		fsync_fname(SPOOL_DIRECTORY, true);
}

static void
append_frame(const SpooledEntry *spooled)
{
	char		path[MAXPGPATH];
	StringInfoData bytes;
	off_t		size;
	int			fd;

	spool_path(path, "");
	initStringInfo(&bytes);
	fd = open_for_append(path, &size);
	if (size == 0)
	{
		uint8		id[SPOOL_ID_BYTES];
		uint8		header[SPOOL_HEADER_BYTES];

		random_bytes(id, SPOOL_ID_BYTES);
		spooled_header(header, id);
		appendBinaryStringInfo(&bytes, (char *) header, SPOOL_HEADER_BYTES);
	}
	spooled_write(&bytes, spooled);
	write_durably(fd, path, size, &bytes);
	wipe(bytes.data, bytes.len);
	pfree(bytes.data);
}

bool
spool_append(const SpooledEntry *spooled, bool only_if_used)
{
	bool		append;

	LWLockAcquire(queue->spool_lock, LW_EXCLUSIVE);
	append = !only_if_used || spool_in_use(MyDatabaseId);
	if (append)
	{
		append_frame(spooled);
		set_in_use(true);
	}
	LWLockRelease(queue->spool_lock);
	return append;
}

/* Taking --------------------------------------------------------------------*/

/* The open reader's file: not a transient one, those end with each transaction. */
static int	reader_fd = -1;

bool
spool_exists(void)
{
	return file_exists("") || file_exists(".taken");
}

static void
set_aside(void)
{
	char		path[MAXPGPATH];
	char		taken[MAXPGPATH];

	spool_path(path, "");
	spool_path(taken, ".taken");
	LWLockAcquire(queue->spool_lock, LW_EXCLUSIVE);
	if (!file_exists(".taken") && file_exists(""))
		(void) durable_rename(path, taken, ERROR);
	LWLockRelease(queue->spool_lock);
}

bool
spool_open(SpoolReader *reader)
{
	char		path[MAXPGPATH];

	set_aside();
	memset(reader, 0, sizeof(*reader));
	spool_path(path, ".taken");
	reader_fd = reader->fd = BasicOpenFile(path, O_RDONLY | O_NOFOLLOW | PG_BINARY);
	if (reader->fd < 0 && errno == ENOENT)
		return false;
	if (reader->fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open the ledger's spool \"%s\": %m", path)));
	if (!read_header(reader->fd, reader->id))
	{
		spool_forget_reader();
		keep_damaged(path);
		return false;
	}
	reader->at = SPOOL_HEADER_BYTES;
	reader->buffer = palloc(SPOOL_FRAME_BYTES_MAX);
	return true;
}

bool
spool_read(SpoolReader *reader, SpooledEntry *spooled)
{
	for (;;)
	{
		ssize_t		n = pg_pread(reader->fd, reader->buffer, SPOOL_FRAME_BYTES_MAX, reader->at);
		size_t		len;

		CHECK_FOR_INTERRUPTS();
		if (n < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read the ledger's spool: %m")));
		if (n == 0)
			return false;
		len = spooled_read(spooled, reader->buffer, n);
		if (len > 0)
		{
			reader->at += len;
			return true;
		}
		len = spooled_skip(reader->buffer, n);
		reader->at += len;
		reader->lost += len;
	}
}

void
spool_close(SpoolReader *reader)
{
	wipe(reader->buffer, SPOOL_FRAME_BYTES_MAX);
	pfree(reader->buffer);
	spool_forget_reader();
}

void
spool_forget_reader(void)
{
	if (reader_fd >= 0)
		(void) close(reader_fd);
	reader_fd = -1;
}

void
spool_remove_taken(void)
{
	char		path[MAXPGPATH];

	spool_path(path, ".taken");
	(void) durable_unlink(path, ERROR);
}

void
spool_end(void)
{
	LWLockAcquire(queue->spool_lock, LW_EXCLUSIVE);
	set_in_use(false);
	LWLockRelease(queue->spool_lock);
}
