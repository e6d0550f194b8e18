/*
 * secret_sql.c
 *	  The SQL types secmed.secret_...: input, output, and what a party may
 *	  compute on its shares alone.
 *
 * Whatever is linear needs no message: sums, differences, multiples.  The
 * result is a share of the same party, of use only together with the other
 * parties'.  Comparisons would need them; the operators exist to say so.
 *
 * Numbers wrap modulo 2^64: a party can't see that they do.  Whether a sum is
 * NULL when one of two may be is not linear either, so `+` takes at most one
 * nullable value, and sum() counts NULL as 0 and is never NULL itself.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "share/secret_datum.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_secret_number_in);
PG_FUNCTION_INFO_V1(secmed_secret_number_out);
PG_FUNCTION_INFO_V1(secmed_secret_number_recv);
PG_FUNCTION_INFO_V1(secmed_secret_number_send);
PG_FUNCTION_INFO_V1(secmed_secret_boolean_in);
PG_FUNCTION_INFO_V1(secmed_secret_boolean_out);
PG_FUNCTION_INFO_V1(secmed_secret_boolean_recv);
PG_FUNCTION_INFO_V1(secmed_secret_boolean_send);
PG_FUNCTION_INFO_V1(secmed_secret_text_in);
PG_FUNCTION_INFO_V1(secmed_secret_text_out);
PG_FUNCTION_INFO_V1(secmed_secret_text_recv);
PG_FUNCTION_INFO_V1(secmed_secret_text_send);
PG_FUNCTION_INFO_V1(secmed_secret_text_typmod_in);
PG_FUNCTION_INFO_V1(secmed_secret_typmod_out);
PG_FUNCTION_INFO_V1(secmed_secret_text_length);
PG_FUNCTION_INFO_V1(secmed_secret_numeric_typmod_in);
PG_FUNCTION_INFO_V1(secmed_secret_numeric_scale);
PG_FUNCTION_INFO_V1(secmed_secret_plus);
PG_FUNCTION_INFO_V1(secmed_secret_minus);
PG_FUNCTION_INFO_V1(secmed_secret_negate);
PG_FUNCTION_INFO_V1(secmed_secret_times);
PG_FUNCTION_INFO_V1(secmed_secret_sum);
PG_FUNCTION_INFO_V1(secmed_secret_refuse);

/* All numbers have the same bytes; this one stands for them. */
#define NUMBER		SECRET_INTEGER

/* The longest text form: a text of 16 bytes. */
#define FORM_BYTES	128

/* Typmods of numeric(precision, scale): precision * 32 + scale. */
#define NUMERIC_TYPMOD(precision, scale)	((precision) * 32 + (scale))

/* ---- typmods ---- */

static void
check_text_length(const SecretDatum *value, int32 typmod)
{
	if (typmod >= 0 && value->bytes != typmod)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("shares of a text of %d bytes can't be kept as secret_text(%d)", value->bytes, typmod)));
}

static void
check_scale(const SecretDatum *value, int32 typmod)
{
	if (typmod >= 0 && value->scale != typmod % 32)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("shares of scale %d can't be kept as secret_numeric(%d,%d)",
						value->scale, typmod / 32, typmod % 32)));
}

