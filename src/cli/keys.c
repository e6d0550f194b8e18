/*
 * keys.c
 *	  secmed keygen, secmed sign: keys of people and of logs outside a server.
 *
 * A person's or organisation's key signs documents (person_key.h).  One that
 * signs notes is one line, PRIVATE+KEY+NAME+ID+BASE64(kind || seed): the form
 * that other tools for signed notes read as well.
 */
#include "base/base.h"

#include <time.h>

#include "cli/cli.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "cli/person_key.h"
#include "crypto/hash.h"
#include "crypto/libsodium.h"
#include "ledger/note.h"

#define PRIVATE_PREFIX	"PRIVATE+KEY+"
#define SEED_BYTES		32

static void
make_key(NoteKey *key, uint8 secret_key[SIGN_SECRET_BYTES], const char *name, uint8 kind, const uint8 *seed)
{
	uint8		public_key[SIGN_PUBLIC_BYTES];

	libsodium_start();
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	note_key_make(key, name, kind, public_key);
}

int
command_keygen(int argc, char **argv)
{
	bool		witness = argc > 0 && strcmp(argv[0], "--witness") == 0;
	uint8		bytes[1 + SEED_BYTES];
	uint8		secret_key[SIGN_SECRET_BYTES];
	NoteKey		key;
	StringInfoData text;

	if (argc == 3 && strcmp(argv[0], "--person") == 0)
		return person_keygen(IDENTITY_PERSON, argv[1], argv[2]);
	if (argc == 3 && strcmp(argv[0], "--organisation") == 0)
		return person_keygen(IDENTITY_ORGANISATION, argv[1], argv[2]);
	argc -= witness;
	argv += witness;
	if (argc != 2)
		give_up("name the key and the file it goes to: secmed keygen [--witness] NAME FILE");
	bytes[0] = witness ? NOTE_WITNESS : NOTE_LOG;
	random_bytes(bytes + 1, SEED_BYTES);
	make_key(&key, secret_key, argv[0], bytes[0], bytes + 1);
	initStringInfo(&text);
	appendStringInfo(&text, PRIVATE_PREFIX "%s+%08x+", key.name, key.id);
	base64_write(&text, bytes, sizeof(bytes));
	appendStringInfoChar(&text, '\n');
	if (!file_write_secret(argv[1], text.data))
		give_up("can't write \"%s\": %s", argv[1], strerror(errno));
	wipe(text.data, text.len);
	wipe(bytes, sizeof(bytes));
	wipe(secret_key, sizeof(secret_key));
	printf("%s\n", note_key_to_text(&key));
	return 0;
}

static void
read_key(NoteKey *key, uint8 secret_key[SIGN_SECRET_BYTES], const char *path)
{
	StringInfoData text;
	char	   *line;
	char	   *plus;
	char		id[9];
	uint8		bytes[1 + SEED_BYTES];

	initStringInfo(&text);
	if (!file_read(path, &text))
		give_up("can't read \"%s\": %s", path, strerror(errno));
	line = text.data;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) != 0)
		give_up("\"%s\" is not a key file", path);
	line += strlen(PRIVATE_PREFIX);
	plus = strchr(line, '+');
	if (plus == NULL || strlen(plus) < 10 || plus[9] != '+' || plus == line ||
		!base64_read(bytes, sizeof(bytes), plus + 10, strlen(plus + 10)) ||
		(bytes[0] != NOTE_LOG && bytes[0] != NOTE_WITNESS))
		give_up("\"%s\" is not a key file", path);
	*plus = '\0';
	make_key(key, secret_key, line, bytes[0], bytes + 1);
	snprintf(id, sizeof(id), "%08x", key->id);
	if (strncmp(id, plus + 1, 8) != 0)
		give_up("the key in \"%s\" is damaged", path);
	wipe(bytes, sizeof(bytes));
	wipe(text.data, text.len);
}

int
command_sign(int argc, char **argv)
{
	NoteKey		key;
	uint8		secret_key[SIGN_SECRET_BYTES];
	StringInfoData in;
	StringInfoData out;
	Note		note;
	Document   *document = palloc(sizeof(Document));
	const char *reason;
	char	   *text;

	if (argc < 1 || argc > 2)
		give_up("name a key file and what to sign: secmed sign KEYFILE [FILE]");
	initStringInfo(&in);
	initStringInfo(&out);
	if (!file_read(argc == 2 ? argv[1] : "-", &in))
		give_up("can't read \"%s\": %s", argv[1], strerror(errno));
	if (document_read(document, in.data, in.len, &reason))
		return sign_document(argv[0], document);
	read_key(&key, secret_key, argv[0]);
	if (note_parse(&note, in.data, in.len, &reason))
	{
		text = pnstrdup(note.text, note.text_len);
		appendBinaryStringInfo(&out, in.data, in.len);
	}
	else
	{
		text = in.data;
		if (in.len == 0 || in.data[in.len - 1] != '\n' || strlen(text) != in.len)
			give_up("a text to be signed ends with a newline");
		note_begin(&out, text);
	}
	note_sign(&out, text, &key, secret_key, (uint64) time(NULL));
	wipe(secret_key, sizeof(secret_key));
	if (!note_parse(&note, out.data, out.len, &reason))
		give_up("the note %s", reason);
	fputs(out.data, stdout);
	return 0;
}
