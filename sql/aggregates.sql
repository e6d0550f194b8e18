-- PostgreSQL's own aggregates: first over three sites, then over the pooled rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/aggregates.sql'
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file

-- values that don't fit are an error at the site, before anything is sent
\c research alice
SET search_path = consortium, public;
SELECT sum(i8::numeric * 1e110) FROM measure WHERE patient > 300;
SELECT sum(ratio * 1e-40) FROM measure WHERE patient > 300;
SELECT sum(f8 * 1e60) FROM measure WHERE patient > 300;
SELECT avg(f8 * 1e-80) FROM measure WHERE patient > 300;
SELECT sum(i8 * 9000000000) FROM measure WHERE patient > 300;
SELECT sum(i4 - i4 + 2147483647) AS fits FROM measure;
-- nothing but empty groups is withheld
SELECT count(i4), sum(i4), avg(i4), stddev(price), sum(f8), corr(f8, f4), bool_or(smoker), sum(stay) FROM measure WHERE patient = -1;

-- not available
SELECT max(i4) FROM measure;
SELECT array_agg(name) FROM measure;
SELECT string_agg(name, ',') FROM measure;
SELECT mode() WITHIN GROUP (ORDER BY i4) FROM measure;
SELECT count(DISTINCT i4) FROM measure;
SELECT sum(DISTINCT i4) FROM measure;
SELECT bit_or(i4) FROM measure;
SELECT sum(i4::text::money) FROM measure;
SELECT json_agg(name) FROM measure;
