-- Contracts, approvals and sealed answers for questions over shares: shared tables, and rows that
-- sites share for one run.  Nodes and people are those of contracts.sql.
\getenv abs_srcdir PG_ABS_SRCDIR
\getenv abs_builddir PG_ABS_BUILDDIR
\set sign :abs_srcdir '/sql/include/sign.sql'
\set active :abs_srcdir '/sql/include/contract_active.sql'
\set keys :abs_builddir '/results/contracts-'
SELECT setting || '/secmed' AS tool FROM pg_config WHERE name = 'BINDIR' \gset
\c north postgres
SELECT secmed.allow_shared('desk');
SELECT secmed.set_mode('contracts');
CREATE ROLE board IN ROLE secmed_approver;
CREATE ROLE nora LOGIN IN ROLE board;
\c south postgres
SELECT secmed.allow_shared('desk');
SELECT secmed.set_mode('contracts');
\c east postgres
SELECT secmed.allow_shared('desk');
SELECT secmed.set_mode('contracts');
\c desk postgres
SET client_min_messages = warning;
GRANT USAGE ON FOREIGN SERVER consortium TO alice;
CREATE SCHEMA cohort AUTHORIZATION alice;
\c desk alice
SET client_min_messages = warning;
SET search_path = cohort, consortium;
SELECT secmed.fingerprint_text(fingerprint) AS ada_key FROM secmed.identity WHERE name = 'ada' \gset
CREATE FOREIGN TABLE person (patient integer NOT NULL, sex varchar(1), age integer OPTIONS (bits '8') NOT NULL)
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', unique 'patient', threshold '5');
INSERT INTO person SELECT i, CASE WHEN i % 3 = 0 THEN 'f' ELSE 'm' END, 20 + i FROM generate_series(1, 60) i;

-- a question over a shared table, one over groups that sites make, one over their rows
SELECT secmed.draft_contract('shared', 'Ages', 'How old?', 'SELECT sex, count(*) AS n, max(age) AS top FROM person WHERE age >= $1 GROUP BY sex ORDER BY sex',
	'[{"name": "from", "type": "integer", "min": 20, "max": 70}]', legal_basis => 'L', terms => 'T', patients_min => 5, vetters => 1) AS draft \gset
\set named shared
\i :active
SET secmed.site_groups = 1024;
SELECT secmed.draft_contract('groups', 'Ages', 'How many of each?', 'SELECT stage, count(*) AS n FROM measure WHERE i4 >= $1 GROUP BY stage',
	'[{"name": "from", "type": "integer", "min": 0, "max": 60}]', legal_basis => 'L', terms => 'T', patients_min => 11, vetters => 1);
SELECT secmed.draft_contract('groups', 'Ages', 'How many of each?', 'SELECT stage, count(*) AS n FROM measure WHERE i4 >= $1 GROUP BY stage ORDER BY stage',
	'[{"name": "from", "type": "integer", "min": 0, "max": 60}]', legal_basis => 'L', terms => 'T', patients_min => 5, vetters => 1) AS draft \gset
\set named groups
\i :active
SET secmed.site_rows = 1024;
SELECT secmed.draft_contract('rows', 'Distinct ages', 'How many?', 'SELECT count(DISTINCT i4) AS ages, count(*) AS n FROM measure WHERE i4 >= $1 AND i4 < $2',
	'[{"name": "from", "type": "integer", "min": 0, "max": 1000}, {"name": "below", "type": "integer", "min": 5000, "max": 9000}]', legal_basis => 'L', terms => 'T', patients_min => 5, vetters => 1) AS draft \gset
\set named rows
\i :active
\c desk postgres
SELECT node, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";
\c desk alice
SET client_min_messages = warning;
SET search_path = cohort, consortium;
SELECT name, state, waits_for FROM secmed.contract WHERE name IN ('shared', 'groups', 'rows') ORDER BY name COLLATE "C";

