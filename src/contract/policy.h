/*
 * policy.h
 *	  The one place that decides whether this node takes part in a run.
 *
 * The decision needs no server: whoever asks brings the facts.  What a site's
 * own tables allow (query/site.c) is checked by the site while it prepares
 * its sub-query, and reported through the same ledger entry.
 */
#ifndef SECMED_POLICY_H
#define SECMED_POLICY_H

#include "contract/request.h"

typedef struct PolicyFacts
{
	const char *self;			/* this node */
	const char *caller;			/* the node at the other end of the session */
	int64		now_us;

	/* The fingerprint registered here for a node; false if it is unknown. */
	bool		(*known) (const char *name, uint8 fingerprint[HASH_BYTES]);
} PolicyFacts;

typedef struct PolicyDecision
{
	bool		yes;
	int			sqlstate;		/* of a refusal */
	char		message[256];
	char		hint[256];		/* may be empty */
} PolicyDecision;

extern PolicyDecision policy_decide(const Request *request, const PolicyFacts *facts);

#endif							/* SECMED_POLICY_H */
