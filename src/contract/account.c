/*
 * account.c
 *	  An account in credits.
 */
#include "contract/account.h"

#include "base/cbor.h"
#include "identity/card.h"

static const char *const names[] = {NULL, "grant", "hold", "return", "pay", "receive"};

const char *
account_move_name(AccountMove move)
{
	return names[move];
}

AccountMove
account_move_of_name(const char *name)
{
	for (int move = 1; move <= MOVE_MAX; move++)
		if (strcmp(names[move], name) == 0)
			return (AccountMove) move;
	return (AccountMove) 0;
}

/* ---- moves ---- */

static const char *
change(Account *account, AccountMove move, uint64 amount)
{
	if (amount == 0 || amount > CREDITS_MAX)
		return "can't move so many credits at once";
	switch (move)
	{
		case MOVE_GRANT:
		case MOVE_RECEIVE:
			if (account->balance > CREDITS_MAX - amount)
				return "would have more credits than an account can have";
			account->balance += amount;
			return NULL;
		case MOVE_HOLD:
			if (account->balance - account->held < amount)
				return "has not enough credits";
			account->held += amount;
			return NULL;
		case MOVE_RETURN:
		case MOVE_PAY:
			if (account->held < amount)
				return "holds less than that";
			account->held -= amount;
			if (move == MOVE_PAY)
				account->balance -= amount;
			return NULL;
	}
	return "knows no such move";
}

/* head = SHA-256("secmed/account/1" || 00 || head || [serial, move, amount, document]) */
static void
extend_head(Account *account, AccountMove move, uint64 amount, const uint8 document[HASH_BYTES])
{
	StringInfoData entry;
	HashPart	parts[] = {{"secmed/account/1", 17}, {account->head, HASH_BYTES}, {NULL, 0}};
	uint8		head[HASH_BYTES];

	initStringInfo(&entry);
	cbor_array(&entry, 4);
	cbor_uint(&entry, account->serial);
	cbor_uint(&entry, move);
	cbor_uint(&entry, amount);
	cbor_bytes(&entry, document, HASH_BYTES);
	parts[2] = (HashPart) {entry.data, entry.len};
	hash_parts(head, parts, lengthof(parts));
	memcpy(account->head, head, HASH_BYTES);
	pfree(entry.data);
}

bool
account_move(Account *account, AccountMove move, uint64 amount, const uint8 document[HASH_BYTES], const char **reason)
{
	*reason = change(account, move, amount);
	if (*reason != NULL)
		return false;
	account->serial++;
	extend_head(account, move, amount, document);
	return true;
}

/* ---- addresses and parts ---- */

bool
account_address_valid(const char *address)
{
	const char *colon = strchr(address, ':');
	bool		valid;
	char	   *node;

	if (strlen(address) > ACCOUNT_BYTES_MAX)
		return false;
	node = account_node(address);
	valid = node_name_valid(node) && (colon == NULL || node_name_valid(colon + 1));
	pfree(node);
	return valid;
}

char *
account_node(const char *address)
{
	size_t		len = strcspn(address, ":");
	char	   *node = palloc(len + 1);

	memcpy(node, address, len);
	node[len] = '\0';
	return node;
}

void
account_split(uint64 amount, const uint64 *weights, int n, uint64 *parts)
{
	uint128		all = 0;
	uint64		rest = amount;

	for (int i = 0; i < n; i++)
		all += weights[i];
	for (int i = 0; i < n; i++)
	{
		parts[i] = (uint64) ((uint128) amount * weights[i] / all);
		rest -= parts[i];
	}
	for (int i = 0; rest > 0; i = (i + 1) % n, rest--)
		parts[i]++;
}
