/*
 * check.c
 *	  secmed.check_shared: are the three copies of a shared table one table?
 *
 * Each summand is held by two parties.  They compare keyed fingerprints
 * (macs.h), bucket by bucket through the coordinator, who sees random numbers; in
 * a bucket that differs, row by row, to name the rows.  Nothing is opened.
 *
 * What a party sees of its own shares is checked there as well: tags, types,
 * doubled rows.
 */
#include "postgres.h"

#include "crypto/hash.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "shared/check.h"
#include "shared/client.h"
#include "shared/macs.h"
#include "shared/scan.h"
#include "shared/serve.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* Copies that differ are compared so often, with a pause of 0.2 s. */
#define ATTEMPTS			3
#define ATTEMPT_WAIT_US		200000

/* Rows that are named of each pair of parties. */
#define DETAIL_ROWS_MAX		10

/* ---- at a party ---- */

typedef struct Digesting
{
	const RowLayout *layout;
	MacKeys		keys;
	uint64		rows;
	uint8	   *digests;		/* of all buckets: mine, next */
	int			bucket;			/* >= 0: only this one's rows, one by one ... */
	StringInfo	records;		/* ... here */
} Digesting;

static void
digest_row(Digesting *digesting, int64 id, const uint8 *mine, const uint8 *next)
{
	int			bucket = mac_bucket(id);
	uint8		macs[2][SHARED_MAC_BYTES];

	if (digesting->bucket >= 0 && bucket != digesting->bucket)
		return;
	mac_row(macs[0], digesting->keys.mine, id, mine, digesting->layout->width);
	mac_row(macs[1], digesting->keys.next, id, next, digesting->layout->width);
	if (digesting->bucket >= 0)
	{
		uint64		wire = pg_hton64(id);

		appendBinaryStringInfo(digesting->records, (char *) &wire, sizeof(wire));
		appendBinaryStringInfo(digesting->records, (char *) macs, sizeof(macs));
		return;
	}
	mac_add(digesting->digests + bucket * BUCKET_DIGEST_BYTES, macs[0]);
	mac_add(digesting->digests + bucket * BUCKET_DIGEST_BYTES + SHARED_MAC_BYTES, macs[1]);
}

static void
digest_block(void *arg, size_t first, size_t n, const int64 *row_ids, const uint8 *mine, const uint8 *next)
{
	Digesting  *digesting = arg;
	int			width = digesting->layout->width;

	digesting->rows += n;
	for (size_t i = 0; i < n; i++)
		digest_row(digesting, row_ids[i], mine + i * width, next + i * width);
}

static void
digest_table(const SharedTable *table, Digesting *digesting, const Bytes *nonce)
{
	SharedScan	scan;

	if (nonce->len != WRITE_ID_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL), errmsg("a nonce of another length than the protocol's")));
	mac_keys(&digesting->keys, table, nonce->data);
	shared_scan_init(&scan, table, NULL, 0);
	scan.any_order = true;
	digesting->layout = &scan.layout;
	shared_scan_run(&scan, digest_block, digesting);
	wipe(&digesting->keys, sizeof(digesting->keys));
}

void
check_digests(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	SharedTable *table = serve_table(question, from);
	Digesting	digesting = {.bucket = -1};

	digesting.digests = palloc0(DIGEST_BUCKETS * BUCKET_DIGEST_BYTES);
	digest_table(table, &digesting, &question->parts[0]);
	answer->numbers[0] = table->party;
	answer->numbers[1] = table->generation;
	answer->numbers[2] = digesting.rows;
	answer->parts[0] = (Bytes) {digesting.digests, DIGEST_BUCKETS * BUCKET_DIGEST_BYTES};
}

void
check_bucket(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	SharedTable *table = serve_table(question, from);
	Digesting	digesting = {.bucket = (int) (question->numbers[0] % DIGEST_BUCKETS)};

	digesting.records = makeStringInfo();
	digest_table(table, &digesting, &question->parts[0]);
	answer->parts[0] = (Bytes) {(uint8 *) digesting.records->data, digesting.records->len};
}

