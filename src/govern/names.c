/*
 * names.c
 *	  Names and lists of them as SQL values, and back.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "govern/names.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

Datum
name_datum(const char *name)
{
	NameData   *value = palloc0(sizeof(NameData));

	namestrcpy(value, name);
	return NameGetDatum(value);
}

Datum
name_array_datum(const List *names)
{
	Datum	   *elements = palloc(sizeof(Datum) * (list_length(names) + 1));
	ListCell   *lc;

	foreach(lc, names)
		elements[foreach_current_index(lc)] = name_datum(lfirst(lc));
	return PointerGetDatum(construct_array(elements, list_length(names), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR));
}

Datum
text_array_datum(char *const *texts, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * (n + 1));
	bool	   *nulls = palloc(n + 1);
	int			dims[] = {n};
	int			bounds[] = {1};

	for (int i = 0; i < n; i++)
	{
		nulls[i] = texts[i] == NULL;
		elements[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	return PointerGetDatum(construct_md_array(elements, nulls, 1, dims, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
text_list_datum(const List *texts)
{
	char	  **array = palloc(sizeof(char *) * (list_length(texts) + 1));
	ListCell   *lc;

	foreach(lc, texts)
		array[foreach_current_index(lc)] = lfirst(lc);
	return text_array_datum(array, list_length(texts));
}

Datum
user_datum(void)
{
	return name_datum(GetUserNameFromId(GetUserId(), false));
}
