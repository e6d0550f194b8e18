/*
 * value.c
 *	  Between PostgreSQL's values and public values of secret types.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compute/value.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Bits of the smallest two's complement that holds it. */
static int
bits_of_number(int64 number)
{
	uint64		magnitude = number < 0 ? ~(uint64) number : (uint64) number;
	int			bits = 1;

	while (magnitude != 0)
	{
		bits++;
		magnitude >>= 1;
	}
	return Max(bits, 2);
}

static bool
from_numeric(PublicValue *value, SecretType *type, Datum datum, const char **reason)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, datum));
	char	   *point = strchr(text, '.');
	int			scale = point ? (int) strlen(point + 1) : 0;

	*reason = "a numeric constant has too many digits, or is not a number";
	if (scale > SECRET_DIGITS_MAX || !secret_from_decimal(&value->number, text, scale))
		return false;
	*type = secret_numeric(SECRET_DIGITS_MAX, scale);
	return true;
}

/* Unicode's normal form C, as texts are shared. */
static bool
from_text(PublicValue *value, SecretType *type, Datum datum, const char **reason)
{
	text	   *normal = DatumGetTextPP(datum);
	int			len;

	if (GetDatabaseEncoding() == PG_UTF8)
		normal = DatumGetTextPP(DirectFunctionCall2(unicode_normalize_func, datum,
													CStringGetTextDatum("NFC")));
	len = VARSIZE_ANY_EXHDR(normal);
	*reason = "a text constant is longer than secret texts can be";
	if (len > SECRET_TEXT_BYTES_MAX)
		return false;
	*type = secret_text(Max(len, 1));
	value->len = len;
	memcpy(value->text, VARDATA_ANY(normal), len);
	return true;
}

static bool
from_date(PublicValue *value, Datum datum, const char **reason)
{
	DateADT		date = DatumGetDateADT(datum);

	*reason = "infinity can't be compared with secret dates";
	value->number = date;
	return !DATE_NOT_FINITE(date);
}

static bool
from_timestamp(PublicValue *value, Datum datum, const char **reason)
{
	Timestamp	at = DatumGetTimestamp(datum);

	*reason = "infinity can't be compared with secret timestamps";
	value->number = at;
	return !TIMESTAMP_NOT_FINITE(at);
}

static bool
from_double(PublicValue *value, double number, const char **reason)
{
	*reason = "a double precision constant is too large for secret ones";
	return secret_from_double(&value->number, number);
}

static bool
type_of_null(SecretType *type, Oid datum_type)
{
	switch (datum_type)
	{
		case BOOLOID:
			*type = secret_boolean();
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*type = secret_integer(2);
			break;
		case NUMERICOID:
			*type = secret_numeric(1, 0);
			break;
		case DATEOID:
			*type = secret_date();
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*type = secret_timestamp();
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			*type = secret_float();
			break;
		case TEXTOID:
		case VARCHAROID:
			*type = secret_text(1);
			break;
		default:
			return false;
	}
	return true;
}

bool
value_from_datum(PublicValue *value, SecretType *type, Datum datum, bool isnull,
				 Oid datum_type, const char **reason)
{
	memset(value, 0, sizeof(*value));
	*reason = "a constant has a type that no secret value has";
	if (!type_of_null(type, datum_type))
		return false;
	value->null = type->nullable = isnull;
	if (isnull)
		return true;
	switch (datum_type)
	{
		case BOOLOID:
			value->number = DatumGetBool(datum);
			return true;
		case INT2OID:
			value->number = DatumGetInt16(datum);
			break;
		case INT4OID:
			value->number = DatumGetInt32(datum);
			break;
		case INT8OID:
			value->number = DatumGetInt64(datum);
			break;
		case NUMERICOID:
			if (!from_numeric(value, type, datum, reason))
				return false;
			break;
		case DATEOID:
			return from_date(value, datum, reason);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return from_timestamp(value, datum, reason);
		case FLOAT4OID:
			if (!from_double(value, DatumGetFloat4(datum), reason))
				return false;
			break;
		case FLOAT8OID:
			if (!from_double(value, DatumGetFloat8(datum), reason))
				return false;
			break;
		default:
			return from_text(value, type, datum, reason);
	}
	type->bits = bits_of_number(value->number);
	return true;
}

char *
value_to_text(const PublicValue *value, const SecretType *type)
{
	if (value->null)
		return NULL;
	if (type->kind == SECRET_TEXT)
		return pnstrdup(value->text, value->len);
	return psprintf(INT64_FORMAT, value->number);
}

static bool
number_from_text(int64 *number, const char *text)
{
	char	   *end;

	errno = 0;
	*number = strtoi64(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

bool
value_from_text(PublicValue *value, const SecretType *type, const char *text)
{
	memset(value, 0, sizeof(*value));
	value->null = text == NULL;
	if (text == NULL)
		return true;
	if (type->kind == SECRET_TEXT)
	{
		value->len = strlen(text);
		if (value->len > type->bits / 8)
			return false;
		memcpy(value->text, text, value->len);
		return true;
	}
	return number_from_text(&value->number, text) &&
		(type->kind == SECRET_BOOLEAN ? value->number == 0 || value->number == 1 :
		 secret_fits(type, value->number));
}

/* ---- opened values ---- */

static Datum
numeric_of(int64 number, int scale)
{
	char		text[SECRET_DECIMAL_BYTES];

	secret_to_decimal(text, number, scale);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

static void
out_of_range(Oid datum_type)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range", format_type_be(datum_type))));
}

static Datum
integer_to_datum(int64 number, Oid datum_type)
{
	if ((datum_type == INT2OID && number != (int16) number) ||
		(datum_type == INT4OID && number != (int32) number))
		out_of_range(datum_type);
	switch (datum_type)
	{
		case INT2OID:
			return Int16GetDatum((int16) number);
		case INT4OID:
			return Int32GetDatum((int32) number);
		default:
			return Int64GetDatum(number);
	}
}

Datum
value_to_datum(const PublicValue *value, const SecretType *type, Oid datum_type)
{
	switch (type->kind)
	{
		case SECRET_BOOLEAN:
			return BoolGetDatum(value->number != 0);
		case SECRET_INTEGER:
			if (datum_type == NUMERICOID)
				return numeric_of(value->number, 0);
			return integer_to_datum(value->number, datum_type);
		case SECRET_NUMERIC:
			return numeric_of(value->number, type->scale);
		case SECRET_DATE:
			return DateADTGetDatum((DateADT) value->number);
		case SECRET_TIMESTAMP:
			return TimestampGetDatum(value->number);
		case SECRET_FLOAT:
			if (datum_type == FLOAT4OID)
				return Float4GetDatum((float4) secret_to_double(value->number));
			return Float8GetDatum(secret_to_double(value->number));
		case SECRET_TEXT:
			return PointerGetDatum(cstring_to_text_with_len(value->text, value->len));
	}
	elog(ERROR, "unknown kind of secret value");
	return (Datum) 0;
}
