/*
 * coordinator.c
 *	  A coordinator that has the right key and asks for the wrong things.
 *
 *	  coordinator CONNINFO KEYFILE CARD... < cases
 *
 * The first card is of the node that is called; the first three nodes are
 * sites and parties of the run.  A case is a line of words with values, tab
 * between them: what is changed in a good request or done after it.  Each has
 * a connection of its own, and one line of output: how the node ended it.
 */
#include "base/base.h"

#include <libpq-fe.h>
#include <sodium.h>
#include <sys/time.h>

#include "../memory.h"
#include "contract/proposal.h"
#include "identity/session.h"
#include "stats/glm_sums.h"

/* A pass of a regression with two columns. */
#define FIT_SQL		"SELECT secmed.exact_glm_sums($1, r1.age, 1, 0, ARRAY[1, r1.sex::float8]) FROM secmed_published.trial r1"

#define TIMEOUT_MS	500
#define LINE_BYTES	8192

static NodeKeys self;
static NodeCard cards[SITES_MAX];
static int	ncards;

/* A request and what is said after it; see change(). */
typedef struct Case
{
	Request		request;
	CanonicalPlan plan;
	bool		bad_signature;
	bool		bad_plan;
	bool		raw;			/* not sealed */
	const char *then;			/* once the site has shared */
	const char *propose;		/* is put before people: whole, or spoiled like this */
	const char *withdraw;		/* the question to take back, in hex; no request */
	bool		past;			/* asked twice: on a new connection, then in a transaction begun before */
	bool		drop;			/* asked twice: once it has shared under the contract, again without one, with what it has shared */
	StringInfoData before;
} Case;

static pg_attribute_noreturn() void
die(const char *what)
{
	fprintf(stderr, "coordinator: %s\n", what);
	exit(1);
}

static StringInfoData
empty(void)
{
	StringInfoData out;

	initStringInfo(&out);
	return out;
}

static int64
now_us(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return now.tv_sec * INT64CONST(1000000) + now.tv_usec;
}

static void
read_keys(const char *path)
{
	char		bytes[1024];
	FILE	   *in = fopen(path, "rb");
	size_t		len = in ? fread(bytes, 1, sizeof(bytes), in) : 0;
	const char *reason;

	if (!node_keys_decode(&self, bytes, len, &reason))
		die(reason);
	fclose(in);
}

static void
good_case(Case *what)
{
	static PlanTable table;
	static ComponentKind components[] = {COMPONENT_COUNT};
	static int	parts[] = {0};
	Request    *request = &what->request;

	memset(what, 0, sizeof(*what));
	table = (PlanTable) {"trial", 0, NULL};
	what->plan = (CanonicalPlan) {.sql = "SELECT count(*) FROM secmed_published.trial",
	.ntables = 1, .tables = &table, .ncomponents = 1, .components = components, .parts = parts, .nparts = 1};
	random_bytes(request->run, RUN_ID_BYTES);
	request->at_us = now_us();
	request->coordinator = self.card.name;
	request->requester = "mallory";
	request->kind = REQUEST_RUN;
	request->model = MODEL_HONEST_MAJORITY;
	request->timeout_ms = TIMEOUT_MS;
	request->nsites = PARTIES;
	for (int i = 0; i < PARTIES; i++)
	{
		request->sites[i].name = cards[i].name;
		card_fingerprint(request->sites[i].fingerprint, &cards[i]);
		request->parties[i] = request->sites[i];
	}
}

static void
from_hex(uint8 *bytes, size_t len, const char *hex)
{
	if (sodium_hex2bin(bytes, len, hex, strlen(hex), NULL, NULL, NULL) != 0)
		die(hex);
}

static void
set_right(bool *has, uint8 *right, size_t len, const char *hex)
{
	*has = true;
	from_hex(right, len, hex);
}

/* A plan that has a parameter. */
static void
ask_of_age(Case *what, char *value)
{
	static PlanColumn age = {"age", "integer"};
	static char *types[] = {"integer"};

	what->plan.sql = "SELECT count(*) FROM secmed_published.trial WHERE age > $1";
	what->plan.tables[0] = (PlanTable) {"trial", 1, &age};
	what->plan.nparams = what->request.nparams = 1;
	what->plan.param_types = types;
	what->request.params = palloc(sizeof(char *));
	what->request.params[0] = value;
}

