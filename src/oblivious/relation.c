/*
 * relation.c
 *	  Shared relations, their columns, and how they lie in the engine's tables.
 */
#include "oblivious/relation.h"

#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* ---- vectors ---- */

Shared64
number_cut(const Shared64 *x, size_t first, size_t n)
{
	Shared64	view = shared64_view(x, first, n);

	return number_copy(&view);
}

Shared64
number_copy(const Shared64 *x)
{
	Shared64	copy = shared64_alloc(x->n);

	shared64_copy(&copy, x);
	return copy;
}

Shared64
number_append(const Shared64 *x, const Shared64 *y)
{
	Shared64	both = shared64_alloc(x->n + y->n);
	Shared64	front = shared64_view(&both, 0, x->n);
	Shared64	back = shared64_view(&both, x->n, y->n);

	shared64_copy(&front, x);
	shared64_copy(&back, y);
	return both;
}

SharedBits
plane_copy(const SharedBits *x)
{
	SharedBits	copy = shared_bits_raw(x->planes, x->n);

	shared_bits_copy(&copy, x);
	return copy;
}

SharedBits
plane_not(const Party *self, const SharedBits *x)
{
	SharedBits	copy = plane_copy(x);

	logic_not(self, &copy);
	return copy;
}

/* ---- columns ---- */

int
column_planes(const ColumnType *type)
{
	return type->type.bits;
}

SharedColumn
column_create(ColumnType type, size_t n)
{
	SharedColumn column = {.type = type};

	if (column_type_is_number(&type))
		column.number = shared64_alloc(n);
	else
		column.bits = shared_bits_alloc(column_planes(&type), n);
	if (type.type.nullable)
		column.null = shared_bits_alloc(1, n);
	return column;
}

void
column_free(SharedColumn *column)
{
	if (column->number.mine)
		shared64_free(&column->number);
	if (column->bits.mine)
		shared_bits_free(&column->bits);
	if (column->null.mine)
		shared_bits_free(&column->null);
}

SharedColumn
column_copy(const SharedColumn *column)
{
	SharedColumn copy = *column;

	if (column->number.mine)
		copy.number = number_copy(&column->number);
	if (column->bits.mine)
		copy.bits = plane_copy(&column->bits);
	if (column->null.mine)
		copy.null = plane_copy(&column->null);
	return copy;
}

size_t
column_rows(const SharedColumn *column)
{
	return column->number.mine ? column->number.n : column->bits.n;
}

/* The bits of a public boolean or text. */
static uint128
public_bits(const ColumnType *type, const PublicValue *value)
{
	uint128		bits = 0;

	if (type->type.kind == SECRET_BOOLEAN)
		return value->number != 0;
	for (int i = 0; i < value->len; i++)
		bits |= (uint128) (uint8) value->text[i] << (type->type.bits - 8 * (i + 1));
	return bits;
}

static void
set_planes(const Party *self, SharedBits *bits, uint128 value)
{
	for (int k = 0; k < bits->planes; k++)
	{
		SharedBits	plane = shared_bits_view(bits, k, 1);

		logic_constant(self, &plane, value >> k & 1);
	}
}

SharedColumn
column_constant(const Party *self, ColumnType type, const PublicValue *value, size_t n)
{
	SharedColumn column = column_create(type, n);

	if (column.null.mine)
		logic_constant(self, &column.null, value->null);
	if (column.number.mine)
		arith64_constant(self, &column.number, value->null ? 0 : value->number);
	else
		set_planes(self, &column.bits, value->null ? 0 : public_bits(&type, value));
	return column;
}

void
column_tighten(Party *self, SharedColumn *column)
{
	SharedBits	there;

	if (!column->loose || column->null.mine == NULL)
		return;
	there = plane_not(self, &column->null);
	if (column->number.mine)
		convert_bit_times(self, &column->number, &there, &column->number);
	else
		logic_and_bit(self, &column->bits, &column->bits, &there);
	shared_bits_free(&there);
	column->loose = false;
}

/* Plane `to` becomes what plane `from` of x is. */
static void
copy_plane(SharedBits *z, int to, const SharedBits *x, int from)
{
	SharedBits	target = shared_bits_view(z, to, 1);
	SharedBits	source = shared_bits_view(x, from, 1);

	shared_bits_copy(&target, &source);
}

