/*
 * spooled.c
 *	  A spool that a crash, a full disk or a stranger has left.
 */
#include "fuzz.h"

#include "ledger/spooled.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	SpooledEntry spooled;
	size_t		at = 0;

	(void) spooled_id(data, size);
	while (at < size)
	{
		size_t		len = spooled_read(&spooled, data + at, size - at);

		if (len > 0)
		{
			StringInfoData again = empty();

			must(len <= size - at);
			spooled_write(&again, &spooled);
			must_be(&again, data + at, len);
		}
		else
			len = spooled_skip(data + at, size - at);
		must(len > 0 && len <= size - at);
		at += len;
	}
	memory_reset();
	return 0;
}
