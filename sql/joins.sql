-- Joins inside each hospital; first over three sites, then pooled.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/joins.sql'
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file
\c research alice
SET search_path = consortium, public;
-- a partner may be at another site
SELECT count(*) FROM measure m JOIN visit v ON v.ward = m.stage;
SELECT count(*) FROM measure m, visit v;
SELECT count(*) FROM measure m LEFT JOIN visit v ON v.visit = m.patient;
SELECT count(*) FROM measure m JOIN visit v ON v.patient = m.patient JOIN visit w ON w.visit = v.visit;
SELECT count(*) FROM measure m JOIN visit v ON v.patient = m.patient + 0;
-- other joins
SELECT count(*) FROM measure m JOIN (SELECT patient, count(*) AS n FROM visit GROUP BY patient) v USING (patient);
SELECT count(*) FROM measure m LEFT JOIN (SELECT patient, ward + 1 AS w FROM visit WHERE cost > 1) v USING (patient);

-- a view that joins at the site is published like a table
\c charite postgres
CREATE VIEW clinic.cost AS SELECT patient, sex, cost FROM clinic.measure JOIN clinic.visit USING (patient);
SELECT secmed.publish('clinic.cost', patient => 'patient', domains => '{"sex": ["m", "f"]}');
\c lmu postgres
CREATE VIEW clinic.cost AS SELECT patient, sex, cost FROM clinic.measure JOIN clinic.visit USING (patient);
SELECT secmed.publish('clinic.cost', patient => 'patient', domains => '{"sex": ["m", "f"]}');
\c gemelli postgres
CREATE VIEW clinic.cost AS SELECT patient, sex, cost FROM clinic.measure JOIN clinic.visit USING (patient);
SELECT secmed.publish('clinic.cost', patient => 'patient', domains => '{"sex": ["m", "f"]}');
\c research alice
IMPORT FOREIGN SCHEMA published LIMIT TO (cost) FROM SERVER consortium INTO consortium;
SELECT sex, count(*), sum(cost) FROM consortium.cost GROUP BY sex ORDER BY sex;
\c pooled alice
SELECT sex, count(*), sum(cost) FROM consortium.measure JOIN consortium.visit USING (patient) GROUP BY sex ORDER BY sex;

-- a key that is declared local joins tables without a patient column
\c charite postgres
CREATE TABLE clinic.bill AS SELECT visit, cost * 2 AS amount FROM clinic.visit WHERE visit % 10 < 3;
SELECT secmed.publish('clinic.bill', local_keys => '{visit}'), secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3, domains => '{"ward": [0, 1, 2]}', local_keys => '{visit}', show_zero => true, rows_max => 2048);
\c lmu postgres
CREATE TABLE clinic.bill AS SELECT visit, cost * 2 AS amount FROM clinic.visit WHERE visit % 10 < 3;
SELECT secmed.publish('clinic.bill', local_keys => '{visit}'), secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4, domains => '{"ward": [0, 1, 2]}', local_keys => '{visit}', show_zero => true, rows_max => 2048);
\c gemelli postgres
CREATE TABLE clinic.bill AS SELECT visit, cost * 2 AS amount FROM clinic.visit WHERE visit % 10 < 3;
SELECT secmed.publish('clinic.bill', local_keys => '{visit}'), secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3, domains => '{"ward": [0, 1, 2]}', local_keys => '{visit}', show_zero => true, rows_max => 2048);
\c research alice
SET search_path = consortium, public;
DROP FOREIGN TABLE visit;
IMPORT FOREIGN SCHEMA published LIMIT TO (bill, visit) FROM SERVER consortium INTO consortium;
SELECT v.ward, count(*), sum(b.amount) FROM visit v JOIN bill b USING (visit) GROUP BY v.ward ORDER BY 1;
SELECT m.sex, count(b.visit), sum(b.amount) FROM measure m JOIN visit v USING (patient) LEFT JOIN bill b USING (visit) GROUP BY m.sex ORDER BY 1;
-- bills alone tell no patients apart: each row counts, and bills with bills can't be counted
SELECT count(*) FROM bill WHERE amount < 1;
SELECT count(*) FROM bill a JOIN bill b USING (visit);
\c pooled postgres
CREATE TABLE consortium.bill AS SELECT visit, cost * 2 AS amount FROM consortium.visit WHERE visit % 10 < 3;
GRANT SELECT ON consortium.bill TO alice;
\c pooled alice
SET search_path = consortium, public;
SELECT v.ward, count(*), sum(b.amount) FROM visit v JOIN bill b USING (visit) GROUP BY v.ward ORDER BY 1;
SELECT m.sex, count(b.visit), sum(b.amount) FROM measure m JOIN visit v USING (patient) LEFT JOIN bill b USING (visit) GROUP BY m.sex ORDER BY 1;
