/*
 * test_tlog_policy.c
 *	  Policy files, and what they say about notes; key history.
 */
#include "base/base.h"

#include "../memory.h"
#include "ledgers.h"

static NoteKey log_key;
static uint8 log_secret[SIGN_SECRET_BYTES];
static const char *const names[] = {"x1", "x2", "x3", "y1", "y2"};

#define NAMES	((int) lengthof(names))

/* ${log}, ${x1} and so on become keys. */
static char *
filled(const char *text)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const char *at = text; *at != '\0'; at++)
	{
		NoteKey		key;
		uint8		secret[SIGN_SECRET_BYTES];
		char		name[16] = "";

		if (*at != '$')
		{
			appendStringInfoChar(&out, *at);
			continue;
		}
		strlcpy(name, at + 2, strcspn(at + 2, "}") + 1);
		at += strlen(name) + 2;
		if (strcmp(name, "log") == 0)
			key = log_key;
		else
			cosigner_of(&key, secret, name);
		appendStringInfoString(&out, note_key_to_text(&key));
	}
	return out.data;
}

static const char *
policy_problem(const char *text)
{
	Policy	   *policy = palloc(sizeof(Policy));
	char	   *bytes = filled(text);
	const char *reason;

	return policy_parse(policy, bytes, strlen(bytes), &reason) ? NULL : reason;
}

#define W	"witness x1 ${x1}\nwitness x2 ${x2}\nwitness x3 ${x3}\nwitness y1 ${y1}\nwitness y2 ${y2}\n"

static void
test_parsing(void)
{
	static const struct
	{
		const char *text;
		const char *what;
	}			good[] = {
		{"quorum none\n", "the least"},
		{"# comment\n\n \t# another\n\tlog  ${log}\thttps://log.example/ \nquorum none\n", "spaces, comments and a URL"},
		{W "group x 2 x1 x2 x3\ngroup y any y1 y2\ngroup all-of all x y\nquorum all-of\n", "the example of the specification"},
		{"witness \xc3\xa4 ${x1}\nquorum \xc3\xa4\n", "a name that is not ASCII"},
		{"witness \xff ${x1}\nquorum \xff\n", "a name that is not UTF-8"},
	},
				wrong[] = {
		{"", "nothing"},
		{"quorum none", "no newline at the end"},
		{"log ${log}\n", "no quorum"},
		{"quorum none\nquorum none\n", "two quorums"},
		{"quorum x1\n" W, "a quorum before its witness"},
		{"quorum none x\n", "more words after the quorum"},
		{"quorum\n", "a quorum without a name"},
		{"log ${log}\nlog ${log}\nquorum none\n", "a log twice"},
		{"log ${x1}\nquorum none\n", "a witness as a log"},
		{"log\nquorum none\n", "no key"},
		{"log ${log} url more\nquorum none\n", "words after a URL"},
		{"witness x1 ${x1}\nwitness x2 ${x1}\nquorum none\n", "a witness twice"},
		{"witness x1 ${x1}\nwitness x1 ${x2}\nquorum none\n", "a name twice"},
		{"witness none ${x1}\nquorum none\n", "a witness called none"},
		{"witness x1 ${log}\nquorum none\n", "a log as a witness"},
		{W "group g 1 none\nquorum g\n", "none in a group"},
		{W "group g 0 x1\nquorum g\n", "a threshold of 0"},
		{W "group g 2 x1\nquorum g\n", "a threshold that is too high"},
		{W "group g 01 x1\nquorum g\n", "a threshold with a zero before it"},
		{W "group g any\nquorum g\n", "a group of nobody"},
		{W "group g all\nquorum g\n", "all of nobody"},
		{W "group g any x1 x1\nquorum g\n", "a member twice"},
		{W "group g any x1\ngroup h any x1\nquorum h\n", "a member of two groups"},
		{W "group g any g\nquorum g\n", "a group in itself"},
		{W "group x1 any x2\nquorum x1\n", "a group with a witness's name"},
		{"Quorum none\n", "another case"},
		{"quorum none\r\n", "a carriage return"},
		{"quorum none\nextension 1\n", "a line that is not known"},
	};

	for (int i = 0; i < lengthof(good); i++)
		check(policy_problem(good[i].text) == NULL, "accepted: %s", good[i].what);
	for (int i = 0; i < lengthof(wrong); i++)
		check(policy_problem(wrong[i].text) != NULL, "refused: %s", wrong[i].what);
	check(policy_problem("quorum none\n\x7f\n") != NULL, "refused: DEL");
}

