-- Questions over shared tables: what PostgreSQL says on the same rows in the clear.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rows :abs_srcdir '/sql/include/cohort.sql'
\set questions :abs_srcdir '/sql/include/shared_queries.sql'
\set changes :abs_srcdir '/sql/include/shared_changes.sql'
\c charite postgres
SELECT secmed.allow_shared('research');
\c lmu postgres
SELECT secmed.allow_shared('research');
\c gemelli postgres
SELECT secmed.allow_shared('research');
\c research postgres
SET client_min_messages = warning;
CREATE SCHEMA cohort AUTHORIZATION alice;
GRANT USAGE ON FOREIGN SERVER consortium TO alice;
\c research alice
SET client_min_messages = warning;
SET search_path = cohort, public;
CREATE FOREIGN TABLE person (patient integer NOT NULL, sex varchar(6), age integer OPTIONS (bits '8') NOT NULL, weight numeric(5,1),
	enrolled date NOT NULL, smoker boolean, score double precision OPTIONS (bits '36') NOT NULL)
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', unique 'patient', threshold '5');
CREATE FOREIGN TABLE visit (patient integer NOT NULL, day date NOT NULL, code varchar(3) NOT NULL, cost numeric(8,2), seen timestamp NOT NULL)
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', threshold '5');
CREATE FOREIGN TABLE code (code varchar(3) NOT NULL, chapter varchar(10), chronic boolean)
	SERVER consortium OPTIONS (kind 'shared', unique 'code', threshold '1');
CREATE FOREIGN TABLE sample (patient integer NOT NULL, kind varchar(5), value integer)
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', threshold '1');
\i :rows
\i :questions
\c pooled postgres
CREATE SCHEMA cohort;
GRANT USAGE ON SCHEMA cohort TO alice;
SET search_path = cohort, public;
CREATE TABLE person (patient integer NOT NULL, sex varchar(6), age integer NOT NULL, weight numeric(5,1), enrolled date NOT NULL,
	smoker boolean, score double precision NOT NULL);
CREATE TABLE visit (patient integer NOT NULL, day date NOT NULL, code varchar(3) NOT NULL, cost numeric(8,2), seen timestamp NOT NULL);
CREATE TABLE code (code varchar(3) NOT NULL, chapter varchar(10), chronic boolean);
CREATE TABLE sample (patient integer NOT NULL, kind varchar(5), value integer);
GRANT ALL ON ALL TABLES IN SCHEMA cohort TO alice;
\i :rows
\c pooled alice
\i :questions

-- small groups are not there, and nobody says how many they were
\c research alice
SET search_path = cohort, public;
SELECT count(*) FROM person WHERE age = 19;
SELECT age, count(*) FROM person GROUP BY age;
SELECT sex, avg(weight) FILTER (WHERE age > 80), count(*) FROM person GROUP BY sex ORDER BY sex;
SELECT patient, count(*) FROM visit GROUP BY patient;
-- rows neither
SELECT * FROM person;
SELECT age FROM person ORDER BY age LIMIT 1;
SELECT DISTINCT patient FROM visit;
SELECT person FROM person;
-- patients who are lost on the way can't be counted, so nothing is opened
SELECT chapter, count(*) FROM code LEFT JOIN visit USING (code) GROUP BY chapter;

