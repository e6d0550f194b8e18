-- Ways to one patient, to a wrong answer, or to a crash, that are closed.
\c research alice
SET search_path = consortium, public;
-- an aggregate over few patients is withheld within a large group
SELECT count(*), sum(i4) FILTER (WHERE patient = 17) FROM measure;
SELECT count(*), count(*) FILTER (WHERE patient < 5), count(*) FILTER (WHERE patient < 6) FROM measure;
SELECT count(*), sum(CASE WHEN patient = 17 THEN i4 END), corr(f8, CASE WHEN patient < 4 THEN i4 END) FROM measure;
SELECT count(*), sum(v.cost), count(v.visit) FROM measure m LEFT JOIN visit v ON v.patient = m.patient AND v.patient = 8;
SELECT sex, avg(CASE WHEN patient < 8 THEN i4 END) FROM measure GROUP BY sex ORDER BY sex;
SET secmed.suppressed = error;
SELECT count(*), sum(i4) FILTER (WHERE patient = 17) FROM measure;
RESET secmed.suppressed;
-- values that no column gives can't be grouped by
SELECT count(*) FROM measure GROUP BY (SELECT true);
SELECT now() > '2000-01-01', count(*) FROM measure GROUP BY 1;
SET plan_cache_mode = force_generic_plan;
PREPARE q(boolean) AS SELECT count(*) FROM measure GROUP BY $1;
EXECUTE q(true);
PREPARE r(text) AS SELECT CASE WHEN i4 > 0 THEN $1 ELSE 'x' END, count(*) FROM measure GROUP BY 1 ORDER BY 1;
EXECUTE r('y');
RESET plan_cache_mode;
EXECUTE r('y');
-- names that the query gives to columns do not reach the sites
SELECT sum(visit) FROM visit AS v(patient, visit);
SELECT sum(visit) FROM visit;
SELECT sum(i4), sum(i2) FROM measure AS m(a, b, c, d, e, f, i4, i2);
SELECT sum(i2) AS i4, sum(i4) AS i2 FROM measure;
-- local keys of different kinds
SELECT count(*) FROM measure m JOIN visit v ON m.patient = v.visit;
-- one question a statement, also behind sub-queries
SELECT k, (SELECT count(*) FROM measure WHERE i4 > (SELECT max(v * k) FROM generate_series(1, 10) v)) FROM generate_series(1, 3) k;
-- groups of the optional side of a join, of char(n), and where the expression fails
SELECT v.ward, count(*) FROM measure m LEFT JOIN visit v ON v.patient = m.patient AND v.visit % 2 = 0 GROUP BY v.ward ORDER BY 1;
SELECT v.ward IS NULL AS none, count(*) FROM measure m LEFT JOIN visit v ON v.patient = m.patient GROUP BY 1 ORDER BY 1;
SELECT 10 / stage AS x, count(*) FROM measure WHERE stage <> 0 GROUP BY 1 ORDER BY 1;

-- rows that a published view leaves out are not evaluated; patients are not
-- rows where a table has children or the key moved; others may not join in
\c charite postgres
CREATE VIEW clinic.consented AS SELECT patient, i4 FROM clinic.measure WHERE clinic.measure.patient <> 8;
SELECT secmed.publish('clinic.consented', patient => 'patient', min_patients => 5);
CREATE TABLE clinic.follow (patient integer PRIMARY KEY, kind char(2));
CREATE TABLE clinic.follow_more () INHERITS (clinic.follow);
INSERT INTO clinic.follow_more SELECT 1, 'a' FROM generate_series(1, 20);
SELECT secmed.publish('clinic.follow', patient => 'patient', domains => '{"kind": ["a", "b"]}', sites => '{charite, lmu}');
\c lmu postgres
CREATE VIEW clinic.consented AS SELECT patient, i4 FROM clinic.measure;
SELECT secmed.publish('clinic.consented', patient => 'patient', min_patients => 5);
CREATE TABLE clinic.follow (patient integer PRIMARY KEY, kind char(2));
INSERT INTO clinic.follow SELECT p, 'b' FROM generate_series(201, 220) p;
SELECT secmed.publish('clinic.follow', patient => 'patient', domains => '{"kind": ["a", "b"]}', sites => '{no good}');
SELECT secmed.publish('clinic.follow', patient => 'patient', domains => '{"kind": ["a", "b"]}');
\c gemelli postgres
CREATE TABLE clinic.follow (patient integer PRIMARY KEY, kind char(2));
INSERT INTO clinic.follow SELECT p, 'a' FROM generate_series(1000, 1100) p;
SELECT secmed.publish('clinic.follow', patient => 'patient', domains => '{"kind": ["a", "b"]}');
\c research alice
CREATE SCHEMA attack;
CREATE SERVER two FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu', parties 'charite, lmu, gemelli');
IMPORT FOREIGN SCHEMA published LIMIT TO (consented, follow) FROM SERVER two INTO attack;
SELECT count(*) FROM attack.consented WHERE 1 / (CASE WHEN patient = 8 THEN 0 ELSE 1 END) = 1;
SELECT kind, count(*), count(DISTINCT patient) FROM attack.follow GROUP BY kind ORDER BY kind;
DROP FOREIGN TABLE attack.follow;
IMPORT FOREIGN SCHEMA published LIMIT TO (follow) FROM SERVER consortium INTO attack;
SELECT count(*) FROM attack.follow;
\c charite postgres
ALTER TABLE clinic.visit RENAME patient TO person;
ALTER TABLE clinic.visit RENAME visit TO patient;
\c research alice
SET search_path = consortium, public;
SELECT count(*), count(DISTINCT patient) FROM visit WHERE patient IN (8, 11);
\c charite postgres
ALTER TABLE clinic.visit RENAME patient TO visit;
ALTER TABLE clinic.visit RENAME person TO patient;
SELECT secmed.unpublish('consented'), secmed.unpublish('follow');
