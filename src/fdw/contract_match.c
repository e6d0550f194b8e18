/*
 * contract_match.c
 *	  Which contract a SELECT is an instance of.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "compute/merge.h"
#include "fdw/contract_match.h"
#include "govern/contract_values.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/options.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

const StoredContract *contract_to_match = NULL;
List	  **contract_skeletons = NULL;

/* setting secmed.contract: under which contract is asked; "": whichever allows it; "none": under none */
static char *contract_setting;

/* What makes the plan's bytes of a query with its constants taken out, or others put in. */
typedef struct Matching
{
	PlannerInfo *root;
	bool		over_sites;
	bool		merged;			/* the answer is of groups that sites have made */
	Oid			serverid;
	bool		(*plan) (struct Matching *matching, Constants *constants, StringInfo bytes);

	RelOptInfo *grouped;
	AnswerStage stage;
	List	   *targets;
	List	   *having;

	Shape	   *shape;			/* of the last plan that was made */
	Answer	   *answer;
	Node	  **values;			/* of the parameters of the contract that matches */
} Matching;

/* ---- slots ---- */

static Node *
slot_parameter(const Contract *contract, int number)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = number + 1;
	param->paramtype = contract_type(contract->params[number].type);
	param->paramtypmod = -1;
	param->paramcollid = get_typcollation(param->paramtype);
	param->location = -1;
	return (Node *) param;
}

static bool
is_constant_like(Node *node, const ContractSlot *slot)
{
	Const	   *constant = (Const *) node;
	char	   *text;

	if (!IsA(node, Const) || strcmp(contract_type_name(constant->consttype), slot->type) != 0 ||
		constant->constisnull != (slot->value == NULL))
		return false;
	if (slot->value == NULL)
		return true;
	text = contract_value_text(constant->consttype, constant->constvalue);
	return strcmp(text, slot->value) == 0;
}

/*
 * Holds what was taken out of the query against the slots.  What stands at a slot of a constant
 * must be that constant; at those of a parameter, one value of its type.
 */
static bool
bind_slots(Matching *matching, const Contract *contract, List *taken, List **put)
{
	ListCell   *lc;

	*put = NIL;
	matching->values = palloc0(sizeof(Node *) * (contract->nparams + 1));
	if (list_length(taken) != contract->nslots)
		return false;
	foreach(lc, taken)
	{
		const ContractSlot *slot = &contract->slots[foreach_current_index(lc)];
		Node	   *node = lfirst(lc);
		Node	  **value;

		if (slot->parameter < 0)
		{
			if (!is_constant_like(node, slot))
				return false;
			*put = lappend(*put, node);
			continue;
		}
		value = &matching->values[slot->parameter];
		if (strcmp(contract_type_name(exprType(node)), contract->params[slot->parameter].type) != 0 ||
			(*value != NULL && !equal(*value, node)))
			return false;
		*value = node;
		*put = lappend(*put, slot_parameter(contract, slot->parameter));
	}
	return true;
}

bool
contract_slots_of(Contract *contract, List *taken, const char **reason)
{
	ListCell   *lc;

	contract->nslots = 0;
	contract->slots = palloc0(sizeof(ContractSlot) * (list_length(taken) + 1));
	if (list_length(taken) > CONTRACT_SLOTS_MAX)
	{
		*reason = "it has too many constants";
		return false;
	}
	foreach(lc, taken)
	{
		ContractSlot *slot = &contract->slots[contract->nslots++];
		Const	   *constant = lfirst(lc);
		Param	   *param = lfirst(lc);

		if (IsA(param, Param) && param->paramkind == PARAM_EXTERN)
		{
			slot->parameter = param->paramid - 1;
			continue;
		}
		*reason = "a value in it would be computed by whoever asks, and no site could check it";
		if (!IsA(constant, Const))
			return false;
		slot->parameter = -1;
		slot->type = contract_type_name(constant->consttype);
		if (!constant->constisnull)
			slot->value = contract_value_text(constant->consttype, constant->constvalue);
	}
	return true;
}

/* ---- plans ---- */

static bool
plan_over_sites(Matching *matching, Constants *constants, StringInfo bytes)
{
	QueryRefusal refusal;

	matching->shape = shape_query(matching->root, matching->grouped, matching->having, constants, false, &refusal);
	if (matching->shape == NULL)
		return false;
	plan_encode(bytes, &matching->shape->plan);
	return true;
}

