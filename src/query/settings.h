/*
 * settings.h
 *	  The settings of the query layer (docs/reference.md describes them all).
 */
#ifndef SECMED_SETTINGS_H
#define SECMED_SETTINGS_H

typedef enum SuppressedMode
{
	SUPPRESSED_NULL,			/* a row with its keys and NULLs */
	SUPPRESSED_OMIT,			/* no row */
	SUPPRESSED_ERROR			/* no answer at all */
} SuppressedMode;

extern int	suppressed_mode;	/* secmed.suppressed */
extern int	site_timeout_ms;	/* secmed.site_timeout */
extern int	site_rows_setting;	/* secmed.site_rows */

/* _PG_init */
extern void settings_init(void);

#endif							/* SECMED_SETTINGS_H */
