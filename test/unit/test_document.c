/*
 * test_document.c
 *	  Documents: envelope, kinds, signatures, text; what is not exactly right is refused.
 */
#include "base/base.h"

#include <sodium.h>

#include "contract/exchange.h"
#include "contract/person.h"
#include "contract/vote.h"
#include "hostile.h"

#define AT_US	INT64CONST(1700000000123456)

typedef struct Keys
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret_key[SIGN_SECRET_BYTES];
} Keys;

/* The same at each run. */
static Keys
keys_of(int who)
{
	Keys		keys;
	uint8		seed[32];

	fill(seed, sizeof(seed), who);
	if (sodium_init() < 0)
		abort();
	crypto_sign_seed_keypair(keys.public_key, keys.secret_key, seed);
	return keys;
}

static Person
a_person(void)
{
	Person		person = {.kind = IDENTITY_PERSON, .name = "Dr. Ada Weber", .organisation = "Charité",
	.roles = 1 << ROLE_ANALYST | 1 << ROLE_GOVERNANCE, .from_us = AT_US, .until_us = AT_US + 1, .has_replaces = true};
	Keys		keys = keys_of(1);

	memcpy(person.sign_public, keys.public_key, SIGN_PUBLIC_BYTES);
	fill(person.seal_public, SEAL_PUBLIC_BYTES, 2);
	fill(person.replaces, HASH_BYTES, 3);
	return person;
}

static Vote
a_vote(void)
{
	Vote		vote = {.verb = VOTE_REMOVE, .at_us = AT_US, .reason = "has left"};

	fill(vote.subject, HASH_BYTES, 4);
	return vote;
}

static Governance
a_governance(void)
{
	return (Governance) {.serial = 1, .admit = 2, .rebind = 2, .remove = 3, .amend = 3, .title = "Consortium rules"};
}

static StringInfoData
person_body(const Person *person)
{
	StringInfoData out = empty();

	person_encode(&out, person);
	return out;
}

static StringInfoData
vote_body(const Vote *vote)
{
	StringInfoData out = empty();

	vote_encode(&out, vote);
	return out;
}

static StringInfoData
governance_body(const Governance *governance)
{
	StringInfoData out = empty();

	governance_encode(&out, governance);
	return out;
}

/* Where this word is; it is there. */
static char *
word_in(StringInfo bytes, const char *word)
{
	char	   *at = bytes->data;

	while (memcmp(at, word, strlen(word)) != 0)
		at++;
	return at;
}

/* ---- bodies ---- */

static bool
person_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Person		person;

	if (!person_decode(&person, bytes, len, reason))
		return false;
	person_encode(again, &person);
	return true;
}

static bool
vote_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Vote		vote;

	if (!vote_decode(&vote, bytes, len, reason))
		return false;
	vote_encode(again, &vote);
	return true;
}

static bool
governance_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Governance	governance;

	if (!governance_decode(&governance, bytes, len, reason))
		return false;
	governance_encode(again, &governance);
	return true;
}

static void
test_bodies(void)
{
	Person		person = a_person();
	Vote		vote = a_vote();
	Governance	governance = a_governance();
	StringInfoData body;

	body = person_body(&person);
	test_hostile("identity", person_again, &body);
	vote = a_vote();
	body = vote_body(&vote);
	test_hostile("vote", vote_again, &body);
	body = governance_body(&governance);
	test_hostile("governance", governance_again, &body);
}

static void
test_strange_people(void)
{
	Person		person = a_person();

	person.until_us = person.from_us;
	check_refused(person_again, person_body(&person), "ends before it begins", "an identity of no time");
	person = a_person();
	person.name[0] = '\0';
	check_refused(person_again, person_body(&person), "has no name", "an identity without a name");
	person = a_person();
	person.name[3] = '\n';
	check_refused(person_again, person_body(&person), "holds a name with a control character", "a name of two lines");
	person = a_person();
	strcpy(person.organisation, " ");
	check_refused(person_again, person_body(&person), "holds a name that begins or ends with a space", "a name of a space");
	person = a_person();
	person.until_us = DOCUMENT_TIME_US_MAX + 1;
	check_refused(person_again, person_body(&person), TOO_LARGE, "an identity until the year 10000");
	person = a_person();
	person.roles = (1 << IDENTITY_ROLES) - 1;
	person.has_replaces = false;
	check_refused(person_again, person_body(&person), "accepted", "an identity with all roles");
}

