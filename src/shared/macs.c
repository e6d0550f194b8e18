/*
 * macs.c
 *	  Keyed fingerprints of rows.
 */
#include "postgres.h"

#include "crypto/hash.h"
#include "crypto/libsodium.h"
#include "port/pg_bswap.h"
#include "shared/macs.h"

/* The key that this node has with another party for the summand of this number. */
static void
pair_key(uint8 key[MAC_KEY_BYTES], const SharedTable *table, int other, int summand, const uint8 nonce[WRITE_ID_BYTES])
{
	const NodeKeys *self = node_self();
	uint8		shared[crypto_box_BEFORENMBYTES];
	uint8		number = (uint8) summand;
	Peer		peer;
	HashPart	parts[] = {
		{"secmed/check/1", 15}, {shared, sizeof(shared)}, {nonce, WRITE_ID_BYTES}, {&number, 1},
		{table->definition.name, strlen(table->definition.name)}
	};

	peer_require(&peer, table->definition.parties[other].name);
	libsodium_start();
	if (crypto_box_beforenm(shared, peer.card.seal_public, self->seal_secret) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY), errmsg("the key of party \"%s\" is no key", peer.card.name)));
	hash_parts(key, parts, lengthof(parts));
	wipe(shared, sizeof(shared));
}

void
mac_keys(MacKeys *keys, const SharedTable *table, const uint8 nonce[WRITE_ID_BYTES])
{
	int			next = (table->party + 1) % PARTIES;

	pair_key(keys->mine, table, (table->party + 2) % PARTIES, table->party, nonce);
	pair_key(keys->next, table, next, next, nonce);
}

void
mac_row(uint8 mac[SHARED_MAC_BYTES], const uint8 key[MAC_KEY_BYTES], int64 row_id, const uint8 *row, int width)
{
	crypto_generichash_state state;
	uint64		id = pg_hton64(row_id);

	crypto_generichash_init(&state, key, MAC_KEY_BYTES, SHARED_MAC_BYTES);
	crypto_generichash_update(&state, (const uint8 *) &id, sizeof(id));
	crypto_generichash_update(&state, row, width);
	crypto_generichash_final(&state, mac, SHARED_MAC_BYTES);
}

void
mac_add(uint8 sum[SHARED_MAC_BYTES], const uint8 mac[SHARED_MAC_BYTES])
{
	unsigned	carry = 0;

	for (int i = 0; i < SHARED_MAC_BYTES; i++)
	{
		carry += sum[i] + mac[i];
		sum[i] = (uint8) carry;
		carry >>= 8;
	}
}

/* Fibonacci hashing (Knuth, TAOCP 3, section 6.4): neighbours fall into different buckets. */
int
mac_bucket(int64 row_id)
{
	return (int) (((uint64) row_id * UINT64CONST(0x9e3779b97f4a7c15)) >> 54) % DIGEST_BUCKETS;
}
