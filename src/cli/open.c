/*
 * open.c
 *	  secmed open: an answer that was sealed to the reader's key.
 *
 * What the parties computed are totals; what the analyst's SQL makes of them
 * (an average of a sum and a count) PostgreSQL does where the answer is open.
 * Here the totals are shown, a line for each group.
 */
#include "base/base.h"

#include <math.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/person_key.h"
#include "contract/answer.h"
#include "contract/words.h"
#include "share/fixed.h"
#include "share/fixed_vector.h"
#include "share/wide.h"

/* ---- numbers ---- */

/*
 * Two's complement of n limbs, the lowest first, in units of 10^-scale: as a
 * decimal without trailing zeros behind the point.
 */
static void
print_decimal(StringInfo out, const uint64 *limbs, int n, int scale)
{
	uint64		left[FIXED_LIMBS_MAX + 1];
	char		digits[FIXED_LIMBS_MAX * 20 + 64];
	bool		negative = (int64) limbs[n - 1] < 0;
	bool		nonzero;
	int			ndigits = 0;
	int			last = 0;
	uint64		carry = 1;

	for (int i = 0; i < n; i++)
	{
		left[i] = negative ? ~limbs[i] + carry : limbs[i];
		carry = negative && carry && left[i] == 0;
	}
	do
	{
		uint64		rest = 0;

		nonzero = false;
		for (int i = n - 1; i >= 0; i--)
		{
			uint128		part = (uint128) rest << 64 | left[i];

			left[i] = (uint64) (part / 10);
			rest = (uint64) (part % 10);
			nonzero |= left[i] != 0;
		}
		digits[ndigits++] = '0' + rest;
	} while (nonzero || ndigits <= scale);
	if (negative)
		appendStringInfoChar(out, '-');
	while (last < scale && digits[last] == '0')
		last++;
	for (int i = ndigits - 1; i >= last; i--)
	{
		appendStringInfoChar(out, digits[i]);
		if (i == scale && last < scale)
			appendStringInfoChar(out, '.');
	}
}

/* A total in one element. */
static void
print_narrow(StringInfo out, uint128 element)
{
	uint64		limbs[2] = {(uint64) element, (uint64) (element >> 64)};

	print_decimal(out, limbs, 2, 0);
}

static void
print_numeric(StringInfo out, const uint128 *elements, int scale, const uint128 *specials)
{
	uint64		limbs[NUMERIC_LIMBS + 1];

	if (specials && (specials[0] != 0 || (specials[1] != 0 && specials[2] != 0)))
		appendStringInfoString(out, "NaN");
	else if (specials && (specials[1] != 0 || specials[2] != 0))
		appendStringInfoString(out, specials[1] != 0 ? "Infinity" : "-Infinity");
	else
	{
		wide_decode(limbs, elements, NUMERIC_LIMBS);
		print_decimal(out, limbs, NUMERIC_LIMBS + 1, scale);
	}
}

static void
print_float(StringInfo out, const uint128 *elements, FixedKind kind, const uint128 *specials)
{
	uint64		limbs[FIXED_LIMBS_MAX + 1];
	int			n = fixed_limbs_of(kind);

	if (specials && (specials[0] != 0 || (specials[1] != 0 && specials[2] != 0)))
		appendStringInfoString(out, "NaN");
	else if (specials && (specials[1] != 0 || specials[2] != 0))
		appendStringInfoString(out, specials[1] != 0 ? "Infinity" : "-Infinity");
	else
	{
		wide_decode(limbs, elements, n);
		appendStringInfo(out, "%.17g", wide_to_double(limbs, n + 1, fixed_exponent_of(kind)));
	}
}

/* ---- totals ---- */

