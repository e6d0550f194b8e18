/*
 * vote.h
 *	  What members decide: votes, and the rules by which they are counted.
 *
 *	  ["vote", 1, verb, subject, at_us, reason]
 *
 *	  verb "admit"   an identity document, by its hash
 *	       "remove"  an identity, by its fingerprint: its key is never good again
 *	       "adopt"   a governance document, by its hash
 *	  reason         text, for who looks it up later; "" if none is given
 *
 *	  ["governance", 1, serial, admit, rebind, remove, amend, title]
 *
 * How many members with role governance must say yes to a new identity, to one
 * that takes the place of another, to removing one, and to the next governance
 * document.  serial rises by one from 1.  Where none was adopted a majority of
 * the members that are valid at the time decides everything.
 */
#ifndef SECMED_VOTE_H
#define SECMED_VOTE_H

#include "contract/document.h"

typedef enum VoteVerb
{
	VOTE_ADMIT = 1,
	VOTE_REMOVE,
	VOTE_ADOPT
} VoteVerb;

#define VOTE_REASON_MAX			500
#define GOVERNANCE_TITLE_MAX	200
/* Of votes that a rule may ask for. */
#define GOVERNANCE_VOTES_MAX	1000

typedef struct Vote
{
	VoteVerb	verb;
	uint8		subject[HASH_BYTES];
	int64		at_us;
	char		reason[VOTE_REASON_MAX + 1];
} Vote;

typedef struct Governance
{
	uint64		serial;
	uint64		admit;			/* votes needed, each at least 1 */
	uint64		rebind;
	uint64		remove;
	uint64		amend;
	char		title[GOVERNANCE_TITLE_MAX + 1];
} Governance;

extern const char *vote_verb_word(VoteVerb verb);
extern bool vote_verb_from_word(VoteVerb *verb, const char *word);

extern void vote_encode(StringInfo out, const Vote *vote);
extern bool vote_decode(Vote *vote, const void *body, size_t len, const char **reason);
extern bool vote_check(const void *body, size_t len, const char **reason);
extern void vote_describe(StringInfo out, const void *body, size_t len);

extern void governance_encode(StringInfo out, const Governance *governance);
extern bool governance_decode(Governance *governance, const void *body, size_t len, const char **reason);
extern bool governance_check(const void *body, size_t len, const char **reason);
extern void governance_describe(StringInfo out, const void *body, size_t len);

#endif							/* SECMED_VOTE_H */
