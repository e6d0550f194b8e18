/*
 * test_rows.c
 *	  Rows of secret values: three packages make the row again, one party's
 *	  part says nothing, and what is no package is refused.
 */
#include "base/base.h"

#include "crypto/hash.h"
#include "share/rows.h"
#include "unit.h"

#define COLUMNS		9

static SecretType
nullable(SecretType type)
{
	type.nullable = true;
	return type;
}

/* The first few of these columns, so that bits end at every place of a byte. */
static void
any_layout(RowLayout *layout, int ncolumns, bool valid)
{
	SecretType	types[COLUMNS] = {secret_integer(32), nullable(secret_boolean()), secret_text(5), secret_boolean(),
		nullable(secret_numeric(9, 2)), nullable(secret_text(16)), nullable(secret_date()), secret_boolean(),
	nullable(secret_float())};

	rows_layout(layout, types, ncolumns, valid);
}

static void
fill(const RowLayout *layout, uint8 *rows, size_t n)
{
	memset(rows, 0, n * layout->width);
	for (size_t i = 0; i < n; i++, rows += layout->width)
	{
		for (int c = 0; c < layout->ncolumns; c++)
		{
			const SecretType *type = &layout->types[c];

			if (type->nullable && unit_random() % 3 == 0)
				row_set_null(layout, rows, c);
			else if (type->kind == SECRET_BOOLEAN)
				row_set_boolean(layout, rows, c, unit_random() & 1);
			else if (type->kind == SECRET_TEXT)
				row_set_text(layout, rows, c, (uint128) unit_random() << 64 | unit_random());
			else
				row_set_number(layout, rows, c, (int64) unit_random() >> (64 - type->bits));
		}
		if (layout->valid_bit >= 0)
			row_set_valid(layout, rows);
	}
}

typedef struct Parts
{
	uint8	   *mine[PARTIES];
	uint8	   *next[PARTIES];
} Parts;

static bool
split(const RowLayout *layout, const uint8 *rows, size_t n, Parts *parts)
{
	StringInfoData packages[PARTIES];
	StringInfo	out[PARTIES];
	bool		taken = true;

	for (int i = 0; i < PARTIES; i++)
	{
		out[i] = &packages[i];
		initStringInfo(out[i]);
		parts->mine[i] = palloc(n * layout->width + 1);
		parts->next[i] = palloc(n * layout->width + 1);
	}
	rows_split(layout, rows, n, out);
	for (int i = 0; i < PARTIES; i++)
	{
		taken &= rows_from_package(layout, i, out[i]->data, out[i]->len, n, parts->mine[i], parts->next[i]);
		taken &= out[i]->len == rows_package_bytes(layout, i, n);
		pfree(out[i]->data);
	}
	return taken;
}

static void
parts_free(Parts *parts)
{
	for (int i = 0; i < PARTIES; i++)
	{
		pfree(parts->mine[i]);
		pfree(parts->next[i]);
	}
}

static bool
comes_back(int ncolumns, bool valid, size_t n)
{
	RowLayout	layout;
	Parts		parts;
	uint8	   *rows;
	uint8	   *sum;
	bool		same;

	any_layout(&layout, ncolumns, valid);
	rows = palloc0(n * layout.width + 1);
	sum = palloc0(n * layout.width + 1);
	fill(&layout, rows, n);
	same = split(&layout, rows, n, &parts);
	for (int i = 0; i < PARTIES; i++)
	{
		rows_add(&layout, sum, parts.mine[i], n);
		same &= memcmp(parts.next[i], parts.mine[(i + 1) % PARTIES], n * layout.width) == 0;
	}
	same &= memcmp(sum, rows, n * layout.width) == 0;
	for (int i = 0; i < PARTIES; i++)
		rows_subtract(&layout, sum, parts.next[i], n);
	for (size_t b = 0; b < n * layout.width; b++)
		same &= sum[b] == 0;
	parts_free(&parts);
	pfree(rows);
	pfree(sum);
	return same;
}

static void
test_splitting(void)
{
	static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 1000};
	int			wrong = 0;

	for (int ncolumns = 0; ncolumns <= COLUMNS; ncolumns++)
		for (int i = 0; i < lengthof(sizes); i++)
			wrong += !comes_back(ncolumns, ncolumns % 2 == 0, sizes[i]) || !comes_back(ncolumns, ncolumns % 2, sizes[i]);
	check(wrong == 0, "the three summands add up to the rows, and two parties hold each");
}

