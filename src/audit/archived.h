/*
 * archived.h
 *	  Entries of this ledger that are in an archive and no longer in the database.
 *
 * archive_ledger() leaves the hashes here, and takes the entries to a directory.
 * A witness that joins later must be sent all of them: where secmed.archive_directory
 * says that the archive is, they are read from there.  What a file says is believed
 * only as far as the ledger's own tiles bear it out.
 */
#ifndef SECMED_ARCHIVED_H
#define SECMED_ARCHIVED_H

#include "ledger/export.h"

/* _PG_init: secmed.archive_directory. */
extern void archived_init(void);

/* Appends a file of an archive; false if it is not there. Errors as for any file. */
extern bool archived_read(const char *path, StringInfo out);

/*
 * The TILE_HASHES entries of a bundle, palloc'd; false, and a WARNING in the
 * log, if no directory is set, the bundle is not there, or holds other entries than the tile.
 * SPI must be connected, as the owner.
 */
extern bool archived_bundle(uint64 number, const uint8 **entries, size_t *lens);

#endif							/* SECMED_ARCHIVED_H */
