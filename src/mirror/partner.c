/*
 * partner.c
 *	  Calls of the mirror worker to other nodes.
 */
#include "base/base.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "mirror/partner.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* A node that fails is asked again after 0.5, 1, 2, 4, then 5 s. */
#define RETRY_MS_FIRST	500
#define RETRY_MS_MAX	5000

int			npartners = 0;
Partner		partners[PARTNERS_MAX];

Partner *
partner_get(const char *name)
{
	Partner    *partner;

	for (int i = 0; i < npartners; i++)
		if (strcmp(partners[i].name, name) == 0)
			return &partners[i];
	if (npartners == PARTNERS_MAX)
		return NULL;
	partner = &partners[npartners++];
	memset(partner, 0, sizeof(*partner));
	strlcpy(partner->name, name, sizeof(partner->name));
	return partner;
}

static void
note_problem(Partner *partner, const char *problem)
{
	size_t		len = pg_mbcliplen(problem, strlen(problem), sizeof(partner->problem) - 1);

	memcpy(partner->problem, problem, len);
	partner->problem[len] = '\0';
}

void
partner_failed(Partner *partner, const char *problem)
{
	long		wait_ms = (long) RETRY_MS_FIRST << Min(partner->failures, 4);

	note_problem(partner, problem);
	partner->failures++;
	partner->step = PARTNER_RESTS;
	partner->held_known = false;
	partner->retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), Min(wait_ms, RETRY_MS_MAX));
}

/* Asking --------------------------------------------------------------------*/

/* Its failure must not undo the calls of others, so it has a subtransaction of its own. */
static bool
call(const char *name, const StringInfoData *message, char **problem)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		nodeconn_call(nodeconn_get(name), "mirror", message->data, message->len);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		*problem = error->message;
		ok = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return ok;
}

void
partner_ask(Partner *partner, const MirrorQuestion *question, uint64 size)
{
	StringInfoData message;
	char	   *problem;

	initStringInfo(&message);
	mirror_question_encode(&message, question);
	partner->asked = question->kind;
	partner->asked_size = size;
	partner->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	partner->step = PARTNER_ASKED;
	if (!call(partner->name, &message, &problem))
		partner_failed(partner, problem);
	pfree(message.data);
}

/* Waiting -------------------------------------------------------------------*/

static void
give_up(Partner *partner, const char *problem)
{
	nodeconn_abort(nodeconn_get(partner->name));
	partner_failed(partner, problem);
}

static void
take_answer(Partner *partner, NodeConn *conn, void (*take) (Partner *, const MirrorAnswer *))
{
	MirrorAnswer answer;
	const char *message;
	const char *reason;
	size_t		len;

	if (nodeconn_ended(conn))
	{
		give_up(partner, "The node has ended the call without an answer.");
		return;
	}
	if (!nodeconn_receive(conn, &message, &len))
		return;
	if (!mirror_answer_decode(&answer, message, len, &reason))
	{
		give_up(partner, "The node's answer is not one that the protocol allows.");
		return;
	}
	partner->step = PARTNER_ENDING;
	partner->failures = 0;
	partner->problem[0] = '\0';
	take(partner, &answer);
}

static void
move_on(Partner *partner, void (*take) (Partner *, const MirrorAnswer *))
{
	NodeConn   *conn = nodeconn_get(partner->name);

	if (partner->step == PARTNER_RESTS)
		return;
	if (nodeconn_socket(conn) == PGINVALID_SOCKET)
	{
		partner_failed(partner, "The connection was lost.");
		return;
	}
	if (partner->step == PARTNER_ASKED)
		take_answer(partner, conn, take);
	if (partner->step == PARTNER_ENDING && nodeconn_finish(conn))
		partner->step = PARTNER_RESTS;
	if (partner->step != PARTNER_RESTS && GetCurrentTimestamp() >= partner->deadline)
		give_up(partner, "The node did not answer within secmed.node_timeout.");
}

void
partners_wait(TimestampTz until, void (*take) (Partner *partner, const MirrorAnswer *answer))
{
	NodeConn   *conns[PARTNERS_MAX];
	Partner    *of[PARTNERS_MAX];
	ErrorData  *failed = NULL;
	int			which = 0;
	int			n = 0;

	for (int i = 0; i < npartners; i++)
	{
		if (partners[i].step == PARTNER_RESTS)
			continue;
		until = Min(until, partners[i].deadline);
		of[n] = &partners[i];
		conns[n++] = nodeconn_get(partners[i].name);
	}
	(void) nodeconn_wait(conns, n, until, &failed, &which);
	if (failed != NULL)
	{
		partner_failed(of[which], failed->detail ? psprintf("%s: %s", failed->message, failed->detail) : failed->message);
		FreeErrorData(failed);
	}
	for (int i = 0; i < n; i++)
		move_on(of[i], take);
}
