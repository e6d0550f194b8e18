/*
 * release.h
 *	  The last step of a query over partitioned tables: which cells may be
 *	  opened is decided inside MPC, and the parties do not learn it.
 */
#ifndef SECMED_RELEASE_H
#define SECMED_RELEASE_H

#include "mpc/guard.h"

/*
 * A cell has one part or several: each with its own number of patients, so
 * that what few patients contributed to is withheld also within a large cell.
 */
typedef struct ReleaseRule
{
	size_t		cells;
	size_t		width;			/* elements of a part, after its patient count */
	uint64		patients_min;	/* the largest over the sites, at least 1 */
	bool		show_zero;		/* parts without any patient may be opened: all sites agree */
	size_t		parts;			/* of a cell; 0 is 1 */
	const size_t *widths;		/* of each part, or NULL: all have `width` */

	/*
	 * The cells as a table, the last key running fastest: then cells that give back a withheld one by subtraction
	 * from a margin are withheld, too (complement.h).  0: they are not a table.
	 */
	int			nkeys;
	const size_t *sizes;		/* of each key; their product is `cells` */

	const ReleaseGuard *guard;	/* which groups differ by how many patients; NULL: nothing is known of it */
} ReleaseRule;

/* Elements of a cell, patient counts included. */
extern size_t release_stride(const ReleaseRule *rule);

/*
 * in:   cells * release_stride() elements; of each part first the number of
 *       patients (below 2^63), then its values.
 * out:  as many elements, fresh shares; of each part first a flag (1: it
 *       passes, 0: it is withheld), then its values times the flag.  The
 *       patient counts themselves are not among them.  The caller allocates
 *       it with shared_alloc().
 *
 * A part passes if patients >= patients_min, or if show_zero and patients =
 * 0; and if no margin of the table would otherwise tell of fewer than
 * patients_min patients in parts that do not; and if it is not close to another part (guard.h).  What is opened of `out` to
 * the requester tells which parts passed and their values, nothing of the others.
 *
 * Returns false, and nothing in out, if a part is close to an earlier answer: every party learns that.
 *
 * Rounds: 10, with keys those of complement.h, and with a guard those of guard.h.  Sends: release_cost(), equal to the
 * table in mpc/README.md.
 * Reveals: nothing to the parties, but that bit of the guard.
 * Fails if patients_min is 0 or not below 2^63.
 * Memory: release_need() bytes besides in and out.
 */
extern bool release_cells(Party *self, Shared *out, const Shared *in, const ReleaseRule *rule);
extern uint64 release_need(const ReleaseRule *rule);

/* Rounds, and bytes that this party sends, for EXPLAIN and the tests. */
extern void release_cost(const ReleaseRule *rule, int party, uint64 *rounds, uint64 *bytes);

#endif							/* SECMED_RELEASE_H */
