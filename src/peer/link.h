/*
 * link.h
 *	  The pairs of a run's three parties: party i calls party i + 1.
 *
 *	  computing backend of i  --libpq, CALL secmed.link-->  link backend at
 *	  i + 1  --shared memory queue-->  computing backend of i + 1
 *
 * Each computing backend has one link it opened (to the next party: a
 * NodeConn) and one that it was reached by (from the previous party: a
 * shm_mq pair in a dynamic shared memory segment, relayed by the backend
 * that serves secmed.link).  The two find each other by run id in a small
 * table in shared memory.  A session's exported secret seeds the pair's PRG
 * (purpose "secmed/pair/1", id = run id), so no seed is ever sent between
 * nodes.
 */
#ifndef SECMED_LINK_H
#define SECMED_LINK_H

#include "ledger/entry.h"
#include "mpc/party.h"
#include "utils/timestamp.h"

typedef struct PartyLinks PartyLinks;

extern void link_init(void);	/* _PG_init: shared memory request and hooks */
extern void links_init(void);	/* ... and the setting */

/* secmed.mpc_memory, in bytes: what a run may take here, as a party. */
extern uint64 links_memory_max(void);

/*
 * Registers this backend as the computing one of party `index` for the run
 * and starts the call to the next party; does not wait.  names: the three
 * parties in order.  Memory lives in CurrentMemoryContext; whatever is left
 * is cleaned up at the end of the (sub)transaction and when the backend exits.
 */
extern PartyLinks *links_open(const uint8 run[RUN_ID_BYTES], int index,
							  const char *const names[PARTIES]);

/*
 * Waits until both links stand (bounded by the deadline, naming the party
 * that is missing) and fills the party: channels, PRGs, wait function, memory_max.
 * From here to links_close() the process keeps memory that it frees (party_keep_memory()).
 * party->wait obeys cancel, watches the coordinator's connection (closed or
 * unexpectedly readable: ERRCODE_QUERY_CANCELED), and fails at the deadline
 * with ERRCODE_SECMED_NODE_LOST naming the party that all wait for: it takes
 * up to LINK_BLAME_MS, or a sixth of the time given, to find that out.
 */
extern void links_ready(PartyLinks *links, Party *party, TimestampTz deadline);

/*
 * From now on the deadline is one of silence: it is `ms` from the last time that
 * anything moved between this party and its neighbours.  For computations
 * whose length nobody knows before.
 */
extern void links_bound_silence(PartyLinks *links, int ms);

/* Ends both links in order. */
extern void links_close(PartyLinks *links);

/*
 * The same for a library that a superuser loads into a backend of a node, where
 * the names above are hidden: find_rendezvous_variable(LINKS_RENDEZVOUS) points to it.
 * It does what any party can do between itself and the next, and is for measuring
 * the engine over real links (bench/mpc).
 */
#define LINKS_RENDEZVOUS	"secmed links"

typedef struct LinksInterface
{
	PartyLinks *(*open) (const uint8 run[RUN_ID_BYTES], int index, const char *const names[PARTIES]);
	void		(*ready) (PartyLinks *links, Party *party, TimestampTz deadline);
	void		(*close) (PartyLinks *links);
} LinksInterface;

/* Payload bytes sent to the other parties, for the report. */
extern uint64 links_bytes_sent(const PartyLinks *links);

#endif							/* SECMED_LINK_H */
