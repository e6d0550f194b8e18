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
