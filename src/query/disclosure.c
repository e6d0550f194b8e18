/*
 * disclosure.c
 *	  What a site does about questions over some of its tables as a whole.
 */
#include "postgres.h"

#include "base/limits.h"
#include "catalog/pg_type.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "query/disclosure.h"

static const char *const differencing_names[] = {NULL, "none", "requester", "everybody"};

Differencing
differencing_from_name(const char *name)
{
	for (int i = 1; i < lengthof(differencing_names); i++)
		if (strcmp(differencing_names[i], name) == 0)
			return (Differencing) i;
	return 0;
}

/* Of each table its own word, or that of all, or the default. */
static Statement find = {
	"SELECT COALESCE(own.differencing, every.differencing, 'everybody'), COALESCE(own.repeats, every.repeats)"
	"  FROM pg_catalog.unnest($1) AS asked(name)"
	"  LEFT JOIN secmed.disclosure_policy own ON own.\"table\" = asked.name"
	"  LEFT JOIN secmed.disclosure_policy every ON every.\"table\" = ''",
	1, {NAMEARRAYOID}
};

/* 0 is no bound. */
static int
stricter(int a, int b)
{
	return a == 0 ? b : b == 0 ? a : Min(a, b);
}

DisclosureRule
disclosure_rule(const List *tables)
{
	DisclosureRule rule = {DIFFERENCING_NONE};
	Datum		values[] = {name_array_datum(tables)};
	MemoryContext context = CurrentMemoryContext;
	uint64		n = statement_begin(&find, values, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		repeats = statement_value(i, 2, &isnull);

		rule.repeats = stricter(rule.repeats, isnull ? REPEATS_DEFAULT : DatumGetInt32(repeats));
		rule.differencing = Max(rule.differencing, differencing_from_name(statement_text(context, i, 1)));
	}
	statement_end(&find);
	return rule;
}
