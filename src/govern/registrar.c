/*
 * registrar.c
 *	  Who is admitted and removed: votes of members, counted.
 *
 * Three tables: secmed.identity, a row for each identity document;
 * secmed.vote, a row for each member's word on each question; secmed.governance,
 * a row for each set of rules.  A hook writes its row and settles: every
 * question that has votes is counted anew, until nothing changes.
 */
#include "postgres.h"

#include "contract/vote.h"
#include "govern/names.h"
#include "govern/registrar.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Actor in the ledger of what follows from votes. */
#define ACTOR_MEMBERS	"members"

/* Rules ---------------------------------------------------------------------*/

/* The governance document in force; false if there is none. */
static bool
read_rules(Governance *rules)
{
	const char *reason;
	Document   *document;
	bytea	   *bytes;

	if (rows_run("SELECT d.document FROM secmed.governance g JOIN secmed.document d ON d.hash = g.document"
				 " WHERE g.state = 'adopted'", SPI_OK_SELECT, 0, NULL, NULL) == 0)
		return false;
	bytes = rows_bytes(0, 1);
	document = palloc(sizeof(Document));
	if (!document_decode(document, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason) ||
		!governance_decode(rules, document->body, document->body_len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the stored governance document is damaged"),
				 errdetail("It %s.", reason)));
	return true;
}

#define IS_MEMBER	"i.state = 'admitted' AND 'governance' = ANY (i.roles)"

static uint64
members(void)
{
	(void) rows_run("SELECT pg_catalog.count(*) FROM secmed.identity i WHERE " IS_MEMBER
					" AND pg_catalog.clock_timestamp() >= i.valid_from AND pg_catalog.clock_timestamp() < i.valid_until",
					SPI_OK_SELECT, 0, NULL, NULL);
	return (uint64) rows_int(0, 1);
}

typedef enum Question
{
	QUESTION_ADMIT,
	QUESTION_REBIND,
	QUESTION_REMOVE,
	QUESTION_AMEND
} Question;

static uint64
votes_needed(Question question)
{
	Governance	rules;

	if (!read_rules(&rules))
		return members() / 2 + 1;
	switch (question)
	{
		case QUESTION_ADMIT:
			return rules.admit;
		case QUESTION_REBIND:
			return rules.rebind;
		case QUESTION_REMOVE:
			return rules.remove;
		case QUESTION_AMEND:
			return rules.amend;
	}
	return GOVERNANCE_VOTES_MAX;
}

/* Who still is a member and has said so; excluded: a fingerprint whose word does not count, or NULL. */
static uint64
votes_for(VoteVerb verb, const uint8 *subject, const uint8 *excluded)
{
	Oid			types[] = {TEXTOID, BYTEAOID, BYTEAOID};
	Datum		values[] = {CStringGetTextDatum(vote_verb_word(verb)), bytea_datum(subject, HASH_BYTES),
	excluded ? bytea_datum(excluded, HASH_BYTES) : (Datum) 0};

	(void) rows_run("SELECT pg_catalog.count(*) FROM secmed.vote v JOIN secmed.identity i ON i.fingerprint = v.voter"
					" WHERE v.verb = $1 AND v.subject = $2 AND " IS_MEMBER " AND v.at >= i.valid_from AND v.at < i.valid_until"
					" AND v.voter IS DISTINCT FROM $3", SPI_OK_SELECT, 3, types, values);
	return (uint64) rows_int(0, 1);
}

/* What follows --------------------------------------------------------------*/

static void
set_state(const uint8 document[HASH_BYTES], const char *state)
{
	Oid			types[] = {BYTEAOID, TEXTOID};
	Datum		values[] = {bytea_datum(document, HASH_BYTES), CStringGetTextDatum(state)};

	(void) rows_run("UPDATE secmed.identity SET state = $2, changed_at = pg_catalog.clock_timestamp() WHERE document = $1",
					SPI_OK_UPDATE, 2, types, values);
}

/* A document that needed votes has them. */
static void
mark_taken(const uint8 document[HASH_BYTES])
{
	Oid			types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(document, HASH_BYTES)};

	(void) rows_run("UPDATE secmed.document SET problem = NULL,"
					" serial = (SELECT pg_catalog.max(serial) FROM secmed.document) + 1 WHERE hash = $1 AND problem IS NOT NULL",
					SPI_OK_UPDATE, 1, types, values);
}

