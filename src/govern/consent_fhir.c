/*
 * consent_fhir.c
 *	  Reads FHIR R4 Consent resources (HL7 FHIR R4, section 6.2).
 *
 * Of a provision: type, period, purpose, class, actor, action, provision.  Anything else that
 * would narrow it makes it `limited` (consent.h).
 */
#include "postgres.h"

#include "govern/consent.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* ---- JSON ---- */

static void
malformed(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the consent %s", what),
			 errhint("It must be a Consent resource of FHIR R4.")));
}

static JsonbContainer *
json_member(JsonbContainer *object, const char *name, bool array)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary ||
		!(array ? JsonContainerIsArray(value->val.binary.data) : JsonContainerIsObject(value->val.binary.data)))
		malformed(psprintf("has something else than %s as \"%s\"", array ? "a list" : "an object", name));
	return value->val.binary.data;
}

static char *
json_text(JsonbContainer *object, const char *name)
{
	JsonbValue *value = object ? getKeyJsonValueFromContainer(object, name, strlen(name), NULL) : NULL;

	if (value == NULL)
		return NULL;
	if (value->type != jbvString || value->val.string.len == 0)
		malformed(psprintf("has something else than a text as \"%s\"", name));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static uint32
json_length(JsonbContainer *array)
{
	return array ? JsonContainerSize(array) : 0;
}

static JsonbContainer *
json_element(JsonbContainer *array, uint32 i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		malformed("has a list of something else than objects");
	return value->val.binary.data;
}

/* ---- data types of FHIR ---- */

/* The logical id or URL's last part of a Reference, or its identifier. */
static char *
reference_name(JsonbContainer *reference)
{
	char	   *name;
	char	   *slash;

	if (reference == NULL)
		return NULL;
	name = json_text(json_member(reference, "identifier", false), "value");
	if (name != NULL)
		return name;
	name = json_text(reference, "reference");
	slash = name ? strrchr(name, '/') : NULL;
	return slash ? pstrdup(slash + 1) : name;
}

static bool
is_date_like(const char *text)
{
	size_t		len = strlen(text);

	return len >= 4 && len < MAXDATELEN / 2 && strspn(text, "0123456789") == 4 &&
		strspn(text, "0123456789-+:.TZ") == len;
}

/* "2024", "2024-05", "2024-05-17", of UTC, or a time with its zone; the end of it is the first instant after. */
static TimestampTz
date_time(const char *text, bool end)
{
	size_t		len = strlen(text);
	Interval	step = {0};
	Datum		at;

	if (!is_date_like(text) || (len != 4 && len != 7 && len != 10 && len < 20))
		malformed("has a period that is not of dates or times with zone");
	at = DirectFunctionCall3(timestamptz_in,
							 CStringGetDatum(len == 4 ? psprintf("%s-01-01 00:00+00", text) :
											 len == 7 ? psprintf("%s-01 00:00+00", text) :
											 len == 10 ? psprintf("%s 00:00+00", text) : text),
							 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	if (!end)
		return DatumGetTimestampTz(at);
	if (len > 10)
		return DatumGetTimestampTz(at) + 1;
	step.month = len == 4 ? 12 : len == 7 ? 1 : 0;
	step.day = len == 10 ? 1 : 0;
	/* Without a zone, so that no session's daylight saving is in it. */
	return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, at, PointerGetDatum(&step)));
}

static void
read_period(Provision *provision, JsonbContainer *period)
{
	char	   *start = json_text(period, "start");
	char	   *end = json_text(period, "end");

	if (start != NULL)
		provision->from = date_time(start, false);
	if (end != NULL)
		provision->until = date_time(end, true);
	if (provision->from >= provision->until)
		malformed("has a period that ends before it starts");
}

static List *
codes(JsonbContainer *codings)
{
	List	   *list = NIL;

	for (uint32 i = 0; i < json_length(codings); i++)
	{
		char	   *code = json_text(json_element(codings, i), "code");

		if (code == NULL)
			malformed("has a coding without a code");
		list = lappend(list, code);
	}
	return list;
}

/* Of a list of CodeableConcepts, one of whose codings is among these. */
static bool
concepts_name(JsonbContainer *concepts, const char *const *wanted, int n)
{
	for (uint32 i = 0; i < json_length(concepts); i++)
	{
		ListCell   *lc;

		foreach(lc, codes(json_member(json_element(concepts, i), "coding", true)))
			for (int k = 0; k < n; k++)
				if (strcmp(lfirst(lc), wanted[k]) == 0)
					return true;
	}
	return false;
}

/* ---- provisions ---- */

static const char *const narrowing[] = {
	"securityLabel", "code", "data", "dataPeriod", "modifierExtension"
};

