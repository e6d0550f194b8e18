/*
 * tlog_policy.c
 *	  Policy files, read strictly, and asked about a note.
 *
 * A name is a member of one group at most, so a group is written down as each
 * member's mark of belonging to it, and one pass in the file's order counts
 * every group before it is itself counted.
 */
#include "base/base.h"

#include "ledger/tlog_policy.h"

#define WORD_BYTES_MAX	1024

typedef struct Words
{
	const char *at;
	const char *end;
} Words;

/* The next word of the line; false at its end. */
static bool
next_word(Words *words, const char **word, size_t *len)
{
	while (words->at < words->end && (*words->at == ' ' || *words->at == '\t'))
		words->at++;
	*word = words->at;
	while (words->at < words->end && *words->at != ' ' && *words->at != '\t')
		words->at++;
	*len = (size_t) (words->at - *word);
	return *len > 0;
}

static bool
is_word(const char *word, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(word, wanted, len) == 0;
}

static int
find_name(const Policy *policy, const char *name, size_t len)
{
	for (int i = 0; i < policy->nnames; i++)
		if (is_word(name, len, policy->names[i].name))
			return i;
	return -1;
}

/* The name that a line gives to a witness or group, which must be new. */
static const char *
define(Policy *policy, Words *words)
{
	const char *name;
	size_t		len;
	PolicyName *defined = &policy->names[policy->nnames];

	if (policy->nnames == POLICY_NAMES_MAX)
		return "has too many names";
	if (!next_word(words, &name, &len) || is_word(name, len, "none") || find_name(policy, name, len) >= 0)
		return "gives no name, or one that is taken";
	defined->name = pnstrdup(name, len);
	defined->witness = -1;
	defined->need = 0;
	defined->group = -1;
	return NULL;
}

/* A key of this kind that is not yet among keys; then perhaps a URL, and no more. */
static const char *
read_key(Words *words, uint8 kind, NoteKey *keys, int n)
{
	const char *word;
	size_t		len;
	const char *reason;

	if (!next_word(words, &word, &len) || !note_key_from_text(&keys[n], word, len, &reason) ||
		keys[n].kind != kind)
		return "names something that is not a key of this kind";
	for (int i = 0; i < n; i++)
		if (memcmp(keys[i].public_key, keys[n].public_key, SIGN_PUBLIC_BYTES) == 0)
			return "names a key twice";
	if (next_word(words, &word, &len) && next_word(words, &word, &len))
		return "has a line with too many words";
	return NULL;
}

static const char *
read_log(Policy *policy, Words *words)
{
	const char *problem;

	if (policy->nlogs == POLICY_LOGS_MAX)
		return "has too many logs";
	problem = read_key(words, NOTE_LOG, policy->logs, policy->nlogs);
	if (problem == NULL)
		policy->nlogs++;
	return problem;
}

static const char *
read_witness(Policy *policy, Words *words)
{
	const char *problem;

	if (policy->nwitnesses == POLICY_WITNESSES_MAX)
		return "has too many witnesses";
	problem = define(policy, words);
	if (problem == NULL)
		problem = read_key(words, NOTE_WITNESS, policy->witnesses, policy->nwitnesses);
	if (problem == NULL)
		policy->names[policy->nnames++].witness = policy->nwitnesses++;
	return problem;
}

static const char *
read_group(Policy *policy, Words *words)
{
	const char *problem = define(policy, words);
	const char *need;
	const char *word;
	size_t		need_len;
	size_t		len;
	uint64		k;
	int			n = 0;

	if (problem != NULL)
		return problem;
	if (!next_word(words, &need, &need_len))
		return "has a group without a threshold";
	for (; next_word(words, &word, &len); n++)
	{
		int			member = find_name(policy, word, len);

		if (member < 0 || policy->names[member].group >= 0)
			return "has a group with a member that is not there, or in another already";
		policy->names[member].group = policy->nnames;
	}
	if (is_word(need, need_len, "any"))
		k = 1;
	else if (is_word(need, need_len, "all"))
		k = (uint64) n;
	else if (!decimal_read(&k, need, need_len, POLICY_NAMES_MAX))
		k = 0;
	if (k < 1 || k > n)
		return "has a group whose threshold it can't reach";
	policy->names[policy->nnames++].need = (int) k;
	return NULL;
}

