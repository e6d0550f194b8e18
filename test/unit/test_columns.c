/*
 * test_columns.c
 *	  Rows as columns and back, in blocks, at sizes around words of planes.
 */
#include "base/base.h"

#include "share/columns.h"
#include "unit.h"

static SecretType
nullable(SecretType type)
{
	type.nullable = true;
	return type;
}

static void
random_rows(const RowLayout *layout, uint8 *rows, size_t n)
{
	uint8		seed[SEED_BYTES];
	Prg		   *prg;

	for (int i = 0; i < SEED_BYTES; i++)
		seed[i] = (uint8) unit_random();
	prg = prg_create(seed);
	rows_random(layout, prg, rows, n);
	prg_free(prg);
}

/* What the columns hold, looked up value by value. */
static bool
row_is(const RowLayout *layout, const LoadedColumn *columns, const SharedBits *valid, size_t i, const uint8 *row)
{
	bool		same = row_bit(layout, row, layout->valid_bit) == ((valid->next[i / 64] >> (i % 64)) & 1);

	same &= columns[0].numbers.next[i] == row_number(layout, row, 0);
	same &= row_bit(layout, row, layout->bit[1]) == ((columns[1].bits.next[i / 64] >> (i % 64)) & 1);
	same &= row_bit(layout, row, layout->null_bit[2]) == ((columns[2].nulls.next[i / 64] >> (i % 64)) & 1);
	for (int p = 0; p < 40; p++)
		same &= ((row[layout->at[2] + (39 - p) / 8] >> (p % 8)) & 1) ==
			((columns[2].bits.next[p * BIT_WORDS(columns[2].bits.n) + i / 64] >> (i % 64)) & 1);
	return same;
}

static int
wrong_at(size_t n, size_t block)
{
	SecretType	types[] = {nullable(secret_integer(64)), secret_boolean(), nullable(secret_text(5)), secret_text(16)};
	RowLayout	layout;
	LoadedColumn *columns;
	SharedBits	valid = shared_bits_alloc(1, n);
	uint8	   *rows[2];
	uint8	   *again;
	int			wrong = 0;

	rows_layout(&layout, types, lengthof(types), true);
	columns = columns_alloc(&layout, n);
	again = palloc0(n * layout.width + 1);
	for (int s = SUMMAND_MINE; s <= SUMMAND_NEXT; s++)
	{
		rows[s] = palloc(n * layout.width + 1);
		random_rows(&layout, rows[s], n);
		for (size_t first = 0; first < n; first += block)
			columns_put_rows(&layout, columns, &valid, (Summand) s, first, rows[s] + first * layout.width, Min(block, n - first));
	}
	for (size_t i = 0; i < n; i++)
		wrong += !row_is(&layout, columns, &valid, i, rows[SUMMAND_NEXT] + i * layout.width);
	for (int s = SUMMAND_MINE; s <= SUMMAND_NEXT; s++)
	{
		size_t		part = n / 3;

		memset(again, 0, n * layout.width);
		columns_get_rows(&layout, columns, &valid, (Summand) s, 0, again, part);
		columns_get_rows(&layout, columns, &valid, (Summand) s, part, again + part * layout.width, n - part);
		wrong += memcmp(again, rows[s], n * layout.width) != 0;
		pfree(rows[s]);
	}
	columns_free(columns, layout.ncolumns);
	shared_bits_free(&valid);
	pfree(again);
	return wrong;
}

int
main(void)
{
	static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 1000};
	int			wrong = 0;

	for (int i = 0; i < lengthof(sizes); i++)
		wrong += wrong_at(sizes[i], 64) + wrong_at(sizes[i], 1024);
	check(wrong == 0, "rows put into columns are found there, and come out again");
	return unit_done();
}
