/*
 * rows_receipt.c
 *	  A site's receipt for rows.
 */
#include "fuzz.h"

#include "contract/rows_receipt.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	RowsReceipt receipt;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (rows_receipt_decode(&receipt, data, size, &reason))
	{
		rows_receipt_encode(&again, &receipt);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
