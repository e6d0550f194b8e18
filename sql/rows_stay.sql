-- Rows can't leave, by any way of asking.
\c research alice
SET search_path = consortium, public;
SELECT * FROM measure;
SELECT name FROM measure WHERE patient = 5;
SELECT ctid, tableoid FROM measure;
SELECT measure FROM measure;
SELECT count(measure), count(ctid) FROM measure;
SELECT DISTINCT sex FROM measure ORDER BY 1;
SELECT sex FROM measure ORDER BY name LIMIT 1;
SELECT sex, row_number() OVER () FROM measure;
SELECT 1 FROM measure;
SELECT EXISTS (SELECT FROM measure WHERE name = 'patient 5');
SELECT * FROM measure FOR UPDATE;
SELECT count(*) FROM measure m, generate_series(1, 2) g;
SELECT m.sex, count(*) FROM measure m JOIN (VALUES ('m', 1)) v(sex, x) USING (sex) GROUP BY 1;
SELECT x, (SELECT count(*) FROM measure WHERE i4 > x) FROM generate_series(1, 3) x;
SELECT x, n FROM generate_series(1, 3) x, LATERAL (SELECT count(*) AS n FROM measure WHERE i4 > x) r;
SELECT (SELECT name FROM measure LIMIT 1);
SELECT count(*) FROM (SELECT DISTINCT sex FROM measure) s;
SELECT count(*) FROM (SELECT * FROM measure LIMIT 5) s;
SELECT count(*) FROM (SELECT * FROM measure UNION ALL SELECT * FROM measure) s;
SELECT count(*) FROM (SELECT *, random() AS r FROM measure) s WHERE r > 0.5;
SELECT unnest(ARRAY[1, 2]), count(*) FROM measure;
INSERT INTO measure (patient, sex) VALUES (1, 'm');
UPDATE measure SET i4 = 0;
DELETE FROM measure;
TRUNCATE measure;
COPY measure FROM stdin;
\.
COPY measure TO stdout;
COPY (SELECT name FROM measure) TO stdout;
EXPLAIN SELECT * FROM measure;
ANALYZE measure;
CREATE TEMP TABLE child () INHERITS (measure);
SELECT count(*) FROM measure TABLESAMPLE SYSTEM (10);
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM measure;
ROLLBACK;
