/*
 * unit.h
 *	  Checks that speak TAP (Test Anything Protocol), for one program a subject.
 *
 * check() says what was promised and whether it holds.  A loop over thousands
 * of cases counts its failures and checks once that there were none.
 */
#ifndef SECMED_UNIT_H
#define SECMED_UNIT_H

#include "base/base.h"

static int	unit_checks = 0;
static int	unit_failures = 0;

#define check(condition, ...)	unit_check((condition), __FILE__, __LINE__, __VA_ARGS__)

static inline void pg_attribute_printf(4, 5)
unit_check(bool holds, const char *file, int line, const char *fmt,...)
{
	va_list		args;

	printf("%sok %d - ", holds ? "" : "not ", ++unit_checks);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	if (!holds)
	{
		printf("# at %s line %d\n", file, line);
		unit_failures++;
	}
	fflush(stdout);
}

/* The statement must call fail() with this SQLSTATE. */
#define check_fails(sqlstate, statement, ...) \
	do { \
		jmp_buf		here; \
		volatile bool failed = false; \
\
		fail_handler = &here; \
		if (setjmp(here) == 0) \
		{ \
			statement; \
		} \
		else \
			failed = fail_sqlstate == (sqlstate); \
		fail_handler = NULL; \
		check(failed, __VA_ARGS__); \
	} while (0)

/* What main() returns. */
static inline int
unit_done(void)
{
	printf("1..%d\n", unit_checks);
	return unit_failures == 0 ? 0 : 1;
}

/* Numbers that are the same at each run (Steele et al., SplitMix64, OOPSLA 2014). */
static inline uint64
unit_random(void)
{
	static uint64 state = 1;
	uint64		z = (state += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline int
unit_random_between(int low, int high)
{
	return low + (int) (unit_random() % (uint64) (high - low + 1));
}

/* Bytes from hex digits; returns how many. */
static inline size_t
unit_hex(uint8 *out, const char *hex)
{
	size_t		n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
	{
		unsigned	byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			abort();
		out[i] = (uint8) byte;
	}
	return n;
}

#endif							/* SECMED_UNIT_H */
