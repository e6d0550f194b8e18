/*
 * vectors.h
 *	  Reads test/vectors: a name in the first column, its value indented below.
 */
#ifndef SECMED_TEST_VECTORS_H
#define SECMED_TEST_VECTORS_H

#include "unit.h"

#define VECTOR_LINE_BYTES	1024

/* The value of a name, on one line; "" if the file or the name is not there. */
static char *
vector_text(const char *file, const char *name)
{
	char		path[MAXPGPATH];
	char		line[VECTOR_LINE_BYTES];
	StringInfoData value;
	bool		wanted = false;
	FILE	   *in;

	initStringInfo(&value);
	snprintf(path, sizeof(path), "test/vectors/%s", file);
	in = fopen(path, "r");
	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
	{
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != ' ')
			wanted = strcmp(line, name) == 0;
		else if (wanted)
			appendStringInfoString(&value, line + strspn(line, " "));
	}
	if (in != NULL)
		fclose(in);
	return value.data;
}

/* The same, of hex digits. */
static StringInfoData
vector_bytes(const char *file, const char *name)
{
	char	   *hex = vector_text(file, name);
	StringInfoData bytes;

	initStringInfo(&bytes);
	enlargeStringInfo(&bytes, (int) strlen(hex));
	bytes.len = (int) unit_hex((uint8 *) bytes.data, hex);
	return bytes;
}

#endif							/* SECMED_TEST_VECTORS_H */
