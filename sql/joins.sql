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