static void
record_identity(const uint8 fingerprint[HASH_BYTES], const uint8 document[HASH_BYTES], const char *actor,
				const char *outcome, uint64 votes, uint64 needed)
{
	uint64		counters[] = {votes, needed};

	document_record(actor, psprintf("identity %s", identity_text(fingerprint)), document, outcome, 2, counters);
}

/* The one who is admitted takes the place of whom the document names, and of the same key's earlier document. */
static void
replace(const uint8 fingerprint[HASH_BYTES], const uint8 old[HASH_BYTES])
{
	Oid			types[] = {BYTEAOID, BYTEAOID};
	Datum		values[] = {bytea_datum(fingerprint, HASH_BYTES), bytea_datum(old, HASH_BYTES)};

	(void) rows_run("UPDATE secmed.identity SET state = 'replaced', changed_at = pg_catalog.clock_timestamp()"
					" WHERE state = 'admitted' AND fingerprint IN ($1, $2)", SPI_OK_UPDATE, 2, types, values);
	(void) rows_run("UPDATE secmed.identity_role SET fingerprint = $1 WHERE fingerprint = $2",
					SPI_OK_UPDATE, 2, types, values);
}

static void
admit(const uint8 document[HASH_BYTES], const char *actor, const char *outcome, uint64 votes, uint64 needed)
{
	Oid			types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(document, HASH_BYTES)};
	uint8		fingerprint[HASH_BYTES];
	uint8		old[HASH_BYTES];

	(void) rows_run("SELECT fingerprint, COALESCE(replaces, fingerprint) FROM secmed.identity WHERE document = $1",
					SPI_OK_SELECT, 1, types, values);
	rows_hash(fingerprint, 0, 1);
	rows_hash(old, 0, 2);
	replace(fingerprint, old);
	set_state(document, "admitted");
	mark_taken(document);
	record_identity(fingerprint, document, actor, outcome, votes, needed);
}

/* Counting ------------------------------------------------------------------*/

typedef struct Proposal
{
	uint8		document[HASH_BYTES];
	uint8		fingerprint[HASH_BYTES];	/* of an identity */
	bool		rebinds;
	uint8		replaces[HASH_BYTES];
} Proposal;

/* Reads (document, fingerprint, replaces) of a query without parameters. */
static int
read_proposals(Proposal **proposals, const char *sql)
{
	int			n = (int) rows_run(sql, SPI_OK_SELECT, 0, NULL, NULL);

	*proposals = palloc0((n + 1) * sizeof(Proposal));
	for (int i = 0; i < n; i++)
	{
		Proposal   *proposal = &(*proposals)[i];

		rows_hash(proposal->document, i, 1);
		rows_hash(proposal->fingerprint, i, 2);
		proposal->rebinds = rows_bytes(i, 3) != NULL;
		if (proposal->rebinds)
			rows_hash(proposal->replaces, i, 3);
	}
	return n;
}

static bool
settle_admissions(void)
{
	Proposal   *proposals;
	int			n = read_proposals(&proposals,
								   "SELECT i.document, i.fingerprint, i.replaces FROM secmed.identity i WHERE i.state = 'proposed'"
								   " AND EXISTS (SELECT FROM secmed.vote v WHERE v.verb = 'admit' AND v.subject = i.document)"
								   " AND NOT EXISTS (SELECT FROM secmed.identity o WHERE o.state = 'removed' AND o.fingerprint = i.fingerprint)"
								   " ORDER BY i.document");

	for (int i = 0; i < n; i++)
	{
		Proposal   *proposal = &proposals[i];
		uint64		votes = votes_for(VOTE_ADMIT, proposal->document, proposal->rebinds ? proposal->replaces : NULL);
		uint64		needed = votes_needed(proposal->rebinds ? QUESTION_REBIND : QUESTION_ADMIT);

		if (votes < needed)
			continue;
		admit(proposal->document, ACTOR_MEMBERS, "admitted", votes, needed);
		return true;
	}
	return false;
}

