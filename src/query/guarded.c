/*
 * guarded.c
 *	  By how few patients groups differ: what sites share of it, at a party.
 */
#include "postgres.h"

#include "crypto/sign.h"
#include "query/guarded.h"

size_t
guarded_elements(const Receipt *receipt, size_t cells, size_t parts)
{
	return guard_pairs(cells, parts) + earlier_elements(&receipt->earlier, cells * parts);
}

void
guarded_begin(GuardedInputs *inputs, Party *party, const Receipt *receipts, int nsites, size_t cells, size_t parts)
{
	EarlierAnswers of_sites[SITES_MAX] = {0};
	size_t		groups = 0;

	for (int i = 0; i < nsites; i++)
		of_sites[i] = receipts[i].earlier;
	inputs->k = cells * parts;
	if (!earlier_join(of_sites, nsites, &inputs->answers, &inputs->nanswers))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("two sites say that an earlier run had different groups")));
	for (int i = 0; i < inputs->nanswers; i++)
		groups += inputs->answers[i].groups;
	party_reserve(party, "comparing with earlier answers",
				  (guard_pairs(cells, parts) + groups * (1 + inputs->k)) * 2 * sizeof(uint128));
	inputs->guard.answers = groups;
	inputs->guard.within = shared_alloc(guard_pairs(cells, parts));
	inputs->guard.patients = shared_alloc(groups);
	inputs->guard.earlier = shared_alloc(groups * inputs->k);
}

static void
add(Shared *sum, size_t at, const Shared *elements, size_t from, size_t n)
{
	Shared		to = shared_view(sum, at, n);
	Shared		more = shared_view(elements, from, n);

	shared_linear(&to, 1, &to, 1, &more);
}

void
guarded_add(GuardedInputs *inputs, int site, const Receipt *receipt, const Shared *elements)
{
	ReleaseGuard *guard = &inputs->guard;
	size_t		group = 0;

	add(&guard->within, 0, elements, 0, guard->within.n);
	for (int i = 0; i < inputs->nanswers; i++)
	{
		const EarlierAnswer *answer = &inputs->answers[i];
		size_t		from;

		if (answer->contents[site] >= 0)
		{
			from = guard->within.n + earlier_offset(&receipt->earlier, answer->contents[site], inputs->k);
			for (uint32 g = 0; g < answer->groups; g++, from += 1 + inputs->k)
			{
				add(&guard->patients, group + g, elements, from, 1);
				add(&guard->earlier, (group + g) * inputs->k, elements, from + 1, inputs->k);
			}
		}
		group += answer->groups;
	}
}

void
guarded_refuse(const Serving *serving, uint8 refusal[SIGNATURE_BYTES])
{
	uint8		body[REFUSAL_BYTES];

	refusal_body(body, serving->request.run, serving->plan_hash);
	sign_message(refusal, node_self()->sign_secret, REFUSAL_PURPOSE, body, sizeof(body));
}

bool
guarded_refused(const Serving *serving, const FinishMessage *finish)
{
	uint8		body[REFUSAL_BYTES];

	if (!finish->refused)
		return false;
	refusal_body(body, serving->request.run, serving->plan_hash);
	for (int i = 0; i < PARTIES; i++)
	{
		NodeCard	card = serving_card(&serving->request.parties[i]);

		if (!sign_verify(finish->refusals[i], card.sign_public, REFUSAL_PURPOSE, body, sizeof(body)))
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_WRONG_KEY),
					 errmsg("the refusal in the name of party \"%s\" is not signed by it", serving->request.parties[i].name)));
	}
	return true;
}
