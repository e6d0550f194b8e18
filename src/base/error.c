/*
 * error.c
 *	  How core code fails.
 *
 * In the server fail() is ereport(ERROR).  A program without a server sets
 * fail_handler in each thread; without one, failing is a bug of that program
 * and stops it.
 */
#include "base/base.h"

#ifdef FRONTEND
__thread jmp_buf *fail_handler = NULL;
__thread char fail_message[512];
__thread int fail_sqlstate;
#endif

void
fail(int sqlstate, const char *fmt,...)
{
	char		message[512];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);

#ifdef FRONTEND
	/* Copied late: an argument may be the message of an earlier failure. */
	strlcpy(fail_message, message, sizeof(fail_message));
	fail_sqlstate = sqlstate;
	if (fail_handler == NULL)
	{
		fprintf(stderr, "secmed: %s\n", fail_message);
		abort();
	}
	longjmp(*fail_handler, 1);
#else
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message)));
	pg_unreachable();
#endif
}
