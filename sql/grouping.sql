-- GROUP BY what has a public domain; first over three sites, then pooled.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/grouping.sql'
\c research alice
SET client_min_messages = warning;
SET secmed.suppressed = omit;
\i :file
\c pooled alice
\i :file

\c research alice
SET search_path = consortium, public;
-- no public domain
SELECT name, count(*) FROM measure GROUP BY name ORDER BY 1;
SELECT i4 % 3, count(*) FROM measure GROUP BY 1 ORDER BY 1;
SELECT day, count(*) FROM measure GROUP BY day ORDER BY 1;
SELECT date_trunc('year', day), count(*) FROM measure GROUP BY 1;
SELECT CASE WHEN i4 > 0 THEN name ELSE 'none' END, count(*) FROM measure GROUP BY 1 ORDER BY 1;
-- totals beside parts
SELECT sex, count(*) FROM measure GROUP BY ROLLUP (sex);
SELECT sex, smoker, count(*), grouping(sex) FROM measure GROUP BY GROUPING SETS ((sex), (smoker));
-- too many groups
SELECT count(*) FROM measure GROUP BY sex, stage, smoker, grade, i4 > 0, i4 > 1, i4 > 2, i4 > 3, i4 > 4, i4 > 5, i4 > 6;
-- not grouped by
SELECT sex, i4, count(*) FROM measure GROUP BY sex;

-- a value outside the domain is an error at the site that owns it, not a silent loss
\c lmu postgres
UPDATE clinic.measure SET stage = 7 WHERE patient = 211;
\c research alice
SET search_path = consortium, public;
SELECT stage, count(*) FROM measure GROUP BY stage;
SELECT stage, count(*) FROM measure WHERE stage < 4 OR stage IS NULL GROUP BY stage ORDER BY 1;
\c lmu postgres
UPDATE clinic.measure SET stage = 1 WHERE patient = 211;
