-- Percentiles over the values of three sites: first over the sites, then over the pooled rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/quantiles.sql'
\c research alice
SET client_min_messages = warning;
SET extra_float_digits = -1;
\i :file
\c pooled alice
SET extra_float_digits = -1;
\i :file

-- what it opens, and what it costs
\c research alice
SET search_path = consortium, public;
\pset format unaligned
EXPLAIN (COSTS OFF) SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f8), percentile_disc(0.5) WITHIN GROUP (ORDER BY f8) FROM measure;
-- no public values: rows are shared, and the sites would have to allow it
EXPLAIN (COSTS OFF) SELECT i2, percentile_cont(0.5) WITHIN GROUP (ORDER BY f8) FROM measure GROUP BY i2;
\pset format aligned
-- few values before it or after it are not told of
SELECT percentile_disc(0) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_disc(ARRAY[0.5, 1]) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_disc(ARRAY[0.01, 0.02, 0.5, 0.99]) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_cont(0.999) WITHIN GROUP (ORDER BY i4) FROM measure;
SET secmed.suppressed = 'error';
SELECT percentile_cont(0.999) WITHIN GROUP (ORDER BY i4) FROM measure;
RESET secmed.suppressed;
-- too few patients, of all and of those who have a value
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4), count(*) FROM measure WHERE patient <= 3;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4) FILTER (WHERE patient <= 3), count(*) FROM measure;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4) FILTER (WHERE i4 IS NULL) FROM measure;
-- refused
SELECT percentile_disc(1.5) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_disc(0.123456) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4 DESC) FROM measure;
SELECT percentile_disc(NULL) WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ratio) FROM measure;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY name) FROM measure;
\c research postgres
ALTER FOREIGN TABLE consortium.measure OPTIONS (SET rows_max '0');
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4) FROM consortium.measure;
ALTER FOREIGN TABLE consortium.measure OPTIONS (SET rows_max '1024');
-- the aggregate is for sites
\c pooled postgres
SELECT length(secmed.all_values(i4, 0)), length(secmed.all_values(price, 2)), secmed.all_values(i4, 0) FILTER (WHERE false) IS NULL AS none FROM consortium.measure;
SELECT secmed.all_values(i4, 2) FROM consortium.measure;
SELECT secmed.all_values(name, 0) FROM consortium.measure;
SELECT secmed.all_values(price, 1) FROM consortium.measure;
SELECT encode(secmed.all_values(x, 0), 'hex') FROM (VALUES ('-0'::float8), (0), ('NaN'), ('-Infinity'), (1), (-1)) v(x);
