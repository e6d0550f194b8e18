/*
 * expand.h
 *	  Each row as many times as a shared number says.
 */
#ifndef SECMED_EXPAND_H
#define SECMED_EXPAND_H

#include "mpc/party.h"
#include "mpc/table.h"

/*
 * Row v becomes itself and `copies` more of it, copies[v] >= 0; all of them in the order of the rows.  Their
 * sum, total, is public and must be right: whoever does not know it adds a row that takes what is
 * left.  So N = n + total rows come out.  first (allocated by the caller, N numbers) is 1 for rows
 * themselves and 0 for copies.
 *
 * W planes and C numbers, D = table_row_planes(total + 1).
 * Rounds: D + prefix_rounds(D) + 9 + scan_copy_bits() + scan_copy_with(), or none if total = 0.
 * Sends: convert_to_bits() of n rows and D planes; D - 1 planes of n rows, D - 2 of n + 2^(D - 1) rows, D - 3 of
 * n + 2^(D - 1) + 2^(D - 2) rows (up to N) and so on; 16 N; place_take(); scan_copy_bits() and scan_copy_with()
 * of N rows.
 * Reveals: random permutations.
 */
extern void expand_table(Party *self, Table *table, const Shared64 *copies, size_t total, Shared64 *first);

#endif							/* SECMED_EXPAND_H */
