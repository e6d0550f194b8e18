-- What a hospital's DBA does, and what is refused.
\c charite postgres
-- refused
SELECT secmed.publish('clinic.measure', patient => 'nobody');
SELECT secmed.publish('clinic.measure', columns => '{sex, age}');
SELECT secmed.publish('clinic.measure', columns => '{sex}', patient => 'patient');
SELECT secmed.publish('clinic.measure', min_patients => 0);
SELECT secmed.publish('clinic.measure', domains => '[1]');
SELECT secmed.publish('clinic.measure', domains => '{"colour": [1]}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": "all"}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": []}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": {"min": 0}}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": {"min": 4, "max": 0}}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": {"min": 0, "max": 1000000}}');
SELECT secmed.publish('clinic.measure', domains => '{"sex": {"min": 0, "max": 3}}');
SELECT secmed.publish('clinic.measure', domains => '{"f8": [1.5]}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": ["one"]}');
SELECT secmed.publish('clinic.measure', domains => '{"stage": [[1]]}');
SELECT secmed.publish(NULL);
SELECT secmed.publish('clinic.measure_pkey');
SET ROLE stranger;
SELECT secmed.publish('clinic.measure');
RESET ROLE;
SELECT * FROM secmed.published;

-- published alike at all three
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5,
	domains => '{"sex": ["m", "f"], "stage": {"min": 0, "max": 3, "null": true}}', rows_max => 1024);
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3,
	domains => '{"ward": [0, 1, 2]}', rows_max => 2048);
SELECT secmed.publish('clinic.measure', patient => 'patient');
\c lmu postgres
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5,
	domains => '{"sex": ["f", "m"], "stage": [0, 1, 2, 3, null]}', rows_max => 1024);
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4,
	domains => '{"ward": [0, 1, 2]}', rows_max => 2048);
\c gemelli postgres
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5,
	domains => '{"sex": ["m", "f"], "stage": {"min": 0, "max": 3, "null": true}}', rows_max => 1024);
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3,
	domains => '{"ward": [0, 1, 2]}', rows_max => 2048);
SELECT name, relation, patient, min_patients, show_zero, local_keys, domains FROM secmed.published ORDER BY name;
\d secmed_published.visit
-- numbers of patients in sums, which other tests try out
SELECT secmed.set_column_policy(name, 'patient', uses => '{aggregate,filter,join}') FROM secmed.published ORDER BY name;
\c charite postgres
SELECT secmed.set_column_policy(name, 'patient', uses => '{aggregate,filter,join}') FROM secmed.published ORDER BY name;
\c lmu postgres
SELECT secmed.set_column_policy(name, 'patient', uses => '{aggregate,filter,join}') FROM secmed.published ORDER BY name;
\c gemelli postgres
-- the published columns can't change unnoticed
ALTER TABLE clinic.visit ALTER COLUMN cost TYPE text;
DROP TABLE clinic.visit;

-- and back
CREATE VIEW clinic.costly AS SELECT patient, cost FROM clinic.visit WHERE cost > 10;
SELECT secmed.publish('clinic.costly', as_name => 'expensive', patient => 'patient');
SELECT secmed.unpublish('expensive');
SELECT secmed.unpublish('expensive');
SELECT kind, object, outcome, counters FROM secmed.audit WHERE kind LIKE '%publish%' ORDER BY seq;
