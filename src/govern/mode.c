/*
 * mode.c
 *	  In which mode this node is: who may ask what without a contract.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "govern/identity.h"
#include "govern/mode.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "utils/array.h"
#include "utils/builtins.h"

/*
 * Each table's own mode, or else the node's, which is that of no table, too; a mode that is NULL is
 * the default.  A closed node is closed.
 */
static Statement find = {
	"SELECT COALESCE(own.table_name, ''), COALESCE(own.mode, node.mode),"
	"       CASE WHEN own.table_name IS NULL THEN node.who IS NULL OR node.who && $2"
	"            ELSE own.who IS NULL OR own.who && $2 END"
	"  FROM unnest(CASE cardinality($1) WHEN 0 THEN '{\"\"}' ELSE $1 END) asked"
	"  LEFT JOIN secmed.site_mode own ON own.table_name = asked AND asked <> ''"
	"  LEFT JOIN secmed.site_mode node ON node.table_name = ''"
	" UNION SELECT '', mode, false FROM secmed.site_mode WHERE table_name = '' AND mode = 'closed'"
	" ORDER BY 1",
	2, {NAMEARRAYOID, TEXTARRAYOID}
};

/* All that a rule may call who asks. */
static Datum
requester_names(const Request *request)
{
	Datum		elements[3];
	int			n = 0;
	Identity	identity;
	const char *problem;

	elements[n++] = CStringGetTextDatum(psprintf("%s:%s", request->coordinator, request->requester));
	elements[n++] = CStringGetTextDatum(psprintf("%s:*", request->coordinator));
	if (identity_of_request(&identity, request, &problem) && problem == NULL)
	{
		char		hex[2 * HASH_BYTES + 1];

		hex_encode((const char *) request->identity, HASH_BYTES, hex);
		hex[2 * HASH_BYTES] = '\0';
		elements[n++] = CStringGetTextDatum(psprintf("%s:%s", request->coordinator, hex));
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static ModeFact
read_mode(MemoryContext context, uint64 row)
{
	char	   *table = statement_text(context, row, 1);
	char	   *mode = statement_text(context, row, 2);
	bool		isnull;
	ModeFact	fact = {.table = table[0] ? table : NULL,.mode = MODE_DEFAULT};

	fact.named = DatumGetBool(statement_value(row, 3, &isnull));
	if (mode != NULL)
		fact.mode = site_mode_from_name(mode);
	if (fact.mode == 0)
		elog(ERROR, "secmed.site_mode has a mode that there is not");
	return fact;
}

int
modes_of_question(ModeFact **modes, const Request *request, const List *tables)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {name_array_datum(tables), requester_names(request)};
	uint64		rows = statement_begin(&find, values, NULL);

	*modes = MemoryContextAlloc(context, sizeof(ModeFact) * (rows + 1));
	for (uint64 row = 0; row < rows; row++)
		(*modes)[row] = read_mode(context, row);
	statement_end(&find);
	return (int) rows;
}
