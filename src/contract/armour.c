/*
 * armour.c
 *	  Bytes as text that can be mailed and pasted.
 */
#include "base/base.h"

#include "common/base64.h"
#include "contract/armour.h"

#define LINE_DIGITS		64

static char *
mark(const char *which, const char *what)
{
	return psprintf("-----%s SECMED %s-----", which, what);
}

void
armour_write(StringInfo out, const char *what, const void *bytes, size_t len)
{
	int			room = pg_b64_enc_len((int) len);
	char	   *base64 = palloc(room + 1);
	int			n = pg_b64_encode(bytes, (int) len, base64, room);

	if (n < 0)
		fail(ERRCODE_INTERNAL_ERROR, "base64 could not be written");
	appendStringInfo(out, "%s\n", mark("BEGIN", what));
	for (int at = 0; at < n; at += LINE_DIGITS)
	{
		appendBinaryStringInfo(out, base64 + at, Min(LINE_DIGITS, n - at));
		appendStringInfoChar(out, '\n');
	}
	appendStringInfo(out, "%s\n", mark("END", what));
	pfree(base64);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Appends what these digits say. */
static bool
read_base64(StringInfo out, const char *text, const char *end)
{
	char	   *base64 = palloc(end - text + 1);
	int			n = 0;
	int			found;

	for (; text < end; text++)
		if (!is_space(*text))
			base64[n++] = *text;
	enlargeStringInfo(out, pg_b64_dec_len(n) + 1);
	found = pg_b64_decode(base64, n, out->data + out->len, pg_b64_dec_len(n));
	pfree(base64);
	out->len += Max(found, 0);
	out->data[out->len] = '\0';
	return found >= 0;
}

bool
armour_read(StringInfo out, const char *what, const char *text, size_t len, size_t max, const char **reason)
{
	const char *begin_mark = mark("BEGIN", what);
	const char *end_mark = mark("END", what);
	size_t		begin_len = strlen(begin_mark);
	size_t		end_len = strlen(end_mark);
	const char *end = text + len;

	*reason = NULL;
	while (text < end && is_space(*text))
		text++;
	while (end > text && is_space(end[-1]))
		end--;
	if (end - text > 2 * max)
		*reason = "is too long";
	else if (end - text < begin_len + end_len || memcmp(text, begin_mark, begin_len) != 0)
		*reason = psprintf("does not begin with %s", begin_mark);
	else if (memcmp(end - end_len, end_mark, end_len) != 0)
		*reason = psprintf("does not end with %s", end_mark);
	else if (!read_base64(out, text + begin_len, end - end_len))
		*reason = "is not base64, or was cut";
	return *reason == NULL;
}
