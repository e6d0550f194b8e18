/*
 * cosigner.c
 *	  The key with which this node countersigns.
 *
 * It is made when somebody first asks for it.  The file comes before the entry:
 * a crash in between leaves a key that is introduced the next time.
 */
#include "base/base.h"

#include "audit/append.h"
#include "audit/log_key.h"
#include "executor/spi.h"
#include "identity/node.h"
#include "ledger/store_sql.h"
#include "mirror/cosigner.h"
#include "mirror/held.h"
#include "miscadmin.h"

KeyHistory *
own_keys(void)
{
	KeyHistory *keys = palloc(sizeof(KeyHistory));
	const char *reason;

	if (!store_keys(keys, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger of this database is broken"),
				 errdetail("One of its keys %s.", reason)));
	if (keys->nlogs == 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger of this database has no key"),
				 errhint("Use secmed.create_node().")));
	return keys;
}

void
append_key_entry(LedgerEntry *entry)
{
	entry->actor = GetUserNameFromId(GetSessionUserId(), false);
	audit_wait(audit_append(entry, NULL, 0));
}

/* Two callers at once make one key. */
static void
make_key(void)
{
	const char *site = node_self()->card.name;
	uint8		public_key[SIGN_PUBLIC_BYTES];
	KeyHistory *keys;
	LedgerEntry entry;

	run_spi("LOCK TABLE secmed.mirror IN SHARE ROW EXCLUSIVE MODE", SPI_OK_UTILITY, 0, NULL, NULL, NULL);
	keys = own_keys();
	if (keys->nwitnesses > 0)
		return;
	if (ledger_key_in_file(KEY_FILE_COSIGNER, public_key, site))
		cosigner_key_first(&entry, keys, site);
	else
		ledger_key_change(&entry, keys, KEY_FILE_COSIGNER, "first", site, NULL, NULL);
	entry.actor = "";
	audit_wait(audit_append(&entry, NULL, 0));
}

static void
find(Cosigner *cosigner)
{
	KeyHistory *keys = own_keys();
	const KeySpan *newest;

	if (keys->nwitnesses == 0)
	{
		make_key();
		keys = own_keys();
	}
	if (keys->nwitnesses == 0)
		elog(ERROR, "the countersigning key is not in the ledger");
	newest = &keys->witnesses[keys->nwitnesses - 1];
	strlcpy(cosigner->site, keys->origin.site, sizeof(cosigner->site));
	cosigner->n = newest->handed_over ? 2 : 1;
	cosigner->keys[0] = newest->key;
	if (newest->handed_over)
		cosigner->keys[1] = newest[-1].key;
}

static uint64
count_keys(void)
{
	run_kept("SELECT count(*) FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'key'", SPI_OK_SELECT, 0, NULL, NULL);
	return column_number(0, 1);
}

/* Kept while there is no other KEY entry: replaying them takes longer than a signature. */
void
cosigner_find(Cosigner *cosigner)
{
	static Cosigner known;
	static uint64 known_keys = 0;

	if (known_keys == 0 || count_keys() != known_keys)
	{
		known_keys = 0;
		find(&known);
		known_keys = count_keys();
	}
	*cosigner = known;
}

char *
cosigner_sign(const Cosigner *cosigner, const Checkpoint *head, uint64 time_s)
{
	char	   *text = checkpoint_text(head);
	uint8		secret[SIGN_SECRET_BYTES];
	StringInfoData lines;

	initStringInfo(&lines);
	for (int i = 0; i < cosigner->n; i++)
	{
		ledger_key_secret(secret, &cosigner->keys[i], cosigner->site);
		note_sign(&lines, text, &cosigner->keys[i], secret, time_s);
		wipe(secret, sizeof(secret));
	}
	return lines.data;
}