static const char *
component_words(ComponentKind kind)
{
	switch (kind)
	{
		case COMPONENT_COUNT:
			return "count";
		case COMPONENT_SUM_INTEGER:
		case COMPONENT_SUM_NUMERIC:
		case COMPONENT_SUM_FLOAT:
			return "sum";
		case COMPONENT_SUM_NUMERIC_PRODUCT:
		case COMPONENT_SUM_FLOAT_PRODUCT:
			return "sum of products";
		case COMPONENT_SUM_FLOAT_PRODUCT_3:
			return "sum of products of three";
		case COMPONENT_SUM_FLOAT_PRODUCT_4:
			return "sum of products of four";
		case COMPONENT_SUM_FLOAT_VECTOR:
			return "sums";
		case COMPONENT_EVENT_COUNTS:
			return "estimates";
		case COMPONENT_SUM_INTERVAL:
			return "sum of intervals";
		case COMPONENT_BOOL_OR:
			return "bool_or";
		case COMPONENT_BOOL_AND:
			return "bool_and";
		case COMPONENT_QUANTILES:
			return "quantiles";
	}
	return "?";
}

static void
print_interval(StringInfo out, const uint128 *elements)
{
	print_narrow(out, elements[0]);
	appendStringInfoString(out, " months ");
	print_narrow(out, elements[1]);
	appendStringInfoString(out, " days ");
	print_narrow(out, elements[2]);
	appendStringInfoString(out, " us");
}

/* Sums that a regression needs, in one line. */
static void
print_vector(StringInfo out, const uint128 *elements, int width)
{
	for (int i = 0; i < width; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ' ');
		print_float(out, elements + FIXED_VECTOR_MARKS + i * FIXED_SUM_LIMBS, FIXED_SUM, NULL);
	}
}

/* What a program of the parties has come to (contract/estimate.h), in one line. */
static void
print_estimates(StringInfo out, const uint128 *elements, int width)
{
	for (int i = 0; i < width; i++)
		appendStringInfo(out, "%s%.17g", i > 0 ? " " : "", ldexp((double) (int128) elements[i], -ESTIMATE_FRACTION));
}

/* Of dates days, and of timestamps microseconds, since 2000-01-01. */
static void
print_quantiles(StringInfo out, const QuantileSpec *spec, const uint128 *elements)
{
	for (int i = 0; i < spec->nasked; i++)
	{
		uint64		number[1] = {(uint64) quantile_number(spec, i, elements)};

		if (i > 0)
			appendStringInfoChar(out, ' ');
		if (!quantile_is_shown(spec, i, elements))
			appendStringInfoString(out, "withheld");
		else if (spec->asked[i].form == QUANTILE_DISC && spec->type.kind != SECRET_FLOAT)
			print_decimal(out, number, 1, spec->type.scale);
		else
			appendStringInfo(out, "%.17g", quantile_value(spec, i, elements));
	}
}

static void
print_total(StringInfo out, const CanonicalPlan *plan, int component, const uint128 *elements)
{
	ComponentKind kind = plan->components[component];

	if (kind == COMPONENT_COUNT)
		print_narrow(out, elements[0]);
	else if (kind == COMPONENT_EVENT_COUNTS)
		print_estimates(out, elements, plan_opened_width(plan, component));
	else if (*elements++ == 0)
		appendStringInfoString(out, "null");
	else
		switch (kind)
		{
			case COMPONENT_SUM_INTEGER:
				print_narrow(out, elements[0]);
				break;
			case COMPONENT_SUM_NUMERIC:
				print_numeric(out, elements, NUMERIC_SCALE, elements + NUMERIC_LIMBS + NUMERIC_SCALE);
				break;
			case COMPONENT_SUM_NUMERIC_PRODUCT:
				print_numeric(out, elements, NUMERIC_PRODUCT_SCALE, NULL);
				break;
			case COMPONENT_SUM_FLOAT:
				print_float(out, elements, FIXED_SUM, elements + FIXED_SUM_LIMBS);
				break;
			case COMPONENT_SUM_FLOAT_PRODUCT:
				print_float(out, elements, FIXED_PRODUCT, NULL);
				break;
			case COMPONENT_SUM_FLOAT_PRODUCT_3:
				print_float(out, elements, FIXED_PRODUCT_3, NULL);
				break;
			case COMPONENT_SUM_FLOAT_PRODUCT_4:
				print_float(out, elements, FIXED_PRODUCT_4, NULL);
				break;
			case COMPONENT_SUM_FLOAT_VECTOR:
				print_vector(out, elements, plan_width(plan, component));
				break;
			case COMPONENT_SUM_INTERVAL:
				print_interval(out, elements);
				break;
			case COMPONENT_BOOL_OR:
				appendStringInfoString(out, elements[0] != 0 ? "true" : "false");
				break;
			case COMPONENT_BOOL_AND:
				appendStringInfoString(out, elements[0] == 0 ? "true" : "false");
				break;
			case COMPONENT_QUANTILES:
				print_quantiles(out, plan_quantiles(plan, component), elements);
				break;
			case COMPONENT_COUNT:
			case COMPONENT_EVENT_COUNTS:
				break;
		}
}

