/*
 * rows.c
 *	  Rows of secret values, side by side.
 *
 * A stream is expanded a block of rows at a time; AES-CTR gives the same bytes
 * however it is asked for them, so who splits and who expands may cut where
 * they like.
 */
#include "base/base.h"

#include "crypto/hash.h"
#include "share/ring64.h"
#include "share/rows.h"

/* Enough for AES to run at speed, little enough for the cache. */
#define BLOCK_BYTES		16384

void
rows_layout(RowLayout *layout, const SecretType *types, int ncolumns, bool valid)
{
	int			at;
	int			bits = 0;

	Assert(ncolumns <= SHARED_COLUMNS_MAX);
	memset(layout, 0, sizeof(*layout));
	layout->ncolumns = ncolumns;
	memcpy(layout->types, types, ncolumns * sizeof(SecretType));
	for (int i = 0; i < ncolumns; i++)
		if (secret_is_number(&types[i]))
			layout->at[i] = layout->numbers++ * sizeof(uint64);
	at = layout->numbers * sizeof(uint64);
	for (int i = 0; i < ncolumns; i++)
		if (types[i].kind == SECRET_TEXT)
		{
			layout->at[i] = at;
			at += types[i].bits / 8;
		}
		else if (types[i].kind == SECRET_BOOLEAN)
			layout->bit[i] = bits++;
	for (int i = 0; i < ncolumns; i++)
		layout->null_bit[i] = types[i].nullable ? bits++ : -1;
	layout->valid_bit = valid ? bits++ : -1;
	layout->bits_at = at;
	layout->nbits = bits;
	layout->width = at + (bits + 7) / 8;
}

/* ---- one row ---- */

uint64
row_number(const RowLayout *layout, const uint8 *row, int column)
{
	uint64		x;

	memcpy(&x, row + layout->at[column], sizeof(x));
	ring64_wire(&x, 1);
	return x;
}

void
row_put_number(const RowLayout *layout, uint8 *row, int column, uint64 x)
{
	ring64_wire(&x, 1);
	memcpy(row + layout->at[column], &x, sizeof(x));
}

int
row_bit(const RowLayout *layout, const uint8 *row, int bit)
{
	return (row[layout->bits_at + bit / 8] >> (bit % 8)) & 1;
}

void
row_put_bit(const RowLayout *layout, uint8 *row, int bit, int value)
{
	uint8	   *byte = &row[layout->bits_at + bit / 8];

	*byte = (*byte & ~(1 << (bit % 8))) | (value & 1) << (bit % 8);
}

void
row_set_number(const RowLayout *layout, uint8 *row, int column, int64 number)
{
	Assert(secret_fits(&layout->types[column], number));
	row_put_number(layout, row, column, (uint64) number);
}

void
row_set_text(const RowLayout *layout, uint8 *row, int column, uint128 bits)
{
	int			bytes = layout->types[column].bits / 8;

	for (int i = 0; i < bytes; i++)
		row[layout->at[column] + i] = (uint8) (bits >> (8 * (bytes - 1 - i)));
}

void
row_set_boolean(const RowLayout *layout, uint8 *row, int column, bool value)
{
	row_put_bit(layout, row, layout->bit[column], value);
}

void
row_set_null(const RowLayout *layout, uint8 *row, int column)
{
	Assert(layout->null_bit[column] >= 0);
	row_put_bit(layout, row, layout->null_bit[column], 1);
}

void
row_set_valid(const RowLayout *layout, uint8 *row)
{
	row_put_bit(layout, row, layout->valid_bit, 1);
}

/* ---- n rows ---- */

/* The k-th number of a row, whichever column it is. */
static inline uint64
read_element(const uint8 *row, int k)
{
	uint64		x;

	memcpy(&x, row + k * sizeof(x), sizeof(x));
	ring64_wire(&x, 1);
	return x;
}

static inline void
write_element(uint8 *row, int k, uint64 x)
{
	ring64_wire(&x, 1);
	memcpy(row + k * sizeof(x), &x, sizeof(x));
}

/* z = z + factor x; factor is 1 or -1, which are one for exclusive or. */
static void
rows_combine(const RowLayout *layout, uint8 *z, uint64 factor, const uint8 *x, size_t n)
{
	for (size_t i = 0; i < n; i++, z += layout->width, x += layout->width)
	{
		for (int k = 0; k < layout->numbers; k++)
			write_element(z, k, read_element(z, k) + factor * read_element(x, k));
		for (int b = layout->numbers * sizeof(uint64); b < layout->width; b++)
			z[b] ^= x[b];
	}
}