/* A pass of a regression of age on sex, at a point; where a parameter has no business, "where" uses it. */
static void
ask_fit(Case *what, char *point, bool where)
{
	static PlanColumn columns[] = {{"age", "integer"}, {"sex", "smallint"}};
	static char *types[] = {"double precision[]"};
	static ComponentKind components[] = {COMPONENT_SUM_FLOAT_VECTOR};
	static int	widths[1];

	widths[0] = glm_sums_count(2);
	what->plan.sql = where ? FIT_SQL " WHERE r1.age::float8 = ANY ($1)" : FIT_SQL;
	what->plan.tables[0] = (PlanTable) {"trial", 2, columns};
	what->plan.nparams = what->request.nparams = 1;
	what->plan.param_types = types;
	what->plan.components = components;
	what->plan.widths = widths;
	what->request.params = palloc(sizeof(char *));
	what->request.params[0] = point;
}

static void
change(Case *what, const char *word, char *value)
{
	Request    *request = &what->request;

	if (strcmp(word, "sql") == 0)
		what->plan.sql = value;
	else if (strcmp(word, "table") == 0)
		what->plan.tables[0].name = value;
	else if (strcmp(word, "seconds") == 0)
		request->at_us += atoll(value) * INT64CONST(1000000);
	else if (strcmp(word, "coordinator") == 0)
		request->coordinator = value;
	else if (strcmp(word, "requester") == 0)
		request->requester = value;
	else if (strcmp(word, "identity") == 0)
		set_right(&request->has_identity, request->identity, HASH_BYTES, value);
	else if (strcmp(word, "contract") == 0)
		set_right(&request->has_contract, request->contract, HASH_BYTES, value);
	else if (strcmp(word, "submission") == 0)
		set_right(&request->has_submission, request->submission, SUBMISSION_ID_BYTES, value);
	else if (strcmp(word, "reader") == 0)
		set_right(&request->has_reader, request->reader, HASH_BYTES, value);
	else if (strcmp(word, "payment") == 0)
	{
		request->payment_len = strlen(value) / 2;
		request->payment = palloc(request->payment_len + 1);
		from_hex((uint8 *) request->payment, request->payment_len, value);
	}
	else if (strcmp(word, "model") == 0)
		request->model = value;
	else if (strcmp(word, "sites") == 0)
		request->nsites = atoi(value);
	else if (strcmp(word, "site") == 0)
		request->sites[1].name = value;
	else if (strcmp(word, "parameter") == 0)
	{
		what->request.nparams = 1;
		what->request.params = palloc(sizeof(char *));
		what->request.params[0] = value;
	}
	else if (strcmp(word, "age") == 0)
		ask_of_age(what, value);
	else if (strcmp(word, "fit") == 0 || strcmp(word, "fit of some") == 0)
		ask_fit(what, value, strcmp(word, "fit of some") == 0);
	else if (strcmp(word, "passes") == 0)
		request->passes_max = atoi(value);
	else if (strcmp(word, "stranger") == 0)
	{
		request->sites[0].name = request->parties[0].name = cards[3].name;
		card_fingerprint(request->sites[0].fingerprint, &cards[3]);
		request->parties[0] = request->sites[0];
	}
	else if (strcmp(word, "fingerprint") == 0)
		request->sites[1].fingerprint[0] ^= 1;
	else if (strcmp(word, "signature") == 0)
		what->bad_signature = true;
	else if (strcmp(word, "plan") == 0)
		what->bad_plan = true;
	else if (strcmp(word, "raw") == 0)
		what->raw = true;
	else if (strcmp(word, "then") == 0)
		what->then = value;
	else if (strcmp(word, "propose") == 0)
		what->propose = value;
	else if (strcmp(word, "withdraw") == 0)
		what->withdraw = value;
	else if (strcmp(word, "past") == 0)
		what->past = true;
	else if (strcmp(word, "drop") == 0)
		what->drop = true;
	else
		die(word);
}

static StringInfoData
request_of(Case *what)
{
	StringInfoData plan = empty();
	StringInfoData bytes = empty();

	plan_encode(&plan, &what->plan);
	if (what->bad_plan)
		plan.data[1] = 9;
	what->request.plan = (uint8 *) plan.data;
	what->request.plan_len = plan.len;
	request_encode(&bytes, &what->request, &self);
	if (what->bad_signature)
		bytes.data[bytes.len - 1] ^= 1;
	return bytes;
}

/* The connection ------------------------------------------------------------*/

/* The first result only: a call that fails is not followed by ReadyForQuery if its Sync was read. */
static PGresult *
call(PGconn *conn, const char *sql, StringInfo argument)
{
	Oid			bytea = 17;
	const char *value = argument->data;
	int			format = 1;

	if (!PQsendQueryParams(conn, sql, 1, &bytea, &value, &argument->len, &format, 1))
		die(PQerrorMessage(conn));
	return PQgetResult(conn);
}