/* Roles are in one order, and none is there twice. */
static void
test_order_of_roles(void)
{
	Person		person = a_person();
	StringInfoData body;

	person.roles = 1 << ROLE_PATIENT | 1 << ROLE_SPONSOR;
	body = person_body(&person);
	memcpy(word_in(&body, "sponsor"), "patient", 7);
	check_refused(person_again, body, "names roles twice or not in order", "a role twice");
	body = person_body(&person);
	memcpy(word_in(&body, "patient"), "analyst", 7);
	check_refused(person_again, body, "accepted", "another role");
	body = person_body(&person);
	memcpy(word_in(&body, "patient"), "auditor", 7);
	check_refused(person_again, body, "names roles twice or not in order", "roles not in order");
	body = person_body(&person);
	memcpy(word_in(&body, "patient"), "Patient", 7);
	check_refused(person_again, body, "names a role that there is not", "no role");
}

static void
test_nodes_of_a_person(void)
{
	Person		person = a_person();
	StringInfoData body;

	check(person_add_node(&person, "research") && person_add_node(&person, "charite"), "two nodes");
	check(!person_add_node(&person, "charite"), "none twice");
	check(strcmp(person.nodes[0], "charite") == 0 && strcmp(person.nodes[1], "research") == 0, "by rising name");
	check(person_asks_at(&person, "research") && !person_asks_at(&person, "resear"), "where its holder asks");
	body = person_body(&person);
	check_refused(person_again, body, "accepted", "nodes in order");
	body = person_body(&person);
	memcpy(word_in(&body, "research"), "berlin-w", 8);
	check_refused(person_again, body, "names nodes twice or not in order", "nodes not in order");
	body = person_body(&person);
	memcpy(word_in(&body, "research"), "Research", 8);
	check_refused(person_again, body, "holds something that is not a node's name", "no node's name");
	for (char node[] = "node-a"; person.nnodes < IDENTITY_NODES_MAX; node[5]++)
		(void) person_add_node(&person, node);
	check(!person_add_node(&person, "one-more"), "and not one too many");
}

static void
test_strange_rules(void)
{
	Governance	governance = a_governance();

	governance.remove = 0;
	check_refused(governance_again, governance_body(&governance), "lets nobody's vote be enough", "no vote needed");
	governance.remove = GOVERNANCE_VOTES_MAX + 1;
	check_refused(governance_again, governance_body(&governance), TOO_LARGE, "more votes than there can be");
	governance = a_governance();
	governance.serial = 0;
	check_refused(governance_again, governance_body(&governance), "has no serial number", "serial number 0");
}

/* ---- the envelope ---- */

static bool
document_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Document	document;

	if (!document_decode(&document, bytes, len, reason))
		return false;
	document_encode(again, &document);
	return true;
}

/* Signed by this many. */
static StringInfoData
a_document(int signers)
{
	Vote		vote = a_vote();
	StringInfoData body = vote_body(&vote);
	StringInfoData out = empty();
	Document   *document = palloc(sizeof(Document));
	const char *reason;

	if (!document_begin(document, body.data, body.len, &reason))
		abort();
	for (int i = 0; i < signers; i++)
	{
		Keys		keys = keys_of(i);

		document_sign(document, keys.public_key, keys.secret_key);
	}
	document_encode(&out, document);
	return out;
}

static void
test_envelope(void)
{
	StringInfoData bytes = a_document(3);
	Vote		vote = a_vote();
	StringInfoData body;

	test_hostile("document", document_again, &bytes);
	check_refused(document_again, a_document(DOCUMENT_SIGNATURES_MAX), "accepted", "as many signatures as there may be");

	/* An envelope by hand, of a body and no signature. */
#define envelope(len_of_body) \
	(bytes = empty(), cbor_array(&bytes, 2), cbor_bytes(&bytes, body.data, len_of_body), cbor_array(&bytes, 0), bytes)

	body = vote_body(&vote);
	memcpy(word_in(&body, "vote"), "vota", 4);
	check_refused(document_again, envelope(body.len), "is of a kind that is not known here", "an unknown kind");
	body = vote_body(&vote);
	body.data[6] = 2;
	check_refused(document_again, envelope(body.len), "is of another version", "another version");
	body = vote_body(&vote);
	check_refused(document_again, envelope(body.len - 1), "ends too early", "a cut body");
	body = vote_body(&vote);
	appendStringInfoChar(&body, '\0');
	check_refused(document_again, envelope(body.len), "is followed by more bytes", "a body and a byte");
	body = empty();
	check_refused(document_again, envelope(0), "ends too early", "no body");
	body = empty();
	enlargeStringInfo(&body, DOCUMENT_BODY_BYTES_MAX + 1);
	memset(body.data, 0, DOCUMENT_BODY_BYTES_MAX + 1);
	check_refused(document_again, envelope(DOCUMENT_BODY_BYTES_MAX + 1), TOO_LONG, "too long a body");
}

