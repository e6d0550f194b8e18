-- What columns may be used for, and how coarse their values are.
\c charite postgres
CREATE TABLE clinic.person (patient integer PRIMARY KEY, age integer NOT NULL, postcode text, born date, seen timestamptz, weight numeric(5,1), rare boolean NOT NULL);
INSERT INTO clinic.person SELECT p, 20 + p % 80, (10000 + p * 37)::text, date '1950-01-17' + p * 100, '2024-05-05 12:00+00', 50.5 + p % 30, p % 50 = 0 FROM generate_series(1, 200) p;
SELECT secmed.publish('clinic.person', patient => 'patient', min_patients => 5, domains => '{"age": {"min": 88, "max": 90}}');
-- refused
SELECT secmed.set_column_policy('nothing', 'age');
SELECT secmed.set_column_policy('person', 'nothing');
SELECT secmed.set_column_policy('person', NULL);
SELECT secmed.set_column_policy('person', 'age', uses => '{read}');
SELECT secmed.set_column_policy('person', 'age', bucket => 'prefix:3');
SELECT secmed.set_column_policy('person', 'age', bucket => 'top:-1');
SELECT secmed.set_column_policy('person', 'age', bucket => 'top:89) FROM clinic.person; --');
SELECT secmed.set_column_policy('person', 'patient', bucket => 'width:5');
SELECT secmed.set_class_policy('EU', 'quasi', '{aggregate,all}');
SELECT secmed.set_class_policy('EU', 'quasi', '{}', 0);
SELECT secmed.set_disclosure(NULL);
SET ROLE stranger;
SELECT secmed.set_column_policy('person', 'age');
RESET ROLE;
-- buckets are in the view
SELECT secmed.set_column_policy('person', 'age', uses => '{group,filter,aggregate}', bucket => 'top:89', class => 'quasi');
SELECT secmed.set_column_policy('person', 'postcode', uses => '{filter}', bucket => 'prefix:2', class => 'quasi');
SELECT secmed.set_column_policy('person', 'born', bucket => 'month');
SELECT secmed.set_column_policy('person', 'seen', bucket => 'year');
SELECT secmed.set_column_policy('person', 'weight', bucket => 'width:10');
SELECT secmed.set_column_policy('person', 'rare', uses => '{filter}', class => 'sensitive');
\d+ secmed_published.person
SELECT patient, age, postcode, born, seen AT TIME ZONE 'UTC' AS seen, weight FROM secmed_published.person WHERE patient IN (3, 70, 79) ORDER BY 1;
SELECT "table", "column", uses, bucket, class, set_by FROM secmed.column_policy ORDER BY 1, 2;
SELECT object, revealed FROM secmed.audit WHERE kind = 'published' AND revealed <> '' ORDER BY seq DESC LIMIT 2;
\c lmu postgres
CREATE TABLE clinic.person (patient integer PRIMARY KEY, age integer NOT NULL, postcode text, born date, seen timestamptz, weight numeric(5,1), rare boolean NOT NULL);
INSERT INTO clinic.person SELECT p, 20 + p % 80, (10000 + p * 37)::text, date '1950-01-17' + p * 100, '2024-05-05 12:00+00', 50.5 + p % 30, p % 50 = 0 FROM generate_series(201, 300) p;
SELECT secmed.publish('clinic.person', patient => 'patient', min_patients => 5, domains => '{"age": {"min": 88, "max": 90}}');
\c research alice
CREATE SERVER pair FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu', parties 'charite, lmu, gemelli');
CREATE SCHEMA policy;
IMPORT FOREIGN SCHEMA published LIMIT TO (person) FROM SERVER pair INTO policy;
\c lmu postgres
SELECT secmed.set_column_policy('person', 'age', bucket => 'top:89');
SELECT secmed.set_column_policy('person', 'postcode', bucket => 'prefix:2');
SELECT secmed.set_column_policy('person', 'born', bucket => 'month');
SELECT secmed.set_column_policy('person', 'seen', bucket => 'year');
SELECT secmed.set_column_policy('person', 'weight', bucket => 'width:10');
\c research alice
IMPORT FOREIGN SCHEMA published LIMIT TO (person) FROM SERVER pair INTO policy;
\d policy.person
SET search_path = policy, public;
SELECT age, count(*), avg(weight) FROM person WHERE age >= 88 AND postcode < '2' COLLATE "C" GROUP BY age ORDER BY age;
SELECT count(*) FROM person WHERE age > 90;
SELECT count(*) FROM person WHERE rare IS FALSE;
-- known when the question is planned
SELECT postcode, count(*) FROM person GROUP BY postcode;
SELECT bool_or(rare) FROM person;
SELECT count(postcode) FROM person;
SELECT sum(age) FILTER (WHERE rare), avg(length(postcode)) FROM person;
SELECT sum(patient) FROM person;
SELECT sum(weight * (patient = 17)::integer) FROM person;
SELECT count(*), count(patient), count(DISTINCT patient) FROM person;
SELECT max(weight) FROM person;
-- a foreign table that says otherwise is not believed
ALTER FOREIGN TABLE person ALTER COLUMN postcode OPTIONS (DROP uses), ALTER COLUMN rare OPTIONS (SET uses 'aggregate, filter');
ALTER FOREIGN TABLE person ALTER COLUMN age OPTIONS (SET uses 'everything');
SELECT count(postcode) FROM person;
SELECT count(*), bool_or(rare) FROM person;
-- classes by jurisdiction
\c charite postgres
SELECT secmed.set_class_policy('US', 'quasi', '{filter}');
SELECT secmed.set_class_policy('EU', 'quasi', '{group,filter}');
SELECT secmed.set_class_policy('EU', 'sensitive', '{filter,group}', 1000);
SELECT secmed.set_disclosure('person', jurisdiction => 'EU');
\c research alice
SET search_path = policy, public;
SELECT sum(age) FROM person;
SELECT count(*) FROM person WHERE rare IS FALSE;
SELECT count(*) FROM person;
-- it stays when the table is published again
\c charite postgres
SELECT secmed.unpublish('person');
SELECT secmed.publish('clinic.person', patient => 'patient', min_patients => 5);
SELECT max(age) FROM secmed_published.person;
SELECT secmed.unpublish('person');
\c lmu postgres
SELECT secmed.unpublish('person');