static const char *
read_quorum(Policy *policy, Words *words, bool *has_quorum)
{
	const char *word;
	size_t		len;

	if (*has_quorum)
		return "has two quorums";
	*has_quorum = true;
	if (!next_word(words, &word, &len))
		return "has a quorum that is not there";
	policy->quorum = is_word(word, len, "none") ? -1 : find_name(policy, word, len);
	if (policy->quorum < 0 && !is_word(word, len, "none"))
		return "has a quorum that is not there";
	return next_word(words, &word, &len) ? "has a line with too many words" : NULL;
}

static const char *
read_line(Policy *policy, const char *line, size_t len, bool *has_quorum)
{
	Words		words = {line, line + len};
	const char *word;
	size_t		word_len;

	for (size_t i = 0; i < len; i++)
		if (((uint8) line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return "holds control characters";
	if (!next_word(&words, &word, &word_len) || word[0] == '#')
		return NULL;
	if (is_word(word, word_len, "log"))
		return read_log(policy, &words);
	if (is_word(word, word_len, "witness"))
		return read_witness(policy, &words);
	if (is_word(word, word_len, "group"))
		return read_group(policy, &words);
	if (is_word(word, word_len, "quorum"))
		return read_quorum(policy, &words, has_quorum);
	return "has a line that it should not have";
}

bool
policy_parse(Policy *policy, const void *bytes, size_t len, const char **reason)
{
	const char *at = bytes;
	const char *end = at + len;
	const char *line;
	size_t		line_len;
	bool		has_quorum = false;

	memset(policy, 0, sizeof(*policy));
	*reason = "is too long";
	if (len > POLICY_BYTES_MAX)
		return false;
	*reason = NULL;
	while (*reason == NULL && next_line(&at, end, &line, &line_len))
		*reason = read_line(policy, line, line_len, &has_quorum);
	if (*reason == NULL && at != end)
		*reason = "ends in the middle of a line";
	if (*reason == NULL && !has_quorum)
		*reason = "has no quorum";
	return *reason == NULL;
}

/* ---- asking it ---- */

bool
policy_quorum(const Policy *policy, const Note *note, PolicySigned *found, const char **reason)
{
	int			counts[POLICY_NAMES_MAX] = {0};
	bool		reached[POLICY_NAMES_MAX];

	memset(found, 0, sizeof(*found));
	*reason = "bears a forged countersignature";
	for (int i = 0; i < policy->nwitnesses; i++)
	{
		NoteVerdict verdict = note_check(note, &policy->witnesses[i], &found->at[i]);

		if (verdict == NOTE_FORGED)
			return false;
		found->by[i] = verdict == NOTE_SIGNED;
		found->n += found->by[i];
	}
	for (int i = 0; i < policy->nnames; i++)
	{
		const PolicyName *name = &policy->names[i];

		reached[i] = name->witness >= 0 ? found->by[name->witness] : counts[i] >= name->need;
		if (reached[i] && name->group >= 0)
			counts[name->group]++;
	}
	*reason = "is not countersigned by a quorum";
	return policy->quorum < 0 || reached[policy->quorum];
}

bool
policy_check(const Policy *policy, const Note *note, const char *origin,
			 PolicySigned *found, const char **reason)
{
	bool		by_log = false;

	for (int i = 0; i < policy->nlogs; i++)
	{
		uint64		time;
		NoteVerdict verdict = note_check(note, &policy->logs[i], &time);

		*reason = "bears a forged signature of its log";
		if (verdict == NOTE_FORGED)
			return false;
		if (verdict == NOTE_SIGNED && strcmp(policy->logs[i].name, origin) == 0)
			by_log = true;
	}
	*reason = "is not signed by its log";
	return by_log && policy_quorum(policy, note, found, reason);
}
