/*
 * fhir.c
 *	  An entry as a FHIR R4 AuditEvent.
 */
#include "base/base.h"

#include "ledger/columns.h"
#include "ledger/fhir.h"

#define DCM			"http://dicom.nema.org/resources/ontology/DCM"
#define HL7			"http://terminology.hl7.org/CodeSystem/"
#define INTERACTION	"http://hl7.org/fhir/restful-interaction"
#define LIFECYCLE	HL7 "iso-21089-lifecycle"
#define BALP		"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

typedef struct Coding
{
	const char *system;			/* NULL: none */
	const char *code;
	const char *display;
} Coding;

/* What happened: AuditEvent.type, subtype, action. */
typedef struct Event
{
	Coding		type;
	Coding		subtype;
	char		action;			/* C, R, U, D, E */
} Event;

static const Coding rest = {HL7 "audit-event-type", "rest", "RESTful Operation"};

/* ---- JSON ---- */

static void
write_string(StringInfo out, EntryText text)
{
	appendStringInfoChar(out, '"');
	for (size_t i = 0; i < text.len; i++)
	{
		unsigned char c = (unsigned char) text.at[i];

		if (c == '"' || c == '\\')
			appendStringInfo(out, "\\%c", c);
		else if (c < 0x20)
			appendStringInfo(out, "\\u%04x", c);
		else
			appendStringInfoChar(out, (char) c);
	}
	appendStringInfoChar(out, '"');
}

static void
write_coding(StringInfo out, const Coding *coding)
{
	appendStringInfo(out, "{\"system\":\"%s\",\"code\":\"%s\",\"display\":\"%s\"}",
					 coding->system, coding->code, coding->display);
}

/* ---- what happened ---- */

static bool
has_word(EntryText text, const char *word)
{
	size_t		len = strlen(word);

	for (size_t i = 0; i + len <= text.len; i++)
		if (pg_strncasecmp(text.at + i, word, len) == 0)
			return true;
	return false;
}

static bool
begins_with(EntryText text, const char *word)
{
	size_t		len = strlen(word);

	return text.len >= len && memcmp(text.at, word, len) == 0;
}

/* By the operation, the worst first. */
static Event
local_event(const EntryView *entry)
{
	if (has_word(entry->revealed, "delete") || has_word(entry->revealed, "truncate"))
		return (Event) {rest, {INTERACTION, "delete", "delete"}, 'D'};
	if (has_word(entry->revealed, "update") || has_word(entry->revealed, "merge"))
		return (Event) {rest, {INTERACTION, "update", "update"}, 'U'};
	if (has_word(entry->revealed, "insert") || has_word(entry->revealed, "copy from"))
		return (Event) {rest, {INTERACTION, "create", "create"}, 'C'};
	return (Event) {rest, {INTERACTION, "read", "read"}, 'R'};
}

static Event
event_of(const EntryView *entry)
{
	const Coding alert = {DCM, "110113", "Security Alert"};
	const Coding activity = {DCM, "110100", "Application Activity"};
	const Coding disclose = {LIFECYCLE, "disclose", "Disclose Record Lifecycle Event"};

	switch (entry->kind)
	{
		case ENTRY_OUTCOME:
			if (!entry_text_is(entry->outcome, "opened") && !entry_text_is(entry->outcome, "released"))
				return (Event) {rest, {INTERACTION, "search", "search"}, 'E'};
			return (Event) {{DCM, "110106", "Export"}, disclose, 'R'};
		case ENTRY_EXECUTION:
			return (Event) {{DCM, "110106", "Export"}, disclose, 'R'};
		case ENTRY_REQUEST:
		case ENTRY_DECISION:
			return (Event) {rest, {INTERACTION, "search", "search"}, 'E'};
		case ENTRY_INTENT:
		case ENTRY_ACCESS:
			return local_event(entry);
		case ENTRY_CHANGE:
			return (Event) {alert, {DCM, "110136", "Security Roles Changed"}, 'E'};
		case ENTRY_LOGIN:
			return (Event) {{DCM, "110114", "User Authentication"}, {DCM, "110122", "Login"}, 'E'};
		case ENTRY_ERASED:
			return (Event) {{LIFECYCLE, "destroy", "Destroy/Delete Record Lifecycle Event"}, {NULL}, 'D'};
		case ENTRY_REVIEWED:
		case ENTRY_APPROVAL:
			return (Event) {{LIFECYCLE, "attest", "Attest Record Lifecycle Event"}, {NULL}, 'E'};
		case ENTRY_RESTART:
			return (Event) {activity, {DCM, "110120", "Application Start"}, 'E'};
		case ENTRY_NODE_CREATED:
		case ENTRY_PEER_ADDED:
		case ENTRY_PEER_REMOVED:
		case ENTRY_PUBLISHED:
		case ENTRY_UNPUBLISHED:
		case ENTRY_DOCUMENT:
		case ENTRY_RULE:
		case ENTRY_KEY:
		case ENTRY_FORK:
			return (Event) {alert, {DCM, "110129", "Software Configuration"}, 'E'};
		case ENTRY_CLOSED:
			return local_event(entry);
		default:
			return (Event) {activity, {NULL}, 'E'};
	}
}

