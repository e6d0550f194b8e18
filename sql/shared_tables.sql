-- A table that nobody has: each of three parties keeps shares of it.
\c research alice
\set VERBOSITY default
-- a party must have said yes
CREATE FOREIGN TABLE consortium.registry (patient bigint NOT NULL) SERVER consortium OPTIONS (kind 'shared');
\c charite postgres
SELECT secmed.allow_shared('research');
\c lmu postgres
SELECT secmed.allow_shared('research');
\c gemelli postgres
SELECT secmed.allow_shared('research');
SELECT secmed.allow_shared('nobody');
\c research alice
CREATE FOREIGN TABLE consortium.registry (
	patient bigint NOT NULL, age integer OPTIONS (bits '8'), female boolean, born date, icd varchar(6),
	cost numeric(10,2), weight double precision, seen timestamptz, site text OPTIONS (bytes '3') NOT NULL)
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', "unique" 'patient', threshold '5');
INSERT INTO consortium.registry VALUES
	(1, 50, true, '1970-01-01', 'C50.9', 12.34, 70.5, '2026-01-01 00:00+00', 'lmu'),
	(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ''),
	(-3, -128, false, '1600-02-29', '', -99999999.99, -0.25, '0001-01-01 BC', 'äx');
COPY consortium.registry (patient, age, site) FROM STDIN;
4	40	chr
5	\N	gem
\.
SELECT * FROM secmed.check_shared('consortium.registry');
-- what a party sees
\c charite postgres
\d secmed_shared.registry
SELECT creator, party, threshold FROM secmed.shared_table WHERE name = 'registry';
SELECT count(*), min(row_id) % 65536 AS first, count(DISTINCT patient::text) AS patients, count(DISTINCT age::text) AS ages, count(DISTINCT secmed_valid::text) BETWEEN 1 AND 4 AS valid FROM secmed_shared.registry;
-- the sums of all three make the sum of the values, and nothing less does
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS p0, split_part(secmed.sum(cost)::text, ':', 5) AS c0, split_part(secmed.sum(weight)::text, ':', 5) AS w0 FROM secmed_shared.registry \gset
\c lmu postgres
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS p1, split_part(secmed.sum(cost)::text, ':', 5) AS c1, split_part(secmed.sum(weight)::text, ':', 5) AS w1 FROM secmed_shared.registry \gset
\c gemelli postgres
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS p2, split_part(secmed.sum(cost)::text, ':', 5) AS c2, split_part(secmed.sum(weight)::text, ':', 5) AS w2 FROM secmed_shared.registry \gset
CREATE FUNCTION pg_temp.opened(VARIADIC shares text[]) RETURNS numeric LANGUAGE sql AS $$
	SELECT CASE WHEN s >= 2::numeric ^ 63 THEN s - 2::numeric ^ 64 ELSE s END FROM
		(SELECT mod(sum(('x' || x)::bit(64)::bigint::numeric + CASE WHEN left(x, 1) >= '8' THEN 2::numeric ^ 64 ELSE 0 END), 2::numeric ^ 64) AS s
		   FROM unnest(shares) x) t $$;
