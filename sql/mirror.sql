--
-- Three nodes hold and countersign each other's ledgers.  Keys and times
-- differ from run to run.
--
\set SHOW_CONTEXT never
\getenv host PGHOST
\getenv port PGPORT
SELECT format('host=%s port=%s user=node dbname=', :'host', :'port') AS conninfo \gset
ALTER SYSTEM SET secmed.checkpoint_interval = '50ms';
SELECT pg_reload_conf();
CREATE DATABASE regress_mirror_a;
CREATE DATABASE regress_mirror_b;
CREATE DATABASE regress_mirror_c;
\c regress_mirror_b
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('mirror_b') IS NOT NULL AS created;
SELECT secmed.node_card() AS card_b \gset
\c regress_mirror_c
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('mirror_c') IS NOT NULL AS created;
SELECT secmed.node_card() AS card_c \gset
\c regress_mirror_a
SET client_min_messages = warning;
CREATE EXTENSION secmed;
CALL secmed.set_witnesses();
SELECT secmed.create_node('mirror_a') IS NOT NULL AS created;
SELECT secmed.node_card() AS card_a \gset

-- Whom a ledger can have as its witness.
CALL secmed.set_witnesses('{mirror_b}');
SELECT secmed.add_peer(:'card_b') IS NOT NULL AS added;
CALL secmed.set_witnesses('{mirror_b}');
SELECT secmed.add_peer(:'card_b', :'conninfo' || 'regress_mirror_b') IS NOT NULL AS added;
SELECT secmed.add_peer(:'card_c', :'conninfo' || 'regress_mirror_c') IS NOT NULL AS added;
CALL secmed.set_witnesses('{mirror_b}');
CALL secmed.set_witnesses('{mirror_a}');
CALL secmed.set_witnesses('{mirror_b, mirror_b}');
CALL secmed.set_witnesses('{mirror_b, NULL}');
CALL secmed.set_witnesses('{mirror_b}', 2);
CALL secmed.set_witnesses('{mirror_b}', 0);
CALL secmed.rotate_cosigner_key();
SELECT count(*) AS policies FROM secmed.ledger_policy;
\c regress_mirror_b
SELECT secmed.add_peer(:'card_a', :'conninfo' || 'regress_mirror_a') IS NOT NULL AS added;
\c regress_mirror_c
SELECT secmed.add_peer(:'card_a') IS NOT NULL AS added;
\c regress_mirror_a
BEGIN;
CALL secmed.set_witnesses();
ROLLBACK;
CALL secmed.set_witnesses();
CREATE FUNCTION all_certified(epoch text DEFAULT '') RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		IF (SELECT max(size) FROM secmed.ledger_certified) >= (SELECT max(size) FROM secmed.ledger_checkpoint)
		   AND (SELECT note ~ epoch FROM secmed.certified LIMIT 1) THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.05);
	END LOOP;
	RETURN false;
END $$;
SELECT all_certified();
SELECT name, size > 0 AS countersigned, problem FROM secmed.witness ORDER BY name;
SELECT regexp_replace(line, '[0-9a-f-]{36}', 'UUID') AS line
  FROM secmed.certified, regexp_split_to_table(note, '\n') WITH ORDINALITY AS t(line, n)
 WHERE size = (SELECT max(size) FROM secmed.ledger_certified) AND n = 1;
SELECT convert_from(policy, 'UTF8') ~ '^log secmed.*\nwitness mirror_b .*\nwitness mirror_c .*\ngroup WITNESSES 1 mirror_b mirror_c\nquorum WITNESSES\n$' AS policy
  FROM secmed.ledger_policy ORDER BY made_at DESC LIMIT 1;
SELECT outcome, count(*) FROM secmed.audit WHERE kind = 'key' GROUP BY outcome ORDER BY outcome;
\set VERBOSITY terse
CALL secmed.recover_ledger();
\set VERBOSITY default

-- What is held over there is what is here.
SELECT md5(string_agg(entry, NULL ORDER BY seq)) AS here FROM secmed.ledger WHERE seq < 5 \gset
\c regress_mirror_b
SELECT md5(string_agg(entry, NULL ORDER BY seq)) = :'here' AS same FROM secmed.mirror_entry WHERE seq < 5;
SELECT site, size > 0 AS held, frozen FROM secmed.mirrors;

-- Keys.
\c regress_mirror_a
CALL secmed.rotate_log_key();
SELECT secmed.append_note('under a new key');
SELECT all_certified('/2\n') AS second_epoch;
SELECT ok FROM secmed.verify_ledger();

-- Not for everybody.
SET ROLE alice;
CALL secmed.set_witnesses();
CALL secmed.recover_ledger();
CALL secmed.mirror('x');
SELECT secmed.unfreeze('mirror_b', 2, 'because');
SELECT * FROM secmed.mirror_entry;
RESET ROLE;
SELECT secmed.unfreeze('mirror_b', 2, 'because');
SELECT secmed.unfreeze('mirror_b', 2, '');
CALL secmed.mirror('x');
CALL secmed.mirror(NULL);

-- Nobody any more.
CALL secmed.set_witnesses('{}');
SELECT split_part(note, E'\n', 2)::bigint > 0 AS last_certified FROM secmed.certified LIMIT 1;
\c postgres
ALTER SYSTEM RESET secmed.checkpoint_interval;
SELECT pg_reload_conf();
DROP DATABASE regress_mirror_a WITH (FORCE);
DROP DATABASE regress_mirror_b WITH (FORCE);
DROP DATABASE regress_mirror_c WITH (FORCE);
