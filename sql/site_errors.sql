-- What a row's value raises at a site: one general error, without the value.
\c research alice
SET search_path = consortium, public;
SELECT count(*) FROM measure WHERE 10 / (patient - 205) > 0;
SELECT sum(name::integer) FROM measure WHERE patient BETWEEN 201 AND 300;
SELECT count(*) FROM measure WHERE patient BETWEEN 201 AND 300 AND sqrt(i4 + 0.5::float8) > 1;
SELECT sum(i2 * 1000::smallint) FROM measure WHERE patient BETWEEN 201 AND 300;
-- ... and it is on that site's ledger
\c lmu postgres
SELECT kind, outcome, revealed, statement LIKE '%205%' AS statement_kept FROM secmed.audit WHERE kind = 'outcome' ORDER BY seq DESC LIMIT 4;
SELECT count(*) FROM secmed.audit WHERE run IS NOT NULL AND (outcome LIKE '%205%' OR revealed LIKE '%205%' OR object LIKE '%205%');
-- a published table that is gone, or has changed, at one site
SELECT secmed.unpublish('visit');
\c research alice
SET search_path = consortium, public;
SELECT count(*) FROM visit;
\c lmu postgres
ALTER TABLE clinic.visit ALTER COLUMN ward TYPE integer;
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4, domains => '{"ward": [0, 1, 2]}', show_zero => true, rows_max => 2048);
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) FROM visit GROUP BY ward;
\c lmu postgres
SELECT secmed.unpublish('visit');
ALTER TABLE clinic.visit ALTER COLUMN ward TYPE smallint;
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4, domains => '{"ward": [0, 1]}', show_zero => true, rows_max => 2048);
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) FROM visit GROUP BY ward;
\c lmu postgres
SELECT secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4, domains => '{"ward": [0, 1, 2]}', show_zero => true, rows_max => 2048);
-- the publisher of the view loses the right to the table
CREATE ROLE publisher;
ALTER VIEW secmed_published.visit OWNER TO publisher;
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) FROM visit GROUP BY ward;
\c lmu postgres
ALTER VIEW secmed_published.visit OWNER TO postgres;
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) > 0 AS answered FROM visit GROUP BY ward ORDER BY 1;
-- the session goes on after every error
SELECT count(*) FROM measure;
-- a party's bound on memory
\c lmu postgres
ALTER DATABASE lmu SET secmed.mpc_memory = '64kB';
\c research alice
SET search_path = consortium, public;
SELECT count(*) > 0 AS answered FROM (SELECT sex, count(*) FROM measure GROUP BY sex) q;
SELECT count(*) > 0 AS answered FROM (SELECT sex, count(*) FROM measure GROUP BY sex, stage, smoker, i4 > 0, i4 > 1, i4 > 2) q;
SET secmed.mpc_memory = '1GB';
\c lmu postgres
ALTER DATABASE lmu RESET secmed.mpc_memory;
\c research alice
SET search_path = consortium, public;
SELECT count(*) > 0 AS answered FROM (SELECT sex, count(*) FROM measure GROUP BY sex, stage, smoker, i4 > 0, i4 > 1, i4 > 2) q;
