/*
 * note.c
 *	  Signed notes, written and read (c2sp.org/signed-note).
 */
#include "base/base.h"

#include "common/base64.h"
#include "crypto/hash.h"
#include "crypto/libsodium.h"
#include "ledger/note.h"
#include "mb/pg_wchar.h"

#define DASH			"\xe2\x80\x94 " /* em dash, space */
#define DASH_BYTES		4
#define ID_BYTES		4
#define TIME_BYTES		8

/* ---- pieces of text ---- */

void
base64_write(StringInfo out, const void *bytes, size_t len)
{
	int			room = pg_b64_enc_len((int) len);
	int			written;

	enlargeStringInfo(out, room + 1);
	written = pg_b64_encode(bytes, (int) len, out->data + out->len, room);
	if (written < 0)
		fail(ERRCODE_INTERNAL_ERROR, "base64 could not be written");
	out->len += written;
	out->data[out->len] = '\0';
}

/* Decodes and encodes again: spare bits, spaces and lengths show. */
bool
base64_read(void *out, size_t len, const char *text, size_t text_len)
{
	size_t		room = (len + 2) / 3 * 3;
	StringInfoData again;
	char	   *bytes;
	bool		same;

	if (text_len != (len + 2) / 3 * 4)
		return false;
	bytes = palloc(room + 1);
	same = pg_b64_decode(text, (int) text_len, bytes, (int) room) == (int) len;
	if (same)
	{
		initStringInfo(&again);
		base64_write(&again, bytes, len);
		same = memcmp(again.data, text, text_len) == 0;
		pfree(again.data);
		memcpy(out, bytes, len);
	}
	pfree(bytes);
	return same;
}

bool
decimal_read(uint64 *out, const char *text, size_t len, uint64 max)
{
	uint64		value = 0;

	*out = 0;
	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++)
	{
		uint64		digit = (uint64) (text[i] - '0');

		if (text[i] < '0' || text[i] > '9' || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool
next_line(const char **at, const char *end, const char **line, size_t *len)
{
	const char *newline = *at < end ? memchr(*at, '\n', (size_t) (end - *at)) : NULL;

	if (newline == NULL)
		return false;
	*line = *at;
	*len = (size_t) (newline - *at);
	*at = newline + 1;
	return true;
}

/* Length of the UTF-8 space that begins here (Unicode White_Space), or 0. */
static int
space_at(const uint8 *at, size_t left)
{
	if (at[0] <= ' ')
		return 1;
	if (left >= 2 && at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0))
		return 2;
	if (left < 3)
		return 0;
	if (at[0] == 0xe1 && at[1] == 0x9a && at[2] == 0x80)
		return 3;				/* U+1680 */
	if (at[0] == 0xe2 && at[1] == 0x80 &&
		((at[2] >= 0x80 && at[2] <= 0x8a) || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf))
		return 3;				/* U+2000 to U+200A, U+2028, U+2029, U+202F */
	if (at[0] == 0xe2 && at[1] == 0x81 && at[2] == 0x9f)
		return 3;				/* U+205F */
	if (at[0] == 0xe3 && at[1] == 0x80 && at[2] == 0x80)
		return 3;				/* U+3000 */
	return 0;
}

bool
note_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > NOTE_NAME_MAX ||
		pg_encoding_verifymbstr(PG_UTF8, name, (int) len) != (int) len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '+' || space_at((const uint8 *) name + i, len - i) > 0)
			return false;
	return true;
}

/* ---- keys ---- */

void
note_key_make(NoteKey *key, const char *name, uint8 kind, const uint8 public_key[SIGN_PUBLIC_BYTES])
{
	uint8		head[] = {'\n', kind};
	HashPart	parts[] = {{name, strlen(name)}, {head, sizeof(head)}, {public_key, SIGN_PUBLIC_BYTES}};
	uint8		hash[HASH_BYTES];

	if (!note_name_valid(name, strlen(name)))
		fail(ERRCODE_INVALID_NAME, "the name of a key for notes has 1 to %d bytes, no space and no plus sign",
			 NOTE_NAME_MAX);
	memset(key, 0, sizeof(*key));
	strlcpy(key->name, name, sizeof(key->name));
	key->kind = kind;
	memcpy(key->public_key, public_key, SIGN_PUBLIC_BYTES);
	hash_parts(hash, parts, lengthof(parts));
	key->id = (uint32) hash[0] << 24 | (uint32) hash[1] << 16 | (uint32) hash[2] << 8 | hash[3];
}

