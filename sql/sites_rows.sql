-- Questions that sums of the sites can't answer: they share rows, or groups, and the parties compute on them.
\c research alice
SET search_path = consortium, public;
SET secmed.site_rows = 1024;
-- groups without public values: each site groups, the parties merge
SELECT i2 % 5 AS k, count(*), sum(i4), avg(i4), count(i4) FROM measure GROUP BY 1 ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT i2 % 5, count(*) FROM measure GROUP BY 1;
-- rows: different values, joins on any column, EXISTS, a sub-query
SELECT count(DISTINCT i2), count(DISTINCT patient) FROM measure;
SELECT count(*) FROM measure m WHERE EXISTS (SELECT FROM visit v WHERE v.patient = m.patient AND cost > 10);
SELECT count(*) FROM measure m JOIN visit v ON m.patient = v.visit;
SELECT n, count(*) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) v JOIN measure m USING (patient) GROUP BY n ORDER BY n;
SELECT n, count(*) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) v GROUP BY n ORDER BY n;
SELECT DISTINCT ward FROM visit ORDER BY 1;
-- nobody, and too few
SELECT i2, count(*) FROM measure WHERE false GROUP BY i2;
SELECT i2 % 5, count(*) FROM measure WHERE patient < 4 GROUP BY 1;
-- refused: rows, values of single patients, a bound that would tell of few, a table of which no rows are shared
SELECT name FROM measure;
SELECT max(i4) FROM measure;
SET secmed.site_groups = 10;
RESET secmed.site_rows;
ALTER FOREIGN TABLE measure OPTIONS (SET rows_max '0');
SELECT count(DISTINCT i2) FROM measure;
ALTER FOREIGN TABLE measure OPTIONS (SET rows_max '1024');
-- the least and greatest of each group, of what sites say are each group's own
\c charite postgres
SELECT secmed.set_column_policy('visit', name, uses => '{aggregate,group,filter,join,extreme}') FROM unnest('{visit,cost}'::name[]) name;
\c lmu postgres
SELECT secmed.set_column_policy('visit', name, uses => '{aggregate,group,filter,join,extreme}') FROM unnest('{visit,cost}'::name[]) name;
\c gemelli postgres
SELECT secmed.set_column_policy('visit', 'cost', uses => '{aggregate,group,filter,join,extreme}');
\c research alice
SET search_path = consortium, public;
ALTER FOREIGN TABLE visit ALTER COLUMN cost OPTIONS (ADD uses 'aggregate, group, filter, join, extreme');
ALTER FOREIGN TABLE visit ALTER COLUMN visit OPTIONS (ADD uses 'aggregate, group, filter, join, extreme');
SELECT ward, visit % 4 = 0 AS fourth, min(cost), max(cost) FILTER (WHERE cost < 20), max(-cost), count(cost) FROM visit GROUP BY 1, 2 ORDER BY 1, 2;
EXPLAIN (COSTS OFF) SELECT ward, min(cost) FROM visit WHERE cost > 3 GROUP BY ward;
SELECT ward, min(cost), max(cost) FROM visit WHERE patient < 18 GROUP BY ward ORDER BY 1;
-- one of them does not allow it
SELECT ward, max(visit) FROM visit GROUP BY ward;
ALTER FOREIGN TABLE visit ALTER COLUMN cost OPTIONS (DROP uses);
ALTER FOREIGN TABLE visit ALTER COLUMN visit OPTIONS (DROP uses);
\c pooled alice
SELECT ward, visit % 4 = 0 AS fourth, min(cost), max(cost) FILTER (WHERE cost < 20), max(-cost), count(cost) FROM consortium.visit GROUP BY 1, 2 ORDER BY 1, 2;
\c charite postgres
SELECT secmed.set_column_policy('visit', name) FROM unnest('{visit,cost}'::name[]) name;
\c lmu postgres
SELECT secmed.set_column_policy('visit', name) FROM unnest('{visit,cost}'::name[]) name;
\c gemelli postgres
SELECT secmed.set_column_policy('visit', 'cost');

-- rows without a patient count where there are enough with one; more rows than the bound; a site that has raised its smallest group
\c charite postgres
CREATE TABLE clinic.loose AS SELECT CASE WHEN n % 4 <> 0 THEN n END AS patient, n % 3 AS k, n % 7 AS v FROM generate_series(1, 60) n;
INSERT INTO clinic.loose SELECT CASE WHEN n < 5 THEN n END, 9, n FROM generate_series(1, 4) n;
SELECT secmed.publish('clinic.loose', patient => 'patient', min_patients => 5, rows_max => 64);
\c lmu postgres
CREATE TABLE clinic.loose AS SELECT NULL::integer AS patient, n % 3 AS k, n AS v FROM generate_series(1, 12) n;
SELECT secmed.publish('clinic.loose', patient => 'patient', min_patients => 5, rows_max => 64);
\c gemelli postgres
CREATE TABLE clinic.loose AS SELECT NULL::integer AS patient, 9 AS k, n AS v FROM generate_series(1, 20) n;
SELECT secmed.publish('clinic.loose', patient => 'patient', min_patients => 5, rows_max => 64);
\c research alice
SET search_path = consortium, public;
IMPORT FOREIGN SCHEMA published LIMIT TO (loose) FROM SERVER consortium INTO consortium;
SELECT k, count(*), count(DISTINCT v), count(DISTINCT patient) FROM loose GROUP BY k ORDER BY k;
SELECT k, count(*), sum(v) FROM loose GROUP BY k ORDER BY k;
\c gemelli postgres
SELECT secmed.unpublish('loose');
SELECT secmed.publish('clinic.loose', patient => 'patient', min_patients => 6, rows_max => 64);
\c research alice
SELECT k, count(DISTINCT v) FROM consortium.loose GROUP BY k ORDER BY k;
\c gemelli postgres
SELECT secmed.unpublish('loose');
SELECT secmed.publish('clinic.loose', patient => 'patient', min_patients => 5, rows_max => 64);
INSERT INTO clinic.loose SELECT NULL, 9, n FROM generate_series(1, 45) n;
\c research alice
SELECT k, count(DISTINCT v) FROM consortium.loose GROUP BY k ORDER BY k;
DROP FOREIGN TABLE consortium.loose;
\c charite postgres
SELECT secmed.unpublish('loose');
DROP TABLE clinic.loose;
\c lmu postgres
SELECT secmed.unpublish('loose');
DROP TABLE clinic.loose;
\c gemelli postgres
SELECT secmed.unpublish('loose');
DROP TABLE clinic.loose;
