/*
 * vote.c
 *	  Bytes and words of votes and governance documents.
 */
#include "base/base.h"

#include "contract/vote.h"
#include "contract/words.h"

static const char *const verb_words[] = {
	[VOTE_ADMIT] = "admit", [VOTE_REMOVE] = "remove", [VOTE_ADOPT] = "adopt",
};

#define WORD_BYTES_MAX	16

static void
refuse(CborReader *in, const char *reason)
{
	if (in->error == NULL)
		in->error = reason;
}

static void
read_text(CborReader *in, char *out, size_t max)
{
	char	   *text = cbor_read_text(in, max);

	strlcpy(out, text, max + 1);
	pfree(text);
}

/* ---- votes ---- */

const char *
vote_verb_word(VoteVerb verb)
{
	return verb_words[verb];
}

bool
vote_verb_from_word(VoteVerb *verb, const char *word)
{
	for (int i = VOTE_ADMIT; i <= VOTE_ADOPT; i++)
		if (strcmp(verb_words[i], word) == 0)
		{
			*verb = (VoteVerb) i;
			return true;
		}
	return false;
}

void
vote_encode(StringInfo out, const Vote *vote)
{
	document_body_write(out, "vote", 6);
	cbor_text(out, verb_words[vote->verb]);
	cbor_bytes(out, vote->subject, HASH_BYTES);
	cbor_uint(out, (uint64) vote->at_us);
	cbor_text(out, vote->reason);
}

bool
vote_decode(Vote *vote, const void *body, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	memset(vote, 0, sizeof(*vote));
	document_body_read(&in, "vote", 6, body, len);
	word = cbor_read_text(&in, WORD_BYTES_MAX);
	if (!vote_verb_from_word(&vote->verb, word))
		refuse(&in, "votes for something that can't be voted for");
	pfree(word);
	cbor_read_fixed(&in, vote->subject, HASH_BYTES);
	vote->at_us = document_time_read(&in);
	read_text(&in, vote->reason, VOTE_REASON_MAX);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

bool
vote_check(const void *body, size_t len, const char **reason)
{
	Vote		vote;

	return vote_decode(&vote, body, len, reason);
}

void
vote_describe(StringInfo out, const void *body, size_t len)
{
	static const char *const subjects[] = {
		[VOTE_ADMIT] = "identity document", [VOTE_REMOVE] = "identity", [VOTE_ADOPT] = "governance document",
	};
	Vote		vote;
	const char *reason;

	if (!vote_decode(&vote, body, len, &reason))
		return;
	words_text(out, "votes to", psprintf("%s the %s", verb_words[vote.verb], subjects[vote.verb]));
	words_hex(out, "subject", vote.subject, HASH_BYTES);
	words_time(out, "at", vote.at_us);
	words_text(out, "reason", vote.reason[0] ? vote.reason : "none given");
}

/* ---- the rules ---- */

void
governance_encode(StringInfo out, const Governance *governance)
{
	document_body_write(out, "governance", 8);
	cbor_uint(out, governance->serial);
	cbor_uint(out, governance->admit);
	cbor_uint(out, governance->rebind);
	cbor_uint(out, governance->remove);
	cbor_uint(out, governance->amend);
	cbor_text(out, governance->title);
}

static uint64
read_votes(CborReader *in)
{
	uint64		votes = cbor_read_uint(in, GOVERNANCE_VOTES_MAX);

	if (votes == 0)
		refuse(in, "lets nobody's vote be enough");
	return votes;
}

bool
governance_decode(Governance *governance, const void *body, size_t len, const char **reason)
{
	CborReader	in;

	memset(governance, 0, sizeof(*governance));
	document_body_read(&in, "governance", 8, body, len);
	governance->serial = cbor_read_uint(&in, PG_INT32_MAX);
	governance->admit = read_votes(&in);
	governance->rebind = read_votes(&in);
	governance->remove = read_votes(&in);
	governance->amend = read_votes(&in);
	read_text(&in, governance->title, GOVERNANCE_TITLE_MAX);
	if (governance->serial == 0)
		refuse(&in, "has no serial number");
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

bool
governance_check(const void *body, size_t len, const char **reason)
{
	Governance	governance;

	return governance_decode(&governance, body, len, reason);
}

void
governance_describe(StringInfo out, const void *body, size_t len)
{
	Governance	governance;
	const char *reason;

	if (!governance_decode(&governance, body, len, &reason))
		return;
	words_text(out, "title", governance.title);
	words_number(out, "serial", governance.serial);
	words_number(out, "votes to admit", governance.admit);
	words_number(out, "to replace", governance.rebind);
	words_number(out, "to remove", governance.remove);
	words_number(out, "to amend", governance.amend);
}
