/*
 * client.c
 *	  Asking other nodes about shared tables.
 *
 * A question is `SELECT secmed.shared($1)`, a transaction of its own at the
 * other node, which has ended when the answer is here.
 */
#include "postgres.h"

#include "peer/connection.h"
#include "shared/client.h"

/* When one node has failed the others are waited for so long. */
#define BLAME_MS		300

static void
take_answer(const char *node, SharedVerb verb, const char *bytes, size_t len, SharedMessage *answer)
{
	char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext, len + 1);
	const char *reason;

	memcpy(copy, bytes, len);
	if (!shared_answer_decode(answer, verb, copy, len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", node),
				 errdetail("%s.", reason)));
}

static void
call(NodeConn *conn, const SharedMessage *question)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	shared_question_encode(&bytes, question);
	nodeconn_call(conn, "shared", bytes.data, bytes.len);
	pfree(bytes.data);
}

typedef struct Asking
{
	const char *const *nodes;
	int			n;
	const SharedMessage *questions;
	SharedMessage *answers;
	NodeConn   *conns[PARTIES];
	bool		ended[PARTIES]; /* answered, or failed */
	ErrorData  *failures[PARTIES];
	bool		failed;
	TimestampTz deadline;
} Asking;

static void
take_answers(Asking *asking)
{
	for (int i = 0; i < asking->n; i++)
	{
		const char *bytes;
		size_t		len;

		if (!asking->ended[i] && nodeconn_receive(asking->conns[i], &bytes, &len))
		{
			take_answer(asking->nodes[i], asking->questions[i].verb, bytes, len, &asking->answers[i]);
			asking->ended[i] = true;
		}
	}
}

/* Those that have neither answered nor failed; returns how many. */
static int
waiting_conns(const Asking *asking, NodeConn **conns, int *index)
{
	int			n = 0;

	for (int i = 0; i < asking->n; i++)
		if (!asking->ended[i])
		{
			index[n] = i;
			conns[n++] = asking->conns[i];
		}
	return n;
}

static pg_attribute_noreturn() void
raise_silence(const Asking *asking, const char *node)
{
	for (int i = 0; i < asking->n; i++)
		nodeconn_abort(asking->conns[i]);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NODE_LOST),
			 errmsg("node \"%s\" did not answer within %g s", node, node_timeout_ms / 1000.0),
			 errhint("If the node is busy rather than gone, raise secmed.node_timeout.")));
}

/* The others may finish what they were asked, for a moment; then the first party's failure is told. */
static pg_attribute_noreturn() void
raise_failure(const Asking *asking)
{
	for (int i = 0; i < asking->n; i++)
		if (!asking->ended[i])
			nodeconn_abort(asking->conns[i]);
	for (int i = 0; i < asking->n; i++)
		if (asking->failures[i] != NULL)
			ReThrowError(asking->failures[i]);
	elog(ERROR, "a node failed without an error");
}

/* Waits until something moves; false when it is time to give up. */
static bool
wait_for_answers(Asking *asking)
{
	NodeConn   *conns[PARTIES];
	int			index[PARTIES];
	int			n = waiting_conns(asking, conns, index);
	ErrorData  *failure = NULL;
	int			which = 0;

	if (n == 0)
		return false;
	if (!nodeconn_wait(conns, n, asking->deadline, &failure, &which))
	{
		if (!asking->failed)
			raise_silence(asking, asking->nodes[index[0]]);
		return false;
	}
	if (failure != NULL)
	{
		asking->failures[index[which]] = failure;
		asking->ended[index[which]] = true;
		if (!asking->failed)
			asking->deadline = Min(asking->deadline, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), BLAME_MS));
		asking->failed = true;
	}
	return true;
}

void
shared_ask(const char *const *nodes, int n, const SharedMessage *questions, SharedMessage *answers)
{
	Asking		asking = {.nodes = nodes, .n = n, .questions = questions, .answers = answers};

	Assert(n <= PARTIES);
	for (int i = 0; i < n; i++)
	{
		asking.conns[i] = nodeconn_get(nodes[i]);
		call(asking.conns[i], &questions[i]);
	}
	asking.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	do
	{
		take_answers(&asking);
	} while (wait_for_answers(&asking));
	if (asking.failed)
		raise_failure(&asking);
}