static bool
plan_over_shared(Matching *matching, Constants *constants, StringInfo bytes)
{
	QueryRefusal refusal;
	StringInfoData plan;

	if (matching->merged)
		matching->answer = merge_query(matching->root, matching->grouped, matching->having, constants, &refusal);
	else
		matching->answer = answer_query(matching->root, matching->stage, matching->targets, matching->having, constants, &refusal);
	if (matching->answer == NULL)
		return false;
	initStringInfo(&plan);
	oblivious_plan_encode(&plan, matching->answer->plan);
	return contract_plan_normalize(bytes, (uint8 *) plan.data, plan.len);
}

static void
skeleton_hash(uint8 out[HASH_BYTES], bool over_sites, const void *plan, size_t len)
{
	HashPart	parts[] = {{"secmed/skeleton/1", 18}, {over_sites ? "r" : "c", 1}, {plan, len}};

	hash_parts(out, parts, lengthof(parts));
}

/* ---- finding one ---- */

/* Rows of sites are in the plan that was made last. */
static bool
asks_sites(const Matching *matching)
{
	return matching->over_sites || oblivious_plan_asks_sites(matching->answer->plan);
}

static bool
same_sites(const Matching *matching, const Contract *contract)
{
	Federation *federation = federation_of_server(matching->serverid);
	int			nsites = asks_sites(matching) ? federation->nsites : 0;

	if (contract->over_sites != matching->over_sites || contract->nsites != nsites)
		return false;
	for (int i = 0; i < nsites; i++)
		if (noderef_find(contract->sites, contract->nsites, federation->sites[i]) < 0)
			return false;
	for (int i = 0; i < contract->nparties; i++)
		if (noderef_find(contract->parties, contract->nparties, federation->parties[i]) < 0)
			return false;
	return true;
}

static bool
is_instance(Matching *matching, const Contract *contract, List *taken)
{
	Constants	constants = {CONSTANTS_PUT};
	StringInfoData bytes;

	if (!same_sites(matching, contract) || !bind_slots(matching, contract, taken, &constants.list))
		return false;
	initStringInfo(&bytes);
	return matching->plan(matching, &constants, &bytes) && constants_all_put(&constants) &&
		bytes.len == contract->plan_len && memcmp(bytes.data, contract->plan, bytes.len) == 0;
}

static void
refuse_several(const StoredContract *one, const StoredContract *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_CONTRACT),
			 errmsg("several contracts allow this question"),
			 errdetail("Among them are \"%s\" and \"%s\".", one->contract.name, other->contract.name),
			 errhint("Say under which you ask: SET secmed.contract = '%s'; or use secmed.run().", one->contract.name)));
}

void
contract_refuse_instance(const Contract *contract)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_CONTRACT),
			 errmsg("the question is not that of contract \"%s\"", contract->name),
			 errdetail("Its plan, over the foreign tables of this node, is not the contract's with values in the place of its parameters."),
			 errhint("Ask as the contract's text says; or the sites publish other columns, types or domains than when it was drafted, or the foreign tables are of other sites: import the foreign schema again, or draft a new version.")));
}

/* The one that is looked for, or NULL: any. */
static const StoredContract *
wanted_contract(StoredContract *found)
{
	if (contract_to_match != NULL)
		return contract_to_match;
	if (contract_setting[0] == '\0')
		return NULL;
	contract_require(found, contract_setting);
	return found;
}

/* A draft: the plan as it is, and with its constants taken out. */
static void
note_skeleton(Matching *matching)
{
	ContractSkeleton *noted = palloc0(sizeof(ContractSkeleton));
	Constants	taken = {CONSTANTS_TAKEN};
	StringInfoData bytes;

	initStringInfo(&noted->plan);
	initStringInfo(&bytes);
	if (!matching->plan(matching, NULL, &noted->plan))
		return;
	noted->params = matching->over_sites ? matching->shape->params : matching->answer->params;
	if (!matching->plan(matching, &taken, &bytes))
		return;
	skeleton_hash(noted->skeleton, matching->over_sites, bytes.data, bytes.len);
	noted->taken = taken.list;
	*contract_skeletons = lappend(*contract_skeletons, noted);
}

