/*
 * test_answer.c
 *	  Answers for one reader: what three parties have sealed is what the reader
 *	  opens, and nothing else is taken for it.
 */
#include "base/base.h"

#include "contract/answer.h"
#include "contract/document.h"
#include "hostile.h"
#include "share/ring.h"

typedef struct World
{
	NodeKeys	parties[PARTIES];
	uint8		reader[HASH_BYTES];
	uint8		seal_public[SEAL_PUBLIC_BYTES];
	uint8		seal_secret[SEAL_SECRET_BYTES];
	CanonicalPlan plan;
	StringInfoData plan_bytes;
	size_t		n;
	uint128    *values;
	StringInfoData opened[PARTIES]; /* what the parties would open */
	AnswerPart	parts[PARTIES];
} World;

/* SELECT sex, count(*), sum(age) ... GROUP BY sex */
static CanonicalPlan
the_plan(void)
{
	CanonicalPlan plan = {.sql = pstrdup("SELECT sex, count(*), sum(age) FROM trial GROUP BY 1"), .ntables = 1, .nkeys = 1,
	.ncomponents = 2, .nparts = 1};

	plan.tables = palloc0(sizeof(PlanTable));
	plan.tables[0].name = pstrdup("trial");
	plan.keys = palloc0(sizeof(PlanKey));
	plan.keys[0] = (PlanKey) {pstrdup("text"), 2, palloc0(2 * sizeof(char *))};
	plan.keys[0].values[0] = pstrdup("f");
	plan.keys[0].values[1] = pstrdup("m");
	plan.components = palloc0(2 * sizeof(ComponentKind));
	plan.components[0] = COMPONENT_COUNT;
	plan.components[1] = COMPONENT_SUM_INTEGER;
	plan.parts = palloc0(2 * sizeof(int));
	plan.widths = palloc0(2 * sizeof(int));
	return plan;
}

static void
split(World *world)
{
	StringInfo	packages[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		packages[i] = palloc(sizeof(StringInfoData));
		initStringInfo(packages[i]);
	}
	ring_split(world->values, world->n, packages);
	for (int i = 0; i < PARTIES; i++)
	{
		Shared		shared = shared_alloc(world->n);

		if (!ring_add_package(&shared, i, packages[i]->data, packages[i]->len))
			abort();
		world->opened[i] = empty();
		ring_open_message(&shared, &world->opened[i]);
		shared_free(&shared);
	}
}

static World *
a_world(void)
{
	static const char *const names[] = {"charite", "lmu", "gemelli"};
	World	   *world = palloc0(sizeof(World));

	world->plan = the_plan();
	world->plan_bytes = empty();
	plan_encode(&world->plan_bytes, &world->plan);
	world->n = plan_elements(&world->plan);
	world->values = palloc0(world->n * sizeof(uint128));
	for (size_t i = 0; i < world->n; i++)
		world->values[i] = (uint128) unit_random() << 64 | unit_random();
	split(world);
	fill(world->reader, HASH_BYTES, 5);
	seal_keypair(world->seal_public, world->seal_secret);
	for (int i = 0; i < PARTIES; i++)
	{
		AnswerPart *part = &world->parts[i];

		node_keys_generate(&world->parties[i], names[i], 0);
		part->party = i;
		part->patients_min = 11;
		fill(part->run, RUN_ID_BYTES, 9);
		plan_hash(part->plan, world->plan_bytes.data, world->plan_bytes.len);
		memcpy(part->reader, world->reader, HASH_BYTES);
	}
	return world;
}

/* As the coordinator puts it together; with another card of party 1, if there is one. */
static StringInfoData
answer_of_cards(World *world, const NodeKeys *second)
{
	SealedAnswer answer = {.plan = {(uint8 *) world->plan_bytes.data, world->plan_bytes.len}};
	StringInfoData out = empty();

	for (int i = 0; i < PARTIES; i++)
	{
		StringInfoData part = empty();

		answer_part_make(&part, &world->parts[i], world->opened[i].data, world->opened[i].len, world->seal_public,
						 world->parties[i].sign_secret);
		answer.parts[i] = (Bytes) {(uint8 *) part.data, part.len};
		answer.cards[i] = card_to_text(i == 1 && second ? second : &world->parties[i]);
	}
	answer_encode(&out, &answer);
	return out;
}

