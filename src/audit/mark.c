/*
 * mark.c
 *	  The largest checkpoint that was signed, in a file.
 *
 * Two places in turn, on different disk sectors, each with its checksum, so
 * that a write which a crash cuts short leaves the other.  One fdatasync a
 * checkpoint, and none for the directory.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/mark.h"
#include "storage/fd.h"

#define MARK_FIRST_BYTES	"secmedm1"
#define PLACE_BYTES			4096

/* Network byte order is not needed: the file belongs to this machine. */
typedef struct MarkPlace
{
	char		first[8];
	uint64		turn;			/* one more each time; the larger is the newer */
	Mark		mark;
	uint8		check[HASH_BYTES];	/* SHA-256 of what is before it */
} MarkPlace;

static void
mark_path(char path[MAXPGPATH], const char *ledger)
{
	snprintf(path, MAXPGPATH, "secmed/%s.mark", ledger);
}

static bool
place_is_good(const MarkPlace *place)
{
	uint8		check[HASH_BYTES];

	hash_bytes(check, place, offsetof(MarkPlace, check));
	return memcmp(place->first, MARK_FIRST_BYTES, 8) == 0 && memcmp(place->check, check, HASH_BYTES) == 0;
}

/* The newer of both places, its number, or -1. */
static int
read_places(int fd, Mark *mark, uint64 *turn)
{
	int			newest = -1;

	*turn = 0;
	for (int i = 0; i < 2; i++)
	{
		MarkPlace	place;

		if (pread(fd, &place, sizeof(place), i * PLACE_BYTES) != sizeof(place) || !place_is_good(&place))
			continue;
		if (newest >= 0 && place.turn < *turn)
			continue;
		*mark = place.mark;
		*turn = place.turn;
		newest = i;
	}
	return newest;
}

static void pg_attribute_noreturn()
mark_failed(const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not note in \"%s\" in the data directory what was signed: %m", path)));
}

bool
mark_read(Mark *mark, const char *ledger)
{
	char		path[MAXPGPATH];
	uint64		turn;
	bool		found;
	int			fd;

	mark_path(path, ledger);
	fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		mark_failed(path);
	found = read_places(fd, mark, &turn) >= 0;
	CloseTransientFile(fd);
	return found;
}

void
mark_write(const Mark *mark, const char *ledger)
{
	MarkPlace	place;
	Mark		old;
	uint64		turn;
	char		path[MAXPGPATH];
	bool		is_new;
	int			fd;
	int			newest;

	mark_path(path, ledger);
	fd = OpenTransientFilePerm(path, O_RDWR | O_CREAT | O_NOFOLLOW | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		mark_failed(path);
	newest = read_places(fd, &old, &turn);
	is_new = newest < 0;

	memset(&place, 0, sizeof(place));
	memcpy(place.first, MARK_FIRST_BYTES, 8);
	place.turn = turn + 1;
	place.mark = *mark;
	hash_bytes(place.check, &place, offsetof(MarkPlace, check));
	errno = 0;
	if (pwrite(fd, &place, sizeof(place), newest == 0 ? PLACE_BYTES : 0) != sizeof(place) ||
		pg_fdatasync(fd) != 0)
	{
		if (errno == 0)
			errno = ENOSPC;
		mark_failed(path);
	}
	CloseTransientFile(fd);
	if (is_new)
	{
		fsync_fname(path, false);
		fsync_fname("secmed", true);
	}
}
