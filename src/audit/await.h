/*
 * await.h
 *	  Waiting for the sequencer's word.
 */
#ifndef SECMED_AWAIT_H
#define SECMED_AWAIT_H

#include "base/base.h"

/* Until when somebody waits who begins now (steady.h): secmed.node_timeout. */
extern int64 await_deadline(void);

/* For all that this process has appended and that is waited for, in that order; fails as audit_wait(). */
extern void await_all(void);

#endif							/* SECMED_AWAIT_H */