SharedBits
column_to_planes(Party *self, const SharedColumn *column, int planes)
{
	int			own = column_planes(&column->type);
	bool		number = secret_is_number(&column->type.type);
	SharedBits	bits = shared_bits_alloc(planes, column_rows(column));

	Assert(planes >= own);
	if (column->number.mine)
	{
		SharedBits	low = shared_bits_view(&bits, 0, own);

		convert_to_bits(self, &low, &column->number);
	}
	else
	{
		SharedBits	place = shared_bits_view(&bits, number ? 0 : planes - own, own);

		shared_bits_copy(&place, &column->bits);
	}
	for (int k = own; k < planes && number; k++)
		copy_plane(&bits, k, &bits, own - 1);
	return bits;
}

void
column_from_planes(Party *self, SharedColumn *column, SharedBits *bits)
{
	if (column_type_is_number(&column->type))
	{
		SharedBits	low = shared_bits_view(bits, 0, Min(bits->planes, 64));

		column->number = shared64_alloc(bits->n);
		convert_from_signed_bits(self, &column->number, &low);
		shared_bits_free(bits);
	}
	else
		column->bits = *bits;
	memset(bits, 0, sizeof(SharedBits));
}

void
column_widen(Party *self, SharedColumn *column, const ColumnType *type)
{
	size_t		n = column_rows(column);

	if (type->type.nullable && column->null.mine == NULL)
		column->null = shared_bits_alloc(1, n);
	if (!column_type_is_number(type) && column->type.type.bits != type->type.bits)
	{
		SharedBits	bits = column_to_planes(self, column, column_planes(type));

		if (column->number.mine)
			shared64_free(&column->number);
		else
			shared_bits_free(&column->bits);
		column->bits = bits;
	}
	column->type = *type;
}

/* ---- relations ---- */

void
relation_free(SharedRelation *relation)
{
	for (int c = 0; c < relation->ncolumns; c++)
		column_free(&relation->columns[c]);
	if (relation->columns)
		pfree(relation->columns);
	if (relation->valid.mine)
		shared_bits_free(&relation->valid);
	memset(relation, 0, sizeof(SharedRelation));
}

uint64
relation_bytes(const SharedRelation *relation)
{
	uint64		words = BIT_WORDS(relation->n);

	for (int c = 0; c < relation->ncolumns; c++)
	{
		const SharedColumn *column = &relation->columns[c];

		words += column->number.mine ? relation->n : column->bits.planes * (uint64) BIT_WORDS(relation->n);
		words += column->null.mine ? BIT_WORDS(relation->n) : 0;
	}
	return 2 * sizeof(uint64) * words;
}

/* ---- tables ---- */

int
table_place_number(Table *table, Shared64 number)
{
	table_add_number(table, number);
	return table->numbers - 1;
}

int
table_place_slice(Table *table, SharedBits slice)
{
	table_add_slice(table, slice);
	return table->slices - 1;
}

void
table_drop(Table *table, int numbers, int slices)
{
	while (numbers-- > 0)
		shared64_free(&table->number[--table->numbers]);
	while (slices-- > 0)
		shared_bits_free(&table->slice[--table->slices]);
}

Table
relation_to_table(SharedRelation *relation)
{
	Table		table = table_create(relation->n);

	table_add_slice(&table, relation->valid);
	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedColumn *column = &relation->columns[c];

		if (column->number.mine)
			table_add_number(&table, column->number);
		else
			table_add_slice(&table, column->bits);
		if (column->null.mine)
			table_add_slice(&table, column->null);
	}
	return table;
}

void
relation_from_table(SharedRelation *relation, Table *table)
{
	int			number = 0;
	int			slice = 0;

	relation->n = table->n;
	relation->valid = table->slice[slice++];
	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedColumn *column = &relation->columns[c];

		if (column->number.mine)
			column->number = table->number[number++];
		else
			column->bits = table->slice[slice++];
		if (column->null.mine)
			column->null = table->slice[slice++];
	}
	Assert(number == table->numbers && slice == table->slices);
	pfree(table->number);
	pfree(table->slice);
}

int
relation_value_place(const SharedRelation *relation, int column)
{
	bool		number = relation->columns[column].number.mine != NULL;
	int			place = number ? 0 : 1;

	for (int c = 0; c < column; c++)
	{
		const SharedColumn *before = &relation->columns[c];

		if (number)
			place += before->number.mine != NULL;
		else
			place += (before->number.mine == NULL) + (before->null.mine != NULL);
	}
	return place;
}

int
relation_null_place(const SharedRelation *relation, int column)
{
	int			place = 1;

	if (relation->columns[column].null.mine == NULL)
		return -1;
	for (int c = 0; c < column; c++)
		place += (relation->columns[c].number.mine == NULL) + (relation->columns[c].null.mine != NULL);
	return place + (relation->columns[column].number.mine == NULL);
}
