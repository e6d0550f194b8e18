/*
 * memory.h
 *	  Memory of vectors: of any size, wiped when it is given back, and counted.
 *
 * What is counted is what the calling thread holds, in a server the
 * backend.  A run reserves before it takes (mpc/party.h); the tests compare the two.
 */
#ifndef SECMED_MEMORY_H
#define SECMED_MEMORY_H

#include "base/base.h"

/* Bytes.  What one thread takes and another gives back makes `now` negative in the second. */
typedef struct VectorMemory
{
	int64		now;
	int64		peak;			/* the most since whoever looks has set it to `now` */
} VectorMemory;

extern __thread VectorMemory vector_memory;

/* Not zeroed, and zeroed.  Fails if there is none.  0 bytes: a pointer to be freed all the same. */
extern void *vector_alloc(size_t bytes);
extern void *vector_alloc_zero(size_t bytes);

/* Wipes; bytes as they were asked for. */
extern void vector_free(void *memory, size_t bytes);

/* The first `bytes` bytes of what had more; the rest is wiped.  It may have moved. */
extern void *vector_shorten(void *memory, size_t old_bytes, size_t bytes);

#endif							/* SECMED_MEMORY_H */
