-- WHERE and arguments, run at the sites; first over three sites, then pooled.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/expressions.sql'
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file

-- anything else is an error that names the function and the reason
\c research alice
SET search_path = consortium, public;
SELECT count(*) FROM measure WHERE seen < now();
SELECT count(*) FROM measure WHERE i4 > random() * 10;
SELECT count(*) FROM measure WHERE pg_sleep(1) IS NULL;
SELECT count(*) FROM measure WHERE set_config('x.y', name, false) = 'a';
SELECT count(*) FROM measure WHERE to_char(seen, 'YYYY') = '2021';
SELECT sum(extract(hour FROM seen::timestamptz)) FROM measure;
SELECT count(*) FROM measure WHERE name < 'patient 2';
SELECT count(*) FROM measure WHERE greatest(name, sex) = 'm';
SELECT count(*) FROM measure WHERE pg_read_file(name) = 'x';
SELECT count(lo_import(name)) FROM measure;
SELECT count(query_to_xml('select 1', true, true, name)) FROM measure;
-- functions of the analyst are unknown to the sites
CREATE FUNCTION mine(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
SELECT sum(mine(i4)) FROM measure;
SELECT count(*) FROM measure m WHERE EXISTS (SELECT FROM visit v WHERE v.patient = m.patient);
SELECT count(*) FROM measure WHERE patient IN (SELECT patient FROM visit);
-- a sub-query that is asked once is a parameter
SELECT count(*) FROM measure WHERE i4 > (SELECT avg(i4) FROM measure);
PREPARE q(integer) AS SELECT count(*) FROM measure WHERE i4 > $1;
EXECUTE q(NULL);
DROP FUNCTION mine;
