/*
 * tlog_policy.h
 *	  Whose signatures make a checkpoint count (c2sp.org/tlog-policy).
 *
 *	  log secmed.eu/charite/.../1+ID+KEY
 *	  witness lmu secmed.eu/lmu/cosigner+ID+KEY
 *	  witness gemelli secmed.eu/gemelli/cosigner+ID+KEY
 *	  group peers 1 lmu gemelli
 *	  quorum peers
 *
 * A checkpoint counts when a log of the policy whose name is the checkpoint's
 * origin has signed it, and the quorum has countersigned it.
 */
#ifndef SECMED_TLOG_POLICY_H
#define SECMED_TLOG_POLICY_H

#include "ledger/note.h"

/* The specification asks for 32 of each. */
#define POLICY_LOGS_MAX			64
#define POLICY_WITNESSES_MAX	64
#define POLICY_NAMES_MAX		128
#define POLICY_BYTES_MAX		(64 * 1024)

/* A witness, or a group of those before it. */
typedef struct PolicyName
{
	char	   *name;
	int			witness;		/* -1: a group */
	int			need;			/* so many members of the group */
	int			group;			/* the group it is in, or -1 */
} PolicyName;

typedef struct Policy
{
	int			nlogs;
	NoteKey		logs[POLICY_LOGS_MAX];
	int			nwitnesses;
	NoteKey		witnesses[POLICY_WITNESSES_MAX];
	int			nnames;
	PolicyName	names[POLICY_NAMES_MAX];
	int			quorum;			/* index into names, or -1: none is needed */
} Policy;

/* False with a reason (constant string). */
extern bool policy_parse(Policy *policy, const void *bytes, size_t len, const char **reason);

/* What the countersignatures say, and when. */
typedef struct PolicySigned
{
	int			n;
	bool		by[POLICY_WITNESSES_MAX];
	uint64		at[POLICY_WITNESSES_MAX];	/* seconds since 1970 */
} PolicySigned;

/* The countersignatures alone; false with a reason if one is forged or there are too few. */
extern bool policy_quorum(const Policy *policy, const Note *note, PolicySigned *found,
						  const char **reason);

/* The whole rule. */
extern bool policy_check(const Policy *policy, const Note *note, const char *origin,
						 PolicySigned *found, const char **reason);

#endif							/* SECMED_TLOG_POLICY_H */
