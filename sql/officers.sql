-- What compliance officers ask, review, erase and export.
\set SHOW_CONTEXT never
\c charite postgres
CREATE ROLE officer LOGIN IN ROLE secmed_auditor;
CREATE ROLE boss LOGIN IN ROLE secmed_admin;
\c charite boss
INSERT INTO secmed.processing (name, purpose, legal_basis, subjects, data, recipients, retention)
VALUES ('measure', 'Price of care by grade', 'GDPR Art. 9(2)(j)', 'patients since 2020', 'grade, price', 'research', '10 years');

-- two questions whose statements name a patient, one that does not, and one that is refused
\c research alice
SELECT count(*) FROM consortium.measure WHERE patient <> 301 AND price >= 0;
SELECT count(*) FROM consortium.measure WHERE patient <> 3010;
SELECT count(*) FROM consortium.measure WHERE sex = 'm' /* patient=301 */;
SELECT count(*), 1 / (count(*) - count(*)) AS fails FROM consortium.measure WHERE sex = 'f';

-- an auditor who is no admin
\c charite officer
SELECT max(seq) - count(*) AS whole FROM secmed.events;
SELECT activity, purpose, legal_basis, recipients, relation, min_patients FROM secmed.records_of_processing ORDER BY activity;
SELECT date <= now() AS dated, recipient, description, purpose, run IS NOT NULL AS run FROM secmed.accounting_of_disclosures ORDER BY seq DESC LIMIT 2;
SELECT kind, actor, object, outcome FROM secmed.denials WHERE kind = 'outcome' ORDER BY seq LIMIT 3;
SELECT kind, actor, split_part(object, ' ', 1) AS object, outcome FROM secmed.policy_history WHERE kind IN ('node created', 'published') ORDER BY seq LIMIT 2;
SELECT seq = 0 AS first, kind, object <> '' AS about FROM secmed.unreviewed_events ORDER BY seq LIMIT 1;
SELECT site, height >= signed AS all_signed, certified, gap = height - signed AS gap, length(head) AS head, head_at <= clock_timestamp() AS dated, frozen FROM secmed.chain_status;
-- any AND of fields, sorted; the same as by looking at all of them
SELECT count(*) = (SELECT count(*) FROM secmed.ledger, secmed.decode_entry(entry) d WHERE d.actor = 'research:alice' AND d.object = 'measure' AND d.kind = 'decision') AS same
  FROM secmed.events WHERE actor = 'research:alice' AND object = 'measure' AND kind = 'decision' AND at > '2020-01-01';
SELECT kind, outcome FROM secmed.events WHERE run = (SELECT run FROM secmed.accounting_of_disclosures ORDER BY seq DESC LIMIT 1) ORDER BY seq;

-- a subject's question: among the rows, or named
SELECT why, what LIKE 'to research:alice%' AS answer, count(*) > 0 AS any FROM secmed.who_saw_my_record('100') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT why, count(*) FROM secmed.who_saw_my_record('nobody at all') GROUP BY 1;
SELECT secmed.who_saw_my_record('1');

-- FHIR: each line is JSON with what AuditEvent requires; the run is the same at all sites
SELECT bool_and(e ->> 'resourceType' = 'AuditEvent' AND e ->> 'id' ~ '^[0-9a-f]{64}$' AND e -> 'type' ->> 'system' LIKE 'http://%'
		AND e ->> 'recorded' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$' AND e ->> 'outcome' IN ('0', '4', '8') AND e ->> 'action' IN ('C', 'R', 'U', 'D', 'E')
		AND e -> 'agent' @> '[{"requestor": true}]' AND e -> 'source' -> 'observer' ? 'display' AND NOT e -> 'entity' -> 0 ? 'query') AS good,
	   count(*) = (SELECT count(*) FROM secmed.events WHERE at >= '2020-01-01' AND at < '2100-01-01') AS every_one
  FROM secmed.export_fhir('2020-01-01', '2100-01-01') line, LATERAL (SELECT line::jsonb AS e) x;
