/*
 * settings.c
 *	  The settings of the query layer.
 */
#include "postgres.h"

#include "query/settings.h"
#include "utils/guc.h"

int			suppressed_mode = SUPPRESSED_NULL;

static const struct config_enum_entry suppressed_options[] = {
	{"null", SUPPRESSED_NULL, false},
	{"omit", SUPPRESSED_OMIT, false},
	{"error", SUPPRESSED_ERROR, false},
	{NULL, 0, false}
};

void
settings_init(void)
{
	DefineCustomEnumVariable("secmed.suppressed",
							 "Sets what becomes of groups with too few patients.",
							 "null: a row whose aggregates are NULL; omit: no row; error: the query fails.",
							 &suppressed_mode, SUPPRESSED_NULL, suppressed_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}
