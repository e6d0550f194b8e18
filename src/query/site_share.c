/*
 * site_share.c
 *	  Running what a site shares for a run over shares: its rows, padded, split among the parties.
 *
 * Padding are rows that are not there: zeros, and the bit that says so.  How long it takes to read the rows
 * depends on them, as with any answer of a database; what leaves does not.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/shared_table.h"
#include "query/site_source_query.h"
#include "share/rows.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"

/* Rows are encoded and split together. */
typedef struct Sharing
{
	SiteSources *sources;
	const SiteSource *source;
	HTAB	   *patients;		/* of a patient's value, his number, for all inputs of the run */
	RowLayout	layout;
	uint8	   *rows;			/* as many as are shared, in the clear */
	uint64		n;
	bool		too_many;
} Sharing;

/* ---- patients ---- */

/* Known by the hash of the value's text. */
typedef struct PatientNumber
{
	uint8		hash[HASH_BYTES];
	int64		number;
} PatientNumber;

static HTAB *
patients_create(void)
{
	HASHCTL		control = {.keysize = HASH_BYTES,.entrysize = sizeof(PatientNumber),.hcxt = CurrentMemoryContext};

	return hash_create("patients of a run", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Equal values have equal texts. */
static char *
patient_text(Datum datum, Oid type)
{
	Oid			output;
	bool		varlena;
	char	   *text;

	if (type == NUMERICOID)
		return numeric_normalize(DatumGetNumeric(datum));
	getTypeOutputInfo(type, &output, &varlena);
	text = OidOutputFunctionCall(output, datum);
	if (type == BPCHAROID)
		text[bpchartruelen(text, strlen(text))] = '\0';
	return text;
}

/* Numbers of this site follow each other, from the first that is its own. */
static int64
patient_number(Sharing *sharing, Datum datum, Oid type)
{
	char	   *text = patient_text(datum, type);
	uint8		hash[HASH_BYTES];
	bool		found;
	PatientNumber *entry;

	hash_bytes(hash, text, strlen(text));
	entry = hash_search(sharing->patients, hash, HASH_ENTER, &found);
	if (!found)
		entry->number = sharing->sources->site * sharing->sources->patients_max + hash_get_num_entries(sharing->patients) - 1;
	return entry->number;
}

/* ---- rows ---- */

static void
null_refused(const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
			 errmsg("column \"%s\" has a NULL at site \"%s\", where the plan says that there is none", column,
					node_self()->card.name),
			 errhint("A column may have become nullable here: import the foreign schema again.")));
}

static void
set_value(Sharing *sharing, uint8 *row, int column, Datum datum, Oid sql_type)
{
	const InputColumn *described = &sharing->source->input->columns[column];
	SecretValue value = {0};

	if (column == sharing->source->input->patient)
		value.number = patient_number(sharing, datum, sql_type);
	else
		value = secret_value_from_datum(&described->type, sql_type, datum, described->name);
	if (secret_is_number(&described->type))
		row_set_number(&sharing->layout, row, column, value.number);
	else if (described->type.kind == SECRET_TEXT)
		row_set_text(&sharing->layout, row, column, value.bits);
	else
		row_set_boolean(&sharing->layout, row, column, value.bits != 0);
}

/* Patients that nobody counted are none. */
static bool
is_count_of_patients(const PlanInput *input, int column)
{
	return input->patient == PATIENT_COUNTED && column >= input->ncolumns - source_parts(input->source);
}

static void
encode_row(Sharing *sharing, uint8 *row, TupleTableSlot *slot)
{
	const PlanInput *input = sharing->source->input;

	for (int i = 0; i < input->ncolumns; i++)
	{
		if (!slot->tts_isnull[i])
			set_value(sharing, row, i, slot->tts_values[i], sharing->source->types[i]);
		else if (input->columns[i].type.nullable)
			row_set_null(&sharing->layout, row, i);
		else if (!is_count_of_patients(input, i))
			null_refused(input->columns[i].name);
	}
	row_set_valid(&sharing->layout, row);
}

static void
take_rows(SiteQuery *site, Tuplestorestate *store, TupleDesc desc, void *arg)
{
	Sharing    *sharing = arg;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	MemoryContext run = CurrentMemoryContext;
	MemoryContext each = AllocSetContextCreate(run, "secmed shared row", ALLOCSET_SMALL_SIZES);

	while (tuplestore_gettupleslot(store, true, false, slot) && !sharing->too_many)
	{
		sharing->too_many = sharing->n >= sharing->source->rows_max;
		if (sharing->too_many)
			break;
		slot_getallattrs(slot);
		MemoryContextSwitchTo(each);
		encode_row(sharing, sharing->rows + sharing->n++ * sharing->layout.width, slot);
		MemoryContextSwitchTo(run);
		MemoryContextReset(each);
		CHECK_FOR_INTERRUPTS();
	}
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(each);
}

static void
refuse_too_many(const SiteSource *source)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("site \"%s\" has more %s of \"%s\" than it shares", node_self()->card.name,
					source->input->source->grouped ? "groups" : "rows", source->input->name),
			 errdetail("At most " UINT64_FORMAT " are shared, a public number.", source->rows_max),
			 source->input->source->grouped ? errhint("Raise secmed.site_groups, or group by something coarser.") :
			 source->rows_max < source->input->source->rows ?
			 errhint("The site publishes the table with a larger rows_max, or leave rows out with WHERE.") :
			 errhint("Raise secmed.site_rows, or leave rows out with WHERE.")));
}

/* ---- one input after the other ---- */

static void
share_source(Sharing *sharing, Snapshot snapshot, StringInfo packages[PARTIES], TimestampTz deadline)
{
	const PlanInput *input = sharing->source->input;
	SecretType	types[SHARED_COLUMNS_MAX];
	size_t		rows = input->source->rows;
	size_t		bytes;

	for (int i = 0; i < input->ncolumns; i++)
		types[i] = input->columns[i].type;
	rows_layout(&sharing->layout, types, input->ncolumns, true);
	bytes = rows * sharing->layout.width;
	sharing->rows = palloc_extended(bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	sharing->n = 0;
	/* One more shows that there are more. */
	site_run(sharing->source->site, snapshot, sharing->source->rows_max + 1, deadline, take_rows, sharing);
	if (sharing->too_many)
	{
		wipe(sharing->rows, bytes);
		refuse_too_many(sharing->source);
	}
	rows_split(&sharing->layout, sharing->rows, rows, packages);
	wipe(sharing->rows, bytes);
	pfree(sharing->rows);
}

void
site_sources_share(SiteSources *sources, StringInfo packages[PARTIES], TimestampTz deadline)
{
	Sharing		sharing = {.sources = sources,.patients = patients_create()};
	Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());

	for (int i = 0; i < sources->n; i++)
	{
		sharing.source = &sources->sources[i];
		share_source(&sharing, snapshot, packages, deadline);
	}
	UnregisterSnapshot(snapshot);
	hash_destroy(sharing.patients);
}
