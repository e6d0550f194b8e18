/*
 * merkle.c
 *	  Roots and proofs of the tree over a ledger's entries (RFC 9162, 2.1).
 *
 * A complete subtree is named by its height and its number among those of
 * that height; it covers the leaves [number << height, (number + 1) << height).
 * Any range [k, n) that RFC 9162's recursion meets starts at a multiple of the
 * largest power of two that fits into it, so it is a row of complete
 * subtrees, one for each bit of n - k, the largest first: a frontier.
 */
#include "base/base.h"

#include "ledger/merkle.h"
#include "port/pg_bitutils.h"

void
merkle_node(uint8 out[HASH_BYTES], const uint8 left[HASH_BYTES], const uint8 right[HASH_BYTES])
{
	uint8		bytes[1 + 2 * HASH_BYTES];

	bytes[0] = 0x01;
	memcpy(bytes + 1, left, HASH_BYTES);
	memcpy(bytes + 1 + HASH_BYTES, right, HASH_BYTES);
	hash_bytes(out, bytes, sizeof(bytes));
}

/* The largest power of two below n; n > 1. */
static uint64
split(uint64 n)
{
	return UINT64CONST(1) << pg_leftmost_one_pos64(n - 1);
}

static int
one_bits(uint64 n)
{
	int			bits = 0;

	for (; n != 0; n &= n - 1)
		bits++;
	return bits;
}

/* ---- the frontier ---- */

void
frontier_start(Frontier *frontier)
{
	frontier->size = 0;
}

/* Adding a leaf carries like adding one: each 1 bit that becomes 0 joins two subtrees. */
void
frontier_append(Frontier *frontier, const uint8 leaf[HASH_BYTES])
{
	int			n = one_bits(frontier->size);
	uint8		node[HASH_BYTES];

	memcpy(node, leaf, HASH_BYTES);
	for (uint64 bits = frontier->size; bits & 1; bits >>= 1)
		merkle_node(node, frontier->hashes[--n], node);
	memcpy(frontier->hashes[n], node, HASH_BYTES);
	frontier->size++;
}

void
frontier_root_with(uint8 out[HASH_BYTES], const Frontier *frontier, const uint8 right[HASH_BYTES])
{
	memmove(out, right, HASH_BYTES);
	for (int n = one_bits(frontier->size); n > 0; n--)
		merkle_node(out, frontier->hashes[n - 1], out);
}

void
frontier_root(uint8 out[HASH_BYTES], const Frontier *frontier)
{
	int			n = one_bits(frontier->size);

	if (n == 0)
	{
		hash_bytes(out, "", 0);
		return;
	}
	memcpy(out, frontier->hashes[--n], HASH_BYTES);
	while (n > 0)
		merkle_node(out, frontier->hashes[--n], out);
}

/* ---- roots from stored hashes ---- */

static bool
read_leaf_array(void *arg, int level, uint64 first, int n, uint8 (*out)[HASH_BYTES])
{
	const LeafArray *leaves = arg;

	if (level != 0 || first + n > leaves->n)
		return false;
	memcpy(out, leaves->hashes[first], (size_t) n * HASH_BYTES);
	return true;
}

TileSource
merkle_leaves(LeafArray *leaves)
{
	TileSource	source = {read_leaf_array, leaves, 1};

	return source;
}

/* The root of a complete subtree, from the highest stored level that is not above it. */
static bool
subtree(uint8 out[HASH_BYTES], const TileSource *source, int height, uint64 number)
{
	int			level = Min(height / TILE_BITS, source->levels - 1);
	int			above = height - level * TILE_BITS;
	uint64		count = UINT64CONST(1) << above;
	uint8		hashes[TILE_HASHES][HASH_BYTES];
	Frontier	frontier;

	frontier_start(&frontier);
	while (frontier.size < count)
	{
		int			n = (int) Min(count - frontier.size, TILE_HASHES);

		if (!source->read(source->arg, level, (number << above) + frontier.size, n, hashes))
			return false;
		for (int i = 0; i < n; i++)
			frontier_append(&frontier, hashes[i]);
	}
	frontier_root(out, &frontier);
	return true;
}

/* The complete subtrees of the leaves [start, start + size). */
static bool
load_range(Frontier *frontier, const TileSource *source, uint64 start, uint64 size)
{
	int			n = 0;

	frontier->size = size;
	for (uint64 left = size; left > 0; n++)
	{
		int			height = pg_leftmost_one_pos64(left);

		if (!subtree(frontier->hashes[n], source, height, start >> height))
			return false;
		start += UINT64CONST(1) << height;
		left -= UINT64CONST(1) << height;
	}
	return true;
}

static bool
range_root(uint8 out[HASH_BYTES], const TileSource *source, uint64 start, uint64 end)
{
	Frontier	frontier;

	if (!load_range(&frontier, source, start, end - start))
		return false;
	frontier_root(out, &frontier);
	return true;
}

bool
frontier_load(Frontier *frontier, const TileSource *source, uint64 size)
{
	return load_range(frontier, source, 0, size);
}

bool
merkle_root(uint8 out[HASH_BYTES], const TileSource *source, uint64 size)
{
	return range_root(out, source, 0, size);
}

/* ---- making proofs: going down from the root, hashes are met last to first ---- */

