-- Noise in answers, and what they may spend of a table's privacy.  The consortium and people of contracts.sql.
\getenv abs_srcdir PG_ABS_SRCDIR
\getenv abs_builddir PG_ABS_BUILDDIR
\set sign :abs_srcdir '/sql/include/sign.sql'
\set active :abs_srcdir '/sql/include/contract_active.sql'
\set keys :abs_builddir '/results/contracts-'
SELECT setting || '/secmed' AS tool FROM pg_config WHERE name = 'BINDIR' \gset
\setenv KEYS :keys
\c north postgres
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 5);
\c south postgres
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 5);
\c east postgres
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 5);
\c desk postgres
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA published LIMIT TO (visit) FROM SERVER consortium INTO consortium;
GRANT SELECT ON consortium.visit TO alice;

-- what can't have noise
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
PREPARE draft(text, jsonb) AS SELECT secmed.draft_contract('c', 'T', 'P', $1, legal_basis => 'L', terms => 'T', noise => $2) <> '';
EXECUTE draft('SELECT count(*) FROM measure', '{}');
EXECUTE draft('SELECT count(*) FROM measure', '{"rho": 0}');
EXECUTE draft('SELECT count(*) FROM measure', '{"rho": 101}');
EXECUTE draft('SELECT count(*) FROM measure', '{"rho": "much"}');
EXECUTE draft('SELECT count(*) FROM measure', '{"rho": 1, "epsilon": 1}');
EXECUTE draft('SELECT count(*) FROM measure', '{"rho": 1, "rows_max": 0}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1, "bounds": {"i4": 3}}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1, "bounds": {"i4": [3]}}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1, "bounds": {"i4": [0, "x"]}}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1, "bounds": {"i4": [3, 3]}}');
EXECUTE draft('SELECT sum(i4) FROM measure', '{"rho": 1, "bounds": {"i4": [0, 1e30]}}');
EXECUTE draft('SELECT sum(price) FROM measure', '{"rho": 1, "bounds": {"price": [0, 1, 13]}}');
EXECUTE draft('SELECT sum(i4 / 2) FROM measure', '{"rho": 1, "bounds": {"i4": [0, 1]}}');
EXECUTE draft('SELECT sum(abs(i4)) FROM measure', '{"rho": 1, "bounds": {"i4": [0, 1]}}');
EXECUTE draft('SELECT bool_or(smoker) FROM measure', '{"rho": 1}');
EXECUTE draft('SELECT sum(stay) FROM measure', '{"rho": 1, "bounds": {"stay": [0, 1]}}');
EXECUTE draft('SELECT sex FROM measure GROUP BY sex', '{"rho": 1}');
EXECUTE draft('SELECT sum(i4 * 2 - 1), avg(price), stddev(f8), corr(f8, i4) FROM measure WHERE i4 > 0', '{"rho": 1, "bounds": {"i4": [0, 100], "price": [0, 100, 2], "f8": [-1000, 1000, 1]}}');

-- numbers with noise, and small groups withheld as well
SELECT secmed.draft_contract('noisy', 'Prices by sex', 'What does it cost?',
	'SELECT sex, count(*) AS n, sum(price) AS price, avg(f8) AS mean, stddev(f8) AS deviation FROM measure WHERE patient <= $1 GROUP BY sex ORDER BY sex',
	'[{"name": "last", "type": "integer", "min": 1, "max": 400}]', legal_basis => 'L', terms => 'T', patients_min => 5, vetters => 1,
	noise => '{"rho": 40, "bounds": {"price": [0, 50, 1], "f8": [-1000, 1000]}}') AS draft \gset
\set named noisy
\i :active
SELECT regexp_split_to_table(substring(text FROM 'noise  .*(?=\nvalid from)'), '\n') AS says FROM secmed.contract WHERE name = 'noisy';

-- the same of rows, with a bound that matters, and in place of a smallest group
SELECT secmed.draft_contract('visits', 'Visits', 'How many?', 'SELECT count(*) AS n, sum(cost) AS cost FROM visit WHERE patient <= $1',
	'[{"name": "last", "type": "integer", "min": 1, "max": 400}]', legal_basis => 'L', terms => 'T', patients_min => 5, vetters => 1,
	noise => '{"rho": 100, "rows_max": 1, "thresholds": false, "bounds": {"cost": [0, 1]}}') AS draft \gset
\set named visits
\i :active
\c desk postgres
SELECT node, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";

