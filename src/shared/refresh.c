/*
 * refresh.c
 *	  New shares for all rows, so that shares which leaked before are of no use
 *	  (Ostrovsky, Yung, PODC 1991; Herzberg et al., CRYPTO 1995).
 *
 *	  offer  each party makes an X25519 key for this refresh only, and signs it
 *	  deal   each seals 32 random bytes to the two others' keys
 *	  take   seed = hash of the three; r1, r2 are streams of it, r0 = -(r1 + r2);
 *	         x_i becomes x_i + r_i, staged as SHARED_REPLACE
 *
 * Whoever holds two summands of zero knows the third, so every party knows
 * r0, r1 and r2 whatever the protocol; nobody else does, not the coordinator, who
 * passes sealed bytes on, and not who gets the nodes' keys later: the keys of
 * the refresh are gone with it.  What was leaked of one party before and of
 * another after the refresh does not fit together.
 *
 * The coordinator compares a hash of seed and row ids from all three before
 * it commits.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/xact.h"
#include "crypto/hash.h"
#include "crypto/libsodium.h"
#include "crypto/prg.h"
#include "port/pg_bswap.h"
#include "shared/check.h"
#include "shared/client.h"
#include "shared/scan.h"
#include "shared/serve.h"
#include "shared/stage.h"
#include "shared/write.h"

#define CONTRIBUTION_BYTES	32
#define BOX_BYTES			(CONTRIBUTION_BYTES + SEAL_OVERHEAD_BYTES)
#define SIGNED_BYTES_MAX	(WRITE_ID_BYTES + NAMEDATALEN + 2 * BOX_BYTES)

/* The refresh that this backend takes part in. */
static struct
{
	bool		offered;
	bool		dealt;
	uint8		write[WRITE_ID_BYTES];
	uint8		public_key[SEAL_PUBLIC_BYTES];
	uint8		secret_key[SEAL_SECRET_BYTES];
	uint8		contribution[CONTRIBUTION_BYTES];
}			refresh;

static pg_attribute_noreturn() void
refuse_message(const NodeCard *from)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", from->name)));
}

/* ---- signatures ---- */

/* What is signed: the change, the table, and bytes. */
static size_t
signed_bytes(uint8 out[SIGNED_BYTES_MAX], const SharedMessage *question, const uint8 *bytes, size_t len)
{
	size_t		name = strlen(question->table) + 1;

	memcpy(out, question->write, WRITE_ID_BYTES);
	memcpy(out + WRITE_ID_BYTES, question->table, name);
	memcpy(out + WRITE_ID_BYTES + name, bytes, len);
	return WRITE_ID_BYTES + name + len;
}

static uint8 *
sign_bytes(const SharedMessage *question, const char *purpose, const uint8 *bytes, size_t len)
{
	uint8		message[SIGNED_BYTES_MAX];
	uint8	   *signature = palloc(SIGNATURE_BYTES);

	sign_message(signature, node_self()->sign_secret, purpose, message, signed_bytes(message, question, bytes, len));
	return signature;
}

static void
verify_bytes(const SharedTable *table, int party, const SharedMessage *question, const char *purpose,
			 const uint8 *bytes, size_t len, const Bytes *signature, const NodeCard *from)
{
	uint8		message[SIGNED_BYTES_MAX];
	NodeCard	card = node_self()->card;

	if (party != table->party)
	{
		Peer		peer;

		peer_require(&peer, table->definition.parties[party].name);
		card = peer.card;
	}
	if (signature->len != SIGNATURE_BYTES || shared_party_of(&table->definition, &card) != party ||
		!sign_verify(signature->data, card.sign_public, purpose, message, signed_bytes(message, question, bytes, len)))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("what node \"%s\" passed on for party \"%s\" is not signed by it", from->name, card.name)));
}

/* ---- the three steps, at a party ---- */

static void
require_step(const SharedMessage *question, bool reached)
{
	if (!reached || memcmp(refresh.write, question->write, WRITE_ID_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("this node takes part in no such refresh of \"%s\"", question->table),
				 errhint("Begin again with secmed.refresh().")));
}

void
refresh_offer(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	(void) serve_table(question, from);
	stage_require_allowed(question->table, from);
	wipe(&refresh, sizeof(refresh));
	memcpy(refresh.write, question->write, WRITE_ID_BYTES);
	seal_keypair(refresh.public_key, refresh.secret_key);
	refresh.offered = true;
	answer->parts[0] = (Bytes) {refresh.public_key, SEAL_PUBLIC_BYTES};
	answer->parts[1] = (Bytes) {sign_bytes(question, "secmed/refresh/1", refresh.public_key, SEAL_PUBLIC_BYTES),
	SIGNATURE_BYTES};
}