/* A note that the log and those in the mask have signed. */
static StringInfoData
signed_by(int mask, bool log)
{
	Checkpoint	head = {.size = 5};
	StringInfoData out;
	char	   *text;

	strlcpy(head.origin, log_key.name, sizeof(head.origin));
	text = checkpoint_text(&head);
	initStringInfo(&out);
	note_begin(&out, text);
	if (log || mask == 0)
	{
		NoteKey		stranger;
		uint8		secret[SIGN_SECRET_BYTES];

		key_of(&stranger, secret, log_key.name, NOTE_LOG, "stranger");
		note_sign(&out, text, log ? &log_key : &stranger, log ? log_secret : secret, 0);
	}
	for (int i = 0; i < NAMES; i++)
	{
		NoteKey		key;
		uint8		secret[SIGN_SECRET_BYTES];

		cosigner_of(&key, secret, names[i]);
		if (mask >> i & 1)
			note_sign(&out, text, &key, secret, AT_S);
		if (mask >> i & 1 && i == 1)
			note_sign(&out, text, &key, secret, AT_S + 1);	/* twice counts once */
	}
	return out;
}

static bool
accepts(const char *text, const StringInfoData *bytes, const char *origin)
{
	Policy	   *policy = palloc(sizeof(Policy));
	char	   *filled_text = filled(text);
	Note		note;
	PolicySigned found;
	const char *reason;

	return policy_parse(policy, filled_text, strlen(filled_text), &reason) &&
		note_parse(&note, bytes->data, bytes->len, &reason) &&
		policy_check(policy, &note, origin, &found, &reason);
}