static void
reverse(MerkleProof *proof)
{
	for (int i = 0, j = proof->n - 1; i < j; i++, j--)
	{
		uint8		kept[HASH_BYTES];

		memcpy(kept, proof->hashes[i], HASH_BYTES);
		memcpy(proof->hashes[i], proof->hashes[j], HASH_BYTES);
		memcpy(proof->hashes[j], kept, HASH_BYTES);
	}
}

/* PATH(m, D[n]), section 2.1.3.1. */
bool
merkle_inclusion(MerkleProof *proof, const TileSource *source, uint64 index, uint64 size)
{
	uint64		start = 0;
	uint64		end = size;

	proof->n = 0;
	if (index >= size || size > MERKLE_SIZE_MAX)
		return false;
	while (end - start > 1)
	{
		uint64		middle = start + split(end - start);
		bool		left = index < middle;

		if (!range_root(proof->hashes[proof->n++], source, left ? middle : start, left ? end : middle))
			return false;
		if (left)
			end = middle;
		else
			start = middle;
	}
	reverse(proof);
	return true;
}

/* SUBPROOF(m, D[n], b), section 2.1.4.1; seeded: with the hash at its bottom even if b. */
static bool
prefix_proof(MerkleProof *proof, const TileSource *source, uint64 m, uint64 n, bool seeded)
{
	uint64		start = 0;
	uint64		end = n;

	proof->n = 0;
	while (m != end)
	{
		uint64		middle = start + split(end - start);
		bool		left = m <= middle;

		if (!range_root(proof->hashes[proof->n++], source, left ? middle : start, left ? end : middle))
			return false;
		if (left)
			end = middle;
		else
			start = middle;
	}
	if ((start > 0 || seeded) && !range_root(proof->hashes[proof->n++], source, start, end))
		return false;
	reverse(proof);
	return true;
}

bool
merkle_consistency(MerkleProof *proof, const TileSource *source, uint64 m, uint64 n)
{
	proof->n = 0;
	if (m > n || n > MERKLE_SIZE_MAX)
		return false;
	return m == 0 || m == n || prefix_proof(proof, source, m, n, false);
}

bool
merkle_prefix_path(MerkleProof *proof, const TileSource *source, uint64 m, uint64 n)
{
	proof->n = 0;
	return m > 0 && m < n && n <= MERKLE_SIZE_MAX && prefix_proof(proof, source, m, n, true);
}

/* ---- checking them: going up from the leaf ---- */

/*
 * Section 2.1.3.2.  fn is the number of the node reached, sn that of the last
 * node in its row.
 */
bool
merkle_included(const MerkleProof *proof, const uint8 leaf[HASH_BYTES],
				uint64 index, uint64 size, const uint8 root[HASH_BYTES])
{
	uint64		fn = index;
	uint64		sn = size - 1;
	uint8		r[HASH_BYTES];

	if (index >= size || size > MERKLE_SIZE_MAX)
		return false;
	memcpy(r, leaf, HASH_BYTES);
	for (int i = 0; i < proof->n; i++)
	{
		const uint8 *p = proof->hashes[i];

		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn)
		{
			merkle_node(r, p, r);
			while (!(fn & 1) && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else
			merkle_node(r, r, p);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(r, root, HASH_BYTES) == 0;
}

/* Section 2.1.4.2, from step 3 on: fr grows into the old root, sr into the new one. */
bool
merkle_prefix_roots(const MerkleProof *proof, uint64 m, uint64 n,
					uint8 m_root[HASH_BYTES], uint8 n_root[HASH_BYTES])
{
	uint64		fn = m - 1;
	uint64		sn = n - 1;
	uint8	   *fr = m_root;
	uint8	   *sr = n_root;

	if (m == 0 || m >= n || n > MERKLE_SIZE_MAX || proof->n == 0)
		return false;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	memcpy(fr, proof->hashes[0], HASH_BYTES);
	memcpy(sr, proof->hashes[0], HASH_BYTES);
	for (int i = 1; i < proof->n; i++)
	{
		const uint8 *c = proof->hashes[i];

		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn)
		{
			merkle_node(fr, c, fr);
			merkle_node(sr, c, sr);
			while (!(fn & 1) && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else
			merkle_node(sr, sr, c);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0;
}

bool
merkle_consistent(const MerkleProof *proof, uint64 m, const uint8 m_root[HASH_BYTES],
				  uint64 n, const uint8 n_root[HASH_BYTES])
{
	MerkleProof path;
	uint8		empty[HASH_BYTES];
	uint8		fr[HASH_BYTES];
	uint8		sr[HASH_BYTES];
	int			seed = m > 0 && (m & (m - 1)) == 0 ? 1 : 0;

	if (m > n || n > MERKLE_SIZE_MAX || proof->n + seed > MERKLE_PROOF_MAX)
		return false;
	hash_bytes(empty, "", 0);
	if (m == 0)
		return proof->n == 0 && memcmp(m_root, empty, HASH_BYTES) == 0 &&
			(n > 0 || memcmp(n_root, empty, HASH_BYTES) == 0);
	if (m == n)
		return proof->n == 0 && memcmp(m_root, n_root, HASH_BYTES) == 0;
	memcpy(path.hashes[0], m_root, HASH_BYTES);
	memcpy(path.hashes[seed], proof->hashes, (size_t) proof->n * HASH_BYTES);
	path.n = proof->n + seed;
	return merkle_prefix_roots(&path, m, n, fr, sr) &&
		memcmp(fr, m_root, HASH_BYTES) == 0 && memcmp(sr, n_root, HASH_BYTES) == 0;
}
