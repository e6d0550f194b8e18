/*
 * load.c
 *	  A party's shares of a table as the engine's vectors, and back.
 *
 * Blocks of rows come from scan.c.  SCAN_BLOCK_ROWS is a multiple of 64, so
 * each block fills whole words of every plane.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "port/pg_bswap.h"
#include "shared/load.h"
#include "shared/scan.h"
#include "shared/stage.h"

/* ---- loading ---- */

typedef struct Loading
{
	const RowLayout *layout;
	SharedRows *rows;
	bool		changed;		/* more rows than were counted */
} Loading;

static void
alloc_columns(SharedRows *rows, const RowLayout *layout)
{
	rows->columns = palloc0(sizeof(SharedColumn) * (rows->ncolumns + 1));
	for (int i = 0; i < rows->ncolumns; i++)
	{
		SharedColumn *column = &rows->columns[i];

		column->type = layout->types[i];
		if (secret_is_number(&column->type))
			column->numbers = shared64_alloc(rows->n);
		else
			column->bits = shared_bits_alloc(column->type.bits, rows->n);
		if (column->type.nullable)
			column->nulls = shared_bits_alloc(1, rows->n);
	}
	rows->valid = shared_bits_alloc(1, rows->n);
}

/* One bit of n rows into the words of a plane; what was there is zero. */
static void
gather_bit(const RowLayout *layout, int bit, uint64 *plane, const uint8 *image, size_t n)
{
	const uint8 *byte = image + layout->bits_at + bit / 8;
	int			shift = bit % 8;

	for (size_t i = 0; i < n; i++)
		plane[i / 64] |= (uint64) ((byte[i * layout->width] >> shift) & 1) << (i % 64);
}

static void
gather_numbers(const RowLayout *layout, int column, uint64 *out, const uint8 *image, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = row_number(layout, image + i * layout->width, column);
}

static uint128
text_of(const uint8 *bytes, int n)
{
	uint128		value = 0;

	for (int b = 0; b < n; b++)
		value = value << 8 | bytes[b];
	return value;
}

/* Slices a block and puts its words where they belong in each plane. */
static void
gather_text(const RowLayout *layout, int column, uint64 *planes, size_t total, size_t first,
			const uint8 *image, size_t n)
{
	int			bits = layout->types[column].bits;
	uint128    *values = palloc(sizeof(uint128) * n);
	uint64	   *block = palloc(sizeof(uint64) * bits * BIT_WORDS(n));

	for (size_t i = 0; i < n; i++)
		values[i] = text_of(image + i * layout->width + layout->at[column], bits / 8);
	bits_slice_wide(block, values, n, bits);
	for (int p = 0; p < bits; p++)
		memcpy(planes + p * BIT_WORDS(total) + first / 64, block + p * BIT_WORDS(n), BIT_WORDS(n) * sizeof(uint64));
	wipe(values, sizeof(uint128) * n);
	wipe(block, sizeof(uint64) * bits * BIT_WORDS(n));
	pfree(values);
	pfree(block);
}

static void
load_summand(const Loading *loading, bool is_next, size_t first, size_t n, const uint8 *image)
{
	const RowLayout *layout = loading->layout;
	SharedRows *rows = loading->rows;

	for (int i = 0; i < rows->ncolumns; i++)
	{
		SharedColumn *column = &rows->columns[i];

		if (secret_is_number(&column->type))
			gather_numbers(layout, i, (is_next ? column->numbers.next : column->numbers.mine) + first, image, n);
		else if (column->type.kind == SECRET_TEXT)
			gather_text(layout, i, is_next ? column->bits.next : column->bits.mine, rows->n, first, image, n);
		else
			gather_bit(layout, layout->bit[i], (is_next ? column->bits.next : column->bits.mine) + first / 64, image, n);
		if (column->type.nullable)
			gather_bit(layout, layout->null_bit[i], (is_next ? column->nulls.next : column->nulls.mine) + first / 64,
					   image, n);
	}
	gather_bit(layout, layout->valid_bit, (is_next ? rows->valid.next : rows->valid.mine) + first / 64, image, n);
}

static void
load_block(void *arg, size_t first, size_t n, const int64 *row_ids, const uint8 *mine, const uint8 *next)
{
	Loading    *loading = arg;

	loading->changed = loading->changed || first + n > loading->rows->n;
	if (loading->changed)
		return;
	memcpy(loading->rows->row_ids + first, row_ids, n * sizeof(int64));
	load_summand(loading, false, first, n, mine);
	load_summand(loading, true, first, n, next);
}

static void
digest_rows(SharedRows *rows, uint64 generation)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	uint64		word = pg_hton64(generation);
	bool		ok = sha != NULL && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(sha, "secmed/rows/1", 14) == 1 && EVP_DigestUpdate(sha, &word, sizeof(word)) == 1;

	for (size_t i = 0; i < rows->n && ok; i++)
	{
		word = pg_hton64(rows->row_ids[i]);
		ok = EVP_DigestUpdate(sha, &word, sizeof(word)) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(sha, rows->digest, NULL) == 1;
	EVP_MD_CTX_free(sha);
	if (!ok)
		elog(ERROR, "could not hash row ids");
}

