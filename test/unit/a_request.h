/*
 * a_request.h
 *	  A request with which nothing is wrong.
 */
#ifndef SECMED_TEST_A_REQUEST_H
#define SECMED_TEST_A_REQUEST_H

#include "contract/request.h"
#include "hostile.h"

#define AT_US	INT64CONST(1700000000123456)

static Request
good_request(void)
{
	static const uint8 plan[] = "not read here";
	static char *params[] = {"5", NULL, "\303\244"};
	static char *names[] = {"charite", "lmu", "gemelli", "mayo"};
	Request		request = {.kind = REQUEST_RUN, .at_us = AT_US, .coordinator = "research", .requester = "anna",
		.model = MODEL_HONEST_MAJORITY, .timeout_ms = 10000, .nsites = 4,
	.plan = plan, .plan_len = sizeof(plan), .params = params, .nparams = 3};

	fill(request.run, RUN_ID_BYTES, 1);
	for (int i = 0; i < 4; i++)
	{
		request.sites[i].name = names[i];
		fill(request.sites[i].fingerprint, HASH_BYTES, 10 + i);
	}
	for (int i = 0; i < PARTIES; i++)
		request.parties[i] = request.sites[2 - i];
	return request;
}

#endif							/* SECMED_TEST_A_REQUEST_H */
