/*
 * review.c
 *	  Signed reviews of entries.
 */
#include "base/base.h"

#include "ledger/review.h"

#define SIGNATURE_TEXT_BYTES	88

void
review_statement(StringInfo out, const LedgerEntry *entry)
{
	appendStringInfo(out, "secmed.review/%s\n", entry->site);
	for (int i = 0; i + 1 < entry->ncounters; i += 2)
		appendStringInfo(out, "%s" UINT64_FORMAT "-" UINT64_FORMAT, i > 0 ? " " : "",
						 entry->counters[i], entry->counters[i + 1]);
	appendStringInfoChar(out, '\n');
	base64_write(out, entry->plan, HASH_BYTES);
	appendStringInfo(out, "\n%s\n%s\n", entry->object, entry->outcome);
}

/* Not empty, and one line. */
static bool
is_line(const char *text)
{
	const char *at = text;

	while ((uint8) *at >= 0x20 && *at != 0x7f)
		at++;
	return at > text && *at == '\0';
}

/* By the key that is written before it. */
static bool
signature_valid(const LedgerEntry *entry)
{
	const char *space = strchr(entry->revealed, ' ');
	NoteKey		key;
	Note		note = {.nsignatures = 1};
	NoteSignature *signature = &note.signatures[0];
	StringInfoData statement;
	const char *reason;
	uint64		time;
	bool		valid;

	if (space == NULL || !note_key_from_text(&key, entry->revealed, space - entry->revealed, &reason) ||
		key.kind != NOTE_LOG || strlen(space + 1) != SIGNATURE_TEXT_BYTES ||
		!base64_read(signature->bytes, SIGNATURE_BYTES, space + 1, SIGNATURE_TEXT_BYTES))
		return false;
	initStringInfo(&statement);
	review_statement(&statement, entry);
	signature->name = key.name;
	signature->name_len = strlen(key.name);
	signature->id = key.id;
	signature->len = SIGNATURE_BYTES;
	note.text = statement.data;
	note.text_len = (size_t) statement.len;
	valid = note_check(&note, &key, &time) == NOTE_SIGNED;
	pfree(statement.data);
	return valid;
}

char *
review_signature(const NoteKey *key, const char *bytes, size_t len)
{
	Note		note;
	uint64		time;
	const char *reason;
	StringInfoData out;

	if (key->kind != NOTE_LOG || !note_parse(&note, bytes, len, &reason) ||
		note_check(&note, key, &time) != NOTE_SIGNED)
		return NULL;
	initStringInfo(&out);
	appendStringInfo(&out, "%s ", note_key_to_text(key));
	for (int i = 0; i < note.nsignatures; i++)
		if (note.signatures[i].id == key->id)
		{
			base64_write(&out, note.signatures[i].bytes, SIGNATURE_BYTES);
			break;
		}
	return out.data;
}

const char *
review_problem(const LedgerEntry *entry)
{
	if (!is_line(entry->object) || !is_line(entry->outcome) || !entry->has_plan || entry->has_run)
		return "is about a review, and not written as such entries are";
	if (!ranges_valid(entry))
		return "is about a review, and names entries that are not before it or not in order";
	return entry->revealed[0] == '\0' || signature_valid(entry) ? NULL
		: "is about a review, and not signed as it must be";
}

const char *
entry_meaning_problem(const LedgerEntry *entry)
{
	switch (entry->kind)
	{
		case ENTRY_HEAD:
			return head_problem(entry);
		case ENTRY_ERASED:
			return erased_problem(entry);
		case ENTRY_REVIEWED:
			return review_problem(entry);
		default:
			return NULL;
	}
}