SharedRows *
shared_load(const SharedTable *table, const int *columns, int ncolumns)
{
	SharedRows *rows = palloc0(sizeof(SharedRows));
	SharedScan	scan;
	Loading		loading = {&scan.layout, rows};

	shared_scan_init(&scan, table, columns, ncolumns);
	rows->n = shared_scan_count(&scan);
	rows->ncolumns = ncolumns;
	rows->row_ids = palloc_extended(sizeof(int64) * (rows->n + 1), MCXT_ALLOC_HUGE);
	alloc_columns(rows, &scan.layout);
	if (shared_scan_run(&scan, load_block, &loading) != rows->n || loading.changed)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("shared table \"%s\" was changed while it was read", table->definition.name),
				 errhint("Ask again.")));
	digest_rows(rows, table->generation);
	return rows;
}

void
shared_rows_free(SharedRows *rows)
{
	for (int i = 0; i < rows->ncolumns; i++)
	{
		SharedColumn *column = &rows->columns[i];

		if (secret_is_number(&column->type))
			shared64_free(&column->numbers);
		else
			shared_bits_free(&column->bits);
		if (column->type.nullable)
			shared_bits_free(&column->nulls);
	}
	shared_bits_free(&rows->valid);
	pfree(rows->row_ids);
	pfree(rows->columns);
	pfree(rows);
}

/* ---- storing ---- */

static void
scatter_bit(const RowLayout *layout, int bit, uint8 *image, const uint64 *plane, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row_put_bit(layout, image + i * layout->width, bit, (plane[(first + i) / 64] >> ((first + i) % 64)) & 1);
}

static void
scatter_text(const RowLayout *layout, int column, uint8 *image, const uint64 *planes, size_t total,
			 size_t first, size_t n)
{
	int			bits = layout->types[column].bits;

	for (int p = 0; p < bits; p++)
	{
		int			byte = layout->at[column] + (bits - 1 - p) / 8;
		const uint64 *plane = planes + p * BIT_WORDS(total);

		for (size_t i = 0; i < n; i++)
			image[i * layout->width + byte] |= ((plane[(first + i) / 64] >> ((first + i) % 64)) & 1) << (p % 8);
	}
}

static void
store_summand(const RowLayout *layout, bool is_next, uint8 *image, const SharedColumn *values,
			  const SharedBits *valid, size_t first, size_t n)
{
	for (int i = 0; i < layout->ncolumns; i++)
	{
		const SharedColumn *column = &values[i];
		const uint64 *bits = is_next ? column->bits.next : column->bits.mine;

		if (secret_is_number(&column->type))
			for (size_t r = 0; r < n; r++)
				row_put_number(layout, image + r * layout->width, i,
							   (is_next ? column->numbers.next : column->numbers.mine)[first + r]);
		else if (column->type.kind == SECRET_TEXT)
			scatter_text(layout, i, image, bits, column->bits.n, first, n);
		else
			scatter_bit(layout, layout->bit[i], image, bits, first, n);
		if (column->type.nullable)
			scatter_bit(layout, layout->null_bit[i], image, is_next ? column->nulls.next : column->nulls.mine, first, n);
	}
	if (valid)
		scatter_bit(layout, layout->valid_bit, image, is_next ? valid->next : valid->mine, first, n);
}

void
shared_store_columns(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid,
					 const SharedRows *base, const int *columns, int ncolumns,
					 const SharedColumn *values, const SharedBits *valid)
{
	SecretType	types[SHARED_COLUMNS_MAX];
	RowLayout	layout;

	for (int i = 0; i < ncolumns; i++)
	{
		types[i] = table->definition.types[columns[i]];
		if (!secret_type_equal(&types[i], &values[i].type))
			elog(ERROR, "new shares of column \"%s\" are of another type", table->definition.columns[columns[i]]);
	}
	rows_layout(&layout, types, ncolumns, valid != NULL);
	stage_replace_begin(table, write, xid);
	for (size_t first = 0; first < base->n; first += SHARED_CHUNK_ROWS)
	{
		size_t		n = Min(SHARED_CHUNK_ROWS, base->n - first);
		uint8	   *mine = palloc0(n * layout.width + 1);
		uint8	   *next = palloc0(n * layout.width + 1);

		store_summand(&layout, false, mine, values, valid, first, n);
		store_summand(&layout, true, next, values, valid, first, n);
		stage_replace_rows(table, write, xid, columns, &layout, base->row_ids + first, n, mine, next);
		wipe(mine, n * layout.width);
		wipe(next, n * layout.width);
		pfree(mine);
		pfree(next);
	}
}
