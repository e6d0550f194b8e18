/*
 * files.c
 *	  Files for the command-line tool.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

/* Reads to the end without growing in small steps; the size is only a hint. */
static bool
read_all(int fd, StringInfo out)
{
	struct stat info;
	ssize_t		n;

	if (fstat(fd, &info) != 0)
		return false;
	if (S_ISDIR(info.st_mode))
	{
		errno = EISDIR;
		return false;
	}
	if (info.st_size > 0 && (size_t) info.st_size < FILE_BYTES_MAX)
		enlargeStringInfo(out, (int) info.st_size + 1);
	do
	{
		if ((size_t) out->len > FILE_BYTES_MAX)
		{
			errno = EFBIG;
			return false;
		}
		enlargeStringInfo(out, 4096);
		n = read(fd, out->data + out->len, (size_t) (out->maxlen - out->len - 1));
		if (n > 0)
			out->len += (int) n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	out->data[out->len] = '\0';
	return n == 0;
}

bool
file_read(const char *path, StringInfo out)
{
	int			fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY);
	bool		read = fd >= 0 && read_all(fd, out);
	int			error = errno;

	if (fd > STDIN_FILENO)
		close(fd);
	errno = error;
	return read;
}

/* A file that is there and can't be read is no verdict on the ledger: we stop. */
bool
directory_get(void *arg, const char *path, StringInfo out)
{
	char	   *full = psprintf("%s/%s", (const char *) arg, path);
	bool		read = file_read(full, out);

	if (!read && errno != ENOENT && errno != ENOTDIR)
	{
		fprintf(stderr, "secmed: can't read \"%s\": %s\n", full, strerror(errno));
		exit(2);
	}
	pfree(full);
	return read;
}

bool
file_write_secret(const char *path, const char *text)
{
	int			fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	size_t		len = strlen(text);
	bool		written;

	if (fd < 0)
		return false;
	written = write(fd, text, len) == (ssize_t) len && fsync(fd) == 0;
	return close(fd) == 0 && written;
}