-- what can't be computed says why
SELECT count(*) FROM person WHERE sex LIKE 'm%';
SELECT count(*) FROM person WHERE sex < 'm' COLLATE "und-x-icu";
SELECT count(*) FROM person WHERE greatest(sex, 'm' COLLATE "und-x-icu") = 'm';
SELECT count(*) FROM person WHERE greatest(sex, 'm' COLLATE "C") = 'm';
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT count(*) FROM person WHERE sex = 'MALE' COLLATE any_case;
CREATE FOREIGN TABLE any_case (name varchar(6) COLLATE any_case) SERVER consortium OPTIONS (kind 'shared');
SELECT count(*) FROM person WHERE weight / 2 > 30;
SELECT count(*) FROM person WHERE age % 2 = 0;
SELECT array_agg(age) FROM person;
SELECT sum(DISTINCT age) FROM person;
SELECT sex, count(*) FROM person GROUP BY ROLLUP (sex);
SELECT count(*) FROM person a JOIN visit b ON a.age > b.cost;
SELECT count(*) FROM visit a JOIN visit b USING (code);
SELECT count(*) FROM person FULL JOIN visit USING (patient);
SELECT count(*) FROM person TABLESAMPLE SYSTEM (10);
SELECT count(*) FROM person, pg_class;
SELECT row_number() OVER () FROM person;
SELECT sum(patient * patient::bigint * patient * age) FROM person;
SELECT sum(weight::double precision) FROM person;
SELECT generate_series(1, age) FROM person;
-- a join of many with many has a bound that everybody knows
SET secmed.join_rows = 20000;
SELECT count(*) FROM visit a JOIN visit b USING (code);
SET secmed.join_rows = 2000;
SELECT count(*) FROM visit a JOIN visit b USING (code);
SET secmed.join_rows = 2;
SELECT a.chapter, count(*) FROM code a JOIN code b USING (chapter) GROUP BY 1;
RESET secmed.join_rows;
SET secmed.answer_rows = 3;
SELECT code, count(*) FROM visit GROUP BY code;
RESET secmed.answer_rows;

-- parameters
PREPARE older (integer, text) AS SELECT count(*), $1 AS than FROM person WHERE age > $1 AND sex = $2;
SET plan_cache_mode = force_generic_plan;
EXECUTE older (40, 'male');
EXECUTE older (60, 'male');
EXECUTE older (NULL, 'male');
EXECUTE older (40, 'a text of more than sixteen bytes');
RESET plan_cache_mode;
SELECT count(*) FROM person WHERE age > (SELECT avg(n)::integer FROM generate_series(40, 60) n);

-- the plan
EXPLAIN (COSTS off) SELECT sex, avg(cost) FROM visit JOIN person USING (patient) WHERE age > 30 GROUP BY sex HAVING count(*) > 5 ORDER BY sex;
EXPLAIN (COSTS off, VERBOSE) SELECT code, sum(cost) FROM visit WHERE cost > 12.5 GROUP BY code ORDER BY sum(cost) DESC LIMIT 2;
EXPLAIN (COSTS off) UPDATE person SET age = age + 1 WHERE sex = 'male';
EXPLAIN (COSTS off, FORMAT json) SELECT count(*) FROM code;
SELECT count(*) FROM secmed.progress;

-- UPDATE and DELETE: all rows get new shares
SET client_min_messages = warning;
\i :changes
\c pooled alice
\i :changes
\c research alice
SET search_path = cohort, public;
UPDATE person SET age = age * 10;
UPDATE person SET age = random();
UPDATE person SET sex = NULL, age = NULL;
UPDATE person SET age = 1 FROM visit WHERE visit.patient = person.patient;
DELETE FROM person RETURNING age;
SELECT party, other, ok FROM secmed.check_shared('person') ORDER BY 1, 2;
-- one at a time
BEGIN;
UPDATE person SET age = 51;
DO $$
BEGIN
	UPDATE person SET age = 52;
EXCEPTION WHEN serialization_failure THEN
	RAISE NOTICE 'pending';
END $$;
ROLLBACK;

-- who may ask: a role with privileges on the table, and of secmed_analyst
\c research postgres
GRANT USAGE ON SCHEMA cohort TO stranger;
\c research stranger
SELECT count(*) FROM cohort.person;
\c research postgres
GRANT SELECT ON cohort.person TO stranger;
\c research stranger
SELECT count(*) FROM cohort.person;
-- what is on the ledgers
\c charite postgres
SELECT kind, object, outcome, revealed FROM secmed.audit WHERE object LIKE '%person%' AND revealed LIKE '%patients%' ORDER BY seq LIMIT 3;
SELECT kind, object, outcome, revealed FROM secmed.audit WHERE object = 'code' AND revealed LIKE 'to %' ORDER BY seq DESC LIMIT 1;
SELECT kind, object, outcome, revealed FROM secmed.audit WHERE revealed LIKE '%new shares%' ORDER BY seq LIMIT 2;
\c research postgres
DROP SCHEMA cohort CASCADE;
