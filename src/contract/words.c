/*
 * words.c
 *	  Lines of text for people.
 */
#include "base/base.h"

#include <time.h>

#include "contract/words.h"
#include "identity/card.h"

static void
label(StringInfo out, const char *label)
{
	appendStringInfo(out, "%-*s ", WORDS_LABEL, label);
}

static void
visible(StringInfo out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		appendStringInfoChar(out, (uint8) text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
	appendStringInfoChar(out, '\n');
}

void
words_text(StringInfo out, const char *name, const char *text)
{
	label(out, name);
	visible(out, text, strlen(text));
}

void
words_number(StringInfo out, const char *name, uint64 number)
{
	label(out, name);
	appendStringInfo(out, UINT64_FORMAT "\n", number);
}

void
words_hex(StringInfo out, const char *name, const uint8 *bytes, size_t len)
{
	label(out, name);
	for (size_t i = 0; i < len; i++)
		appendStringInfo(out, "%02x", bytes[i]);
	appendStringInfoChar(out, '\n');
}

void
words_fingerprint(StringInfo out, const char *name, const uint8 *fingerprint)
{
	char		text[FINGERPRINT_TEXT_BYTES];

	fingerprint_to_text(text, fingerprint);
	words_text(out, name, text);
}

void
words_time(StringInfo out, const char *name, int64 us)
{
	time_t		seconds = (time_t) (us / 1000000);
	struct tm	utc;
	char		text[64];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
	words_text(out, name, text);
}

void
words_lines(StringInfo out, const char *name, const char *text)
{
	const char *shown = name;

	do
	{
		size_t		len = strcspn(text, "\n");

		label(out, shown);
		visible(out, text, len);
		text += len;
		shown = "";
	} while (*text++ == '\n' && *text != '\0');
}
