/*
 * ring64.c
 *	  Replicated additive secret sharing over Z_2^64.
 *
 * Letters and packages as in ring.c.  The two summands that come from seeds
 * are expanded in chunks of CHUNK elements; who splits and who adds cut at the
 * same places.
 */
#include "base/base.h"

#include "port/pg_bswap.h"

#include "crypto/hash.h"
#include "share/memory.h"
#include "share/ring64.h"
#include "share/vector.h"

/* 16 KB: AES runs at speed, and three of them stay in the cache. */
#define CHUNK	2048

Shared64
shared64_alloc(size_t n)
{
	Shared64	shared;

	shared.mine = vector_alloc(n * sizeof(uint64));
	shared.next = vector_alloc(n * sizeof(uint64));
	shared.n = n;
	return shared;
}

Shared64
shared64_zero(size_t n)
{
	Shared64	shared;

	shared.mine = vector_alloc_zero(n * sizeof(uint64));
	shared.next = vector_alloc_zero(n * sizeof(uint64));
	shared.n = n;
	return shared;
}

void
shared64_free(Shared64 *shared)
{
	vector_free(shared->mine, shared->n * sizeof(uint64));
	vector_free(shared->next, shared->n * sizeof(uint64));
	shared->mine = NULL;
	shared->next = NULL;
	shared->n = 0;
}

Shared64
shared64_view(const Shared64 *shared, size_t first, size_t n)
{
	Shared64	view = {shared->mine + first, shared->next + first, n};

	Assert(first + n <= shared->n);
	return view;
}

Shared64
shared64_append(const Shared64 *x, const Shared64 *y)
{
	Shared64	both = shared64_alloc(x->n + y->n);
	Shared64	first = shared64_view(&both, 0, x->n);
	Shared64	second = shared64_view(&both, x->n, y->n);

	shared64_copy(&first, x);
	shared64_copy(&second, y);
	return both;
}

void
shared64_copy(Shared64 *z, const Shared64 *x)
{
	Assert(z->n == x->n);
	memmove(z->mine, x->mine, x->n * sizeof(uint64));
	memmove(z->next, x->next, x->n * sizeof(uint64));
}

void
shared64_add(Shared64 *z, const Shared64 *x, const Shared64 *y)
{
	Assert(z->n == x->n && z->n == y->n);
	vector_linear64(z->mine, 1, x->mine, 1, y->mine, z->n);
	vector_linear64(z->next, 1, x->next, 1, y->next, z->n);
}

void
shared64_subtract(Shared64 *z, const Shared64 *x, const Shared64 *y)
{
	Assert(z->n == x->n && z->n == y->n);
	vector_linear64(z->mine, 1, x->mine, -1, y->mine, z->n);
	vector_linear64(z->next, 1, x->next, -1, y->next, z->n);
}

void
shared64_negate(Shared64 *z, const Shared64 *x)
{
	shared64_scale(z, x, -1);
}

void
shared64_scale(Shared64 *z, const Shared64 *x, uint64 factor)
{
	Assert(z->n == x->n);
	vector_linear64(z->mine, factor, x->mine, 0, x->mine, z->n);
	vector_linear64(z->next, factor, x->next, 0, x->next, z->n);
}

void
shared64_prefix_sums(Shared64 *x)
{
	for (size_t v = 1; v < x->n; v++)
	{
		x->mine[v] += x->mine[v - 1];
		x->next[v] += x->next[v - 1];
	}
}

void
shared64_differences(Shared64 *x)
{
	for (size_t v = x->n; v-- > 1;)
	{
		x->mine[v] -= x->mine[v - 1];
		x->next[v] -= x->next[v - 1];
	}
}

void
ring64_wire(uint64 *elements, size_t n)
{
#ifdef WORDS_BIGENDIAN
	for (size_t i = 0; i < n; i++)
		elements[i] = pg_bswap64(elements[i]);
#endif
}

void
ring64_random(Prg *prg, uint64 *out, size_t n)
{
	prg_fill(prg, out, n * sizeof(uint64));
	ring64_wire(out, n);
}

size_t
package64_bytes(int party, size_t n)
{
	Assert(party >= 0 && party < PARTIES);
	if (party == 1)
		return 2 * SEED_BYTES;
	return n * sizeof(uint64) + SEED_BYTES;
}