static void
test_access(void)
{
	RowLayout	layout;
	uint8		row[128] = {0};

	any_layout(&layout, COLUMNS, true);
	row_set_number(&layout, row, 0, -5);
	row_set_text(&layout, row, 2, 0x6869000000);
	row_set_null(&layout, row, 4);
	row_set_valid(&layout, row);
	check(layout.width == 4 * 8 + 21 + 2 && layout.nbits == 9, "a row has the width of its columns");
	check((int64) row_number(&layout, row, 0) == -5 && row[0] == 0xfb && row[7] == 0xff, "numbers are little-endian");
	check(memcmp(row + layout.at[2], "hi\0\0", 5) == 0, "texts are bytes in their order");
	check(row_bit(&layout, row, layout.null_bit[4]) == 1 && row_bit(&layout, row, layout.null_bit[1]) == 0 &&
		  row_bit(&layout, row, layout.valid_bit) == 1, "bits are where they were put");
	row_put_bit(&layout, row, layout.null_bit[4], 0);
	check(row_bit(&layout, row, layout.null_bit[4]) == 0, "and can be taken back");
}

/* Sum over 256 counts of (count - expected)^2 / expected; mean 255, deviation 22.6. */
static double
chi_square(const int counts[256], int n)
{
	double		sum = 0;

	for (int i = 0; i < 256; i++)
		sum += (counts[i] - n / 256.0) * (counts[i] - n / 256.0) / (n / 256.0);
	return sum;
}

/* 400 is beyond 6 standard deviations: one chance in about 10^9 for each byte. */
static void
test_uniform(void)
{
	SecretType	types[] = {secret_integer(64), secret_text(4)};
	RowLayout	layout;
	Parts		parts;
	size_t		n = 65536;
	uint8	   *rows;
	int			wrong = 0;

	rows_layout(&layout, types, 2, false);
	rows = palloc0(n * layout.width);
	for (size_t i = 0; i < n; i++)
	{
		row_set_number(&layout, rows + i * layout.width, 0, 42);
		row_set_text(&layout, rows + i * layout.width, 1, 0x61626364);
	}
	split(&layout, rows, n, &parts);
	for (int party = 0; party < PARTIES; party++)
		for (int b = 0; b < layout.width; b++)
		{
			int			mine[256] = {0};
			int			both[256] = {0};

			for (size_t i = 0; i < n; i++)
			{
				uint8		x = parts.mine[party][i * layout.width + b];

				mine[x]++;
				both[x ^ parts.next[party][i * layout.width + b]]++;
			}
			wrong += chi_square(mine, n) > 400 || chi_square(both, n) > 400;
		}
	check(wrong == 0, "every byte of a party's shares of one value is uniform, and so is what both differ by");
	parts_free(&parts);
	pfree(rows);
}

static void
test_refused(void)
{
	SecretType	types[] = {secret_boolean(), secret_boolean(), secret_boolean()};
	RowLayout	layout;
	uint8		package[2 * SEED_BYTES + 1] = {0};
	uint8		mine[2];
	uint8		next[2];

	rows_layout(&layout, types, 3, false);
	check(rows_from_package(&layout, 0, package, 2 + SEED_BYTES, 2, mine, next), "a package of two rows is taken");
	check(!rows_from_package(&layout, 0, package, 1 + SEED_BYTES, 2, mine, next) &&
		  !rows_from_package(&layout, 0, package, 3 + SEED_BYTES, 2, mine, next) &&
		  !rows_from_package(&layout, 1, package, 2 * SEED_BYTES + 1, 2, mine, next) &&
		  !rows_from_package(&layout, 2, package, 0, 2, mine, next), "one of another length is not");
	package[1] = 0x08;
	check(!rows_from_package(&layout, 0, package, 2 + SEED_BYTES, 2, mine, next) &&
		  !rows_from_package(&layout, 2, package, 2 + SEED_BYTES, 2, mine, next), "nor one with a fourth bit where there are three");
}

int
main(void)
{
	test_splitting();
	test_access();
	test_uniform();
	test_refused();
	return unit_done();
}
