/*
 * test_lint.c
 *	  What must not get into the ledger is refused, and what is written every
 *	  day is not.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledger/lint.h"
#include "unit.h"

static LedgerEntry
plain(EntryKind kind)
{
	LedgerEntry entry = {.kind = kind, .actor = "research:alice", .object = "trial, lab", .outcome = "ok",
	.revealed = "to research:alice, of each group with at least 11 patients: count, integer sum of 2 columns"};

	return entry;
}

static void
test_words(void)
{
	static const char *const bad[] = {
		"SELECT name FROM patient", "  select\t1\tfrom t", "(SELECT x FROM y)", "delete from patient",
		"UPDATE patient SET name = 'x'", "insert INTO t values (1)", "ssn = '123'", "ssn='123'", "age >= $1",
		"name ~ 'x'", "MERGE INTO a USING b", "asked: SELECT a.b FROM c", "x <> E'y'",
	};
	static const char *const good[] = {
		"", "trial", "clinic.patient, clinic.update, clinic.set", "SELECT", "ALTER TABLE", "COPY FROM", "GRANT",
		"CREATE TABLE AS", "secmed.node_timeout", "update", "insert", "\"select\", \"from\"", "selection from",
		"of each group with at least 11 patients", "clinic.values", "refused 42501", "reselect from here",
	};

	for (int i = 0; i < lengthof(bad); i++)
		check(text_is_sql(bad[i]), "a statement: %s", bad[i]);
	for (int i = 0; i < lengthof(good); i++)
		check(!text_is_sql(good[i]), "none: %s", good[i]);
}

static void
test_hashes(void)
{
	check(text_has_hash("5d41402abc4b2a76b9719d911017c592"), "MD5");
	check(text_has_hash("patient E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"), "SHA-256");
	check(!text_has_hash("5d41402abc4b2a76b9719d911017c59"), "a digit too few");
	check(!text_has_hash("0123 4567 89ab cdef 0123 4567 89ab cdef"), "a fingerprint");
	check(!text_has_hash("secmed.eu/lmu/ffeeddcc-bbaa-9988-7766-554433221100/1"), "an origin");
}

static void
test_entries(void)
{
	LedgerEntry entry = plain(ENTRY_OUTCOME);

	check(entry_lint(&entry, false) == NULL, "what is written every day");
	entry.has_plan = true;
	check(entry_lint(&entry, false) == NULL, "with the hash of its plan");
	entry.kind = ENTRY_NOTE;
	check(entry_lint(&entry, false) != NULL, "a note has none");
	entry = plain(ENTRY_REQUEST);
	entry.has_commitment = true;
	check(entry_lint(&entry, true) == NULL, "a commitment to the body that comes with it");
	check(entry_lint(&entry, false) != NULL, "a hash in its place");
	for (int i = 0; i < 4; i++)
	{
		const char **fields[] = {&entry.actor, &entry.object, &entry.outcome, &entry.revealed};

		entry = plain(ENTRY_ACCESS);
		*fields[i] = "SELECT * FROM patient";
		check(entry_lint(&entry, false) != NULL, "a statement in field %d", i);
		*fields[i] = "d41d8cd98f00b204e9800998ecf8427e";
		check(entry_lint(&entry, false) != NULL, "a hash in field %d", i);
	}
	entry = plain(ENTRY_KEY);
	entry.revealed = "d41d8cd98f00b204e9800998ecf8427e";
	check(entry_lint(&entry, false) == NULL, "keys and signatures look like hashes");
}

int
main(void)
{
	test_words();
	test_hashes();
	test_entries();
	memory_reset();
	return unit_done();
}
