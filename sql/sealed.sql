-- Answers that only one reader opens: secmed.result_to.  People are those of
-- identities.sql; test/t/021_documents.pl opens one.
\getenv abs_srcdir PG_ABS_SRCDIR
\set people :abs_srcdir '/sql/include/people.sql'
\set ECHO none
\i :people
\set ECHO all
SET client_min_messages = warning;
\c gemelli postgres
SET client_min_messages = warning;
SELECT count(*) = 3 AS exchanged FROM secmed.exchange_documents() WHERE problem IS NULL;
SELECT secmed.admit_founders(:'ada', :'bob') IS NOT NULL AS founded;
\c research postgres
SET client_min_messages = warning;
SELECT count(*) = 3 AS exchanged FROM secmed.exchange_documents() WHERE problem IS NULL;
-- this node's administrator has not admitted the founders: it knows nobody who may read
SET secmed.result_to = :'dave_fingerprint';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SELECT secmed.admit_founders(:'ada', :'bob') IS NOT NULL AS founded;
SELECT name, state FROM secmed.identities WHERE may_act ORDER BY name COLLATE "C";
\c research alice
SET client_min_messages = warning;
-- who is not, no more, or not yet
SET secmed.result_to = 'nobody';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SET secmed.result_to = '0000 0000 0000 0000 0000 0000 0000 0000';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SET secmed.result_to = :'eve_fingerprint';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SET secmed.result_to = :'ada_fingerprint';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SET secmed.result_to = :'frank_fingerprint';
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
SET secmed.result_to = :'dave_fingerprint';
BEGIN READ ONLY;
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
ROLLBACK;
-- no row is shown here
SELECT sex, count(*) FROM consortium.measure GROUP BY sex;
-- what is kept is for who has asked
SELECT * FROM secmed.sealed_answer;
SELECT secmed.sealed_answer('00000000-0000-0000-0000-000000000000');
\c research postgres
SET client_min_messages = warning;
SELECT secmed.fingerprint_text(reader) = left(regexp_replace(:'dave_fingerprint', '(....)', '\1 ', 'g'), 39) AS for_dave,
	   asked_by, length(answer) > 1000 AS long, secmed.sealed_answer(run) LIKE '-----BEGIN SECMED ANSWER-----%' AS as_text
  FROM secmed.sealed_answer;
SELECT run AS the_run FROM secmed.sealed_answer \gset
\c research alice
SELECT length(secmed.sealed_answer(:'the_run')) > 1000 AS mine;
RESET secmed.result_to;
SELECT count(*) > 0 AS shown FROM consortium.measure;
-- every node's ledger says to whom
\c research postgres
SELECT outcome, revealed FROM secmed.audit WHERE run = :'the_run' AND kind = 'outcome';
\c charite postgres
SELECT DISTINCT left(revealed, 78) AS revealed FROM secmed.audit WHERE run = :'the_run' AND revealed LIKE '%sealed to identity%';