/* 0 success, 4 minor failure, 8 serious failure. */
static char
outcome_of(const EntryView *entry)
{
	if (begins_with(entry->outcome, "refused") || entry_text_is(entry->outcome, "unknown") ||
		(entry->kind == ENTRY_DECISION && begins_with(entry->outcome, "no")) || entry->kind == ENTRY_FORK)
		return '8';
	if (begins_with(entry->outcome, "failed") || begins_with(entry->outcome, "cancelled") ||
		entry_text_is(entry->outcome, "aborted"))
		return '4';
	return '0';
}

/* ---- who, where, what ---- */

static void
write_agent(StringInfo out, const Coding *type, EntryText name, bool requestor)
{
	appendStringInfoString(out, "{\"type\":{\"coding\":[");
	write_coding(out, type);
	appendStringInfoString(out, "]},\"who\":{\"identifier\":{\"value\":");
	write_string(out, name);
	appendStringInfo(out, "}},\"requestor\":%s}", requestor ? "true" : "false");
}

/* Who asked, and of a run the two nodes as BALP has them: the client is the source. */
static void
write_agents(StringInfo out, const EntryView *entry)
{
	const Coding human = {HL7 "extra-security-role-type", "humanuser", "human user"};
	const Coding source = {DCM, "110153", "Source Role ID"};
	const Coding destination = {DCM, "110152", "Destination Role ID"};
	const char *colon = memchr(entry->actor.at, ':', entry->actor.len);
	EntryText	node = {entry->actor.at, colon ? (size_t) (colon - entry->actor.at) : 0};
	EntryText	nobody = {"secmed", 6};

	appendStringInfoString(out, ",\"agent\":[");
	write_agent(out, &human, entry->actor.len > 0 ? entry->actor : nobody, true);
	if (colon != NULL && entry->kind >= ENTRY_REQUEST && entry->kind <= ENTRY_OUTCOME)
	{
		appendStringInfoChar(out, ',');
		write_agent(out, &source, node, false);
		appendStringInfoChar(out, ',');
		write_agent(out, &destination, entry->site, false);
	}
	appendStringInfoChar(out, ']');
}

static void
write_source(StringInfo out, const EntryView *entry)
{
	const Coding server = {HL7 "security-source-type", "4", "Application Server"};

	appendStringInfoString(out, ",\"source\":{\"site\":");
	write_string(out, entry->site);
	appendStringInfoString(out, ",\"observer\":{\"display\":");
	write_string(out, entry->site);
	appendStringInfoString(out, "},\"type\":[");
	write_coding(out, &server);
	appendStringInfoString(out, "]}");
}

static void
write_detail(StringInfo out, const char *type, EntryText value)
{
	if (value.len == 0)
		return;
	appendStringInfo(out, ",{\"type\":\"%s\",\"valueString\":", type);
	write_string(out, value);
	appendStringInfoChar(out, '}');
}

static void
write_entities(StringInfo out, const EntryView *entry)
{
	const Coding object = {HL7 "audit-entity-type", "2", "System Object"};
	const Coding resource = {HL7 "object-role", "4", "Domain Resource"};
	const Coding request = {BALP, "XrequestId", "X-Request-Id"};
	EntryText	kind = {entry_kind_name(entry->kind), strlen(entry_kind_name(entry->kind))};
	char		run[RUN_TEXT_BYTES];

	appendStringInfoString(out, ",\"entity\":[{\"type\":");
	write_coding(out, &object);
	appendStringInfoString(out, ",\"role\":");
	write_coding(out, &resource);
	appendStringInfoString(out, ",\"name\":");
	write_string(out, entry->object.len > 0 ? entry->object : kind);
	appendStringInfo(out, ",\"detail\":[{\"type\":\"seq\",\"valueString\":\"" UINT64_FORMAT "\"}", entry->seq);
	write_detail(out, "kind", kind);
	write_detail(out, "revealed", entry->revealed);
	appendStringInfoString(out, "]}");
	if (entry->run != NULL)
	{
		run_text(run, entry->run);
		appendStringInfo(out, ",{\"what\":{\"identifier\":{\"value\":\"%s\"}},\"type\":", run);
		write_coding(out, &request);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

void
fhir_write(StringInfo out, const EntryView *entry, const uint8 hash[HASH_BYTES])
{
	Event		event = event_of(entry);
	char		at[TIME_TEXT_BYTES];

	/* The id has at most 64 characters, which a leaf hash has. */
	appendStringInfoString(out, "{\"resourceType\":\"AuditEvent\",\"id\":\"");
	for (int i = 0; i < HASH_BYTES; i++)
		appendStringInfo(out, "%02x", hash[i]);
	appendStringInfoString(out, "\",\"type\":");
	write_coding(out, &event.type);
	if (event.subtype.system != NULL)
	{
		appendStringInfoString(out, ",\"subtype\":[");
		write_coding(out, &event.subtype);
		appendStringInfoChar(out, ']');
	}
	time_text(at, entry->at_us);
	appendStringInfo(out, ",\"action\":\"%c\",\"recorded\":\"%s\",\"outcome\":\"%c\"", event.action, at,
					 outcome_of(entry));
	if (entry->outcome.len > 0)
	{
		appendStringInfoString(out, ",\"outcomeDesc\":");
		write_string(out, entry->outcome);
	}
	write_agents(out, entry);
	write_source(out, entry);
	write_entities(out, entry);
	appendStringInfoChar(out, '}');
}
