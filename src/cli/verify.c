/*
 * verify.c
 *	  secmed verify: exports of ledgers, and proof files.
 */
#include "base/base.h"

#include <sys/stat.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "ledger/fork.h"
#include "ledger/verify.h"

typedef struct Options
{
	bool		json;
	bool		has_policy;
	Policy		policy;
	int			npaths;
	char	  **paths;
} Options;

static void
read_policy(Options *options, const char *path)
{
	StringInfoData bytes;
	const char *reason;

	initStringInfo(&bytes);
	if (!file_read(path, &bytes))
		give_up("can't read \"%s\": %s", path, strerror(errno));
	if (!policy_parse(&options->policy, bytes.data, bytes.len, &reason))
		give_up("the policy \"%s\" %s", path, reason);
	options->has_policy = true;
}

static void
read_options(Options *options, int argc, char **argv)
{
	memset(options, 0, sizeof(*options));
	options->paths = argv;
	for (int i = 0; i < argc; i++)
	{
		if (strcmp(argv[i], "--json") == 0)
			options->json = true;
		else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc)
			read_policy(options, argv[++i]);
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			give_up("there is no option \"%s\"", argv[i]);
		else
			options->paths[options->npaths++] = argv[i];
	}
	if (options->npaths == 0)
		give_up("name a directory or a file to verify");
}

/* ---- saying it ---- */