char *
note_key_to_text(const NoteKey *key)
{
	StringInfoData text;
	uint8		bytes[1 + SIGN_PUBLIC_BYTES];

	bytes[0] = key->kind;
	memcpy(bytes + 1, key->public_key, SIGN_PUBLIC_BYTES);
	initStringInfo(&text);
	appendStringInfo(&text, "%s+%08x+", key->name, key->id);
	base64_write(&text, bytes, sizeof(bytes));
	return text.data;
}

/* NAME+8 hex digits+BASE64: names hold no plus sign, base64 may. */
bool
note_key_from_text(NoteKey *key, const char *text, size_t len, const char **reason)
{
	const char *plus = memchr(text, '+', len);
	size_t		name_len = plus == NULL ? 0 : (size_t) (plus - text);
	char		name[NOTE_NAME_MAX + 1];
	uint8		bytes[1 + SIGN_PUBLIC_BYTES];
	char		id[9];

	memset(key, 0, sizeof(*key));
	*reason = "is not a key in the form NAME+ID+BASE64";
	if (!note_name_valid(text, name_len) || len - name_len < 1 + 8 + 1 || text[name_len + 9] != '+')
		return false;
	*reason = "is a key of another kind, or cut";
	if (!base64_read(bytes, sizeof(bytes), text + name_len + 10, len - name_len - 10) ||
		(bytes[0] != NOTE_LOG && bytes[0] != NOTE_WITNESS))
		return false;
	memcpy(name, text, name_len);
	name[name_len] = '\0';
	note_key_make(key, name, bytes[0], bytes + 1);
	snprintf(id, sizeof(id), "%08x", key->id);
	*reason = "is a key under another id than its own";
	return memcmp(id, text + name_len + 1, 8) == 0;
}

bool
note_key_equal(const NoteKey *a, const NoteKey *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
		memcmp(a->public_key, b->public_key, SIGN_PUBLIC_BYTES) == 0;
}

/* ---- reading ---- */

static bool
characters_allowed(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8) bytes[i] < ' ' && bytes[i] != '\n')
			return false;
	return pg_encoding_verifymbstr(PG_UTF8, bytes, (int) len) == (int) len;
}

/* The bytes that base64 of this length stands for; 0 if there are none. */
static size_t
base64_bytes(const char *text, size_t len)
{
	if (len == 0 || len % 4 != 0)
		return 0;
	return len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=');
}

static bool
parse_signature(NoteSignature *signature, const char *line, size_t len)
{
	const char *end = line + len;
	const char *space;
	uint8	   *bytes;
	size_t		nbytes;
	bool		valid;

	if (len < DASH_BYTES || memcmp(line, DASH, DASH_BYTES) != 0)
		return false;
	signature->name = line + DASH_BYTES;
	space = memchr(signature->name, ' ', (size_t) (end - signature->name));
	if (space == NULL)
		return false;
	signature->name_len = (size_t) (space - signature->name);
	nbytes = base64_bytes(space + 1, (size_t) (end - space - 1));
	if (!note_name_valid(signature->name, signature->name_len) || nbytes <= ID_BYTES)
		return false;

	bytes = palloc(nbytes);
	valid = base64_read(bytes, nbytes, space + 1, (size_t) (end - space - 1));
	if (valid)
	{
		signature->id = (uint32) bytes[0] << 24 | (uint32) bytes[1] << 16 | (uint32) bytes[2] << 8 | bytes[3];
		signature->len = nbytes - ID_BYTES;
		memcpy(signature->bytes, bytes + ID_BYTES, Min(signature->len, sizeof(signature->bytes)));
	}
	pfree(bytes);
	return valid;
}

/* Where the last empty line begins, or NULL. */
static const char *
last_empty_line(const char *bytes, size_t len)
{
	for (size_t i = len; i-- > 1;)
		if (bytes[i] == '\n' && bytes[i - 1] == '\n')
			return bytes + i;
	return NULL;
}

bool
note_parse(Note *note, const void *bytes, size_t len, const char **reason)
{
	const char *text = bytes;
	const char *at;
	const char *line;
	size_t		line_len;

	memset(note, 0, offsetof(Note, signatures));
	*reason = "is too long";
	if (len > NOTE_BYTES_MAX)
		return false;
	*reason = "holds control characters, or is not UTF-8";
	if (!characters_allowed(text, len))
		return false;
	*reason = "has no empty line between text and signatures";
	at = last_empty_line(text, len);
	if (at == NULL)
		return false;
	note->text = text;
	note->text_len = (size_t) (at - text);
	at++;

	*reason = "has a line that is not a signature where signatures are";
	for (; at < text + len; note->nsignatures++)
	{
		if (note->nsignatures == NOTE_SIGNATURES_MAX)
		{
			*reason = "has too many signatures";
			return false;
		}
		if (!next_line(&at, text + len, &line, &line_len) ||
			!parse_signature(&note->signatures[note->nsignatures], line, line_len))
			return false;
	}
	*reason = "has no signature";
	return note->nsignatures > 0;
}

