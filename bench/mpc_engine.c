/*
 * mpc_engine.c
 *	  The engine measured: three processes of one thread each.
 *
 *	  mpc_engine [OPERATION [ROWS]]
 *	  mpc_engine wire MODULE CONNINFO CONNINFO CONNINFO [OPERATION [ROWS]]
 *
 * The first is over raw sockets on loopback: messages are neither sealed nor
 * authenticated.  The second does each operation so, and then in three servers, whose nodes are
 * connected with each other (mpc_wire.c, the library MODULE), and compares.
 *
 * A run lasts from the first party that starts to the last that ends.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/channel.h"
#include "crypto/hash.h"
#include "mpc_operations.h"

/* ---- one party over raw sockets ---- */

static void
wait_sockets(Party *self, bool sending, bool receiving)
{
	socket_channels_wait(self->prev, self->next, receiving, 1000);
}

static int
be_party(int index, int prev, int next, const Operation *operation, size_t n, Report *report)
{
	Party		party = {.index = index, .wait = wait_sockets};
	Channel		channels[2];
	jmp_buf		handler;
	uint8		seeds[2][SEED_BYTES] = {{1, (uint8) index}, {1, (uint8) PARTY_NEXT(index)}};

	fail_handler = &handler;
	if (setjmp(handler) != 0)
	{
		fprintf(stderr, "party %d: %s\n", index, fail_message);
		return 1;
	}
	socket_channel_open(&channels[0], prev);
	socket_channel_open(&channels[1], next);
	party.prev = &channels[0];
	party.next = &channels[1];
	party.prg_mine = prg_create(seeds[0]);
	party.prg_next = prg_create(seeds[1]);
	mpc_measure(&party, operation, n, report);
	return 0;
}

/* ---- three processes ---- */

/* Both ends of a TCP connection over loopback. */
static void
connect_pair(int *a, int *b)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM, 0);

	*a = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || *a < 0 ||
		bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *) &address, &len) != 0 ||
		connect(*a, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		(*b = accept(listener, NULL, NULL)) < 0)
	{
		perror("loopback");
		exit(1);
	}
	close(listener);
}

static bool
run_parties(const Operation *operation, size_t n, Report *report)
{
	int			prev[PARTIES];
	int			next[PARTIES];
	pid_t		pids[PARTIES];
	bool		good = true;

	fflush(stdout);
	for (int i = 0; i < PARTIES; i++)
		connect_pair(&prev[i], &next[PARTY_PREV(i)]);
	for (int i = 0; i < PARTIES; i++)
	{
		pids[i] = fork();
		if (pids[i] == 0)
		{
			for (int k = 0; k < PARTIES; k++)
			{
				if (k != i)
				{
					close(prev[k]);
					close(next[k]);
				}
			}
			_exit(be_party(i, prev[i], next[i], operation, n, &report[i]));
		}
	}
	for (int i = 0; i < PARTIES; i++)
	{
		int			status;

		close(prev[i]);
		close(next[i]);
		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			good = false;
	}
	return good;
}

/* ---- printing ---- */

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *values, int n)
{
	qsort(values, n, sizeof(double), by_value);
	return values[n / 2];
}

/* What was measured, of the runs without the first. */
typedef struct Figures
{
	double		time;			/* medians */
	double		cpu;			/* of all parties */
	uint64		bytes;			/* of the party that sends most */
	int			rounds;
	bool		good;
} Figures;

static Figures
figures_of(const Report report[PARTIES])
{
	Figures		figures = {.rounds = (int) report[0].rounds, .good = true};
	double		times[MPC_RUNS];
	double		cpus[MPC_RUNS];

	for (int run = 1; run <= MPC_RUNS; run++)
	{
		double		start = report[0].start[run];
		double		end = report[0].end[run];

		cpus[run - 1] = 0;
		for (int i = 0; i < PARTIES; i++)
		{
			start = Min(start, report[i].start[run]);
			end = Max(end, report[i].end[run]);
			cpus[run - 1] += report[i].cpu[run];
		}
		times[run - 1] = end - start;
	}
	for (int i = 0; i < PARTIES; i++)
	{
		figures.bytes = Max(figures.bytes, report[i].bytes);
		figures.good &= report[i].good;
	}
	figures.time = median(times, MPC_RUNS);
	figures.cpu = median(cpus, MPC_RUNS);
	return figures;
}

/* Returns the quotient of time and goal, 0 if there is no goal; below 0 if the result is wrong. */
static double
print_figures(const char *name, size_t rows, const Figures *figures, double goal)
{
	printf("%-22s %9zu %9.4f %9.4f %9.3f %6d %11.0f", name, rows, figures->time, figures->cpu,
		   figures->bytes / 1e6, figures->rounds, rows / figures->time);
	if (goal > 0)
		printf(" %8.4f %6.2f", goal, figures->time / goal);
	else
		printf(" %8s %6s", "-", "-");
	if (!figures->good)
		printf("  WRONG");
	return !figures->good ? -1 : goal > 0 ? figures->time / goal : 0;
}

/* Over raw sockets. */
static double
print_raw(const Operation *operation, size_t rows, Report *report, Figures *figures)
{
	double		ratio;

	memset(report, 0, PARTIES * sizeof(Report));
	if (!run_parties(operation, rows, report))
	{
		printf("%-22s failed\n", operation->name);
		return -1;
	}
	*figures = figures_of(report);
	ratio = print_figures(operation->name, rows, figures, operation->goal_s * rows / operation->rows);
	if (operation->goal_mb > 0)
		printf("  %.1f MB", operation->goal_mb * rows / operation->rows);
	printf("\n");
	return ratio;
}

