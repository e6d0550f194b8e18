/*
 * documents.c
 *	  secmed identity, secmed vote, secmed governance: documents about people.
 *	  secmed sign of a document.
 *
 * What is made here is signed at once, printed as text, and shown in words on
 * the terminal: nobody signs what he has not seen.
 */
#include "base/base.h"

#include <sys/time.h>

#include "cli/cli.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "cli/person_key.h"
#include "contract/vote.h"
#include "contract/words.h"

#define DAY_US		(INT64CONST(86400) * 1000000)

static int64
now_us(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return now.tv_sec * INT64CONST(1000000) + now.tv_usec;
}

bool
document_read(Document *document, const char *bytes, size_t len, const char **reason)
{
	StringInfoData decoded;

	initStringInfo(&decoded);
	if (document_from_text(&decoded, bytes, len, reason))
		return document_decode(document, decoded.data, decoded.len, reason);
	return document_decode(document, bytes, len, reason);
}

static Document *
read_document(const char *path)
{
	Document   *document = palloc(sizeof(Document));
	StringInfoData bytes;
	const char *reason;

	initStringInfo(&bytes);
	if (!file_read(path, &bytes))
		give_up("can't read \"%s\": %s", path, strerror(errno));
	if (!document_read(document, bytes.data, bytes.len, &reason))
		give_up("the document in \"%s\" %s", path, reason);
	return document;
}

/* The text to the output, the words to the terminal. */
static int
print_signed(const Document *document)
{
	StringInfoData bytes;
	StringInfoData text;
	StringInfoData words;

	initStringInfo(&bytes);
	initStringInfo(&text);
	initStringInfo(&words);
	document_encode(&bytes, document);
	document_to_text(&text, bytes.data, bytes.len);
	document_describe(&words, document);
	fputs(words.data, stderr);
	fputs(text.data, stdout);
	return 0;
}

static int
sign_and_print(Document *document, PersonKey *key)
{
	document_sign(document, key->sign_public, key->sign_secret);
	wipe(key, sizeof(*key));
	return print_signed(document);
}

static int
sign_body(const StringInfoData *body, PersonKey *key)
{
	Document   *document = palloc(sizeof(Document));
	const char *reason;

	if (!document_begin(document, body->data, body->len, &reason))
		give_up("the document %s", reason);
	return sign_and_print(document, key);
}

int
sign_document(const char *key_path, const Document *document)
{
	Document   *copy = palloc(sizeof(Document));
	PersonKey	key;

	*copy = *document;
	person_key_read(&key, key_path);
	return sign_and_print(copy, &key);
}

/* ---- words after the command's name ---- */

static uint64
read_number(const char *option, const char *word, uint64 max)
{
	char	   *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(word, &end, 10);
	if (errno != 0 || *end != '\0' || word[0] < '0' || word[0] > '9' || number > max)
		give_up("%s takes a number up to " UINT64_FORMAT, option, max);
	return number;
}

/* The word behind option i. */
static const char *
value_of(int argc, char **argv, int i)
{
	if (i + 1 >= argc)
		give_up("%s needs a value", argv[i]);
	return argv[i + 1];
}

/* An identity, by its document in a file, or by the 64 hex digits of its fingerprint. */
static void
read_fingerprint(uint8 out[HASH_BYTES], const char *word)
{
	Person		person;
	const char *reason;
	Document   *document;

	if (strlen(word) == 2 * HASH_BYTES && strspn(word, "0123456789abcdef") == 2 * HASH_BYTES)
	{
		for (int i = 0; i < HASH_BYTES; i++)
		{
			unsigned	byte = 0;

			(void) sscanf(word + 2 * i, "%2x", &byte);
			out[i] = (uint8) byte;
		}
		return;
	}
	document = read_document(word);
	if (!person_decode(&person, document->body, document->body_len, &reason))
		give_up("\"%s\" is not an identity document", word);
	document_signer(out, person.sign_public);
}

/* ---- secmed identity ---- */

static void
read_identity_options(Person *person, int argc, char **argv)
{
	uint64		days = 730;

	for (int i = 0; i < argc; i += 2)
	{
		const char *value = value_of(argc, argv, i);
		IdentityRole role;

		if (strcmp(argv[i], "--organisation") == 0)
		{
			if (strlen(value) > IDENTITY_NAME_MAX)
				give_up("an organisation's name has at most %d bytes", IDENTITY_NAME_MAX);
			strlcpy(person->organisation, value, sizeof(person->organisation));
		}
		else if (strcmp(argv[i], "--role") == 0)
		{
			if (!identity_role_from_word(&role, value))
				give_up("there is no role \"%s\"", value);
			person->roles |= 1 << role;
		}
		else if (strcmp(argv[i], "--node") == 0)
		{
			if (!node_name_valid(value))
				give_up("\"%s\" is not a node's name", value);
			if (!person_add_node(person, value))
				give_up("name each node once, and %d at most", IDENTITY_NODES_MAX);
		}
		else if (strcmp(argv[i], "--days") == 0)
			days = read_number(argv[i], value, 36500);
		else if (strcmp(argv[i], "--replaces") == 0)
		{
			read_fingerprint(person->replaces, value);
			person->has_replaces = true;
		}
		else
			give_up("there is no option \"%s\"", argv[i]);
	}
	person->until_us = person->from_us + (int64) days * DAY_US;
}

