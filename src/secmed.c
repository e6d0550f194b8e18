/*
 * secmed.c
 *	  What happens when the server loads the extension.
 *
 * secmed keeps the sequencer's queue and the table of running parties in
 * shared memory, so it must be in shared_preload_libraries.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "audit/access.h"
#include "audit/append.h"
#include "audit/archived.h"
#include "audit/changes.h"
#include "audit/elsewhere.h"
#include "audit/dangling.h"
#include "audit/log_key.h"
#include "audit/logins.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "compute/answer.h"
#include "compute/compile.h"
#include "compute/progress.h"
#include "fdw/fdw.h"
#include "fdw/shared_insert.h"
#include "govern/account.h"
#include "govern/document.h"
#include "mirror/worker.h"
#include "peer/connection.h"
#include "peer/erase.h"
#include "peer/link.h"
#include "peer/served.h"
#include "query/sealed.h"
#include "query/settings.h"
#include "shared/stage.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("secmed must be loaded via shared_preload_libraries"),
				 errhint("Set shared_preload_libraries = 'secmed' and restart the server.")));

	audit_init();
	dangling_init();
	action_init();
	access_init();
	changes_init();
	elsewhere_init();
	logins_init();
	segment_init();
	archived_init();
	log_key_init();
	signer_init();
	connection_init();
	erase_init();
	served_init();
	link_init();
	links_init();
	worker_init();
	document_init();
	account_init();
	settings_init();
	sealed_init();
	shared_ddl_init();
	resolver_init();
	compile_init();
	answer_init();
	progress_init();
	fdw_init();
	MarkGUCPrefixReserved("secmed");
}