void
refresh_deal(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	SharedTable *table = serve_table(question, from);
	uint8	   *boxes = palloc(2 * BOX_BYTES);

	require_step(question, refresh.offered);
	for (int i = 0; i < PARTIES; i++)
	{
		if (question->parts[2 * i].len != SEAL_PUBLIC_BYTES)
			refuse_message(from);
		verify_bytes(table, i, question, "secmed/refresh/1", question->parts[2 * i].data, SEAL_PUBLIC_BYTES,
					 &question->parts[2 * i + 1], from);
	}
	random_bytes(refresh.contribution, CONTRIBUTION_BYTES);
	refresh.dealt = true;
	seal_message(boxes, question->parts[2 * ((table->party + 1) % PARTIES)].data, refresh.contribution, CONTRIBUTION_BYTES);
	seal_message(boxes + BOX_BYTES, question->parts[2 * ((table->party + 2) % PARTIES)].data,
				 refresh.contribution, CONTRIBUTION_BYTES);
	answer->parts[0] = (Bytes) {boxes, BOX_BYTES};
	answer->parts[1] = (Bytes) {boxes + BOX_BYTES, BOX_BYTES};
	answer->parts[2] = (Bytes) {sign_bytes(question, "secmed/refresh/2", boxes, 2 * BOX_BYTES), SIGNATURE_BYTES};
}

/* The contribution of another party: parts are its two boxes and its signature; ours is the `which`-th box. */
static void
open_contribution(uint8 out[CONTRIBUTION_BYTES], const SharedTable *table, int party, const SharedMessage *question,
				  const Bytes *parts, int which, const NodeCard *from)
{
	uint8		boxes[2 * BOX_BYTES];

	if (parts[0].len != BOX_BYTES || parts[1].len != BOX_BYTES)
		refuse_message(from);
	memcpy(boxes, parts[0].data, BOX_BYTES);
	memcpy(boxes + BOX_BYTES, parts[1].data, BOX_BYTES);
	verify_bytes(table, party, question, "secmed/refresh/2", boxes, sizeof(boxes), &parts[2], from);
	if (!seal_open(out, parts[which].data, BOX_BYTES, refresh.public_key, refresh.secret_key))
		refuse_message(from);
}

typedef struct Reshare
{
	const SharedTable *table;
	const SharedMessage *question;
	const RowLayout *layout;
	const int  *columns;
	Prg		   *streams[2];		/* of r1, r2 */
	EVP_MD_CTX *ids;
	uint64		rows;
} Reshare;

/* The seed that the three contributions make. */
static void
make_seed(uint8 seed[SEED_BYTES], const SharedTable *table, const SharedMessage *question, const NodeCard *from)
{
	uint8		contributions[PARTIES][CONTRIBUTION_BYTES];
	int			next = (table->party + 1) % PARTIES;
	int			prev = (table->party + 2) % PARTIES;
	HashPart	parts[] = {{"secmed/refresh/seed/1", 22}, {question->write, WRITE_ID_BYTES},
	{contributions, sizeof(contributions)}};

	memcpy(contributions[table->party], refresh.contribution, CONTRIBUTION_BYTES);
	open_contribution(contributions[next], table, next, question, &question->parts[1], 1, from);
	open_contribution(contributions[prev], table, prev, question, &question->parts[4], 0, from);
	hash_parts(seed, parts, lengthof(parts));
	wipe(contributions, sizeof(contributions));
}

/* summand i += r_i, where r0 = -(r1 + r2) */
static void
add_zero(const RowLayout *layout, uint8 *rows, int summand, uint8 *const r[2], size_t n)
{
	if (summand > 0)
		rows_add(layout, rows, r[summand - 1], n);
	else
		for (int k = 0; k < 2; k++)
			rows_subtract(layout, rows, r[k], n);
}

static void
reshare_block(void *arg, size_t first, size_t n, const int64 *row_ids, const uint8 *mine, const uint8 *next)
{
	Reshare    *reshare = arg;
	const RowLayout *layout = reshare->layout;
	size_t		bytes = n * layout->width;
	uint8	   *r[2] = {palloc(bytes + 1), palloc(bytes + 1)};
	uint8	   *new_mine = palloc(bytes + 1);
	uint8	   *new_next = palloc(bytes + 1);

	for (int k = 0; k < 2; k++)
		rows_random(layout, reshare->streams[k], r[k], n);
	memcpy(new_mine, mine, bytes);
	memcpy(new_next, next, bytes);
	add_zero(layout, new_mine, reshare->table->party, r, n);
	add_zero(layout, new_next, (reshare->table->party + 1) % PARTIES, r, n);
	stage_replace_rows(reshare->table, reshare->question->write, reshare->question->numbers[0], reshare->columns,
					   layout, row_ids, n, new_mine, new_next);
	for (size_t i = 0; i < n; i++)
	{
		uint64		id = pg_hton64(row_ids[i]);

		if (EVP_DigestUpdate(reshare->ids, &id, sizeof(id)) != 1)
			elog(ERROR, "could not hash row ids");
	}
	reshare->rows += n;
	for (int k = 0; k < 2; k++)
	{
		wipe(r[k], bytes);
		pfree(r[k]);
	}
	wipe(new_mine, bytes);
	wipe(new_next, bytes);
	pfree(new_mine);
	pfree(new_next);
}