/* ---- over the links of three nodes ---- */

/* The goal: over PostgreSQL's connections no operation takes so many times its time over raw sockets. */
#define WIRE_GOAL	1.3

typedef struct Wire
{
	PGconn	   *conn[PARTIES];
} Wire;

static void
give_up(PGconn *conn)
{
	fprintf(stderr, "%s", PQerrorMessage(conn));
	exit(1);
}

static Wire *
wire_open(const char *module, char *const conninfo[PARTIES])
{
	Wire	   *wire = palloc0(sizeof(Wire));

	for (int i = 0; i < PARTIES; i++)
	{
		PGconn	   *conn = wire->conn[i] = PQconnectdb(conninfo[i]);
		char		sql[1024];

		if (PQstatus(conn) != CONNECTION_OK)
			give_up(conn);
		snprintf(sql, sizeof(sql), "LOAD 'secmed'; CREATE OR REPLACE FUNCTION pg_temp.mpc_wire(text, bigint, bytea, integer)"
				 " RETURNS text STRICT LANGUAGE c AS '%s', 'mpc_wire'", module);
		if (PQresultStatus(PQexec(conn, sql)) != PGRES_COMMAND_OK)
			give_up(conn);
	}
	return wire;
}

static void
wire_call(PGconn *conn, const Operation *operation, size_t rows, const uint8 run[16], int party)
{
	char		sql[256];
	char		hex[33];

	for (int k = 0; k < 16; k++)
		sprintf(hex + 2 * k, "%02x", run[k]);
	snprintf(sql, sizeof(sql), "SELECT pg_temp.mpc_wire('%s', %zu, '\\x%s', %d)", operation->name, rows, hex, party);
	if (!PQsendQuery(conn, sql))
		give_up(conn);
}

/* Numbers in the order of Report. */
static void
read_report(const char *text, Report *report)
{
	char	   *at = (char *) text;

	for (int run = 0; run <= MPC_RUNS; run++)
	{
		report->start[run] = strtod(at, &at);
		report->end[run] = strtod(at, &at);
		report->cpu[run] = strtod(at, &at);
	}
	report->bytes = strtoull(at, &at, 10);
	report->rounds = strtoull(at, &at, 10);
	report->good = strtoull(at, &at, 10) == 1;
}

static bool
wire_run(Wire *wire, const Operation *operation, size_t rows, Report report[PARTIES])
{
	uint8		run[16];
	bool		good = true;

	random_bytes(run, sizeof(run));
	for (int i = 0; i < PARTIES; i++)
		wire_call(wire->conn[i], operation, rows, run, i);
	for (int i = 0; i < PARTIES; i++)
	{
		PGresult   *result;

		while ((result = PQgetResult(wire->conn[i])) != NULL)
		{
			if (PQresultStatus(result) == PGRES_TUPLES_OK)
				read_report(PQgetvalue(result, 0, 0), &report[i]);
			else
			{
				fprintf(stderr, "party %d: %s", i, PQresultErrorMessage(result));
				good = false;
			}
			PQclear(result);
		}
	}
	return good;
}

/* The quotient of the times over the links and over raw sockets, by the goal. */
static double
print_wire(Wire *wire, const Operation *operation, size_t rows, const Figures *raw)
{
	Report		report[PARTIES] = {0};
	Figures		figures;
	char		name[64];
	double		ratio;

	snprintf(name, sizeof(name), "%s, wire", operation->name);
	if (!wire_run(wire, operation, rows, report))
		return -1;
	figures = figures_of(report);
	ratio = print_figures(name, rows, &figures, WIRE_GOAL * raw->time);
	printf("  %.2f times\n", figures.time / raw->time);
	return ratio;
}

/* ---- all of it ---- */

int
main(int argc, char **argv)
{
	Report	   *report = mmap(NULL, PARTIES * sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	Wire	   *wire = NULL;
	double		worst = 0;
	bool		good = true;
	bool		found = false;

	if (report == MAP_FAILED || sodium_init() < 0)
		return 1;
	if (argc >= 6 && strcmp(argv[1], "wire") == 0)
	{
		wire = wire_open(argv[2], argv + 3);
		argc -= 5;
		argv += 5;
	}
	party_keep_memory(UINT64CONST(1) << 30);
	printf("%-22s %9s %9s %9s %9s %6s %11s %8s %6s\n", "operation", "rows", "seconds", "cpu, all",
		   "MB/party", "rounds", "rows/s", "goal", "ratio");
	for (int k = 0; k < mpc_operation_count; k++)
	{
		const Operation *operation = &mpc_operations[k];
		size_t		rows = argc > 2 ? strtoull(argv[2], NULL, 10) : operation->rows;
		Figures		figures;
		double		ratio;

		if (argc > 1 && strcmp(argv[1], operation->name) != 0 && strcmp(argv[1], "all") != 0)
			continue;
		found = true;
		ratio = print_raw(operation, rows, report, &figures);
		good &= ratio >= 0;
		if (wire && ratio >= 0)
		{
			ratio = print_wire(wire, operation, rows, &figures);
			good &= ratio >= 0;
		}
		worst = Max(worst, ratio);
	}
	if (!found)
	{
		fprintf(stderr, "there is no operation \"%s\"\n", argv[1]);
		return 1;
	}
	printf("ratio: %.2f\n", worst);
	return good ? 0 : 1;
}