static void
test_order_of_signatures(void)
{
	StringInfoData bytes = a_document(2);
	/* Each is an array's head, a string of 32 with a head of two, and one of 64 with a head of two. */
	size_t		each = 1 + 2 + HASH_BYTES + 2 + SIGNATURE_BYTES;
	char	   *first = bytes.data + bytes.len - 2 * each;
	char		copy[256];

	memcpy(copy, first, each);
	memmove(first, first + each, each);
	memcpy(first + each, copy, each);
	check_refused(document_again, bytes, "has signatures that are not in order", "signatures exchanged");
	bytes = a_document(2);
	first = bytes.data + bytes.len - 2 * each;
	memcpy(first + each, first, each);
	check_refused(document_again, bytes, "has signatures that are not in order", "a signature twice");
}

static void
test_signatures(void)
{
	StringInfoData bytes = a_document(3);
	StringInfoData alone = a_document(1);
	Document	document;
	Document	other;
	const char *reason;
	uint8		signer[HASH_BYTES];
	int			good = 0;
	int			at;

	check(document_decode(&document, bytes.data, bytes.len, &reason) && document.nsignatures == 3, "three have signed");
	for (int i = 0; i < 3; i++)
	{
		Keys		keys = keys_of(i);

		document_signer(signer, keys.public_key);
		at = document_signature_of(&document, signer);
		good += at >= 0 && document_signature_good(&document, at, keys.public_key);
		good += document_signature_good(&document, at, keys_of(i + 1).public_key) ? 100 : 0;
		document_sign(&document, keys.public_key, keys.secret_key);
	}
	check(good == 3, "each with its own key, and no other's");
	check(document.nsignatures == 3, "nobody signs twice");
	document_signer(signer, keys_of(9).public_key);
	check(document_signature_of(&document, signer) == -1, "who has not signed is not there");

	check(document_decode(&other, alone.data, alone.len, &reason) && document_merge(&document, &other) == 0,
		  "nothing is added by a copy with fewer signatures");
	check(document_merge(&other, &document) == 2 && other.nsignatures == 3 &&
		  memcmp(other.signatures, document.signatures, 3 * sizeof(DocumentSignature)) == 0, "two are by one with more");
	check(memcmp(other.hash, document.hash, HASH_BYTES) == 0, "the hash is that of the body alone");

	document.signatures[1].signature[0] ^= 1;
	at = 0;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			at += document_signature_good(&document, i, keys_of(k).public_key);
	check(at == 2, "a changed signature is not good");
	document_decode(&document, bytes.data, bytes.len, &reason);
	((uint8 *) document.body)[document.body_len - 1] ^= 1;
	at = 0;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			at += document_signature_good(&document, i, keys_of(k).public_key);
	check(at == 0, "no signature is good for another body");
	memory_reset();
}

static void
test_too_many(void)
{
	StringInfoData full = a_document(DOCUMENT_SIGNATURES_MAX);
	Document	document;
	Document	other;
	Keys		one_more = keys_of(200);
	StringInfoData none = a_document(0);
	const char *reason;

	document_decode(&document, full.data, full.len, &reason);
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED, document_sign(&document, one_more.public_key, one_more.secret_key),
				"no signature beyond the last");
	document_decode(&other, none.data, none.len, &reason);
	document_sign(&other, one_more.public_key, one_more.secret_key);
	check(document_merge(&document, &other) == -1 && document.nsignatures == DOCUMENT_SIGNATURES_MAX,
		  "nor by another copy");
	memory_reset();
}

/* ---- between nodes ---- */

