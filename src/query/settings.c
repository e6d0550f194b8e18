/*
 * settings.c
 *	  The settings of the query layer.
 */
#include "postgres.h"

#include "query/settings.h"
#include "query/submission.h"
#include "utils/guc.h"

int			suppressed_mode = SUPPRESSED_NULL;
int			site_timeout_ms = 600000;
int			site_rows_setting = 0;

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
	DefineCustomIntVariable("secmed.approval_wait",
							"Sets how long a statement waits for people who must approve it at a node.",
							"0: it does not ask them; secmed.submit() does.",
							&approval_wait_ms, 0, 0, 24 * 3600 * 1000,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("secmed.site_rows",
							"Rows that each site shares for a question that sums cannot answer.",
							"The number is public: rows are padded to it, and a site that has more fails. 0: what the table is published with.",
							&site_rows_setting, 0, 0, 1 << 26, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("secmed.site_timeout",
							"Sets the longest time this site works on one sub-query of another node.",
							"The coordinator may ask for less with its secmed.node_timeout.",
							&site_timeout_ms, 600000, 100, 24 * 3600 * 1000,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}
