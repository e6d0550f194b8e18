/*
 * shared.c
 *	  Bytes of what nodes say about shared tables.
 */
#include "contract/shared.h"

#include "base/cbor.h"
#include "identity/card.h"

#define DEFINITION_FORMAT	1

/* ---- definitions ---- */

static void
encode_node(StringInfo out, const NodeRef *node)
{
	cbor_array(out, 2);
	cbor_text(out, node->name);
	cbor_bytes(out, node->fingerprint, HASH_BYTES);
}

void
shared_definition_encode(StringInfo out, const SharedDefinition *definition)
{
	cbor_array(out, 8);
	cbor_uint(out, DEFINITION_FORMAT);
	cbor_text(out, definition->name);
	encode_node(out, &definition->creator);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		encode_node(out, &definition->parties[i]);
	cbor_array(out, definition->ncolumns);
	for (int i = 0; i < definition->ncolumns; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, definition->columns[i]);
		secret_type_encode(out, &definition->types[i]);
	}
	if (definition->patient)
		cbor_text(out, definition->patient);
	else
		cbor_null(out);
	cbor_array(out, definition->nunique);
	for (int i = 0; i < definition->nunique; i++)
		cbor_text(out, definition->unique[i]);
	cbor_uint(out, definition->threshold);
}

static void
decode_node(CborReader *in, NodeRef *node)
{
	char		name[NODE_NAME_BYTES_MAX + 1];

	cbor_expect_array(in, 2);
	node_name_read(in, name);
	node->name = pstrdup(name);
	cbor_read_fixed(in, node->fingerprint, HASH_BYTES);
}

static void
decode_columns(CborReader *in, SharedDefinition *definition)
{
	definition->ncolumns = (int) cbor_read_array(in, SHARED_COLUMNS_MAX);
	for (int i = 0; i < definition->ncolumns; i++)
	{
		cbor_expect_array(in, 2);
		definition->columns[i] = cbor_read_text(in, NAMEDATALEN - 1);
		secret_type_read(in, &definition->types[i]);
	}
}

int
shared_definition_column(const SharedDefinition *definition, const char *name)
{
	for (int i = 0; i < definition->ncolumns; i++)
		if (strcmp(definition->columns[i], name) == 0)
			return i;
	return -1;
}

/* What single elements can't show; NULL if nothing is wrong. */
static const char *
definition_problem(const SharedDefinition *definition)
{
	if (definition->name[0] == '\0' || definition->ncolumns == 0)
		return "a table without name or columns";
	for (int i = 0; i < PARTIES; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(definition->parties[i].name, definition->parties[j].name) == 0)
				return "a party twice";
	for (int i = 0; i < definition->ncolumns; i++)
		if (definition->columns[i][0] == '\0' || shared_definition_column(definition, definition->columns[i]) != i)
			return "a column twice, or without name";
	if (definition->patient && shared_definition_column(definition, definition->patient) < 0)
		return "a patient column that the table does not have";
	for (int i = 0; i < definition->nunique; i++)
		if (shared_definition_column(definition, definition->unique[i]) < 0)
			return "a unique column that the table does not have";
	return definition->threshold == 0 ? "a threshold of 0" : NULL;
}

bool
shared_definition_decode(SharedDefinition *definition, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(definition, 0, sizeof(*definition));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 8);
	if (cbor_read_uint(&in, DEFINITION_FORMAT) != DEFINITION_FORMAT && in.error == NULL)
		in.error = "a definition of an unknown format";
	definition->name = cbor_read_text(&in, NAMEDATALEN - 1);
	decode_node(&in, &definition->creator);
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		decode_node(&in, &definition->parties[i]);
	decode_columns(&in, definition);
	if (!cbor_read_null(&in))
		definition->patient = cbor_read_text(&in, NAMEDATALEN - 1);
	definition->nunique = (int) cbor_read_array(&in, SHARED_COLUMNS_MAX);
	for (int i = 0; i < definition->nunique; i++)
		definition->unique[i] = cbor_read_text(&in, NAMEDATALEN - 1);
	definition->threshold = cbor_read_uint(&in, PG_INT32_MAX);
	*reason = cbor_finish(&in) ? definition_problem(definition) : in.error;
	return *reason == NULL;
}

