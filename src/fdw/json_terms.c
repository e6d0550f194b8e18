/*
 * json_terms.c
 *	  Arguments of SQL functions that are JSON.
 */
#include "postgres.h"

#include "base/base.h"
#include "fdw/json_terms.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static void
refuse(const char *what, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s %s", what, why)));
}

JsonbContainer *
json_container(const char *what, const JsonbValue *value)
{
	if (value == NULL || value->type != jbvBinary)
		refuse(what, "must be a JSON object or list");
	return value->val.binary.data;
}

int
json_pairs(const char *what, JsonbContainer *json, char ***keys, JsonbValue **values)
{
	JsonbIterator *it = JsonbIteratorInit(json);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			n = 0;

	if (!JsonContainerIsObject(json))
		refuse(what, "must be a JSON object");
	*keys = palloc(sizeof(char *) * (JsonContainerSize(json) + 1));
	*values = palloc(sizeof(JsonbValue) * (JsonContainerSize(json) + 1));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(*keys)[n] = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			(*values)[n++] = value;
	}
	return n;
}

JsonbContainer *
json_keys(const char *what, JsonbContainer *json, const char *const *keys)
{
	char	  **found;
	JsonbValue *values;
	int			n = json_pairs(what, json, &found, &values);

	for (int i = 0; i < n && keys != NULL; i++)
	{
		bool		known = false;

		for (int k = 0; keys[k] != NULL; k++)
			known = known || strcmp(keys[k], found[i]) == 0;
		if (!known)
			refuse(what, psprintf("has an unknown key \"%s\"", found[i]));
	}
	return json;
}

int
json_list(const char *what, JsonbContainer *json, JsonbValue **elements)
{
	JsonbIterator *it = JsonbIteratorInit(json);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			n = 0;

	if (!JsonContainerIsArray(json) || JsonContainerIsScalar(json))
		refuse(what, "must be a JSON list");
	*elements = palloc(sizeof(JsonbValue) * (JsonContainerSize(json) + 1));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			(*elements)[n++] = value;
	return n;
}

JsonbValue *
json_get(JsonbContainer *json, const char *key)
{
	return getKeyJsonValueFromContainer(json, key, strlen(key), NULL);
}

char *
json_text(const char *what, const JsonbValue *value)
{
	if (value == NULL || value->type == jbvNull)
		return NULL;
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			refuse(what, "must be a text, a number or a truth value");
			return NULL;
	}
}

uint64
json_number(const char *what, const JsonbValue *value, uint64 missing)
{
	int64		number;

	if (value == NULL || value->type == jbvNull)
		return missing;
	if (value->type != jbvNumeric)
		refuse(what, "must be a number");
	number = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
	if (number < 0)
		refuse(what, "must not be negative");
	return (uint64) number;
}

bool
json_truth(const char *what, const JsonbValue *value, bool missing)
{
	if (value == NULL || value->type == jbvNull)
		return missing;
	if (value->type != jbvBool)
		refuse(what, "must be true or false");
	return value->val.boolean;
}
