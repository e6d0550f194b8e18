/*
 * payment.c
 *	  Documents that move credits.
 */
#include "contract/payment.h"

#include "contract/words.h"

static const char *const verbs[] = {NULL, "grant", "hold", "fate", "paid", "returned"};

/* ---- writing ---- */

static void
write_hold(StringInfo out, const Payment *payment)
{
	cbor_array(out, 7);
	cbor_text(out, payment->account);
	cbor_uint(out, payment->amount);
	cbor_bytes(out, payment->run, RUN_ID_BYTES);
	cbor_bytes(out, payment->contract, HASH_BYTES);
	cbor_bytes(out, payment->requester, HASH_BYTES);
	cbor_int(out, payment->until_us);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, payment->parties[i].name);
		cbor_bytes(out, payment->parties[i].fingerprint, HASH_BYTES);
	}
}

static void
write_paid(StringInfo out, const Payment *payment)
{
	cbor_array(out, 3);
	cbor_bytes(out, payment->hold, HASH_BYTES);
	cbor_text(out, payment->account);
	cbor_array(out, payment->nparts);
	for (int i = 0; i < payment->nparts; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, payment->parts[i].account);
		cbor_uint(out, payment->parts[i].amount);
	}
}

void
payment_encode(StringInfo out, const Payment *payment)
{
	document_body_write(out, PAYMENT_KIND, 5);
	cbor_text(out, verbs[payment->verb]);
	cbor_int(out, payment->at_us);
	switch (payment->verb)
	{
		case PAYMENT_GRANT:
			cbor_array(out, 3);
			cbor_text(out, payment->account);
			cbor_uint(out, payment->amount);
			cbor_text(out, payment->words);
			return;
		case PAYMENT_HOLD:
			write_hold(out, payment);
			return;
		case PAYMENT_FATE:
			cbor_array(out, 2);
			cbor_bytes(out, payment->hold, HASH_BYTES);
			cbor_bool(out, payment->opened);
			return;
		case PAYMENT_PAID:
			write_paid(out, payment);
			return;
		case PAYMENT_RETURNED:
			cbor_array(out, 2);
			cbor_bytes(out, payment->hold, HASH_BYTES);
			cbor_text(out, payment->account);
			return;
	}
}

/* ---- reading ---- */

static char *
read_account(CborReader *in)
{
	char	   *account = cbor_read_text(in, ACCOUNT_BYTES_MAX);

	if (in->error == NULL && !account_address_valid(account))
		in->error = "names an account that is none";
	return account;
}

static uint64
read_amount(CborReader *in)
{
	uint64		amount = cbor_read_uint(in, CREDITS_MAX);

	if (in->error == NULL && amount == 0)
		in->error = "moves nothing";
	return amount;
}

