/*
 * test_account.c
 *	  Accounts: no order of moves makes credits or loses some.  Documents about them: what was written is
 *	  read, and a hold is good for its own run only.
 */
#include "base/base.h"

#include "a_request.h"
#include "contract/payment.h"
#include "hostile.h"
#include "vectors.h"

static uint8 document[HASH_BYTES];

#define refused(account, move, amount, why) \
	do { \
		Account before = *(account); \
		const char *reason; \
		check(!account_move(account, move, amount, document, &reason) && strcmp(reason, why) == 0 && \
			  memcmp(&before, account, sizeof(before)) == 0, "%s %s", account_move_name(move), why); \
	} while (0)

static void
made(Account *account, AccountMove move, uint64 amount)
{
	const char *reason;

	check(account_move(account, move, amount, document, &reason), "%s " UINT64_FORMAT, account_move_name(move), amount);
}

static void
test_moves(void)
{
	Account		account = {0};

	refused(&account, MOVE_HOLD, 1, "has not enough credits");
	refused(&account, MOVE_PAY, 1, "holds less than that");
	refused(&account, MOVE_GRANT, 0, "can't move so many credits at once");
	refused(&account, MOVE_GRANT, CREDITS_MAX + 1, "can't move so many credits at once");
	made(&account, MOVE_GRANT, 100);
	made(&account, MOVE_HOLD, 60);
	refused(&account, MOVE_HOLD, 41, "has not enough credits");
	made(&account, MOVE_HOLD, 40);
	refused(&account, MOVE_RETURN, 101, "holds less than that");
	made(&account, MOVE_PAY, 60);
	made(&account, MOVE_RETURN, 40);
	check(account.balance == 40 && account.held == 0 && account.serial == 5, "what was paid has left, what was returned is there");
	refused(&account, MOVE_RETURN, 1, "holds less than that");
	made(&account, MOVE_RECEIVE, CREDITS_MAX - 40);
	refused(&account, MOVE_RECEIVE, 1, "would have more credits than an account can have");
	made(&account, MOVE_HOLD, CREDITS_MAX);
	refused(&account, MOVE_HOLD, 1, "has not enough credits");
}

/* The same moves by other documents, or in another order, end at another head. */
static void
test_heads(void)
{
	Account		a = {0};
	Account		b = {0};
	Account		c = {0};
	uint8		other[HASH_BYTES] = {1};
	const char *reason;

	account_move(&a, MOVE_GRANT, 5, document, &reason);
	account_move(&b, MOVE_GRANT, 5, other, &reason);
	check(memcmp(a.head, b.head, HASH_BYTES) != 0, "the document is in the head");
	account_move(&c, MOVE_RECEIVE, 5, document, &reason);
	check(memcmp(a.head, c.head, HASH_BYTES) != 0, "the move is in the head");
	b = a;
	account_move(&a, MOVE_HOLD, 2, document, &reason);
	account_move(&a, MOVE_HOLD, 3, document, &reason);
	account_move(&b, MOVE_HOLD, 3, document, &reason);
	account_move(&b, MOVE_HOLD, 2, document, &reason);
	check(a.balance == b.balance && a.held == b.held && memcmp(a.head, b.head, HASH_BYTES) != 0, "the order is in the head");
}

/* Any moves whatever, made or refused: held and balance stay what they are by adding up. */
static void
test_many_moves(void)
{
	Account		account = {0};
	int64		balance = 0;
	int64		held = 0;
	int			wrong = 0;

	for (int i = 0; i < 20000; i++)
	{
		AccountMove move = (AccountMove) unit_random_between(1, MOVE_MAX);
		uint64		amount = (uint64) unit_random_between(0, 50);
		const char *reason;

		if (account_move(&account, move, amount, document, &reason))
		{
			held += move == MOVE_HOLD ? (int64) amount : move == MOVE_RETURN || move == MOVE_PAY ? -(int64) amount : 0;
			balance += move == MOVE_GRANT || move == MOVE_RECEIVE ? (int64) amount : move == MOVE_PAY ? -(int64) amount : 0;
		}
		wrong += held < 0 || held > balance || (uint64) held != account.held || (uint64) balance != account.balance;
	}
	check(wrong == 0, "20000 moves keep the account in balance");
}

static void
test_split(void)
{
	uint64		weights[] = {2, 1, 4};
	uint64		large[] = {PG_INT32_MAX, 1};
	uint64		parts[3];
	int			wrong = 0;

	account_split(30, weights, 3, parts);
	check(parts[0] == 9 && parts[1] == 4 && parts[2] == 17, "30 by 2, 1 and 4 are 8 and one more, 4, 17");
	account_split(1, weights, 3, parts);
	check(parts[0] == 1 && parts[1] + parts[2] == 0, "one credit goes to the first");
	account_split(CREDITS_MAX, large, 2, parts);
	check(parts[0] + parts[1] == CREDITS_MAX, "the largest price is divided without overflow");
	for (uint64 amount = 0; amount < 500; amount++)
	{
		account_split(amount, weights, 3, parts);
		wrong += parts[0] + parts[1] + parts[2] != amount;
	}
	check(wrong == 0, "parts are the whole");
}

static void
test_addresses(void)
{
	static const struct
	{
		const char *address;
		bool		valid;
	}			cases[] = {
		{"charite", true}, {"charite:income", true}, {"", false}, {":income", false}, {"charite:", false},
		{"charite:a:b", false}, {"Charite", false}, {"charite: x", false},
	};

	for (int i = 0; i < lengthof(cases); i++)
		check(account_address_valid(cases[i].address) == cases[i].valid, "address \"%s\"", cases[i].address);
	check(!account_address_valid(text_of(ACCOUNT_BYTES_MAX + 1)), "too long an address");
	check(strcmp(account_node("charite:income"), "charite") == 0 && strcmp(account_node("lmu"), "lmu") == 0, "the node of an address");
}

