/*
 * leaves.h
 *	  For tests of code that leaves what it allocates to the memory context it
 *	  runs in: without a server nobody frees that, and leaks are not looked for.
 */
#ifndef SECMED_LEAVES_H
#define SECMED_LEAVES_H

#if !defined(__SANITIZE_ADDRESS__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
extern const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

#endif							/* SECMED_LEAVES_H */
