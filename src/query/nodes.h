/*
 * nodes.h
 *	  The nodes of a run, as the coordinator talks to them: all at once, with
 *	  what is waited for written down for each (Want).
 *
 * Whoever runs something fills in the request, asks everybody, and is called
 * back with each message that comes.  Whatever fails, nodes_abort() closes all
 * connections, which cancels the run at every node.
 */
#ifndef SECMED_NODES_H
#define SECMED_NODES_H

#include "postgres.h"
#include "contract/policy.h"
#include "peer/connection.h"
#include "query/options.h"

typedef enum Want
{
	WANT_NOTHING,
	WANT_SHARES,
	WANT_INPUTS,				/* a party that waits for its inputs */
	WANT_RESULT,
	WANT_PROPOSAL,				/* what its people say */
	WANT_DONE,
	WANT_END
} Want;

typedef struct RunNode
{
	const char *name;
	NodeConn   *conn;
	int			site;			/* index, or -1 */
	int			party;			/* index, or -1 */
	Want		want;
	SharesMessage shares;
	ResultMessage result;
	ApprovalFact proposal;
} RunNode;

typedef struct RunNodes
{
	int			n;
	RunNode		node[SITES_MAX + PARTIES];

	/*
	 * A node that WANT_SHARES or WANT_RESULT has sent this message; it lies in a
	 * receive buffer.  Says what is wanted next.
	 */
	void		(*take) (RunNode *node, const char *message, size_t len, void *arg);
	void	   *arg;

	/* Set when a node has refused because it asks people first, and the coordinator would ask them. */
	bool		may_wait;
	bool		awaits;
} RunNodes;

/*
 * Fills in everything of a request but the plan and its parameters: a new run id, the
 * time, who asks, the sites if there are any to be asked, and the parties; and adds
 * the nodes.  Fails if one of them is unknown here.
 */
extern void nodes_prepare(RunNodes *nodes, Request *request, const Federation *federation,
						  RequestKind kind, bool asks_sites);

/* The time is now; and a new run id: the request is for another run. */
extern void nodes_touch(Request *request);
extern void nodes_renew(Request *request);

/* Signs the request and starts CALL secmed.PROCEDURE at every node. */
extern void nodes_ask(RunNodes *nodes, const Request *request, const char *procedure);

/*
 * Moves everything until nobody wants `want` any more.  step says what for, in an
 * error: "its shares".  No longer silent than secmed.node_timeout; raises the failure that
 * names the node to blame.
 * With may_wait it returns, all connections closed, with awaits set when a node asks people first.
 */
extern void nodes_wait_while(RunNodes *nodes, Want want, const char *step);

/*
 * Asks the people at every node for their yes to the request, which has a submission; what they have
 * said is in the proposals.  Again, asks only those who have not said yes.
 */
extern void nodes_propose(RunNodes *nodes, const Request *request);

/*
 * A node that WANT_SHARES has sent them: they are kept, and the node wants inputs, if it is a party.  Once all have come,
 * each party gets every site's receipt and the package sealed to it, as it came, and wants a result.
 */
extern void nodes_take_shares(RunNode *node, const char *message, size_t len);
extern void nodes_pass_on_shares(RunNodes *nodes, const Request *request);

/* Tells everybody how the run has ended, and waits until it is on every ledger. */
extern void nodes_finish(RunNodes *nodes, const FinishMessage *finish);

/* The other ends see their connections close, and cancel. */
extern void nodes_abort(RunNodes *nodes);

/* ERRCODE_SECMED_PROTOCOL in the name of this node. */
extern void nodes_protocol_error(const RunNode *node, const char *reason) pg_attribute_noreturn();

/* A copy of a message, for later. */
extern void *nodes_keep(const char *message, size_t len);

/* "node:role" of the current user, for requests and ledgers. */
extern char *current_actor(void);

#endif							/* SECMED_NODES_H */
