/*
 * consent_set.c
 *	  Sets of patients, and secmed.has_consent(), which asks them.
 */
#include "postgres.h"

#include "audit/append.h"
#include "crypto/libsodium.h"
#include "fmgr.h"
#include "port/pg_bitutils.h"
#include "query/consent_set.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_has_consent_number);
PG_FUNCTION_INFO_V1(secmed_has_consent_text);

typedef enum SetForm
{
	SET_BITS = 1,				/* bit i: patient first + i */
	SET_HASHED = 2				/* size Fingerprints, a power of 2; zero is none */
} SetForm;

typedef struct Fingerprint
{
	uint64		half[2];
} Fingerprint;

typedef struct ConsentSet
{
	int32		vl_len_;
	int32		form;
	int64		first;
	uint64		size;
	uint8		keys[2][crypto_shorthash_KEYBYTES];
	uint64		data[FLEXIBLE_ARRAY_MEMBER];
} ConsentSet;

/* Bits are as small as fingerprints up to here. */
#define BITS_EACH_MAX	(2 * 8 * sizeof(Fingerprint))

/* ---- collecting ---- */

/* As PostgreSQL prints integers, so that no two texts are one patient. */
static bool
parse_number(const char *text, int64 *number)
{
	char		again[32];

	errno = 0;
	*number = strtoll(text, NULL, 10);
	snprintf(again, sizeof(again), INT64_FORMAT, *number);
	return errno == 0 && strcmp(again, text) == 0;
}

static void
make_room(PatientList *list)
{
	if (list->n < list->room)
		return;
	list->room = Max(1024, 2 * list->room);
	if (list->integers)
		list->numbers = list->numbers ? repalloc_huge(list->numbers, list->room * sizeof(int64)) :
			palloc(list->room * sizeof(int64));
	else
		list->texts = list->texts ? repalloc_huge(list->texts, list->room * sizeof(char *)) :
			palloc(list->room * sizeof(char *));
}

void
patient_list_add(PatientList *list, const char *subject)
{
	int64		number = 0;

	if (list->integers && !parse_number(subject, &number))
		return;
	make_room(list);
	if (list->integers)
		list->numbers[list->n++] = number;
	else
		list->texts[list->n++] = pstrdup(subject);
}

void
patient_list_free(PatientList *list)
{
	for (size_t i = 0; !list->integers && i < list->n; i++)
		pfree(list->texts[i]);
	if (list->room > 0)
		pfree(list->integers ? (void *) list->numbers : (void *) list->texts);
	*list = (PatientList) {.integers = list->integers};
}

/* ---- making ---- */

static ConsentSet *
allocate(SetForm form, uint64 size, size_t bytes)
{
	ConsentSet *set;

	if (bytes > MaxAllocSize - sizeof(ConsentSet))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many patients have given their consent for one run")));
	set = palloc0(sizeof(ConsentSet) + bytes);
	SET_VARSIZE(set, sizeof(ConsentSet) + bytes);
	set->form = form;
	set->size = size;
	audit_random(set->keys, sizeof(set->keys));
	return set;
}

static Fingerprint
fingerprint(const ConsentSet *set, const void *data, size_t len)
{
	Fingerprint print;

	crypto_shorthash((uint8 *) &print.half[0], data, len, set->keys[0]);
	crypto_shorthash((uint8 *) &print.half[1], data, len, set->keys[1]);
	print.half[1] |= 1;			/* never zero */
	return print;
}

static Fingerprint *
find_place(const ConsentSet *set, Fingerprint print)
{
	Fingerprint *table = (Fingerprint *) set->data;
	uint64		i = print.half[0] & (set->size - 1);

	while (table[i].half[1] != 0 && (table[i].half[0] != print.half[0] || table[i].half[1] != print.half[1]))
		i = (i + 1) & (set->size - 1);
	return &table[i];
}

static ConsentSet *
make_hashed(const PatientList *list)
{
	uint64		size = pg_nextpower2_64(2 * list->n + 2);
	ConsentSet *set = allocate(SET_HASHED, size, size * sizeof(Fingerprint));

	for (size_t i = 0; i < list->n; i++)
	{
		Fingerprint print = list->integers ? fingerprint(set, &list->numbers[i], sizeof(int64)) :
			fingerprint(set, list->texts[i], strlen(list->texts[i]));

		*find_place(set, print) = print;
	}
	return set;
}

static ConsentSet *
make_bits(const PatientList *list, int64 first, uint64 size)
{
	ConsentSet *set = allocate(SET_BITS, size, (size + 63) / 64 * sizeof(uint64));

	set->first = first;
	for (size_t i = 0; i < list->n; i++)
	{
		uint64		place = (uint64) list->numbers[i] - (uint64) first;

		set->data[place / 64] |= UINT64CONST(1) << place % 64;
	}
	return set;
}

bytea *
consent_set_make(const PatientList *list)
{
	int64		first = PG_INT64_MAX;
	int64		last = PG_INT64_MIN;
	uint64		span;

	for (size_t i = 0; list->integers && i < list->n; i++)
	{
		first = Min(first, list->numbers[i]);
		last = Max(last, list->numbers[i]);
	}
	span = (uint64) last - (uint64) first;
	if (list->integers && list->n > 0 && span < list->n * BITS_EACH_MAX)
		return (bytea *) make_bits(list, first, span + 1);
	return (bytea *) make_hashed(list);
}

/* ---- asking ---- */

static const ConsentSet *
set_argument(Datum datum)
{
	const ConsentSet *set = (const ConsentSet *) DatumGetPointer(datum);
	size_t		bytes;

	/* Only what consent_set_make() has made comes here, and it is not toasted. */
	if (VARATT_IS_EXTENDED(set) || VARSIZE(set) < sizeof(ConsentSet))
		elog(ERROR, "this is no set of patients");
	bytes = VARSIZE(set) - sizeof(ConsentSet);
	if (!(set->form == SET_BITS && set->size <= bytes * 8) &&
		!(set->form == SET_HASHED && set->size == bytes / sizeof(Fingerprint) && set->size > 1 &&
		  (set->size & (set->size - 1)) == 0))
		elog(ERROR, "this is no set of patients");
	return set;
}

Datum
secmed_has_consent_number(PG_FUNCTION_ARGS)
{
	const ConsentSet *set = set_argument(PG_GETARG_DATUM(0));
	int64		number = PG_GETARG_INT64(1);
	uint64		place = (uint64) number - (uint64) set->first;

	if (set->form == SET_BITS)
		PG_RETURN_BOOL(place < set->size && (set->data[place / 64] >> place % 64 & 1) != 0);
	PG_RETURN_BOOL(find_place(set, fingerprint(set, &number, sizeof(number)))->half[1] != 0);
}

Datum
secmed_has_consent_text(PG_FUNCTION_ARGS)
{
	const ConsentSet *set = set_argument(PG_GETARG_DATUM(0));
	text	   *subject = PG_GETARG_TEXT_PP(1);

	if (set->form != SET_HASHED)
		elog(ERROR, "this is no set of patients");
	PG_RETURN_BOOL(find_place(set, fingerprint(set, VARDATA_ANY(subject), VARSIZE_ANY_EXHDR(subject)))->half[1] != 0);
}
