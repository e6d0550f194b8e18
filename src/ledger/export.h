/*
 * export.h
 *	  A ledger as a directory that others' tools can read (c2sp.org/tlog-tiles),
 *	  with what is needed to verify it offline.
 *
 *	  checkpoint                   the newest certified note: what is exported
 *	  notes                        certified notes before it, oldest first, an empty
 *	                               line between two; may be empty or missing
 *	  policy/SHA256                each policy file that a KEY entry names, by its hash
 *	  tile/LEVEL/N                 hashes, 256 of 32 bytes
 *	  tile/entries/N               256 entries, each after its length in two bytes,
 *	                               most significant first
 *	  csv/N                        the columns of these 256 entries (columns.h); each
 *	                               may be missing
 *	  payloads                     what the side table still holds, or no longer:
 *	                                 SEQ opened BASE64(SALT) BASE64(BODY)
 *	                                 SEQ erased ENTRY
 *	                               by rising SEQ; may be missing
 *	  archived                     a multiple of 256 and a newline: the entries before it
 *	                               are not here, only their hashes; may be missing
 *
 * N is written in groups of three digits, all but the last after an x:
 * x001/x234/067.  The last tile or bundle of a level may have fewer than 256;
 * it is then N.p/WIDTH.  Nobody needs a server to read or write this: files
 * come and go by callbacks.
 */
#ifndef SECMED_EXPORT_H
#define SECMED_EXPORT_H

#include "ledger/merkle.h"

#define TILE_PATH_BYTES		64
#define TILE_LEVELS_MAX		8
#define TILE_ENTRIES		(-1)	/* as a level: the entries themselves */
#define TILE_COLUMNS		(-2)	/* and their columns */

#define EXPORT_CHECKPOINT	"checkpoint"
#define EXPORT_NOTES		"notes"
#define EXPORT_PAYLOADS		"payloads"
#define EXPORT_ARCHIVED		"archived"

/* Where a tile is; width of 256 for a full one. */
extern void tile_path(char out[TILE_PATH_BYTES], int level, uint64 number, int width);

/* "policy/" and hex digits. */
#define POLICY_PATH_BYTES	80
extern void policy_path(char out[POLICY_PATH_BYTES], const uint8 hash[HASH_BYTES]);

/* How many hashes tile number of a level has in a tree of size; 0: it is not there. */
extern int	tile_width(int level, uint64 number, uint64 size);

/* Tile levels of a tree that hold at least one hash; at least 1. */
extern int	tile_levels(uint64 size);

/* Takes a file. Fails by fail() if it can't. */
typedef struct ExportSink
{
	void		(*put) (void *arg, const char *path, const void *bytes, size_t len);
	void	   *arg;
} ExportSink;

/*
 * Grows the tiles of a tree and gives each away when it is full, lower levels
 * first; tiles_finish() those that are not.  One hashing a leaf, as for a
 * frontier, which it is: that of the newest tile of each level.
 */
typedef void (*TileTaker) (void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES]);
typedef struct TileBuilder
{
	TileTaker	take;
	void	   *arg;
	uint64		size;
	Frontier	frontiers[TILE_LEVELS_MAX];
	uint8		tiles[TILE_LEVELS_MAX][TILE_HASHES][HASH_BYTES];
} TileBuilder;

extern void tiles_start(TileBuilder *tiles, TileTaker take, void *arg);
extern void tiles_append(TileBuilder *tiles, const uint8 leaf[HASH_BYTES]);
extern void tiles_finish(TileBuilder *tiles);

/* The root over all leaves so far; at most 64 hashings. */
extern void tiles_root(uint8 out[HASH_BYTES], const TileBuilder *tiles);

/*
 * Writes tiles and bundles as entries come, in order, from the first.  The
 * bundles of the first archived entries may be left out, each as a whole;
 * those that hold KEY or ERASED entries must stay.
 */
typedef struct ExportWriter
{
	ExportSink	sink;
	uint64		archived;
	bool		with_columns;	/* set it after export_start() */
	int			nbundle;		/* entries in the bundle */
	StringInfoData bundle;
	StringInfoData rows;
	TileBuilder tiles;
} ExportWriter;

extern void export_start(ExportWriter *writer, ExportSink sink, uint64 archived);
extern void export_entry(ExportWriter *writer, const void *bytes, size_t len);

/* Instead, for an entry of a bundle that is left out. */
extern void export_leaf(ExportWriter *writer, const uint8 leaf[HASH_BYTES]);

/* The tiles and the bundle that are not full; and "archived" if something is. */
extern void export_finish(ExportWriter *writer);

/* Lines of "payloads". */
extern void export_opened(StringInfo out, uint64 seq, const uint8 *salt, const void *payload, size_t len);
extern void export_erased(StringInfo out, uint64 seq, uint64 by_entry);

/* One note more in "notes". */
extern void export_note(StringInfo out, const char *note);

#endif							/* SECMED_EXPORT_H */