static bool
settle_removals(void)
{
	Proposal   *proposals;
	int			n = read_proposals(&proposals,
								   "SELECT DISTINCT ON (i.fingerprint) i.document, i.fingerprint, NULL::pg_catalog.bytea FROM secmed.identity i"
								   " WHERE EXISTS (SELECT FROM secmed.vote v WHERE v.verb = 'remove' AND v.subject = i.fingerprint)"
								   " AND NOT EXISTS (SELECT FROM secmed.identity o WHERE o.state = 'removed' AND o.fingerprint = i.fingerprint)"
								   " ORDER BY i.fingerprint, i.state = 'admitted' DESC");

	for (int i = 0; i < n; i++)
	{
		uint64		votes = votes_for(VOTE_REMOVE, proposals[i].fingerprint, NULL);
		uint64		needed = votes_needed(QUESTION_REMOVE);
		Oid			types[] = {BYTEAOID};
		Datum		values[] = {bytea_datum(proposals[i].fingerprint, HASH_BYTES)};

		if (votes < needed)
			continue;
		(void) rows_run("UPDATE secmed.identity SET state = 'removed', changed_at = pg_catalog.clock_timestamp()"
						" WHERE fingerprint = $1", SPI_OK_UPDATE, 1, types, values);
		(void) rows_run("UPDATE secmed.document SET problem = NULL WHERE problem IS NOT NULL AND hash IN"
						" (SELECT document FROM secmed.identity WHERE fingerprint = $1)", SPI_OK_UPDATE, 1, types, values);
		record_identity(proposals[i].fingerprint, proposals[i].document, ACTOR_MEMBERS, "removed", votes, needed);
		return true;
	}
	return false;
}

static bool
settle_rules(void)
{
	Proposal   *proposals;
	int			n = read_proposals(&proposals,
								   "SELECT g.document, g.document, NULL::pg_catalog.bytea FROM secmed.governance g WHERE g.state = 'proposed'"
								   " AND g.serial = 1 + COALESCE((SELECT serial FROM secmed.governance WHERE state = 'adopted'), 0)"
								   " AND EXISTS (SELECT FROM secmed.vote v WHERE v.verb = 'adopt' AND v.subject = g.document)"
								   " ORDER BY g.document");

	for (int i = 0; i < n; i++)
	{
		uint64		votes = votes_for(VOTE_ADOPT, proposals[i].document, NULL);
		uint64		needed = votes_needed(QUESTION_AMEND);
		uint64		counters[] = {votes, needed};
		Oid			types[] = {BYTEAOID};
		Datum		values[] = {bytea_datum(proposals[i].document, HASH_BYTES)};

		if (votes < needed)
			continue;
		(void) rows_run("UPDATE secmed.governance SET state = 'superseded' WHERE state = 'adopted'", SPI_OK_UPDATE, 0, NULL, NULL);
		(void) rows_run("UPDATE secmed.governance SET state = 'adopted', changed_at = pg_catalog.clock_timestamp() WHERE document = $1",
						SPI_OK_UPDATE, 1, types, values);
		mark_taken(proposals[i].document);
		document_record(ACTOR_MEMBERS, "governance", proposals[i].document, "adopted", 2, counters);
		return true;
	}
	return false;
}

/* Each change may complete another question.  What was removed or adopted never comes back, so this ends. */
static void
settle(void)
{
	while (settle_removals() || settle_rules() || settle_admissions())
		CHECK_FOR_INTERRUPTS();
}

/* Hooks ---------------------------------------------------------------------*/

/* How a row with this key stands, or NULL; $1 is the key. */
static char *
state_of(const char *sql, const uint8 *key)
{
	Oid			types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(key, HASH_BYTES)};

	return rows_run(sql, SPI_OK_SELECT, 1, types, values) == 0 ? NULL : rows_text(0, 1);
}

