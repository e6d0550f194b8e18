/*
 * partner.h
 *	  The nodes that this node's mirror worker talks to: what each holds of this
 *	  ledger, what it was asked, when it is asked again.
 *
 * One question at a time to each, all at once to all of them; none waits for
 * another.
 */
#ifndef SECMED_PARTNER_H
#define SECMED_PARTNER_H

#include "ledger/mirror.h"
#include "ledger/tlog_policy.h"
#include "peer/connection.h"

#define PARTNERS_MAX	(POLICY_WITNESSES_MAX * 2)

typedef enum PartnerStep
{
	PARTNER_RESTS,
	PARTNER_ASKED,				/* its answer has not come */
	PARTNER_ENDING				/* it has, and the call is being ended */
} PartnerStep;

typedef struct Partner
{
	char		name[NODE_NAME_BYTES_MAX + 1];
	bool		wanted;			/* still a witness, or a ledger that is held here */
	bool		is_witness;
	NoteKey		key;			/* if it is one, under the newest policy */
	NoteKey		target_key;		/* and under that of the checkpoint that is due */

	PartnerStep step;
	MirrorKind	asked;
	uint64		asked_size;		/* of the checkpoint in the question */
	TimestampTz deadline;
	TimestampTz retry_at;		/* not before */
	int			failures;		/* in a row */
	char		problem[256];	/* of the last answer; "" if it was good */

	bool		held_known;
	bool		confused;		/* it has refused a checkpoint for what it holds */
	uint64		held;			/* so many entries it holds */
	uint64		turn;			/* of its answer to that */
	bool		head_checked;	/* it has said what it holds since this worker's start */
	uint64		signed_size;	/* of its newest countersignature, below */
	uint64		signed_s;
	char		line[1024];		/* by its newest key, and perhaps by the one before */
	uint64		told_certified;	/* size of the certified checkpoint that it was sent */
	TimestampTz tell_at;		/* when it is sent the next */
	bool		beat;			/* it shall countersign afresh */
	bool		gossip;			/* and hear what we know of others */
} Partner;

extern int	npartners;
extern Partner partners[PARTNERS_MAX];

/* The partner of this name, made if there is none; NULL if there is no room. */
extern Partner *partner_get(const char *name);

/* Asks; in a transaction.  A failure is noted, not raised. */
extern void partner_ask(Partner *partner, const MirrorQuestion *question, uint64 size);

/*
 * Waits until something has happened, or until; moves all calls.  take is
 * called, in no transaction, with each answer.
 */
extern void partners_wait(TimestampTz until, void (*take) (Partner *partner, const MirrorAnswer *answer));

/* It did not answer, or not as it must. */
extern void partner_failed(Partner *partner, const char *problem);

#endif							/* SECMED_PARTNER_H */