/* ---- checking and making signatures ---- */

/* palloc'd bytes that a countersignature is over. */
static uint8 *
cosigned_bytes(const char *text, size_t len, uint64 time, size_t *total)
{
	char		head[64];
	size_t		head_len = (size_t) snprintf(head, sizeof(head), "cosignature/v1\ntime " UINT64_FORMAT "\n", time);
	uint8	   *bytes = palloc(head_len + len);

	memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, text, len);
	*total = head_len + len;
	return bytes;
}

static bool
log_signature_valid(const Note *note, const NoteSignature *signature, const NoteKey *key)
{
	return signature->len == SIGNATURE_BYTES &&
		crypto_sign_verify_detached(signature->bytes, (const uint8 *) note->text, note->text_len,
									key->public_key) == 0;
}

static bool
cosignature_valid(const Note *note, const NoteSignature *signature, const NoteKey *key, uint64 *time)
{
	size_t		len;
	uint8	   *bytes;
	bool		valid;

	*time = 0;
	for (int i = 0; i < TIME_BYTES; i++)
		*time = *time << 8 | signature->bytes[i];
	if (signature->len != TIME_BYTES + SIGNATURE_BYTES || *time > (uint64) PG_INT64_MAX)
		return false;
	bytes = cosigned_bytes(note->text, note->text_len, *time, &len);
	valid = crypto_sign_verify_detached(signature->bytes + TIME_BYTES, bytes, len, key->public_key) == 0;
	pfree(bytes);
	return valid;
}

NoteVerdict
note_check(const Note *note, const NoteKey *key, uint64 *time)
{
	NoteVerdict verdict = NOTE_UNSIGNED;

	libsodium_start();
	*time = 0;
	for (int i = 0; i < note->nsignatures; i++)
	{
		const NoteSignature *signature = &note->signatures[i];
		uint64		at = 0;

		if (signature->id != key->id || signature->name_len != strlen(key->name) ||
			memcmp(signature->name, key->name, signature->name_len) != 0)
			continue;
		if (key->kind == NOTE_LOG ? !log_signature_valid(note, signature, key)
			: !cosignature_valid(note, signature, key, &at))
			return NOTE_FORGED;
		if (verdict == NOTE_UNSIGNED)
			*time = at;
		verdict = NOTE_SIGNED;
	}
	return verdict;
}

void
note_begin(StringInfo out, const char *text)
{
	appendStringInfo(out, "%s\n", text);
}

static void
write_signature(StringInfo out, const char *name, int name_len, uint32 id, const uint8 *bytes, size_t len)
{
	uint8		all[ID_BYTES + TIME_BYTES + SIGNATURE_BYTES];

	for (int i = 0; i < ID_BYTES; i++)
		all[i] = (uint8) (id >> (24 - 8 * i));
	memcpy(all + ID_BYTES, bytes, len);
	appendStringInfo(out, DASH "%.*s ", name_len, name);
	base64_write(out, all, ID_BYTES + len);
	appendStringInfoChar(out, '\n');
}

void
note_sign(StringInfo out, const char *text, const NoteKey *key,
		  const uint8 secret_key[SIGN_SECRET_BYTES], uint64 time)
{
	uint8		signature[TIME_BYTES + SIGNATURE_BYTES];
	uint8	   *bytes;
	size_t		len;

	libsodium_start();
	if (key->kind == NOTE_LOG)
	{
		crypto_sign_detached(signature, NULL, (const uint8 *) text, strlen(text), secret_key);
		write_signature(out, key->name, (int) strlen(key->name), key->id, signature, SIGNATURE_BYTES);
		return;
	}
	for (int i = 0; i < TIME_BYTES; i++)
		signature[i] = (uint8) (time >> (56 - 8 * i));
	bytes = cosigned_bytes(text, strlen(text), time, &len);
	crypto_sign_detached(signature + TIME_BYTES, NULL, bytes, len, secret_key);
	pfree(bytes);
	write_signature(out, key->name, (int) strlen(key->name), key->id, signature, sizeof(signature));
}

/* Signatures of kinds that we do not make may be longer than we keep: those stay behind. */
void
note_copy_signature(StringInfo out, const NoteSignature *signature)
{
	if (signature->len <= sizeof(signature->bytes))
		write_signature(out, signature->name, (int) signature->name_len, signature->id,
						signature->bytes, signature->len);
}