static void
free_ids(void *arg)
{
	EVP_MD_CTX_free(((Reshare *) arg)->ids);
}

/* OpenSSL's state is not palloc'd: it goes with the context. */
static Reshare *
reshare_create(const SharedTable *table, const SharedMessage *question, const uint8 seed[SEED_BYTES])
{
	Reshare    *reshare = palloc0(sizeof(Reshare));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	callback->func = free_ids;
	callback->arg = reshare;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	reshare->table = table;
	reshare->question = question;
	reshare->ids = EVP_MD_CTX_new();
	if (reshare->ids == NULL || EVP_DigestInit_ex(reshare->ids, EVP_sha256(), NULL) != 1 ||
		EVP_DigestUpdate(reshare->ids, "secmed/refresh/check/1", 23) != 1 ||
		EVP_DigestUpdate(reshare->ids, seed, SEED_BYTES) != 1)
		elog(ERROR, "could not hash row ids");
	for (int k = 0; k < 2; k++)
	{
		uint8		stream[SEED_BYTES];
		uint8		number = k + 1;

		prg_derive_seed(stream, seed, "secmed/refresh/stream/1", &number, 1);
		reshare->streams[k] = prg_create(stream);
		wipe(stream, sizeof(stream));
	}
	return reshare;
}

void
refresh_take(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	SharedTable *table = serve_table(question, from);
	uint8		seed[SEED_BYTES];
	uint8	   *check = palloc(HASH_BYTES);
	SharedScan	scan;
	Reshare    *reshare;

	require_step(question, refresh.dealt);
	stage_require_allowed(question->table, from);
	make_seed(seed, table, question, from);
	wipe(&refresh, sizeof(refresh));
	reshare = reshare_create(table, question, seed);
	wipe(seed, sizeof(seed));

	stage_replace_begin(table, question->write, question->numbers[0]);
	shared_scan_init(&scan, table, NULL, 0);
	reshare->layout = &scan.layout;
	reshare->columns = scan.columns;
	shared_scan_run(&scan, reshare_block, reshare);
	if (EVP_DigestFinal_ex(reshare->ids, check, NULL) != 1)
		elog(ERROR, "could not hash row ids");
	ForceSyncCommit();
	answer->parts[0] = (Bytes) {check, HASH_BYTES};
}

/* ---- at the coordinator ---- */

static void
ask_step(const SharedWrite *write, SharedVerb verb, SharedMessage *questions, SharedMessage *answers)
{
	for (int i = 0; i < PARTIES; i++)
	{
		questions[i].verb = verb;
		questions[i].table = (char *) write->parties.table;
		memcpy(questions[i].write, write->id, WRITE_ID_BYTES);
	}
	shared_ask(write->parties.nodes, PARTIES, questions, answers);
}

void
refresh_shared(const SharedParties *parties)
{
	SharedMessage questions[PARTIES] = {0};
	SharedMessage offers[PARTIES];
	SharedMessage deals[PARTIES];
	SharedMessage takes[PARTIES];
	SharedWrite write;

	shared_write_begin(&write, parties, "refresh");
	ask_step(&write, SHARED_OFFER, questions, offers);
	for (int i = 0; i < PARTIES; i++)
		for (int j = 0; j < PARTIES; j++)
		{
			questions[i].parts[2 * j] = offers[j].parts[0];
			questions[i].parts[2 * j + 1] = offers[j].parts[1];
		}
	ask_step(&write, SHARED_DEAL, questions, deals);
	for (int i = 0; i < PARTIES; i++)
	{
		questions[i].numbers[0] = write.xid;
		questions[i].parts[0] = (Bytes) {(const uint8 *) write.requester, strlen(write.requester)};
		for (int k = 0; k < 3; k++)
		{
			questions[i].parts[1 + k] = deals[(i + 1) % PARTIES].parts[k];
			questions[i].parts[4 + k] = deals[(i + 2) % PARTIES].parts[k];
		}
	}
	ask_step(&write, SHARED_TAKE, questions, takes);
	for (int i = 1; i < PARTIES; i++)
		if (takes[i].parts[0].len != HASH_BYTES || takes[0].parts[0].len != HASH_BYTES ||
			memcmp(takes[i].parts[0].data, takes[0].parts[0].data, HASH_BYTES) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("parties \"%s\" and \"%s\" do not have the same rows of \"%s\"",
							parties->nodes[0], parties->nodes[i], parties->table),
					 errhint("Rows may have come in this moment: try again. If it stays so, secmed.check_shared() finds where.")));
}
