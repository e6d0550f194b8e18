/*
 * lint.c
 *	  A net under the code that appends to the ledger.
 */
#include "base/base.h"

#include "ledger/lint.h"

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		(c & 0x80);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind the next of this word from here on, in any case; NULL if it does not come.  "clinic.update," is a name. */
static const char *
after_word(const char *text, const char *word)
{
	size_t		len = strlen(word);

	for (const char *at = text; *at != '\0'; at++)
		if ((*at | 0x20) == *word && pg_strncasecmp(at, word, len) == 0 && (is_space(at[len]) || at[len] == '(') &&
			(at == text || !(is_word_char(at[-1]) || at[-1] == '.' || at[-1] == '"')))
			return at + len;
	return NULL;
}

/* One word, and later the other. */
static bool
has_words(const char *text, const char *first, const char *second)
{
	const char *after = after_word(text, first);

	return after != NULL && after_word(after, second) != NULL;
}

/* name = 'value', and what is like it. */
static bool
has_comparison(const char *text)
{
	for (const char *at = strpbrk(text, "=<>~"); at != NULL; at = strpbrk(at + 1, "=<>~"))
	{
		const char *next = at + 1;

		while (is_space(*next) || *next == '=' || *next == '>' || *next == 'E' || *next == 'N')
			next++;
		if (*next == '\'' || *next == '$')
			return true;
	}
	return false;
}

/* Most texts are a name or a word, and every reader waits for this. */
static bool
may_be_sql(const char *text)
{
	return strpbrk(text, " \t\n\v\f\r(=<>~") != NULL;
}

bool
text_is_sql(const char *text)
{
	if (!may_be_sql(text))
		return false;
	return has_words(text, "select", "from") || has_words(text, "insert", "into") ||
		has_words(text, "delete", "from") || has_words(text, "update", "set") ||
		has_words(text, "merge", "using") || has_comparison(text);
}

bool
text_has_hash(const char *text)
{
	int			digits = 0;

	if (strlen(text) < LINT_HEX_DIGITS)
		return false;
	for (; *text != '\0'; text++)
	{
		bool		is_hex = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'f') ||
			(*text >= 'A' && *text <= 'F');

		digits = is_hex ? digits + 1 : 0;
		if (digits == LINT_HEX_DIGITS)
			return true;
	}
	return false;
}

/* Whose plan is a hash of something that nobody can guess, or that is no secret. */
static bool
may_have_plan(EntryKind kind)
{
	switch (kind)
	{
		case ENTRY_REQUEST:
		case ENTRY_DECISION:
		case ENTRY_EXECUTION:
		case ENTRY_OUTCOME:
		case ENTRY_APPROVAL:
		case ENTRY_BUDGET:
		case ENTRY_ACCOUNT:
		case ENTRY_KEY:
		case ENTRY_HEAD:
		case ENTRY_FORK:
		case ENTRY_REVIEWED:
		case ENTRY_DOCUMENT:
			return true;
		default:
			return false;
	}
}

const char *
entry_lint(const LedgerEntry *entry, bool has_payload)
{
	const char *texts[] = {entry->actor, entry->object, entry->outcome, entry->revealed};

	if (entry->has_commitment && !has_payload)
		return "has a hash where a commitment belongs";
	if (entry->has_plan && !may_have_plan(entry->kind))
		return "has a hash that entries of its kind don't have";
	if (entry->kind == ENTRY_KEY || entry->kind == ENTRY_REVIEWED)
		return NULL;			/* keys and signatures */
	for (int i = 0; i < lengthof(texts); i++)
	{
		if (text_is_sql(texts[i]))
			return "holds the text of a statement";
		if (text_has_hash(texts[i]))
			return "holds a hash without a salt";
	}
	return NULL;
}
