/*
 * packed.c
 *	  Long vectors of short numbers, split and put together a block at a time.
 */
#include "share/packed.h"

#include "crypto/hash.h"
#include "crypto/prg.h"
#include "share/rows.h"

/* Numbers of a block: their bytes stay in the cache, and AES runs at speed. */
#define BLOCK			2048

/* Room behind the last number: it is read as a whole word. */
typedef struct Block
{
	uint8		bytes[BLOCK * sizeof(uint64) + sizeof(uint64)];
	uint64		values[BLOCK];
} Block;

int
packed_width(int bits)
{
	return (bits + 7) / 8;
}

size_t
packed_bytes(int width, size_t n)
{
	return n * width;
}

size_t
packed_package_bytes(int width, int party, size_t n)
{
	Assert(party >= 0 && party < PARTIES);
	if (party == 0)
		return packed_bytes(width, n) + SEED_BYTES;
	return party == 1 ? 2 * SEED_BYTES : HASH_BYTES + SEED_BYTES;
}

/* The low bytes of values, end to end; eight bytes more may be written. */
static void
put_bytes(uint8 *out, const uint64 *values, size_t n, int width)
{
	for (size_t i = 0; i < n; i++, out += width)
	{
		uint64		x = values[i];

		ring64_wire(&x, 1);
		memcpy(out, &x, sizeof(x));
	}
}

/* Back; up to eight bytes more are read, and cut off. */
static void
get_bytes(uint64 *values, const uint8 *bytes, size_t n, int width)
{
	uint64		mask = ~UINT64CONST(0) >> (64 - 8 * width);

	for (size_t i = 0; i < n; i++, bytes += width)
	{
		uint64		x;

		memcpy(&x, bytes, sizeof(uint64));
		ring64_wire(&x, 1);
		values[i] = x & mask;
	}
}

/* The next n numbers of a stream, n <= BLOCK. */
static void
stream_numbers(Prg *prg, Block *block, size_t n, int width)
{
	prg_fill(prg, block->bytes, n * width);
	get_bytes(block->values, block->bytes, n, width);
}

static void
split_block(const uint64 *values, uint8 *out, size_t n, int width, Prg *prg[2], Block *block)
{
	uint64		rest[BLOCK];

	memcpy(rest, values, n * sizeof(uint64));
	for (int k = 0; k < 2; k++)
	{
		stream_numbers(prg[k], block, n, width);
		for (size_t i = 0; i < n; i++)
			rest[i] -= block->values[i];
	}
	put_bytes(block->bytes, rest, n, width);
	memcpy(out, block->bytes, n * width);
	wipe(rest, sizeof(rest));
}

void
packed_split(const uint64 *values, size_t n, int width, StringInfo out[PARTIES])
{
	uint8		seeds[2][SEED_BYTES];
	uint8		hash[HASH_BYTES];
	Prg		   *prg[2];
	Block	   *block = palloc0(sizeof(Block));
	uint8	   *x0;

	Assert(width >= 1 && width <= 8);
	random_bytes(seeds, sizeof(seeds));
	for (int party = 0; party < PARTIES; party++)
		enlargeStringInfo(out[party], packed_package_bytes(width, party, n));
	for (int k = 0; k < 2; k++)
		prg[k] = prg_create(seeds[k]);
	x0 = (uint8 *) out[0]->data + out[0]->len;
	for (size_t start = 0; start < n; start += BLOCK)
		split_block(values + start, x0 + start * width, Min(BLOCK, n - start), width, prg, block);
	out[0]->len += packed_bytes(width, n);
	hash_bytes(hash, x0, packed_bytes(width, n));
	appendBinaryStringInfo(out[2], (const char *) hash, HASH_BYTES);
	appendBinaryStringInfo(out[0], (const char *) seeds[0], SEED_BYTES);
	appendBinaryStringInfo(out[1], (const char *) seeds, sizeof(seeds));
	appendBinaryStringInfo(out[2], (const char *) seeds[1], SEED_BYTES);
	for (int k = 0; k < 2; k++)
		prg_free(prg[k]);
	wipe(block, sizeof(Block));
	wipe(seeds, sizeof(seeds));
	pfree(block);
}

static void
expand(uint64 *out, const uint8 seed[SEED_BYTES], size_t n, int width)
{
	Prg		   *prg = prg_create(seed);
	Block	   *block = palloc0(sizeof(Block));

	for (size_t start = 0; start < n; start += BLOCK)
	{
		size_t		part = Min(BLOCK, n - start);

		stream_numbers(prg, block, part, width);
		memcpy(out + start, block->values, part * sizeof(uint64));
	}
	prg_free(prg);
	wipe(block, sizeof(Block));
	pfree(block);
}

bool
packed_from_package(Shared64 *z, uint8 *x0, uint8 hash[HASH_BYTES], int width, int party,
					const void *package, size_t len)
{
	const uint8 *bytes = package;
	size_t		x0_bytes = packed_bytes(width, z->n);

	/* A seed follows x0: whole words may be read. */
	StaticAssertDecl(SEED_BYTES >= PACKED_SLACK, "room behind the numbers");
	if (len != packed_package_bytes(width, party, z->n))
		return false;
	switch (party)
	{
		case 0:
			get_bytes(z->mine, bytes, z->n, width);
			memcpy(x0, bytes, x0_bytes);
			expand(z->next, bytes + x0_bytes, z->n, width);
			return true;
		case 1:
			expand(z->mine, bytes, z->n, width);
			expand(z->next, bytes + SEED_BYTES, z->n, width);
			return true;
		default:
			memcpy(hash, bytes, HASH_BYTES);
			expand(z->mine, bytes + HASH_BYTES, z->n, width);
			return true;
	}
}

bool
packed_complete(Shared64 *z, const uint8 *x0, const uint8 hash[HASH_BYTES], int width)
{
	uint8		came[HASH_BYTES];

	hash_bytes(came, x0, packed_bytes(width, z->n));
	if (memcmp(came, hash, HASH_BYTES) != 0)
		return false;
	get_bytes(z->next, x0, z->n, width);
	return true;
}
