/*
 * test_shared.c
 *	  Messages about shared tables, and definitions: what was written is read,
 *	  everything else is refused with a reason.
 */
#include "base/base.h"

#include "contract/shared.h"
#include "hostile.h"

/* ---- definitions ---- */

static NodeRef
node(char *name, int seed)
{
	NodeRef		ref = {.name = name};

	fill(ref.fingerprint, HASH_BYTES, seed);
	return ref;
}

static SharedDefinition
small_definition(void)
{
	SharedDefinition definition = {.name = "registry", .creator = node("research", 1),
		.parties = {node("charite", 2), node("lmu", 3), node("gemelli", 4)}, .ncolumns = 2,
		.columns = {"patient", "sex"}, .types = {secret_integer(64), secret_boolean()},
	.patient = "patient", .nunique = 1, .unique = {"patient"}, .threshold = 11};

	return definition;
}

static StringInfoData
definition_bytes(SharedDefinition definition)
{
	StringInfoData bytes = empty();

	shared_definition_encode(&bytes, &definition);
	return bytes;
}

static bool
definition_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	SharedDefinition definition;

	if (!shared_definition_decode(&definition, bytes, len, reason))
		return false;
	shared_definition_encode(again, &definition);
	return true;
}

static void
test_definition(void)
{
	SharedDefinition definition = small_definition();
	StringInfoData bytes = definition_bytes(definition);

	test_hostile("definition", definition_again, &bytes);

	definition.columns[1] = "patient";
	check_refused(definition_again, definition_bytes(definition), "a column twice, or without name", "two columns of a name");
	definition = small_definition();
	definition.ncolumns = 0;
	definition.patient = NULL;
	definition.nunique = 0;
	check_refused(definition_again, definition_bytes(definition), "a table without name or columns", "no columns");
	definition = small_definition();
	definition.parties[2] = definition.parties[0];
	check_refused(definition_again, definition_bytes(definition), "a party twice", "two parties of a name");
	definition = small_definition();
	definition.patient = "age";
	check_refused(definition_again, definition_bytes(definition), "a patient column that the table does not have", "patient");
	definition = small_definition();
	definition.unique[0] = "age";
	check_refused(definition_again, definition_bytes(definition), "a unique column that the table does not have", "unique");
	definition = small_definition();
	definition.threshold = 0;
	check_refused(definition_again, definition_bytes(definition), "a threshold of 0", "threshold");
	definition = small_definition();
	definition.types[0].bits = 65;
	check_refused(definition_again, definition_bytes(definition), "a width that this kind of secret value can't have", "65 bits");
}

/* ---- messages ---- */

static bool
question_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	SharedMessage question;

	if (!shared_question_decode(&question, bytes, len, reason))
		return false;
	shared_question_encode(again, &question);
	return true;
}

static SharedVerb expected_verb;

static bool
answer_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	SharedMessage answer;

	if (!shared_answer_decode(&answer, expected_verb, bytes, len, reason))
		return false;
	shared_answer_encode(again, &answer);
	return true;
}

static SharedMessage
message(SharedVerb verb)
{
	SharedMessage full = {.verb = verb, .table = "registry", .numbers = {1, 23, 24, PG_UINT64_MAX}};

	fill(full.write, WRITE_ID_BYTES, 9);
	for (int i = 0; i < SHARED_PARTS_MAX; i++)
		full.parts[i] = (Bytes) {(const uint8 *) "part", i % 5};
	return full;
}

static void
test_messages(void)
{
	for (int verb = 1; verb <= SHARED_VERB_MAX; verb++)
	{
		SharedMessage full = message((SharedVerb) verb);
		StringInfoData bytes = empty();

		expected_verb = (SharedVerb) verb;
		shared_question_encode(&bytes, &full);
		test_hostile("question", question_again, &bytes);
		full = message((SharedVerb) verb);
		bytes = empty();
		shared_answer_encode(&bytes, &full);
		test_hostile("answer", answer_again, &bytes);

		full = message((SharedVerb) verb);
		bytes = empty();
		shared_answer_encode(&bytes, &full);
		expected_verb = (SharedVerb) (verb % SHARED_VERB_MAX + 1);
		check_refused(answer_again, bytes, "an answer to another question", "another verb");
	}
}

int
main(void)
{
	test_definition();
	test_messages();
	return unit_done();
}
