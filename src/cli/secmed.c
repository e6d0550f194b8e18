/*
 * secmed.c
 *	  The `secmed` command-line tool: what can be done without a server.
 */
#include "base/base.h"

#include "cli/cli.h"

static const char usage[] =
"secmed verify [--json] [--policy FILE] DIR...    is each exported ledger whole?\n"
"secmed verify [--json] --policy FILE FILE        is this proof of an entry, or of a fork, good?\n"
"secmed show FILE                                 what a document, card, key, note, proof, entry or plan says\n"
"secmed keygen [--witness] NAME FILE              a new key for signing notes\n"
"secmed keygen --person|--organisation NAME FILE  a new key of a person or an organisation\n"
"secmed sign KEYFILE [FILE]                       signs the text, or adds a signature to the note or document\n"
"secmed identity KEYFILE [--organisation NAME] [--role ROLE]... [--node NAME]... [--days N] [--replaces IDENTITY]\n"
"                                                 the identity document of a key\n"
"secmed vote KEYFILE admit|adopt FILE [REASON]    a vote for an identity document, or for rules\n"
"secmed vote KEYFILE remove IDENTITY [REASON]     a vote to remove an identity: its document, or its fingerprint\n"
"secmed governance KEYFILE --admit N --replace N --remove N --amend N [--serial N] [--title TEXT]\n"
"                                                 rules by which votes are counted\n"
"secmed open KEYFILE FILE                         an answer that was sealed to the key\n"
"\n"
"Exit status: 0 good, 1 not as it must be, 2 could not be checked.  FILE - is the input.\n";

void
give_up(const char *fmt,...)
{
	va_list		args;

	fprintf(stderr, "secmed: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		int			(*run) (int argc, char **argv);
	}			commands[] = {
		{"verify", command_verify},
		{"show", command_show},
		{"keygen", command_keygen},
		{"sign", command_sign},
		{"identity", command_identity},
		{"vote", command_vote},
		{"governance", command_governance},
		{"open", command_open},
	};
	jmp_buf		failed;

	/* Core code that fails comes back here. */
	if (setjmp(failed) != 0)
		give_up("%s", fail_message);
	fail_handler = &failed;

	for (int i = 0; argc > 1 && i < lengthof(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	fputs(usage, argc > 1 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
	return argc > 1 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
}
