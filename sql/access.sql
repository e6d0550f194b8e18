--
-- What this node's own sessions do with published tables and with secmed's
-- own, whoever they are, is in the ledger: before it is done, and how it ended.
--
\set SHOW_CONTEXT never
CREATE DATABASE regress_access;
\c regress_access
SET client_min_messages = warning;
CREATE EXTENSION secmed;
CREATE ROLE regress_owner;
CREATE ROLE regress_reader;
CREATE ROLE regress_auditor IN ROLE secmed_auditor;
CREATE SCHEMA clinic AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA clinic TO regress_reader;
SET ROLE regress_owner;
CREATE TABLE clinic.trial (id integer PRIMARY KEY, stage integer, note text);
INSERT INTO clinic.trial SELECT i, i % 3, repeat('x', i) FROM generate_series(1, 30) i;
CREATE TABLE clinic.visit (id integer, patient integer REFERENCES clinic.trial ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE clinic.visit_1 PARTITION OF clinic.visit FOR VALUES FROM (0) TO (100);
CREATE TABLE clinic.visit_2 PARTITION OF clinic.visit FOR VALUES FROM (100) TO (200);
INSERT INTO clinic.visit SELECT 10 * i, i FROM generate_series(1, 15) i;
CREATE TABLE clinic.plain (id integer);
CREATE VIEW clinic.early AS SELECT id, stage FROM clinic.trial WHERE stage < 2;
CREATE TABLE clinic.lab (id integer PRIMARY KEY, value integer);
INSERT INTO clinic.lab VALUES (1, 17);
CREATE VIEW clinic.high AS SELECT id FROM clinic.lab WHERE value > 10;
RESET ROLE;

-- Nothing is audited before there is a node, or what is not published.
SELECT count(*) FROM clinic.trial;
SELECT name FROM secmed.node;
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
SELECT count(*) FROM clinic.trial;
SELECT secmed.publish('clinic.trial', patient => 'id');
SELECT secmed.publish('clinic.visit', patient => 'patient');
SELECT secmed.publish('clinic.high', patient => 'id');
SELECT count(*) FROM clinic.plain;

-- Local entries since the last look, without those of looking; their ends
-- come when nobody waits any more.
CREATE TABLE looked (seq bigint);
INSERT INTO looked SELECT entries FROM secmed.verify_ledger();
CREATE FUNCTION new_entries(OUT kind text, OUT who text, OUT object text, OUT outcome text,
		OUT operation text, OUT counters bigint[], OUT statement text)
	RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	since bigint := seq FROM looked;
	opened bigint;
	closed bigint;
BEGIN
	FOR i IN 1 .. 100 LOOP
		SELECT count(*) FILTER (WHERE a.kind IN ('intent', 'change')),
			   sum(coalesce(a.counters[3], a.counters[1]) - a.counters[1] + 1) FILTER (WHERE a.kind = 'closed')
		  INTO opened, closed FROM secmed.audit a WHERE a.seq >= since AND a.object NOT LIKE 'secmed.audit,%';
		EXIT WHEN opened = coalesce(closed, 0);
		PERFORM pg_sleep(0.02);
	END LOOP;
	RETURN QUERY SELECT a.kind, replace(a.actor, session_user, 'me'), a.object, a.outcome, a.revealed,
			CASE a.kind WHEN 'precommit' THEN NULL ELSE a.counters END, a.statement
	  FROM secmed.audit a
	 WHERE a.seq >= since AND a.run IS NOT NULL AND a.object NOT LIKE 'secmed.audit,%' ORDER BY a.seq;
	UPDATE looked SET seq = (SELECT entries FROM secmed.verify_ledger());
END $$;

-- A superuser reads.
SELECT count(*) FROM clinic.trial;
SELECT * FROM new_entries();
-- The owner reads; so does another, who may not.
SET ROLE regress_owner;
SELECT stage FROM clinic.trial WHERE id = 17;
SET ROLE regress_reader;
SELECT stage FROM clinic.trial WHERE id = 17;
COPY clinic.trial TO STDOUT;
DELETE FROM clinic.visit;
RESET ROLE;
SELECT * FROM new_entries();

-- What is rolled back leaves its intent, and is never "committed".
BEGIN;
UPDATE clinic.trial SET stage = 0 WHERE id < 3;
SELECT count(*) FROM clinic.visit;
ROLLBACK;
SELECT * FROM new_entries();
BEGIN;
INSERT INTO clinic.trial VALUES (31, 0);
INSERT INTO clinic.trial VALUES (32, 0);
SAVEPOINT one;
INSERT INTO clinic.trial VALUES (33, 0);
ROLLBACK TO one;
DELETE FROM clinic.trial WHERE id = 32 RETURNING id;
COMMIT;
SELECT * FROM new_entries();
INSERT INTO clinic.trial VALUES (1, 0);
SELECT 1 / (id - 2) FROM clinic.trial WHERE id < 3 ORDER BY id;
BEGIN;
SELECT count(*) FROM clinic.trial;
ROLLBACK;
SELECT kind, object, outcome, operation, counters FROM new_entries();

-- In mode async, reads that follow each other at once are told of together: each of
-- them is counted, with the rows of all, and its statement is there.
SET secmed.ledger_mode = async;
\o /dev/null
SELECT format('SELECT stage FROM clinic.trial WHERE id = %s', i) FROM generate_series(1, 30) i \gexec
\o
RESET secmed.ledger_mode;
WITH told AS (SELECT * FROM new_entries() WHERE object = 'clinic.trial' AND operation = 'select')
SELECT (SELECT sum(coalesce(counters[3], counters[1]) - counters[1] + 1) FROM told WHERE kind IN ('access', 'intent')) AS reads,
	   (SELECT sum(counters[2]) FROM told WHERE kind IN ('access', 'closed')) AS rows,
	   (SELECT count(DISTINCT line) FROM told, regexp_split_to_table(statement, '\n') line
		 WHERE kind IN ('access', 'intent') AND line ~ '^SELECT stage FROM clinic.trial WHERE id = [0-9]+$') AS statements,
	   (SELECT count(*) < 30 FROM told WHERE kind = 'access') AS fewer;

-- Cursors, prepared statements, functions, triggers, DO.
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM clinic.trial ORDER BY id;
FETCH 2 FROM c;
FETCH 3 FROM c;
MOVE 4 FROM c;
COMMIT;
PREPARE p(integer) AS SELECT stage FROM clinic.trial WHERE id = $1;
EXECUTE p(17);
DEALLOCATE p;
SELECT * FROM new_entries();
CREATE FUNCTION stage_of(patient integer) RETURNS integer LANGUAGE plpgsql AS
'BEGIN RETURN (SELECT stage FROM clinic.trial WHERE id = patient); END';
SELECT sum(stage_of(i)) FROM generate_series(1, 20) i;
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			INSERT INTO clinic.lab VALUES (i, 5);
		EXCEPTION WHEN unique_violation THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT kind, object, outcome, operation, counters, statement FROM new_entries();
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN INSERT INTO clinic.trial VALUES (NEW.id, 0); RETURN NEW; END';
CREATE TRIGGER keep BEFORE INSERT ON clinic.plain FOR EACH ROW EXECUTE FUNCTION keep();
INSERT INTO clinic.plain VALUES (40), (41);
SELECT kind, object, outcome, operation, counters, statement FROM new_entries();

-- Views, partitions, what is behind a published view, what is kept elsewhere.
SELECT count(*) FROM clinic.early;
SELECT count(*) FROM secmed_published.trial;
SELECT count(*) FROM clinic.visit_2;
SELECT count(*) FROM clinic.visit WHERE id = 150;
SELECT count(*) FROM clinic.high;
SELECT value FROM clinic.lab WHERE id = 1;
CREATE TABLE clinic.taken AS SELECT * FROM clinic.trial;
SELECT v.* INTO TEMP taken FROM clinic.visit v JOIN clinic.trial t ON t.id = v.patient;
CREATE MATERIALIZED VIEW clinic.stages AS SELECT stage, count(*) FROM clinic.trial GROUP BY stage;
REFRESH MATERIALIZED VIEW clinic.stages;
INSERT INTO clinic.taken TABLE clinic.trial;
WITH gone AS (DELETE FROM clinic.visit WHERE id > 145 RETURNING *) INSERT INTO clinic.plain SELECT 100 + id FROM gone;
SELECT kind, object, outcome, operation, counters FROM new_entries() WHERE kind <> 'closed';

-- COPY, TRUNCATE, EXPLAIN, parallel workers, values in statistics.
COPY clinic.lab TO STDOUT;
COPY (SELECT value FROM clinic.lab) TO STDOUT;
COPY clinic.lab FROM STDIN;
9	99
\.
EXPLAIN (COSTS OFF) SELECT * FROM clinic.trial;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM clinic.lab;
SET force_parallel_mode = on;
SELECT sum(stage) FROM clinic.trial;
RESET force_parallel_mode;
ANALYZE clinic.trial;
VACUUM clinic.trial;
SELECT most_common_vals IS NULL AS none FROM pg_stats WHERE tablename = 'lab' AND attname = 'id';
TRUNCATE clinic.trial, clinic.visit;
SELECT kind, object, outcome, operation, counters FROM new_entries();

-- A function that reads by itself in a parallel worker could not be recorded.
CREATE FUNCTION hidden(i integer) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
'BEGIN RETURN (SELECT count(*) FROM clinic.trial); END';
SET force_parallel_mode = on;
SELECT hidden(1);
RESET force_parallel_mode;

-- Foreign keys look whether a row is there, and leave nothing; what they delete does.
INSERT INTO clinic.trial VALUES (1, 1), (2, 2);
INSERT INTO clinic.visit VALUES (10, 1), (11, 1), (20, 2);
DELETE FROM clinic.trial;
SELECT kind, object, outcome, operation, counters FROM new_entries();

-- secmed's own tables, also by who may read them; but not what its functions do.
SET ROLE regress_auditor;
SELECT name, patient FROM secmed.published ORDER BY name;
SELECT count(*) > 50 AS many FROM secmed.ledger;
SELECT ok FROM secmed.verify_ledger();
SELECT name FROM secmed.peer;
RESET ROLE;
-- What gives out the ledger is told of as well, but not when it is only planned.
EXPLAIN (COSTS OFF) SELECT count(*) FROM secmed.export_ledger();
SELECT count(*) > 3 AS files FROM secmed.export_ledger();
UPDATE secmed.published SET min_patients = 1 WHERE name = 'trial';
DELETE FROM secmed.ledger WHERE seq = 3;
SELECT * FROM new_entries();
SELECT DISTINCT object FROM secmed.audit WHERE object LIKE 'secmed.audit%' AND kind = 'intent';

-- Whoever locks the ledger can't do the rest unseen.
BEGIN;
LOCK TABLE secmed.ledger;
SELECT count(*) FROM clinic.trial;
ROLLBACK;

-- No statement is in the chain itself.
SELECT count(*) FROM secmed.ledger WHERE position('WHERE id'::bytea IN entry) > 0;
SELECT ok, reason FROM secmed.verify_ledger();

-- What is not published any more is its owner's own business.
SELECT secmed.unpublish('trial');
SELECT count(*) FROM clinic.trial;
SELECT count(*) FROM new_entries() WHERE object = 'clinic.trial';

\c postgres postgres
DROP DATABASE regress_access;
DROP ROLE regress_owner, regress_reader, regress_auditor;
