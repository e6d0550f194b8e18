/*
 * rebuild.c
 *	  A party that has lost its shares gets them again from the two others.
 *
 * Party i holds x_i and x_(i+1).  The one before it holds x_i as well, the one
 * behind it x_(i+1): each sends the summand that both have, which is all the
 * lost party ever had, and learns nothing.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "crypto/hash.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "shared/client.h"
#include "shared/scan.h"
#include "shared/serve.h"
#include "shared/stage.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_rebuild_shared);

/* ---- the party that gives ---- */

typedef struct Copying
{
	int			width;
	bool		mine;			/* which summand */
	StringInfoData ids;
	StringInfoData rows;
	uint64		n;
} Copying;

static void
copy_block(void *arg, size_t first, size_t n, const int64 *row_ids, const uint8 *mine, const uint8 *next)
{
	Copying    *copying = arg;

	for (size_t i = 0; i < n; i++)
	{
		uint64		id = pg_hton64(row_ids[i]);

		appendBinaryStringInfo(&copying->ids, (char *) &id, sizeof(id));
	}
	appendBinaryStringInfo(&copying->rows, (const char *) (copying->mine ? mine : next), n * copying->width);
	copying->n += n;
}

void
rebuild_copy(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	SharedTable *table = shared_table_require(question->table);
	int			other = shared_party_of(&table->definition, from);
	uint64		limit = Min(question->numbers[1], SHARED_CHUNK_ROWS);
	Copying		copying = {0};
	SharedScan	scan;
	StringInfoData definition;

	if (other < 0 || other == table->party)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("node \"%s\" is no other party of shared table \"%s\"", from->name, question->table)));
	(void) stage_resolve(table->definition.creator.name);
	table = shared_table_require(question->table);
	if (question->numbers[0] == 0)
	{
		uint8		none[WRITE_ID_BYTES] = {0};

		stage_record(question->table, none, from->name, "copied", 0);
	}
	shared_scan_init(&scan, table, NULL, 0);
	scan.after = (int64) question->numbers[0] - 1;
	scan.limit = Max(limit, 1);
	copying.width = scan.layout.width;
	copying.mine = other == (table->party + 2) % PARTIES;
	initStringInfo(&copying.ids);
	initStringInfo(&copying.rows);
	shared_scan_run(&scan, copy_block, &copying);

	initStringInfo(&definition);
	shared_definition_encode(&definition, &table->definition);
	answer->numbers[0] = table->generation;
	answer->numbers[1] = copying.n == scan.limit;
	answer->parts[0] = (Bytes) {(uint8 *) definition.data, definition.len};
	answer->parts[1] = (Bytes) {(uint8 *) copying.ids.data, copying.ids.len};
	answer->parts[2] = (Bytes) {(uint8 *) copying.rows.data, copying.rows.len};
}

/* ---- the party that has lost them ---- */

typedef struct Rebuild
{
	const char *name;
	const char *nodes[2];		/* the next party, the previous one; in any order before we know */
	SharedMessage answers[2];
	SharedTable *table;
	bool		begun;
	uint64		rows;
} Rebuild;

static pg_attribute_noreturn() void
copies_differ(const Rebuild *rebuild, const char *how)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SHARES_DIFFER),
			 errmsg("nodes \"%s\" and \"%s\" do not have the same shared table \"%s\"",
					rebuild->nodes[0], rebuild->nodes[1], rebuild->name),
			 errdetail("%s.", how),
			 errhint("It may have been changed meanwhile: try again. If it stays so, secmed.check_shared() at the coordinator finds where.")));
}

static void
ask_copies(Rebuild *rebuild, uint64 from)
{
	SharedMessage questions[2] = {0};

	for (int i = 0; i < 2; i++)
	{
		questions[i].verb = SHARED_COPY;
		questions[i].table = (char *) rebuild->name;
		questions[i].numbers[0] = from;
		questions[i].numbers[1] = SHARED_CHUNK_ROWS;
	}
	shared_ask(rebuild->nodes, 2, questions, rebuild->answers);
	if (rebuild->answers[0].numbers[0] != rebuild->answers[1].numbers[0])
		copies_differ(rebuild, "They are of different generations");
	for (int part = 0; part < 2; part++)
	{
		const Bytes *a = &rebuild->answers[0].parts[part];
		const Bytes *b = &rebuild->answers[1].parts[part];

		if (a->len != b->len || memcmp(a->data, b->data, a->len) != 0)
			copies_differ(rebuild, part == 0 ? "They have different definitions" : "They have different rows");
	}
}

/* The next party first. */
static void
order_nodes(Rebuild *rebuild, const char *next, const char *prev)
{
	if (strcmp(rebuild->nodes[0], prev) == 0 && strcmp(rebuild->nodes[1], next) == 0)
	{
		SharedMessage answer = rebuild->answers[0];

		rebuild->answers[0] = rebuild->answers[1];
		rebuild->answers[1] = answer;
		rebuild->nodes[0] = pstrdup(next);
		rebuild->nodes[1] = pstrdup(prev);
	}
	if (strcmp(rebuild->nodes[0], next) != 0 || strcmp(rebuild->nodes[1], prev) != 0)
		copies_differ(rebuild, psprintf("Its other parties are \"%s\" and \"%s\"", next, prev));
}