SELECT round(pg_temp.opened(:'p0', :'p1', :'p2')) AS patients, round(pg_temp.opened(:'c0', :'c1', :'c2')) AS cents, round(pg_temp.opened(:'w0', :'w1', :'w2') / 16777216, 2) AS weight;
-- values that do not fit, and what else is refused
\c research alice
\set VERBOSITY terse
INSERT INTO consortium.registry (patient, age, site) VALUES (6, 128, '');
INSERT INTO consortium.registry (patient, cost, site) VALUES (6, 'NaN', '');
INSERT INTO consortium.registry (patient, weight, site) VALUES (6, 'Infinity', '');
INSERT INTO consortium.registry (patient, weight, site) VALUES (6, 1e12, '');
INSERT INTO consortium.registry (patient, born, site) VALUES (6, 'infinity', '');
INSERT INTO consortium.registry (patient, seen, site) VALUES (6, '-infinity', '');
INSERT INTO consortium.registry (patient, icd, site) VALUES (6, 'äöüß', '');
INSERT INTO consortium.registry (patient, site) VALUES (6, 'long');
INSERT INTO consortium.registry (patient, site) VALUES (NULL, '');
INSERT INTO consortium.registry (patient, site) VALUES (1, '') ON CONFLICT DO NOTHING;
TRUNCATE consortium.registry;
ALTER FOREIGN TABLE consortium.registry ADD COLUMN more integer;
ALTER FOREIGN TABLE consortium.registry ALTER age TYPE bigint;
ALTER FOREIGN TABLE consortium.registry OPTIONS (SET threshold '1');
ALTER TABLE consortium.registry RENAME age TO years;
ALTER TABLE consortium.registry RENAME TO other;
CREATE FOREIGN TABLE consortium.again (patient bigint) SERVER consortium OPTIONS (kind 'shared', "table" 'registry');
-- a superuser gets hold of a table that is there, if it is the same: a dump that comes back
\c research postgres
CREATE FOREIGN TABLE consortium.again (patient bigint) SERVER consortium OPTIONS (kind 'shared', "table" 'registry');
\c research alice
CREATE FOREIGN TABLE IF NOT EXISTS consortium.registry (patient bigint) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a json) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a numeric) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a numeric(19,2)) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a varchar(20)) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a text OPTIONS (bits '8')) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (row_id bigint) SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no () SERVER consortium OPTIONS (kind 'shared');
CREATE FOREIGN TABLE consortium.no (a integer) SERVER consortium OPTIONS (kind 'shared', patient 'b');
CREATE FOREIGN TABLE consortium.no (a integer) SERVER consortium OPTIONS (kind 'shared', "unique" 'a, b');
CREATE FOREIGN TABLE consortium.no (a integer) SERVER consortium OPTIONS (kind 'shared', threshold '0');
CREATE FOREIGN TABLE consortium.no (a integer) SERVER consortium OPTIONS (kind 'secret');
CREATE FOREIGN TABLE consortium.no (a integer OPTIONS (bits '65')) SERVER consortium OPTIONS (kind 'shared');
-- transactions and savepoints decide, as always
BEGIN;
INSERT INTO consortium.registry (patient, site) VALUES (7, '');
SAVEPOINT s;
INSERT INTO consortium.registry (patient, site) VALUES (8, '');
ROLLBACK TO s;
INSERT INTO consortium.registry (patient, site) VALUES (9, '') RETURNING patient, age;
COMMIT;
BEGIN;
INSERT INTO consortium.registry (patient, site) VALUES (10, '');
CREATE FOREIGN TABLE consortium.brief (patient bigint) SERVER consortium OPTIONS (kind 'shared');
INSERT INTO consortium.brief VALUES (1);
ROLLBACK;
DO $$
BEGIN
	INSERT INTO consortium.registry (patient, site) VALUES (11, '');
	BEGIN
		INSERT INTO consortium.registry (patient, site) VALUES (12, '');
		PERFORM 1 / 0;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
END $$;
BEGIN;
CREATE FOREIGN TABLE consortium.brief (patient bigint) SERVER consortium OPTIONS (kind 'shared');
INSERT INTO consortium.brief SELECT generate_series(1, 9000);
COMMIT;
SELECT * FROM secmed.check_shared('consortium.registry');
SELECT * FROM secmed.check_shared('consortium.brief');
\c lmu postgres
SELECT (SELECT count(*) FROM secmed_shared.registry) AS registry, (SELECT count(*) FROM secmed_shared.brief) AS brief, (SELECT count(*) FROM secmed.shared_staged) AS staged;
-- new shares of the same values
\c research alice
SELECT secmed.refresh('consortium.registry');
SELECT bool_and(ok) FROM secmed.check_shared('consortium.registry');
\c charite postgres
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS r0 FROM secmed_shared.registry \gset
SELECT :'r0' <> :'p0' AS changed;
\c lmu postgres
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS r1 FROM secmed_shared.registry \gset
\c gemelli postgres
SELECT split_part(secmed.sum(patient)::text, ':', 5) AS r2 FROM secmed_shared.registry \gset
CREATE FUNCTION pg_temp.opened(VARIADIC shares text[]) RETURNS numeric LANGUAGE sql AS $$
	SELECT mod(sum(('x' || x)::bit(64)::bigint::numeric + CASE WHEN left(x, 1) >= '8' THEN 2::numeric ^ 64 ELSE 0 END), 2::numeric ^ 64)
	  FROM unnest(shares) x $$;
