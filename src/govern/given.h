/*
 * given.h
 *	  Documents that people give to SQL functions; an error with a hint if they are none.
 */
#ifndef SECMED_GIVEN_H
#define SECMED_GIVEN_H

#include "contract/document.h"

/* The bytes of a document's text (document_from_text). */
extern void given_text(StringInfo out, text *given);

extern void given_document(Document *document, const void *bytes, size_t len);

#endif							/* SECMED_GIVEN_H */