static void
print_hex(const uint8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

/* Only ours: names and constant reasons, without a quote, backslash or control character. */
static void
print_json_verdict(const char *verdict, const char *site, bool has_entry, uint64 entry, const char *reason)
{
	printf("{\"verdict\":\"%s\"", verdict);
	if (site[0] != '\0')
		printf(",\"site\":\"%s\"", site);
	else
		printf(",\"site\":null");
	if (has_entry)
		printf(",\"entry\":" UINT64_FORMAT, entry);
	else
		printf(",\"entry\":null");
	if (reason != NULL)
		printf(",\"reason\":\"%s\"", reason);
	else
		printf(",\"reason\":null");
}

static const char *
verdict_name(VerifyStatus status)
{
	return status == VERIFY_INTACT ? "intact" : status == VERIFY_VIOLATED ? "violated" : "unreadable";
}

static void
print_json_ledger(const VerifyResult *result)
{
	print_json_verdict(verdict_name(result->status), result->origin.site, result->has_entry, result->entry,
					   result->reason);
	printf(",\"origin\":\"%s\",\"size\":" UINT64_FORMAT ",\"root\":\"",
		   result->origin.site[0] != '\0' ? result->head.origin : "", result->head.size);
	print_hex(result->head.root, HASH_BYTES);
	printf("\",\"policy\":\"");
	print_hex(result->policy, HASH_BYTES);
	printf("\",\"anchored\":" UINT64_FORMAT ",\"archived\":" UINT64_FORMAT ",\"notes\":" UINT64_FORMAT
		   ",\"keys\":" UINT64_FORMAT ",\"opened\":" UINT64_FORMAT ",\"erased\":" UINT64_FORMAT
		   ",\"withheld\":" UINT64_FORMAT ",\"heads\":%d,\"heads_checked\":" UINT64_FORMAT
		   ",\"silence_s\":" UINT64_FORMAT ",\"rows\":" UINT64_FORMAT ",\"reviews\":" UINT64_FORMAT
		   ",\"requests\":" UINT64_FORMAT ",\"open\":" UINT64_FORMAT ",\"unfounded\":" UINT64_FORMAT,
		   result->anchored, result->archived, result->notes, result->keys, result->opened,
		   result->erased, result->withheld, result->nquotes, result->quotes_checked, result->silence_s,
		   result->rows, result->reviews, result->runs.requests, result->runs.open, result->runs.unfounded);
	if (result->runs.unfounded > 0)
		printf(",\"first_unfounded\":" UINT64_FORMAT "}", result->runs.first_unfounded);
	else
		printf(",\"first_unfounded\":null}");
}

static void
print_ledger(const char *path, const VerifyResult *result, bool has_policy)
{
	const char *site = result->origin.site[0] != '\0' ? result->origin.site : path;

	if (result->status != VERIFY_INTACT)
	{
		if (result->has_entry)
			printf("%s: entry " UINT64_FORMAT " %s\n", site, result->entry, result->reason);
		else
			printf("%s: the export %s\n", site, result->reason);
		return;
	}
	printf("%s: intact, " UINT64_FORMAT " entries, certified by " UINT64_FORMAT " notes under " UINT64_FORMAT
		   " keys\n", site, result->head.size, result->notes, result->keys);
	printf("  bodies: " UINT64_FORMAT " opened, " UINT64_FORMAT " committed and erased, " UINT64_FORMAT
		   " committed and not here\n", result->opened, result->erased, result->withheld);
	printf("  heads of others: %d, of which " UINT64_FORMAT " compared with exports given\n",
		   result->nquotes, result->quotes_checked);
	printf("  requests and local actions: " UINT64_FORMAT ", of which " UINT64_FORMAT " have no end; reviews: "
		   UINT64_FORMAT "\n", result->runs.requests, result->runs.open, result->reviews);
	if (result->runs.unfounded > 0)
		printf("  entries that follow on nothing: " UINT64_FORMAT ", the first is " UINT64_FORMAT "\n",
			   result->runs.unfounded, result->runs.first_unfounded);
	if (result->rows > 0)
		printf("  exported columns compared with the bytes: " UINT64_FORMAT " entries\n", result->rows);
	if (result->archived > 0)
		printf("  archived, only hashes are here: " UINT64_FORMAT " entries\n", result->archived);
	if (result->silence_s > 0)
		printf("  longest time without a note: " UINT64_FORMAT " s\n", result->silence_s);
	if (has_policy)
		printf("  your policy accepts it up to entry " UINT64_FORMAT "\n", result->anchored - 1);
	else
	{
		printf("  policy, as the export has it (compare, or use --policy): ");
		print_hex(result->policy, HASH_BYTES);
		printf("\n");
	}
}

/* ---- exports ---- */

/* Of several, the first that is violated speaks for all; then one that can't be read. */
static const VerifyResult *
worst(const VerifyResult *results, int n)
{
	const VerifyResult *found = &results[0];

	for (int i = 1; i < n; i++)
		if (found->status != VERIFY_VIOLATED && results[i].status != VERIFY_INTACT &&
			(found->status == VERIFY_INTACT || results[i].status == VERIFY_VIOLATED))
			found = &results[i];
	return found;
}

static int
verify_directories(const Options *options)
{
	int			n = options->npaths;
	VerifyResult *results = palloc(n * sizeof(VerifyResult));
	VerifySource *sources = palloc(n * sizeof(VerifySource));
	VerifyOptions verify = {options->has_policy && n == 1 ? &options->policy : NULL, (uint64) time(NULL)};
	const VerifyResult *found;

	if (options->has_policy && n > 1)
		give_up("a policy is of one ledger: verify each with its own, then all without");
	for (int i = 0; i < n; i++)
	{
		sources[i].get = directory_get;
		sources[i].arg = options->paths[i];
		verify_export(&results[i], &sources[i], &verify);
	}
	verify_across(results, sources, n);
	found = worst(results, n);
	if (options->json)
	{
		print_json_verdict(verdict_name(found->status), found->origin.site, found->has_entry, found->entry,
						   found->reason);
		printf(",\"ledgers\":[");
		for (int i = 0; i < n; i++)
		{
			printf(i > 0 ? "," : "");
			print_json_ledger(&results[i]);
		}
		printf("]}\n");
	}
	else
		for (int i = 0; i < n; i++)
			print_ledger(options->paths[i], &results[i], options->has_policy);
	return found->status;
}

/* ---- proof files ---- */

static const char *
proof_problem(const ProofFile *proof, const Policy *policy, LedgerEntry *entry)
{
	Note		note;
	Checkpoint	head;
	PolicySigned found;
	Origin		origin;
	uint8		leaf[HASH_BYTES];
	const char *reason;

	if (!checkpoint_from_note(&head, &note, proof->note, proof->note_len, &reason))
		return "has a note that can't be read";
	if (!policy_check(policy, &note, head.origin, &found, &reason))
		return "has a note that the policy does not accept";
	if (!entry_decode(entry, proof->entry.data, proof->entry.len, &reason))
		return "holds no entry, or none that can be read";
	entry_hash(leaf, proof->entry.data, proof->entry.len);
	if (!merkle_included(&proof->path, leaf, proof->index, head.size, head.root))
		return "does not lead from the entry to the root";
	if (!origin_from_text(&origin, head.origin) || strcmp(origin.site, entry->site) != 0 ||
		entry->seq != proof->index)
		return "is about an entry of another place";
	return NULL;
}

/* A file that is no proof can't be checked; one that is and fails is violated. */
static int
verify_proof(const Options *options, StringInfo bytes)
{
	ProofFile	proof;
	LedgerEntry entry = {0};
	const char *problem;
	bool		read = proof_parse(&proof, bytes->data, bytes->len, &problem);

	if (read)
		problem = proof_problem(&proof, &options->policy, &entry);
	if (options->json)
	{
		print_json_verdict(problem == NULL ? "intact" : "violated", problem == NULL ? entry.site : "",
						   problem == NULL, proof.index, problem);
		printf("}\n");
	}
	else if (problem == NULL)
		printf("%s: entry " UINT64_FORMAT " is in the ledger\n", entry.site, entry.seq);
	else
		printf("%s: the proof %s\n", options->paths[0], problem);
	return problem == NULL ? VERIFY_INTACT : VERIFY_VIOLATED;
}

static int
verify_fork(const Options *options, StringInfo bytes)
{
	ForkProof	proof;
	const Policy *policy = &options->policy;
	const char *problem;
	int			convicted = 0;

	if (fork_parse(&proof, bytes->data, bytes->len, &problem))
	{
		problem = NULL;
		for (int i = 0; i < policy->nlogs + policy->nwitnesses; i++)
		{
			const NoteKey *key = i < policy->nlogs ? &policy->logs[i] : &policy->witnesses[i - policy->nlogs];

			if (!fork_convicts(&proof, key))
				continue;
			convicted++;
			if (!options->json)
				printf("%s has signed two histories of %s\n", key->name, proof.heads[0].origin);
		}
		if (convicted == 0)
			problem = "convicts nobody whom the policy knows";
	}
	if (options->json)
	{
		print_json_verdict(problem == NULL ? "intact" : "violated", "", false, 0, problem);
		printf(",\"convicted\":%d}\n", convicted);
	}
	else if (problem != NULL)
		printf("%s: the fork proof %s\n", options->paths[0], problem);
	return problem == NULL ? VERIFY_INTACT : VERIFY_VIOLATED;
}

static int
verify_file(const Options *options)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	if (!file_read(options->paths[0], &bytes))
		give_up("can't read \"%s\": %s", options->paths[0], strerror(errno));
	if (!options->has_policy)
		give_up("a proof is good under a policy: name one with --policy");
	if (strncmp(bytes.data, "c2sp.org/tlog-proof@", 20) == 0)
		return verify_proof(options, &bytes);
	if (strncmp(bytes.data, "secmed-fork@", 12) == 0)
		return verify_fork(options, &bytes);
	give_up("\"%s\" is neither a directory nor a proof", options->paths[0]);
}

int
command_verify(int argc, char **argv)
{
	Options    *options = palloc(sizeof(Options));
	struct stat info;

	read_options(options, argc, argv);
	if (stat(options->paths[0], &info) == 0 && !S_ISDIR(info.st_mode) && options->npaths == 1)
		return verify_file(options);
	return verify_directories(options);
}