static const char *const actions[] = {"access", "use"};

static void
read_conditions(Provision *provision, JsonbContainer *object)
{
	JsonbContainer *list = json_member(object, "actor", true);
	JsonbContainer *period = json_member(object, "period", false);
	JsonbContainer *action = json_member(object, "action", true);

	if (period != NULL)
		read_period(provision, period);
	provision->purposes = codes(json_member(object, "purpose", true));
	provision->classes = codes(json_member(object, "class", true));
	for (uint32 i = 0; i < json_length(list); i++)
	{
		char	   *name = reference_name(json_member(json_element(list, i), "reference", false));

		if (name == NULL)
			malformed("has an actor without a reference");
		provision->actors = lappend(provision->actors, name);
	}
	for (int i = 0; i < lengthof(narrowing); i++)
		if (getKeyJsonValueFromContainer(object, narrowing[i], strlen(narrowing[i]), NULL) != NULL)
			provision->limited = true;
	if (json_length(action) > 0 && !concepts_name(action, actions, lengthof(actions)))
		provision->limited = true;
}

static Provision *
new_provision(Consent *consent, int parent, bool permit)
{
	Provision  *provision;

	if (consent->n == CONSENT_PROVISIONS_MAX)
		malformed(psprintf("has more than %d provisions", CONSENT_PROVISIONS_MAX));
	provision = &consent->provisions[consent->n++];
	*provision = (Provision) {.parent = parent, .permit = permit, .from = DT_NOBEGIN, .until = DT_NOEND};
	return provision;
}

static bool
read_type(JsonbContainer *object, int parent, bool base)
{
	char	   *type = json_text(object, "type");

	if (type == NULL && parent >= 0)
		malformed("has a provision inside another without a type");
	if (type == NULL)
		return base;
	if (strcmp(type, "permit") != 0 && strcmp(type, "deny") != 0)
		malformed("has a provision that neither permits nor denies");
	return strcmp(type, "permit") == 0;
}

static void
read_provision(Consent *consent, JsonbContainer *object, int parent, bool base)
{
	int			place = consent->n;
	JsonbContainer *children = json_member(object, "provision", true);

	check_stack_depth();
	read_conditions(new_provision(consent, parent, read_type(object, parent, base)), object);
	for (uint32 i = 0; i < json_length(children); i++)
		read_provision(consent, json_element(children, i), place, false);
}

/* ---- the resource ---- */

static const char *const statuses[] = {
	"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"
};

static char *
read_status(JsonbContainer *root)
{
	char	   *status = json_text(root, "status");

	for (int i = 0; status != NULL && i < lengthof(statuses); i++)
		if (strcmp(status, statuses[i]) == 0)
			return status;
	malformed("has no status of FHIR's");
	return NULL;
}

static char *
read_id(JsonbContainer *root)
{
	char	   *id = json_text(root, "id");
	JsonbContainer *identifiers = json_member(root, "identifier", true);

	if (id == NULL && json_length(identifiers) > 0)
		id = json_text(json_element(identifiers, 0), "value");
	if (id == NULL)
		malformed("has neither an id nor an identifier");
	return id;
}

/* OPTIN permits unless a provision says otherwise; without a word nothing is permitted. */
static bool
base_rule(JsonbContainer *root)
{
	JsonbContainer *rule = json_member(root, "policyRule", false);
	ListCell   *lc;

	if (rule == NULL)
		return false;
	foreach(lc, codes(json_member(rule, "coding", true)))
		if (strcmp(lfirst(lc), "OPTIN") == 0)
			return true;
	return false;
}

Consent *
consent_from_fhir(Jsonb *resource)
{
	Consent    *consent = palloc0(sizeof(Consent));
	JsonbContainer *root = &resource->root;
	JsonbContainer *provision;
	char	   *type;

	if (!JB_ROOT_IS_OBJECT(resource))
		malformed("is not a JSON object");
	type = json_text(root, "resourceType");
	if (type == NULL || strcmp(type, "Consent") != 0)
		malformed("is a resource of another type");
	if (getKeyJsonValueFromContainer(root, "modifierExtension", 17, NULL) != NULL)
		malformed("has a modifierExtension, which may change what it means");
	consent->status = read_status(root);
	if (json_member(root, "scope", false) == NULL || json_length(json_member(root, "category", true)) == 0)
		malformed("lacks a scope or a category");
	consent->id = read_id(root);
	consent->subject = reference_name(json_member(root, "patient", false));
	if (consent->subject == NULL || consent->subject[0] == '\0')
		malformed("names no patient");
	provision = json_member(root, "provision", false);
	if (provision != NULL)
		read_provision(consent, provision, -1, base_rule(root));
	else
		new_provision(consent, -1, base_rule(root));
	return consent;
}
