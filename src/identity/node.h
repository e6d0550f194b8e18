/*
 * node.h
 *	  This node, and the nodes it has been introduced to (server only).
 *
 * Private keys live in $PGDATA/secmed/<database oid>.key (0600), never in a
 * table or a dump.  secmed.node holds name and public keys; both must agree.
 */
#ifndef SECMED_NODE_H
#define SECMED_NODE_H

#include "identity/card.h"

typedef struct Peer
{
	NodeCard	card;
	char	   *conninfo;		/* libpq connection string, or NULL: never called */
} Peer;

/*
 * This database's keys, cached for the session (in memory that is wiped at
 * exit).  ERRCODE_SECMED_NO_NODE when there is none or the file is missing,
 * readable by others, or another node's.
 */
extern const NodeKeys *node_self(void);

/* Writes the key file of this database; key_file_write() says when. */
extern void node_keys_store(const NodeKeys *keys);

/* False if name is not a peer (this node itself counts as a peer once added). */
extern bool peer_lookup(Peer *peer, const char *name);

/* The same, or ERRCODE_SECMED_UNKNOWN_NODE with a hint. */
extern void peer_require(Peer *peer, const char *name);

/*
 * The card that a person has pasted, or an error with a hint.  Returns the
 * text without the white space around it.
 */
extern char *card_parse(NodeCard *card, const char *text);

/* Do both have the same two public keys? */
extern bool card_same_keys(const NodeCard *a, const NodeCard *b);

/*
 * A bit of the security context (miscadmin.h has the others): what runs is
 * secmed's own work, which leaves its own entries or needs none, so that it is
 * not audited as somebody's access.  Restored by an error like the user.
 */
#define NODE_OWN_WORK		0x10000

/*
 * Read and write secmed's own tables with the rights of the extension's
 * owner: between these, SPI runs as the owner with a pinned search_path, as
 * NODE_OWN_WORK.  Restored by an error as well.
 */
typedef struct OwnerScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} OwnerScope;
extern void owner_begin(OwnerScope *scope);
extern void owner_end(OwnerScope *scope);

#endif							/* SECMED_NODE_H */
