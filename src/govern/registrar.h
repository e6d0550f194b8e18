/*
 * registrar.h
 *	  Who is admitted and removed: votes of members, counted.
 *
 * A member is an admitted identity with role governance.  A vote counts while
 * its voter is a member, if his identity was valid at the time that the vote
 * names.  How many are needed says the governance document in force, else it
 * is a majority of the members that are valid now.  The one who is to be
 * replaced has no vote on that.
 *
 * The first members are admitted by each node's administrator
 * (secmed.admit_founders), as long as no vote was counted and no governance
 * document is in force, or fewer members are left than an admission needs.
 */
#ifndef SECMED_REGISTRAR_H
#define SECMED_REGISTRAR_H

#include "govern/document.h"

/* Hooks of the kinds identity, vote, governance. */
extern DocumentFate registrar_identity(const DocumentTaken *taken, const char **reason);
extern DocumentFate registrar_vote(const DocumentTaken *taken, const char **reason);
extern DocumentFate registrar_governance(const DocumentTaken *taken, const char **reason);

/* Admits without votes; an error when the time for that is over.  The documents were taken in. */
extern void registrar_found(uint8 (*documents)[HASH_BYTES], int n);

#endif							/* SECMED_REGISTRAR_H */