/* Makes the table anew, from what both others say it is. */
static void
begin(Rebuild *rebuild)
{
	SharedDefinition definition;
	const Bytes *bytes = &rebuild->answers[0].parts[0];
	const char *reason;
	int			party;

	if (!shared_definition_decode(&definition, bytes->data, bytes->len, &reason) ||
		strcmp(definition.name, rebuild->name) != 0)
		copies_differ(rebuild, "What they sent is no definition of it");
	party = shared_party_of(&definition, &node_self()->card);
	if (party < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("this node is no party of shared table \"%s\"", rebuild->name),
				 errdetail("A node with other keys is another node.")));
	order_nodes(rebuild, definition.parties[(party + 1) % PARTIES].name, definition.parties[(party + 2) % PARTIES].name);
	shared_table_drop(rebuild->name);
	shared_table_create(&definition, rebuild->answers[0].numbers[0]);
	rebuild->table = shared_table_require(rebuild->name);
	rebuild->begun = true;
}

static void
take_rows(Rebuild *rebuild, int64 *last)
{
	const Bytes *ids = &rebuild->answers[0].parts[1];
	const Bytes *next = &rebuild->answers[0].parts[2];
	const Bytes *mine = &rebuild->answers[1].parts[2];
	size_t		n = ids->len / sizeof(int64);
	size_t		bytes = n * rebuild->table->layout.width;
	int64	   *row_ids = palloc(sizeof(int64) * (n + 1));

	if (ids->len % sizeof(int64) != 0 || n > SHARED_CHUNK_ROWS || mine->len != bytes || next->len != bytes ||
		!rows_clean(&rebuild->table->layout, mine->data, n) || !rows_clean(&rebuild->table->layout, next->data, n))
		copies_differ(rebuild, "What they sent are no rows of it");
	for (size_t i = 0; i < n; i++)
	{
		uint64		id;

		memcpy(&id, ids->data + i * sizeof(id), sizeof(id));
		row_ids[i] = (int64) pg_ntoh64(id);
		if (row_ids[i] <= *last)
			copies_differ(rebuild, "Their rows are not in order");
		*last = row_ids[i];
	}
	apply_rows(rebuild->table, row_ids, n, mine->data, next->data);
	rebuild->rows += n;
	pfree(row_ids);
}

static void
rebuild_run(Rebuild *rebuild)
{
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "secmed rebuild", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	int64		last = -1;
	bool		more = true;

	while (more)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(chunk);
		ask_copies(rebuild, (uint64) (last + 1));
		MemoryContextSwitchTo(caller);
		if (!rebuild->begun)
			begin(rebuild);
		if (rebuild->answers[0].numbers[0] != rebuild->table->generation)
			copies_differ(rebuild, "They got new shares while they were copied");
		take_rows(rebuild, &last);
		more = rebuild->answers[0].numbers[1] != 0;
		MemoryContextReset(chunk);
	}
	MemoryContextDelete(chunk);
}

/* Whom to ask: what the caller says, or the table's other parties if it is known here. */
static void
find_nodes(Rebuild *rebuild, ArrayType *array)
{
	SharedTable *table;
	int			n = 0;

	if (array != NULL)
	{
		Datum	   *names;
		bool	   *nulls;

		deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, &nulls, &n);
		if (n != 2 || nulls[0] || nulls[1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the two other parties are named")));
		for (int i = 0; i < 2; i++)
			rebuild->nodes[i] = pstrdup(NameStr(*DatumGetName(names[i])));
		return;
	}
	table = shared_table_find(rebuild->name);
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("shared table \"%s\" is not known here", rebuild->name),
				 errhint("If it is lost, name the two other parties: SELECT secmed.rebuild_shared(%s, '{..., ...}');",
						 quote_literal_cstr(rebuild->name))));
	rebuild->nodes[0] = table->definition.parties[(table->party + 1) % PARTIES].name;
	rebuild->nodes[1] = table->definition.parties[(table->party + 2) % PARTIES].name;
}

Datum
secmed_rebuild_shared(PG_FUNCTION_ARGS)
{
	Rebuild		rebuild = {0};
	LedgerEntry entry = {.kind = ENTRY_SHARED, .outcome = "rebuilt", .revealed = "", .ncounters = 1};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the table's name can't be null")));
	rebuild.name = pstrdup(NameStr(*PG_GETARG_NAME(0)));
	(void) node_self();
	find_nodes(&rebuild, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));
	rebuild_run(&rebuild);

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = rebuild.name;
	entry.counters[0] = rebuild.rows;
	audit_append(&entry, NULL, 0);
	PG_RETURN_INT64((int64) rebuild.rows);
}
