/*
 * words.h
 *	  Lines of text for people: what a document says, in the tool and in SQL.
 *
 * Each is a label, padded to WORDS_LABEL, and a value.  Texts were written by
 * others and are shown on a terminal: control characters become a question
 * mark, so that nothing can hide or imitate a line.
 */
#ifndef SECMED_WORDS_H
#define SECMED_WORDS_H

#include "base/base.h"

#define WORDS_LABEL		14

extern void words_text(StringInfo out, const char *label, const char *text);
extern void words_number(StringInfo out, const char *label, uint64 number);

/* All bytes as hex digits. */
extern void words_hex(StringInfo out, const char *label, const uint8 *bytes, size_t len);

/* The first 16 of 32 bytes in groups, as people compare them (fingerprint_to_text). */
extern void words_fingerprint(StringInfo out, const char *label, const uint8 *fingerprint);

/* Microseconds since 1970, UTC: "2026-11-20 15:30:00 UTC". */
extern void words_time(StringInfo out, const char *label, int64 us);

/* A text of several lines, each indented below its label. */
extern void words_lines(StringInfo out, const char *label, const char *text);

#endif							/* SECMED_WORDS_H */
