/*
 * memory.h
 *	  Memory that a test frees at once, as a memory context would.
 *
 * Decoders leave what they allocate to the context they run in, and a program
 * without a server has none.  This stands in for PostgreSQL's fe_memutils.c:
 * each allocation is one of malloc(), so that valgrind and the sanitizers
 * still see every access beyond its end, and memory_reset() frees what is
 * left.  For programs of one thread and one source file.
 */
#ifndef SECMED_TEST_MEMORY_H
#define SECMED_TEST_MEMORY_H

#include "base/base.h"

/* Before each allocation; keeps the alignment of malloc(). */
typedef struct Chunk
{
	struct Chunk *prev;
	struct Chunk *next;
} Chunk;

static Chunk memory_chunks = {&memory_chunks, &memory_chunks};

static void
memory_link(Chunk *chunk)
{
	chunk->prev = &memory_chunks;
	chunk->next = memory_chunks.next;
	chunk->prev->next = chunk->next->prev = chunk;
}

static void
memory_unlink(Chunk *chunk)
{
	chunk->prev->next = chunk->next;
	chunk->next->prev = chunk->prev;
}

void *
palloc_extended(Size size, int flags)
{
	Chunk	   *chunk = malloc(sizeof(Chunk) + size);

	if (chunk == NULL)
		abort();
	memory_link(chunk);
	if (flags & MCXT_ALLOC_ZERO)
		memset(chunk + 1, 0, size);
	return chunk + 1;
}

void *
palloc(Size size)
{
	return palloc_extended(size, 0);
}

void *
palloc0(Size size)
{
	return palloc_extended(size, MCXT_ALLOC_ZERO);
}

void *
repalloc(void *pointer, Size size)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	memory_unlink(chunk);
	chunk = realloc(chunk, sizeof(Chunk) + size);
	if (chunk == NULL)
		abort();
	memory_link(chunk);
	return chunk + 1;
}

void
pfree(void *pointer)
{
	memory_unlink((Chunk *) pointer - 1);
	free((Chunk *) pointer - 1);
}

char *
pnstrdup(const char *in, Size size)
{
	size_t		len = strnlen(in, size);
	char	   *copy = palloc(len + 1);

	memcpy(copy, in, len);
	copy[len] = '\0';
	return copy;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

/* Frees all that was allocated and not freed. */
static inline void
memory_reset(void)
{
	while (memory_chunks.next != &memory_chunks)
		pfree(memory_chunks.next + 1);
}

#endif							/* SECMED_TEST_MEMORY_H */
