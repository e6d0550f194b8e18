/*
 * columns.c
 *	  An entry as a row of CSV.
 */
#include "base/base.h"

#include "ledger/columns.h"

#define US_PER_S		INT64CONST(1000000)
#define US_PER_DAY		(INT64CONST(86400) * US_PER_S)

static const char hex_digits[] = "0123456789abcdef";

/*
 * Days since 1970 as a date of the Gregorian calendar, in eras of 400 years
 * that begin in March, so that the leap day is a year's last.
 */
static void
date_of(int64 days, int *year, int *month, int *day)
{
	int64		since = days + 719468;	/* from 0000-03-01 */
	int64		era = since / 146097;
	int64		in_era = since % 146097;
	int64		years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64		in_year = in_era - (365 * years + years / 4 - years / 100);
	int64		months = (5 * in_year + 2) / 153;	/* from March */

	*day = (int) (in_year - (153 * months + 2) / 5 + 1);
	*month = (int) (months < 10 ? months + 3 : months - 9);
	*year = (int) (years + era * 400 + (*month <= 2));
}

void
time_text(char out[TIME_TEXT_BYTES], int64 at_us)
{
	int			year;
	int			month;
	int			day;
	int			s = (int) (at_us % US_PER_DAY / US_PER_S);

	date_of(at_us / US_PER_DAY, &year, &month, &day);
	snprintf(out, TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", year, month, day,
			 s / 3600, s / 60 % 60, s % 60, (int) (at_us % US_PER_S));
}

void
run_text(char out[RUN_TEXT_BYTES], const uint8 run[RUN_ID_BYTES])
{
	for (int i = 0; i < RUN_ID_BYTES; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex_digits[run[i] >> 4];
		*out++ = hex_digits[run[i] & 15];
	}
	*out = '\0';
}

static void
write_hex(StringInfo out, const uint8 *bytes)
{
	for (int i = 0; bytes != NULL && i < HASH_BYTES; i++)
	{
		appendStringInfoCharMacro(out, hex_digits[bytes[i] >> 4]);
		appendStringInfoCharMacro(out, hex_digits[bytes[i] & 15]);
	}
	appendStringInfoCharMacro(out, ',');
}

static void
write_text(StringInfo out, EntryText text)
{
	appendStringInfoCharMacro(out, '"');
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.at[i] == '"')
			appendStringInfoCharMacro(out, '"');
		appendStringInfoCharMacro(out, text.at[i]);
	}
	appendStringInfoString(out, "\",");
}

void
columns_write(StringInfo out, const EntryView *entry, const uint8 hash[HASH_BYTES])
{
	char		at[TIME_TEXT_BYTES];
	char		run[RUN_TEXT_BYTES] = "";

	time_text(at, entry->at_us);
	if (entry->run != NULL)
		run_text(run, entry->run);
	appendStringInfo(out, UINT64_FORMAT ",%s,%s,%s,", entry->seq, at, entry_kind_name(entry->kind), run);
	write_text(out, entry->actor);
	write_text(out, entry->object);
	write_hex(out, entry->plan);
	write_text(out, entry->outcome);
	write_text(out, entry->revealed);
	for (int i = 0; i < entry->ncounters; i++)
		appendStringInfo(out, i > 0 ? " " UINT64_FORMAT : UINT64_FORMAT, entry->counters[i]);
	appendStringInfoCharMacro(out, ',');
	write_hex(out, entry->commitment);
	if (entry->has_spooled)
		time_text(at, entry->spooled_us);
	appendStringInfo(out, "%s,", entry->has_spooled ? at : "");
	write_hex(out, hash);
	out->data[out->len - 1] = '\n';
}
