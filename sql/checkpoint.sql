--
-- Signed checkpoints: when they come, what they prove, and what
-- verification finds with them.  Keys and times differ from run to run.
--
\set SHOW_CONTEXT never
CREATE DATABASE regress_checkpoint;
\c regress_checkpoint
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.checkpoint();
SELECT secmed.export_ledger();
SELECT secmed.inclusion_proof(0);
SET secmed.federation = 'Europe';
SET secmed.federation = 'eu';
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
SELECT secmed.add_peer(secmed.node_card()) IS NOT NULL AS added FROM generate_series(1, 300) OFFSET 299;

-- Signed within the interval, the newest over all entries.  Looking at the
-- tables would add some.
CREATE PROCEDURE wait_for_checkpoint(wanted bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		BEGIN
			EXIT WHEN split_part(secmed.checkpoint(), E'\n', 2)::bigint >= wanted;
		EXCEPTION WHEN OTHERS THEN	-- none yet
		END;
		PERFORM pg_sleep(0.05);
	END LOOP;
END $$;
CALL wait_for_checkpoint(302);
SELECT secmed.checkpoint() AS checkpoint \gset
SELECT regexp_replace(line, '[0-9a-f-]{36}', 'UUID') AS line
  FROM regexp_split_to_table(secmed.checkpoint(), '\n') WITH ORDINALITY AS t(line, n) WHERE n <= 2;
-- Proofs, as text.
SELECT line FROM regexp_split_to_table(secmed.inclusion_proof(5), '\n') WITH ORDINALITY AS t(line, n) WHERE n IN (1, 3);
SELECT right(secmed.inclusion_proof(5), length(secmed.checkpoint())) = secmed.checkpoint() AS with_checkpoint;
SELECT line FROM regexp_split_to_table(secmed.consistency_proof(256), '\n') WITH ORDINALITY AS t(line, n) WHERE n = 1;
SELECT secmed.consistency_proof(302) = E'old 302\n\n' || secmed.checkpoint() AS nothing_to_prove;
SELECT secmed.inclusion_proof(302);
SELECT secmed.inclusion_proof(-1);
SELECT secmed.consistency_proof(0);
SELECT secmed.consistency_proof(303);

-- An export, and who may have it.
SELECT CASE WHEN path LIKE 'policy/%' THEN 'policy/' ELSE path END AS path FROM secmed.export_ledger() WHERE path <> 'notes' ORDER BY path COLLATE "C";
SELECT convert_from(note, 'UTF8') = :'checkpoint' AS stored, signed_at <= clock_timestamp() AS in_time
  FROM secmed.ledger_checkpoint WHERE size = 302;
SELECT level, idx, length(hashes) FROM secmed.ledger_tile ORDER BY level, idx;
SELECT substr(hashes, 1, 32) = (SELECT hash FROM secmed.ledger, secmed.decode_entry(entry) WHERE ledger.seq = 0) AS first,
	   substr(hashes, 8161, 32) = (SELECT hash FROM secmed.ledger, secmed.decode_entry(entry) WHERE ledger.seq = 255) AS last
  FROM secmed.ledger_tile;
SELECT secmed.entry_kind(entry) FROM secmed.ledger WHERE seq < 3 ORDER BY seq;
SELECT secmed.entry_kind('\x00') IS NULL AS none;
SELECT e.path = 'policy/' || encode(sha256(e.content), 'hex') AS named_by_hash, encode(d.plan, 'hex') = substr(e.path, 8) AS in_key_entry
  FROM secmed.export_ledger() e, secmed.ledger l, secmed.decode_entry(l.entry) d WHERE e.path LIKE 'policy/%' AND l.seq = 1;
CREATE ROLE regress_secmed_auditor IN ROLE secmed_auditor;
CREATE ROLE regress_secmed_admin IN ROLE secmed_admin;
SET ROLE regress_secmed_auditor;
SELECT count(*) > 5 AS files FROM secmed.export_ledger();
SELECT ok FROM secmed.verify_ledger();
INSERT INTO secmed.ledger_checkpoint VALUES (1, 'x');
RESET ROLE;
SET ROLE regress_secmed_admin;
SELECT count(*) FROM secmed.export_ledger();
RESET ROLE;

-- Nobody changes what is stored, not even who owns it.
UPDATE secmed.ledger_tile SET idx = 1;
DELETE FROM secmed.ledger_tile;
TRUNCATE secmed.ledger_tile;
UPDATE secmed.ledger_checkpoint SET signed_at = 'epoch';
DELETE FROM secmed.ledger_checkpoint;
TRUNCATE secmed.ledger_checkpoint;
INSERT INTO secmed.ledger_tile VALUES (0, 1, 'x');
INSERT INTO secmed.ledger_tile SELECT 0, 1, hashes FROM secmed.ledger_tile;
INSERT INTO secmed.ledger_tile SELECT 8, 0, hashes FROM secmed.ledger_tile;
INSERT INTO secmed.ledger_tile VALUES (NULL, NULL, NULL);
INSERT INTO secmed.ledger_checkpoint VALUES (4000, 'x');
INSERT INTO secmed.ledger_checkpoint SELECT 4000, note FROM secmed.ledger_checkpoint WHERE size = 302;
INSERT INTO secmed.ledger_checkpoint SELECT 4000, convert_to(replace(convert_from(note, 'UTF8'), E'\n302\n', E'\n4000\n'), 'UTF8')
  FROM secmed.ledger_checkpoint WHERE size = 302;
SELECT ok FROM secmed.verify_ledger();

-- Whoever gets around that is found out.
CREATE FUNCTION tamper(command text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	SET LOCAL client_min_messages = warning;
	ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
	ALTER TABLE secmed.ledger_tile DISABLE TRIGGER USER;
	ALTER TABLE secmed.ledger_checkpoint DISABLE TRIGGER USER;
	EXECUTE command;
	SELECT * INTO v FROM secmed.verify_ledger();
	RAISE EXCEPTION USING MESSAGE = format('%s, bad %s: %s', v.ok,
		CASE WHEN v.bad_seq <= 302 THEN v.bad_seq::text ELSE 'later' END, v.reason);
EXCEPTION WHEN raise_exception THEN
	RAISE WARNING '%', SQLERRM;
END
$$;
SELECT tamper('DELETE FROM secmed.ledger WHERE seq >= 301');
SELECT tamper('DELETE FROM secmed.ledger WHERE seq >= 200');
SELECT tamper('DELETE FROM secmed.ledger WHERE seq >= 200; DELETE FROM secmed.ledger_checkpoint WHERE size > 200');
SELECT tamper('DELETE FROM secmed.ledger_tile');
SELECT tamper('UPDATE secmed.ledger_tile SET hashes = set_byte(hashes, 5000, get_byte(hashes, 5000) # 1)');
SELECT tamper('INSERT INTO secmed.ledger_tile SELECT 0, 1, hashes FROM secmed.ledger_tile');
SELECT tamper('UPDATE secmed.ledger_checkpoint SET note = set_byte(note, 8, get_byte(note, 8) # 1) WHERE size = 302');
SELECT tamper('UPDATE secmed.ledger_checkpoint SET size = 301 WHERE size = 302');
SELECT tamper($t$UPDATE secmed.ledger_checkpoint SET note = 'x' WHERE size = 302$t$);
SELECT tamper($t$UPDATE secmed.ledger_checkpoint SET note = convert_to(regexp_replace(convert_from(note, 'UTF8'), '\n302\n..', E'\n302\nAA'), 'UTF8') WHERE size = 302$t$);
SELECT tamper('INSERT INTO secmed.ledger_checkpoint VALUES (4000, (SELECT note FROM secmed.ledger_checkpoint WHERE size = 302))');

-- A sequencer that starts goes on from the last checkpoint, or not at all.
-- Then a superuser may still repair it.
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_tile DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_checkpoint DISABLE TRIGGER USER;
UPDATE secmed.ledger_checkpoint SET size = 4000 WHERE size = 302;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE backend_type = 'secmed sequencer' AND datname = 'regress_checkpoint';
SELECT secmed.remove_peer('alpha');
CREATE TABLE tail AS SELECT * FROM secmed.ledger WHERE seq >= 301;
DELETE FROM secmed.ledger WHERE seq >= 301;
DELETE FROM secmed.ledger_checkpoint WHERE size > 302 AND size < 4000;
UPDATE secmed.ledger_checkpoint SET size = 302 WHERE size = 4000;
SELECT secmed.remove_peer('alpha');
INSERT INTO secmed.ledger SELECT * FROM tail ORDER BY seq;
UPDATE secmed.ledger_tile SET hashes = set_byte(hashes, 5000, get_byte(hashes, 5000) # 1);
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE backend_type = 'secmed sequencer' AND datname = 'regress_checkpoint';
SELECT secmed.remove_peer('alpha');
SET ROLE regress_secmed_auditor;
SELECT count(*) FROM secmed.ledger_tile;
RESET ROLE;
UPDATE secmed.ledger_tile SET hashes = set_byte(hashes, 5000, get_byte(hashes, 5000) # 1);
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows;
ALTER TABLE secmed.ledger_tile ENABLE ALWAYS TRIGGER store_guard_rows;
ALTER TABLE secmed.ledger_checkpoint ENABLE ALWAYS TRIGGER store_guard_rows;
SELECT secmed.remove_peer('alpha');
SELECT ok, entries AS entries FROM secmed.verify_ledger() \gset
SELECT :'ok' AS ok;
CALL wait_for_checkpoint(:entries);
SELECT split_part(secmed.checkpoint(), E'\n', 2)::bigint >= :entries AS signed;

-- A dump is restored with tiles and checkpoints; without its key file it signs nothing.
\c postgres postgres
CREATE DATABASE regress_copy;
\! pg_dump regress_checkpoint 2>&1 | psql -X -q -d regress_copy -v ON_ERROR_STOP=1 -o /dev/null
\c regress_copy
SELECT ok, entries >= :entries AS whole FROM secmed.verify_ledger();
SELECT split_part(secmed.checkpoint(), E'\n', 2)::bigint >= :entries AS signed;
SELECT level, idx FROM secmed.ledger_tile;

\c postgres postgres
DROP DATABASE regress_copy;
DROP DATABASE regress_checkpoint;
DROP ROLE regress_secmed_auditor, regress_secmed_admin;
