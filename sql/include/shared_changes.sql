-- Run twice: on shares, and on the same rows in the clear.
\set QUIET on
SET search_path = cohort, public;
UPDATE person SET age = age + 1, sex = 'male' WHERE weight > 70;
SELECT sex, count(*), sum(age) FROM person GROUP BY sex ORDER BY sex;
DELETE FROM person WHERE age < 30 OR smoker;
SELECT count(*), sum(age), count(sex), count(smoker) FROM person;
UPDATE person SET weight = NULL, smoker = age > 50, enrolled = enrolled + 10 WHERE age > 60;
SELECT count(*), count(weight), sum(weight), min(enrolled), bool_and(smoker), count(smoker) FROM person;
BEGIN;
DELETE FROM person;
ROLLBACK;
BEGIN;
SAVEPOINT one;
UPDATE person SET age = 0;
ROLLBACK TO one;
UPDATE person SET score = score * 2 WHERE sex = 'male';
COMMIT;
SELECT count(*), sum(age), sum(score) FROM person;
-- other rows' values would not fit
UPDATE person SET age = age + 55 WHERE age < 60;
SELECT count(*), sum(age) FROM person;
UPDATE person SET age = 50;
SELECT count(*), sum(age), avg(age) FROM person;
INSERT INTO person VALUES (1000, 'female', 33, 60, DATE '2024-02-29', true, 0);
SELECT count(*), sum(age), max(enrolled) FROM person;
\set QUIET off
