/*
 * relation_sql.h
 *	  Statistics over a relation: ordinary questions, asked by SPI as the
 *	  caller (server only).
 *
 * The functions are not SECURITY DEFINER, and build nothing but a SELECT with
 * GROUP BY over the named relation, local or foreign: privileges, thresholds
 * and what a consortium refuses are those of that SELECT.  Expressions are the
 * caller's own text; they are parsed alone first, so that each is one expression.
 */
#ifndef SECMED_RELATION_SQL_H
#define SECMED_RELATION_SQL_H

#include "postgres.h"
#include "fmgr.h"
#include "stats/outcome.h"

/* y ~ x, or y ~ x | stratum: each as text in parentheses. */
typedef struct Formula
{
	char	   *y;
	char	   *x;
	char	   *stratum;		/* NULL if there is none */
} Formula;

/* ERRCODE_SYNTAX_ERROR if it is no such formula; with_stratum says whether one must be there. */
extern Formula formula_of_text(const char *text, bool with_stratum);

/* One expression, in parentheses; ERRCODE_SYNTAX_ERROR if it is none. */
extern char *expression_of_text(const char *text);

/* Its name as it can be written in a SELECT. */
extern char *relation_name(Oid relation);

/*
 * Runs the SELECT between relation_begin() and relation_end(), and returns
 * how many rows there are.  A group that is withheld comes as NULLs, even if
 * secmed.suppressed is "omit": a statistic must know that it is not empty.
 * Between them memory is SPI's, and gone at the end.
 */
extern void relation_begin(void);
extern uint64 relation_query(const char *sql);
extern void relation_end(void);

/* Columns count from 0. */
extern bool relation_is_null(uint64 row, int column);
extern double relation_number(uint64 row, int column);	/* of double precision */
extern int64 relation_count(uint64 row, int column);	/* of bigint */
extern char *relation_text(uint64 row, int column);

/* What to say when a count that is needed is withheld. */
extern void relation_withheld(void) pg_attribute_noreturn();

/* ERRCODE_INVALID_PARAMETER_VALUE unless it lies between 0 and 1. */
extern void check_conf_level(double level);

/* What a function over a relation returns: its row type from the outcome. */
extern Datum outcome_of_call(FunctionCallInfo fcinfo, const Outcome *outcome);

#endif							/* SECMED_RELATION_SQL_H */