static void
read_hold(CborReader *in, Payment *payment)
{
	cbor_expect_array(in, 7);
	payment->account = read_account(in);
	payment->amount = read_amount(in);
	cbor_read_fixed(in, payment->run, RUN_ID_BYTES);
	cbor_read_fixed(in, payment->contract, HASH_BYTES);
	cbor_read_fixed(in, payment->requester, HASH_BYTES);
	payment->until_us = document_time_read(in);
	cbor_expect_array(in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
	{
		char		name[NODE_NAME_BYTES_MAX + 1] = "";

		cbor_expect_array(in, 2);
		node_name_read(in, name);
		payment->parties[i].name = pstrdup(name);
		cbor_read_fixed(in, payment->parties[i].fingerprint, HASH_BYTES);
		for (int j = 0; j < i; j++)
			if (in->error == NULL && strcmp(payment->parties[j].name, name) == 0)
				in->error = "names a party twice";
	}
}

static void
read_paid(CborReader *in, Payment *payment)
{
	cbor_expect_array(in, 3);
	cbor_read_fixed(in, payment->hold, HASH_BYTES);
	payment->account = read_account(in);
	payment->nparts = (int) cbor_read_array(in, PAYEES_MAX);
	payment->parts = palloc0(sizeof(PaymentPart) * (payment->nparts + 1));
	for (int i = 0; i < payment->nparts; i++)
	{
		cbor_expect_array(in, 2);
		payment->parts[i].account = read_account(in);
		payment->parts[i].amount = read_amount(in);
		for (int j = 0; j < i && in->error == NULL; j++)
			if (strcmp(payment->parts[j].account, payment->parts[i].account) == 0)
				in->error = "pays an account twice";
	}
}

static void
read_fields(CborReader *in, Payment *payment)
{
	switch (payment->verb)
	{
		case PAYMENT_GRANT:
			cbor_expect_array(in, 3);
			payment->account = read_account(in);
			payment->amount = read_amount(in);
			payment->words = cbor_read_text(in, PAYMENT_WORDS_MAX);
			return;
		case PAYMENT_HOLD:
			read_hold(in, payment);
			return;
		case PAYMENT_FATE:
			cbor_expect_array(in, 2);
			cbor_read_fixed(in, payment->hold, HASH_BYTES);
			payment->opened = cbor_read_bool(in);
			return;
		case PAYMENT_PAID:
			read_paid(in, payment);
			return;
		case PAYMENT_RETURNED:
			cbor_expect_array(in, 2);
			cbor_read_fixed(in, payment->hold, HASH_BYTES);
			payment->account = read_account(in);
			return;
	}
}

bool
payment_decode(Payment *payment, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	memset(payment, 0, sizeof(*payment));
	document_body_read(&in, PAYMENT_KIND, 5, bytes, len);
	word = cbor_read_text(&in, 16);
	for (int verb = PAYMENT_GRANT; verb <= PAYMENT_RETURNED; verb++)
		if (strcmp(verbs[verb], word) == 0)
			payment->verb = (PaymentVerb) verb;
	if (in.error == NULL && payment->verb == 0)
		in.error = "does something unknown with credits";
	payment->at_us = document_time_read(&in);
	if (in.error == NULL)
		read_fields(&in, payment);
	*reason = cbor_finish(&in) ? NULL : in.error ? in.error : "has bytes behind its end";
	return *reason == NULL;
}

/* ---- rules ---- */

const char *
payment_hold_problem(const Payment *hold, const Request *request, uint64 price, int64 now_us)
{
	if (hold->verb != PAYMENT_HOLD)
		return "is no credits that are held";
	if (memcmp(hold->run, request->run, RUN_ID_BYTES) != 0)
		return "is for another run";
	if (!request->has_contract || memcmp(hold->contract, request->contract, HASH_BYTES) != 0)
		return "is for another contract";
	if (!request->has_identity || memcmp(hold->requester, request->identity, HASH_BYTES) != 0)
		return "is by somebody else";
	for (int i = 0; i < PARTIES; i++)
		if (strcmp(hold->parties[i].name, request->parties[i].name) != 0 ||
			memcmp(hold->parties[i].fingerprint, request->parties[i].fingerprint, HASH_BYTES) != 0)
			return "is for a run of other parties";
	if (hold->amount < price)
		return "is less than the price";
	if (hold->until_us <= now_us)
		return "is no longer held";
	return NULL;
}

/* ---- words ---- */

bool
payment_check(const void *body, size_t len, const char **reason)
{
	Payment		payment;

	return payment_decode(&payment, body, len, reason);
}

void
payment_describe(StringInfo out, const void *body, size_t len)
{
	Payment		payment;
	const char *reason;

	if (!payment_decode(&payment, body, len, &reason))
		return;
	words_text(out, "payment", verbs[payment.verb]);
	words_time(out, "at", payment.at_us);
	if (payment.account)
		words_text(out, "account", payment.account);
	if (payment.amount > 0)
		words_number(out, "credits", payment.amount);
	if (payment.verb == PAYMENT_GRANT)
		words_lines(out, "reason", payment.words[0] ? payment.words : "none given");
	if (payment.verb == PAYMENT_HOLD)
	{
		words_hex(out, "for run", payment.run, RUN_ID_BYTES);
		words_hex(out, "under contract", payment.contract, HASH_BYTES);
		words_hex(out, "by", payment.requester, HASH_BYTES);
		words_time(out, "until", payment.until_us);
		for (int i = 0; i < PARTIES; i++)
			words_text(out, i ? "" : "parties", payment.parties[i].name);
	}
	if (payment.verb >= PAYMENT_FATE)
		words_hex(out, "held by", payment.hold, HASH_BYTES);
	if (payment.verb == PAYMENT_FATE)
		words_text(out, "the answer", payment.opened ? "was opened" : "is not opened");
	for (int i = 0; i < payment.nparts; i++)
		words_text(out, i ? "" : "paid to", psprintf("%s, " UINT64_FORMAT, payment.parts[i].account, payment.parts[i].amount));
}