int
command_identity(int argc, char **argv)
{
	Person		person = {.from_us = now_us() / DAY_US * DAY_US};
	StringInfoData body;
	PersonKey	key;

	if (argc < 1)
		give_up("name a key file: secmed identity KEYFILE [--organisation NAME] [--role ROLE]... [--node NAME]... [--days N] [--replaces IDENTITY]");
	person_key_read(&key, argv[0]);
	person.kind = key.kind;
	strlcpy(person.name, key.name, sizeof(person.name));
	memcpy(person.sign_public, key.sign_public, SIGN_PUBLIC_BYTES);
	memcpy(person.seal_public, key.seal_public, SEAL_PUBLIC_BYTES);
	read_identity_options(&person, argc - 1, argv + 1);
	initStringInfo(&body);
	person_encode(&body, &person);
	return sign_body(&body, &key);
}

/* ---- secmed vote ---- */

int
command_vote(int argc, char **argv)
{
	Vote		vote = {.at_us = now_us()};
	StringInfoData body;
	PersonKey	key;

	if (argc < 3 || argc > 4 || !vote_verb_from_word(&vote.verb, argv[1]))
		give_up("say what is voted for: secmed vote KEYFILE admit|adopt DOCUMENT [REASON], or remove IDENTITY [REASON]");
	if (argc == 4 && strlen(argv[3]) > VOTE_REASON_MAX)
		give_up("a reason has at most %d bytes", VOTE_REASON_MAX);
	if (argc == 4)
		strlcpy(vote.reason, argv[3], sizeof(vote.reason));
	if (vote.verb == VOTE_REMOVE)
		read_fingerprint(vote.subject, argv[2]);
	else
	{
		Document   *subject = read_document(argv[2]);
		StringInfoData words;

		if (strcmp(subject->kind->name, vote.verb == VOTE_ADMIT ? "identity" : "governance") != 0)
			give_up("\"%s\" is a document of kind %s", argv[2], subject->kind->name);
		memcpy(vote.subject, subject->hash, HASH_BYTES);
		initStringInfo(&words);
		document_describe(&words, subject);
		fputs(words.data, stderr);
		fputs("\n", stderr);
	}
	person_key_read(&key, argv[0]);
	initStringInfo(&body);
	vote_encode(&body, &vote);
	return sign_body(&body, &key);
}

/* ---- secmed governance ---- */

int
command_governance(int argc, char **argv)
{
	Governance	governance = {.serial = 1};
	StringInfoData body;
	PersonKey	key;
	const char *reason;

	if (argc < 1)
		give_up("name a key file: secmed governance KEYFILE --admit N --replace N --remove N --amend N [--serial N] [--title TEXT]");
	for (int i = 1; i < argc; i += 2)
	{
		const char *value = value_of(argc, argv, i);

		if (strcmp(argv[i], "--admit") == 0)
			governance.admit = read_number(argv[i], value, GOVERNANCE_VOTES_MAX);
		else if (strcmp(argv[i], "--replace") == 0)
			governance.rebind = read_number(argv[i], value, GOVERNANCE_VOTES_MAX);
		else if (strcmp(argv[i], "--remove") == 0)
			governance.remove = read_number(argv[i], value, GOVERNANCE_VOTES_MAX);
		else if (strcmp(argv[i], "--amend") == 0)
			governance.amend = read_number(argv[i], value, GOVERNANCE_VOTES_MAX);
		else if (strcmp(argv[i], "--serial") == 0)
			governance.serial = read_number(argv[i], value, PG_INT32_MAX);
		else if (strcmp(argv[i], "--title") == 0 && strlen(value) <= GOVERNANCE_TITLE_MAX)
			strlcpy(governance.title, value, sizeof(governance.title));
		else
			give_up("there is no option \"%s\"", argv[i]);
	}
	initStringInfo(&body);
	governance_encode(&body, &governance);
	if (!governance_check(body.data, body.len, &reason))
		give_up("the document %s", reason);
	person_key_read(&key, argv[0]);
	return sign_body(&body, &key);
}