SELECT round(pg_temp.opened(:'r0', :'r1', :'r2')) AS patients;
-- shares are independent of the value: one value many times is as random as many (a chance in 10^9 to fail)
\c research alice
BEGIN;
CREATE FOREIGN TABLE consortium.same (x integer NOT NULL, b boolean) SERVER consortium OPTIONS (kind 'shared');
INSERT INTO consortium.same SELECT 42, true FROM generate_series(1, 8192);
COMMIT;
SELECT bool_and(ok) FROM secmed.check_shared('consortium.same');
\c gemelli postgres
SELECT max(chi) < 400 AS uniform FROM (SELECT sum((n - 32.0) ^ 2 / 32) AS chi FROM (SELECT k, substr(translate(split_part(x::text, ':', 5) || split_part(x::text, ':', 6), ':', ''), k, 2) AS byte, count(*) AS n FROM secmed_shared.same, generate_series(1, 31, 2) k GROUP BY 1, 2) t GROUP BY k) t;
SELECT max(abs(n - 128)) < 80 AS uniform FROM (SELECT b::text || secmed_valid::text, count(*) AS n FROM secmed_shared.same GROUP BY 1) t HAVING count(*) = 64;
-- a row missing, changed, exchanged
\c lmu postgres
DELETE FROM secmed_shared.brief WHERE row_id IN (SELECT row_id FROM secmed_shared.brief ORDER BY row_id OFFSET 16 LIMIT 1);
UPDATE secmed_shared.brief b SET patient = o.patient FROM (SELECT row_id, lead(patient) OVER (ORDER BY row_id) AS patient FROM secmed_shared.brief ORDER BY row_id OFFSET 99 LIMIT 1) o WHERE o.row_id = b.row_id;
\c research alice
SELECT party, other, ok, regexp_replace(detail, 'row \d+', 'row N', 'g') AS detail FROM secmed.check_shared('consortium.brief');
\c gemelli postgres
ALTER TABLE secmed_shared.same DROP CONSTRAINT same_pkey;
INSERT INTO secmed_shared.same SELECT * FROM secmed_shared.same ORDER BY row_id LIMIT 1;
\c research alice
SELECT party, other, ok, regexp_replace(detail, 'row \d+', 'row N', 'g') AS detail FROM secmed.check_shared('consortium.same');
-- a party makes its shares again from the others'
\c lmu postgres
SELECT secmed.rebuild_shared('brief');
\c gemelli postgres
DROP TABLE secmed_shared.same;
\c research alice
SELECT * FROM secmed.check_shared('consortium.same');
\c gemelli postgres
SELECT secmed.rebuild_shared('same');
DELETE FROM secmed.shared_table WHERE name = 'brief';
SELECT secmed.rebuild_shared('brief');
SELECT secmed.rebuild_shared('brief', '{lmu, research}');
SELECT secmed.rebuild_shared('brief', '{lmu, charite}');
SELECT secmed.rebuild_shared(NULL);
\c research alice
SELECT bool_and(ok) FROM secmed.check_shared('consortium.brief');
SELECT bool_and(ok) FROM secmed.check_shared('consortium.same');
-- privileges
\c research stranger
SELECT * FROM secmed.check_shared('consortium.registry');
\c research postgres
GRANT USAGE ON SCHEMA consortium TO stranger;
GRANT INSERT ON consortium.registry TO stranger;
\c research stranger
INSERT INTO consortium.registry (patient, site) VALUES (1, '');
\c research postgres
REVOKE USAGE ON SCHEMA consortium FROM stranger;
\c research alice
SELECT * FROM secmed.check_shared('consortium.measure');
SELECT secmed.refresh('pg_class');
-- a party takes its word back: what is there can only be dropped
\c gemelli postgres
SELECT secmed.disallow_shared('research');
SELECT secmed.disallow_shared('research');
\c research alice
INSERT INTO consortium.same VALUES (1, true);
SELECT secmed.refresh('consortium.same');
-- dropped with whatever it belongs to
BEGIN;
DROP FOREIGN TABLE consortium.same;
ROLLBACK;
SELECT bool_and(ok) FROM secmed.check_shared('consortium.same');
DROP FOREIGN TABLE consortium.same, consortium.brief;
DROP FOREIGN TABLE consortium.registry;
\c gemelli postgres
SELECT waiting FROM secmed.resolve_writes();
SELECT count(*) FROM secmed.shared_table;
\dt secmed_shared.*
-- all of it on record
SELECT outcome, count(*) FROM secmed.audit WHERE kind = 'shared table' GROUP BY 1 ORDER BY 1;
-- and whoever looked at shares, or dropped them, by hand
SELECT DISTINCT kind, actor, object, revealed FROM secmed.events WHERE object LIKE 'secmed\_shared.%' AND kind IN ('intent', 'change') ORDER BY 3, 4;
\c research postgres
SELECT outcome, count(*) FROM secmed.audit WHERE kind = 'shared table' GROUP BY 1 ORDER BY 1;
