-- What an answer tells beside its numbers, and what is withheld for it.
\c research alice
SET search_path = consortium, public;

-- masks: of 330 patients one adds something
SELECT count(*), sum(CASE WHEN patient = 17 THEN i2 ELSE 0 END) FROM measure;
SELECT count(*), sum(i2 * (patient = 17)::integer), avg(i2 * (patient = 17)::integer * 2.5) FROM measure;
SELECT count(*), sum(f8 * (patient = 17)::integer), sum((patient = 17)::integer * ratio) FROM measure;
SELECT count(*), sum(CASE patient WHEN 17 THEN i2 END), sum(CASE WHEN patient = 17 THEN stay ELSE '0' END) FROM measure;
SELECT count(*), sum(i2 * (1 - least(abs(patient - 17), 1))), sum(i2 * 0 ^ abs(patient - 17)) FROM measure;
SELECT count(*), corr(f8, (patient = 17)::integer), sum(nullif(patient, 17) * 0 + i2) IS NULL AS refused FROM measure;
-- enough add something
SELECT count(*), sum(CASE WHEN patient < 200 THEN i2 ELSE 0 END), avg(smoker::integer)::numeric(10,8) FROM measure;
-- arms that do not add zero
SELECT count(*), sum(CASE WHEN patient = 17 THEN i2 ELSE 1 END), sum(i2 * CASE WHEN patient = 17 THEN 1 ELSE 1000 END) FROM measure;
SELECT count(*), sum(CASE WHEN patient < 17 THEN 1 WHEN patient < 18 THEN i2 ELSE 3 END), sum(1 + i2 * (patient = 17)::integer) FROM measure;
SELECT count(*), sum(greatest(2 - abs(patient - 17), 1)), sum(coalesce(CASE WHEN patient <> 17 THEN 1 END, i2)) FROM measure;
SELECT count(*), sum(CASE WHEN i4 > 0 THEN i4 ELSE -i4 END), sum(greatest(i4, i2)), sum(coalesce(i2, 7)) FROM measure;
-- one patient's truth
SELECT count(*), bool_or(patient = 17 AND smoker), bool_and(patient <> 17 OR smoker) FROM measure;

-- groups of 3 and 11, and a total of 14: the 11 would give back the 3
SELECT sex, count(*) FROM measure WHERE patient IN (3, 6, 9, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16) GROUP BY sex ORDER BY sex;
SELECT count(*) FROM measure WHERE patient IN (3, 6, 9, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16);
-- two groups of 3 and 4 hide each other: the others may show
SELECT stage, count(*) FROM measure WHERE patient IN (1, 6, 11, 2, 7, 12, 17) OR patient % 5 = 3 GROUP BY stage ORDER BY stage;
-- in a table of two keys each row and each column needs a second one
SELECT sex, stage, count(*) FROM measure WHERE patient % 15 NOT IN (1, 11) OR patient < 16 GROUP BY sex, stage ORDER BY sex, stage;
-- aggregates of parts, too: 2 of one group have a value, and the total of all is known
SELECT sex, count(*), count(i2) FILTER (WHERE sex = 'm' OR patient < 8) FROM measure GROUP BY sex ORDER BY sex;

-- one patient by WHERE, by a group of its own, by signs and NULLs
SELECT count(*), sum(i2) FROM measure WHERE patient = 17;
SELECT CASE WHEN i4 = 4557 THEN 'one' ELSE 'others' END AS who, count(*), sum(i2) FROM measure GROUP BY 1 ORDER BY 1;
SELECT count(*), sum(-i2 * (patient = 17)::integer), sum(i2 - CASE WHEN patient <> 17 THEN i2 ELSE 0 END) FROM measure;
SELECT count(*), sum(CASE WHEN patient <> 17 THEN NULL ELSE i2 END), sum(nullif(patient = 17, false)::integer * i2) FROM measure;
SELECT count(*), sum(nullif(i2 * (patient = 17)::integer, 0)), avg(coalesce(nullif(patient, 17) * 0, i2)) FROM measure;
-- two sums in one answer that differ by one patient
SELECT sum(i2) - sum(i2) FILTER (WHERE patient <> 17) AS filter FROM measure;
-- What remains possible where a site compares with no earlier answers (differencing.sql): two questions whose answers differ
-- by one patient, the rows of all but one, a tracker with OR, windows of time that overlap.
SELECT (SELECT sum(i2) FROM measure) - (SELECT sum(i2) FROM measure WHERE patient <> 17) AS subset;
SELECT (SELECT count(*) FROM measure WHERE sex = 'f' OR patient = 17) - (SELECT count(*) FROM measure WHERE sex = 'f') AS tracker;
SELECT (SELECT sum(i2) FROM measure WHERE seen <= timestamp '2021-03-06 14:41') - (SELECT sum(i2) FROM measure WHERE seen < timestamp '2021-03-06 14:41') AS window;
-- a mask by another column, made of arithmetic that nobody's summand makes zero
SELECT sum(i2 * (1 + 999 * 0 ^ abs(i4 - 4557))) - sum(i2) AS arithmetic FROM measure;
-- one bit by an error
SELECT count(*) > 0 AS no_error FROM measure WHERE 1 / (CASE WHEN patient = 17 AND sex = 'f' THEN 0 ELSE 1 END) = 1;
SELECT count(*) > 0 AS no_error FROM measure WHERE 1 / (CASE WHEN patient = 17 AND sex = 'm' THEN 0 ELSE 1 END) = 1;