/* NULL: the question is asked under no contract. */
static const StoredContract *
find_match(Matching *matching)
{
	StoredContract *named = palloc0(sizeof(StoredContract));
	const StoredContract *wanted;
	const StoredContract *match = NULL;
	Constants	taken = {CONSTANTS_TAKEN};
	StringInfoData bytes;
	uint8		skeleton[HASH_BYTES];
	List	   *candidates;
	ListCell   *lc;

	if (contract_skeletons != NULL)
	{
		note_skeleton(matching);
		return NULL;
	}
	if (contract_to_match == NULL && (strcmp(contract_setting, "none") == 0 || !contracts_any()))
		return NULL;
	wanted = wanted_contract(named);
	initStringInfo(&bytes);
	if (!matching->plan(matching, &taken, &bytes))
		return NULL;
	skeleton_hash(skeleton, matching->over_sites, bytes.data, bytes.len);
	candidates = wanted ? list_make1((void *) wanted) : contracts_of_skeleton(skeleton);
	foreach(lc, candidates)
	{
		const StoredContract *candidate = lfirst(lc);

		if (!is_instance(matching, &candidate->contract, taken.list))
			continue;
		if (match != NULL)
			refuse_several(match, candidate);
		match = candidate;
	}
	/* The last that was tried may have been another. */
	if (match != NULL && !is_instance(matching, &match->contract, taken.list))
		elog(ERROR, "a contract matches only once");
	return match;
}

/* A plan that is kept is made again when contracts change. */
static void
depend_on_contracts(PlannerInfo *root)
{
	Oid			relid = get_relname_relid("contract_standing", get_namespace_oid("secmed", false));

	root->glob->relationOids = list_append_unique_oid(root->glob->relationOids, relid);
}

/* The contract's parameters among the plan's, by the query's own expressions. */
static List *
values_of(const Matching *matching, List *params)
{
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, params)
		values = lappend(values, copyObject(matching->values[castNode(Param, lfirst(lc))->paramid - 1]));
	return values;
}

static AskedContract
asked_under(const StoredContract *stored)
{
	AskedContract contract = {.any = true,.name = stored->contract.name};

	memcpy(contract.hash, stored->hash, HASH_BYTES);
	return contract;
}

Shape *
contract_match_shape(PlannerInfo *root, RelOptInfo *grouped, List *having, Shape *shape)
{
	Matching	matching = {.root = root,.over_sites = true,.serverid = shape->serverid,.plan = plan_over_sites,
	.grouped = grouped,.having = having};
	const StoredContract *match = find_match(&matching);

	depend_on_contracts(root);
	if (match == NULL)
		return shape;
	matching.shape->params = values_of(&matching, matching.shape->params);
	matching.shape->contract = asked_under(match);
	return matching.shape;
}

Answer *
contract_match_answer(PlannerInfo *root, RelOptInfo *merged, AnswerStage stage, List *targets, List *having,
					  Answer *answer)
{
	Matching	matching = {.root = root,.over_sites = false,.merged = merged != NULL,.serverid = answer->serverid,
	.plan = plan_over_shared,.grouped = merged,.stage = stage,.targets = targets,.having = having,.answer = answer};
	const StoredContract *match = find_match(&matching);

	depend_on_contracts(root);
	if (match == NULL)
		return answer;
	matching.answer->params = values_of(&matching, matching.answer->params);
	matching.answer->contract = asked_under(match);
	return matching.answer;
}

void
contract_match_check(const AskedContract *contract)
{
	StoredContract wanted;

	if (contract->any || contract_to_match != NULL || contract_skeletons != NULL || contract_setting[0] == '\0' ||
		strcmp(contract_setting, "none") == 0)
		return;
	contract_require(&wanted, contract_setting);
	contract_refuse_instance(&wanted.contract);
}

/* Plans that are kept were made under another contract. */
static void
forget_plans(const char *setting, void *extra)
{
	ResetPlanCache();
}

void
contract_match_init(void)
{
	DefineCustomStringVariable("secmed.contract",
							   "Contract under which questions are asked, by name or hash.",
							   "Empty: whichever active contract allows the question. none: under no contract.",
							   &contract_setting, "", PGC_USERSET, 0, NULL, forget_plans, NULL);
}
