/*
 * documents.h
 *	  Documents for the command-line tool.
 */
#ifndef SECMED_DOCUMENTS_H
#define SECMED_DOCUMENTS_H

#include "contract/document.h"

/* Is it a document, as text or as bytes?  document points into memory of its own. */
extern bool document_read(Document *document, const char *bytes, size_t len, const char **reason);

/* secmed sign KEYFILE DOCUMENT */
extern int	sign_document(const char *key_path, const Document *document);

#endif							/* SECMED_DOCUMENTS_H */
