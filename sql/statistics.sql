-- Statistics whose state adds: first over three sites, then over the pooled rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/statistics.sql'
\c research postgres
CREATE FUNCTION public.near(got double precision, wanted double precision) RETURNS boolean
	LANGUAGE sql IMMUTABLE AS 'SELECT got = wanted OR abs(got / nullif(wanted, 0) - 1) < 1e-9';
\c pooled postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
CREATE FUNCTION public.near(got double precision, wanted double precision) RETURNS boolean
	LANGUAGE sql IMMUTABLE AS 'SELECT got = wanted OR abs(got / nullif(wanted, 0) - 1) < 1e-9';
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file

-- what each opens
\c research alice
SET search_path = consortium, public;
\pset format unaligned
EXPLAIN (VERBOSE, COSTS OFF) SELECT (secmed.t_test(f8, smoker) FILTER (WHERE i2 > 0)).p_value FROM measure;
EXPLAIN (VERBOSE, COSTS OFF) SELECT secmed.kurtosis(i4) FROM measure;
\pset format aligned
-- too few patients in one of the cells, in one of the groups, of the whole
SELECT (secmed.chisq_test(patient <= 3, smoker)).* FROM measure;
SELECT (secmed.t_test(f8, patient > 328)).* FROM measure;
SELECT (secmed.mean_ci(f8)).* FROM measure WHERE patient <= 3;
-- nothing there: fewer than the sites want
SELECT (secmed.mean_ci(f8) FILTER (WHERE f8 IS NULL)).* FROM measure;
SELECT secmed.skewness(f8) FILTER (WHERE false), secmed.weighted_mean(f8, ratio) FILTER (WHERE false) FROM measure;
SELECT (secmed.t_test(f8, smoker) FILTER (WHERE false)).* FROM measure \gx
SELECT (secmed.odds_ratio(smoker, sex = 'f') FILTER (WHERE smoker IS NULL)).* FROM measure;
-- one group only, empty cells
SELECT (secmed.t_test(f8, sex <> '')).*, (secmed.variance_test(f8, sex <> '')).statistic FROM measure \gx
SELECT (secmed.odds_ratio(sex = 'f', sex = 'f')).*, (secmed.fisher_test(sex = 'f', sex = 'f')).p_value FROM measure \gx
SELECT (secmed.chisq_test(sex <> '', smoker)).*, (secmed.mcnemar_test(sex = 'f', sex = 'f')).statistic AS mcnemar FROM measure;
-- options that make no sense
SELECT secmed.mean_ci(f8, 1.5) FROM measure;
SELECT secmed.skewness(f8, 4) FROM measure;
SELECT secmed.t_test(f8, 'Infinity') FROM measure;
SELECT secmed.t_test(f8, 0, 0.95, 'more') FROM measure;
SELECT secmed.mean_ci(f8, NULL) FROM measure;
-- what sites can't compute
SELECT secmed.mean_ci(f8, patient / 400.0) FROM measure;
SELECT secmed.mean_ci(DISTINCT f8) FROM measure;
SELECT secmed.skewness(f8 ORDER BY i4) FROM measure;
SELECT secmed.skewness(random() * f8) FROM measure;
SELECT secmed.skewness(f8 * 1e60) FROM measure WHERE patient > 300;

-- local rows alone
\c pooled alice
SET extra_float_digits = -3;
SET search_path = consortium, public;
SELECT (secmed.mean_ci(f8) FILTER (WHERE f8 IS NULL)).* FROM measure;
SELECT secmed.skewness(f8) FILTER (WHERE false), secmed.weighted_mean(f8, ratio) FILTER (WHERE false) FROM measure;
SELECT (secmed.t_test(f8, smoker) FILTER (WHERE false)).* FROM measure \gx
SELECT (secmed.odds_ratio(smoker, sex = 'f') FILTER (WHERE smoker IS NULL)).* FROM measure;
SELECT (secmed.t_test(f8, sex <> '')).*, (secmed.variance_test(f8, sex <> '')).statistic FROM measure \gx
SELECT (secmed.odds_ratio(sex = 'f', sex = 'f')).*, (secmed.fisher_test(sex = 'f', sex = 'f')).p_value FROM measure \gx
SELECT (secmed.chisq_test(sex <> '', smoker)).*, (secmed.mcnemar_test(sex = 'f', sex = 'f')).statistic AS mcnemar FROM measure;
SELECT secmed.mean_ci(f8, 1.5) FROM measure;
SELECT secmed.skewness(f8, 4) FROM measure;
SELECT secmed.t_test(f8, 'Infinity') FROM measure;
SELECT secmed.t_test(f8, 0, 0.95, 'more') FROM measure;
SELECT secmed.mean_ci(f8, NULL) FROM measure;
SELECT secmed.mean_ci(f8, patient / 400.0) FROM measure;
SELECT secmed.skewness(f8 * 1e60) FROM measure WHERE patient > 300;
SELECT secmed.skewness(f8) OVER () FROM measure;
SELECT secmed.mean_ci(x) FROM generate_series(1, 1) x;
SELECT secmed.summary(x) FROM (VALUES (1::double precision), (2), (NULL), (4)) v(x);
-- in parallel as without; two statistics of one column keep their states apart
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT secmed.kurtosis(f8), secmed.skewness(f8) FROM measure;
SELECT near(secmed.kurtosis(f8), secmed.kurtosis(f8 + 0)) AS kurtosis, secmed.skewness(f8) = secmed.skewness(f8 + 0) AS skewness FROM measure;
-- nobody else may
\c pooled stranger
SELECT secmed.skewness(x) FROM generate_series(1, 9) x;
