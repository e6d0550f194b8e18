/*
 * cells.h
 *	  Contingency tables of any size, and of strata.
 */
#ifndef SECMED_CELLS_H
#define SECMED_CELLS_H

#include "base/base.h"
#include "stats/outcome.h"

/* cells[row * columns + column], whole numbers; rows and columns without anybody are left out. */
typedef struct CellTable
{
	int			rows;
	int			columns;
	double	   *cells;
} CellTable;

/* Pearson's; corrected by Yates only if two by two, as R's chisq.test. */
extern void cells_chi_squared(const CellTable *table, bool correct, Outcome *outcome);

/*
 * The probability, given the margins, of all tables that are not more likely
 * than this one (Freeman and Halton, Biometrika 1951), as R's fisher.test.
 * All tables are gone through, column by column; at the last but one,
 * the rest is fixed.  Fails with ERRCODE_PROGRAM_LIMIT_EXCEEDED beyond FISHER_TABLES_MAX.
 * `interrupt` is called now and then, and may fail.
 */
extern void cells_fisher(const CellTable *table, void (*interrupt) (void), Outcome *outcome);

/* One stratum of two by two tables: a b / c d. */
typedef struct Stratum
{
	double		a,
				b,
				c,
				d;
} Stratum;

/*
 * Mantel and Haenszel, JNCI 1959: are exposure and disease independent within
 * strata?  The common odds ratio, with limits of Robins, Breslow and
 * Greenland, Biometrics 1986; R's mantelhaen.test.  Strata of fewer than two
 * rows tell nothing and are left out.
 */
extern void cells_mantel_haenszel(const Stratum *strata, int n, bool correct, double level, Outcome *outcome);

#endif							/* SECMED_CELLS_H */
