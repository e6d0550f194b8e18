/*
 * key_file.h
 *	  Private keys in the data directory (server only).
 *
 * $PGDATA/secmed/<database oid>.key holds the node's keys,
 * <database oid>.log.key that which signs its ledger's checkpoints, and
 * <database oid>.cosigner.key that which countersigns those of others: 0600,
 * never in a table or a dump.
 */
#ifndef SECMED_KEY_FILE_H
#define SECMED_KEY_FILE_H

#include "base/base.h"

/* A node's keys have about 250 bytes (node_keys_encode), a log's about 110, or 210 with the one before. */
#define KEY_FILE_BYTES_MAX	512

typedef enum KeyFile
{
	KEY_FILE_NODE,
	KEY_FILE_LOG,
	KEY_FILE_COSIGNER
} KeyFile;

/*
 * The bytes of this database's key file; the caller wipes them.
 * ERRCODE_SECMED_NO_NODE, with the node's name, when it is missing or
 * readable by others.
 */
extern size_t key_file_read(KeyFile file, const char *name, uint8 bytes[KEY_FILE_BYTES_MAX]);

/* Is it there?  A copy of a database does not have it. */
extern bool key_file_exists(KeyFile file, Oid database);

/*
 * Writes it, durably.  To be called in the transaction that inserts into
 * secmed.node, after that and with the table locked: the file is removed if
 * the (sub)transaction is rolled back.  A file that is there (of a node that
 * was dropped, or of a crash) is set aside under a new name, never
 * overwritten.
 */
extern void key_file_write(KeyFile file, const void *bytes, size_t len);

/*
 * Writes it, durably, in place of the one that is there, whatever becomes of the
 * transaction: the new content holds all of the old that is still needed.
 */
extern void key_file_replace(KeyFile file, const void *bytes, size_t len);

/* Its content is not what it must be. */
extern void key_file_unusable(KeyFile file, const char *name, const char *problem, const char *hint)
			pg_attribute_noreturn();

#endif							/* SECMED_KEY_FILE_H */
