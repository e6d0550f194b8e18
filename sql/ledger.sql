--
-- The ledger: what it takes, what it refuses, and what verification finds.
--
\set SHOW_CONTEXT never
CREATE DATABASE regress_ledger;
\c regress_ledger
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT ok, entries, bad_seq, reason, head FROM secmed.verify_ledger();
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
SELECT secmed.add_peer(secmed.node_card()) IS NOT NULL AS added;
SELECT secmed.remove_peer('alpha');
SELECT secmed.add_peer(secmed.node_card(), 'dbname=regress_ledger') IS NOT NULL AS added;

-- Entries.
SELECT seq, kind, run, actor = session_user AS actor, split_part(object, ' ', 1) AS object,
	   plan, outcome, revealed, counters, statement
  FROM secmed.audit WHERE kind <> 'key' AND run IS NULL ORDER BY seq;
SELECT d.site, d.seq = l.seq AS seq, d.at > lag(d.at, 1, '-infinity') OVER w OR d.at = lag(d.at) OVER w AS in_time,
	   d.prev = lag(d.hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS linked,
	   d.hash = sha256('\x00' || l.entry) AS hash, d.commitment
  FROM secmed.ledger l, secmed.decode_entry(l.entry) d WHERE l.seq < 5
WINDOW w AS (ORDER BY l.seq) ORDER BY l.seq;
SELECT ok, coalesce(reason, '') AS reason, entries - 1 AS last, head FROM secmed.verify_ledger() \gset
SELECT :'ok' AS ok, :'reason' AS reason, d.hash = :'head' AS head
  FROM secmed.ledger l, secmed.decode_entry(l.entry) d WHERE l.seq = :last;

-- Bytes that are no entry.
SELECT secmed.decode_entry('');
SELECT secmed.decode_entry('\x8e02');
SELECT secmed.decode_entry(l.entry || '\x00') FROM secmed.ledger l WHERE seq = 0;
SELECT secmed.decode_entry(substr(l.entry, 1, 60)) FROM secmed.ledger l WHERE seq = 0;
-- The same value in a longer form is not canonical: seq 0 as 1800.
SELECT secmed.decode_entry(substr(l.entry, 1, 8) || '\x1800' || substr(l.entry, 10)) FROM secmed.ledger l WHERE seq = 0;

-- Nobody changes it, not even who owns it.
UPDATE secmed.ledger SET entry = entry;
DELETE FROM secmed.ledger WHERE seq = 4;
TRUNCATE secmed.ledger;
INSERT INTO secmed.ledger VALUES (5, '\x00');
INSERT INTO secmed.ledger SELECT 5, entry FROM secmed.ledger WHERE seq = 4;
INSERT INTO secmed.ledger SELECT seq, entry FROM secmed.ledger WHERE seq = 4;
INSERT INTO secmed.ledger VALUES (NULL, NULL);
SELECT ok FROM secmed.verify_ledger();

-- Whoever gets around that is found out.
CREATE FUNCTION tamper(command text, OUT ok boolean, OUT entries bigint, OUT bad_seq bigint, OUT reason text)
LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL client_min_messages = warning;
	ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
	EXECUTE command;
	SELECT v.ok, v.entries, v.bad_seq, v.reason INTO ok, entries, bad_seq, reason FROM secmed.verify_ledger() v;
	RAISE EXCEPTION USING MESSAGE = format('%s, bad %s: %s', ok, bad_seq, reason);
EXCEPTION WHEN raise_exception THEN
	RAISE WARNING '%', SQLERRM;
END
$$;
SELECT FROM tamper('DELETE FROM secmed.ledger WHERE seq = 0');
SELECT FROM tamper('DELETE FROM secmed.ledger WHERE seq = 1');
SELECT FROM tamper('DELETE FROM secmed.ledger');
SELECT FROM tamper('UPDATE secmed.ledger SET entry = set_byte(entry, 20, get_byte(entry, 20) # 1) WHERE seq = 3');
SELECT FROM tamper('UPDATE secmed.ledger SET entry = set_byte(entry, length(entry) - 10, 0) WHERE seq = 2');
SELECT FROM tamper('UPDATE secmed.ledger SET seq = CASE seq WHEN 1 THEN 5000 ELSE seq END');
SELECT FROM tamper('UPDATE secmed.ledger SET entry = (SELECT entry FROM secmed.ledger WHERE seq = 2) WHERE seq = 1');
SELECT FROM tamper('CREATE TABLE before PARTITION OF secmed.ledger FOR VALUES FROM (-9) TO (0); INSERT INTO secmed.ledger SELECT -1, entry FROM secmed.ledger WHERE seq = 0');
SELECT FROM tamper($t$UPDATE secmed.node SET name = 'beta'$t$);
SELECT FROM tamper($t$INSERT INTO secmed.ledger_payload VALUES (1, '\x00', 'x')$t$);
SELECT FROM tamper($t$INSERT INTO secmed.ledger_payload VALUES (5000, '\x00', 'x')$t$);

-- A dump is restored whole and in order, into a database of another name.
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
CREATE TEMPORARY TABLE dumped ON COMMIT DROP AS SELECT seq, entry FROM secmed.ledger;
DELETE FROM secmed.ledger;
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows;
INSERT INTO secmed.ledger SELECT * FROM dumped ORDER BY seq;
SELECT ok FROM secmed.verify_ledger();
ROLLBACK;
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
CREATE TEMPORARY TABLE dumped ON COMMIT DROP AS SELECT seq, entry FROM secmed.ledger;
DELETE FROM secmed.ledger;
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows;
INSERT INTO secmed.ledger SELECT * FROM dumped WHERE seq <> 1 ORDER BY seq;
COMMIT;
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
CREATE TEMPORARY TABLE dumped ON COMMIT DROP AS SELECT seq, entry FROM secmed.ledger;
DELETE FROM secmed.ledger;
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows;
-- as they may lie in the table: a row before the one it follows
INSERT INTO secmed.ledger SELECT * FROM dumped ORDER BY seq # 1;
SELECT ok FROM secmed.verify_ledger();
COMMIT;

-- A database that is told to be read-only, and an auditor who only reads.
ALTER DATABASE regress_ledger SET default_transaction_read_only = on;
CREATE ROLE regress_secmed_auditor IN ROLE secmed_auditor;
SET ROLE regress_secmed_auditor;
SELECT ok FROM secmed.verify_ledger();
SELECT count(*) > 5 AS many FROM secmed.audit;
INSERT INTO secmed.ledger VALUES (5, '\x00');
DELETE FROM secmed.ledger;
RESET ROLE;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE backend_type = 'secmed sequencer' AND datname = 'regress_ledger';
SELECT secmed.remove_peer('alpha');
-- It answers before it is idle again, and is in no transaction then.
DO $$
BEGIN
	FOR i IN 1 .. 100 LOOP
		IF EXISTS (SELECT FROM pg_stat_get_activity(NULL) a JOIN pg_database d ON d.oid = a.datid
			WHERE d.datname = 'regress_ledger' AND a.backend_type = 'secmed sequencer' AND a.state = 'idle' AND a.xact_start IS NULL) THEN
			RETURN;
		END IF;
		PERFORM pg_sleep(0.05), pg_stat_clear_snapshot();
	END LOOP;
	RAISE 'it stays in a transaction';
END $$;
SELECT ok FROM secmed.verify_ledger();

-- The sequencer waits for a lock: bounded, and appended when it can be.
BEGIN;
LOCK TABLE secmed.ledger;
SET LOCAL secmed.node_timeout = '500ms';
SELECT secmed.add_peer(secmed.node_card());
ROLLBACK;
SELECT secmed.add_peer(secmed.node_card()) IS NOT NULL AS added;
SELECT kind FROM secmed.audit WHERE run IS NULL ORDER BY seq DESC LIMIT 2;
SELECT ok FROM secmed.verify_ledger();

\c postgres postgres
DROP DATABASE regress_ledger;
DROP ROLE regress_secmed_auditor;
