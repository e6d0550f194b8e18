/*
 * fields_sql.c
 *	  One field of a ledger entry, for SQL: what views show, filter and index.
 *
 * Immutable, and NULL where the bytes are no entry: a damaged one must not
 * stop anybody from reading the others.  secmed.verify_ledger() finds it.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "ledger/datum.h"
#include "ledger/entry.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_entry_kind);
PG_FUNCTION_INFO_V1(secmed_entry_at);
PG_FUNCTION_INFO_V1(secmed_entry_run);
PG_FUNCTION_INFO_V1(secmed_entry_actor);
PG_FUNCTION_INFO_V1(secmed_entry_object);
PG_FUNCTION_INFO_V1(secmed_entry_plan);
PG_FUNCTION_INFO_V1(secmed_entry_outcome);
PG_FUNCTION_INFO_V1(secmed_entry_revealed);
PG_FUNCTION_INFO_V1(secmed_entry_counters);
PG_FUNCTION_INFO_V1(secmed_entry_spooled_at);
PG_FUNCTION_INFO_V1(secmed_entry_denied);
PG_FUNCTION_INFO_V1(secmed_entry_notable);

/*
 * The entry that is the function's argument; false if it is none.  Who asks for
 * one field of an entry asks for others: the last one read is kept.
 */
static bool
argument(FunctionCallInfo fcinfo, EntryView *view)
{
	static uint8 kept[LEDGER_ENTRY_BYTES_MAX];
	static EntryView kept_view;
	static size_t kept_len = 0;
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	const char *reason;

	if (len > sizeof(kept))
		return false;
	if (len != kept_len || memcmp(kept, VARDATA_ANY(bytes), len) != 0)
	{
		kept_len = 0;
		memcpy(kept, VARDATA_ANY(bytes), len);
		if (!entry_view(&kept_view, kept, len, &reason))
			return false;
		kept_len = len;
	}
	*view = kept_view;
	return true;
}

static Datum
text_field(EntryText field)
{
	char	   *converted = pg_any_to_server(field.at, (int) field.len, PG_UTF8);

	if (converted == field.at)
		return PointerGetDatum(cstring_to_text_with_len(field.at, (int) field.len));
	return CStringGetTextDatum(converted);
}

Datum
secmed_entry_kind(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(CStringGetTextDatum(entry_kind_name(view.kind)));
}

Datum
secmed_entry_at(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(time_datum(view.at_us));
}

Datum
secmed_entry_run(PG_FUNCTION_ARGS)
{
	EntryView	view;
	pg_uuid_t  *run;

	if (!argument(fcinfo, &view) || view.run == NULL)
		PG_RETURN_NULL();
	run = palloc(sizeof(pg_uuid_t));
	memcpy(run->data, view.run, UUID_LEN);
	PG_RETURN_UUID_P(run);
}

Datum
secmed_entry_actor(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_field(view.actor));
}

Datum
secmed_entry_object(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_field(view.object));
}

Datum
secmed_entry_plan(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view) || view.plan == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(bytea_datum(view.plan, HASH_BYTES));
}

Datum
secmed_entry_outcome(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_field(view.outcome));
}

Datum
secmed_entry_revealed(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_field(view.revealed));
}

Datum
secmed_entry_spooled_at(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view) || !view.has_spooled)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(time_datum(view.spooled_us));
}

Datum
secmed_entry_counters(PG_FUNCTION_ARGS)
{
	EntryView	view;

	if (!argument(fcinfo, &view))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(counters_datum(view.counters, view.ncounters));
}

/* Said no to somebody: a run, a local action, a login. */
static bool
is_denied(const EntryView *view)
{
	static const char word[] = "refused";
	size_t		len = sizeof(word) - 1;

	return view->outcome.len >= len && memcmp(view->outcome.at, word, len) == 0 &&
		(view->outcome.len == len || view->outcome.at[len] == ' ') &&
		(view->kind == ENTRY_OUTCOME || view->kind == ENTRY_CLOSED || view->kind == ENTRY_ACCESS ||
		 view->kind == ENTRY_LOGIN);
}

Datum
secmed_entry_denied(PG_FUNCTION_ARGS)
{
	EntryView	view;

	PG_RETURN_BOOL(argument(fcinfo, &view) && is_denied(&view));
}

/* Few among many: what changes who may do what, what was denied, and what went wrong. */
static bool
is_notable(const EntryView *view)
{
	switch (view->kind)
	{
		case ENTRY_REQUEST:
		case ENTRY_DECISION:
		case ENTRY_EXECUTION:
		case ENTRY_APPROVAL:
		case ENTRY_BUDGET:
		case ENTRY_ACCOUNT:
		case ENTRY_INTENT:
		case ENTRY_PRECOMMIT:
		case ENTRY_HEAD:
		case ENTRY_REVIEWED:
			return false;
		case ENTRY_OUTCOME:
		case ENTRY_ACCESS:
		case ENTRY_CLOSED:
			return is_denied(view) || entry_text_is(view->outcome, "unknown");
		default:
			return true;
	}
}

/* Also of bytes that are no entry. */
Datum
secmed_entry_notable(PG_FUNCTION_ARGS)
{
	EntryView	view;

	PG_RETURN_BOOL(!argument(fcinfo, &view) || is_notable(&view));
}
