/*
 * contract_ground.c
 *	  What a node that is asked for a run knows of its contract.
 */
#include "postgres.h"

#include "govern/contract_values.h"
#include "govern/contracts.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "oblivious/plan.h"
#include "storage/lock.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

/* ---- the plan ---- */

bool
contract_plan_normalize(StringInfo out, const uint8 *bytes, size_t len)
{
	ObliviousPlan plan;
	const char *reason;

	if (!oblivious_plan_decode(&plan, bytes, len, &reason))
		return false;
	for (int i = 0; i < plan.ninputs; i++)
		plan.inputs[i].rows = 1;
	oblivious_plan_encode(out, &plan);
	return true;
}

static bool
same_plan(const Contract *contract, const Request *request)
{
	StringInfoData asked;

	if (request->nparams != contract->nplan_params)
		return false;
	if (contract->over_sites)
		return request->plan_len == contract->plan_len &&
			memcmp(request->plan, contract->plan, contract->plan_len) == 0;
	initStringInfo(&asked);
	return contract_plan_normalize(&asked, request->plan, request->plan_len) &&
		asked.len == contract->plan_len && memcmp(asked.data, contract->plan, asked.len) == 0;
}

/*
 * How many of a plan's parameters come as values of secret types: those of what parties compute; values for the
 * SELECTs of sites, which follow, are text.
 */
static int
shared_values(const Contract *contract)
{
	ObliviousPlan plan;
	const char *reason;

	if (contract->over_sites || !oblivious_plan_decode(&plan, contract->plan, contract->plan_len, &reason))
		return 0;
	return plan.nparams;
}

static const char *
value_problem(const Contract *contract, const Request *request)
{
	int			nshared = shared_values(contract);

	for (int i = 0; i < request->nparams; i++)
	{
		const ContractParameter *param = &contract->params[contract->plan_params[i]];
		const char *value = i < nshared ? contract_value_of_shared(param, request->params[i]) : request->params[i];
		const char *problem = contract_value_problem(param, value);

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

/* ---- who and how often ---- */

static void
fill_requester(ContractGround *ground, const Request *request)
{
	Identity	identity;
	uint8		person[HASH_BYTES];

	if (!identity_of_request(&identity, request, &ground->requester_problem))
		ground->requester_problem = NULL;
	else if (ground->requester_problem != NULL)
		ground->requester_problem = psprintf("Identity %s %s", identity_text(identity.fingerprint), ground->requester_problem);
	if (!request->has_identity || ground->requester_problem != NULL)
		return;
	ground->has_requester = true;
	memcpy(ground->requester, request->identity, HASH_BYTES);
	ground->organisation = pstrdup(identity.person.organisation);
	ground->roles = identity.person.roles;
	contract_person(person, &identity);
	ground->terms_accepted = contract_terms_accepted(request->contract, person);
}

/*
 * Two runs at a time could both be the last that is allowed.  Nobody waits: sites would, for
 * each other.
 */
static void
be_alone(const StoredContract *stored)
{
	LOCKTAG		tag;
	uint32		which;
	Oid			relid = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum("secmed.contract_use")));

	memcpy(&which, stored->hash, sizeof(which));
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, relid, which, 0);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("another run of contract \"%s\" is under way at node \"%s\"", stored->contract.name, node_self()->card.name),
				 errdetail("Its number of runs is limited, so that they are counted one after the other."),
				 errhint("Ask again when it has ended.")));
}

void
contract_ground(ContractGround *ground, const Request *request)
{
	StoredContract *stored = palloc0(sizeof(StoredContract));
	ContractLife life;
	StringInfoData waits;

	memset(ground, 0, sizeof(*ground));
	ground->self = node_self()->card.name;
	ground->organisation = ground->waits = "";
	if (!contract_find(stored, request->contract))
		return;
	life = contract_now(stored);
	initStringInfo(&waits);
	contract_waits(&waits, &stored->contract, &life);
	ground->contract = &stored->contract;
	ground->state = life.state;
	ground->waits = waits.data;
	ground->same_plan = same_plan(&stored->contract, request);
	if (ground->same_plan)
		ground->value_problem = value_problem(&stored->contract, request);
	fill_requester(ground, request);
	if (stored->contract.has_runs_max && life.state == CONTRACT_ACTIVE)
	{
		be_alone(stored);
		ground->uses = contract_uses(request->contract);
	}
}

uint64
contract_smallest_group(const Request *request)
{
	StoredContract stored;

	if (!request->has_contract || !contract_find(&stored, request->contract))
		return 1;
	return contract_patients_min(&stored.contract, "");
}

const Noise *
contract_noise(const Request *request)
{
	StoredContract stored;

	if (!request->has_contract || !contract_find(&stored, request->contract))
		return NULL;
	return stored.contract.noise;
}

void
contract_count_use(const Request *request)
{
	static const Oid types[] = {BYTEAOID, BYTEAOID};
	Datum		values[2];
	OwnerScope	scope;

	if (!request->has_contract)
		return;
	values[0] = bytea_datum(request->contract, HASH_BYTES);
	values[1] = bytea_datum(request->run, RUN_ID_BYTES);
	owner_begin(&scope);
	SPI_connect();
	(void) rows_run("INSERT INTO secmed.contract_use (contract, run) VALUES ($1, $2)", SPI_OK_INSERT, 2, types, values);
	SPI_finish();
	owner_end(&scope);
}
