/*
 * session.h
 *	  Two nodes that know each other's cards agree on keys and then exchange
 *	  sealed frames, whether or not TLS is below them.
 *
 * A signed, ephemeral Diffie-Hellman exchange (the signed form of ISO/IEC
 * 9798-3; compare Krawczyk, "SIGMA", CRYPTO 2003, section 5):
 *
 *	  hello    I -> R   [1, "hello", I, R, version, eph_I, nonce] + signature of I
 *	  welcome  R -> I   [1, "welcome", R, I, version, eph_R, SHA-256(hello)] + signature of R
 *
 * Both derive, from X25519(eph_I, eph_R) and the hash of both messages, one
 * key for each direction and one secret to export.  Both ephemeral keys are
 * fresh, so a recorded hello yields a session its replayer can't use, and
 * recorded frames belong to no other session.
 *
 * Frames are libsodium's crypto_secretstream (XChaCha20-Poly1305), one stream
 * a direction: a frame that is changed, dropped, doubled or reordered does
 * not open.  The stream's header (24 bytes) goes before the first frame of
 * each direction.
 */
#ifndef SECMED_SESSION_H
#define SECMED_SESSION_H

#include "base/base.h"
#include "crypto/prg.h"
#include "identity/card.h"

#define SESSION_FRAME_OVERHEAD	17	/* crypto_secretstream ABYTES */
#define SESSION_HELLO_BYTES_MAX	512

typedef struct Session Session;

/* The initiator's half; the session is not open until session_finish(). */
extern Session *session_hello(const NodeKeys *self, const char *peer_name, StringInfo hello_out);

/*
 * Who claims to have sent this hello, and to whom (before anything is
 * verified): palloc'd names.  False with a reason if it is not a hello at
 * all, or of another PROTOCOL_VERSION.
 */
extern bool session_hello_names(const void *hello, size_t len, char **from, char **to,
								const char **reason);

/* The responder's half: verifies, and opens the session.  NULL with a reason. */
extern Session *session_welcome(const NodeKeys *self, const NodeCard *peer,
								const void *hello, size_t len,
								StringInfo welcome_out, const char **reason);

/* The initiator verifies the answer; false with a reason.  *wrong_key tells a
 * bad signature (another key) from malformed bytes. */
extern bool session_finish(Session *session, const NodeCard *peer,
						   const void *welcome, size_t len,
						   const char **reason, bool *wrong_key);

/* Appends the sealed frame to out. */
extern void session_seal(Session *session, const void *message, size_t len, StringInfo out);

/* Opens one frame into out (appended).  False if it is not the next one. */
extern bool session_open(Session *session, const void *frame, size_t len, StringInfo out);

/* A secret both ends know, for this purpose and id (for pairwise PRG seeds). */
extern void session_export(const Session *session, const char *purpose,
						   const void *id, size_t id_len, uint8 out[SEED_BYTES]);

/* The other end's card, as verified. */
extern const NodeCard *session_peer(const Session *session);

extern void session_free(Session *session);	/* wipes the keys */

#endif							/* SECMED_SESSION_H */
