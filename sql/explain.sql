-- What EXPLAIN shows.
\c research alice
SET search_path = consortium, public;
EXPLAIN (COSTS OFF) SELECT sex, count(*), avg(i4) FROM measure WHERE i4 > 0 GROUP BY sex HAVING count(*) > 3 ORDER BY sex;
EXPLAIN (COSTS OFF, VERBOSE) SELECT sex, corr(f8, i4) FILTER (WHERE smoker), bool_or(smoker) FROM measure WHERE i4 > 0 GROUP BY sex;
EXPLAIN (COSTS OFF, VERBOSE) SELECT v.ward, sum(v.cost) FROM measure m JOIN visit v USING (patient) WHERE m.i4 > 0 GROUP BY v.ward;
EXPLAIN (COSTS OFF, FORMAT JSON) SELECT count(*) FROM measure;
-- ANALYZE adds what it did cost; rounds and bytes are exact
CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF) ' || query LOOP
		line := regexp_replace(line, '[0-9.]+ ms', 'N ms');
		line := regexp_replace(line, 'Run: [0-9a-f-]{36}', 'Run: UUID');
		RETURN NEXT regexp_replace(line, 'time=[0-9.]+', 'time=N');
	END LOOP;
END $$;
SELECT regexp_replace(explained, '\.\.[0-9.]+ rows', '..N rows') FROM explained('SELECT sex, count(*) FROM consortium.measure GROUP BY sex');
EXPLAIN (COSTS OFF) SELECT count(*) FROM measure WHERE false;
DROP FUNCTION explained;
