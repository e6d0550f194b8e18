/*
 * noise.c
 *	  Noise on shared numbers, made by the three parties together.
 *
 * The same message as after a multiplication (Araki et al., CCS 2016, section 2): party i sends
 *
 *	  z_i = x_i + e_i + F(seed i) - F(seed i + 1)
 *
 * to party i - 1.  The streams sum to zero over the parties, and hide x_i + e_i from party i - 1,
 * which does not know seed i + 1.
 */
#include "mpc/noise.h"

#include "crypto/hash.h"

void
noise_add(Party *self, Shared *x, const int64 *drawn)
{
	size_t		bytes = x->n * sizeof(uint128);
	uint128    *mine = palloc(bytes + 1);
	uint128    *next = palloc(bytes + 1);

	ring_random(self->prg_mine, mine, x->n);
	ring_random(self->prg_next, next, x->n);
	for (size_t v = 0; v < x->n; v++)
		x->mine[v] += (uint128) (int128) drawn[v] + mine[v] - next[v];
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_NOISE, .bytes = sizeof(uint128), .n = x->n, .z_mine = x->mine
					});
	memcpy(mine, x->mine, bytes);
	ring_wire(mine, x->n);
	party_round(self, mine, bytes, x->next, bytes);
	ring_wire(x->next, x->n);
	wipe(mine, bytes);
	wipe(next, bytes);
	pfree(mine);
	pfree(next);
}
