-- Loads the patients of one hospital, or of all ('pooled'), into clinic.trial.
--
--     psql -v data=/absolute/path/of/this/folder -v hospital=lmu -f load.sql
--
-- The server reads the files, so its user must be able to.

\set ON_ERROR_STOP on
\set lung :data '/lung.csv'
\set hospitals :data '/hospitals.csv'

CREATE SCHEMA clinic;
CREATE TABLE clinic.trial (
	patient_id	integer PRIMARY KEY,
	inst		smallint,
	time		integer NOT NULL,
	status		smallint NOT NULL,
	age			integer NOT NULL,
	sex			smallint NOT NULL,
	ph_ecog		smallint,
	ph_karno	smallint,
	pat_karno	smallint,
	meal_cal	integer,
	wt_loss		integer
);

CREATE TEMP TABLE lung (LIKE clinic.trial);
CREATE TEMP TABLE institution (inst smallint, hospital text NOT NULL);
COPY lung FROM :'lung' (FORMAT csv, HEADER);
COPY institution FROM :'hospitals' (FORMAT csv, HEADER);

INSERT INTO clinic.trial
	SELECT lung.*
	  FROM lung
	  JOIN institution ON institution.inst IS NOT DISTINCT FROM lung.inst
	 WHERE hospital = :'hospital' OR :'hospital' = 'pooled'
	 ORDER BY patient_id;
ANALYZE clinic.trial;
