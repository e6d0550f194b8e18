-- How often the same may be asked, and what becomes of who asks by errors.
\c lmu postgres
DELETE FROM secmed.question_run;
SELECT secmed.set_disclosure('measure', repeats => -1);
SELECT secmed.set_disclosure('measure', differencing => 'none', repeats => 3);
\c research alice
SET search_path = consortium, public;
\set VERBOSITY terse
SELECT count(*) FROM measure WHERE patient > 9;
SELECT count(*) FROM measure WHERE patient > 9;
SELECT count(*) FROM measure WHERE patient > 9;
SELECT count(*) FROM measure WHERE patient > 9;
\echo :LAST_ERROR_SQLSTATE
-- another question, another value of a parameter
SELECT count(*) FROM measure WHERE patient > 19;
PREPARE younger(int) AS SELECT count(*) FROM measure WHERE patient > $1;
EXECUTE younger(9);
EXECUTE younger(29);
-- another requester
\c research postgres
SELECT count(*) FROM consortium.measure WHERE patient > 9;
-- errors, three of which may happen
\c research alice
SET search_path = consortium, public;
\set VERBOSITY terse
SELECT count(*) FROM measure WHERE 1 / (patient - 217) = 1;
SELECT count(*) FROM measure WHERE 1 / (patient - 218) = 1;
SELECT sum(10::numeric ^ (patient * 99)) FROM measure WHERE patient BETWEEN 210 AND 290;
SELECT count(*) FROM measure WHERE patient > 39;
-- what the site knows of it
\c lmu postgres
SET ROLE secmed_auditor;
SELECT actor, tables, times, failed FROM secmed.questions WHERE times >= 3 OR failed > 0 ORDER BY times, failed;
SELECT secmed.unlock_question('research:bob');
SELECT secmed.unlock_question('research:alice', 'ffffffff');
SELECT secmed.unlock_question('research:alice');
SELECT secmed.unlock_question('research:alice', question) FROM secmed.questions WHERE actor = 'research:alice' AND times = 3;
RESET ROLE;
SET ROLE secmed_admin;
SELECT secmed.unlock_question('research:alice');
RESET ROLE;
\c research alice
SELECT count(*) FROM consortium.measure WHERE patient > 9;
SELECT count(*) FROM consortium.measure WHERE patient > 39;
-- the entries
\c lmu postgres
SELECT outcome, count(*) FROM secmed.audit WHERE outcome IN ('no: repeats', 'question unlocked') GROUP BY outcome ORDER BY outcome;
SELECT secmed.set_disclosure('measure', differencing => 'none', repeats => 0);