void
rows_add(const RowLayout *layout, uint8 *z, const uint8 *x, size_t n)
{
	rows_combine(layout, z, 1, x, n);
}

void
rows_subtract(const RowLayout *layout, uint8 *z, const uint8 *x, size_t n)
{
	rows_combine(layout, z, -1, x, n);
}

/* What the last byte of a row may hold; all of it if the bits fill it, or there are none. */
static uint8
last_byte_mask(const RowLayout *layout)
{
	return layout->nbits % 8 == 0 ? 0xff : (1 << (layout->nbits % 8)) - 1;
}

void
rows_random(const RowLayout *layout, Prg *prg, uint8 *out, size_t n)
{
	uint8		mask = last_byte_mask(layout);

	if (n == 0 || layout->width == 0)
		return;
	prg_fill(prg, out, n * layout->width);
	for (size_t i = 1; i <= n; i++)
		out[i * layout->width - 1] &= mask;
}

bool
rows_clean(const RowLayout *layout, const uint8 *rows, size_t n)
{
	uint8		beyond = ~last_byte_mask(layout);
	uint8		found = 0;

	for (size_t i = 1; i <= n && layout->width > 0; i++)
		found |= rows[i * layout->width - 1] & beyond;
	return found == 0;
}

size_t
rows_package_bytes(const RowLayout *layout, int party, size_t n)
{
	Assert(party >= 0 && party < PARTIES);
	if (party == 1)
		return 2 * SEED_BYTES;
	return n * layout->width + SEED_BYTES;
}

static size_t
block_rows(const RowLayout *layout)
{
	return Max(1, BLOCK_BYTES / Max(1, layout->width));
}

/* z = z - the rows that the seed stands for. */
static void
subtract_stream(const RowLayout *layout, uint8 *z, const uint8 seed[SEED_BYTES], size_t n)
{
	size_t		block = block_rows(layout);
	uint8	   *x = palloc(block * layout->width + 1);
	Prg		   *prg = prg_create(seed);

	for (size_t start = 0; start < n; start += block)
	{
		size_t		len = Min(block, n - start);

		rows_random(layout, prg, x, len);
		rows_subtract(layout, z + start * layout->width, x, len);
	}
	prg_free(prg);
	wipe(x, block * layout->width);
	pfree(x);
}

void
rows_split(const RowLayout *layout, const uint8 *rows, size_t n, StringInfo out[PARTIES])
{
	size_t		bytes = n * layout->width;
	uint8		seeds[2][SEED_BYTES];
	uint8	   *x0;

	random_bytes(seeds, sizeof(seeds));
	for (int party = 0; party < PARTIES; party++)
		enlargeStringInfo(out[party], rows_package_bytes(layout, party, n));

	/* x0 = x - x1 - x2 */
	x0 = (uint8 *) out[0]->data + out[0]->len;
	memcpy(x0, rows, bytes);
	subtract_stream(layout, x0, seeds[0], n);
	subtract_stream(layout, x0, seeds[1], n);
	out[0]->len += bytes;
	appendBinaryStringInfo(out[0], (const char *) seeds[0], SEED_BYTES);
	appendBinaryStringInfo(out[1], (const char *) seeds, sizeof(seeds));
	appendBinaryStringInfo(out[2], (const char *) x0, bytes);
	appendBinaryStringInfo(out[2], (const char *) seeds[1], SEED_BYTES);
	wipe(seeds, sizeof(seeds));
}

static void
expand(const RowLayout *layout, const uint8 seed[SEED_BYTES], uint8 *out, size_t n)
{
	Prg		   *prg = prg_create(seed);

	rows_random(layout, prg, out, n);
	prg_free(prg);
}

bool
rows_from_package(const RowLayout *layout, int party, const void *package, size_t len,
				  size_t n, uint8 *mine, uint8 *next)
{
	const uint8 *bytes = package;
	size_t		x0_bytes = n * layout->width;

	if (len != rows_package_bytes(layout, party, n))
		return false;
	switch (party)
	{
		case 0:
			memcpy(mine, bytes, x0_bytes);
			expand(layout, bytes + x0_bytes, next, n);
			return rows_clean(layout, mine, n);
		case 1:
			expand(layout, bytes, mine, n);
			expand(layout, bytes + SEED_BYTES, next, n);
			return true;
		default:
			expand(layout, bytes + x0_bytes, mine, n);
			memcpy(next, bytes, x0_bytes);
			return rows_clean(layout, next, n);
	}
}