/* Two moves, whose bytes are in test/vectors. */
static void
test_vectors(void)
{
	StringInfoData expected = vector_bytes("payment", "head");
	StringInfoData body = vector_bytes("payment", "bytes");
	Account		account = {0};
	uint8		hash[HASH_BYTES];
	const char *reason;
	Payment		hold;

	memset(hash, 0xd0, HASH_BYTES);
	check(account_move(&account, MOVE_GRANT, 100, hash, &reason) && account_move(&account, MOVE_HOLD, 30, hash, &reason) &&
		  expected.len == HASH_BYTES && memcmp(account.head, expected.data, HASH_BYTES) == 0, "the head of two moves");
	check(payment_decode(&hold, body.data, body.len, &reason) && hold.verb == PAYMENT_HOLD && hold.amount == 30 &&
		  strcmp(hold.account, "research:ada") == 0 && hold.run[0] == 0x11 && hold.contract[0] == 0xc0 &&
		  hold.requester[0] == 0xa0 && hold.until_us == INT64CONST(1700086400000000) &&
		  strcmp(hold.parties[2].name, "gemelli") == 0 && hold.parties[2].fingerprint[31] == 3, "a hold is read");
}

/* Documents -----------------------------------------------------------------*/

static Payment
a_payment(PaymentVerb verb)
{
	static PaymentPart parts[] = {{"charite", 20}, {"lmu:pool", 10}};
	Request		request = good_request();
	Payment		payment = {.verb = verb, .at_us = AT_US, .account = "research:ada", .amount = 30, .words = "for March",
	.until_us = AT_US + 1000000, .opened = true, .nparts = 2, .parts = parts};

	memcpy(payment.run, request.run, RUN_ID_BYTES);
	memcpy(payment.parties, request.parties, sizeof(payment.parties));
	fill(payment.contract, HASH_BYTES, 22);
	fill(payment.requester, HASH_BYTES, 21);
	fill(payment.hold, HASH_BYTES, 30);
	return payment;
}

static bool
payment_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Payment		payment;

	if (!payment_decode(&payment, bytes, len, reason))
		return false;
	payment_encode(again, &payment);
	return true;
}

static StringInfoData
payment_bytes(Payment payment)
{
	StringInfoData bytes = empty();

	payment_encode(&bytes, &payment);
	return bytes;
}

#define pays(wanted, what, v, change) \
	do { \
		Payment payment = a_payment(v); \
		change; \
		check_refused(payment_again, payment_bytes(payment), wanted, what); \
	} while (0)

static void
test_documents(void)
{
	PaymentPart nobody = {"", 1};
	PaymentPart twice[] = {{"charite", 1}, {"charite", 1}};

	for (int verb = PAYMENT_GRANT; verb <= PAYMENT_RETURNED; verb++)
	{
		StringInfoData bytes = payment_bytes(a_payment((PaymentVerb) verb));
		StringInfoData words = empty();

		payment_describe(&words, bytes.data, bytes.len);
		check(words.len > 0, "document %d says something", verb);
		test_hostile("payment", payment_again, &bytes);
	}
	pays("moves nothing", "a grant of nothing", PAYMENT_GRANT, payment.amount = 0);
	pays("names an account that is none", "a grant for nobody", PAYMENT_GRANT, payment.account = "Ada");
	pays("names an account that is none", "a payment to nobody", PAYMENT_PAID, payment.parts = &nobody; payment.nparts = 1);
	pays("pays an account twice", "a payment to one account twice", PAYMENT_PAID, payment.parts = twice);
	pays("names a party twice", "a party twice", PAYMENT_HOLD, payment.parties[1] = payment.parties[0]);
}

#define holds(wanted, what, change) \
	do { \
		Payment		hold = a_payment(PAYMENT_HOLD); \
		Request		request = good_request(); \
		uint64		price = 30; \
		const char *problem; \
		request.has_contract = request.has_identity = true; \
		memcpy(request.contract, hold.contract, HASH_BYTES); \
		memcpy(request.identity, hold.requester, HASH_BYTES); \
		change; \
		problem = payment_hold_problem(&hold, &request, price, AT_US); \
		check(strcmp(problem ? problem : "good", wanted) == 0, "%s: %s", what, problem ? problem : "good"); \
	} while (0)

static void
test_holds(void)
{
	holds("good", "the hold of the run", (void) 0);
	holds("good", "more than the price", price = 29);
	holds("is less than the price", "less than the price", price = 31);
	holds("is for another run", "another run", request.run[15]++);
	holds("is for another contract", "another contract", request.contract[0]++);
	holds("is for another contract", "no contract", request.has_contract = false);
	holds("is by somebody else", "another requester", request.identity[31]++);
	holds("is by somebody else", "no requester", request.has_identity = false);
	holds("is for a run of other parties", "another party", request.parties[2].fingerprint[0]++);
	holds("is for a run of other parties", "parties in another order",
		  NodeRef first = request.parties[0]; request.parties[0] = request.parties[1]; request.parties[1] = first);
	holds("is no longer held", "too late", hold.until_us = AT_US);
	holds("is no credits that are held", "a grant", hold.verb = PAYMENT_GRANT);
}

int
main(void)
{
	test_moves();
	test_heads();
	test_many_moves();
	test_vectors();
	test_split();
	test_addresses();
	test_documents();
	test_holds();
	return unit_done();
}
