/*
 * test_contract_permit.c
 *	  Whether a contract allows a run: each check refuses alone, in the order
 *	  in which they are made.
 */
#include "base/base.h"

#include "a_contract.h"
#include "contract/permit.h"
#include "contract/person.h"

static Contract contract;
static Request request;
static ContractGround ground;

static void
begin(void)
{
	contract = a_contract();
	request = (Request) {.kind = REQUEST_RUN, .coordinator = "research", .requester = "anna", .model = MODEL_HONEST_MAJORITY,
	.nsites = 2, .has_contract = true};
	memcpy(request.sites, contract.sites, sizeof(request.sites));
	memcpy(request.parties, contract.parties, sizeof(request.parties));
	ground = (ContractGround) {.self = "lmu", .contract = &contract, .state = CONTRACT_ACTIVE, .waits = "", .same_plan = true,
	.has_requester = true, .organisation = "Charité", .roles = 1 << ROLE_ANALYST, .uses = 99, .terms_accepted = true};
	fill(ground.requester, HASH_BYTES, 77);
	fill(request.contract, HASH_BYTES, 8);
}

/* Everything but the changes allows it. */
#define permits(wanted_sqlstate, wanted, what, ...) \
	do { \
		ContractRefusal no; \
		bool		yes; \
		begin(); \
		__VA_ARGS__; \
		yes = contract_permit(&no, &request, &ground) && contract_permit_terms(&no, &request, &ground); \
		check(yes ? wanted_sqlstate == 0 : no.sqlstate == wanted_sqlstate && strcmp(no.message, wanted) == 0, \
			  "%s: %s", what, yes ? "yes" : no.message); \
		memory_reset(); \
	} while (0)

#define NO		ERRCODE_SECMED_CONTRACT

static void
test_refusals(void)
{
	permits(0, "", "the contract's question");
	permits(NO, "node \"lmu\" does not know the contract 080f161d...", "an unknown contract", ground.contract = NULL);
	for (int state = CONTRACT_DRAFT; state <= CONTRACT_STATE_MAX; state++)
		if (state != CONTRACT_ACTIVE)
			permits(NO, psprintf("contract \"survival\" is not active at node \"lmu\": it is %s", contract_state_name(state)),
					"another state", ground.state = state);
	permits(NO, "the question is not that of contract \"survival\"", "another plan", ground.same_plan = false);
	permits(NO, "contract \"survival\" does not allow this value", "a value beyond bounds",
			ground.value_problem = "\"age\" is 12, and not from 18 to 80");
	permits(NO, "contract \"survival\" lets registered people ask, and \"research:anna\" is none", "somebody unknown",
			ground.has_requester = false);
	permits(NO, "contract \"survival\" does not let \"research:anna\" ask", "another role", ground.roles = 1 << ROLE_VETTER);
	permits(NO, "contract \"survival\" does not let \"research:anna\" ask", "another organisation", ground.organisation = "LMU");
	permits(0, "", "who is named, whatever his role", ground.roles = 0; fill(ground.requester, HASH_BYTES, 4));
	permits(NO, "contract \"survival\" does not let \"research:anna\" ask", "who is not named, where only people are",
			contract.nroles = contract.norganisations = 0);
	permits(0, "", "everybody of an organisation", contract.nroles = 0; ground.roles = 0);
	permits(0, "", "a role wherever", contract.norganisations = 0; ground.organisation = "");
	permits(NO, "contract \"survival\" is about a question of another kind", "a computation", request.kind = REQUEST_COMPUTE);
	permits(NO, "contract \"survival\" is about a question of another kind", "a change",
			request.kind = REQUEST_CHANGE; contract.over_sites = false);
	permits(NO, "the sites of the run are not those of contract \"survival\"", "a site less", request.nsites = 1);
	permits(NO, "the sites of the run are not those of contract \"survival\"", "another site", request.sites[1].name = "mayo");
	permits(NO, "the sites of the run are not those of contract \"survival\"", "another key", request.sites[1].fingerprint[0]++);
	permits(0, "", "sites in another order", NodeRef first = request.sites[0]; request.sites[0] = request.sites[1];
			request.sites[1] = first);
	permits(NO, "the parties of the run are not those of contract \"survival\"", "another party", request.parties[0].name = "mayo");
	permits(0, "", "whichever parties", request.parties[0].name = "mayo"; contract.nparties = 0);
	permits(NO, "answers of contract \"survival\" have noise, and can't be sealed to a reader", "noise for a reader",
			request.has_reader = true);
	permits(0, "", "a reader without noise", request.has_reader = true; contract.noise = NULL);
	permits(NO, "the security model of the run is not that of contract \"survival\"", "another model", request.model = "none");
	permits(NO, "the runs of contract \"survival\" are used up", "the last run was made", ground.uses = 100);
	permits(0, "", "without a limit", ground.uses = 100; contract.has_runs_max = false);
	permits(ERRCODE_SECMED_TERMS, "\"research:anna\" has not accepted the terms of contract \"survival\"", "terms not accepted",
			ground.terms_accepted = false);
}

/* Each check is broken together with all that come after it: the first is told. */
static void
test_order(void)
{
	static const char *const first[] = {
		"has not accepted", "used up", "sites of the run", "does not let", "does not allow this value", "the question is not",
		"is not active", "does not know"
	};

	for (int n = 0; n < lengthof(first); n++)
	{
		ContractRefusal no;

		begin();
		ground.terms_accepted = false;
		ground.uses = n >= 1 ? 100 : 0;
		request.nsites = n >= 2 ? 1 : 2;
		ground.roles = n >= 3 ? 0 : ground.roles;
		ground.value_problem = n >= 4 ? "x" : NULL;
		ground.same_plan = n < 5;
		ground.state = n >= 6 ? CONTRACT_REVOKED : CONTRACT_ACTIVE;
		ground.contract = n >= 7 ? NULL : &contract;
		check(!(contract_permit(&no, &request, &ground) && contract_permit_terms(&no, &request, &ground)) && strstr(no.message, first[n]), "check %d of 8 comes before: %s",
			  8 - n, no.message);
		memory_reset();
	}
}

int
main(void)
{
	test_refusals();
	test_order();
	return unit_done();
}
