/*
 * armour.h
 *	  Bytes as text that can be mailed and pasted:
 *
 *	  -----BEGIN SECMED DOCUMENT-----
 *	  base64, lines of 64
 *	  -----END SECMED DOCUMENT-----
 */
#ifndef SECMED_ARMOUR_H
#define SECMED_ARMOUR_H

#include "base/base.h"

/* Appends the text; what: "DOCUMENT", "ANSWER". */
extern void armour_write(StringInfo out, const char *what, const void *bytes, size_t len);

/*
 * Appends the bytes, at most max; false with a reason (a constant, or palloc'd).
 * White space between base64 digits and around all is ignored.
 */
extern bool armour_read(StringInfo out, const char *what, const char *text, size_t len, size_t max, const char **reason);

#endif							/* SECMED_ARMOUR_H */
