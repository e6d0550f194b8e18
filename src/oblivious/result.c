/*
 * result.c
 *	  Opened results: their message, and their values.
 */
#include "oblivious/result.h"

#include "base/cbor.h"

/* ---- sizes ---- */

static const RelationType *
root_of(const CheckedPlan *checked)
{
	return &checked->nodes[checked->plan->nnodes - 1];
}

static int
numbers_of(const RelationType *type)
{
	int			numbers = 0;

	for (int c = 0; c < type->ncolumns; c++)
		numbers += column_type_is_number(&type->columns[c]);
	return numbers;
}

static int
planes_of(const RelationType *type)
{
	int			planes = 1;

	for (int c = 0; c < type->ncolumns; c++)
	{
		if (!column_type_is_number(&type->columns[c]))
			planes += column_planes(&type->columns[c]);
		planes += type->columns[c].type.nullable;
	}
	return planes;
}

/* ---- a party's message ---- */

static Shared64
all_numbers(const SharedRelation *relation)
{
	Shared64	all;
	size_t		n = 0;

	for (int c = 0; c < relation->ncolumns; c++)
		n += relation->columns[c].number.mine ? relation->n : 0;
	all = shared64_alloc(n);
	n = 0;
	for (int c = 0; c < relation->ncolumns; c++)
	{
		Shared64	part;

		if (relation->columns[c].number.mine == NULL)
			continue;
		part = shared64_view(&all, n, relation->n);
		shared64_copy(&part, &relation->columns[c].number);
		n += relation->n;
	}
	return all;
}

static void
put_planes(SharedBits *all, int *used, const SharedBits *planes)
{
	SharedBits	part;

	if (planes->mine == NULL)
		return;
	part = shared_bits_view(all, *used, planes->planes);
	shared_bits_copy(&part, planes);
	*used += planes->planes;
}

static SharedBits
all_planes(const SharedRelation *relation)
{
	int			planes = 1;
	int			used = 0;
	SharedBits	all;

	for (int c = 0; c < relation->ncolumns; c++)
		planes += relation->columns[c].bits.planes + relation->columns[c].null.planes;
	all = shared_bits_raw(planes, relation->n);
	put_planes(&all, &used, &relation->valid);
	for (int c = 0; c < relation->ncolumns; c++)
	{
		put_planes(&all, &used, &relation->columns[c].bits);
		put_planes(&all, &used, &relation->columns[c].null);
	}
	return all;
}

void
result_message_encode(StringInfo out, const ObliviousResult *result)
{
	Shared64	numbers = all_numbers(&result->relation);
	SharedBits	planes = all_planes(&result->relation);
	StringInfoData bytes;

	initStringInfo(&bytes);
	cbor_array(out, 5);
	cbor_uint(out, 1);
	cbor_uint(out, result->relation.n);
	ring64_open_message(&numbers, &bytes);
	cbor_bytes(out, bytes.data, bytes.len);
	resetStringInfo(&bytes);
	bits_open_message(&planes, &bytes);
	cbor_bytes(out, bytes.data, bytes.len);
	resetStringInfo(&bytes);
	bits_open_message(&result->problems, &bytes);
	cbor_bytes(out, bytes.data, bytes.len);
	pfree(bytes.data);
	shared64_free(&numbers);
	shared_bits_free(&planes);
}

bool
result_message_decode(ResultParts *out, const CheckedPlan *checked, const void *bytes, size_t len, const char **reason)
{
	const RelationType *type = root_of(checked);
	CborReader	in;

	memset(out, 0, sizeof(*out));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 5);
	if (cbor_read_uint(&in, 1) != 1 && in.error == NULL)
		in.error = "result of another version";
	out->rows = cbor_read_uint(&in, type->rows);
	out->numbers = cbor_read_bytes(&in, MESSAGE_BYTES_MAX, &out->numbers_len);
	out->planes = cbor_read_bytes(&in, MESSAGE_BYTES_MAX, &out->planes_len);
	out->problems = cbor_read_bytes(&in, MESSAGE_BYTES_MAX, &out->problems_len);

	*reason = NULL;
	if (!cbor_finish(&in))
		*reason = in.error ? in.error : "bytes after the result";
	else if (out->numbers_len != 2 * sizeof(uint64) * out->rows * numbers_of(type) ||
			 out->planes_len != 2 * PLANE_BYTES(out->rows) * planes_of(type) ||
			 out->problems_len != 2 * PLANE_BYTES(checked->nproblems))
		*reason = "result of another size";
	return *reason == NULL;
}

