/*
 * relation.h
 *	  Shared relations: typed columns that may be NULL, and whether a row is there.
 *
 * What a type is held as: numbers of up to 64 bits as numbers (ring64.h); booleans, texts
 * and sums that need more than 64 bits as planes (bits.h), the latter as two's complement.
 * A column that may be NULL has a plane that says so.  Where it is 1 the value is
 * zero, unless the column is `loose`, which those of booleans never are.  Rows that are not there hold anything.
 *
 * Whoever makes a relation or a column owns it; a function that takes one
 * with a pointer that is not const, and says so, consumes it.
 */
#ifndef SECMED_OBLIVIOUS_RELATION_H
#define SECMED_OBLIVIOUS_RELATION_H

#include "base/base.h"
#include "mpc/party.h"
#include "mpc/table.h"
#include "oblivious/type.h"

typedef struct SharedColumn
{
	ColumnType	type;
	Shared64	number;			/* one of these two; the other has no memory */
	SharedBits	bits;
	SharedBits	null;			/* no memory if the type is not nullable */
	bool		loose;			/* where it is NULL, the value may be anything */
} SharedColumn;

typedef struct SharedRelation
{
	size_t		n;				/* rows; public */
	int			ncolumns;
	SharedColumn *columns;
	SharedBits	valid;			/* one plane: the row is there */
	bool		valid_first;	/* rows that are not there come last; public */
} SharedRelation;

/* ---- columns ---- */

/* With memory for n values, not zeroed, and for the plane of NULLs, zeroed. */
extern SharedColumn column_create(ColumnType type, size_t n);
extern void column_free(SharedColumn *column);
extern SharedColumn column_copy(const SharedColumn *column);
extern size_t column_rows(const SharedColumn *column);

/* Planes that its values have as bits. */
extern int	column_planes(const ColumnType *type);

/* A public value in all n rows; sends nothing. */
extern SharedColumn column_constant(const Party *self, ColumnType type, const PublicValue *value, size_t n);

/*
 * Makes the values zero where they are NULL.  Rounds: 2 if it is loose, else none.
 * Sends: 16 n bytes for numbers, and for bits 1 round and their planes.
 */
extern void column_tighten(Party *self, SharedColumn *column);

/*
 * Its values in so many planes or more, in an order that is theirs as two's complement (numbers) or as
 * unsigned (booleans, texts, which are padded behind).  To be freed by who calls.
 * Numbers: convert_to_bits().  Others: nothing is sent.
 */
extern SharedBits column_to_planes(Party *self, const SharedColumn *column, int planes);

/* Consumes bits in as many planes as the type has or more, sign-extended; numbers: convert_from_signed_bits(). */
extern void column_from_planes(Party *self, SharedColumn *column, SharedBits *bits);

/*
 * The column as one of a type that holds all of its own: nullable, a longer text, more bits.
 * Sends nothing, unless it becomes wider than 64 bits (convert_to_bits()).
 */
extern void column_widen(Party *self, SharedColumn *column, const ColumnType *type);

/* ---- relations ---- */

extern void relation_free(SharedRelation *relation);
extern uint64 relation_bytes(const SharedRelation *relation);

/*
 * As a table of the engine (mpc/table.h), which gets all memory; and back, after rows moved.  Slice 0 is
 * whether rows are there.  Then come columns in their order, the value, then NULL.
 */
extern Table relation_to_table(SharedRelation *relation);
extern void relation_from_table(SharedRelation *relation, Table *table);

/* Where a column is in that table: in `number` or in `slice`; and where its NULLs are, or -1. */
extern int	relation_value_place(const SharedRelation *relation, int column);
extern int	relation_null_place(const SharedRelation *relation, int column);

/* Further columns, which the table takes over, and their places; and the last columns go, and are freed. */
extern int	table_place_number(Table *table, Shared64 number);
extern int	table_place_slice(Table *table, SharedBits slice);
extern void table_drop(Table *table, int numbers, int slices);

/* ---- steps on vectors that the engine has no need of ---- */

/* Rows first to first + n - 1 as a vector of its own; two vectors end to end; k copies end to end. */
extern Shared64 number_cut(const Shared64 *x, size_t first, size_t n);
extern Shared64 number_append(const Shared64 *x, const Shared64 *y);
extern Shared64 number_copy(const Shared64 *x);
extern SharedBits plane_copy(const SharedBits *x);

/* z = NOT x, in new memory. */
extern SharedBits plane_not(const Party *self, const SharedBits *x);

#endif							/* SECMED_OBLIVIOUS_RELATION_H */
