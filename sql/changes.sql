--
-- Who may do what, and what is done about it: changes of it are in the ledger.
--
\set SHOW_CONTEXT never
CREATE DATABASE regress_changes;
\c regress_changes
SET client_min_messages = warning;
CREATE EXTENSION secmed;
CREATE ROLE regress_anna;
CREATE TABLE trial (id integer PRIMARY KEY, stage integer);
CREATE TABLE plain (id integer);
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
SELECT secmed.publish('trial', patient => 'id');

-- How each ended, in the order in which they were asked for.
CREATE VIEW changes AS
	SELECT i.object, i.revealed AS command, c.outcome, i.statement
	  FROM secmed.audit i LEFT JOIN secmed.audit c ON c.run = i.run AND c.kind = 'closed'
	   AND i.counters[1] BETWEEN c.counters[1] AND coalesce(c.counters[3], c.counters[1])
	 WHERE i.kind = 'change' ORDER BY i.seq;
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 100 LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM changes WHERE outcome IS NULL);
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;

-- Rights, roles.
GRANT SELECT ON trial TO regress_anna;
REVOKE SELECT ON trial FROM regress_anna;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO regress_anna;
GRANT SELECT ON plain TO regress_anna;
GRANT SELECT ON secmed.ledger_payload TO regress_anna;
REVOKE ALL ON secmed.ledger_payload FROM regress_anna;
GRANT EXECUTE ON FUNCTION secmed.checkpoint() TO regress_anna;
GRANT secmed_auditor TO regress_anna;
ALTER ROLE regress_anna PASSWORD 'secret, not for the ledger';
ALTER ROLE regress_anna SET secmed.node_timeout = '1min';
BEGIN;
GRANT secmed_admin TO regress_anna;
ROLLBACK;
SET ROLE regress_anna;
GRANT secmed_admin TO regress_anna;
RESET ROLE;
-- Definitions.
ALTER TABLE trial ADD COLUMN age integer;
ALTER TABLE plain ADD COLUMN age integer;
ALTER TABLE secmed.published DISABLE TRIGGER USER;
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
SELECT count(*) FROM secmed.peer;
ROLLBACK;
ALTER TABLE trial ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON trial USING (true);
DROP POLICY mine ON trial;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER nothing BEFORE INSERT ON trial FOR EACH ROW EXECUTE FUNCTION nothing();
DROP FUNCTION nothing() CASCADE;
CREATE TABLE child () INHERITS (trial);
DROP TABLE trial;
-- Settings, extensions, libraries.
ALTER DATABASE regress_changes SET secmed.node_timeout = '20s';
ALTER SYSTEM SET secmed.site_timeout = '9min';
ALTER SYSTEM RESET secmed.site_timeout;
SET secmed.standby_reads = allow;
SET secmed.node_timeout = '10s';
LOAD 'auto_explain';
CREATE EXTENSION pg_trgm;
DROP EXTENSION pg_trgm;
CREATE PUBLICATION everything FOR TABLE plain;
DROP PUBLICATION everything;
-- What a command drops besides what it names.
CREATE SCHEMA clinic;
CREATE TABLE clinic.lab (id integer);
SELECT secmed.publish('clinic.lab');
DROP SCHEMA clinic;
DROP OWNED BY regress_anna;
-- Settings without a command that names them.
RESET secmed.standby_reads;
SELECT set_config('secmed.standby_reads', 'allow', false);
SELECT set_config('secmed.standby_reads', 'allow', false) AS the_same;
SELECT set_config('secmed.node_timeout', '11s', false) AS of_no_interest;
BEGIN;
SELECT set_config('secmed.ledger_mode', 'async', true);
ROLLBACK;
BEGIN;
SELECT set_config('session_replication_role', 'replica', true);
COMMIT;
SET session_replication_role = replica;
RESET session_replication_role;
CALL settle();
SELECT * FROM changes;
-- What is done in another database for the whole server, when it is committed.
\c postgres
CREATE ROLE regress_bert;
BEGIN;
ALTER ROLE regress_bert CREATEDB;
ROLLBACK;
BEGIN;
SAVEPOINT one;
ALTER ROLE regress_bert CREATEDB;
ROLLBACK TO one;
ALTER ROLE regress_bert PASSWORD 'secret, not for the ledger';
GRANT regress_bert TO regress_anna;
COMMIT;
ALTER SYSTEM SET secmed.site_timeout = '9min';
ALTER SYSTEM RESET secmed.site_timeout;
DROP ROLE regress_bert;
\c regress_changes
SET client_min_messages = warning;
SELECT pg_sleep(0.02) FROM generate_series(1, 100) WHERE NOT EXISTS
	(SELECT FROM secmed.audit WHERE object LIKE 'regress\_bert %' AND revealed = 'DROP ROLE') \g /dev/null
CALL settle();
SELECT * FROM changes WHERE object LIKE '%(in database %';
SELECT kind, count(*) FROM secmed.audit WHERE kind IN ('published', 'unpublished') GROUP BY kind;
SELECT ok, reason FROM secmed.verify_ledger();

-- The last that a ledger is told is that it goes.
BEGIN;
DROP EXTENSION secmed CASCADE;
ROLLBACK;
CALL settle();
SELECT * FROM changes OFFSET (SELECT count(*) FROM changes) - 1;
DROP EXTENSION secmed CASCADE;
CREATE EXTENSION secmed;
SELECT secmed.create_node('beta') IS NOT NULL AS created;
SELECT count(*) FROM secmed.audit WHERE run IS NOT NULL;

\c postgres postgres
DROP DATABASE regress_changes;
DROP ROLE regress_anna;
