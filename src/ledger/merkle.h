/*
 * merkle.h
 *	  The Merkle tree over a ledger's entries (RFC 9162, section 2.1, with
 *	  SHA-256), grown one leaf at a time, and its two proofs.
 *
 * leaf = SHA-256(0x00 || entry), which is entry_hash(); a node is
 * SHA-256(0x01 || left || right); the left side of a tree of n leaves holds
 * the largest power of two below n.  The empty tree's root is SHA-256 of
 * nothing.
 *
 * What is stored are tiles (c2sp.org/tlog-tiles): hash i of tile level L is the
 * root of the complete subtree of the 256^L leaves from i * 256^L on, so level 0
 * holds the leaf hashes.  Every root and proof comes out of tiles with at most
 * 256 hashings for each level that it crosses.
 */
#ifndef SECMED_MERKLE_H
#define SECMED_MERKLE_H

#include "base/base.h"
#include "crypto/hash.h"

/* A proof has one hash for each bit of the size, and one to begin with. */
#define MERKLE_PROOF_MAX	65
#define MERKLE_SIZE_MAX		((uint64) PG_INT64_MAX)
/* Bits of a leaf's number that one level of tiles takes. */
#define TILE_BITS			8
#define TILE_HASHES			256

/* The complete subtrees that make up a tree, the largest (leftmost) first. */
typedef struct Frontier
{
	uint64		size;
	uint8		hashes[64][HASH_BYTES];
} Frontier;

extern void frontier_start(Frontier *frontier);

/* At most 64 hashings, on average one. */
extern void frontier_append(Frontier *frontier, const uint8 leaf[HASH_BYTES]);
extern void frontier_root(uint8 out[HASH_BYTES], const Frontier *frontier);

/* The same when to the right of it there is something smaller with this root. */
extern void frontier_root_with(uint8 out[HASH_BYTES], const Frontier *frontier,
							   const uint8 right[HASH_BYTES]);
extern void merkle_node(uint8 out[HASH_BYTES], const uint8 left[HASH_BYTES],
						const uint8 right[HASH_BYTES]);

/*
 * Where stored hashes come from: n hashes of a tile level, from this one on,
 * all of one tile.  False if they are not there; proofs are then not made.
 * levels is the number of tile levels that are stored, at least 1.
 */
typedef struct TileSource
{
	bool		(*read) (void *arg, int level, uint64 first, int n, uint8 (*out)[HASH_BYTES]);
	void	   *arg;
	int			levels;
} TileSource;

/* A source over an array of all leaf hashes. */
typedef struct LeafArray
{
	const uint8 (*hashes)[HASH_BYTES];
	uint64		n;
} LeafArray;
extern TileSource merkle_leaves(LeafArray *leaves);

typedef struct MerkleProof
{
	int			n;
	uint8		hashes[MERKLE_PROOF_MAX][HASH_BYTES];
} MerkleProof;

/* The root of the first size leaves. */
extern bool merkle_root(uint8 out[HASH_BYTES], const TileSource *source, uint64 size);

/* The state after the first size leaves, to go on appending. */
extern bool frontier_load(Frontier *frontier, const TileSource *source, uint64 size);

/* That leaf index is in the tree of size; index < size. */
extern bool merkle_inclusion(MerkleProof *proof, const TileSource *source, uint64 index, uint64 size);

/* That the tree of n extends the tree of m; m <= n. Empty for m = 0 and m = n. */
extern bool merkle_consistency(MerkleProof *proof, const TileSource *source, uint64 m, uint64 n);

/*
 * The same with the hash that a reader would take from the old root, where
 * RFC 9162 leaves it out (m a power of two), so that both roots follow from
 * the path alone.  0 < m < n.
 */
extern bool merkle_prefix_path(MerkleProof *proof, const TileSource *source, uint64 m, uint64 n);

/* Checks; false if the proof has another length or leads to another root. */
extern bool merkle_included(const MerkleProof *proof, const uint8 leaf[HASH_BYTES],
							uint64 index, uint64 size, const uint8 root[HASH_BYTES]);
extern bool merkle_consistent(const MerkleProof *proof, uint64 m, const uint8 m_root[HASH_BYTES],
							  uint64 n, const uint8 n_root[HASH_BYTES]);

/* Both roots that follow from a path of merkle_prefix_path(); false if its length is wrong. */
extern bool merkle_prefix_roots(const MerkleProof *proof, uint64 m, uint64 n,
								uint8 m_root[HASH_BYTES], uint8 n_root[HASH_BYTES]);

#endif							/* SECMED_MERKLE_H */
