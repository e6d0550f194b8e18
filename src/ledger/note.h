/*
 * note.h
 *	  Signed notes (c2sp.org/signed-note): text and the signatures below it.
 *
 *	  text, ends with a newline
 *	  (empty line)
 *	  — NAME BASE64(key id || signature)
 *	  ...
 *
 * The text ends at the last empty line.  A key is a name, a kind and a public
 * key, written NAME+ID+BASE64(kind || public key); its id is the first four
 * bytes of SHA-256(NAME || newline || kind || public key).
 *
 *	  kind 0x01  Ed25519 over the text: a log's own signature
 *	  kind 0x04  a countersignature (c2sp.org/tlog-cosignature): 8 bytes of POSIX
 *	             time, then Ed25519 over "cosignature/v1\ntime T\n" and the text
 *
 * A signature under a key that the reader does not know is passed over, one
 * under a key that it knows must be right.
 *
 * These signatures are over the bare bytes, as others check them, and not for
 * a purpose as those of crypto/sign.h.  The two can't be taken for each other:
 * a purpose ends with a zero byte, and a note never holds one.
 */
#ifndef SECMED_NOTE_H
#define SECMED_NOTE_H

#include "base/base.h"
#include "crypto/sign.h"

/* The signed-note specification asks for 16; its largest signatures have 5 kB. */
#define NOTE_SIGNATURES_MAX	64
#define NOTE_BYTES_MAX		(256 * 1024)
#define NOTE_NAME_MAX		255

#define NOTE_LOG			0x01
#define NOTE_WITNESS		0x04

typedef struct NoteKey
{
	char		name[NOTE_NAME_MAX + 1];
	uint8		kind;			/* NOTE_LOG or NOTE_WITNESS */
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint32		id;
} NoteKey;

/* Fails if the name is not one that notes allow. */
extern void note_key_make(NoteKey *key, const char *name, uint8 kind,
						  const uint8 public_key[SIGN_PUBLIC_BYTES]);
extern char *note_key_to_text(const NoteKey *key);	/* palloc'd */

/* False with a reason; text need not be terminated. Other kinds are refused. */
extern bool note_key_from_text(NoteKey *key, const char *text, size_t len, const char **reason);
extern bool note_key_equal(const NoteKey *a, const NoteKey *b);

/* Not empty, no space of any script, no plus sign, no control character. */
extern bool note_name_valid(const char *name, size_t len);

typedef struct NoteSignature
{
	const char *name;			/* points into the note */
	size_t		name_len;
	uint32		id;
	size_t		len;			/* of the signature without the id */
	uint8		bytes[8 + SIGNATURE_BYTES]; /* its first bytes */
} NoteSignature;

typedef struct Note
{
	const char *text;			/* points into the bytes that were parsed */
	size_t		text_len;		/* with its last newline */
	int			nsignatures;
	NoteSignature signatures[NOTE_SIGNATURES_MAX];
} Note;

/* False with a reason (constant string). Looks at no signature's value. */
extern bool note_parse(Note *note, const void *bytes, size_t len, const char **reason);

typedef enum NoteVerdict
{
	NOTE_UNSIGNED,				/* this key has not signed */
	NOTE_SIGNED,
	NOTE_FORGED					/* it is named, and the signature is wrong */
} NoteVerdict;

/*
 * Has this key signed?  Of several signatures of one key all must be right;
 * *time is that of the first, in seconds, and 0 for kind NOTE_LOG.
 */
extern NoteVerdict note_check(const Note *note, const NoteKey *key, uint64 *time);

/*
 * Writes text (which ends with a newline) and the empty line; then one line
 * for each signature.  time in seconds, ignored for NOTE_LOG.
 */
extern void note_begin(StringInfo out, const char *text);
extern void note_sign(StringInfo out, const char *text, const NoteKey *key,
					  const uint8 secret_key[SIGN_SECRET_BYTES], uint64 time);

/* A signature line that is in another note of the same text, carried over. */
extern void note_copy_signature(StringInfo out, const NoteSignature *signature);

/* Base64, for other files of this folder: read strictly, one text for one value. */
extern void base64_write(StringInfo out, const void *bytes, size_t len);
extern bool base64_read(void *out, size_t len, const char *text, size_t text_len);

/* A decimal number without leading zeros, at most max. */
extern bool decimal_read(uint64 *out, const char *text, size_t len, uint64 max);

/* The next line of [*at, end), without its newline; false if there is no whole one. */
extern bool next_line(const char **at, const char *end, const char **line, size_t *len);

#endif							/* SECMED_NOTE_H */
