/*
 * review_sql.c
 *	  secmed.review(): that somebody has examined entries, written into the
 *	  ledger with his name, what it means, and his signature if he has a key.
 */
#include "base/base.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/review.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/multirangetypes.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(secmed_review);
PG_FUNCTION_INFO_V1(secmed_review_text);

static void pg_attribute_noreturn()
bad_entries(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("these entries can't be reviewed at once"),
			 errdetail("%s", detail)));
}

/* '{[5,10],[12,12]}' as first and last numbers. */
static void
set_ranges(LedgerEntry *entry, FunctionCallInfo fcinfo, MultirangeType *entries)
{
	TypeCacheEntry *type = multirange_get_typcache(fcinfo, MultirangeTypeGetOid(entries));
	RangeType **ranges;
	int32		n;

	multirange_deserialize(type->rngtype, entries, &n, &ranges);
	if (n < 1 || n > REVIEW_RANGES_MAX)
		bad_entries(psprintf("There are %d ranges of numbers; a review has 1 to %d.", n, REVIEW_RANGES_MAX));
	for (int i = 0; i < n; i++)
	{
		RangeBound	lower;
		RangeBound	upper;
		bool		empty;

		range_deserialize(type->rngtype, ranges[i], &lower, &upper, &empty);
		if (lower.infinite || upper.infinite || DatumGetInt64(lower.val) < 0)
			bad_entries("Ranges must have a first and a last number.");
		entry->counters[2 * i] = (uint64) DatumGetInt64(lower.val);
		entry->counters[2 * i + 1] = (uint64) DatumGetInt64(upper.val) - 1;
	}
	entry->ncounters = 2 * n;
}

/* The hash of the last of them, which must be there. */
static void
set_last_hash(LedgerEntry *entry)
{
	uint64		last = entry->counters[entry->ncounters - 1];
	bool		isnull;
	OwnerScope	scope;
	bytea	   *bytes;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute(psprintf("SELECT entry FROM secmed.ledger WHERE seq = " UINT64_FORMAT, last),
					true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");
	if (SPI_processed == 0)
		bad_entries(psprintf("The ledger has no entry " UINT64_FORMAT ".", last));
	bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	entry_hash(entry->plan, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	entry->has_plan = true;
	SPI_finish();
	owner_end(&scope);
}

static char *
utf8_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *words = text_to_cstring(PG_GETARG_TEXT_PP(number));

	return pg_server_to_any(words, strlen(words), PG_UTF8);
}

/* entries, meaning, printed_name */
static void
set_review(LedgerEntry *entry, FunctionCallInfo fcinfo)
{
	memset(entry, 0, sizeof(*entry));
	entry->kind = ENTRY_REVIEWED;
	entry->site = node_self()->card.name;
	entry->seq = PG_INT64_MAX;
	entry->actor = GetUserNameFromId(GetSessionUserId(), false);
	entry->outcome = utf8_argument(fcinfo, 1);
	entry->object = utf8_argument(fcinfo, 2);
	entry->revealed = "";
	set_ranges(entry, fcinfo, PG_GETARG_MULTIRANGE_P(0));
	set_last_hash(entry);
}

static void
check_review(const LedgerEntry *entry)
{
	const char *problem = review_problem(entry);

	if (problem == NULL)
		problem = entry_problem(entry);
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this is no review"),
				 errdetail("The entry for the ledger %s.", problem),
				 errhint("A name and a meaning have one line; the signature is of exactly what secmed.review_text() returns.")));
}

Datum
secmed_review_text(PG_FUNCTION_ARGS)
{
	LedgerEntry entry;
	StringInfoData text;
	char	   *converted;

	set_review(&entry, fcinfo);
	check_review(&entry);
	initStringInfo(&text);
	review_statement(&text, &entry);
	converted = pg_any_to_server(text.data, text.len, PG_UTF8);
	PG_RETURN_TEXT_P(cstring_to_text(converted));
}

static void
set_signature(LedgerEntry *entry, const char *key_text, const char *note)
{
	NoteKey		key;
	const char *reason;
	char	   *revealed = NULL;

	if (note_key_from_text(&key, key_text, strlen(key_text), &reason))
		revealed = review_signature(&key, note, strlen(note));
	if (revealed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the review is not signed by this key"),
				 errhint("Sign what secmed.review_text() returns with \"secmed sign KEYFILE\", and give the whole note, and the key's public line.")));
	entry->revealed = revealed;
}

/* entries, meaning, printed_name, remark, key, signed note */
Datum
secmed_review(PG_FUNCTION_ARGS)
{
	LedgerEntry entry;
	text	   *remark = PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	PreventCommandIfReadOnly("secmed.review()");
	set_review(&entry, fcinfo);
	if (PG_ARGISNULL(4) != PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a key and what it has signed come together")));
	if (!PG_ARGISNULL(4))
		set_signature(&entry, utf8_argument(fcinfo, 4), utf8_argument(fcinfo, 5));
	check_review(&entry);

	/* The texts go through audit_append(), which expects the server's encoding. */
	entry.outcome = text_to_cstring(PG_GETARG_TEXT_PP(1));
	entry.object = text_to_cstring(PG_GETARG_TEXT_PP(2));
	audit_wait(audit_append(&entry, remark ? VARDATA_ANY(remark) : NULL,
							remark ? VARSIZE_ANY_EXHDR(remark) : 0));
	PG_RETURN_VOID();
}
