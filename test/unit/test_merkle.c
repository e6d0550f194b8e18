/*
 * test_merkle.c
 *	  The tree of RFC 9162 against its definition, for all sizes up to 300, and
 *	  against the vectors of the Certificate Transparency reference code.
 */
#include "base/base.h"

#include "ledger/export.h"
#include "unit.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define LEAVES	300

static uint8 leaves[LEAVES][HASH_BYTES];
static uint8 roots[LEAVES + 1][HASH_BYTES];
static LeafArray array = {(const uint8 (*)[HASH_BYTES]) leaves, LEAVES};
static TileBuilder builder;
static int	pairs_max = LEAVES;	/* all (m, n) up to this; fewer where hashing is slow */

/* MTH(D[start:end]), as section 2.1.1 defines it. */
static void
brute_root(uint8 *out, int start, int end)
{
	uint8		left[HASH_BYTES];
	uint8		right[HASH_BYTES];
	int			k = 1;

	if (end - start == 0)
		hash_bytes(out, "", 0);
	else if (end - start == 1)
		memcpy(out, leaves[start], HASH_BYTES);
	else
	{
		while (2 * k < end - start)
			k *= 2;
		brute_root(left, start, start + k);
		brute_root(right, start + k, end);
		merkle_node(out, left, right);
	}
}

/* PATH(m, D[start:end]), section 2.1.3.1. */
static int
brute_path(uint8 (*out)[HASH_BYTES], int m, int start, int end)
{
	int			k = 1;
	int			n;

	if (end - start == 1)
		return 0;
	while (2 * k < end - start)
		k *= 2;
	if (m < k)
	{
		n = brute_path(out, m, start, start + k);
		brute_root(out[n], start + k, end);
	}
	else
	{
		n = brute_path(out, m - k, start + k, end);
		brute_root(out[n], start, start + k);
	}
	return n + 1;
}

/* SUBPROOF(m, D[start:end], b), section 2.1.4.1. */
static int
brute_subproof(uint8 (*out)[HASH_BYTES], int m, int start, int end, bool b)
{
	int			k = 1;
	int			n;

	if (m == end - start)
	{
		if (!b)
			brute_root(out[0], start, end);
		return b ? 0 : 1;
	}
	while (2 * k < end - start)
		k *= 2;
	if (m <= k)
	{
		n = brute_subproof(out, m, start, start + k, b);
		brute_root(out[n], start + k, end);
	}
	else
	{
		n = brute_subproof(out, m - k, start + k, end, false);
		brute_root(out[n], start, start + k);
	}
	return n + 1;
}

static bool
same_proof(const MerkleProof *proof, uint8 (*hashes)[HASH_BYTES], int n)
{
	return proof->n == n && memcmp(proof->hashes, hashes, (size_t) n * HASH_BYTES) == 0;
}

static void
keep_nothing(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
}

static void
test_roots(void)
{
	TileSource	source = merkle_leaves(&array);
	Frontier	frontier;
	int			bad = 0;

	for (int i = 0; i < LEAVES; i++)
		hash_bytes(leaves[i], &i, sizeof(i));
	frontier_start(&frontier);
	tiles_start(&builder, keep_nothing, NULL);
	for (int n = 0; n <= LEAVES; n++)
	{
		uint8		root[HASH_BYTES];
		Frontier	loaded;

		brute_root(roots[n], 0, n);
		frontier_root(root, &frontier);
		bad += memcmp(root, roots[n], HASH_BYTES) != 0;
		tiles_root(root, &builder);
		bad += memcmp(root, roots[n], HASH_BYTES) != 0;
		bad += !merkle_root(root, &source, n) || memcmp(root, roots[n], HASH_BYTES) != 0;
		bad += !frontier_load(&loaded, &source, n);
		if (n < LEAVES)
		{
			frontier_append(&loaded, leaves[n]);
			frontier_append(&frontier, leaves[n]);
			tiles_append(&builder, leaves[n]);
			frontier_root(root, &loaded);
			bad += frontier.size != loaded.size;
			frontier_root(roots[n + 1], &frontier);
			bad += memcmp(root, roots[n + 1], HASH_BYTES) != 0;
		}
	}
	check(bad == 0, "roots of up to %d leaves, grown, loaded and looked up, are those of the definition", LEAVES);
}

