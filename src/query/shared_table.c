/*
 * shared_table.c
 *	  A shared table as its coordinator sees it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/unicode_norm.h"
#include "foreign/foreign.h"
#include "identity/node.h"
#include "mb/pg_wchar.h"
#include "query/options.h"
#include "query/shared_table.h"
#include "shared/table.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* ---- columns ---- */

static pg_attribute_noreturn() void
not_secret(const char *column, Oid type, int32 typmod, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("column \"%s\" of type %s can't be shared", column, format_type_with_typemod(type, typmod)),
			 errhint("%s", hint)));
}

static bool
numeric_type(SecretType *secret, int32 typmod, char **hint)
{
	int			precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	int			scale = ((typmod - VARHDRSZ) & 0x7ff);

	*hint = psprintf("Say how many digits, at most %d: numeric(10,2).", SECRET_DIGITS_MAX);
	if (typmod < (int32) VARHDRSZ || precision > SECRET_DIGITS_MAX || scale > precision)
		return false;
	*secret = secret_numeric(precision, scale);
	return true;
}

static bool
text_type(SecretType *secret, int32 typmod, const char *bytes, char **hint)
{
	int			n = SECRET_TEXT_BYTES_MAX;

	if (bytes != NULL)
		n = number_option("bytes", bytes, 1, SECRET_TEXT_BYTES_MAX);
	else if (typmod >= (int32) VARHDRSZ)
		n = typmod - VARHDRSZ;
	*hint = psprintf("A shared text has at most %d bytes: OPTIONS (bytes '...'), or share a code of it.",
					 SECRET_TEXT_BYTES_MAX);
	if (n < 1 || n > SECRET_TEXT_BYTES_MAX)
		return false;
	*secret = secret_text(n);
	return true;
}

static bool
type_of_sql(SecretType *secret, Oid type, int32 typmod, List *options, char **hint)
{
	switch (type)
	{
		case BOOLOID:
			*secret = secret_boolean();
			return true;
		case INT2OID:
			*secret = secret_integer(16);
			return true;
		case INT4OID:
			*secret = secret_integer(32);
			return true;
		case INT8OID:
			*secret = secret_integer(64);
			return true;
		case NUMERICOID:
			return numeric_type(secret, typmod, hint);
		case DATEOID:
			*secret = secret_date();
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*secret = secret_timestamp();
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
			*secret = secret_float();
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return text_type(secret, typmod, option_value(options, "bytes"), hint);
		default:
			*hint = "Shared are boolean, smallint, integer, bigint, numeric(p,s), date, timestamp, real, double precision, varchar and text.";
			return false;
	}
}

bool
secret_type_of_sql(SecretType *secret, Oid type, int32 typmod, List *options, char **hint)
{
	const char *bits = option_value(options, "bits");

	if (!type_of_sql(secret, type, typmod, options, hint))
		return false;
	if (bits == NULL)
		return true;
	*hint = "Only numbers have the option bits.";
	if (!secret_is_number(secret))
		return false;
	secret->bits = Min(secret->bits, number_option("bits", bits, 2, SECRET_NUMBER_BITS_MAX));
	return true;
}

static void
add_column(SharedForeign *table, Form_pg_attribute attribute)
{
	SharedDefinition *definition = &table->definition;
	int			i = definition->ncolumns;
	const char *name = NameStr(attribute->attname);
	char	   *hint;

	if (i >= SHARED_COLUMNS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("a shared table has at most %d columns", SHARED_COLUMNS_MAX)));
	if (strcmp(name, SHARED_ROW_ID) == 0 || strcmp(name, SHARED_VALID) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("a column of a shared table can't have the name \"%s\"", name)));
	if (OidIsValid(attribute->attcollation) && !get_collation_isdeterministic(attribute->attcollation))
		not_secret(name, attribute->atttypid, attribute->atttypmod,
				   "Shared texts are equal if their bytes are: use a deterministic collation.");
	definition->columns[i] = pstrdup(name);
	if (!secret_type_of_sql(&definition->types[i], attribute->atttypid, attribute->atttypmod,
							GetForeignColumnOptions(table->relid, attribute->attnum), &hint))
		not_secret(name, attribute->atttypid, attribute->atttypmod, hint);
	definition->types[i].nullable = !attribute->attnotnull;
	table->attnums[i] = attribute->attnum;
	table->types[i] = attribute->atttypid;
	definition->ncolumns++;
}