static int32 *
typmods_of(ArrayType *array, int least, int most, const char *form)
{
	int			n;
	int32	   *typmods = ArrayGetIntegerTypmods(array, &n);

	if (n < least || n > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the type is written %s", form)));
	return typmods;
}

Datum
secmed_secret_text_typmod_in(PG_FUNCTION_ARGS)
{
	int32	   *typmods = typmods_of(PG_GETARG_ARRAYTYPE_P(0), 1, 1, "secret_text(bytes)");

	if (typmods[0] < 1 || typmods[0] > SECRET_TEXT_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a secret text has 1 to %d bytes", SECRET_TEXT_BYTES_MAX)));
	PG_RETURN_INT32(typmods[0]);
}

Datum
secmed_secret_numeric_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int32	   *typmods = typmods_of(array, 1, 2, "secret_numeric(precision, scale)");
	int			scale = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) == 2 ? typmods[1] : 0;

	if (typmods[0] < 1 || typmods[0] > SECRET_DIGITS_MAX || scale < 0 || scale > typmods[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a secret numeric has 1 to %d digits, and no more behind the point", SECRET_DIGITS_MAX)));
	PG_RETURN_INT32(NUMERIC_TYPMOD(typmods[0], scale));
}

/* Of both: numeric's typmods are all larger than any text's. */
Datum
secmed_secret_typmod_out(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(0);

	if (typmod >= 32)
		PG_RETURN_CSTRING(psprintf("(%d,%d)", typmod / 32, typmod % 32));
	PG_RETURN_CSTRING(psprintf("(%d)", typmod));
}

Datum
secmed_secret_text_length(PG_FUNCTION_ARGS)
{
	SecretDatum value;

	secret_datum_read(&value, SECRET_TEXT, PG_GETARG_DATUM(0));
	check_text_length(&value, PG_GETARG_INT32(1));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

Datum
secmed_secret_numeric_scale(PG_FUNCTION_ARGS)
{
	SecretDatum value;

	secret_datum_read(&value, NUMBER, PG_GETARG_DATUM(0));
	check_scale(&value, PG_GETARG_INT32(1));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* ---- text form: generation:party:nulls[:scale]:mine:next ---- */

static void
print_hex(char *out, const uint8 *bytes, int n)
{
	for (int i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void
print_form(char form[FORM_BYTES], SecretKind kind, const SecretDatum *value)
{
	char		nulls[3] = "--";
	char		mine[2 * SECRET_TEXT_BYTES_MAX + 1] = "";
	char		next[2 * SECRET_TEXT_BYTES_MAX + 1] = "";
	int			at;

	if (value->nullable)
		snprintf(nulls, sizeof(nulls), "%d%d", value->null_mine, value->null_next);
	at = snprintf(form, FORM_BYTES, "%016" INT64_MODIFIER "x" ":%d:%s", value->generation, value->party, nulls);
	if (kind == SECRET_TEXT)
	{
		print_hex(mine, value->text_mine, value->bytes);
		print_hex(next, value->text_next, value->bytes);
		snprintf(form + at, FORM_BYTES - at, ":%s:%s", mine, next);
	}
	else if (kind == SECRET_BOOLEAN)
		snprintf(form + at, FORM_BYTES - at, ":%d:%d", (int) value->mine, (int) value->next);
	else
		snprintf(form + at, FORM_BYTES - at, ":%d:" "%016" INT64_MODIFIER "x" ":" "%016" INT64_MODIFIER "x",
				 value->scale, value->mine, value->next);
}

static uint64
scan_hex(const char *field)
{
	return strtoull(field, NULL, 16);
}

static int
scan_text(uint8 out[SECRET_TEXT_BYTES_MAX], const char *field)
{
	int			n = strlen(field) / 2;

	for (int i = 0; i < Min(n, SECRET_TEXT_BYTES_MAX); i++)
	{
		char		digits[3] = {field[2 * i], field[2 * i + 1], '\0'};

		out[i] = (uint8) strtoul(digits, NULL, 16);
	}
	return n;
}

/* The fields, as well as they can be read; whoever calls prints them again and compares. */
static bool
scan_form(SecretDatum *value, SecretKind kind, const char *form)
{
	char		copy[FORM_BYTES];
	char	   *fields[6];
	int			n = 0;
	bool		number = kind != SECRET_TEXT && kind != SECRET_BOOLEAN;

	if (strlcpy(copy, form, sizeof(copy)) >= sizeof(copy))
		return false;
	for (char *at = copy; at != NULL && n < 6; n++)
	{
		fields[n] = at;
		at = strchr(at, ':');
		if (at != NULL)
			*at++ = '\0';
	}
	if (n != (number ? 6 : 5))
		return false;
	memset(value, 0, sizeof(*value));
	value->generation = scan_hex(fields[0]);
	value->party = atoi(fields[1]);
	value->nullable = strcmp(fields[2], "--") != 0;
	value->null_mine = fields[2][0] == '1';
	value->null_next = fields[2][0] != '\0' && fields[2][1] == '1';
	if (kind == SECRET_TEXT)
	{
		value->bytes = scan_text(value->text_mine, fields[3]);
		return value->bytes >= 1 && value->bytes <= SECRET_TEXT_BYTES_MAX &&
			scan_text(value->text_next, fields[4]) == value->bytes;
	}
	value->scale = number ? atoi(fields[3]) : 0;
	value->mine = scan_hex(fields[number ? 4 : 3]);
	value->next = scan_hex(fields[number ? 5 : 4]);
	return number || (value->mine <= 1 && value->next <= 1);
}

static Datum
parse(SecretKind kind, const char *form, int32 typmod)
{
	SecretDatum value;
	char		again[FORM_BYTES];

	if (scan_form(&value, kind, form))
	{
		print_form(again, kind, &value);
		if (strcmp(form, again) == 0 && value.party >= 0 && value.party < PARTIES &&
			value.scale >= 0 && value.scale <= SECRET_DIGITS_MAX)
		{
			if (kind == SECRET_TEXT)
				check_text_length(&value, typmod);
			else
				check_scale(&value, typmod);
			return secret_datum_make(kind, &value);
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("these are not one party's shares of a secret value"),
			 errdetail("Shares are only made by splitting a value among three parties."),
			 errhint("INSERT the value into the shared table through its foreign table.")));
}

static Datum
print(SecretKind kind, Datum datum)
{
	char	   *form = palloc(FORM_BYTES);
	SecretDatum value;

	secret_datum_read(&value, kind, datum);
	print_form(form, kind, &value);
	return CStringGetDatum(form);
}

Datum
secmed_secret_number_in(PG_FUNCTION_ARGS)
{
	return parse(NUMBER, PG_GETARG_CSTRING(0), PG_GETARG_INT32(2));
}

Datum
secmed_secret_number_out(PG_FUNCTION_ARGS)
{
	return print(NUMBER, PG_GETARG_DATUM(0));
}

Datum
secmed_secret_boolean_in(PG_FUNCTION_ARGS)
{
	return parse(SECRET_BOOLEAN, PG_GETARG_CSTRING(0), -1);
}

Datum
secmed_secret_boolean_out(PG_FUNCTION_ARGS)
{
	return print(SECRET_BOOLEAN, PG_GETARG_DATUM(0));
}

Datum
secmed_secret_text_in(PG_FUNCTION_ARGS)
{
	return parse(SECRET_TEXT, PG_GETARG_CSTRING(0), PG_GETARG_INT32(2));
}

Datum
secmed_secret_text_out(PG_FUNCTION_ARGS)
{
	return print(SECRET_TEXT, PG_GETARG_DATUM(0));
}

/* ---- binary form: the same fields, in network order ---- */

static bytea *
send(SecretKind kind, Datum datum)
{
	SecretDatum value;
	StringInfoData out;

	secret_datum_read(&value, kind, datum);
	pq_begintypsend(&out);
	pq_sendint64(&out, value.generation);
	pq_sendbyte(&out, value.party);
	pq_sendbyte(&out, value.nullable ? 4 | value.null_mine << 1 | value.null_next : 0);
	pq_sendbyte(&out, value.scale);
	if (kind == SECRET_TEXT)
	{
		pq_sendbytes(&out, (char *) value.text_mine, value.bytes);
		pq_sendbytes(&out, (char *) value.text_next, value.bytes);
	}
	else
	{
		pq_sendint64(&out, value.mine);
		pq_sendint64(&out, value.next);
	}
	return pq_endtypsend(&out);
}

static pg_attribute_noreturn() void
bad_binary(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("these are not one party's shares of a secret value")));
}

static void
receive_text(SecretDatum *value, StringInfo in)
{
	int			len = in->len - in->cursor;

	value->bytes = len / 2;
	if (len % 2 != 0 || value->bytes < 1 || value->bytes > SECRET_TEXT_BYTES_MAX)
		bad_binary();
	pq_copymsgbytes(in, (char *) value->text_mine, value->bytes);
	pq_copymsgbytes(in, (char *) value->text_next, value->bytes);
}

static Datum
receive(SecretKind kind, StringInfo in, int32 typmod)
{
	SecretDatum value = {0};
	int			nulls;

	value.generation = pq_getmsgint64(in);
	value.party = pq_getmsgbyte(in);
	nulls = pq_getmsgbyte(in);
	value.scale = pq_getmsgbyte(in);
	if (kind == SECRET_TEXT)
		receive_text(&value, in);
	else
	{
		value.mine = pq_getmsgint64(in);
		value.next = pq_getmsgint64(in);
	}
	value.nullable = nulls != 0;
	value.null_mine = (nulls >> 1) & 1;
	value.null_next = nulls & 1;
	if (value.party >= PARTIES || (nulls != 0 && (nulls < 4 || nulls > 7)) ||
		value.scale > (kind == NUMBER ? SECRET_DIGITS_MAX : 0) ||
		(kind == SECRET_BOOLEAN && (value.mine > 1 || value.next > 1)))
		bad_binary();
	if (kind == SECRET_TEXT)
		check_text_length(&value, typmod);
	else
		check_scale(&value, typmod);
	return secret_datum_make(kind, &value);
}

Datum
secmed_secret_number_recv(PG_FUNCTION_ARGS)
{
	return receive(NUMBER, (StringInfo) PG_GETARG_POINTER(0), PG_GETARG_INT32(2));
}

Datum
secmed_secret_number_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(send(NUMBER, PG_GETARG_DATUM(0)));
}

Datum
secmed_secret_boolean_recv(PG_FUNCTION_ARGS)
{
	return receive(SECRET_BOOLEAN, (StringInfo) PG_GETARG_POINTER(0), -1);
}

Datum
secmed_secret_boolean_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(send(SECRET_BOOLEAN, PG_GETARG_DATUM(0)));
}

Datum
secmed_secret_text_recv(PG_FUNCTION_ARGS)
{
	return receive(SECRET_TEXT, (StringInfo) PG_GETARG_POINTER(0), PG_GETARG_INT32(2));
}

Datum
secmed_secret_text_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(send(SECRET_TEXT, PG_GETARG_DATUM(0)));
}

/* ---- local arithmetic ---- */

static void
check_alike(const SecretDatum *x, const SecretDatum *y)
{
	if (x->generation != y->generation || x->party != y->party)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SHARES_DIFFER),
				 errmsg("shares of different tables or parties can't be combined"),
				 errhint("Query the foreign tables at a coordinator: the three parties can join and compare.")));
	if (x->scale != y->scale)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("shares of scale %d and of scale %d can't be combined", x->scale, y->scale),
				 errhint("Multiply one of them by a power of ten, or query the foreign table.")));
}

