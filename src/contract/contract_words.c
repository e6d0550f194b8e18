/*
 * contract_words.c
 *	  A contract as text: what people read before they sign.
 *
 * Every field is in it but the bytes of plan, skeleton and slots: of these the plan's
 * hash, which is on ledgers too.
 */
#include "contract/contract.h"

#include <math.h>

#include "contract/words.h"

static char *
joined(char **texts, int n)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < n; i++)
		appendStringInfo(&out, "%s%s", i ? ", " : "", texts[i]);
	return out.data;
}

static void
describe_heading(StringInfo out, const Contract *contract)
{
	uint8		terms[HASH_BYTES];

	words_text(out, "contract", contract->name);
	words_text(out, "title", contract->title);
	words_number(out, "version", contract->version);
	if (contract->has_replaces)
		words_hex(out, "replaces", contract->replaces, HASH_BYTES);
	words_hex(out, "author", contract->author, HASH_BYTES);
	words_text(out, "purpose", contract->purpose_code);
	words_lines(out, "", contract->purpose);
	words_lines(out, "legal basis", contract->legal_basis);
	words_lines(out, "terms", contract->terms);
	hash_bytes(terms, contract->terms, strlen(contract->terms));
	words_hex(out, "terms hash", terms, HASH_BYTES);
}

static char *
bounds_text(const ContractParameter *param)
{
	StringInfoData out;

	initStringInfo(&out);
	if (param->min != NULL)
		appendStringInfo(&out, "%s to %s", param->min, param->max);
	else if (param->nvalues > 0)
		appendStringInfo(&out, "one of %s", joined(param->values, param->nvalues));
	else
		appendStringInfoString(&out, "any");
	if (param->items_max > 0)
		appendStringInfo(&out, ", at most " UINT64_FORMAT " of them", param->items_max);
	appendStringInfoString(&out, param->null_allowed ? ", or NULL" : "");
	return out.data;
}

static void
describe_query(StringInfo out, const Contract *contract)
{
	uint8		hash[HASH_BYTES];

	words_lines(out, "question", contract->query);
	for (int i = 0; i < contract->nparams; i++)
	{
		const ContractParameter *param = &contract->params[i];

		words_text(out, psprintf("$%d", i + 1),
				   psprintf("%s %s: %s%s%s", param->name, param->type, bounds_text(param),
							param->words[0] ? "; " : "", param->words));
	}
	words_text(out, "asked of", contract->over_sites ? "the rows of sites" :
			   contract->nsites > 0 ? "rows that sites share for the run" : "shared tables");
	hash_bytes(hash, contract->plan, contract->plan_len);
	words_hex(out, "plan", hash, HASH_BYTES);
}

static void
describe_nodes(StringInfo out, const char *label, const NodeRef *nodes, int n)
{
	for (int i = 0; i < n; i++)
	{
		char		fingerprint[FINGERPRINT_TEXT_BYTES];

		fingerprint_to_text(fingerprint, nodes[i].fingerprint);
		words_text(out, i ? "" : label, psprintf("%s, %s", nodes[i].name, fingerprint));
	}
}

static void
describe_askers(StringInfo out, const Contract *contract)
{
	for (int i = 0; i < contract->nidentities; i++)
		words_hex(out, i ? "" : "may ask", contract->identities[i], HASH_BYTES);
	if (contract->nroles > 0)
		words_text(out, "roles", joined(contract->roles, contract->nroles));
	if (contract->norganisations > 0)
		words_text(out, "organisations", joined(contract->organisations, contract->norganisations));
}

/* Everything that a committee must know: how much, of what, and whether small groups are withheld. */
static void
describe_noise(StringInfo out, const Noise *noise)
{
	words_text(out, "noise", psprintf("%s, rho %.6f a run (epsilon %.2f at a delta of one in a million)", NOISE_GAUSSIAN,
									  (double) noise->rho / 1000000, noise_epsilon(noise->rho, 1e-6)));
	words_text(out, "", psprintf("of each patient " UINT64_FORMAT " rows at most are counted", noise->rows_max));
	words_text(out, "", noise->thresholds ? "small groups are withheld as well" : "it takes the place of the smallest group");
	for (int i = 0; i < noise->nbounds; i++)
	{
		const NoiseBound *bound = &noise->bounds[i];

		words_text(out, "", psprintf("value %d: from %.*f to %.*f, standard deviation %.6g", i + 1,
									 bound->scale, (double) bound->low / pow(10, bound->scale),
									 bound->scale, (double) bound->high / pow(10, bound->scale), noise_sigma(noise, i)));
	}
}

static void
describe_disclosure(StringInfo out, const Contract *contract)
{
	words_text(out, "model", contract->model);
	words_number(out, "smallest group", contract->patients_min);
	if (contract->rounding > 0)
		words_number(out, "rounded to", contract->rounding);
	if (contract->noise != NULL)
		describe_noise(out, contract->noise);
	if (contract->has_runs_max)
		words_number(out, "runs at most", contract->runs_max);
	words_time(out, "valid from", contract->from_us);
	words_time(out, "valid until", contract->until_us);
}

static void
describe_rules(StringInfo out, const Contract *contract)
{
	for (int i = 0; i < contract->njurisdictions; i++)
	{
		const ContractJurisdiction *rule = &contract->jurisdictions[i];

		words_lines(out, i ? "" : "jurisdiction",
					psprintf("%s: groups of " UINT64_FORMAT "%s%s", rule->code, rule->patients_min,
							 rule->rule[0] ? "; " : "", rule->rule));
	}
	words_text(out, "price", psprintf(UINT64_FORMAT " credits a run", contract->price));
	for (int i = 0; i < contract->npayees; i++)
		words_text(out, i ? "" : "paid to",
				   psprintf("%s, " UINT64_FORMAT " parts", contract->payees[i].account, contract->payees[i].weight));
	words_text(out, "vetters", psprintf(UINT64_FORMAT " of " UINT64_FORMAT " organisations", contract->vetters_min,
										contract->vetting_organisations_min));
	for (int i = 0; i < contract->napprovals; i++)
		words_text(out, i ? "" : "each run needs",
				   psprintf(UINT64_FORMAT " yes of role %s", contract->approvals[i].number, contract->approvals[i].role));
	if (contract->consents_min > 0)
		words_number(out, "consents", contract->consents_min);
}

void
contract_describe(StringInfo out, const void *body, size_t len)
{
	Contract	contract;
	const char *reason;

	if (!contract_decode(&contract, body, len, &reason))
		return;
	describe_heading(out, &contract);
	describe_query(out, &contract);
	describe_askers(out, &contract);
	describe_nodes(out, "sites", contract.sites, contract.nsites);
	describe_nodes(out, "parties", contract.parties, contract.nparties);
	describe_disclosure(out, &contract);
	describe_rules(out, &contract);
}
