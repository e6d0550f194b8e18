/*
 * fhir.h
 *	  An entry as a FHIR R4 AuditEvent, with the codes of IHE's Basic Audit Log
 *	  Patterns (BALP 1.1) and DICOM (PS3.16, annex D).
 *
 *	  runs asked, decided         rest / search, agents as in BALP's Query
 *	  shares or answers that left 110106 Export / disclose, as in PrivacyDisclosure
 *	  local reads and changes     rest / read, create, update, delete
 *	  refused logins              110114 User Authentication / 110122 Login
 *	  erasures, reviews           ISO 21089 destroy, attest
 *	  rights, keys, publications  110113 Security Alert
 *	  the rest                    110100 Application Activity
 *
 * The run is an entity of BALP's type XrequestId: the same at all sites.  No
 * statement is in it, so no profile that demands the raw query is claimed.
 */
#ifndef SECMED_FHIR_H
#define SECMED_FHIR_H

#include "ledger/entry.h"

/* One line of JSON without its newline, appended to out. */
extern void fhir_write(StringInfo out, const EntryView *entry, const uint8 hash[HASH_BYTES]);

#endif							/* SECMED_FHIR_H */
