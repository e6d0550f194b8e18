/*
 * arith.c
 *	  Arithmetic on vectors shared over Z_2^128.
 */
#include "mpc/arith.h"
#include "mpc/open.h"
#include "share/memory.h"
#include "share/vector.h"

#define ELEMENT			uint128
#define VECTOR			Shared
#define NAME(x)			arith_##x
#define LOOP(x)			vector_##x##128
#define WIRE			ring_wire
#define RANDOM			ring_random

#include "mpc/ring_protocols.h"

void
arith_input_from_0(Party *self, Shared *z, const uint128 *values)
{
	arith_input(self, z, 0, values);
}
