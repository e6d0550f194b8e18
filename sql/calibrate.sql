-- What computing on shares costs among the parties of a server is measured, and told by EXPLAIN.
\c charite postgres
SELECT mode, coalesce(who::text, '') AS who FROM secmed.site_mode WHERE table_name = '' \gset
-- a party that answers questions only under a contract is measured as well
SELECT secmed.set_mode('contracts');
\c research postgres
SET client_min_messages = warning;
SELECT bool_and(x > 0) AS measured FROM secmed.calibrate('consortium') c, unnest(ARRAY[round_us, bytes_per_s, value_ns, run_ms]) x;
SELECT server, round_us > 0 AS kept, measured_at > now() - interval '1 minute' AS new FROM secmed.calibration;
SELECT kind, outcome, object FROM secmed.audit
WHERE run = (SELECT run FROM secmed.audit WHERE kind = 'request' ORDER BY seq DESC LIMIT 1) ORDER BY seq;
\c charite postgres
SELECT kind, outcome, object FROM secmed.audit
WHERE run = (SELECT run FROM secmed.audit WHERE kind = 'request' ORDER BY seq DESC LIMIT 1) AND kind <> 'outcome' ORDER BY seq;
-- one that answers nothing is not
SELECT secmed.set_mode('closed');
\c research postgres
SELECT secmed.calibrate('consortium');
\c charite postgres
SELECT secmed.set_mode(:'mode', nullif(:'who', '')::text[]);

\c research alice
CREATE FUNCTION pg_temp.explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$DECLARE line text; BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP RETURN NEXT regexp_replace(line, '[0-9.]+', 'N', 'g'); END LOOP; END$$;
SELECT * FROM pg_temp.explained('SELECT i2, count(*) FROM consortium.measure GROUP BY i2') e WHERE e ~ 'merge|Expected|Costs';
-- refused
SELECT secmed.calibrate('consortium');
UPDATE secmed.calibration SET round_us = 1;
\c research postgres
SELECT secmed.calibrate('nowhere');
DELETE FROM secmed.calibration;
