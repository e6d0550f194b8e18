/*
 * identity.h
 *	  Who is registered here, and may act.
 *
 * An identity is known by its fingerprint: the SHA-256 of its signing key.  It
 * is admitted and removed by votes of members (registrar.c).  The nodes that
 * this node knows (secmed.peer, secmed.node) are identities without a document:
 * IDENTITY_NODE, admitted, without roles.
 *
 * Every function looks at what is committed at this moment, whatever snapshot
 * the caller's transaction has: a removed member can't act from the next
 * statement on.
 */
#ifndef SECMED_GOVERN_IDENTITY_H
#define SECMED_GOVERN_IDENTITY_H

#include "contract/person.h"
#include "contract/request.h"
#include "identity/node.h"

typedef enum IdentityState
{
	IDENTITY_PROPOSED = 1,		/* known, and not yet voted in */
	IDENTITY_ADMITTED,
	IDENTITY_REPLACED,			/* another has taken its place */
	IDENTITY_REMOVED			/* voted out; its key is never good again */
} IdentityState;

typedef struct Identity
{
	uint8		fingerprint[HASH_BYTES];
	bool		has_document;
	uint8		document[HASH_BYTES];	/* hash of its identity document */
	IdentityState state;
	Person		person;
} Identity;

/*
 * False if it is not known.  Of several documents of one key the admitted one
 * is found, or that which says why there is none.
 */
extern bool identity_find(Identity *identity, const uint8 fingerprint[HASH_BYTES]);

/* The identity that a database role is bound to here; false if none is. */
extern bool identity_of_role(Identity *identity, Oid role);

/* The same as the fingerprint alone. */
extern bool identity_role_fingerprint(uint8 fingerprint[HASH_BYTES], Oid role);

extern bool identity_has_role(const Identity *identity, IdentityRole role);

/*
 * Why it may not act at this time (microseconds since 1970), for "identity %s":
 * "was removed", "is not valid before ...".  NULL: it may.
 */
extern const char *identity_problem(const Identity *identity, int64 at_us);

/*
 * The identity in whose name a request is made; false if it names none.  *problem
 * is NULL if it may act, and asks at the node that says so; or for "identity %s": why not.
 * No other node can name it: only where it says itself that it asks, and members agreed.
 */
extern bool identity_of_request(Identity *identity, const Request *request, const char **problem);

/* The time now, in microseconds since 1970. */
extern int64 identity_now_us(void);

/* The fingerprint in groups, as people compare it; palloc'd. */
extern char *identity_text(const uint8 fingerprint[HASH_BYTES]);

/*
 * The identity that a person names by its fingerprint: eight groups of four hex
 * digits, or all 64.  An error with a hint if there is none.
 */
extern void identity_require(Identity *identity, const char *text);

/* How this node signs documents: its own key. */
extern void identity_of_self(Identity *identity);

#endif							/* SECMED_GOVERN_IDENTITY_H */