static Datum
roles_datum(uint32 roles)
{
	Datum		words[IDENTITY_ROLES];
	int			n = 0;

	for (int i = 0; i < IDENTITY_ROLES; i++)
		if (roles & (1 << i))
			words[n++] = CStringGetTextDatum(identity_role_word(i));
	return PointerGetDatum(construct_array(words, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
nodes_datum(const Person *person)
{
	List	   *names = NIL;

	for (int i = 0; i < person->nnodes; i++)
		names = lappend(names, (char *) person->nodes[i]);
	return name_array_datum(names);
}

static void
insert_identity(const Person *person, const uint8 fingerprint[HASH_BYTES], const uint8 document[HASH_BYTES])
{
	static const Oid types[] = {BYTEAOID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, NAMEARRAYOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, BYTEAOID};
	Datum		values[] = {bytea_datum(document, HASH_BYTES), bytea_datum(fingerprint, HASH_BYTES),
		CStringGetTextDatum(person->name), CStringGetTextDatum(identity_kind_word(person->kind)),
		CStringGetTextDatum(person->organisation), roles_datum(person->roles), nodes_datum(person),
		time_datum(person->from_us), time_datum(person->until_us), person->has_replaces ? bytea_datum(person->replaces, HASH_BYTES) : (Datum) 0};

	(void) rows_run("INSERT INTO secmed.identity (document, fingerprint, name, kind, organisation, roles, nodes, valid_from, valid_until, replaces)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (document) DO NOTHING",
					SPI_OK_INSERT, 10, types, values);
}

#define STATE_OF_FINGERPRINT \
	"SELECT state FROM secmed.identity WHERE fingerprint = $1 ORDER BY state = 'removed' DESC, state = 'admitted' DESC LIMIT 1"
#define STATE_OF_IDENTITY	"SELECT state FROM secmed.identity WHERE document = $1"
#define STATE_OF_RULES		"SELECT state FROM secmed.governance WHERE document = $1"

/* What keeps an identity document from being proposed; *fate is set then. */
static const char *
identity_document_problem(const Person *person, const uint8 fingerprint[HASH_BYTES], DocumentFate *fate)
{
	char	   *state = state_of(STATE_OF_FINGERPRINT, fingerprint);
	bool		same_key = person->has_replaces && memcmp(person->replaces, fingerprint, HASH_BYTES) == 0;

	*fate = DOCUMENT_REFUSED;
	if (state && strcmp(state, "removed") == 0)
		return "is of a key that was removed";
	if (state && strcmp(state, "proposed") != 0 && !same_key)
		return "is of a key that is registered, and does not say that it replaces that identity";
	if (person->has_replaces && state_of(STATE_OF_FINGERPRINT, person->replaces) == NULL)
	{
		*fate = DOCUMENT_WAITS;
		return "replaces an identity that is not known here";
	}
	return NULL;
}

DocumentFate
registrar_identity(const DocumentTaken *taken, const char **reason)
{
	const Document *document = taken->document;
	uint8		fingerprint[HASH_BYTES];
	Person		person;
	DocumentFate fate;
	char	   *state;

	if (!person_decode(&person, document->body, document->body_len, reason))
		return DOCUMENT_REFUSED;
	document_signer(fingerprint, person.sign_public);
	if (document_signature_of(document, fingerprint) < 0)
	{
		*reason = "is not signed with the key that it is about";
		return DOCUMENT_REFUSED;
	}
	if (state_of(STATE_OF_IDENTITY, document->hash) == NULL)
	{
		*reason = identity_document_problem(&person, fingerprint, &fate);
		if (*reason != NULL)
			return fate;
		insert_identity(&person, fingerprint, document->hash);
		settle();
	}
	state = state_of(STATE_OF_IDENTITY, document->hash);
	if (strcmp(state, "proposed") != 0)
		return DOCUMENT_TAKEN;
	*reason = psprintf("has " UINT64_FORMAT " of " UINT64_FORMAT " votes",
					   votes_for(VOTE_ADMIT, document->hash, person.has_replaces ? person.replaces : NULL),
					   votes_needed(person.has_replaces ? QUESTION_REBIND : QUESTION_ADMIT));
	return DOCUMENT_WAITS;
}

static const char *
vote_problem(const Vote *vote)
{
	switch (vote->verb)
	{
		case VOTE_ADMIT:
			return state_of(STATE_OF_IDENTITY, vote->subject) ? NULL : "is about an identity document that is not here";
		case VOTE_REMOVE:
			return state_of(STATE_OF_FINGERPRINT, vote->subject) ? NULL : "is about an identity that is not known here";
		case VOTE_ADOPT:
			return state_of(STATE_OF_RULES, vote->subject) ? NULL : "is about a governance document that is not here";
	}
	return NULL;
}

static void
insert_vote(const Vote *vote, const uint8 voter[HASH_BYTES], const uint8 document[HASH_BYTES])
{
	static const Oid types[] = {TEXTOID, BYTEAOID, BYTEAOID, BYTEAOID, TIMESTAMPTZOID};
	Datum		values[] = {CStringGetTextDatum(vote_verb_word(vote->verb)), bytea_datum(vote->subject, HASH_BYTES),
	bytea_datum(voter, HASH_BYTES), bytea_datum(document, HASH_BYTES), time_datum(vote->at_us)};

	(void) rows_run("INSERT INTO secmed.vote (verb, subject, voter, document, at) VALUES ($1, $2, $3, $4, $5)"
					" ON CONFLICT (verb, subject, voter) DO NOTHING", SPI_OK_INSERT, 5, types, values);
}

DocumentFate
registrar_vote(const DocumentTaken *taken, const char **reason)
{
	const Document *document = taken->document;
	int			counted = 0;
	Vote		vote;

	if (!vote_decode(&vote, document->body, document->body_len, reason))
		return DOCUMENT_REFUSED;
	if (vote.at_us > identity_now_us() + CLOCK_SKEW_MS_MAX * INT64CONST(1000))
	{
		*reason = "is of the future";
		return DOCUMENT_REFUSED;
	}
	*reason = vote_problem(&vote);
	if (*reason != NULL)
		return DOCUMENT_WAITS;
	for (int i = 0; i < document->nsignatures; i++)
	{
		const Identity *voter = &taken->signers[i];

		if (!identity_has_role(voter, ROLE_GOVERNANCE) || identity_problem(voter, vote.at_us) != NULL)
			continue;
		insert_vote(&vote, voter->fingerprint, document->hash);
		counted++;
	}
	*reason = "is not by a member with the role governance";
	if (counted == 0)
		return DOCUMENT_WAITS;
	settle();
	return DOCUMENT_TAKEN;
}

DocumentFate
registrar_governance(const DocumentTaken *taken, const char **reason)
{
	static const Oid types[] = {BYTEAOID, INT4OID};
	const Document *document = taken->document;
	Governance	governance;
	Datum		values[2];

	if (!governance_decode(&governance, document->body, document->body_len, reason))
		return DOCUMENT_REFUSED;
	values[0] = bytea_datum(document->hash, HASH_BYTES);
	values[1] = Int32GetDatum((int32) governance.serial);
	(void) rows_run("INSERT INTO secmed.governance (document, serial) VALUES ($1, $2) ON CONFLICT (document) DO NOTHING",
					SPI_OK_INSERT, 2, types, values);
	settle();
	if (strcmp(state_of(STATE_OF_RULES, document->hash), "proposed") != 0)
		return DOCUMENT_TAKEN;
	*reason = psprintf("has " UINT64_FORMAT " of " UINT64_FORMAT " votes",
					   votes_for(VOTE_ADOPT, document->hash, NULL), votes_needed(QUESTION_AMEND));
	return DOCUMENT_WAITS;
}

/* Founding ------------------------------------------------------------------*/

void
registrar_found(uint8 (*documents)[HASH_BYTES], int n)
{
	Governance	rules;
	bool		ruled = read_rules(&rules);
	bool		voted = rows_run("SELECT FROM secmed.vote LIMIT 1", SPI_OK_SELECT, 0, NULL, NULL) > 0;
	uint64		needed = votes_needed(QUESTION_ADMIT);

	if ((ruled || voted) && members() >= needed)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_DOCUMENT),
				 errmsg("the time of founders is over"),
				 errdetail("Members have voted, or a governance document is in force, and there are enough members to vote."),
				 errhint("Give the identity document to secmed.submit_document(), and let members vote with \"secmed vote\".")));
	for (int i = 0; i < n; i++)
	{
		char	   *state = state_of(STATE_OF_IDENTITY, documents[i]);

		if (state == NULL || strcmp(state, "proposed") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_DOCUMENT),
					 errmsg("the identity can't become a founder"),
					 errdetail("It is %s.", state ? state : "not known here")));
		admit(documents[i], GetUserNameFromId(GetSessionUserId(), false), "founded", 0, needed);
	}
}
