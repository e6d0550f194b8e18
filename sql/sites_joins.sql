-- Joins of what sites publish with shared tables: what PostgreSQL says on the same rows in the clear.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rows :abs_srcdir '/sql/include/sites_joins_tables.sql'
\set questions :abs_srcdir '/sql/include/sites_joins.sql'
\c research postgres
CREATE SCHEMA joined AUTHORIZATION alice;
\c research alice
SET search_path = joined, public;
CREATE FOREIGN TABLE followed (patient integer NOT NULL, grp smallint NOT NULL, age integer OPTIONS (bits '8') NOT NULL, weight numeric(5,1))
	SERVER consortium OPTIONS (kind 'shared', patient 'patient', unique 'patient', threshold '5');
CREATE FOREIGN TABLE ward (ward smallint NOT NULL, title varchar(6), chronic boolean)
	SERVER consortium OPTIONS (kind 'shared', unique 'ward', threshold '1');
\i :rows
SET client_min_messages = warning;
SET secmed.site_rows = 1024;
\i :questions
\c pooled postgres
CREATE SCHEMA joined;
GRANT USAGE ON SCHEMA joined TO alice;
SET search_path = joined, public;
CREATE TABLE followed (patient integer NOT NULL, grp smallint NOT NULL, age integer NOT NULL, weight numeric(5,1));
CREATE TABLE ward (ward smallint NOT NULL, title varchar(6), chronic boolean);
GRANT ALL ON ALL TABLES IN SCHEMA joined TO alice;
\i :rows
\c pooled alice
\i :questions

\c research alice
SET search_path = joined, consortium, public;
SET secmed.site_rows = 1024;
EXPLAIN (COSTS OFF) SELECT title, sum(cost) FROM visit JOIN ward USING (ward) WHERE cost > 10 AND chronic GROUP BY title;
-- too few
SELECT count(*) FROM measure m JOIN followed f ON m.patient = f.patient WHERE age = 21 AND grp = 3;
SELECT count(*) FROM visit v JOIN ward USING (ward) WHERE title = 'garden';
-- refused: rows; patients who can't be counted any more; values that are not compared
SELECT title FROM visit JOIN ward USING (ward);
SELECT count(*) FROM followed f WHERE EXISTS (SELECT FROM visit v WHERE v.visit = f.patient);
SELECT title, count(*) FROM ward WHERE EXISTS (SELECT FROM visit v WHERE v.ward = ward.ward) GROUP BY title;
SELECT grp, sum(n) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) v JOIN followed f ON v.patient = f.patient GROUP BY grp;
SELECT count(*) FROM measure m JOIN followed f ON m.patient > f.patient;
SELECT count(*) FROM measure m JOIN ward w ON m.name = w.title;
SELECT count(*) FROM visit v JOIN followed f ON v.ward = f.grp;
DROP FOREIGN TABLE followed, ward;