static bool
exchange_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ExchangeMessage *message = palloc(sizeof(ExchangeMessage));

	if (!exchange_decode(message, bytes, len, reason))
		return false;
	exchange_encode(again, message);
	return true;
}

static StringInfoData
an_exchange(int documents, uint64 serial)
{
	ExchangeMessage *message = palloc(sizeof(ExchangeMessage));
	StringInfoData out = empty();

	message->verb = EXCHANGE_PUT;
	message->serial = serial;
	message->n = Min(documents, EXCHANGE_DOCUMENTS_MAX);
	for (int i = 0; i < message->n; i++)
		message->documents[i] = (Bytes) {(const uint8 *) "document", 8};
	exchange_encode(&out, message);
	if (documents > EXCHANGE_DOCUMENTS_MAX)
		out.data[out.len - 9 * EXCHANGE_DOCUMENTS_MAX - 1]++;	/* the list's length */
	return out;
}

static void
test_exchange(void)
{
	StringInfoData bytes = an_exchange(3, 300);

	test_hostile("exchange", exchange_again, &bytes);
	check_refused(exchange_again, an_exchange(EXCHANGE_DOCUMENTS_MAX, 0), "accepted", "as many documents as there may be");
	check_refused(exchange_again, an_exchange(EXCHANGE_DOCUMENTS_MAX + 1, 0), TOO_LONG_LIST, "one more");
	check_refused(exchange_again, an_exchange(0, PG_INT64_MAX), "accepted", "the largest serial number");
	check_refused(exchange_again, an_exchange(0, UINT64CONST(1) << 63), TOO_LARGE, "one beyond");
	bytes = an_exchange(0, 0);
	memcpy(bytes.data + 2, "get", 3);
	check_refused(exchange_again, bytes, "is of another kind than expected", "another verb");
}

/* ---- text ---- */

static const char *
from_text(const char *text, size_t len, StringInfo out)
{
	const char *reason = NULL;

	resetStringInfo(out);
	return document_from_text(out, text, len, &reason) ? "accepted" : reason;
}

static void
test_text(void)
{
	StringInfoData bytes = a_document(3);
	StringInfoData text = empty();
	StringInfoData back = empty();
	StringInfoData changed = empty();

	document_to_text(&text, bytes.data, bytes.len);
	check(strcmp(from_text(text.data, text.len, &back), "accepted") == 0 && back.len == bytes.len &&
		  memcmp(back.data, bytes.data, bytes.len) == 0, "text is read back");
	for (char *at = text.data; *at != '\0'; at++)
		appendStringInfo(&changed, *at == '\n' ? " \r\n\t" : "%c", *at);
	check(strcmp(from_text(changed.data, changed.len, &back), "accepted") == 0 && back.len == bytes.len,
		  "as a mail program has wrapped it");
	check(strcmp(from_text(text.data + 1, text.len - 1, &back),
				 "does not begin with -----BEGIN SECMED DOCUMENT-----") == 0, "not without its first line");
	check(strcmp(from_text(text.data, text.len - 10, &back),
				 "does not end with -----END SECMED DOCUMENT-----") == 0, "not without its last line");
	check(strcmp(from_text("", 0, &back), "does not begin with -----BEGIN SECMED DOCUMENT-----") == 0, "not nothing");
	text.data[40] = '!';
	check(strcmp(from_text(text.data, text.len, &back), "is not base64, or was cut") == 0, "not with another character");
	memory_reset();
}

static void
test_words(void)
{
	Person		person = a_person();
	StringInfoData body;
	StringInfoData words = empty();
	Document	document;
	const char *reason;

	strcpy(person.name, "Ada");
	body = person_body(&person);
	document_begin(&document, body.data, body.len, &reason);
	document_describe(&words, &document);
	check(strstr(words.data, "person         Ada\norganisation   Charité\nroles          analyst, governance\n") != NULL &&
		  strstr(words.data, "valid from     2023-11-14 22:13:20 UTC\n") != NULL &&
		  strstr(words.data, "signed by      nobody yet\n") != NULL, "an identity in words");
	memory_reset();
}

int
main(void)
{
	test_bodies();
	test_strange_people();
	test_order_of_roles();
	test_nodes_of_a_person();
	test_strange_rules();
	test_envelope();
	test_order_of_signatures();
	test_signatures();
	test_too_many();
	test_exchange();
	test_text();
	test_words();
	return unit_done();
}
