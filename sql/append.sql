--
-- Appending: notes, partitions, and what a rollback leaves.
--
\set SHOW_CONTEXT never
ALTER SYSTEM SET secmed.ledger_segment = 300;
ALTER SYSTEM SET secmed.ledger_segment = 256;
ALTER SYSTEM SET secmed.checkpoint_interval = '10ms';
SELECT pg_reload_conf();
CREATE DATABASE regress_append;
\c regress_append
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.append_note('too early');
SELECT secmed.create_node('alpha') IS NOT NULL AS created;

-- A note stays, whatever becomes of who wrote it; its text is beside the chain.
CREATE ROLE regress_note_auditor IN ROLE secmed_auditor;
CREATE ROLE regress_note_nobody;
SET ROLE regress_note_auditor;
SELECT secmed.append_note('the restore was tried');
BEGIN;
SELECT secmed.append_note('and took four hours');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT secmed.append_note('of which three were spent on tea');
ROLLBACK TO s;
SELECT 1 / 0;
COMMIT;
SELECT secmed.append_note(NULL) IS NULL AS nothing;
SELECT secmed.append_note(repeat('x', 50000));
BEGIN READ ONLY;
SELECT secmed.append_note('no');
ROLLBACK;
SET ROLE regress_note_nobody;
SELECT secmed.append_note('no');
RESET ROLE;
SELECT actor = session_user AS actor, object, outcome, statement FROM secmed.audit WHERE kind = 'note' ORDER BY seq;

CREATE FUNCTION note_fails(note text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM secmed.append_note(note);
EXCEPTION WHEN SQLSTATE 'SM020' THEN
	message := SQLERRM;
END $$;

-- Partitions come as they are needed, and rows lie where they belong.
DO $$ BEGIN FOR i IN 1 .. 600 LOOP PERFORM secmed.append_note('note ' || i); END LOOP; END $$;
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_userbyid(c.relowner) = pg_get_userbyid(p.relowner) AS same_owner
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
 WHERE i.inhparent IN ('secmed.ledger'::regclass, 'secmed.ledger_payload'::regclass) ORDER BY relname;
SELECT tableoid::regclass, min(seq) / 256 AS first, max(seq) / 256 AS last FROM secmed.ledger WHERE seq < 768 GROUP BY 1 ORDER BY 1;
SELECT tableoid::regclass, min(seq) / 256 AS first, max(seq) / 256 AS last FROM secmed.ledger_payload WHERE seq < 768 GROUP BY 1 ORDER BY 1;
SELECT ok, entries > 600 AS many, reason FROM secmed.verify_ledger();
TRUNCATE secmed.ledger_000000000000256;
DELETE FROM secmed.ledger_000000000000256;
INSERT INTO secmed.ledger_000000000000256 SELECT * FROM secmed.ledger WHERE seq = 300;

-- How long a session waits, and what it does when the ledger can't be written, is for superusers to say.
SET ROLE regress_note_auditor;
SET secmed.ledger_mode = async;
SET secmed.on_ledger_failure = spool;
RESET ROLE;
SET secmed.ledger_mode = eventually;
SET secmed.on_ledger_failure = ignore;

-- Nobody countersigns this ledger.
SET secmed.ledger_mode = quorum;
SET secmed.node_timeout = '200ms';
SELECT regexp_replace(message, '\d+', 'N') AS message FROM note_fails('with witnesses');
-- A note is durable in mode async, too.  That the mode changes is an entry,
-- for which the one before holds: there is a warning that nobody certifies it.
SET client_min_messages = error;
SET secmed.ledger_mode = async;
SET client_min_messages = warning;
SELECT secmed.append_note('durable');
SELECT statement FROM secmed.audit WHERE kind = 'note' ORDER BY seq DESC LIMIT 2;
RESET secmed.ledger_mode;

-- The sequencer can't get at the ledger: an error in time, and the entry comes all the same.
BEGIN;
LOCK TABLE secmed.ledger IN EXCLUSIVE MODE;
SELECT secmed.append_note('late');
ROLLBACK;
SELECT secmed.append_note('next');
SELECT statement, spooled_at FROM secmed.audit WHERE kind = 'note' ORDER BY seq DESC LIMIT 2;
-- The work goes on, and the entries come afterwards, in their order and once.
SET secmed.on_ledger_failure = spool;
BEGIN;
LOCK TABLE secmed.ledger IN EXCLUSIVE MODE;
SELECT secmed.append_note('spooled 1');
SELECT secmed.append_note('spooled 2');
SELECT secmed.append_note('spooled 3');
SELECT secmed.create_node('alpha');
ROLLBACK;
RESET secmed.node_timeout;
RESET secmed.on_ledger_failure;
SELECT secmed.append_note('afterwards');
SELECT statement, spooled_at < at AS was_spooled FROM secmed.audit WHERE kind = 'note' ORDER BY seq DESC LIMIT 4;
SELECT sum(entries) >= 3 AS entries, sum(lost) AS lost FROM secmed.ledger_spool;
SELECT pg_ls_dir('secmed') ~ 'spool' AS spool_left GROUP BY 1;
SELECT ok, reason FROM secmed.verify_ledger();

-- A dump brings all of it back.  Beside the original, which has signed more, the
-- copy does not go on: that would be a second history.
CREATE DATABASE regress_append_copy;
\! pg_dump regress_append 2>&1 | psql -X -q -d regress_append_copy -v ON_ERROR_STOP=1 -o /dev/null
\c regress_append_copy
SELECT ok, entries > 600 AS many, reason FROM secmed.verify_ledger();
SELECT tableoid::regclass, min(seq) / 256 AS first, max(seq) / 256 AS last FROM secmed.ledger WHERE seq < 768 GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT indrelid) = count(DISTINCT inhrelid) AS all_indexed, indisunique, pg_get_expr(indpred, indrelid)
  FROM pg_inherits LEFT JOIN pg_index ON indrelid = inhrelid WHERE inhparent = 'secmed.ledger'::regclass GROUP BY 2, 3 ORDER BY 2, 3 NULLS FIRST;
