/*
 * erase.c
 *	  secmed.erase_...(): forgetting what statements said (GDPR Art. 17).
 *
 * The chain holds a commitment under a salt of its own for each body.  Without
 * salt and body nobody can tell what was committed to, so the chain stays
 * whole and says nothing any more.  The rows go when the sequencer appends the
 * entry that says so, in one transaction: there is never one without the
 * other.  Copies that the server made meanwhile (WAL, backups, the free space
 * of the table until VACUUM) die with those.
 *
 * Whose body is it?  One that names the subject: the identifier stands in the
 * text, and no letter, digit or underscore beside it.  A program that asks by
 * another key can put the identifier into a comment of the statement.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/append.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "identity/node.h"
#include "ledger/history.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "peer/erase.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_erase_subject);
PG_FUNCTION_INFO_V1(secmed_erase_run);
PG_FUNCTION_INFO_V1(secmed_erase_entries);

/* Bodies read at once: 5 MB at most. */
#define BODY_ROWS		100
/* A shorter identifier would be found in anything. */
#define SUBJECT_BYTES_MIN	3

void
entry_list_add(EntryList *list, int64 seq)
{
	if (list->n == list->room)
	{
		list->room = Max(2 * list->room, 64);
		list->seqs = list->seqs ? repalloc_huge(list->seqs, list->room * sizeof(int64))
			: palloc(list->room * sizeof(int64));
	}
	list->seqs[list->n++] = seq;
}

int
entry_number_compare(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Finding -------------------------------------------------------------------*/

static bool
is_word_byte(unsigned char c)
{
	return isalnum(c) || c == '_' || (c & 0x80);
}

/* As a word of its own: P17 is not in P170. */
static bool
names_subject(const char *body, size_t len, const char *subject, size_t subject_len)
{
	const char *end = body + len;
	const char *at = body;

	while ((at = memmem(at, end - at, subject, subject_len)) != NULL)
	{
		if ((at == body || !is_word_byte(at[-1])) &&
			(at + subject_len == end || !is_word_byte(at[subject_len])))
			return true;
		at++;
	}
	return false;
}

/* The entries of a query over the bodies, in order; of those that name the subject, if there is one. */
static void
find_bodies(EntryList *list, const char *query, int nargs, Oid *types, Datum *values, const char *subject)
{
	MemoryContext caller = CurrentMemoryContext;
	OwnerScope	scope;
	Portal		portal;

	owner_begin(&scope);
	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, query, nargs, types, values, NULL, true, 0);
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, BODY_ROWS);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			bool		isnull;
			int64		seq = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
			bytea	   *body = DatumGetByteaPP(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
			MemoryContext old;

			if (subject && !names_subject(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), subject, strlen(subject)))
				continue;
			old = MemoryContextSwitchTo(caller);
			entry_list_add(list, seq);
			MemoryContextSwitchTo(old);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	owner_end(&scope);
}

void
bodies_naming(EntryList *list, const char *subject)
{
	if (strlen(subject) < SUBJECT_BYTES_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is too short to tell a subject", subject),
				 errdetail("It has %zu bytes; the least are %d.", strlen(subject), SUBJECT_BYTES_MIN)));
	find_bodies(list, "SELECT seq, payload FROM secmed.ledger_payload ORDER BY seq", 0, NULL, NULL,
				pg_server_to_any(subject, strlen(subject), PG_UTF8));
}

void
bodies_of_run(EntryList *list, const uint8 *run)
{
	Oid			types[] = {UUIDOID};
	pg_uuid_t	id;
	Datum		values[] = {UUIDPGetDatum(&id)};

	memcpy(id.data, run, UUID_LEN);
	find_bodies(list, "SELECT p.seq, p.payload FROM secmed.ledger l JOIN secmed.ledger_payload p ON p.seq = l.seq"
				" WHERE secmed.entry_run(l.entry) = $1 ORDER BY p.seq", 1, types, values, NULL);
}

