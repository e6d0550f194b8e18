-- Only rows of patients who have agreed: FHIR R4 consents, withdrawal, purposes.
\c charite postgres
CREATE FUNCTION clinic.consent(id text, patient text, provision jsonb, status text DEFAULT 'active') RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('resourceType', 'Consent', 'id', id, 'status', status, 'scope', '{"coding": [{"code": "research"}]}'::jsonb,
	'category', '[{"coding": [{"code": "59284-0"}]}]'::jsonb, 'patient', jsonb_build_object('reference', 'Patient/' || patient), 'provision', provision) $$;
-- what is no consent
SELECT secmed.import_consent('[]');
SELECT secmed.import_consent('"Consent"');
SELECT secmed.import_consent('{"resourceType": "Patient"}');
SELECT secmed.import_consent(clinic.consent('c', '1', '{}') - 'status');
SELECT secmed.import_consent(clinic.consent('c', '1', '{}', 'valid'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{}') - 'id');
SELECT secmed.import_consent(clinic.consent('c', '1', '{}') - 'patient');
SELECT secmed.import_consent(clinic.consent('c', '1', '{}') - 'category');
SELECT secmed.import_consent(clinic.consent('c', '', '{}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '[]'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"type": "allow"}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"type": 1}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"provision": [{}]}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"provision": {"type": "deny"}}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"provision": ["deny"]}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"purpose": [{"display": "research"}]}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"actor": [{"role": {}}]}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"period": {"start": "yesterday"}}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"period": {"start": "2024-01-01T10:00"}}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"period": {"start": "2024-13"}}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{"period": {"start": "2024", "end": "2023"}}'));
SELECT secmed.import_consent(clinic.consent('c', '1', '{}') || '{"modifierExtension": []}');
SELECT secmed.import_consent(clinic.consent('c', '1', jsonb_build_object('provision', (SELECT jsonb_agg('{"type": "deny"}'::jsonb) FROM generate_series(1, 300)))));
SELECT secmed.withdraw_consent('1');
SELECT secmed.withdraw_consent(NULL);
SELECT secmed.require_consent('nothing');
CREATE TABLE clinic.agreed (patient integer, age integer NOT NULL);
INSERT INTO clinic.agreed SELECT p, p FROM generate_series(1, 40) p;
INSERT INTO clinic.agreed VALUES (NULL, 1000), (1, 1), (9, 9);
CREATE TABLE clinic.named (patient text PRIMARY KEY, age integer NOT NULL);
INSERT INTO clinic.named SELECT 'p' || p, p FROM generate_series(1, 40) p;
SELECT secmed.publish('clinic.agreed', columns => '{age}', as_name => 'nobody');
SELECT secmed.require_consent('nobody');
SELECT secmed.unpublish('nobody');
SELECT secmed.publish('clinic.agreed', patient => 'patient', min_patients => 2);
SELECT secmed.publish('clinic.named', patient => 'patient', min_patients => 2);
SELECT secmed.require_consent('agreed', '{}');
SELECT secmed.require_consent('agreed', ARRAY['HRESCH', NULL]);
SELECT secmed.require_consent(NULL);
SET ROLE stranger;
SELECT secmed.import_consent('{}');
SELECT secmed.export_consent('1');
SELECT secmed.withdraw_consent('1');
SELECT secmed.require_consent('agreed');
SELECT * FROM secmed.consent;
SELECT secmed.has_consent('\x00', 1);
RESET ROLE;
SELECT secmed.has_consent('\x00', 1);
SELECT secmed.has_consent(decode(repeat('00', 200), 'hex'), 'p1');
-- by default consent is not asked for
\c lmu postgres
CREATE TABLE clinic.agreed (patient integer, age integer NOT NULL);
INSERT INTO clinic.agreed SELECT p, 0 FROM generate_series(101, 110) p;
CREATE TABLE clinic.named AS SELECT patient::text, age FROM clinic.agreed;
SELECT secmed.publish('clinic.agreed', patient => 'patient', min_patients => 2);
SELECT secmed.publish('clinic.named', patient => 'patient', min_patients => 2);
\c research postgres
CREATE SERVER asking FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu', parties 'charite, lmu, gemelli');
GRANT USAGE ON FOREIGN SERVER asking TO alice;
CREATE SCHEMA asking;
IMPORT FOREIGN SCHEMA published LIMIT TO (agreed, named) FROM SERVER asking INTO asking;
GRANT USAGE ON SCHEMA asking TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA asking TO alice;
\c research alice
SELECT count(*), sum(age) FROM asking.agreed;
\c charite postgres
SELECT secmed.require_consent('agreed');
SELECT secmed.require_consent('named', '{TREAT,HRESCH}', '{Condition}');
-- nobody has agreed: the ten of lmu are left
\c research alice
SELECT count(*), count(DISTINCT patient), sum(age) FROM asking.agreed;
SELECT count(*) FROM asking.named;
\c charite postgres
SELECT secmed.import_consent(clinic.consent('c' || patient, patient, provision))
  FROM (VALUES ('1', jsonb '{"type": "permit", "purpose": [{"code": "HRESCH"}]}'),
	('2', '{"type": "permit", "purpose": [{"code": "TREAT"}]}'),
	('3', '{"type": "permit", "period": {"start": "2020-01", "end": "2021"}}'),
	('4', '{"type": "permit", "provision": [{"type": "deny", "purpose": [{"code": "HRESCH"}]}]}'),
	('5', '{"type": "permit", "provision": [{"type": "deny", "purpose": [{"code": "TREAT"}]}]}'),
	('7', '{"type": "permit", "actor": [{"role": {}, "reference": {"reference": "Organization/research"}}]}'),
	('8', '{"type": "permit", "actor": [{"role": {}, "reference": {"reference": "Organization/lmu"}}]}'),
	('9', '{"type": "deny", "provision": [{"type": "permit", "period": {"start": "2020-05-17T08:00:00+02:00"}, "action": [{"coding": [{"code": "use"}]}]}]}'),
	('10', '{"type": "permit", "period": {"start": "2999"}}'),
	('12', '{"type": "permit", "class": [{"code": "Condition"}, {"code": "Observation"}]}'),
	('13', '{"type": "permit", "dataPeriod": {"start": "2020"}}'),
	('14', '{"type": "permit", "provision": [{"type": "deny", "purpose": [{"code": "BIORCH"}]}]}'),
	('15', '{"type": "permit", "purpose": [{"code": "CLINTRCH"}]}'),
	('16', '{"type": "permit"}'),
	('17', '{"type": "permit", "provision": [{"type": "deny", "actor": [{"reference": {"reference": "research"}}]}]}'),
	('18', '{"type": "permit", "action": [{"coding": [{"code": "correct"}]}]}'),
	('+19', '{"type": "permit"}'), (' 20', '{"type": "permit"}'), ('21x', '{"type": "permit"}'), ('99999999999999999999', '{"type": "permit"}')) v(patient, provision);
SELECT secmed.import_consent(clinic.consent('c6', '6', '{"type": "permit"}', 'inactive'));
SELECT secmed.import_consent(clinic.consent('c11', '11', NULL) - 'provision' || '{"policyRule": {"coding": [{"code": "OPTIN"}]}}');
SELECT secmed.import_consent(clinic.consent('c16 no', '16', '{"type": "deny", "purpose": [{"code": "HRESCH"}]}'));
-- 1, 5, 7, 9 and 11, two of them with two rows each; a consent id is one patient's
SELECT secmed.import_consent(clinic.consent('c1', '2', '{"type": "permit"}'));
SELECT subject FROM secmed.consented WHERE "table" = 'agreed' AND actor IN ('', 'research') AND NOT 'research' = ANY (others)
	AND now() >= valid_from AND now() < valid_until ORDER BY subject COLLATE "C";
\c research alice
SELECT count(*), count(DISTINCT patient), sum(age) FROM asking.agreed;
SELECT count(*), sum(age) FROM asking.agreed WHERE age > 8;
SELECT count(*) FROM asking.agreed WHERE 1 / (CASE WHEN age = 1000 OR age = 2 THEN 0 ELSE 1 END) = 1;
SELECT count(*), sum(b.age) FROM asking.agreed a LEFT JOIN asking.agreed b ON a.patient = b.patient;
-- text patients, data of a class, another default purpose
\c charite postgres
SELECT secmed.import_consent(clinic.consent('p1', 'p1', '{"type": "permit", "purpose": [{"code": "TREAT"}], "class": [{"code": "Condition"}]}'));
SELECT secmed.import_consent(clinic.consent('p2', 'p2', '{"type": "permit", "class": [{"code": "Observation"}]}'));
SELECT secmed.import_consent(clinic.consent('p3', 'p3', '{"type": "permit", "purpose": [{"code": "HRESCH"}]}'));
SELECT secmed.import_consent(clinic.consent('p4', 'p4', '{"type": "permit", "provision": [{"type": "deny", "class": [{"code": "Condition"}]}]}'));
\c research alice
SELECT count(*) FROM asking.named;
\c charite postgres
SELECT purpose, subject FROM secmed.consented WHERE "table" = 'named' AND subject LIKE 'p%' ORDER BY purpose COLLATE "C", subject COLLATE "C";
-- withdrawal, and a period that ends, hold from the next run on
SELECT secmed.withdraw_consent('9', 'c1');
SELECT secmed.withdraw_consent('9');
SELECT secmed.withdraw_consent('9');
SELECT secmed.import_consent(clinic.consent('c5', '5', jsonb_build_object('type', 'permit', 'period', jsonb_build_object('end', to_json(clock_timestamp() + '0.4 s')))));
\c research alice
SELECT count(*) > 10 AS asked FROM asking.agreed;
SELECT pg_sleep(0.5);
SELECT count(*), sum(age) FROM asking.agreed;
\c charite postgres
SELECT secmed.export_consent('9');
SELECT secmed.export_consent('nobody');
-- the ledger: patients and their number beside the chain
SELECT object, outcome, statement FROM secmed.audit WHERE outcome LIKE 'consent%' ORDER BY seq DESC LIMIT 6;
SELECT count(*) FROM secmed.ledger WHERE position('patient 9'::bytea IN entry) > 0 OR position('left out'::bytea IN entry) > 0;
SELECT object, revealed FROM secmed.audit WHERE kind = 'published' AND revealed LIKE 'needs%' ORDER BY seq;
-- without a need all are back
SELECT secmed.require_consent('agreed', NULL);
SELECT secmed.require_consent('named', NULL);
SELECT * FROM secmed.consented;
SELECT * FROM secmed.consent_rule;
\c research alice
SELECT count(*), sum(age) FROM asking.agreed;
\c charite postgres
SELECT secmed.unpublish('agreed');
SELECT secmed.unpublish('named');
\c lmu postgres
SELECT secmed.unpublish('agreed');
SELECT secmed.unpublish('named');
