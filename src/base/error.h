/*
 * error.h
 *	  The SQLSTATEs of secmed, and how core code fails.
 *
 * Class SM is ours: the standard leaves classes that start with I to Z to
 * implementations.  docs/reference.md lists them for users.
 *
 * Server code uses ereport().  Core code calls fail(): in the server it is
 * ereport(ERROR), in the unit tests and the simulator it jumps to the
 * handler that the test has set.  Decoders of foreign bytes do not call it;
 * they return false with a reason, so that the caller can name the sender.
 */
#ifndef SECMED_ERROR_H
#define SECMED_ERROR_H

#ifdef FRONTEND
#define PGSIXBIT(ch)	(((ch) - '0') & 0x3F)
#define MAKE_SQLSTATE(ch1,ch2,ch3,ch4,ch5)	\
	(PGSIXBIT(ch1) + (PGSIXBIT(ch2) << 6) + (PGSIXBIT(ch3) << 12) + \
	 (PGSIXBIT(ch4) << 18) + (PGSIXBIT(ch5) << 24))
#include "utils/errcodes.h"
#endif

/* The question asks for what may not leave a site: rows, or less than a sum. */
#define ERRCODE_SECMED_ROWS_STAY		MAKE_SQLSTATE('S','M','0','0','1')
/* A function, operator or clause that can't run at a site. */
#define ERRCODE_SECMED_NOT_ALLOWED		MAKE_SQLSTATE('S','M','0','0','2')
/* A site or party said no. */
#define ERRCODE_SECMED_REFUSED			MAKE_SQLSTATE('S','M','0','0','3')
/* A row's value raised an error at a site. */
#define ERRCODE_SECMED_ROW_ERROR		MAKE_SQLSTATE('S','M','0','0','4')
/* A group value that the published domain does not hold. */
#define ERRCODE_SECMED_OUTSIDE_DOMAIN	MAKE_SQLSTATE('S','M','0','0','5')
/* Cells were withheld and secmed.suppressed = error. */
#define ERRCODE_SECMED_SUPPRESSED		MAKE_SQLSTATE('S','M','0','0','6')
/* A site's column policy does not allow what a column is used for. */
#define ERRCODE_SECMED_COLUMN_POLICY	MAKE_SQLSTATE('S','M','0','0','7')
/* A node can't be reached, died, or did not answer in time. */
#define ERRCODE_SECMED_NODE_LOST		MAKE_SQLSTATE('S','M','0','1','0')
/* A node's key or signature is not the registered one. */
#define ERRCODE_SECMED_WRONG_KEY		MAKE_SQLSTATE('S','M','0','1','1')
/* A node that this node has never been introduced to. */
#define ERRCODE_SECMED_UNKNOWN_NODE		MAKE_SQLSTATE('S','M','0','1','2')
/* Bytes that the protocol does not allow, or another version of it. */
#define ERRCODE_SECMED_PROTOCOL			MAKE_SQLSTATE('S','M','0','1','3')
/* The shares of the three parties do not fit together. */
#define ERRCODE_SECMED_SHARES_DIFFER	MAKE_SQLSTATE('S','M','0','1','4')
/* Published tables of two sites do not match each other or the request. */
#define ERRCODE_SECMED_TABLE_MISMATCH	MAKE_SQLSTATE('S','M','0','1','5')
/* The ledger can't be written, or is broken. */
#define ERRCODE_SECMED_LEDGER			MAKE_SQLSTATE('S','M','0','2','0')
/* A node has signed two histories of a ledger. */
#define ERRCODE_SECMED_FORKED			MAKE_SQLSTATE('S','M','0','2','1')
/* This database has no node, or its key file is missing or another's. */
#define ERRCODE_SECMED_NO_NODE			MAKE_SQLSTATE('S','M','0','3','0')
/* A document is not as it must be, or does not count. */
#define ERRCODE_SECMED_DOCUMENT			MAKE_SQLSTATE('S','M','0','3','1')
/* An identity that is not known, not admitted, removed, or not valid now. */
#define ERRCODE_SECMED_IDENTITY			MAKE_SQLSTATE('S','M','0','4','0')
/* Who asked may not ask so: the node's mode is another. */
#define ERRCODE_SECMED_MODE				MAKE_SQLSTATE('S','M','0','4','1')
/* The contract does not allow this run, or is not active. */
#define ERRCODE_SECMED_CONTRACT			MAKE_SQLSTATE('S','M','0','4','2')
/* Who asks has not accepted the contract's terms. */
#define ERRCODE_SECMED_TERMS			MAKE_SQLSTATE('S','M','0','4','3')
/* Consent of patients is needed for this purpose, and can't be given here. */
#define ERRCODE_SECMED_CONSENT			MAKE_SQLSTATE('S','M','0','4','4')
/* The price of a run is not held for it, or the account has not enough credits. */
#define ERRCODE_SECMED_PAYMENT			MAKE_SQLSTATE('S','M','0','4','5')
/* Named people at a node have not said yes to this run yet. */
#define ERRCODE_SECMED_AWAITS_APPROVAL	MAKE_SQLSTATE('S','M','0','4','7')
/* They said no, or yes to something else, or long ago. */
#define ERRCODE_SECMED_NOT_APPROVED		MAKE_SQLSTATE('S','M','0','4','8')
/* What answers with noise may spend of a table's privacy is spent, or was never set. */
#define ERRCODE_SECMED_BUDGET			MAKE_SQLSTATE('S','M','0','4','9')
/* A group differs from an answered one by too few patients. */
#define ERRCODE_SECMED_DIFFERENCING		MAKE_SQLSTATE('S','M','0','5','0')
/* Asked too often, or too many questions of the same requester failed. */
#define ERRCODE_SECMED_REPEATED			MAKE_SQLSTATE('S','M','0','5','1')

extern void fail(int sqlstate, const char *fmt,...) pg_attribute_noreturn() pg_attribute_printf(2, 3);

#ifdef FRONTEND
#include <setjmp.h>

/* Where fail() goes in a test; one for each thread. */
extern __thread jmp_buf *fail_handler;
extern __thread char fail_message[512];
extern __thread int fail_sqlstate;
#endif

#endif							/* SECMED_ERROR_H */