static void
add_columns(SharedForeign *table)
{
	Relation	relation = relation_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			add_column(table, TupleDescAttr(desc, i));
	relation_close(relation, AccessShareLock);
	if (table->definition.ncolumns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("a shared table has at least one column")));
}

static void
require_column(const SharedDefinition *definition, const char *option, const char *column)
{
	if (shared_definition_column(definition, column) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\", named in option \"%s\", is not in the table", column, option)));
}

static void
add_options(SharedForeign *table, List *options)
{
	SharedDefinition *definition = &table->definition;
	const char *patient = option_value(options, "patient");
	const char *unique = option_value(options, "unique");
	const char *threshold = option_value(options, "threshold");
	List	   *names = NIL;
	ListCell   *lc;

	if (patient != NULL)
	{
		require_column(definition, "patient", patient);
		definition->patient = pstrdup(patient);
	}
	if (unique != NULL && !SplitIdentifierString(pstrdup(unique), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"unique\" is not a list of columns")));
	foreach(lc, names)
	{
		require_column(definition, "unique", lfirst(lc));
		definition->unique[definition->nunique++] = pstrdup(lfirst(lc));
		if (definition->nunique >= SHARED_COLUMNS_MAX)
			break;
	}
	definition->threshold = threshold ? number_option("threshold", threshold, 1, PG_INT32_MAX) : THRESHOLD_DEFAULT;
}

/* ---- nodes ---- */

static void
fill_node(NodeRef *ref, const char *name)
{
	const NodeKeys *self = node_self();
	Peer		peer;

	ref->name = pstrdup(name);
	if (strcmp(name, self->card.name) == 0)
		peer.card = self->card;
	else
		peer_require(&peer, name);
	card_fingerprint(ref->fingerprint, &peer.card);
}

static void
add_nodes(SharedForeign *table)
{
	Federation *federation = federation_of_server(table->serverid);

	fill_node(&table->definition.creator, node_self()->card.name);
	for (int i = 0; i < PARTIES; i++)
		fill_node(&table->definition.parties[i], federation->parties[i]);
}

bool
shared_foreign_is(Oid relid)
{
	ForeignTable *foreign;
	ForeignServer *server;
	const char *kind;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return false;
	foreign = GetForeignTable(relid);
	server = GetForeignServer(foreign->serverid);
	if (strcmp(GetForeignDataWrapper(server->fdwid)->fdwname, "secmed") != 0)
		return false;
	kind = option_value(foreign->options, "kind");
	return kind != NULL && strcmp(kind, "shared") == 0;
}

SharedForeign *
shared_foreign_table(Oid relid)
{
	SharedForeign *table = palloc0(sizeof(SharedForeign));
	ForeignTable *foreign = GetForeignTable(relid);
	const char *name = option_value(foreign->options, "table");

	table->relid = relid;
	table->serverid = foreign->serverid;
	table->definition.name = name ? pstrdup(name) : get_rel_name(relid);
	if (strlen(table->definition.name) >= NAMEDATALEN || table->definition.name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("option \"table\" is not the name of a table")));
	add_columns(table);
	add_options(table, foreign->options);
	add_nodes(table);
	return table;
}

int
shared_foreign_column(const SharedForeign *table, AttrNumber attnum)
{
	for (int i = 0; i < table->definition.ncolumns; i++)
		if (table->attnums[i] == attnum)
			return i;
	return -1;
}

SharedParties
shared_foreign_parties(const SharedForeign *table)
{
	SharedParties parties = {.table = table->definition.name};

	for (int i = 0; i < PARTIES; i++)
		parties.nodes[i] = table->definition.parties[i].name;
	return parties;
}

/* ---- values ---- */

