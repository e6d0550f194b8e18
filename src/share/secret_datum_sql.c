/*
 * secret_datum_sql.c
 *	  One secret value as a party keeps it: bytes and fields.
 */
#include "postgres.h"

#include "fmgr.h"
#include "share/secret_datum.h"

#define FLAG_PARTY			0x03
#define FLAG_NULLABLE		0x04
#define FLAG_NULL_MINE		0x08
#define FLAG_NULL_NEXT		0x10
#define FLAG_BIT_MINE		0x20
#define FLAG_BIT_NEXT		0x40

#define AT_FLAGS			8
#define AT_SCALE			9
#define AT_NUMBER			10
#define AT_TEXT				9

StaticAssertDecl(AT_NUMBER + 2 * sizeof(uint64) == SECRET_NUMBER_BYTES, "a number's bytes");
StaticAssertDecl(AT_FLAGS + 1 == SECRET_BOOLEAN_BYTES, "a boolean's bytes");

int
secret_datum_bytes(SecretKind kind, int bits)
{
	switch (kind)
	{
		case SECRET_BOOLEAN:
			return SECRET_BOOLEAN_BYTES;
		case SECRET_TEXT:
			return VARHDRSZ + AT_TEXT + 2 * bits / 8;
		default:
			return SECRET_NUMBER_BYTES;
	}
}

static uint8
flags_of(SecretKind kind, const SecretDatum *value)
{
	uint8		flags = value->party;

	flags |= value->nullable ? FLAG_NULLABLE : 0;
	flags |= value->null_mine * FLAG_NULL_MINE | value->null_next * FLAG_NULL_NEXT;
	if (kind == SECRET_BOOLEAN)
		flags |= value->mine * FLAG_BIT_MINE | value->next * FLAG_BIT_NEXT;
	return flags;
}

void
secret_datum_form(void *out, SecretKind kind, const SecretDatum *value)
{
	uint8	   *bytes = out;

	if (kind == SECRET_TEXT)
	{
		SET_VARSIZE(out, secret_datum_bytes(kind, 8 * value->bytes));
		bytes += VARHDRSZ;
		memcpy(bytes + AT_TEXT, value->text_mine, value->bytes);
		memcpy(bytes + AT_TEXT + value->bytes, value->text_next, value->bytes);
	}
	else if (kind != SECRET_BOOLEAN)
	{
		bytes[AT_SCALE] = value->scale;
		memcpy(bytes + AT_NUMBER, &value->mine, sizeof(uint64));
		memcpy(bytes + AT_NUMBER + sizeof(uint64), &value->next, sizeof(uint64));
	}
	memcpy(bytes, &value->generation, sizeof(uint64));
	bytes[AT_FLAGS] = flags_of(kind, value);
}

Datum
secret_datum_make(SecretKind kind, const SecretDatum *value)
{
	void	   *out = palloc(secret_datum_bytes(kind, 8 * value->bytes));

	secret_datum_form(out, kind, value);
	return PointerGetDatum(out);
}

static void
read_text(SecretDatum *value, const uint8 *bytes, int len)
{
	value->bytes = (len - AT_TEXT) / 2;
	if (len < AT_TEXT + 2 || value->bytes > SECRET_TEXT_BYTES_MAX || len != AT_TEXT + 2 * value->bytes)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("a stored secret text has a length that none can have")));
	memcpy(value->text_mine, bytes + AT_TEXT, value->bytes);
	memcpy(value->text_next, bytes + AT_TEXT + value->bytes, value->bytes);
}

void
secret_datum_read(SecretDatum *value, SecretKind kind, Datum datum)
{
	const uint8 *bytes = (const uint8 *) DatumGetPointer(datum);
	uint8		flags;

	value->scale = value->bytes = 0;
	if (kind == SECRET_TEXT)
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);

		bytes = (const uint8 *) VARDATA_ANY(text);
		read_text(value, bytes, VARSIZE_ANY_EXHDR(text));
	}
	flags = bytes[AT_FLAGS];
	memcpy(&value->generation, bytes, sizeof(uint64));
	value->party = flags & FLAG_PARTY;
	value->nullable = (flags & FLAG_NULLABLE) != 0;
	value->null_mine = (flags & FLAG_NULL_MINE) != 0;
	value->null_next = (flags & FLAG_NULL_NEXT) != 0;
	if (kind == SECRET_BOOLEAN)
	{
		value->mine = (flags & FLAG_BIT_MINE) != 0;
		value->next = (flags & FLAG_BIT_NEXT) != 0;
	}
	else if (kind != SECRET_TEXT)
	{
		value->scale = bytes[AT_SCALE];
		memcpy(&value->mine, bytes + AT_NUMBER, sizeof(uint64));
		memcpy(&value->next, bytes + AT_NUMBER + sizeof(uint64), sizeof(uint64));
	}
}

void
secret_datum_from_row(SecretDatum *value, const RowLayout *layout, int column,
					  const uint8 *mine, const uint8 *next)
{
	const SecretType *type = &layout->types[column];

	value->nullable = type->nullable;
	value->null_mine = type->nullable ? row_bit(layout, mine, layout->null_bit[column]) : 0;
	value->null_next = type->nullable ? row_bit(layout, next, layout->null_bit[column]) : 0;
	value->scale = type->scale;
	switch (type->kind)
	{
		case SECRET_BOOLEAN:
			value->mine = row_bit(layout, mine, layout->bit[column]);
			value->next = row_bit(layout, next, layout->bit[column]);
			break;
		case SECRET_TEXT:
			value->bytes = type->bits / 8;
			memcpy(value->text_mine, mine + layout->at[column], value->bytes);
			memcpy(value->text_next, next + layout->at[column], value->bytes);
			break;
		default:
			value->mine = row_number(layout, mine, column);
			value->next = row_number(layout, next, column);
	}
}

void
secret_datum_to_row(const SecretDatum *value, const RowLayout *layout, int column,
					uint8 *mine, uint8 *next)
{
	const SecretType *type = &layout->types[column];

	if (type->nullable)
	{
		row_put_bit(layout, mine, layout->null_bit[column], value->null_mine);
		row_put_bit(layout, next, layout->null_bit[column], value->null_next);
	}
	switch (type->kind)
	{
		case SECRET_BOOLEAN:
			row_put_bit(layout, mine, layout->bit[column], value->mine);
			row_put_bit(layout, next, layout->bit[column], value->next);
			break;
		case SECRET_TEXT:
			memcpy(mine + layout->at[column], value->text_mine, value->bytes);
			memcpy(next + layout->at[column], value->text_next, value->bytes);
			break;
		default:
			row_put_number(layout, mine, column, value->mine);
			row_put_number(layout, next, column, value->next);
	}
}

bool
secret_datum_fits(const SecretDatum *value, const SecretType *type)
{
	return value->nullable == type->nullable && value->scale == type->scale &&
		value->bytes == (type->kind == SECRET_TEXT ? type->bits / 8 : 0);
}
