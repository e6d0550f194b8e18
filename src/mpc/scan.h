/*
 * scan.h
 *	  What a row takes from the rows before it.
 *
 * pass is one plane: row v with pass = 1 looks back to row v - 1, and so on to the nearest
 * row with pass = 0.  Row 0 looks nowhere: its bit is not read.  So rows are in stretches, which
 * nobody sees.  Sums need none of this: a prefix sum is local (shared64_prefix_sums()).
 *
 * Everything is done in place.  n is the number of rows, u the rows that are joined on
 * the way up, n/2 + n/4 + ... (each rounded down), and d those on the way down, (n - 1)/2 + (n/2 -
 * 1)/2 + ...: both less than n.  Where bytes are given for u planes, each level is a message of
 * its own, PLANE_BYTES of its rows; scan_levels() says how many levels there are.
 * Nothing is revealed.
 */
#ifndef SECMED_SCAN_H
#define SECMED_SCAN_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring64.h"

/* Messages up and down for n rows: floor(log2 n) and floor(log2 (n / 3)) + 1, both 0 for one row. */
extern int	scan_levels(size_t n);

/*
 * A row with pass = 1 takes all columns from the row before, which may have taken them
 * itself.  W = planes of all columns.
 *
 * Rounds: scan_levels(n).  Sends: W planes of u and d rows, 1 of u rows (not of the last level).
 */
extern void scan_copy_bits(Party *self, SharedBits *columns, int count, const SharedBits *pass);

/*
 * The same of numbers.
 *
 * Rounds: scan_levels(n) + 2.  Sends: 8 n + 8 (count + 1) u + 8 count d bytes.
 */
extern void scan_copy_numbers(Party *self, Shared64 *columns, int count, const SharedBits *pass);

/* The same with pass as numbers, 0 or 1, which are destroyed: 2 rounds and 8 n bytes less. */
extern void scan_copy_with(Party *self, Shared64 *columns, int count, Shared64 *pass);

/*
 * Each column, of one plane, becomes the OR (AND) of its stretch so far.  N = count * n rows
 * in the place of n.
 *
 * Rounds: 1 + scan_levels(N).  Sends: 1 plane of N rows, and scan_copy_bits().
 */
extern void scan_or(Party *self, SharedBits *columns, int count, const SharedBits *pass);
extern void scan_and(Party *self, SharedBits *columns, int count, const SharedBits *pass);

/*
 * Each column, all of the same W planes (1 to 128), becomes the least (greatest) of its
 * stretch so far, as unsigned numbers.  N = count * n rows in the place of n.
 *
 * Rounds: scan_levels(N) (carry_rounds(W + 1) + 1).  Sends: carry_gates(W + 1) + W planes of u
 * and d rows, 1 of u rows (not of the last level).  (64 bits: 46 bytes a row and column.)
 */
extern void scan_least(Party *self, SharedBits *columns, int count, const SharedBits *pass);
extern void scan_greatest(Party *self, SharedBits *columns, int count, const SharedBits *pass);

/*
 * any (one plane of one value) = the OR of all values of the one plane of x.
 *
 * Rounds: log2 n.  Sends: PLANE_BYTES(n / 2) bytes and so on: half of what is left, rounded down, is ORed
 * with the other half.  n = 0: any is 0.
 */
extern void scan_any(Party *self, SharedBits *any, const SharedBits *x);

#endif							/* SECMED_SCAN_H */