static pg_attribute_noreturn() void
out_of_range(const SecretType *type, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a value of column \"%s\" is out of range", column),
			 errdetail("It is shared as %s of %d bits.", secret_kind_name(type->kind), type->bits)));
}

static int64
numeric_number(const SecretType *type, Datum datum, const char *column)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, datum));
	int64		number;

	if (!secret_from_decimal(&number, text, type->scale))
		out_of_range(type, column);
	pfree(text);
	return number;
}

static int64
float_number(const SecretType *type, double value, const char *column)
{
	int64		number;

	if (!secret_from_double(&number, value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value of column \"%s\" is out of range", column),
				 errdetail("Shared are finite numbers of a magnitude below 2^39, in steps of 2^-24.")));
	return number;
}

static int64
number_of_datum(const SecretType *type, Oid sql_type, Datum datum, const char *column)
{
	switch (sql_type)
	{
		case INT2OID:
			return DatumGetInt16(datum);
		case INT4OID:
			return DatumGetInt32(datum);
		case INT8OID:
			return DatumGetInt64(datum);
		case NUMERICOID:
			return numeric_number(type, datum, column);
		case DATEOID:
			if (DATE_NOT_FINITE(DatumGetDateADT(datum)))
				out_of_range(type, column);
			return DatumGetDateADT(datum);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(datum)))
				out_of_range(type, column);
			return DatumGetTimestamp(datum);
		case FLOAT4OID:
			return float_number(type, DatumGetFloat4(datum), column);
		case FLOAT8OID:
			return float_number(type, DatumGetFloat8(datum), column);
		default:
			elog(ERROR, "type %u is not that of a shared number", sql_type);
	}
}

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) text[i] & 0x80)
			return false;
	return true;
}

/* UTF-8 in Unicode's normal form C; the text itself where it is ASCII. */
static char *
normal_form(char *text, size_t *len)
{
	char	   *utf8 = pg_server_to_any(text, (int) *len, PG_UTF8);
	size_t		bytes = utf8 == text ? *len : strlen(utf8);
	pg_wchar   *wide = palloc((bytes + 1) * sizeof(pg_wchar));
	pg_wchar   *normal;
	char	   *out;
	size_t		n = 0;
	int			chars = 0;

	for (size_t at = 0; at < bytes; at += pg_utf_mblen((unsigned char *) utf8 + at))
		wide[chars++] = utf8_to_unicode((unsigned char *) utf8 + at);
	wide[chars] = 0;
	normal = unicode_normalize(UNICODE_NFC, wide);
	for (chars = 0; normal[chars] != 0; chars++)
		;
	out = palloc(chars * MAX_UNICODE_EQUIVALENT_STRING + 1);
	for (int i = 0; i < chars; i++)
	{
		unicode_to_utf8(normal[i], (unsigned char *) out + n);
		n += pg_utf_mblen((unsigned char *) out + n);
	}
	*len = n;
	return out;
}

static uint128
text_bits(const SecretType *type, Oid sql_type, Datum datum, const char *column)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	char	   *text = VARDATA_ANY(value);
	size_t		len = sql_type == BPCHAROID ? bpchartruelen(text, VARSIZE_ANY_EXHDR(value)) : VARSIZE_ANY_EXHDR(value);
	uint128		bits;

	if (!is_ascii(text, len))
		text = normal_form(text, &len);
	if (!secret_from_text(&bits, type, text, len))
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("a value of column \"%s\" is too long", column),
				 errdetail("It is shared as a text of %d bytes in UTF-8.", type->bits / 8)));
	return bits;
}

SecretValue
secret_value_from_datum(const SecretType *type, Oid sql_type, Datum datum, const char *column)
{
	SecretValue value = {0};

	if (type->kind == SECRET_BOOLEAN)
		value.bits = DatumGetBool(datum);
	else if (type->kind == SECRET_TEXT)
		value.bits = text_bits(type, sql_type, datum, column);
	else
	{
		value.number = number_of_datum(type, sql_type, datum, column);
		if (!secret_fits(type, value.number))
			out_of_range(type, column);
	}
	return value;
}
