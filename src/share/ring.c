/*
 * ring.c
 *	  Replicated additive secret sharing over Z_2^128.
 *
 * Letters as in Araki et al., CCS 2016, section 2: x = x0 + x1 + x2, party i
 * holds (x_i, x_(i+1)).  Additions modulo 2^128 are what uint128 does.
 *
 * A seed is expanded in chunks of CHUNK elements; who splits and who adds
 * cut at the same places, so both see the same stream.
 */
#include "base/base.h"

#include "port/pg_bswap.h"

#include "crypto/hash.h"
#include "share/memory.h"
#include "share/ring.h"
#include "share/vector.h"

/* 4 KB: three of them fit in the first-level cache with room for the vector. */
#define CHUNK	256

Shared
shared_alloc(size_t n)
{
	Shared		shared;

	shared.mine = vector_alloc_zero(n * sizeof(uint128));
	shared.next = vector_alloc_zero(n * sizeof(uint128));
	shared.n = n;
	return shared;
}

void
shared_free(Shared *shared)
{
	vector_free(shared->mine, shared->n * sizeof(uint128));
	vector_free(shared->next, shared->n * sizeof(uint128));
	shared->mine = NULL;
	shared->next = NULL;
	shared->n = 0;
}

void
ring_wire(uint128 *elements, size_t n)
{
#ifdef WORDS_BIGENDIAN
	for (size_t i = 0; i < n; i++)
		elements[i] = (uint128) pg_bswap64((uint64) elements[i]) << 64 |
			pg_bswap64((uint64) (elements[i] >> 64));
#endif
}

void
ring_random(Prg *prg, uint128 *out, size_t n)
{
	prg_fill(prg, out, n * sizeof(uint128));
	ring_wire(out, n);
}

Shared
shared_view(const Shared *x, size_t first, size_t n)
{
	Shared		part = {x->mine + first, x->next + first, n};

	return part;
}

void
shared_linear(Shared *z, uint128 c, const Shared *x, uint128 d, const Shared *y)
{
	vector_linear128(z->mine, c, x->mine, d, y->mine, z->n);
	vector_linear128(z->next, c, x->next, d, y->next, z->n);
}

void
shared_copy(Shared *z, const Shared *x)
{
	memmove(z->mine, x->mine, x->n * sizeof(uint128));
	memmove(z->next, x->next, x->n * sizeof(uint128));
}

size_t
package_bytes(int party, size_t n)
{
	Assert(party >= 0 && party < PARTIES);
	if (party == 1)
		return 2 * SEED_BYTES;
	return n * sizeof(uint128) + SEED_BYTES;
}

/* x1 and x2 are pseudo-random; x0 is what is missing to the value. */
void
ring_split(const uint128 *values, size_t n, StringInfo out[PARTIES])
{
	uint8		seeds[2][SEED_BYTES];
	uint128		x0[CHUNK];
	uint128		x1[CHUNK];
	uint128		x2[CHUNK];
	Prg		   *prg1;
	Prg		   *prg2;

	random_bytes(seeds, sizeof(seeds));
	prg1 = prg_create(seeds[0]);
	prg2 = prg_create(seeds[1]);
	for (int party = 0; party < PARTIES; party++)
		enlargeStringInfo(out[party], package_bytes(party, n));

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		ring_random(prg1, x1, len);
		ring_random(prg2, x2, len);
		for (size_t i = 0; i < len; i++)
			x0[i] = values[start + i] - x1[i] - x2[i];
		ring_wire(x0, len);
		appendBinaryStringInfo(out[0], (const char *) x0, len * sizeof(uint128));
		appendBinaryStringInfo(out[2], (const char *) x0, len * sizeof(uint128));
	}
	appendBinaryStringInfo(out[0], (const char *) seeds[0], SEED_BYTES);
	appendBinaryStringInfo(out[1], (const char *) seeds, sizeof(seeds));
	appendBinaryStringInfo(out[2], (const char *) seeds[1], SEED_BYTES);

	prg_free(prg1);
	prg_free(prg2);
	wipe(seeds, sizeof(seeds));
	wipe(x0, sizeof(x0));
	wipe(x1, sizeof(x1));
	wipe(x2, sizeof(x2));
}

/* sum += the elements that the seed stands for. */
static void
add_stream(uint128 *sum, size_t n, const uint8 seed[SEED_BYTES])
{
	uint128		x[CHUNK];
	Prg		   *prg = prg_create(seed);

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		ring_random(prg, x, len);
		for (size_t i = 0; i < len; i++)
			sum[start + i] += x[i];
	}
	prg_free(prg);
	wipe(x, sizeof(x));
}

/* One element of the wire, wherever it lies. */
static inline uint128
read_element(const uint8 *bytes, size_t i)
{
	uint128		x;

	memcpy(&x, bytes + i * sizeof(uint128), sizeof(uint128));
	ring_wire(&x, 1);
	return x;
}

/* sum += the elements written out. */
static void
add_elements(uint128 *sum, size_t n, const uint8 *bytes)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += read_element(bytes, i);
}

bool
ring_add_package(Shared *sum, int party, const void *package, size_t len)
{
	const uint8 *bytes = package;
	size_t		n = sum->n;

	if (len != package_bytes(party, n))
		return false;

	switch (party)
	{
		case 0:
			add_elements(sum->mine, n, bytes);
			add_stream(sum->next, n, bytes + n * sizeof(uint128));
			break;
		case 1:
			add_stream(sum->mine, n, bytes);
			add_stream(sum->next, n, bytes + SEED_BYTES);
			break;
		case 2:
			add_stream(sum->mine, n, bytes + n * sizeof(uint128));
			add_elements(sum->next, n, bytes);
			break;
	}
	return true;
}

static void
append_elements(StringInfo out, const uint128 *elements, size_t n)
{
	uint128		chunk[CHUNK];

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		memcpy(chunk, elements + start, len * sizeof(uint128));
		ring_wire(chunk, len);
		appendBinaryStringInfo(out, (const char *) chunk, len * sizeof(uint128));
	}
	wipe(chunk, sizeof(chunk));
}

void
ring_open_message(const Shared *shared, StringInfo out)
{
	enlargeStringInfo(out, 2 * shared->n * sizeof(uint128));
	append_elements(out, shared->mine, shared->n);
	append_elements(out, shared->next, shared->n);
}

/* The differences are gathered, not tested one by one: only "all equal" is told. */
bool
ring_rebuild(uint128 *values, size_t n,
			 const uint8 *messages[PARTIES], const size_t lens[PARTIES])
{
	uint128		difference = 0;

	for (int party = 0; party < PARTIES; party++)
	{
		if (lens[party] != 2 * n * sizeof(uint128))
			return false;
	}

	memset(values, 0, n * sizeof(uint128));
	for (int party = 0; party < PARTIES; party++)
	{
		const uint8 *mine = messages[party];
		const uint8 *copy = messages[(party + 2) % 3] + n * sizeof(uint128);

		for (size_t i = 0; i < n; i++)
		{
			uint128		x = read_element(mine, i);

			difference |= x ^ read_element(copy, i);
			values[i] += x;
		}
	}
	return difference == 0;
}
