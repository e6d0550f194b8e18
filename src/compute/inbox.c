/*
 * inbox.c
 *	  Rows of sites at a party.
 */
#include "postgres.h"

#include "compute/inbox.h"
#include "contract/rows_receipt.h"
#include "identity/node.h"
#include "share/columns.h"
#include "share/rows.h"

/* A site's package, read from its beginning. */
typedef struct Reading
{
	const Serving *serving;
	const char *site;
	const uint8 *package;
	size_t		len;
	size_t		at;
} Reading;

static void
not_sealed(const Reading *reading)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("the shares of site \"%s\" are not sealed to party \"%s\"", reading->site, node_self()->card.name)));
}

static RowLayout
layout_of(const PlanInput *input)
{
	SecretType	types[SHARED_COLUMNS_MAX];
	RowLayout	layout;

	for (int i = 0; i < input->ncolumns; i++)
		types[i] = input->columns[i].type;
	rows_layout(&layout, types, input->ncolumns, true);
	return layout;
}

/* ---- receipts ---- */

static void
check_rule(const PlanInput *input, uint64 patients_min, const char *site, const RowsShared *shared)
{
	if (shared->rows != input->source->rows)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the shares of site \"%s\" are not those of this run", site)));
	if (patients_min < shared->patients_min)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("party \"%s\" does not compute this over rows of \"%s\"", node_self()->card.name, input->name),
				 errdetail("What it opens may be about fewer than " UINT64_FORMAT " patients, the smallest group of site \"%s\".",
						   shared->patients_min, site)));
}

static void
check_receipt(const Serving *serving, const CheckedPlan *checked, int site, const InputsMessage *inputs, RowsReceipt *receipt)
{
	const char *name = serving->request.sites[site].name;
	const char *reason;
	int			n = 0;

	if (!rows_receipt_decode(receipt, inputs->receipts[site].data, inputs->receipts[site].len, &reason))
		serving_protocol_error(reason);
	serving_verify_site(serving, site, "secmed/rows/1", inputs);
	for (int i = 0; i < checked->plan->ninputs; i++)
		n += checked->plan->inputs[i].kind == INPUT_SITES;
	if (strcmp(receipt->site, name) != 0 || receipt->ninputs != n ||
		memcmp(receipt->run, serving->request.run, RUN_ID_BYTES) != 0 ||
		memcmp(receipt->plan, serving->plan_hash, HASH_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the shares of site \"%s\" are not those of this run", name)));
	n = 0;
	for (int i = 0; i < checked->plan->ninputs; i++)
		if (checked->plan->inputs[i].kind == INPUT_SITES)
			check_rule(&checked->plan->inputs[i], checked->patients_min[i], name, &receipt->inputs[n++]);
}

/* ---- rows ---- */

/* Room for the rows of all sites: numbers are not zeroed, bits are. */
static LoadedColumn *
columns_of_input(const PlanInput *input, SharedRelation *relation)
{
	RowLayout	layout = layout_of(input);
	LoadedColumn *columns = columns_alloc(&layout, input->rows);

	relation->n = input->rows;
	relation->ncolumns = input->ncolumns;
	relation->valid = shared_bits_alloc(1, input->rows);
	return columns;
}

/* The next input's rows of this site. */
static void
read_rows(Reading *reading, const PlanInput *input, int site, LoadedColumn *columns, SharedBits *valid)
{
	RowLayout	layout = layout_of(input);
	size_t		n = input->source->rows;
	size_t		len = rows_package_bytes(&layout, reading->serving->party, n);
	uint8	   *mine = palloc_extended(n * layout.width + 1, MCXT_ALLOC_HUGE);
	uint8	   *next = palloc_extended(n * layout.width + 1, MCXT_ALLOC_HUGE);

	if (reading->len - reading->at < len ||
		!rows_from_package(&layout, reading->serving->party, reading->package + reading->at, len, n, mine, next))
		not_sealed(reading);
	reading->at += len;
	columns_put_rows(&layout, columns, valid, SUMMAND_MINE, site * n, mine, n);
	columns_put_rows(&layout, columns, valid, SUMMAND_NEXT, site * n, next, n);
	wipe(mine, n * layout.width);
	wipe(next, n * layout.width);
	pfree(mine);
	pfree(next);
}

static void
read_package(const Serving *serving, const ObliviousPlan *plan, int site, Bytes sealed, const uint8 *hash,
			 LoadedColumn **columns, SharedRelation *relations)
{
	Reading		reading = {.serving = serving,.site = serving->request.sites[site].name};
	uint8	   *package = serving_is_sealed(sealed, hash) ? serving_unseal(sealed, &reading.len) : NULL;

	if (package == NULL)
		not_sealed(&reading);
	reading.package = package;
	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].kind == INPUT_SITES)
			read_rows(&reading, &plan->inputs[i], site, columns[i], &relations[i].valid);
	if (reading.at != reading.len)
		not_sealed(&reading);
	wipe(package, reading.len);
	pfree(package);
}

static void
finish_relation(SharedRelation *relation, LoadedColumn *columns)
{
	relation->columns = palloc0(sizeof(SharedColumn) * (relation->ncolumns + 1));
	for (int i = 0; i < relation->ncolumns; i++)
		relation->columns[i] = (SharedColumn) {.type = column_type(columns[i].type),
			.number = columns[i].numbers,.bits = columns[i].bits,.null = columns[i].nulls};
}

static void
digest_receipts(Inbox *inbox, const InputsMessage *inputs)
{
	HashPart	parts[SITES_MAX + 1];

	parts[0] = (HashPart) {"secmed/rows/1", 14};
	for (int i = 0; i < inputs->nsites; i++)
		parts[i + 1] = (HashPart) {inputs->receipts[i].data, inputs->receipts[i].len};
	hash_parts(inbox->digest, parts, inputs->nsites + 1);
}

Inbox *
inbox_take(Serving *serving, const CheckedPlan *checked)
{
	const ObliviousPlan *plan = checked->plan;
	Inbox	   *inbox = palloc0(sizeof(Inbox));
	LoadedColumn **columns = palloc0(sizeof(LoadedColumn *) * (plan->ninputs + 1));
	StringInfoData message;
	InputsMessage inputs;

	inbox->relations = palloc0(sizeof(SharedRelation) * (plan->ninputs + 1));
	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].kind == INPUT_SITES)
			columns[i] = columns_of_input(&plan->inputs[i], &inbox->relations[i]);
	serving_inputs(serving, &inputs, &message);
	for (int site = 0; site < inputs.nsites; site++)
	{
		RowsReceipt receipt;

		check_receipt(serving, checked, site, &inputs, &receipt);
		read_package(serving, plan, site, inputs.sealed[site], receipt.sealed[serving->party], columns, inbox->relations);
	}
	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].kind == INPUT_SITES)
			finish_relation(&inbox->relations[i], columns[i]);
	digest_receipts(inbox, &inputs);
	pfree(message.data);
	return inbox;
}
