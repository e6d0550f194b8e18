/*
 * rows.h
 *	  Short ways to secmed's own tables for this layer.  SPI is connected, as
 *	  the owner (identity/node.h).
 */
#ifndef SECMED_GOVERN_ROWS_H
#define SECMED_GOVERN_ROWS_H

#include "postgres.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "ledger/datum.h"

/*
 * Runs a statement with these values; an error unless SPI returns expected.
 * What it finds is in SPI_tuptable; returns how many rows.  A value of
 * (Datum) 0 of a by-reference type is NULL.
 */
extern uint64 rows_run(const char *sql, int expected, int nargs, const Oid *types, const Datum *values);

/* Of a row of SPI_tuptable; NULL or false if the column is NULL. */
extern char *rows_text(uint64 row, int column);
extern bytea *rows_bytes(uint64 row, int column);
extern int64 rows_int(uint64 row, int column);

/* A column of 32 bytes. */
extern void rows_hash(uint8 out[HASH_BYTES], uint64 row, int column);

#endif							/* SECMED_GOVERN_ROWS_H */
