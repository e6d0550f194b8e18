/*
 * load.c
 *	  A party's shares of a table as the engine's vectors, and back.
 *
 * Blocks of rows come from scan.c; share/columns.c knows where what is in them.
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
load_block(void *arg, size_t first, size_t n, const int64 *row_ids, const uint8 *mine, const uint8 *next)
{
	Loading    *loading = arg;

	loading->changed = loading->changed || first + n > loading->rows->n;
	if (loading->changed)
		return;
	memcpy(loading->rows->row_ids + first, row_ids, n * sizeof(int64));
	columns_put_rows(loading->layout, loading->rows->columns, &loading->rows->valid, SUMMAND_MINE, first, mine, n);
	columns_put_rows(loading->layout, loading->rows->columns, &loading->rows->valid, SUMMAND_NEXT, first, next, n);
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
	rows->columns = columns_alloc(&scan.layout, rows->n);
	rows->valid = shared_bits_alloc(1, rows->n);
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
	columns_free(rows->columns, rows->ncolumns);
	shared_bits_free(&rows->valid);
	pfree(rows->row_ids);
	pfree(rows);
}

/* ---- storing ---- */

void
shared_store_columns(const SharedTable *table, const uint8 write[WRITE_ID_BYTES], uint64 xid,
					 const SharedRows *base, const int *columns, int ncolumns,
					 const LoadedColumn *values, const SharedBits *valid)
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

		columns_get_rows(&layout, values, valid, SUMMAND_MINE, first, mine, n);
		columns_get_rows(&layout, values, valid, SUMMAND_NEXT, first, next, n);
		stage_replace_rows(table, write, xid, columns, &layout, base->row_ids + first, n, mine, next);
		wipe(mine, n * layout.width);
		wipe(next, n * layout.width);
		pfree(mine);
		pfree(next);
	}
}