-- budgets
\c north postgres
SELECT secmed.set_budget('nothing', 1);
SELECT secmed.set_budget('measure', -1);
SELECT secmed.set_budget('measure', 'NaN');
SELECT secmed.set_budget('measure', 1001);
SELECT secmed.set_budget('measure', NULL);
SELECT secmed.set_budget('measure', 1, 'nobody');
\c desk alice
SET search_path = consortium;
\set VERBOSITY terse
\set SHOW_CONTEXT never
-- Which site is the first to refuse is chance.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '"(north|south|east)"', '"..."');
END $$;
SELECT pg_temp.refused($$SELECT * FROM secmed.run('noisy', '{"last": 400}') AS t(sex text, n bigint, price numeric, mean float8, deviation float8)$$);
\c north postgres
SELECT secmed.set_budget('measure', 100), secmed.set_budget('visit', 1000);
SELECT secmed.fingerprint_text(fingerprint) AS ada FROM secmed.identity WHERE name = 'ada' \gset
SELECT secmed.set_budget('measure', 85.5, :'ada');
\c south postgres
SELECT secmed.set_budget('measure', 1000), secmed.set_budget('visit', 1000);
\c east postgres
SELECT secmed.set_budget('measure', 1000), secmed.set_budget('visit', 1000);

-- near the truth, and not the truth: eight standard deviations are one in 10^15
\c desk alice
SET search_path = consortium;
\set VERBOSITY terse
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '"(north|south|east)"', '"..."');
END $$;
EXPLAIN (COSTS OFF) SELECT sex, count(*), sum(price), avg(f8), stddev(f8) FROM measure WHERE patient <= 400 GROUP BY sex;
CREATE TEMP TABLE noisy AS SELECT * FROM secmed.run('noisy', '{"last": 400}') AS t(sex text, n bigint, price numeric, mean float8, deviation float8);
SELECT sex, abs(n - CASE sex WHEN 'f' THEN 110 ELSE 220 END) < 8 * 7 AS n_near FROM noisy ORDER BY sex;
CREATE TEMP TABLE truth AS SELECT sex, count(*) AS n, sum(least(round(price, 1), 50)) FILTER (WHERE price IS NOT NULL) AS price
  FROM (SELECT CASE WHEN p % 3 = 0 THEN 'f' ELSE 'm' END AS sex, CASE WHEN p % 8 <> 0 THEN (p * 37 % 10007)::numeric(10,2) / 100 END AS price
		  FROM generate_series(1, 330) p) m GROUP BY sex;
SELECT bool_and(a.n = t.n AND a.price = t.price) AS exact, bool_and(abs(a.price - t.price) < 8 * 15.5) AS price_near,
	   bool_and(scale(a.price) = 1) AS in_tenths FROM noisy a JOIN truth t USING (sex);
SELECT sex, mean BETWEEN -500 AND 500 AS mean_near, deviation BETWEEN 200 AND 1200 AS deviation_near FROM noisy ORDER BY sex;
SELECT sex, n IS NULL AS withheld FROM secmed.run('noisy', '{"last": 6}') AS t(sex text, n bigint, price numeric, mean float8, deviation float8) ORDER BY sex;
-- of each patient one row: 264, and not the 528 rows; of each sum at most one
SELECT n BETWEEN 200 AND 330 AS n_near, cost BETWEEN 100 AND 330 AS cost_near FROM secmed.run('visits', '{"last": 400}') AS t(n bigint, cost numeric);
-- a single patient is hidden by noise alone
SELECT n BETWEEN -80 AND 80 AS n_near, n IS NULL AS withheld FROM secmed.run('visits', '{"last": 1}') AS t(n bigint, cost numeric);
SELECT pg_temp.refused($$SELECT * FROM secmed.run('noisy', '{"last": 400}') AS t(sex text, n bigint, price numeric, mean float8, deviation float8)$$);

-- what is left, and what the ledger says
\c north postgres
SELECT "table", requester IS NOT NULL AS of_one, name, rho, spent, "left", runs, epsilon_spent FROM secmed.budget ORDER BY "table", 2;
SELECT actor, object, outcome, counters FROM secmed.events WHERE kind = 'budget' ORDER BY seq;
SELECT revealed FROM secmed.events WHERE kind = 'outcome' AND revealed LIKE '%noise%' ORDER BY seq LIMIT 1;
SELECT outcome FROM secmed.events WHERE kind = 'decision' AND outcome <> 'yes' ORDER BY seq DESC LIMIT 1;
-- more may be allowed, and what was spent stays spent
SELECT secmed.set_budget('measure', 81, :'ada');
SELECT rho, spent, "left" FROM secmed.budget WHERE requester IS NOT NULL;
SELECT secmed.set_budget('measure', 80, :'ada');
SELECT rho, spent, "left" FROM secmed.budget WHERE requester IS NOT NULL;
SELECT secmed.bounded(1.25, 1, 0, 100), secmed.bounded('NaN', 0, 3, 5), secmed.bounded('Infinity', 2, 0, 7), secmed.bounded(-9, 0, -2, 7), secmed.bounded(NULL, 0, 0, 1);
\! rm -f "$KEYS"*.key
