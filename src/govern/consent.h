/*
 * consent.h
 *	  What patients have agreed to, and who of them has to a purpose now.
 *
 * A consent is a tree of provisions, as in FHIR R4 Consent: each permits or denies, under
 * conditions, and its children are exceptions to it.  A provision without a condition of some sort
 * holds for all of that sort.
 *
 *	  secmed.consent_document  what was imported, with its status
 *	  secmed.consent		   a row for each provision of each
 *	  secmed.consent_rule	   the published tables that need consent, and for what
 *	  secmed.consented		   what follows from these: who, for which table and purpose, from when until when
 *	  secmed.consent_version   counts changes, so that who has read consented knows whether it is the same
 *
 * In doubt nothing is permitted: a condition that is not understood here makes a permission void
 * and a denial general.  Of several consents of a patient one that denies decides.
 */
#ifndef SECMED_GOVERN_CONSENT_H
#define SECMED_GOVERN_CONSENT_H

#include "postgres.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Provisions of one consent; R4 sets no limit. */
#define CONSENT_PROVISIONS_MAX	256

typedef struct Provision
{
	int			parent;			/* index, or -1: a root */
	bool		permit;
	bool		limited;		/* by conditions that are not understood here */
	TimestampTz from;			/* and before until */
	TimestampTz until;
	List	   *purposes;		/* of char *, codes; NIL: all; so for the others */
	List	   *classes;
	List	   *actors;
} Provision;

typedef struct Consent
{
	char	   *id;
	char	   *subject;
	char	   *status;
	int			n;
	Provision	provisions[CONSENT_PROVISIONS_MAX]; /* parents before children */
} Consent;

/* Reads a FHIR R4 Consent, or an error that says what is wrong with it. (consent_fhir.c) */
extern Consent *consent_from_fhir(Jsonb *resource);

/* What is asked of a patient's consents. */
typedef struct ConsentQuestion
{
	const char *purpose;
	List	   *classes;		/* of the table's data; NIL: it does not say */
	const char *actor;			/* who asks; "" is nobody that a consent names */
	TimestampTz at;
} ConsentQuestion;

/* Do these provisions, of all active consents of one patient, permit it? (consent_decide.c) */
extern bool consent_permits(const Provision *provisions, int n, const ConsentQuestion *question);

/* Is the purpose the other, or a narrower one? HL7 v3 ActReason; codes that it does not hold are only themselves. */
extern bool purpose_within(const char *purpose, const char *other);

typedef struct ConsentRule
{
	char	   *table;
	List	   *purposes;		/* of char *; the first is that of questions without a contract */
	List	   *classes;
} ConsentRule;

/* The rule of a published table, palloc'd; NULL: it needs no consent. */
extern ConsentRule *consent_rule(const char *table);

/* Works out secmed.consented again, of one subject, or of all if it is NULL; of one table or of all. SPI is connected, as the owner. */
extern void consent_settle(const char *subject, const char *table);

#endif							/* SECMED_GOVERN_CONSENT_H */
