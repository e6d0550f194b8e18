/*
 * person.c
 *	  Bytes and words of identity documents.
 */
#include "base/base.h"

#include "contract/person.h"
#include "contract/words.h"
#include "port/pg_bitutils.h"

static const char *const kind_words[] = {
	[IDENTITY_PERSON] = "person", [IDENTITY_ORGANISATION] = "organisation", [IDENTITY_NODE] = "node",
};

static const char *const role_words[IDENTITY_ROLES] = {
	[ROLE_ANALYST] = "analyst", [ROLE_VETTER] = "vetter", [ROLE_COMMITTEE] = "committee",
	[ROLE_PROTECTION_OFFICER] = "protection-officer", [ROLE_OWNER] = "owner", [ROLE_PATIENT] = "patient",
	[ROLE_SPONSOR] = "sponsor", [ROLE_REGULATOR] = "regulator", [ROLE_AUDITOR] = "auditor",
	[ROLE_PAYER] = "payer", [ROLE_GOVERNANCE] = "governance",
};

#define WORD_BYTES_MAX	32

const char *
identity_kind_word(IdentityKind kind)
{
	return kind_words[kind];
}

bool
identity_kind_from_word(IdentityKind *kind, const char *word)
{
	for (int i = IDENTITY_PERSON; i <= IDENTITY_NODE; i++)
		if (strcmp(kind_words[i], word) == 0)
		{
			*kind = (IdentityKind) i;
			return true;
		}
	return false;
}

const char *
identity_role_word(IdentityRole role)
{
	return role_words[role];
}

bool
identity_role_from_word(IdentityRole *role, const char *word)
{
	for (int i = 0; i < IDENTITY_ROLES; i++)
		if (strcmp(role_words[i], word) == 0)
		{
			*role = (IdentityRole) i;
			return true;
		}
	return false;
}

void
identity_roles_describe(StringInfo out, uint32 roles)
{
	const char *separator = "";

	for (int i = 0; i < IDENTITY_ROLES; i++)
		if (roles & (1 << i))
		{
			appendStringInfo(out, "%s%s", separator, role_words[i]);
			separator = ", ";
		}
}

bool
person_add_node(Person *person, const char *node)
{
	int			at = 0;

	while (at < person->nnodes && strcmp(person->nodes[at], node) < 0)
		at++;
	if (person->nnodes == IDENTITY_NODES_MAX || (at < person->nnodes && strcmp(person->nodes[at], node) == 0))
		return false;
	memmove(person->nodes[at + 1], person->nodes[at], sizeof(person->nodes[0]) * (person->nnodes - at));
	strlcpy(person->nodes[at], node, sizeof(person->nodes[at]));
	person->nnodes++;
	return true;
}

bool
person_asks_at(const Person *person, const char *node)
{
	for (int i = 0; i < person->nnodes; i++)
		if (strcmp(person->nodes[i], node) == 0)
			return true;
	return false;
}

void
person_encode(StringInfo out, const Person *person)
{
	document_body_write(out, "identity", 12);
	cbor_text(out, kind_words[person->kind]);
	cbor_text(out, person->name);
	cbor_text(out, person->organisation);
	cbor_array(out, pg_popcount32(person->roles));
	for (int i = 0; i < IDENTITY_ROLES; i++)
		if (person->roles & (1 << i))
			cbor_text(out, role_words[i]);
	cbor_array(out, person->nnodes);
	for (int i = 0; i < person->nnodes; i++)
		cbor_text(out, person->nodes[i]);
	cbor_bytes(out, person->sign_public, SIGN_PUBLIC_BYTES);
	cbor_bytes(out, person->seal_public, SEAL_PUBLIC_BYTES);
	cbor_uint(out, (uint64) person->from_us);
	cbor_uint(out, (uint64) person->until_us);
	if (person->has_replaces)
		cbor_bytes(out, person->replaces, HASH_BYTES);
	else
		cbor_null(out);
}

static void
refuse(CborReader *in, const char *reason)
{
	if (in->error == NULL)
		in->error = reason;
}

