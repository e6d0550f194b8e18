/*
 * person.h
 *	  Identity documents: who a key belongs to, as its holder says and members
 *	  have voted.
 *
 *	  ["identity", 1, kind, name, organisation, [role, ...], [node, ...], sign key,
 *	   seal key, from_us, until_us, replaces]
 *
 *	  kind          "person", "organisation" or "node"
 *	  name          as it is printed; organisation: of a person or node, or ""
 *	  role          words of IdentityRole, in its order, none twice
 *	  node          where its holder may ask: whose word is taken that it is he; by
 *	                rising name, none twice; a change of nodes is voted on as any other
 *	  seal key      X25519: what only this identity shall read is sealed to it
 *	  from, until   microseconds since 1970 UTC
 *	  replaces      fingerprint of the identity that this one takes the place of
 *	                (its own, to say something else of the same key), or null
 *
 * An identity is known by its fingerprint, the hash of its signing key
 * (document_signer).  The document must be signed by that key: nobody can
 * register a key that he does not hold.
 */
#ifndef SECMED_PERSON_H
#define SECMED_PERSON_H

#include "contract/document.h"
#include "crypto/seal.h"
#include "identity/card.h"

typedef enum IdentityKind
{
	IDENTITY_PERSON = 1,
	IDENTITY_ORGANISATION,
	IDENTITY_NODE
} IdentityKind;

/* Numbers are bits of Person.roles; the order is that of the words in a document. */
typedef enum IdentityRole
{
	ROLE_ANALYST,				/* asks */
	ROLE_VETTER,				/* examines contracts */
	ROLE_COMMITTEE,				/* of the data use committee */
	ROLE_PROTECTION_OFFICER,	/* data protection officer */
	ROLE_OWNER,					/* answers for a site's data */
	ROLE_PATIENT,
	ROLE_SPONSOR,
	ROLE_REGULATOR,
	ROLE_AUDITOR,
	ROLE_PAYER,
	ROLE_GOVERNANCE				/* votes on identities and on the rules */
} IdentityRole;

#define IDENTITY_ROLES	(ROLE_GOVERNANCE + 1)
#define IDENTITY_NAME_MAX	200	/* bytes of a name, or an organisation */
#define IDENTITY_NODES_MAX	16

typedef struct Person
{
	IdentityKind kind;
	char		name[IDENTITY_NAME_MAX + 1];
	char		organisation[IDENTITY_NAME_MAX + 1];
	uint32		roles;			/* bits 1 << IdentityRole */
	int			nnodes;
	char		nodes[IDENTITY_NODES_MAX][NODE_NAME_BYTES_MAX + 1];
	uint8		sign_public[SIGN_PUBLIC_BYTES];
	uint8		seal_public[SEAL_PUBLIC_BYTES];
	int64		from_us;
	int64		until_us;
	bool		has_replaces;
	uint8		replaces[HASH_BYTES];
} Person;

extern const char *identity_kind_word(IdentityKind kind);
extern bool identity_kind_from_word(IdentityKind *kind, const char *word);
extern const char *identity_role_word(IdentityRole role);
extern bool identity_role_from_word(IdentityRole *role, const char *word);

/*
 * Adds a node at which it may ask, in its place; false if it is there already, or one too many.  The name
 * must be a node's.
 */
extern bool person_add_node(Person *person, const char *node);

/* May its holder ask at this node? */
extern bool person_asks_at(const Person *person, const char *node);

/* "analyst, vetter"; "" for none. */
extern void identity_roles_describe(StringInfo out, uint32 roles);

extern void person_encode(StringInfo out, const Person *person);
extern bool person_decode(Person *person, const void *body, size_t len, const char **reason);

/* For document_kinds[]. */
extern bool person_check(const void *body, size_t len, const char **reason);
extern void person_describe(StringInfo out, const void *body, size_t len);

#endif							/* SECMED_PERSON_H */