SELECT jsonb_pretty(e #- '{id}' #- '{recorded}' #- '{entity,0,detail,0}' #- '{entity,1,what}') FROM secmed.export_fhir('2020-01-01', '2100-01-01') WITH ORDINALITY t(line, n),
	   LATERAL (SELECT line::jsonb AS e) x WHERE e #>> '{type,code}' = '110106' AND e ->> 'outcomeDesc' = 'opened' ORDER BY n DESC LIMIT 1;
SELECT count(*) FROM secmed.export_fhir('2000-01-01', '2000-01-02');

-- reviews
SELECT secmed.review('{[0,3],[5,6)}', 'reviewed', 'Dr. Ada Example', 'nothing to object');
SELECT printed_name, meaning, actor, own_key, entries, remark, at <= now() AS dated FROM secmed.reviews;
SELECT count(*) FROM secmed.unreviewed_events WHERE seq <= 3 OR seq = 5;
SELECT count(*) > 0 AS others FROM secmed.unreviewed_events;
SELECT line FROM regexp_split_to_table(secmed.review_text('{[0,3],[5,6)}', 'reviewed', 'Dr. Ada Example'), '\n') WITH ORDINALITY t(line, n) WHERE n IN (1, 2, 4, 5);
SELECT secmed.review('{}', 'reviewed', 'Dr. Ada Example');
SELECT secmed.review('{[0,1],[3,4],[6,7],[9,10],[12,13]}', 'reviewed', 'Dr. Ada Example');
SELECT secmed.review('{[0,)}', 'reviewed', 'Dr. Ada Example');
SELECT secmed.review('{[0,1000000000]}', 'reviewed', 'Dr. Ada Example');
SELECT secmed.review('{[0,1]}', 'reviewed', '');
SELECT secmed.review('{[0,1]}', E'reviewed\nin haste', 'Dr. Ada Example');
SELECT secmed.review('{[0,1]}', 'reviewed', 'Dr. Ada Example', NULL, 'ada+00000000+AAAA', 'note');
SELECT secmed.review('{[0,1]}', 'reviewed', 'Dr. Ada Example', NULL, 'ada+00000000+AAAA');
SELECT ok FROM secmed.verify_ledger();

-- erasure is not an auditor's
SELECT secmed.erase_subject('301', 'GDPR Art. 17(1)(b)');
INSERT INTO secmed.processing VALUES ('x');
\c charite stranger
SELECT * FROM secmed.denials;
SELECT secmed.who_saw_my_record('100');
\c charite boss
SELECT secmed.erase_subject('30', 'GDPR Art. 17(1)(b)');
SELECT secmed.erase_subject('301', ' ');
BEGIN;
SELECT secmed.erase_subject('301', 'GDPR Art. 17(1)(b)') > 1 AS erased;
ROLLBACK;
SELECT secmed.erase_subject('301', 'GDPR Art. 17(1)(b)') > 1 AS erased;
SELECT secmed.erase_subject('301', 'GDPR Art. 17(1)(b)');
SELECT secmed.erase_entries('{[1000000,)}', 'GDPR Art. 17(1)(b)');
SELECT * FROM secmed.denials;
\c charite officer
SELECT node, legal_basis, runs > 1 AS runs, erased, problem, receipt IS NOT NULL AS receipt FROM secmed.erasure ORDER BY node;
SELECT DISTINCT kind, actor, object, outcome, array_length(counters, 1) >= 2 AS ranges FROM secmed.events WHERE kind = 'erased';
SELECT count(*) FROM secmed.audit WHERE statement ~ '\m301\M';
SELECT count(*) > 0 AS others FROM secmed.audit WHERE statement ~ '\m3010\M';
SELECT ok FROM secmed.verify_ledger();
\c charite postgres
SELECT run AS last_run FROM secmed.audit WHERE statement ~ '\m3010\M' ORDER BY seq DESC LIMIT 1 \gset
SELECT secmed.erase_run(:'last_run', 'GDPR Art. 17(1)(c)');
SELECT count(*) FROM secmed.audit WHERE run = :'last_run' AND statement IS NOT NULL;
SELECT ok FROM secmed.verify_ledger();
-- who asked may order the others to forget
\c research postgres
SELECT run AS asked_run FROM secmed.audit WHERE kind = 'request' AND statement ~ '\m3010\M' ORDER BY seq LIMIT 1 \gset
\c gemelli postgres
SELECT count(*) FROM secmed.audit WHERE run = :'asked_run' AND statement IS NOT NULL;
\c research postgres
SELECT secmed.erase_run(:'asked_run', 'GDPR Art. 17(1)(a)');
SELECT node, legal_basis, runs, problem, answered_at >= ordered_at AS answered FROM secmed.erasure ORDER BY node;
SELECT secmed.send_erasure_orders();
SELECT ok FROM secmed.verify_ledger();
\c gemelli postgres
SELECT count(*) FROM secmed.audit WHERE run = :'asked_run' AND statement IS NOT NULL;
SELECT actor, object, outcome FROM secmed.events WHERE kind = 'erased';
SELECT ok FROM secmed.verify_ledger();
SELECT secmed.erase('x');
\c charite postgres
-- what is said to be erased and is there is found
BEGIN;
SELECT counters[1] AS erased_seq FROM secmed.events WHERE kind = 'erased' ORDER BY seq LIMIT 1 \gset
INSERT INTO secmed.ledger_payload VALUES (:erased_seq, decode(repeat('00', 32), 'hex'), 'x');
SELECT ok, bad_seq = :erased_seq AS place, reason FROM secmed.verify_ledger();
ROLLBACK;
DROP ROLE officer, boss;
