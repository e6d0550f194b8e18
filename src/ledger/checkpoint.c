/*
 * checkpoint.c
 *	  Checkpoints and proof files, written one way and read strictly.
 */
#include "base/base.h"

#include "identity/card.h"
#include "ledger/checkpoint.h"

#define ORIGIN_PREFIX		"secmed."
#define PROOF_FIRST_LINE	"c2sp.org/tlog-proof@v1"
#define HASH_TEXT_BYTES		44

char *
origin_to_text(const Origin *origin)
{
	return psprintf(ORIGIN_PREFIX "%s/%s/%s/" UINT64_FORMAT, origin->federation, origin->site,
					origin->ledger, origin->epoch);
}

/* A part up to the next slash; false if there is no slash or it is too long. */
static bool
take_part(const char **at, char *out, size_t room)
{
	const char *slash = strchr(*at, '/');

	if (slash == NULL || (size_t) (slash - *at) >= room)
		return false;
	memcpy(out, *at, (size_t) (slash - *at));
	out[slash - *at] = '\0';
	*at = slash + 1;
	return true;
}

static bool
uuid_valid(const char *text)
{
	for (int i = 0; i < UUID_TEXT_BYTES; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
			: text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	return text[UUID_TEXT_BYTES] == '\0';
}

bool
origin_from_text(Origin *origin, const char *text)
{
	const char *at = text + strlen(ORIGIN_PREFIX);

	memset(origin, 0, sizeof(*origin));
	return strncmp(text, ORIGIN_PREFIX, strlen(ORIGIN_PREFIX)) == 0 &&
		take_part(&at, origin->federation, sizeof(origin->federation)) &&
		take_part(&at, origin->site, sizeof(origin->site)) &&
		take_part(&at, origin->ledger, sizeof(origin->ledger)) &&
		node_name_valid(origin->federation) && node_name_valid(origin->site) &&
		uuid_valid(origin->ledger) &&
		decimal_read(&origin->epoch, at, strlen(at), EPOCH_MAX) && origin->epoch > 0;
}

bool
origin_same_ledger(const Origin *a, const Origin *b)
{
	return strcmp(a->federation, b->federation) == 0 && strcmp(a->site, b->site) == 0 &&
		strcmp(a->ledger, b->ledger) == 0;
}

char *
checkpoint_text(const Checkpoint *checkpoint)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s\n" UINT64_FORMAT "\n", checkpoint->origin, checkpoint->size);
	base64_write(&text, checkpoint->root, HASH_BYTES);
	appendStringInfoChar(&text, '\n');
	return text.data;
}

bool
checkpoint_parse(Checkpoint *checkpoint, const char *text, size_t len, const char **reason)
{
	const char *at = text;
	const char *end = text + len;
	const char *line;
	size_t		line_len;
	uint8		empty[HASH_BYTES];

	memset(checkpoint, 0, sizeof(*checkpoint));
	*reason = "does not begin with the name of a log";
	if (!next_line(&at, end, &line, &line_len) || !note_name_valid(line, line_len))
		return false;
	memcpy(checkpoint->origin, line, line_len);
	*reason = "has a size that is not a number";
	if (!next_line(&at, end, &line, &line_len) ||
		!decimal_read(&checkpoint->size, line, line_len, MERKLE_SIZE_MAX))
		return false;
	*reason = "has a root that is not a hash";
	if (!next_line(&at, end, &line, &line_len) ||
		!base64_read(checkpoint->root, HASH_BYTES, line, line_len))
		return false;
	*reason = "has lines after the root";
	if (at != end)
		return false;
	*reason = "is of no entries and has a root";
	hash_bytes(empty, "", 0);
	return checkpoint->size > 0 || memcmp(checkpoint->root, empty, HASH_BYTES) == 0;
}

bool
checkpoint_from_note(Checkpoint *checkpoint, Note *note, const void *bytes, size_t len,
					 const char **reason)
{
	return note_parse(note, bytes, len, reason) &&
		checkpoint_parse(checkpoint, note->text, note->text_len, reason);
}

