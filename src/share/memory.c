/*
 * memory.c
 *	  Memory of vectors, wiped when it is given back, and counted.
 */
#include "base/base.h"

#include "crypto/hash.h"
#include "share/memory.h"

__thread VectorMemory vector_memory;

static void *
take(size_t bytes, int flags)
{
	void	   *memory = palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE | flags);

	vector_memory.now += bytes;
	vector_memory.peak = Max(vector_memory.peak, vector_memory.now);
	return memory;
}

void *
vector_alloc(size_t bytes)
{
	return take(bytes, 0);
}

void *
vector_alloc_zero(size_t bytes)
{
	return take(bytes, MCXT_ALLOC_ZERO);
}

void
vector_free(void *memory, size_t bytes)
{
	wipe(memory, bytes);
	pfree(memory);
	vector_memory.now -= bytes;
}

void *
vector_shorten(void *memory, size_t old_bytes, size_t bytes)
{
	Assert(bytes <= old_bytes);
	wipe((char *) memory + bytes, old_bytes - bytes);
	vector_memory.now -= old_bytes - bytes;
#ifdef FRONTEND
	return repalloc(memory, Max(bytes, 1));
#else
	return repalloc_huge(memory, Max(bytes, 1));
#endif
}
