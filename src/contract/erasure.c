/*
 * erasure.c
 *	  Bytes of erasure orders and receipts.
 */
#include "contract/erasure.h"

#define ERASURE_VERSION		1
/* Year 9999, as for entries. */
#define TIME_US_MAX			INT64CONST(253402300799999999)

void
order_encode(StringInfo out, const ErasureOrder *order)
{
	cbor_array(out, 7);
	cbor_uint(out, ERASURE_VERSION);
	cbor_text(out, "erase");
	cbor_text(out, order->from);
	cbor_text(out, order->to);
	cbor_int(out, order->ordered_us);
	cbor_text(out, order->basis);
	cbor_array(out, order->nruns);
	for (int i = 0; i < order->nruns; i++)
		cbor_bytes(out, order->runs[i], ERASE_RUN_BYTES);
}

void
receipt_of_order_encode(StringInfo out, const ErasureReceipt *receipt)
{
	cbor_array(out, 7);
	cbor_uint(out, ERASURE_VERSION);
	cbor_text(out, "erased");
	cbor_text(out, receipt->node);
	cbor_bytes(out, receipt->order, HASH_BYTES);
	cbor_int(out, receipt->erased_us);
	cbor_uint(out, receipt->count);
	cbor_text(out, receipt->refused);
}

void
erasure_seal(StringInfo out, const StringInfoData *bytes, const char *purpose,
			 const uint8 secret_key[SIGN_SECRET_BYTES])
{
	uint8		signature[SIGNATURE_BYTES];

	sign_message(signature, secret_key, purpose, bytes->data, bytes->len);
	cbor_array(out, 2);
	cbor_bytes(out, bytes->data, bytes->len);
	cbor_bytes(out, signature, SIGNATURE_BYTES);
}

bool
erasure_open(const uint8 **bytes, size_t *bytes_len, const void *message, size_t len,
			 const char *purpose, const uint8 public_key[SIGN_PUBLIC_BYTES], const char **reason)
{
	CborReader	in;
	uint8		signature[SIGNATURE_BYTES];

	cbor_start(&in, message, len);
	cbor_expect_array(&in, 2);
	*bytes = cbor_read_bytes(&in, REQUEST_BYTES_MAX, bytes_len);
	cbor_read_fixed(&in, signature, SIGNATURE_BYTES);
	if (!cbor_finish(&in))
	{
		*reason = in.error;
		return false;
	}
	*reason = "is not signed by its sender";
	return sign_verify(signature, public_key, purpose, *bytes, *bytes_len);
}

/* The version, and which of the two it is. */
static void
read_kind(CborReader *in, const char *kind)
{
	char	   *found;

	cbor_expect_array(in, 7);
	if (cbor_read_uint(in, PG_UINT64_MAX) != ERASURE_VERSION && in->error == NULL)
		in->error = "is of another version";
	found = cbor_read_text(in, 16);
	if (in->error == NULL && strcmp(found, kind) != 0)
		in->error = "is of another kind than expected";
	pfree(found);
}

bool
order_decode(ErasureOrder *order, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(order, 0, sizeof(*order));
	cbor_start(&in, bytes, len);
	read_kind(&in, "erase");
	node_name_read(&in, order->from);
	node_name_read(&in, order->to);
	order->ordered_us = (int64) cbor_read_uint(&in, TIME_US_MAX);
	order->basis = cbor_read_text(&in, ERASE_TEXT_MAX);
	order->nruns = (int) cbor_read_array(&in, ERASE_RUNS_MAX);
	order->runs = palloc((order->nruns + 1) * ERASE_RUN_BYTES);
	for (int i = 0; i < order->nruns; i++)
		cbor_read_fixed(&in, order->runs[i], ERASE_RUN_BYTES);
	if (in.error == NULL && (order->nruns == 0 || order->basis[0] == '\0'))
		in.error = "names no run, or no legal basis";
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}

bool
receipt_of_order_decode(ErasureReceipt *receipt, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(receipt, 0, sizeof(*receipt));
	cbor_start(&in, bytes, len);
	read_kind(&in, "erased");
	node_name_read(&in, receipt->node);
	cbor_read_fixed(&in, receipt->order, HASH_BYTES);
	receipt->erased_us = (int64) cbor_read_uint(&in, TIME_US_MAX);
	receipt->count = cbor_read_uint(&in, PG_INT64_MAX);
	receipt->refused = cbor_read_text(&in, ERASE_TEXT_MAX);
	*reason = cbor_finish(&in) ? NULL : in.error;
	return *reason == NULL;
}
