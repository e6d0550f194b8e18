/*
 * calibration.c
 *	  Rows of secmed.calibration.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "govern/statement.h"
#include "query/calibration.h"
#include "utils/builtins.h"

/* What a run takes within a town, where nobody has measured it. */
#define RUN_USUAL_MS	30

static Statement find = {
	"SELECT round_us, bytes_per_s, value_ns, run_ms FROM secmed.calibration WHERE server OPERATOR(pg_catalog.=) $1",
	1, {NAMEOID}
};

static Statement store = {
	"INSERT INTO secmed.calibration (server, round_us, bytes_per_s, value_ns, run_ms) VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT (server) DO UPDATE SET round_us = $2, bytes_per_s = $3, value_ns = $4, run_ms = $5,"
	" measured_at = pg_catalog.clock_timestamp()",
	5, {NAMEOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID}
};

static Datum
name_datum(const char *name)
{
	return DirectFunctionCall1(namein, CStringGetDatum(name));
}

static double
number_at(int column)
{
	bool		isnull;

	return DatumGetFloat8(statement_value(0, column, &isnull));
}

Calibration
calibration_of(const char *server)
{
	Calibration calibration = {link_cost_usual, RUN_USUAL_MS, false};
	Datum		values[] = {name_datum(server)};

	if (statement_begin(&find, values, NULL) > 0)
	{
		calibration.link = (LinkCost) {number_at(1), number_at(2) / 1e6, number_at(3)};
		calibration.run_ms = number_at(4);
		calibration.measured = true;
	}
	statement_end(&find);
	return calibration;
}

void
calibration_store(const char *server, const Calibration *calibration)
{
	Datum		values[] = {name_datum(server), Float8GetDatum(calibration->link.round_us),
		Float8GetDatum(calibration->link.bytes_per_us * 1e6), Float8GetDatum(calibration->link.value_ns),
	Float8GetDatum(calibration->run_ms)};

	statement_run(&store, values, NULL);
}

char *
calibration_text(const Calibration *calibration)
{
	return psprintf("rounds of %.3f ms, %.0f MB/s, %.2f ns a value, %.0f ms a run", calibration->link.round_us / 1000,
					calibration->link.bytes_per_us, calibration->link.value_ns, calibration->run_ms);
}

double
calibration_run_ms(const Calibration *calibration, const NodeCost *cost)
{
	return calibration->run_ms + node_cost_us(cost, &calibration->link) / 1000;
}
