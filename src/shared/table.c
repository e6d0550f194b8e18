/*
 * table.c
 *	  The shared tables that this node keeps shares of.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "shared/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

uint64
shared_execute(const char *sql, int n, const Oid *types, const Datum *values)
{
	uint64		processed;

	SPI_connect();
	if (SPI_execute_with_args(sql, n, (Oid *) types, (Datum *) values, NULL, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
	processed = SPI_processed;
	SPI_finish();
	return processed;
}

Datum
shared_write_datum(const uint8 write[WRITE_ID_BYTES])
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	memcpy(uuid->data, write, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

uint64
shared_generation(const uint8 write[WRITE_ID_BYTES])
{
	HashPart	parts[] = {{"secmed/generation/1", 20}, {write, WRITE_ID_BYTES}};
	uint8		hash[HASH_BYTES];
	uint64		generation = 0;

	hash_parts(hash, parts, lengthof(parts));
	for (int i = 0; i < 8; i++)
		generation = generation << 8 | hash[i];
	return generation;
}

/* ---- finding ---- */

static bool
is_node(const NodeRef *ref, const NodeCard *card)
{
	uint8		fingerprint[HASH_BYTES];

	card_fingerprint(fingerprint, card);
	return strcmp(ref->name, card->name) == 0 && memcmp(ref->fingerprint, fingerprint, HASH_BYTES) == 0;
}

int
shared_party_of(const SharedDefinition *definition, const NodeCard *card)
{
	for (int i = 0; i < PARTIES; i++)
		if (is_node(&definition->parties[i], card))
			return i;
	return -1;
}

bool
shared_is_creator(const SharedDefinition *definition, const NodeCard *card)
{
	return is_node(&definition->creator, card);
}

/* Reads the catalog's row: the definition's bytes in the caller's context. */
static bytea *
read_row(const char *name, uint64 *generation)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	bytea	   *bytes = NULL;
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("SELECT definition, generation FROM secmed.shared_table WHERE name::text = $1",
							  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read secmed.shared_table");
	if (SPI_processed == 1)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		bool		isnull;

		bytes = DatumGetByteaPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		*generation = (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	owner_end(&scope);
	return bytes;
}

SharedTable *
shared_table_find(const char *name)
{
	uint64		generation;
	bytea	   *bytes = read_row(name, &generation);
	SharedTable *table;
	const char *reason;

	if (bytes == NULL)
		return NULL;
	table = palloc0(sizeof(SharedTable));
	table->generation = generation;
	if (!shared_definition_decode(&table->definition, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the definition of shared table \"%s\" is damaged", name),
				 errdetail("It is %s.", reason)));
	table->party = shared_party_of(&table->definition, &node_self()->card);
	if (table->party < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("shared table \"%s\" belongs to another node than this one", name),
				 errhint("Shares are of use only to the node, with the key, that they were made for.")));
	table->relid = get_relname_relid(name, get_namespace_oid(SHARED_SCHEMA, false));
	rows_layout(&table->layout, table->definition.types, table->definition.ncolumns, true);
	return table;
}

SharedTable *
shared_table_require(const char *name)
{
	SharedTable *table = shared_table_find(name);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no shared table \"%s\" at node \"%s\"", name, node_self()->card.name)));
	if (!OidIsValid(table->relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("node \"%s\" has lost its shares of \"%s\"", node_self()->card.name, name),
				 errhint("There: SELECT secmed.rebuild_shared(%s);", quote_literal_cstr(name))));
	return table;
}

/* ---- making and dropping ---- */

/* The digits that surely fit into so many bits. */
static int
digits_of_bits(int bits)
{
	uint64		power = 1;
	int			digits = 0;

	while (digits < SECRET_DIGITS_MAX && power <= (UINT64CONST(1) << (bits - 1)) / 10)
	{
		power *= 10;
		digits++;
	}
	return Max(digits, 1);
}

static char *
type_name(const SecretType *type)
{
	switch (type->kind)
	{
		case SECRET_BOOLEAN:
			return "secmed.secret_boolean";
		case SECRET_INTEGER:
			return "secmed.secret_bigint";
		case SECRET_NUMERIC:
			return psprintf("secmed.secret_numeric(%d,%d)", Max(digits_of_bits(type->bits), type->scale), type->scale);
		case SECRET_DATE:
			return "secmed.secret_date";
		case SECRET_TIMESTAMP:
			return "secmed.secret_timestamp";
		case SECRET_FLOAT:
			return "secmed.secret_float8";
		case SECRET_TEXT:
			return psprintf("secmed.secret_text(%d)", type->bits / 8);
	}
	elog(ERROR, "unknown kind of secret value %d", type->kind);
}

static char *
create_command(const SharedDefinition *definition)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE " SHARED_SCHEMA ".%s (" SHARED_ROW_ID " bigint PRIMARY KEY",
					 quote_identifier(definition->name));
	for (int i = 0; i < definition->ncolumns; i++)
		appendStringInfo(&sql, ", %s %s NOT NULL", quote_identifier(definition->columns[i]),
						 type_name(&definition->types[i]));
	appendStringInfoString(&sql, ", " SHARED_VALID " secmed.secret_boolean NOT NULL)");
	return sql.data;
}

static void
insert_row(const SharedDefinition *definition, uint64 generation)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID, INT8OID, BYTEAOID};
	StringInfoData bytes;
	Datum		values[6];

	initStringInfo(&bytes);
	shared_definition_encode(&bytes, definition);
	values[0] = CStringGetTextDatum(definition->name);
	values[1] = CStringGetTextDatum(definition->creator.name);
	values[2] = Int32GetDatum(shared_party_of(definition, &node_self()->card));
	values[3] = Int64GetDatum((int64) definition->threshold);
	values[4] = Int64GetDatum((int64) generation);
	values[5] = PointerGetDatum(cstring_to_text_with_len(bytes.data, bytes.len));
	shared_execute("INSERT INTO secmed.shared_table (name, creator, party, threshold, generation, definition)"
				   " VALUES ($1, $2, $3, $4, $5, $6)", 6, types, values);
}

void
shared_table_create(const SharedDefinition *definition, uint64 generation)
{
	OwnerScope	scope;

	owner_begin(&scope);
	(void) shared_execute(create_command(definition), 0, NULL, NULL);
	insert_row(definition, generation);
	owner_end(&scope);
	CommandCounterIncrement();
}

void
shared_table_drop(const char *name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	OwnerScope	scope;

	owner_begin(&scope);
	if (OidIsValid(get_relname_relid(name, get_namespace_oid(SHARED_SCHEMA, false))))
		(void) shared_execute(psprintf("DROP TABLE " SHARED_SCHEMA ".%s", quote_identifier(name)), 0, NULL, NULL);
	(void) shared_execute("DELETE FROM secmed.shared_table WHERE name::text = $1", 1, types, values);
	owner_end(&scope);
	CommandCounterIncrement();
}

void
shared_table_set_generation(const char *name, uint64 generation)
{
	Oid			types[] = {TEXTOID, INT8OID};
	Datum		values[] = {CStringGetTextDatum(name), Int64GetDatum((int64) generation)};
	OwnerScope	scope;

	owner_begin(&scope);
	(void) shared_execute("UPDATE secmed.shared_table SET generation = $2 WHERE name::text = $1", 2, types, values);
	owner_end(&scope);
	CommandCounterIncrement();
}
