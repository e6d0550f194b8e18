/*
 * outcome.c
 *	  What a statistic comes to: named values, which become columns.
 */
#include "base/base.h"

#include "stats/outcome.h"

static OutcomeValue *
add_value(Outcome *outcome, const char *name, OutcomeKind kind)
{
	Assert(outcome->n < OUTCOME_VALUES_MAX && outcome_find(outcome, name) == NULL);
	outcome->values[outcome->n] = (OutcomeValue) {.name = name,.kind = kind};
	return &outcome->values[outcome->n++];
}

void
outcome_number(Outcome *outcome, const char *name, double number)
{
	add_value(outcome, name, OUTCOME_NUMBER)->number = number;
}

void
outcome_count(Outcome *outcome, const char *name, double count)
{
	add_value(outcome, name, OUTCOME_COUNT)->number = count;
}

void
outcome_text(Outcome *outcome, const char *name, const char *text)
{
	add_value(outcome, name, OUTCOME_TEXT)->text = text;
}

const OutcomeValue *
outcome_find(const Outcome *outcome, const char *name)
{
	for (int i = 0; i < outcome->n; i++)
		if (strcmp(outcome->values[i].name, name) == 0)
			return &outcome->values[i];
	return NULL;
}

bool
alternative_parse(const char *text, Alternative *out)
{
	static const char *const names[] = {"less", "two.sided", "greater"};

	for (int i = 0; i < lengthof(names); i++)
		if (strcmp(text, names[i]) == 0)
		{
			*out = (Alternative) (i - 1);
			return true;
		}
	return false;
}
