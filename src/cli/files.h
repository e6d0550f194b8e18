/*
 * files.h
 *	  Files for the command-line tool.
 */
#ifndef SECMED_FILES_H
#define SECMED_FILES_H

#include "base/base.h"

/* Larger ones are refused: a StringInfo holds no more. */
#define FILE_BYTES_MAX		((size_t) 1000 * 1024 * 1024)

/* Appends all of a file; false, with errno, if it can't be read. "-" is the input. */
extern bool file_read(const char *path, StringInfo out);

/* Of an export: a file of the directory that arg names; false if there is none. */
extern bool directory_get(void *arg, const char *path, StringInfo out);

/* A new file that only its owner reads; false, with errno, if it is there already. */
extern bool file_write_secret(const char *path, const char *text);

#endif							/* SECMED_FILES_H */