TRUNCATE secmed.ledger_000000000000256;
SELECT pg_sleep(1.2);
SELECT note_fails('goes on');
SELECT ok, entries > 600 AS many, reason FROM secmed.verify_ledger();

-- Old partitions go to an archive, space comes back, and what remains verifies.
\c regress_append
\set archive `mktemp -d /tmp/secmed_archive.XXXXXX`
SELECT secmed.archive_ledger(255, :'archive');
SELECT secmed.archive_ledger(600, 'archive');
SET ROLE regress_note_auditor;
SELECT secmed.archive_ledger(600, :'archive');
RESET ROLE;
SELECT pg_sleep(0.2);	-- a checkpoint is signed
SELECT pg_total_relation_size('secmed.ledger_000000000000256') AS ledger, pg_total_relation_size('secmed.ledger_payload_000000000000256') AS payload \gset
SELECT secmed.archive_ledger(600, :'archive');
SELECT pg_relation_size('secmed.ledger_000000000000256') AS rows, pg_total_relation_size('secmed.ledger_000000000000256') < :ledger AS ledger_shrunk,
	   pg_total_relation_size('secmed.ledger_payload_000000000000256') < :payload / 2 AS payload_shrunk;
SELECT tableoid::regclass, min(seq) / 256 AS first, max(seq) / 256 AS last FROM secmed.ledger WHERE seq < 768 GROUP BY 1 ORDER BY 1;
SELECT outcome, counters FROM secmed.events WHERE kind = 'archived';
SELECT ok, entries > 600 AS many, reason FROM secmed.verify_ledger();
SELECT secmed.archive_ledger(600, :'archive');
-- Who takes away more than that is found.
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
DELETE FROM secmed.ledger WHERE seq >= 512;
SELECT ok, bad_seq, reason FROM secmed.verify_ledger();
ROLLBACK;
BEGIN;
ALTER TABLE secmed.ledger_tile DISABLE TRIGGER USER;
UPDATE secmed.ledger_tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) WHERE level = 0 AND idx = 1;
SELECT ok, reason FROM secmed.verify_ledger();
ROLLBACK;
-- The same directory takes the next ones.
DO $$ BEGIN FOR i IN 1 .. 256 LOOP PERFORM secmed.append_note('note ' || i); END LOOP; END $$;
SELECT pg_sleep(0.2);
SELECT secmed.archive_ledger(800, :'archive');
SELECT counters FROM secmed.events WHERE kind = 'archived' ORDER BY seq;
SELECT ok, entries > 800 AS many, reason FROM secmed.verify_ledger();
\setenv ARCHIVE :archive
\! wc -l < $ARCHIVE/payloads | awk '{ print ($1 > 800) }'
\! secmed verify $ARCHIVE | head -n 1 | sed 's/[0-9]\+/N/g'
-- Thousands at once: the index on fields is told of nothing while its last pages
-- are not summarized, and of everything afterwards.  Either way it finds them all.
ALTER SYSTEM RESET secmed.ledger_segment;
SELECT pg_reload_conf();
SELECT pg_sleep(0.1), clock_timestamp() AS before \gset
SET secmed.ledger_mode = async;
DO $$ BEGIN FOR i IN 1 .. 4000 LOOP PERFORM secmed.append_note('note ' || i); END LOOP; END $$;
RESET secmed.ledger_mode;
SELECT secmed.append_note('one that is waited for');
SET enable_seqscan = off;
SELECT count(*) FROM secmed.ledger WHERE secmed.entry_at(entry) > :'before' AND secmed.entry_kind(entry) = 'note';
SELECT sum(brin_summarize_new_values(oid)) > 0 AS summarized FROM pg_class WHERE relname LIKE 'ledger\_%\_fields';
SELECT secmed.append_note('one after that');
SELECT count(*) FROM secmed.ledger WHERE secmed.entry_at(entry) > :'before' AND secmed.entry_kind(entry) = 'note';
RESET enable_seqscan;
-- A dump of what remains is restored.
\c postgres
DROP DATABASE regress_append_copy;
CREATE DATABASE regress_append_copy;
\! pg_dump regress_append 2>&1 | psql -X -q -d regress_append_copy -v ON_ERROR_STOP=1 -o /dev/null
\c regress_append_copy
SELECT ok, entries > 800 AS many, reason FROM secmed.verify_ledger();
\! rm -r $ARCHIVE

-- The extension takes its partitions with it.
DROP EXTENSION secmed;
SELECT count(*) FROM pg_class WHERE relname LIKE 'ledger%';

\c postgres
ALTER SYSTEM RESET secmed.ledger_segment;
ALTER SYSTEM RESET secmed.checkpoint_interval;
SELECT pg_reload_conf();
DROP DATABASE regress_append_copy;
DROP DATABASE regress_append;
DROP ROLE regress_note_auditor, regress_note_nobody;
