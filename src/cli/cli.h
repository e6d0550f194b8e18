/*
 * cli.h
 *	  The commands of the `secmed` tool.
 *
 * Each gets the words after its name and returns the exit status: 0 good,
 * 1 the thing that was checked is not as it must be, 2 it could not be checked.
 */
#ifndef SECMED_CLI_H
#define SECMED_CLI_H

#include "base/base.h"

extern int	command_verify(int argc, char **argv);
extern int	command_show(int argc, char **argv);
extern int	command_keygen(int argc, char **argv);
extern int	command_sign(int argc, char **argv);
extern int	command_identity(int argc, char **argv);
extern int	command_vote(int argc, char **argv);
extern int	command_governance(int argc, char **argv);
extern int	command_open(int argc, char **argv);

/* Says what is wrong, to the person at the terminal, and stops with status 2. */
extern void give_up(const char *fmt,...) pg_attribute_noreturn() pg_attribute_printf(1, 2);

#endif							/* SECMED_CLI_H */
