/*
 * arith64.c
 *	  Arithmetic on vectors shared over Z_2^64.
 */
#include "mpc/arith64.h"
#include "mpc/open.h"
#include "share/memory.h"
#include "share/vector.h"

#define ELEMENT			uint64
#define VECTOR			Shared64
#define NAME(x)			arith64_##x
#define LOOP(x)			vector_##x##64
#define WIRE			ring64_wire
#define RANDOM			ring64_random

#include "mpc/ring_protocols.h"