/* x + factor y */
static Datum
combine(Datum left, uint64 factor, Datum right)
{
	SecretDatum x;
	SecretDatum y;

	secret_datum_read(&x, NUMBER, left);
	secret_datum_read(&y, NUMBER, right);
	check_alike(&x, &y);
	if (x.nullable && y.nullable)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("a party can't combine two secret values that may both be NULL"),
				 errdetail("Whether the result is NULL depends on both, and is as secret as they are."),
				 errhint("Query the foreign table at a coordinator.")));
	x.mine += factor * y.mine;
	x.next += factor * y.next;
	x.nullable = x.nullable || y.nullable;
	x.null_mine ^= y.null_mine;
	x.null_next ^= y.null_next;
	return secret_datum_make(NUMBER, &x);
}

Datum
secmed_secret_plus(PG_FUNCTION_ARGS)
{
	return combine(PG_GETARG_DATUM(0), 1, PG_GETARG_DATUM(1));
}

Datum
secmed_secret_minus(PG_FUNCTION_ARGS)
{
	return combine(PG_GETARG_DATUM(0), -1, PG_GETARG_DATUM(1));
}

static Datum
scale_by(Datum datum, uint64 factor)
{
	SecretDatum x;

	secret_datum_read(&x, NUMBER, datum);
	x.mine *= factor;
	x.next *= factor;
	return secret_datum_make(NUMBER, &x);
}