static Session *
say_hello(PGconn *conn)
{
	StringInfoData hello = empty();
	Session    *session = session_hello(&self, cards[0].name, &hello);
	PGresult   *result = call(conn, "SELECT secmed.hello($1)", &hello);
	const char *reason = PQerrorMessage(conn);
	bool		wrong_key;

	if (PQresultStatus(result) != PGRES_TUPLES_OK ||
		!session_finish(session, &cards[0], PQgetvalue(result, 0, 0), PQgetlength(result, 0, 0), &reason, &wrong_key))
		die(reason);
	PQclear(result);
	if (PQgetResult(conn) != NULL)
		die("more than one welcome");
	return session;
}

static void
show_error(PGconn *conn, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	if (state == NULL)
		printf("%s: %s", PQresStatus(PQresultStatus(result)), PQerrorMessage(conn));
	else
		printf("%s: %s%s%s\n", state, message, detail ? ": " : "", detail ? detail : "");
}

/* After the request ---------------------------------------------------------*/

static void
say(PGconn *conn, Session *session, const StringInfoData *message)
{
	StringInfoData sealed = empty();

	session_seal(session, message->data, message->len, &sealed);
	if (PQputCopyData(conn, sealed.data, sealed.len) != 1)
		die("could not send");
}

/* All three sites' inputs are what the node that is called has shared. */
static StringInfoData
inputs_of(const StringInfoData *shares_bytes, const char *how)
{
	SharesMessage shares;
	InputsMessage inputs = {.nsites = PARTIES};
	StringInfoData bytes = empty();
	StringInfoData changed = empty();
	Receipt		receipt;
	const char *reason;

	if (!shares_decode(&shares, shares_bytes->data, shares_bytes->len, &reason) ||
		!receipt_decode(&receipt, shares.receipt.data, shares.receipt.len, &reason))
		die(reason);
	if (strcmp(how, "threshold") == 0)
	{
		receipt.patients_min = 1;
		receipt_encode(&changed, &receipt);
		shares.receipt = (Bytes) {(uint8 *) changed.data, changed.len};
	}
	if (strcmp(how, "package") == 0)
	{
		appendBinaryStringInfo(&changed, (const char *) shares.sealed[0].data, shares.sealed[0].len);
		changed.data[changed.len - 1] ^= 1;
		shares.sealed[0] = (Bytes) {(uint8 *) changed.data, changed.len};
	}
	if (strcmp(how, "too few") == 0)
		inputs.nsites = 2;
	for (int i = 0; i < inputs.nsites; i++)
	{
		inputs.receipts[i] = shares.receipt;
		memcpy(inputs.signatures[i], shares.signature, SIGNATURE_BYTES);
		inputs.sealed[i] = shares.sealed[0];
	}
	inputs_encode(&bytes, &inputs);
	return bytes;
}

static void
continue_with(PGconn *conn, Session *session, const StringInfoData *shares, const char *how)
{
	StringInfoData message = empty();

	if (strcmp(how, "silence") == 0)
		return;
	if (strcmp(how, "the end") == 0)
	{
		PQputCopyEnd(conn, NULL);
		return;
	}
	if (strcmp(how, "failure") == 0)
	{
		PQputCopyEnd(conn, "I do not want to");
		return;
	}
	if (strcmp(how, "a false frame") == 0)
	{
		PQputCopyData(conn, shares->data, shares->len);
		return;
	}
	if (strcmp(how, "shares") == 0)
		message = *shares;
	else if (strcmp(how, "finish") == 0)
		finish_encode(&message, &(FinishMessage) {.released = true});
	else
		message = inputs_of(shares, how);
	say(conn, session, &message);
}

static void
take_shares(PGconn *conn, Session *session, StringInfo shares)
{
	char	   *frame;
	int			len = PQgetCopyData(conn, &frame, false);

	if (len < 0 || !session_open(session, frame, len, shares))
		die("no shares have come");
	PQfreemem(frame);
}

/* What the node says until it has ended the call. */
static void
show_end(PGconn *conn)
{
	PGresult   *result;
	char	   *frame;

	PQflush(conn);
	while (PQgetCopyData(conn, &frame, false) > 0)
		PQfreemem(frame);
	result = PQgetResult(conn);
	show_error(conn, result);
	PQclear(result);
}

/* People -------------------------------------------------------------------*/

static StringInfoData
question_of(Case *what)
{
	StringInfoData request = empty();
	StringInfoData bytes = empty();
	ProposalQuestion question = {.withdraw = what->withdraw != NULL};

	if (question.withdraw)
		from_hex(question.submission, SUBMISSION_ID_BYTES, what->withdraw);
	else
		request = request_of(what);
	question.request = (uint8 *) request.data;
	question.request_len = request.len;
	proposal_question_encode(&bytes, &question);
	return bytes;
}