/* x1 and x2 are pseudo-random; x0 is what is missing to the value. */
void
ring64_split(const uint64 *values, size_t n, StringInfo out[PARTIES])
{
	uint8		seeds[2][SEED_BYTES];
	uint64		x0[CHUNK];
	uint64		x1[CHUNK];
	uint64		x2[CHUNK];
	Prg		   *prg1;
	Prg		   *prg2;

	random_bytes(seeds, sizeof(seeds));
	prg1 = prg_create(seeds[0]);
	prg2 = prg_create(seeds[1]);
	for (int party = 0; party < PARTIES; party++)
		enlargeStringInfo(out[party], package64_bytes(party, n));

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		ring64_random(prg1, x1, len);
		ring64_random(prg2, x2, len);
		vector_linear64(x0, 1, values + start, -1, x1, len);
		vector_linear64(x0, 1, x0, -1, x2, len);
		ring64_wire(x0, len);
		appendBinaryStringInfo(out[0], (const char *) x0, len * sizeof(uint64));
		appendBinaryStringInfo(out[2], (const char *) x0, len * sizeof(uint64));
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
add_stream(uint64 *sum, size_t n, const uint8 seed[SEED_BYTES])
{
	uint64		x[CHUNK];
	Prg		   *prg = prg_create(seed);

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		ring64_random(prg, x, len);
		vector_linear64(sum + start, 1, sum + start, 1, x, len);
	}
	prg_free(prg);
	wipe(x, sizeof(x));
}

/* One element of the wire, wherever it lies. */
static inline uint64
read_element(const uint8 *bytes, size_t i)
{
	uint64		x;

	memcpy(&x, bytes + i * sizeof(uint64), sizeof(uint64));
	ring64_wire(&x, 1);
	return x;
}

/* sum += the elements written out. */
static void
add_elements(uint64 *sum, size_t n, const uint8 *bytes)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += read_element(bytes, i);
}

bool
ring64_add_package(Shared64 *sum, int party, const void *package, size_t len)
{
	const uint8 *bytes = package;
	size_t		n = sum->n;

	if (len != package64_bytes(party, n))
		return false;

	switch (party)
	{
		case 0:
			add_elements(sum->mine, n, bytes);
			add_stream(sum->next, n, bytes + n * sizeof(uint64));
			break;
		case 1:
			add_stream(sum->mine, n, bytes);
			add_stream(sum->next, n, bytes + SEED_BYTES);
			break;
		case 2:
			add_stream(sum->mine, n, bytes + n * sizeof(uint64));
			add_elements(sum->next, n, bytes);
			break;
	}
	return true;
}

static void
append_elements(StringInfo out, const uint64 *elements, size_t n)
{
	uint64		chunk[CHUNK];

	for (size_t start = 0; start < n; start += CHUNK)
	{
		size_t		len = Min(CHUNK, n - start);

		memcpy(chunk, elements + start, len * sizeof(uint64));
		ring64_wire(chunk, len);
		appendBinaryStringInfo(out, (const char *) chunk, len * sizeof(uint64));
	}
	wipe(chunk, sizeof(chunk));
}

void
ring64_open_message(const Shared64 *shared, StringInfo out)
{
	enlargeStringInfo(out, 2 * shared->n * sizeof(uint64));
	append_elements(out, shared->mine, shared->n);
	append_elements(out, shared->next, shared->n);
}

/* The differences are gathered, not tested one by one: only "all equal" is told. */
bool
ring64_rebuild(uint64 *values, size_t n,
			   const uint8 *messages[PARTIES], const size_t lens[PARTIES])
{
	uint64		difference = 0;

	for (int party = 0; party < PARTIES; party++)
	{
		if (lens[party] != 2 * n * sizeof(uint64))
			return false;
	}

	memset(values, 0, n * sizeof(uint64));
	for (int party = 0; party < PARTIES; party++)
	{
		const uint8 *mine = messages[party];
		const uint8 *copy = messages[(party + 2) % 3] + n * sizeof(uint64);

		for (size_t i = 0; i < n; i++)
		{
			uint64		x = read_element(mine, i);

			difference |= x ^ read_element(copy, i);
			values[i] += x;
		}
	}
	return difference == 0;
}