static StringInfoData
answer_of(World *world)
{
	return answer_of_cards(world, NULL);
}

/* What the reader says to it: "" if it opens as it should. */
static const char *
open_bytes(World *world, const StringInfoData *bytes)
{
	SealedAnswer answer;
	OpenedAnswer opened;
	const char *reason = NULL;

	if (!answer_decode(&answer, bytes->data, bytes->len, &reason) ||
		!answer_open(&opened, &answer, world->reader, world->seal_public, world->seal_secret, &reason))
		return reason ? reason : "no reason";
	if (opened.n != world->n || memcmp(opened.elements, world->values, world->n * sizeof(uint128)) != 0 ||
		opened.patients_min != 11 || strcmp(opened.parties[1].name, "lmu") != 0)
		return "opened as something else";
	return "";
}

#define check_open(world, wanted, ...) \
	do { \
		StringInfoData bytes_ = answer_of(world); \
		const char *got = open_bytes(world, &bytes_); \
		char		what[128]; \
		snprintf(what, sizeof(what), __VA_ARGS__); \
		check(strcmp(got, wanted) == 0, "%s: %s", what, got); \
		memory_reset(); \
		world = a_world(); \
	} while (0)

static void
test_opening(void)
{
	World	   *world = a_world();
	NodeKeys	keys;
	NodeKeys	theirs;
	StringInfoData other;

	check_open(world, "", "what was sealed is opened");
	seal_keypair(world->seal_public, keys.seal_secret);
	check_open(world, "is not sealed to this key", "to another key");
	world->parts[1].reader[0] ^= 1;
	check_open(world, "is for another reader", "to another reader");
	world->parts[2].run[0] ^= 1;
	check_open(world, "has parts that are not of one run", "a part of another run");
	world->parts[2].patients_min = 5;
	check_open(world, "has parts that are not of one run", "another threshold at one party");
	world->parts[0].party = 1;
	check_open(world, "has parts that are not of one run", "a party in another's place");
	world->parts[0].plan[0] ^= 1;
	check_open(world, "has another plan than its parties computed", "another plan");
	world->parties[2] = world->parties[0];
	check_open(world, "has two parts of one party", "one party twice");
	world->opened[1].data[0] ^= 1;
	check_open(world, "has parts that do not fit together: one of the parties computed wrongly or lied", "a party that lies");
	world->opened[1].len -= 32;
	check_open(world, "has a part of another length than the plan's", "a short part");

	/* A coordinator that makes a part of its own has not the party's key; the card is the party's. */
	node_keys_generate(&keys, "lmu", 0);
	theirs = world->parties[1];
	memcpy(world->parties[1].sign_secret, keys.sign_secret, SIGN_SECRET_BYTES);
	other = answer_of_cards(world, &theirs);
	check(strcmp(open_bytes(world, &other), "has a part that is not signed by its party") == 0, "a part by somebody else");
	memory_reset();
}

static bool
answer_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	SealedAnswer answer;

	if (!answer_decode(&answer, bytes, len, reason))
		return false;
	answer_encode(again, &answer);
	return true;
}

/* Any bit of what travels: refused, or not a different answer. */
static void
test_bits(void)
{
	World	   *world = a_world();
	StringInfoData bytes = answer_of(world);
	int			wrong = 0;

	for (int bit = 0; bit < 8 * bytes.len; bit += 5)
	{
		bytes.data[bit / 8] ^= 1 << bit % 8;
		wrong += open_bytes(world, &bytes)[0] == '\0';
		bytes.data[bit / 8] ^= 1 << bit % 8;
	}
	check(wrong == 0, "no bit of %d bytes may change (%d)", bytes.len, wrong);
	check(open_bytes(world, &bytes)[0] == '\0', "and unchanged it opens");
	memory_reset();
	world = a_world();
	bytes = answer_of(world);
	test_hostile("answer", answer_again, &bytes);
}

int
main(void)
{
	test_opening();
	test_bits();
	return unit_done();
}