static void
spoil(StringInfo bytes, const char *how)
{
	if (strcmp(how, "cut") == 0)
		bytes->len /= 2;
	else if (strcmp(how, "nothing") == 0)
		bytes->len = 0;
	else if (strcmp(how, "more") == 0)
		appendStringInfoChar(bytes, 0);
	else if (strcmp(how, "twice") == 0)
		appendBinaryStringInfo(bytes, bytes->data, bytes->len);
	else if (strcmp(how, "another word") == 0)
		bytes->data[2] ^= 1;
	else if (strcmp(how, "huge") == 0)
		while (bytes->len < 3 * REQUEST_BYTES_MAX + 4096)
			appendStringInfoString(bytes, "huge and huger, ");
	else if (strcmp(how, "whole") != 0)
		die(how);
}

static void
propose(PGconn *conn, Session *session, Case *what)
{
	StringInfoData question = question_of(what);
	StringInfoData sealed = empty();
	StringInfoData opened = empty();
	ApprovalFact answer;
	const char *reason;
	PGresult   *result;

	spoil(&question, what->propose ? what->propose : "whole");
	session_seal(session, question.data, question.len, &sealed);
	result = call(conn, "SELECT secmed.propose($1)", what->raw ? &question : &sealed);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		show_error(conn, result);
	else if (!session_open(session, PQgetvalue(result, 0, 0), PQgetlength(result, 0, 0), &opened) ||
			 !proposal_answer_decode(&answer, opened.data, opened.len, &reason))
		die("not an answer to a proposal");
	else
		printf("%s\n", approval_state_name(answer.state));
	PQclear(result);
}

/* A run --------------------------------------------------------------------*/

/* What it has shared, on a connection of its own that then goes away. */
static StringInfoData
shares_before(const char *conninfo, Case *what)
{
	PGconn	   *conn = PQconnectdb(conninfo);
	Session    *session = say_hello(conn);
	StringInfoData request = request_of(what);
	StringInfoData sealed = empty();
	StringInfoData shares = empty();
	PGresult   *result;

	session_seal(session, request.data, request.len, &sealed);
	result = call(conn, "CALL secmed.serve($1)", &sealed);
	if (PQresultStatus(result) != PGRES_COPY_BOTH)
		die(PQresultErrorMessage(result));
	take_shares(conn, session, &shares);
	PQclear(result);
	PQfinish(conn);
	return shares;
}

static void
run(PGconn *conn, Session *session, Case *what)
{
	StringInfoData request = request_of(what);
	StringInfoData sealed = empty();
	StringInfoData shares = empty();
	PGresult   *result;

	session_seal(session, request.data, request.len, &sealed);
	result = call(conn, "CALL secmed.serve($1)", what->raw ? &request : &sealed);
	if (PQresultStatus(result) != PGRES_COPY_BOTH)
		show_error(conn, result);
	else if (what->then == NULL)
		printf("serves\n");
	else
	{
		take_shares(conn, session, &shares);
		continue_with(conn, session, what->drop ? &what->before : &shares, what->then);
		show_end(conn);
	}
	PQclear(result);
}

/* What is committed from here on it does not see. */
static void
stay_behind(PGconn *conn)
{
	PQclear(PQexec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
	PQclear(PQexec(conn, "SELECT count(*) FROM pg_catalog.pg_class"));
	if (PQtransactionStatus(conn) != PQTRANS_INTRANS)
		die(PQerrorMessage(conn));
}

static void
play(const char *conninfo, Case *what)
{
	PGconn	   *conn = PQconnectdb(conninfo);
	Session    *session;

	if (PQstatus(conn) != CONNECTION_OK)
		die(PQerrorMessage(conn));
	session = say_hello(conn);
	if (what->past)
	{
		what->past = false;
		stay_behind(conn);
		play(conninfo, what);
		random_bytes(what->request.run, RUN_ID_BYTES);
	}
	if (what->drop)
	{
		what->before = shares_before(conninfo, what);
		what->request.has_contract = false;
	}
	if (what->propose || what->withdraw)
		propose(conn, session, what);
	else
		run(conn, session, what);
	fflush(stdout);
	PQfinish(conn);
}

int
main(int argc, char **argv)
{
	char		line[LINE_BYTES];
	const char *reason;

	if (argc < 3 + 4)
		die("CONNINFO KEYFILE CARD CARD CARD CARD");
	read_keys(argv[2]);
	for (ncards = 0; ncards + 3 < argc; ncards++)
		if (!card_from_text(&cards[ncards], argv[3 + ncards], &reason))
			die(reason);
	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		Case		what;
		char	   *word;

		line[strcspn(line, "\n")] = '\0';
		good_case(&what);
		for (word = strtok(line, "\t"); word != NULL; word = strtok(NULL, "\t"))
		{
			char	   *value = strtok(NULL, "\t");

			change(&what, word, value ? value : "");
		}
		play(argv[1], &what);
		memory_reset();
	}
	return 0;
}