/* ---- what the requester reads ---- */

/* Planes of two's complement, as many as a number of the type has, with all above like the highest. */
static void
extend_signs(int128 *values, size_t n, int planes)
{
	for (size_t v = 0; v < n; v++)
		values[v] = (int128) ((uint128) values[v] << (128 - planes)) >> (128 - planes);
}

static bool *
read_nulls(const uint64 *plane, size_t n)
{
	uint8	   *bits = palloc0(n + 1);

	bits_unslice_plane(bits, plane, n);
	return (bool *) bits;
}

/* Takes what the column has in numbers and in planes. */
static OpenedColumn
read_column(const ColumnType *type, size_t n, const uint64 **numbers, const uint64 **planes)
{
	OpenedColumn column = {*type, palloc_extended((n + 1) * sizeof(int128), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)};
	int			width = column_planes(type);

	if (column_type_is_number(type))
	{
		for (size_t v = 0; v < n; v++)
			column.values[v] = (int64) (*numbers)[v];
		*numbers += n;
	}
	else
	{
		bits_unslice_wide((uint128 *) column.values, *planes, n, width);
		if (secret_is_number(&type->type))
			extend_signs(column.values, n, width);
		*planes += width * BIT_WORDS(n);
	}
	if (type->type.nullable)
	{
		column.nulls = read_nulls(*planes, n);
		*planes += BIT_WORDS(n);
	}
	return column;
}

/* Rows that are there come first; anything else is no result. */
static bool
count_there(OpenedResult *out, const uint64 *plane)
{
	uint8	   *there = palloc0(out->rows + 1);
	bool		ordered = true;

	bits_unslice_plane(there, plane, out->rows);
	while (out->there < out->rows && there[out->there])
		out->there++;
	for (uint64 v = out->there; v < out->rows; v++)
		ordered = ordered && !there[v];
	pfree(there);
	return ordered;
}

static bool
read_values(OpenedResult *out, const RelationType *type, const uint64 *numbers, const uint64 *planes)
{
	if (!count_there(out, planes))
		return false;
	planes += BIT_WORDS(out->rows);
	out->ncolumns = type->ncolumns;
	out->columns = palloc0((type->ncolumns + 1) * sizeof(OpenedColumn));
	for (int c = 0; c < type->ncolumns; c++)
		out->columns[c] = read_column(&type->columns[c], out->rows, &numbers, &planes);
	return true;
}

static bool
rebuild(OpenedResult *out, const CheckedPlan *checked, const ResultParts parts[PARTIES])
{
	const RelationType *type = root_of(checked);
	size_t		count = out->rows * numbers_of(type);
	int			nplanes = planes_of(type);
	uint64	   *numbers = table_words(count);
	uint64	   *planes = table_words(nplanes * BIT_WORDS(out->rows));
	uint64	   *problems = table_words(BIT_WORDS(checked->nproblems));
	const uint8 *from[3][PARTIES];
	size_t		lens[3][PARTIES];
	bool		fits;

	for (int i = 0; i < PARTIES; i++)
	{
		from[0][i] = parts[i].numbers;
		lens[0][i] = parts[i].numbers_len;
		from[1][i] = parts[i].planes;
		lens[1][i] = parts[i].planes_len;
		from[2][i] = parts[i].problems;
		lens[2][i] = parts[i].problems_len;
	}
	fits = ring64_rebuild(numbers, count, from[0], lens[0]) &&
		bits_rebuild(planes, nplanes, out->rows, from[1], lens[1]) &&
		bits_rebuild(problems, 1, checked->nproblems, from[2], lens[2]) &&
		read_values(out, type, numbers, planes);
	for (int i = 0; i < checked->nproblems && fits && out->problem == NULL; i++)
		if (problems[i / 64] >> (i % 64) & 1)
			out->problem = &checked->problems[i];
	pfree(numbers);
	pfree(planes);
	pfree(problems);
	return fits;
}

bool
result_open(OpenedResult *out, const CheckedPlan *checked,
			const uint8 *const messages[PARTIES], const size_t lens[PARTIES], const char **reason)
{
	ResultParts parts[PARTIES];

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < PARTIES; i++)
	{
		if (!result_message_decode(&parts[i], checked, messages[i], lens[i], reason))
			return false;
		if (parts[i].rows != parts[0].rows)
		{
			*reason = "results of different sizes";
			return false;
		}
	}
	out->rows = parts[0].rows;
	if (!rebuild(out, checked, parts))
	{
		*reason = "shares that do not fit together";
		return false;
	}
	return true;
}