/* One line that looks like what it is: no control characters, no space at its ends. */
static void
read_name(CborReader *in, char out[IDENTITY_NAME_MAX + 1], bool may_be_empty)
{
	char	   *text = cbor_read_text(in, IDENTITY_NAME_MAX);
	size_t		len = strlen(text);

	if (len == 0 && !may_be_empty)
		refuse(in, "has no name");
	for (size_t i = 0; i < len; i++)
		if ((uint8) text[i] < ' ' || text[i] == 0x7f)
			refuse(in, "holds a name with a control character");
	if (len > 0 && (text[0] == ' ' || text[len - 1] == ' '))
		refuse(in, "holds a name that begins or ends with a space");
	strlcpy(out, in->error == NULL ? text : "", IDENTITY_NAME_MAX + 1);
	pfree(text);
}

static void
read_kind(CborReader *in, IdentityKind *kind)
{
	char	   *word = cbor_read_text(in, WORD_BYTES_MAX);

	if (!identity_kind_from_word(kind, word))
		refuse(in, "is of neither a person, an organisation nor a node");
	pfree(word);
}

static uint32
read_roles(CborReader *in)
{
	int			n = (int) cbor_read_array(in, IDENTITY_ROLES);
	uint32		roles = 0;

	for (int i = 0; i < n; i++)
	{
		char	   *word = cbor_read_text(in, WORD_BYTES_MAX);
		IdentityRole role = ROLE_ANALYST;

		if (!identity_role_from_word(&role, word))
			refuse(in, "names a role that there is not");
		else if (roles >> role)
			refuse(in, "names roles twice or not in order");
		roles |= 1 << role;
		pfree(word);
	}
	return roles;
}

static void
read_nodes(CborReader *in, Person *person)
{
	person->nnodes = (int) cbor_read_array(in, IDENTITY_NODES_MAX);
	for (int i = 0; i < person->nnodes; i++)
	{
		node_name_read(in, person->nodes[i]);
		if (i > 0 && strcmp(person->nodes[i - 1], person->nodes[i]) >= 0)
			refuse(in, "names nodes twice or not in order");
	}
}

bool
person_decode(Person *person, const void *body, size_t len, const char **reason)
{
	CborReader	in;

	memset(person, 0, sizeof(*person));
	document_body_read(&in, "identity", 12, body, len);
	read_kind(&in, &person->kind);
	read_name(&in, person->name, false);
	read_name(&in, person->organisation, true);
	person->roles = read_roles(&in);
	read_nodes(&in, person);
	cbor_read_fixed(&in, person->sign_public, SIGN_PUBLIC_BYTES);
	cbor_read_fixed(&in, person->seal_public, SEAL_PUBLIC_BYTES);
	person->from_us = document_time_read(&in);
	person->until_us = document_time_read(&in);
	person->has_replaces = !cbor_read_null(&in);
	if (person->has_replaces)
		cbor_read_fixed(&in, person->replaces, HASH_BYTES);
	if (person->from_us >= person->until_us)
		refuse(&in, "ends before it begins");
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

bool
person_check(const void *body, size_t len, const char **reason)
{
	Person		person;

	return person_decode(&person, body, len, reason);
}

void
person_describe(StringInfo out, const void *body, size_t len)
{
	Person		person;
	uint8		fingerprint[HASH_BYTES];
	StringInfoData roles;
	const char *reason;

	if (!person_decode(&person, body, len, &reason))
		return;
	initStringInfo(&roles);
	identity_roles_describe(&roles, person.roles);
	document_signer(fingerprint, person.sign_public);
	words_text(out, kind_words[person.kind], person.name);
	words_text(out, "organisation", person.organisation[0] ? person.organisation : "none");
	words_text(out, "roles", roles.len > 0 ? roles.data : "none");
	for (int i = 0; i < person.nnodes; i++)
		words_text(out, i == 0 ? "asks at" : "", person.nodes[i]);
	words_fingerprint(out, "fingerprint", fingerprint);
	words_time(out, "valid from", person.from_us);
	words_time(out, "valid until", person.until_us);
	if (person.has_replaces)
		words_fingerprint(out, "replaces", person.replaces);
	pfree(roles.data);
}
