/*
 * rows_receipt.c
 *	  Bytes of a site's receipt for rows.
 */
#include "contract/rows_receipt.h"

#include "base/cbor.h"

void
rows_receipt_encode(StringInfo out, const RowsReceipt *receipt)
{
	cbor_array(out, 6);
	cbor_text(out, "rows");
	cbor_bytes(out, receipt->run, RUN_ID_BYTES);
	cbor_bytes(out, receipt->plan, HASH_BYTES);
	cbor_text(out, receipt->site);
	cbor_array(out, receipt->ninputs);
	for (int i = 0; i < receipt->ninputs; i++)
	{
		cbor_array(out, 2);
		cbor_uint(out, receipt->inputs[i].rows);
		cbor_uint(out, receipt->inputs[i].patients_min);
	}
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_bytes(out, receipt->sealed[i], HASH_BYTES);
}

bool
rows_receipt_decode(RowsReceipt *receipt, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	memset(receipt, 0, sizeof(*receipt));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 6);
	word = cbor_read_text(&in, 16);
	if (in.error == NULL && strcmp(word, "rows") != 0)
		in.error = "message of another kind than expected";
	cbor_read_fixed(&in, receipt->run, RUN_ID_BYTES);
	cbor_read_fixed(&in, receipt->plan, HASH_BYTES);
	receipt->site = cbor_read_text(&in, NODE_NAME_BYTES_MAX);
	receipt->ninputs = (int) cbor_read_array(&in, TABLES_MAX);
	for (int i = 0; i < receipt->ninputs && in.error == NULL; i++)
	{
		cbor_expect_array(&in, 2);
		receipt->inputs[i].rows = cbor_read_uint(&in, RELATION_ROWS_MAX);
		receipt->inputs[i].patients_min = cbor_read_uint(&in, PG_INT32_MAX);
		if (in.error == NULL && receipt->inputs[i].patients_min == 0)
			in.error = "threshold of zero";
	}
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_read_fixed(&in, receipt->sealed[i], HASH_BYTES);

	*reason = NULL;
	if (!cbor_finish(&in))
		*reason = in.error ? in.error : "bytes after the message";
	return *reason == NULL;
}
