/*
 * archived.c
 *	  Entries of this ledger that are in an archive and no longer in the database.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/archived.h"
#include "ledger/entry.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"

/* Each entry after its length in two bytes. */
#define LENGTH_BYTES		2
#define BUNDLE_BYTES_MAX	(TILE_HASHES * (LENGTH_BYTES + LEDGER_ENTRY_BYTES_MAX))

static char *archive_directory = NULL;

static bool
check_directory(char **value, void **extra, GucSource source)
{
	if (**value == '\0' || (is_absolute_path(*value) && strlen(*value) + TILE_PATH_BYTES + 16 <= MAXPGPATH))
		return true;
	GUC_check_errdetail("The directory of an archive is an absolute path on the server, of at most %d bytes.",
						MAXPGPATH - TILE_PATH_BYTES - 16);
	return false;
}

void
archived_init(void)
{
	DefineCustomStringVariable("secmed.archive_directory",
							   "Sets where archive_ledger() has put old entries.",
							   "Witnesses that join later are sent them from there.",
							   &archive_directory, "", PGC_SUSET, GUC_SUPERUSER_ONLY,
							   check_directory, NULL, NULL);
}

static void pg_attribute_noreturn()
file_failed(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\" of the archive: %m", what, path)));
}

bool
archived_read(const char *path, StringInfo out)
{
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	char		buffer[BLCKSZ];
	ssize_t		n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return false;
	if (fd < 0)
		file_failed("open", path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		appendBinaryStringInfo(out, buffer, (int) n);
	if (n < 0)
		file_failed("read", path);
	CloseTransientFile(fd);
	return true;
}

/* Is it an entry of that length, and the one whose hash the tile has? */
static bool
take_entry(const uint8 **at, const uint8 *end, const uint8 hash[HASH_BYTES], const uint8 **entry, size_t *len)
{
	uint8		found[HASH_BYTES];

	if (end - *at < LENGTH_BYTES)
		return false;
	*len = (size_t) (*at)[0] << 8 | (*at)[1];
	*entry = *at + LENGTH_BYTES;
	if (*len > (size_t) (end - *entry))
		return false;
	*at = *entry + *len;
	entry_hash(found, *entry, *len);
	return memcmp(found, hash, HASH_BYTES) == 0;
}

static const char *
read_bundle(uint64 number, StringInfo bytes, const uint8 **entries, size_t *lens)
{
	char		name[TILE_PATH_BYTES];
	char	   *path;
	struct stat status;
	uint8		hashes[TILE_HASHES][HASH_BYTES];
	const uint8 *at;

	if (archive_directory == NULL || archive_directory[0] == '\0')
		return "secmed.archive_directory does not say where";
	tile_path(name, TILE_ENTRIES, number, TILE_HASHES);
	path = psprintf("%s/%s", archive_directory, name);
	if (stat(path, &status) == 0 && status.st_size > BUNDLE_BYTES_MAX)
		return "its file is longer than any bundle";
	if (!archived_read(path, bytes))
		return "no file of that name is in secmed.archive_directory";
	if (!store_tile(0, number, hashes))
		return "this ledger has no hashes of it";
	at = (const uint8 *) bytes->data;
	for (int i = 0; i < TILE_HASHES; i++)
		if (!take_entry(&at, (const uint8 *) bytes->data + bytes->len, hashes[i], &entries[i], &lens[i]))
			return "its file does not hold the entries of this ledger";
	return at == (const uint8 *) bytes->data + bytes->len ? NULL : "its file goes on after the last entry";
}

bool
archived_bundle(uint64 number, const uint8 **entries, size_t *lens)
{
	StringInfoData bytes;
	const char *problem;

	initStringInfo(&bytes);
	problem = read_bundle(number, &bytes, entries, lens);
	if (problem == NULL)
		return true;
	ereport(WARNING,
			(errmsg("archived entries from " UINT64_FORMAT " on can't be sent to a witness: %s",
					number * TILE_HASHES, problem)));
	return false;
}
