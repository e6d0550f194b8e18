\set ECHO none
-- Measurements of made-up patients: every type that can be aggregated, NULLs
-- in most columns, and the same rows whatever site asks for them.  :first and
-- :last choose the site's patients.
CREATE TYPE severity AS ENUM ('mild', 'moderate', 'severe');
CREATE SCHEMA clinic;
CREATE TABLE clinic.measure (
	patient		integer PRIMARY KEY,
	sex			text NOT NULL,
	stage		smallint,
	smoker		boolean,
	grade		severity,
	name		text,
	i2			smallint,
	i4			integer,
	i8			bigint,
	price		numeric(10,2),
	ratio		numeric,
	f4			real,
	f8			double precision,
	day			date,
	seen		timestamp,
	stay		interval
);
INSERT INTO clinic.measure
SELECT p, CASE WHEN p % 3 = 0 THEN 'f' ELSE 'm' END,
	   nullif(p % 5, 4),
	   CASE p % 4 WHEN 0 THEN NULL WHEN 1 THEN true ELSE false END,
	   (ARRAY['mild', 'moderate', 'severe', NULL])[1 + p % 4]::severity,
	   CASE WHEN p % 7 <> 0 THEN 'patient ' || p END,
	   nullif(p % 100 - 50, -43),
	   nullif(p * 7919 % 20011 - 10000, 7),
	   CASE WHEN p % 6 <> 0 THEN (p::bigint * 7919001 % 1000003) * 3000000000 END,
	   CASE WHEN p % 8 <> 0 THEN (p * 37 % 10007)::numeric(10,2) / 100 END,
	   CASE WHEN p % 9 <> 0 THEN p::numeric / (1 + p % 11) END,
	   CASE WHEN p % 5 <> 0 THEN (p % 17)::real / 8 END,
	   CASE WHEN p % 4 <> 0 THEN sin(p) * 1e3 END,
	   CASE WHEN p % 10 <> 0 THEN date '2020-01-01' + p * 13 % 900 END,
	   timestamp '2021-03-01 12:00' + p * interval '7 hours 13 minutes',
	   CASE WHEN p % 3 <> 1 THEN (p % 20) * interval '1 day' + (p % 13) * interval '1 hour' END
  FROM generate_series(:first, :last) p;

-- Several rows a patient; only the patient column joins them.
CREATE TABLE clinic.visit (
	visit		integer PRIMARY KEY,
	patient		integer,
	ward		smallint NOT NULL,
	cost		numeric(10,2)
);
INSERT INTO clinic.visit
SELECT p * 10 + v, p, (p + v) % 3, (p * v % 501)::numeric(10,2) / 10
  FROM generate_series(:first, :last) p, generate_series(1, 1 + p % 3) v
 WHERE p % 5 <> 0;
\set ECHO all