/* Saying it -----------------------------------------------------------------*/

/* The longest run of numbers from here on that follow on each other. */
static int
run_length(const EntryList *list, int at)
{
	int			n = 1;

	while (at + n < list->n && list->seqs[at + n] == list->seqs[at] + n)
		n++;
	return n;
}

void
erase_bodies(const EntryList *list, const char *actor, const char *basis)
{
	int			at = 0;

	while (at < list->n)
	{
		LedgerEntry entry;

		history_make_erased(&entry, basis, 0, 0);
		entry.actor = actor;
		for (entry.ncounters = 0; at < list->n && entry.ncounters < ENTRY_COUNTERS_MAX; entry.ncounters += 2)
		{
			int			n = run_length(list, at);

			entry.counters[entry.ncounters] = (uint64) list->seqs[at];
			entry.counters[entry.ncounters + 1] = (uint64) list->seqs[at + n - 1];
			at += n;
		}
		audit_wait(audit_append(&entry, NULL, 0));
	}
}

/* What is erased does not come back with a ROLLBACK, and orders to other nodes would be forgotten by one. */
static void
check_state(const char *function)
{
	PreventCommandIfReadOnly(function);
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s can't run inside a transaction block", function),
				 errdetail("What it erases would not come back with a ROLLBACK.")));
}

static char *
legal_basis(text *basis)
{
	char	   *words = text_to_cstring(basis);

	if (words[strspn(words, " \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an erasure needs its legal basis"),
				 errhint("Say which, for instance 'GDPR Art. 17(1)(b)'. It stays on the ledger: name nobody in it.")));
	return words;
}

static Datum
erase_found(const EntryList *list, const char *basis)
{
	erase_bodies(list, GetUserNameFromId(GetSessionUserId(), false), basis);
	erase_elsewhere(list, basis);
	return Int64GetDatum(list->n);
}

/* Entries that a recovery has put aside are in no chain, so nothing is said of them. */
static void
erase_aside(const EntryList *list)
{
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	for (int i = 0; i < list->n; i++)
		if (SPI_execute(psprintf("UPDATE secmed.ledger_aside SET salt = NULL, payload = NULL WHERE seq = " INT64_FORMAT,
								 list->seqs[i]), false, 0) != SPI_OK_UPDATE)
			elog(ERROR, "can't write secmed.ledger_aside");
	SPI_finish();
	owner_end(&scope);
}

Datum
secmed_erase_subject(PG_FUNCTION_ARGS)
{
	char	   *subject = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *basis = legal_basis(PG_GETARG_TEXT_PP(1));
	EntryList	list = {0};
	EntryList	aside = {0};

	check_state("secmed.erase_subject()");
	bodies_naming(&list, subject);
	find_bodies(&aside, "SELECT seq, payload FROM secmed.ledger_aside WHERE payload IS NOT NULL ORDER BY seq",
				0, NULL, NULL, pg_server_to_any(subject, strlen(subject), PG_UTF8));
	erase_aside(&aside);
	PG_RETURN_DATUM(erase_found(&list, basis));
}

Datum
secmed_erase_run(PG_FUNCTION_ARGS)
{
	char	   *basis = legal_basis(PG_GETARG_TEXT_PP(1));
	EntryList	list = {0};

	check_state("secmed.erase_run()");
	bodies_of_run(&list, PG_GETARG_UUID_P(0)->data);
	PG_RETURN_DATUM(erase_found(&list, basis));
}

Datum
secmed_erase_entries(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT8MULTIRANGEOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	char	   *basis = legal_basis(PG_GETARG_TEXT_PP(1));
	EntryList	list = {0};

	check_state("secmed.erase_entries()");
	find_bodies(&list, "SELECT seq, payload FROM secmed.ledger_payload WHERE seq <@ $1 ORDER BY seq",
				1, types, values, NULL);
	PG_RETURN_DATUM(erase_found(&list, basis));
}
