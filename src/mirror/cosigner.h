/*
 * cosigner.h
 *	  The key with which this node countersigns, and its signature.
 */
#ifndef SECMED_COSIGNER_H
#define SECMED_COSIGNER_H

#include "ledger/history.h"

/* The current key, and the one that handed over to it, with which it signs as well. */
typedef struct Cosigner
{
	char		site[NODE_NAME_BYTES_MAX + 1];
	int			n;
	NoteKey		keys[2];
} Cosigner;

/*
 * A key is made, and introduced in this node's ledger, if there is none.  SPI
 * is connected, as the owner.
 */
extern void cosigner_find(Cosigner *cosigner);

/* The lines of the countersignatures of this checkpoint; palloc'd. */
extern char *cosigner_sign(const Cosigner *cosigner, const Checkpoint *head, uint64 time_s);

/* The keys of this node's ledger, or an error. */
extern KeyHistory *own_keys(void);

/* Appends an entry for which the person who asks is responsible, and waits until it is durable. */
extern void append_key_entry(LedgerEntry *entry);

#endif							/* SECMED_COSIGNER_H */