/* ---- at the coordinator ---- */

typedef struct Check
{
	const SharedParties *parties;
	uint8		nonce[WRITE_ID_BYTES];
	SharedMessage digests[PARTIES];
	SharedMessage buckets[PARTIES];
	StringInfoData detail[PARTIES]; /* of the pair of party i and the one before it */
	int			named[PARTIES];
} Check;

static void
ask_parties(Check *check, SharedVerb verb, uint64 bucket, SharedMessage *answers)
{
	SharedMessage questions[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		questions[i] = (SharedMessage) {.verb = verb, .table = (char *) check->parties->table};
		questions[i].numbers[0] = bucket;
		questions[i].parts[0] = (Bytes) {check->nonce, WRITE_ID_BYTES};
	}
	shared_ask(check->parties->nodes, PARTIES, questions, answers);
}

static void
check_lengths(const Check *check)
{
	for (int i = 0; i < PARTIES; i++)
		if (check->digests[i].parts[0].len != DIGEST_BUCKETS * BUCKET_DIGEST_BYTES || check->digests[i].numbers[0] != i)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_PROTOCOL),
					 errmsg("node \"%s\" sent a message that the protocol does not allow", check->parties->nodes[i]),
					 errdetail("It answers for another party, or at another length.")));
}

/* Summand i: mine of party i, next of the party before. */
static bool
bucket_agrees(const Check *check, int summand, int bucket)
{
	const uint8 *mine = check->digests[summand].parts[0].data + bucket * BUCKET_DIGEST_BYTES;
	const uint8 *next = check->digests[(summand + 2) % PARTIES].parts[0].data + bucket * BUCKET_DIGEST_BYTES + SHARED_MAC_BYTES;

	return memcmp(mine, next, SHARED_MAC_BYTES) == 0;
}

static void
name_row(Check *check, int summand, int64 id, const char *how, int party)
{
	StringInfo	detail = &check->detail[summand];

	if (check->named[summand]++ >= DETAIL_ROWS_MAX)
		return;
	appendStringInfo(detail, "%srow " INT64_FORMAT " ", detail->len ? "; " : "", id);
	if (party >= 0)
		appendStringInfo(detail, "%s \"%s\"", how, check->parties->nodes[party]);
	else
		appendStringInfoString(detail, how);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64));
}

static int64
record_id(const uint8 *record)
{
	uint64		id;

	memcpy(&id, record, sizeof(id));
	return (int64) pg_ntoh64(id);
}

/* The records of a bucket in the order of ids; big-endian ids compare as bytes. */
static uint8 *
sorted_records(const SharedMessage *answer, size_t *n)
{
	uint8	   *records = palloc(answer->parts[0].len + 1);

	memcpy(records, answer->parts[0].data, answer->parts[0].len);
	*n = answer->parts[0].len / BUCKET_RECORD_BYTES;
	qsort(records, *n, BUCKET_RECORD_BYTES, by_id);
	return records;
}