/* ---- groups ---- */

static void
print_keys(StringInfo out, const CanonicalPlan *plan, size_t cell)
{
	size_t		below = plan_cells(plan);

	for (int i = 0; i < plan->nkeys; i++)
	{
		const PlanKey *key = &plan->keys[i];
		const char *value;

		below /= key->nvalues;
		value = key->values[cell / below % key->nvalues];
		appendStringInfo(out, "%s\t", value ? value : "null");
	}
}

/* True if the group is shown: enough patients, and some site has rows of it. */
static bool
print_group(StringInfo out, const CanonicalPlan *plan, const PlanLayout *layout, size_t cell, const uint128 *elements)
{
	if (elements[0] != 1 || elements[layout->exists] == 0)
		return false;
	print_keys(out, plan, cell);
	for (int i = 0; i < plan->ncomponents; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, '\t');
		if (elements[layout->part_start[plan->parts[i]]] == 1)
			print_total(out, plan, i, elements + layout->component[i]);
		else
			appendStringInfoString(out, "withheld");
	}
	appendStringInfoChar(out, '\n');
	return true;
}

static void
print_answer(const OpenedAnswer *opened)
{
	const CanonicalPlan *plan = &opened->plan;
	PlanLayout	layout = plan_opened_layout(plan);
	size_t		withheld = 0;
	StringInfoData out;

	initStringInfo(&out);
	words_hex(&out, "run", opened->run, RUN_ID_BYTES);
	words_text(&out, "tables", plan_tables_text(plan, 1024));
	words_text(&out, "each site ran", plan->sql);
	words_number(&out, "at least", opened->patients_min);
	for (int i = 0; i < PARTIES; i++)
	{
		uint8		fingerprint[HASH_BYTES];

		card_fingerprint(fingerprint, &opened->parties[i]);
		words_text(&out, "party", opened->parties[i].name);
		words_fingerprint(&out, "", fingerprint);
	}
	appendStringInfoString(&out, "\n");
	for (int i = 0; i < plan->nkeys; i++)
		appendStringInfo(&out, "key %d\t", i + 1);
	for (int i = 0; i < plan->ncomponents; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? "\t" : "", component_words(plan->components[i]));
	appendStringInfoChar(&out, '\n');
	for (size_t cell = 0; cell < plan_cells(plan); cell++)
		withheld += !print_group(&out, plan, &layout, cell, opened->elements + cell * layout.stride);
	appendStringInfo(&out, "(%zu groups withheld, or empty)\n", withheld);
	fputs(out.data, stdout);
}

int
command_open(int argc, char **argv)
{
	PersonKey	key;
	uint8		reader[HASH_BYTES];
	StringInfoData text;
	StringInfoData bytes;
	SealedAnswer answer;
	OpenedAnswer opened;
	const char *reason;

	if (argc != 2)
		give_up("name a key file and an answer: secmed open KEYFILE FILE");
	person_key_read(&key, argv[0]);
	document_signer(reader, key.sign_public);
	initStringInfo(&text);
	initStringInfo(&bytes);
	if (!file_read(argv[1], &text))
		give_up("can't read \"%s\": %s", argv[1], strerror(errno));
	if (!answer_from_text(&bytes, text.data, text.len, &reason) || !answer_decode(&answer, bytes.data, bytes.len, &reason))
		give_up("\"%s\" %s", argv[1], reason);
	if (!answer_open(&opened, &answer, reader, key.seal_public, key.seal_secret, &reason))
	{
		printf("the answer %s\n", reason);
		return 1;
	}
	wipe(&key, sizeof(key));
	print_answer(&opened);
	return 0;
}