-- by name, and as ordinary queries
SET secmed.site_groups = 1024;
SELECT * FROM secmed.run('shared', '{"from": 50}') AS t(sex varchar, n bigint, top integer);
SELECT sex, count(*) AS n, max(age) AS top FROM person WHERE age >= 60 GROUP BY sex ORDER BY sex;
SELECT * FROM secmed.run('groups', '{"from": 30}') AS t(stage smallint, n bigint);
SELECT stage, count(*) FROM measure WHERE i4 >= 0 GROUP BY stage ORDER BY stage;
-- how many rows sites share is the contract's to say
SELECT * FROM secmed.run('rows', '{"from": 0, "below": 8000}') AS t(ages bigint, n bigint);
SET secmed.site_rows = 1024;
SELECT count(DISTINCT i4), count(*) FROM measure WHERE i4 >= 10 AND i4 < 8000;

-- what they do not allow; which node says so first is chance
\set VERBOSITY sqlstate
SELECT * FROM secmed.run('shared', '{"from": 71}') AS t(sex varchar, n bigint, top integer);
SELECT sex, count(*) AS n, max(age) AS top FROM person WHERE age >= 71 GROUP BY sex ORDER BY sex;
SELECT sex, count(*) AS n, min(age) AS top FROM person WHERE age >= 60 GROUP BY sex ORDER BY sex;
SELECT * FROM secmed.run('groups', '{"from": 61}') AS t(stage smallint, n bigint);
SELECT stage, count(*) FROM measure WHERE i4 >= 61 GROUP BY stage ORDER BY stage;
SELECT stage, count(*) FROM measure WHERE i4 > 30 GROUP BY stage ORDER BY stage;
SELECT count(*), sum(n) FROM (SELECT stage, count(*) AS n FROM measure WHERE i4 >= 30 GROUP BY stage) g;
SELECT * FROM secmed.run('rows', '{"from": 1, "below": 9001}') AS t(ages bigint, n bigint);
SELECT count(DISTINCT i4), count(*) FROM measure WHERE i4 >= 10 AND i4 < 9001;
SELECT count(DISTINCT stage), count(*) FROM measure WHERE i4 >= 10 AND i4 < 8000;
\set VERBOSITY default

-- nothing is shown to the wrong reader
SET secmed.result_to = :'ada_key';
SELECT stage, count(*) FROM measure WHERE i4 >= 0 GROUP BY stage ORDER BY stage;
SELECT sex, count(*) AS n, max(age) AS top FROM person WHERE age >= 60 GROUP BY sex ORDER BY sex;
INSERT INTO person VALUES (61, 'f', 30);
RESET secmed.result_to;

-- with somebody's yes to each run
\c north postgres
SELECT secmed.require_approval('{board}', "table" => 'person');
SELECT secmed.require_approval('{board}', "table" => 'measure');
\c desk alice
SET client_min_messages = warning;
SET search_path = cohort, consortium;
SET secmed.site_groups = 1024;
SELECT secmed.submit('SELECT stage, count(*) FROM measure WHERE i4 >= 0 GROUP BY stage ORDER BY stage') AS rows_id \gset
SELECT secmed.submit('SELECT sex, count(*) AS n, max(age) AS top FROM person WHERE age >= 60 GROUP BY sex ORDER BY sex') AS shared_id \gset
SELECT * FROM secmed.result(:'rows_id') AS (stage smallint, n bigint);
\c north nora
SELECT state, question, reveals FROM secmed.pending ORDER BY question COLLATE "C";
SELECT secmed.approve(:'rows_id');
SELECT secmed.approve(:'shared_id');
\c desk alice
SET client_min_messages = warning;
SET search_path = cohort, consortium;
SET secmed.site_groups = 1024;
SELECT * FROM secmed.result(:'rows_id') AS (stage smallint, n bigint);
SELECT * FROM secmed.result(:'shared_id') AS (sex varchar, n bigint, top integer);
SELECT * FROM secmed.result(:'shared_id') AS (sex varchar, n bigint, top integer);
\c north postgres
SELECT secmed.waive_approval('person');
SELECT secmed.waive_approval('measure');