/* Walks both parties' rows of a bucket side by side. */
static void
compare_rows(Check *check, int summand)
{
	int			first = summand;
	int			second = (summand + 2) % PARTIES;
	size_t		n;
	size_t		m;
	uint8	   *a = sorted_records(&check->buckets[first], &n);
	uint8	   *b = sorted_records(&check->buckets[second], &m);
	size_t		i = 0;
	size_t		j = 0;

	while (i < n || j < m)
	{
		const uint8 *x = a + i * BUCKET_RECORD_BYTES;
		const uint8 *y = b + j * BUCKET_RECORD_BYTES;
		int			order = i == n ? 1 : j == m ? -1 : by_id(x, y);

		if (i > 0 && i < n && order <= 0 && by_id(x, x - BUCKET_RECORD_BYTES) == 0)
			name_row(check, summand, record_id(x), "is there twice at", first);
		else if (j > 0 && j < m && order >= 0 && by_id(y, y - BUCKET_RECORD_BYTES) == 0)
			name_row(check, summand, record_id(y), "is there twice at", second);
		else if (order < 0)
			name_row(check, summand, record_id(x), "is missing at", second);
		else if (order > 0)
			name_row(check, summand, record_id(y), "is missing at", first);
		else if (memcmp(x + 8, y + 8 + SHARED_MAC_BYTES, SHARED_MAC_BYTES) != 0)
			name_row(check, summand, record_id(x), "differs", -1);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Buckets that differ are asked for again, until enough rows are named. */
static void
find_rows(Check *check)
{
	for (int bucket = 0; bucket < DIGEST_BUCKETS; bucket++)
	{
		bool		differs[PARTIES];
		bool		any = false;

		for (int s = 0; s < PARTIES; s++)
		{
			differs[s] = !bucket_agrees(check, s, bucket);
			any = any || (differs[s] && check->named[s] < DETAIL_ROWS_MAX);
		}
		if (!any)
			continue;
		CHECK_FOR_INTERRUPTS();
		ask_parties(check, SHARED_BUCKET, bucket, check->buckets);
		for (int s = 0; s < PARTIES; s++)
			if (differs[s])
				compare_rows(check, s);
	}
}

static bool
pair_agrees(Check *check, int summand)
{
	int			other = (summand + 2) % PARTIES;
	const uint64 *a = check->digests[summand].numbers;
	const uint64 *b = check->digests[other].numbers;
	bool		agrees = a[1] == b[1] && a[2] == b[2];

	if (a[2] != b[2])
		appendStringInfo(&check->detail[summand], UINT64_FORMAT " rows at \"%s\" and " UINT64_FORMAT " at \"%s\"",
						 a[2], check->parties->nodes[summand], b[2], check->parties->nodes[other]);
	if (a[1] != b[1])
		appendStringInfo(&check->detail[summand], "%sanother generation at \"%s\" than at \"%s\"",
						 check->detail[summand].len ? "; " : "", check->parties->nodes[summand], check->parties->nodes[other]);
	for (int bucket = 0; bucket < DIGEST_BUCKETS; bucket++)
		agrees = agrees && bucket_agrees(check, summand, bucket);
	return agrees;
}

static bool
compare_digests(Check *check, bool agrees[PARTIES])
{
	bool		all = true;

	CHECK_FOR_INTERRUPTS();
	random_bytes(check->nonce, sizeof(check->nonce));
	ask_parties(check, SHARED_DIGESTS, 0, check->digests);
	check_lengths(check);
	for (int s = 0; s < PARTIES; s++)
	{
		initStringInfo(&check->detail[s]);
		agrees[s] = pair_agrees(check, s);
		all = all && agrees[s];
	}
	return all;
}

void
check_shared(const SharedParties *parties, Tuplestorestate *store, TupleDesc desc)
{
	Check		check = {.parties = parties};
	bool		agrees[PARTIES];

	/* Somebody may be writing, so that the parties are not asked at the same moment of it. */
	for (int attempt = 0; attempt < ATTEMPTS && !compare_digests(&check, agrees); attempt++)
		pg_usleep(ATTEMPT_WAIT_US);
	find_rows(&check);
	for (int s = 0; s < PARTIES; s++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		if (check.named[s] > DETAIL_ROWS_MAX)
			appendStringInfo(&check.detail[s], "; and %d more", check.named[s] - DETAIL_ROWS_MAX);
		values[0] = CStringGetTextDatum(parties->nodes[(s + 2) % PARTIES]);
		values[1] = CStringGetTextDatum(parties->nodes[s]);
		values[2] = BoolGetDatum(agrees[s]);
		values[3] = CStringGetTextDatum(check.detail[s].data);
		nulls[3] = check.detail[s].len == 0;
		tuplestore_putvalues(store, desc, values, nulls);
	}
}