/* ---- messages ---- */

/* How many numbers and byte strings a verb's question and answer have. */
static const struct
{
	const char *name;
	int			question_numbers;
	int			question_parts;
	int			answer_numbers;
	int			answer_parts;
}			shapes[SHARED_VERB_MAX + 1] = {
	[SHARED_STAGE] = {"stage", 4, 2, 0, 0},
	[SHARED_FATES] = {"fates", 0, 2, 0, 1},
	[SHARED_DIGESTS] = {"digests", 0, 1, 3, 1},
	[SHARED_BUCKET] = {"bucket", 1, 1, 0, 1},
	[SHARED_OFFER] = {"offer", 0, 0, 0, 2},
	[SHARED_DEAL] = {"deal", 0, 6, 0, 3},
	[SHARED_TAKE] = {"take", 1, 7, 0, 1},
	[SHARED_COPY] = {"copy", 2, 0, 2, 3},
};

static void
encode_contents(StringInfo out, const SharedMessage *message, int numbers, int parts)
{
	cbor_array(out, numbers);
	for (int i = 0; i < numbers; i++)
		cbor_uint(out, message->numbers[i]);
	cbor_array(out, parts);
	for (int i = 0; i < parts; i++)
		cbor_bytes(out, message->parts[i].data, message->parts[i].len);
}

static void
decode_contents(CborReader *in, SharedMessage *message, int numbers, int parts)
{
	cbor_expect_array(in, numbers);
	for (int i = 0; i < numbers; i++)
		message->numbers[i] = cbor_read_uint(in, PG_UINT64_MAX);
	cbor_expect_array(in, parts);
	for (int i = 0; i < parts; i++)
		message->parts[i].data = cbor_read_bytes(in, MESSAGE_BYTES_MAX, &message->parts[i].len);
}

static void
decode_kind(CborReader *in, const char *kind)
{
	if (strcmp(cbor_read_text(in, 16), kind) != 0 && in->error == NULL)
		in->error = "a message of another kind than expected";
}

static SharedVerb
decode_verb(CborReader *in)
{
	char	   *name = cbor_read_text(in, 16);

	for (int verb = 1; verb <= SHARED_VERB_MAX; verb++)
		if (strcmp(shapes[verb].name, name) == 0)
			return (SharedVerb) verb;
	if (in->error == NULL)
		in->error = "an unknown verb";
	return SHARED_STAGE;
}

void
shared_question_encode(StringInfo out, const SharedMessage *question)
{
	cbor_array(out, 6);
	cbor_text(out, "shared");
	cbor_text(out, shapes[question->verb].name);
	cbor_text(out, question->table);
	cbor_bytes(out, question->write, WRITE_ID_BYTES);
	encode_contents(out, question, shapes[question->verb].question_numbers, shapes[question->verb].question_parts);
}

bool
shared_question_decode(SharedMessage *question, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(question, 0, sizeof(*question));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 6);
	decode_kind(&in, "shared");
	question->verb = decode_verb(&in);
	question->table = cbor_read_text(&in, NAMEDATALEN - 1);
	cbor_read_fixed(&in, question->write, WRITE_ID_BYTES);
	decode_contents(&in, question, shapes[question->verb].question_numbers, shapes[question->verb].question_parts);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

void
shared_answer_encode(StringInfo out, const SharedMessage *answer)
{
	cbor_array(out, 4);
	cbor_text(out, "answer");
	cbor_text(out, shapes[answer->verb].name);
	encode_contents(out, answer, shapes[answer->verb].answer_numbers, shapes[answer->verb].answer_parts);
}

bool
shared_answer_decode(SharedMessage *answer, SharedVerb verb, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(answer, 0, sizeof(*answer));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 4);
	decode_kind(&in, "answer");
	answer->verb = decode_verb(&in);
	if (answer->verb != verb && in.error == NULL)
		in.error = "an answer to another question";
	answer->verb = verb;
	decode_contents(&in, answer, shapes[verb].answer_numbers, shapes[verb].answer_parts);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}