/* The end of the empty line that comes next, or the end of everything. */
static const char *
after_empty_line(const char *at, const char *end)
{
	for (; end - at >= 2; at++)
		if (at[0] == '\n' && at[1] == '\n')
			return at + 2;
	return end;
}

/* A checkpoint's text has no empty line: one ends the text, the next the signatures. */
bool
notes_next(const char **at, const char *end, const char **note, size_t *len)
{
	const char *next = after_empty_line(after_empty_line(*at, end), end);

	if (*at >= end)
		return false;
	*note = *at;
	*len = (size_t) (next - *at) - (next < end ? 1 : 0);
	*at = next;
	return true;
}

/* ---- proof files ---- */

void
proof_write_path(StringInfo out, const MerkleProof *path)
{
	for (int i = 0; i < path->n; i++)
	{
		base64_write(out, path->hashes[i], HASH_BYTES);
		appendStringInfoChar(out, '\n');
	}
	appendStringInfoChar(out, '\n');
}

bool
proof_read_path(MerkleProof *path, const char **at, const char *end)
{
	const char *line;
	size_t		len;

	for (path->n = 0; next_line(at, end, &line, &len); path->n++)
	{
		if (len == 0)
			return true;
		if (path->n == MERKLE_PROOF_MAX || !base64_read(path->hashes[path->n], HASH_BYTES, line, len))
			return false;
	}
	return false;
}

void
proof_write(StringInfo out, const void *entry, size_t entry_len, uint64 index,
			const MerkleProof *path, const char *note)
{
	appendStringInfoString(out, PROOF_FIRST_LINE "\n");
	if (entry_len > 0)
	{
		appendStringInfoString(out, "extra ");
		base64_write(out, entry, entry_len);
		appendStringInfoChar(out, '\n');
	}
	appendStringInfo(out, "index " UINT64_FORMAT "\n", index);
	proof_write_path(out, path);
	appendStringInfoString(out, note);
}

/* Is this the word, a space and something?  Then moves past the space. */
static bool
take_word(const char **line, size_t *len, const char *word)
{
	size_t		word_len = strlen(word);

	if (*len < word_len || memcmp(*line, word, word_len) != 0)
		return false;
	*line += word_len;
	*len -= word_len;
	return true;
}

static bool
read_extra(StringInfo out, const char *text, size_t len)
{
	size_t		bytes = len / 4 * 3;

	if (len < 4 || bytes > LEDGER_ENTRY_BYTES_MAX + 2)
		return false;
	bytes -= (text[len - 1] == '=') + (text[len - 2] == '=');
	enlargeStringInfo(out, (int) bytes);
	out->len = (int) bytes;
	return bytes <= LEDGER_ENTRY_BYTES_MAX && base64_read(out->data, bytes, text, len);
}

bool
proof_parse(ProofFile *proof, const void *bytes, size_t len, const char **reason)
{
	const char *at = bytes;
	const char *end = at + len;
	const char *line = NULL;
	size_t		line_len = 0;

	memset(proof, 0, sizeof(*proof));
	initStringInfo(&proof->entry);
	*reason = "is not a proof file";
	if (len > NOTE_BYTES_MAX || !next_line(&at, end, &line, &line_len) ||
		line_len != strlen(PROOF_FIRST_LINE) || memcmp(line, PROOF_FIRST_LINE, line_len) != 0)
		return false;
	*reason = "has extra data that is not base64, or too long";
	if (next_line(&at, end, &line, &line_len) && take_word(&line, &line_len, "extra ") &&
		(!read_extra(&proof->entry, line, line_len) || !next_line(&at, end, &line, &line_len)))
		return false;
	*reason = "has no index";
	if (!take_word(&line, &line_len, "index ") ||
		!decimal_read(&proof->index, line, line_len, MERKLE_SIZE_MAX))
		return false;
	*reason = "has a path that is not a list of hashes";
	if (!proof_read_path(&proof->path, &at, end))
		return false;
	proof->note = at;
	proof->note_len = (size_t) (end - at);
	return true;
}
