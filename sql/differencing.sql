-- Questions whose answers differ from earlier ones by few patients.
\c charite postgres
SELECT secmed.set_disclosure('measure', differencing => 'somebody');
SELECT secmed.set_disclosure('measure', differencing => 'everybody');
SELECT secmed.set_disclosure('visit', differencing => 'everybody');
\c lmu postgres
SELECT secmed.set_disclosure('measure', differencing => 'everybody');
SELECT secmed.set_disclosure('visit', differencing => 'everybody');
\c gemelli postgres
SELECT secmed.set_disclosure('measure', differencing => 'everybody');
SELECT secmed.set_disclosure('visit', differencing => 'everybody');
\c research alice
SET search_path = consortium, public;
\set VERBOSITY terse
-- the subset of all but one row, both ways round
SELECT count(*), sum(i2) FROM measure;
SELECT sum(i2) FROM measure WHERE patient <> 17;
\echo :LAST_ERROR_SQLSTATE
SELECT sum(i2) FROM measure WHERE patient <= 329;
SELECT avg(price) FROM measure WHERE sex = 'f';
SELECT avg(price) FROM measure WHERE sex = 'f' OR patient = 17;
SELECT avg(price) FROM measure WHERE sex = 'f' AND patient <> 18;
-- the same patients again, with other words and other sums
SELECT sum(price), sum(i4) FROM measure WHERE patient > 0;
-- as a group of a table, and a group of a table as a question of its own
SELECT CASE WHEN sex = 'f' AND patient <> 18 THEN 'third' ELSE 'rest' END AS third, count(*) FROM measure GROUP BY 1 ORDER BY 1;
SELECT sex, count(*) FROM measure GROUP BY sex ORDER BY sex;
SELECT count(*) FROM measure WHERE sex = 'm' AND patient <> 200;
-- one or four at one site, nobody at the others; five over two sites are enough
SELECT count(*) FROM measure WHERE patient <> 210;
SELECT count(*) FROM measure WHERE patient NOT IN (1, 2, 250, 330);
SELECT count(*) FROM measure WHERE patient NOT IN (1, 2, 3, 250, 330);
-- windows of time that overlap
SELECT sum(i2) FROM measure WHERE seen < timestamp '2021-03-06 14:41';
SELECT sum(i2) FROM measure WHERE seen <= timestamp '2021-03-06 14:41';
-- within one answer the part is withheld
\set VERBOSITY default
SELECT count(*), count(*) FILTER (WHERE patient <> 17), count(*) FILTER (WHERE patient > 99) FROM measure;
SELECT count(*), count(nullif(patient, 17)), sum(i2), sum(i2 * (patient <> 17)::integer) FROM measure;
-- what has no value is no choice, for sums of other columns
SELECT count(*), avg(i2), count(i2) FROM measure;
-- rows of one patient more or less
SELECT sum(cost) FROM visit;
SELECT sum(cost) FROM visit WHERE NOT (patient = 2 AND ward = 1);
SELECT sum(cost) FROM visit WHERE ward <> 1;
-- too few for an answer are none to be compared with
SELECT count(*) FROM measure WHERE patient IN (301, 302);
SELECT count(*) FROM measure WHERE patient BETWEEN 301 AND 306;
-- a question that was refused is forgotten
SELECT count(*) FROM measure;

-- what sites remember
\c lmu postgres
SELECT count(*) > 5 AS runs, count(DISTINCT content) < count(*) AS repeated, bool_and(actor = 'research:alice') AS alice FROM secmed.answered_run;
SELECT outcome, count(*) FROM secmed.audit WHERE outcome = 'refused SM050' GROUP BY outcome;
SELECT count(*) AS columns FROM secmed.answered_group g JOIN secmed.answered_content USING (content) WHERE number >= groups;
SET ROLE secmed_admin;
SELECT * FROM secmed.answered_group;
SELECT * FROM secmed.answered_key;
RESET ROLE;
-- of the same requester only: another one may subtract
SELECT secmed.set_disclosure('measure', differencing => 'requester');
\c charite postgres
SELECT secmed.set_disclosure('measure', differencing => 'requester');
\c gemelli postgres
SELECT secmed.set_disclosure('measure', differencing => 'requester');
\c research postgres
SET search_path = consortium, public;
SELECT count(*) FROM measure WHERE patient <> 17;
SELECT count(*) FROM measure;
\c research alice
SELECT count(*) FROM consortium.measure;
-- forgotten
\c lmu postgres
SET ROLE alice;
SELECT secmed.forget_answers(clock_timestamp());
RESET ROLE;
SELECT secmed.forget_answers('-infinity');
SELECT secmed.forget_answers(clock_timestamp()) > 5 AS forgotten;
SELECT count(*) FROM secmed.answered_group;
SELECT outcome, counters[1] > 5 AS many FROM secmed.audit WHERE outcome = 'answers forgotten' ORDER BY seq;
\c charite postgres
SELECT secmed.forget_answers(clock_timestamp()) > 5 AS forgotten;
\c gemelli postgres
SELECT secmed.forget_answers(clock_timestamp()) > 5 AS forgotten;
\c research postgres
SELECT count(*) FROM consortium.measure WHERE patient <> 17;
\c charite postgres
SELECT secmed.set_disclosure(t, differencing => 'none') FROM unnest('{measure,visit}'::name[]) t;
\c lmu postgres
SELECT secmed.set_disclosure(t, differencing => 'none') FROM unnest('{measure,visit}'::name[]) t;
\c gemelli postgres
SELECT secmed.set_disclosure(t, differencing => 'none') FROM unnest('{measure,visit}'::name[]) t;
