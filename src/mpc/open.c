/*
 * open.c
 *	  One place opens.
 */
#include "mpc/open.h"

static void
check_copy(Party *self, const void *missing, size_t len, const uint8 digest[HASH_BYTES])
{
	uint8		own[HASH_BYTES];

	hash_bytes(own, missing, len);
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_DIGEST, .bytes = 1, .n = HASH_BYTES, .x_mine = own, .x_next = digest
					});
	if (memcmp(own, digest, HASH_BYTES) != 0)
		fail(ERRCODE_SECMED_SHARES_DIFFER,
			 "the shares of parties \"%s\" and \"%s\" do not fit together",
			 self->prev->peer, self->next->peer);
}

void
open_summands(Party *self, int learners, const void *mine, const void *next,
			  void *missing, size_t len)
{
	bool		learns = open_learns(self, learners) && len > 0;
	bool		prev_learns = (learners >> PARTY_PREV(self->index) & 1) && len > 0;
	bool		next_learns = (learners >> PARTY_NEXT(self->index) & 1) && len > 0;
	uint8		sent[HASH_BYTES];
	uint8		received[HASH_BYTES];

	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_OPEN, .party = learners, .bytes = 1, .n = len,
						.x_mine = mine, .x_next = next
					});
	if (next_learns)
		hash_bytes(sent, mine, len);
	party_round_checked(self, next, prev_learns ? len : 0, missing, learns ? len : 0,
						next_learns ? sent : NULL, learns ? received : NULL);
	if (learns)
		check_copy(self, missing, len, received);
}