Datum
secmed_secret_negate(PG_FUNCTION_ARGS)
{
	return scale_by(PG_GETARG_DATUM(0), -1);
}

Datum
secmed_secret_times(PG_FUNCTION_ARGS)
{
	return scale_by(PG_GETARG_DATUM(0), (uint64) PG_GETARG_INT64(1));
}

/* The number behind a NULL is 0, so it adds nothing, as in PostgreSQL. */
Datum
secmed_secret_sum(PG_FUNCTION_ARGS)
{
	SecretDatum state;
	SecretDatum value;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	secret_datum_read(&value, NUMBER, PG_GETARG_DATUM(1));
	value.nullable = false;
	value.null_mine = value.null_next = 0;
	if (!PG_ARGISNULL(0))
	{
		secret_datum_read(&state, NUMBER, PG_GETARG_DATUM(0));
		check_alike(&state, &value);
		value.mine += state.mine;
		value.next += state.next;
	}
	if (AggCheckCallContext(fcinfo, NULL) && !PG_ARGISNULL(0))
	{
		secret_datum_form(DatumGetPointer(PG_GETARG_DATUM(0)), NUMBER, &value);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	return secret_datum_make(NUMBER, &value);
}

Datum
secmed_secret_refuse(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NOT_ALLOWED),
			 errmsg("a party can't compare secret values"),
			 errdetail("It holds shares, which say nothing about the values without the other parties."),
			 errhint("Query the foreign table at a coordinator: there WHERE, GROUP BY and joins work.")));
}