/* Changed in one bit, shortened, lengthened: refused. */
static int
changed_inclusions(MerkleProof *proof, int index, int n)
{
	int			bad = 0;

	for (int i = 0; i < proof->n; i++)
	{
		proof->hashes[i][i % HASH_BYTES] ^= 1;
		bad += merkle_included(proof, leaves[index], index, n, roots[n]);
		proof->hashes[i][i % HASH_BYTES] ^= 1;
	}
	memset(proof->hashes[proof->n++], 0, HASH_BYTES);
	bad += merkle_included(proof, leaves[index], index, n, roots[n]);
	if (--proof->n > 0)
	{
		proof->n--;
		bad += merkle_included(proof, leaves[index], index, n, roots[n]);
		proof->n++;
	}
	bad += n > 1 && merkle_included(proof, leaves[(index + 1) % n], index, n, roots[n]);
	bad += merkle_included(proof, leaves[index], index, n, roots[n - 1]);
	return bad;
}

static void
test_inclusion(void)
{
	TileSource	source = merkle_leaves(&array);
	uint8		hashes[MERKLE_PROOF_MAX][HASH_BYTES];
	MerkleProof proof;
	int			bad = 0;
	int			forged = 0;

	for (int n = 1; n <= pairs_max; n++)
		for (int i = 0; i < n; i++)
		{
			bad += !merkle_inclusion(&proof, &source, i, n);
			if (n <= 70 || i % 37 == 0)
				bad += !same_proof(&proof, hashes, brute_path(hashes, i, 0, n));
			bad += !merkle_included(&proof, leaves[i], i, n, roots[n]);
			if (n % 7 == 0)
				forged += changed_inclusions(&proof, i, n);
		}
	check(bad == 0, "every leaf of every tree has its path");
	check(forged == 0, "no changed path is good");
	check(!merkle_inclusion(&proof, &source, 5, 5) && !merkle_included(&proof, leaves[0], 0, 0, roots[0]),
		  "nothing is in what does not hold it");
}

static int
changed_consistency(MerkleProof *proof, int m, int n)
{
	int			bad = 0;

	for (int i = 0; i < proof->n; i++)
	{
		proof->hashes[i][31] ^= 0x80;
		bad += merkle_consistent(proof, m, roots[m], n, roots[n]);
		proof->hashes[i][31] ^= 0x80;
	}
	bad += m > 0 && merkle_consistent(proof, m, roots[m - 1], n, roots[n]);
	bad += m > 0 && merkle_consistent(proof, m, roots[m], n, roots[n - 1]);
	memset(proof->hashes[proof->n++], 0, HASH_BYTES);
	bad += merkle_consistent(proof, m, roots[m], n, roots[n]);
	proof->n--;
	if (proof->n > 0)
	{
		proof->n--;
		bad += merkle_consistent(proof, m, roots[m], n, roots[n]);
		proof->n++;
	}
	return bad;
}

static void
test_consistency(void)
{
	TileSource	source = merkle_leaves(&array);
	uint8		hashes[MERKLE_PROOF_MAX][HASH_BYTES];
	MerkleProof proof;
	int			bad = 0;
	int			forged = 0;

	for (int n = 0; n <= pairs_max; n++)
		for (int m = 0; m <= n; m++)
		{
			uint8		m_root[HASH_BYTES];
			uint8		n_root[HASH_BYTES];

			bad += !merkle_consistency(&proof, &source, m, n);
			if (m > 0 && m < n && (n <= 70 || m % 41 == 0))
				bad += !same_proof(&proof, hashes, brute_subproof(hashes, m, 0, n, true));
			bad += !merkle_consistent(&proof, m, roots[m], n, roots[n]);
			if (n % 5 == 0)
				forged += changed_consistency(&proof, m, n);
			if (m == 0 || m == n || n % 4 != 0)
				continue;
			bad += !merkle_prefix_path(&proof, &source, m, n) ||
				!merkle_prefix_roots(&proof, m, n, m_root, n_root) ||
				memcmp(m_root, roots[m], HASH_BYTES) != 0 || memcmp(n_root, roots[n], HASH_BYTES) != 0;
		}
	check(bad == 0, "every tree extends every smaller one, and both roots follow from the path");
	check(forged == 0, "no changed proof of consistency is good");
	check(!merkle_consistency(&proof, &source, 6, 5), "a smaller tree extends no larger one");
}