static void
test_quorums(void)
{
	static const char example[] = "log ${log}\n" W
	"group x 2 x1 x2 x3\ngroup y any y1 y2\ngroup both all x y\nquorum both\n";
	int			bad = 0;
	StringInfoData bytes;

	for (int mask = 0; mask < 1 << NAMES; mask++)
	{
		int			x = (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
		int			y = (mask >> 3 & 1) + (mask >> 4 & 1);

		bytes = signed_by(mask, true);
		bad += accepts(example, &bytes, log_key.name) != (x >= 2 && y >= 1);
		bytes = signed_by(mask, false);
		bad += accepts(example, &bytes, log_key.name);
		memory_reset();
	}
	check(bad == 0, "each of %d sets of witnesses is a quorum or not, and none without the log", 1 << NAMES);
	bytes = signed_by(0, true);
	check(accepts("log ${log}\nquorum none\n", &bytes, log_key.name), "no witness is needed where none is asked for");
	check(!accepts("log ${log}\nquorum none\n", &bytes, "another"), "a log signs under its own name");
	check(!accepts("quorum none\n", &bytes, log_key.name), "a policy without logs accepts nothing");
	bytes = signed_by(3, true);
	bytes.data[bytes.len - 10] = bytes.data[bytes.len - 10] == 'A' ? 'B' : 'A';
	check(!accepts("log ${log}\nwitness x1 ${x1}\nwitness x2 ${x2}\nquorum x1\n", &bytes, log_key.name),
		  "a forged countersignature spoils the note, even one too many");
	check(accepts("log ${log}\nwitness x1 ${x1}\nquorum x1\n", &bytes, log_key.name),
		  "that of an unknown witness does not");
}

/* ---- keys ---- */

static void
refuse_key(const KeyHistory *history, LedgerEntry entry, const char *what)
{
	KeyHistory *copy = palloc(sizeof(KeyHistory));
	const char *reason = NULL;

	*copy = *history;
	check(!history_accept(copy, &entry, &reason) && reason != NULL &&
		  memcmp(copy, history, sizeof(*copy)) == 0, "refused: %s (%s)", what, reason ? reason : "");
}

static void
test_history(void)
{
	Ledger	   *ledger = palloc(sizeof(Ledger));
	KeyHistory *history = palloc(sizeof(KeyHistory));
	LedgerEntry entry;
	LedgerEntry changed;
	NoteKey		keys[4];
	uint8		secrets[4][SIGN_SECRET_BYTES];
	uint8		policy[HASH_BYTES] = {1};
	const char *reason;
	int			bad = 0;

	ledger_start(ledger, "charite", "00112233-4455-6677-8899-aabbccddeeff");
	for (int i = 1; i < 4; i++)
		log_key_of(&keys[i], secrets[i], ledger, i);
	history_start(history);
#define make(outcome, i) \
	(history_make(&entry, history, (outcome), &keys[i], secrets[i], secrets[(i) - 1], policy), \
	 entry.site = "charite", entry.seq = 10 * (i))

	make("rotated", 2);
	refuse_key(history, entry, "a second key without a first");
	make("first", 2);
	refuse_key(history, entry, "a first key of epoch 2");
	make("first", 1);
	changed = entry;
	changed.site = "lmu";
	refuse_key(history, changed, "a key of another site");
	changed = entry;
	changed.plan[5] ^= 1;
	refuse_key(history, changed, "another policy than the one signed");
	changed = entry;
	changed.has_plan = false;
	refuse_key(history, changed, "no policy");
	changed = entry;
	changed.outcome = "other";
	refuse_key(history, changed, "an unknown outcome");
	changed = entry;
	changed.revealed = "";
	refuse_key(history, changed, "no signature");
	changed = entry;
	changed.object = "";
	refuse_key(history, changed, "no key");
	check(history_accept(history, &entry, &reason), "a first key is taken");
	refuse_key(history, entry, "a first key again");

	make("recovered", 1);
	refuse_key(history, entry, "a key that was there before");
	make("rotated", 3);
	refuse_key(history, entry, "a rotation that leaves out an epoch");
	make("rotated", 2);
	changed = entry;
	changed.revealed = pnstrdup(entry.revealed, 88);
	refuse_key(history, changed, "a rotation that the old key has not signed");
	for (int i = 0; i < (int) strlen(entry.revealed); i++)
	{
		KeyHistory *copy = palloc(sizeof(KeyHistory));
		char	   *text = pstrdup(entry.revealed);

		*copy = *history;
		text[i] ^= 1;
		changed = entry;
		changed.revealed = text;
		bad += history_accept(copy, &changed, &reason);
		pfree(copy);
	}
	check(bad == 0, "no signature of a rotation can be changed");
	check(history_accept(history, &entry, &reason), "a rotation is taken");
	make("recovered", 3);
	check(history_accept(history, &entry, &reason), "and a new key after a loss");
	check(history_log(history, 10) == NULL && history_log(history, 11)->key.id == keys[1].id &&
		  history_log(history, 21)->key.id == keys[1].id && history_log(history, 22)->key.id == keys[2].id &&
		  history_log(history, 30)->key.id == keys[2].id && history_log(history, 31)->key.id == keys[3].id,
		  "each size has its key");
}

static void
test_erased(void)
{
	LedgerEntry entry;

	history_make_erased(&entry, "GDPR 17", 5, 7);
	entry.seq = 8;
	check(erased_problem(&entry) == NULL && erased_covers(&entry, 5) && erased_covers(&entry, 7) &&
		  !erased_covers(&entry, 4) && !erased_covers(&entry, 8), "a range of erased entries");
	entry.seq = 7;
	check(erased_problem(&entry) != NULL, "refused: an entry that erases itself");
	entry.seq = 8;
	entry.counters[0] = 8;
	check(erased_problem(&entry) != NULL, "refused: a range backwards");
	entry.counters[0] = 5;
	entry.ncounters = 1;
	check(erased_problem(&entry) != NULL, "refused: half a range");
	entry.ncounters = 2;
	entry.object = "";
	check(erased_problem(&entry) != NULL, "refused: no legal basis");
}

int
main(void)
{
	Ledger		ledger = {.site = "charite", .uuid = "00112233-4455-6677-8899-aabbccddeeff"};

	log_key_of(&log_key, log_secret, &ledger, 1);
	test_parsing();
	memory_reset();
	test_quorums();
	test_history();
	test_erased();
	memory_reset();
	return unit_done();
}
