/*
 * complement.h
 *	  Cells that would give back a withheld one, by subtraction from a total.
 *
 * Of a table of counts 0, 3, 11 whose 3 is withheld, a total of 14 gives it back: whoever may ask for the
 * groups may ask for the total too.  So in every margin of the table the patients of
 * the withheld cells are none or at least patients_min together, and where they are fewer the last cell that
 * passes goes with them: rare values tend to come last, and which cell is smallest is not looked at.  [Complementary suppression; Willenborg and de Waal, Elements of
 * Statistical Disclosure Control, 2001, chapter 4]
 *
 * A margin sums some of the keys out; a line of it are the cells that are equal in the
 * other keys.  Up to COMPLEMENT_KEYS_MAX keys all margins are looked at, beyond that those of single keys and the
 * total.  As a cell that is added has patients_min patients or more itself, no line becomes bad by it
 * and one pass is enough.
 */
#ifndef SECMED_COMPLEMENT_H
#define SECMED_COMPLEMENT_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"

#define COMPLEMENT_KEYS_MAX		4

/* A table of cells, each with parts that are tables of their own. */
typedef struct CellTable
{
	int			nkeys;
	const size_t *sizes;		/* values of each key; their product is the number of cells, the last runs fastest */
	size_t		parts;
} CellTable;

/*
 * pass: one plane, a bit for each part of each cell; passing cells that others need are cleared.
 * large: those that pass because of their patients (not because nobody is in them); of them one is taken.
 * patients: their numbers, below 2^47.
 *
 * Rounds, bytes: complement_cost().  Reveals: nothing.
 */
extern void complement_withhold(Party *self, SharedBits *pass, const SharedBits *large, const Shared *patients,
								const CellTable *table, uint64 patients_min);

/* Adds what it takes. */
extern void complement_cost(const CellTable *table, int party, uint64 *rounds, uint64 *bytes);

/* Bytes that are held at once. */
extern uint64 complement_need(const CellTable *table);

#endif							/* SECMED_COMPLEMENT_H */