/* Certificate Transparency's merkletree tests: 8 leaves and their roots. */
static void
test_vectors(void)
{
	static const char *const data[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
		"606162636465666768696a6b6c6d6e6f"};
	static const char *const expected[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	Frontier	frontier;

	frontier_start(&frontier);
	for (int n = 0; n <= 8; n++)
	{
		uint8		bytes[64] = {0x00};
		uint8		root[HASH_BYTES];
		uint8		wanted[HASH_BYTES];
		uint8		leaf[HASH_BYTES];

		frontier_root(root, &frontier);
		unit_hex(wanted, expected[n]);
		check(memcmp(root, wanted, HASH_BYTES) == 0, "the CT root of %d leaves", n);
		if (n == 8)
			break;
		hash_bytes(leaf, bytes, 1 + unit_hex(bytes + 1, data[n]));
		frontier_append(&frontier, leaf);
	}
}

/* ---- tiles of a larger tree ---- */

#define MANY	140000

static uint8 (*many)[HASH_BYTES];
static uint8 (*stored[3])[HASH_BYTES];
static int	kept_widths;

static void
keep_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	if (level < 3)
		memcpy(stored[level][number * TILE_HASHES], hashes, (size_t) width * HASH_BYTES);
	kept_widths += width != tile_width(level, number, MANY) && level > 0;
}

static bool
read_stored(void *arg, int level, uint64 first, int n, uint8 (*out)[HASH_BYTES])
{
	memcpy(out, stored[level][first], (size_t) n * HASH_BYTES);
	return true;
}

static void
test_tiles(void)
{
	TileSource	tiles = {read_stored, NULL, 3};
	LeafArray	all;
	TileSource	flat;
	MerkleProof a;
	MerkleProof b;
	uint8		roots_of[2][HASH_BYTES];
	char		path[TILE_PATH_BYTES];
	int			bad = 0;

	many = pg_malloc0((size_t) (MANY + TILE_HASHES) * HASH_BYTES);
	for (int level = 0; level < 3; level++)
		stored[level] = pg_malloc0((size_t) ((MANY >> (8 * level)) + 2 * TILE_HASHES) * HASH_BYTES);
	tiles_start(&builder, keep_tile, NULL);
	for (int i = 0; i < MANY; i++)
	{
		hash_bytes(many[i], &i, sizeof(i));
		tiles_append(&builder, many[i]);
	}
	tiles_finish(&builder);
	tiles_root(roots_of[1], &builder);
	bad += !merkle_root(roots_of[0], &tiles, MANY) || memcmp(roots_of[0], roots_of[1], HASH_BYTES) != 0;
	all.hashes = (const uint8 (*)[HASH_BYTES]) many;
	all.n = MANY;
	flat = merkle_leaves(&all);
	for (int i = 0; i < (RUNNING_ON_VALGRIND ? 1 : 8); i++)
	{
		uint64		m = (uint64) unit_random_between(1, MANY - 1);

		bad += !merkle_root(roots_of[0], &tiles, m) || !merkle_root(roots_of[1], &flat, m) ||
			memcmp(roots_of[0], roots_of[1], HASH_BYTES) != 0;
		bad += !merkle_inclusion(&a, &tiles, m, MANY) || !merkle_inclusion(&b, &flat, m, MANY) ||
			!same_proof(&a, b.hashes, b.n);
		bad += !merkle_consistency(&a, &tiles, m, MANY) || !merkle_consistency(&b, &flat, m, MANY) ||
			!same_proof(&a, b.hashes, b.n);
	}
	check(bad == 0, "roots and proofs from tiles of %d leaves are those from the leaves", MANY);
	check(kept_widths == 0, "tiles are as wide as their tree says");
	tile_path(path, 3, 1234067, TILE_HASHES);
	check(strcmp(path, "tile/3/x001/x234/067") == 0, "the path of a tile: %s", path);
	tile_path(path, TILE_ENTRIES, 0, 1);
	check(strcmp(path, "tile/entries/000.p/1") == 0, "the path of a bundle: %s", path);
	tile_path(path, 0, 1000, 255);
	check(strcmp(path, "tile/0/x001/000.p/255") == 0, "the path of a partial tile: %s", path);
	check(tile_width(0, 273, 70000) == 112 && tile_width(1, 1, 70000) == 17 && tile_width(2, 0, 70000) == 1 &&
		  tile_width(0, 274, 70000) == 0 && tile_width(1, 0, 256) == 1 && tile_width(1, 0, 255) == 0,
		  "the widths of the specification's example");
	check(tile_levels(0) == 1 && tile_levels(255) == 1 && tile_levels(256) == 2 && tile_levels(65536) == 3,
		  "levels of a tree");
	free(many);
	for (int level = 0; level < 3; level++)
		free(stored[level]);
}

int
main(void)
{
	if (RUNNING_ON_VALGRIND)
		pairs_max = 80;
	test_roots();
	test_inclusion();
	test_consistency();
	test_vectors();
	test_tiles();
	return unit_done();
}
