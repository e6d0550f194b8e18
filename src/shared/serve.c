/*
 * serve.c
 *	  secmed.shared: another node asks or tells something about shared tables.
 */
#include "postgres.h"

#include "fmgr.h"
#include "peer/served.h"
#include "shared/serve.h"
#include "shared/stage.h"

PG_FUNCTION_INFO_V1(secmed_shared);

SharedTable *
serve_table(const SharedMessage *question, const NodeCard *from)
{
	SharedTable *table;

	(void) stage_resolve(from->name);
	table = shared_table_require(question->table);
	if (!shared_is_creator(&table->definition, from))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("shared table \"%s\" was not made by node \"%s\"", question->table, from->name)));
	return table;
}

static void
answer_question(const SharedMessage *question, const NodeCard *from, SharedMessage *answer)
{
	switch (question->verb)
	{
		case SHARED_STAGE:
			stage_question(question, from);
			break;
		case SHARED_FATES:
			fates_answer(question, from->name, answer);
			break;
		case SHARED_DIGESTS:
			check_digests(question, from, answer);
			break;
		case SHARED_BUCKET:
			check_bucket(question, from, answer);
			break;
		case SHARED_OFFER:
			refresh_offer(question, from, answer);
			break;
		case SHARED_DEAL:
			refresh_deal(question, from, answer);
			break;
		case SHARED_TAKE:
			refresh_take(question, from, answer);
			break;
		case SHARED_COPY:
			rebuild_copy(question, from, answer);
			break;
	}
}

static bytea *
sealed_answer(const SharedMessage *answer)
{
	StringInfoData bytes;
	StringInfoData sealed;
	bytea	   *result;

	initStringInfo(&bytes);
	initStringInfo(&sealed);
	shared_answer_encode(&bytes, answer);
	served_seal(&sealed, bytes.data, bytes.len);
	result = palloc(VARHDRSZ + sealed.len);
	SET_VARSIZE(result, VARHDRSZ + sealed.len);
	memcpy(VARDATA(result), sealed.data, sealed.len);
	wipe(bytes.data, bytes.len);
	return result;
}

Datum
secmed_shared(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);
	StringInfoData bytes;
	SharedMessage question;
	SharedMessage answer = {0};
	const char *reason;

	initStringInfo(&bytes);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	if (!shared_question_decode(&question, bytes.data, bytes.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", served_peer()->name),
				 errdetail("%s.", reason)));
	answer.verb = question.verb;
	answer_question(&question, served_peer(), &answer);
	wipe(bytes.data, bytes.len);
	PG_RETURN_BYTEA_P(sealed_answer(&answer));
}
