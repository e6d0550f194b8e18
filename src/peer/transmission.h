/*
 * transmission.h
 *	  Settings under which all nodes write and read values alike.
 */
#ifndef SECMED_TRANSMISSION_H
#define SECMED_TRANSMISSION_H

/*
 * ISO dates in UTC, exact floats, names qualified.  Returns a GUC nest level for
 * AtEOXact_GUC(true, level).
 */
extern int	transmission_settings(void);

#endif							/* SECMED_TRANSMISSION_H */
