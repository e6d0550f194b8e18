/*
 * consent_change.h
 *	  Changing what secmed.consented follows from.
 */
#ifndef SECMED_GOVERN_CONSENT_CHANGE_H
#define SECMED_GOVERN_CONSENT_CHANGE_H

#include "postgres.h"

/*
 * First in a transaction that changes consents or their rules: counts secmed.consent_version, and so makes
 * such transactions wait for each other.  SPI is connected, as the owner.
 */
extern void consent_changes_begin(void);

#endif							/* SECMED_GOVERN_CONSENT_CHANGE_H */
