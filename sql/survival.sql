-- Times until an event: the patients of the lung trial, over three sites, then over the pooled rows; the figures are R's.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/survival.sql'
\set lung :abs_srcdir '/sql/include/lung.sql'
\set SHOW_CONTEXT never
\c pooled postgres
\set schema consortium
\set hospital pooled
\i :lung
GRANT SELECT ON consortium.trial TO alice;
\set schema clinic
\set publish 'SELECT secmed.publish(''clinic.trial'', patient => ''patient'', min_patients => 5, domains => ''{"time": {"min": 1, "max": 1022}, "status": [1, 2], "sex": [1, 2], "ph_ecog": [0, 1, 2, 3, null], "inst": [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 15, 16, 21, 22, 26, 32, 33, null]}'');'
\c charite postgres
\set hospital charite
\i :lung
:publish
\c lmu postgres
\set hospital lmu
\i :lung
:publish
\c gemelli postgres
\set hospital gemelli
\i :lung
:publish
\c research alice
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA published LIMIT TO (trial) FROM SERVER consortium INTO consortium;
\i :file
-- what is opened, and what it costs
\pset format unaligned
EXPLAIN (VERBOSE, COSTS OFF) SELECT sex, secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{1,0,199,399}') FROM trial GROUP BY sex;
\pset format aligned
-- fewer patients than the sites want: of an arm, between two times, behind a time, with an event
SELECT stratum, "time", n_risk, round(survival::numeric, 9) AS survival FROM secmed.survfit('surv(time, status) ~ ph_ecog', 'trial', '{0, 30, 90, 91, 180, 365, 850, 1022, 2000}');
SELECT stratum, n, n_event, median FROM secmed.survfit_summary('surv(time, status) ~ ph_ecog', 'trial');
SELECT stratum, n_event FROM secmed.survfit('surv(time, status = 2 AND age < 45) ~ 1', 'trial', '{365}');
SELECT * FROM secmed.survdiff('surv(time, status) ~ ph_ecog', 'trial');
SET secmed.suppressed = 'omit';
SELECT stratum, n FROM secmed.survfit_summary('surv(time, status) ~ ph_ecog', 'trial');
SET secmed.suppressed = 'error';
SELECT stratum, n FROM secmed.survfit_summary('surv(time, status) ~ ph_ecog', 'trial');
RESET secmed.suppressed;
-- a median where few are at risk: all others have left before
SELECT n, median IS NULL AS withheld FROM secmed.survfit_summary('surv(CASE WHEN age = 74 AND sex = 2 THEN time ELSE 1 END, age < 63 OR age = 74) ~ 1', 'trial', grid => '{1, 1022, 1}');
-- without times; a grid of the asker's; years
SELECT count(*), max("time") FROM secmed.survfit('surv(time, status) ~ 1', 'trial');
SELECT "time", n_risk FROM secmed.survfit('surv(time / 365.25, status) ~ 1', 'trial', '{0.5, 1}', grid => '{0, 4, 0.01}');
-- what the sites or the parties can't do
SELECT * FROM secmed.survfit('surv(time, status) ~ 1', 'trial', '{100}', "where" => 'inst = 11', grid => '{0, 100, 1}');
SELECT * FROM secmed.survfit('surv(time, status) ~ 1', 'trial', '{100}', grid => '{0, 100000, 1}');
SELECT * FROM secmed.survfit('surv(time, status) ~ 1', 'trial', '{100}', grid => '{0, 100}');
SELECT * FROM secmed.survfit('surv(age, status) ~ 1', 'trial', '{100}');
SELECT * FROM secmed.survfit('surv(time, age) ~ 1', 'trial', '{100}');
SELECT * FROM secmed.survfit('surv(time, status) ~ 1', 'trial', (SELECT array_agg(i) FROM generate_series(1, 257) i));
SELECT * FROM secmed.survfit('surv(visit % 10, ward = 1) ~ 1', 'visit', '{1}', "where" => 'patient < 99', grid => '{0, 9, 1}');
SELECT * FROM secmed.survfit_summary('surv(time, status) ~ sex', 'trial', conf_type => 'plain');
SELECT * FROM secmed.survfit_summary('surv(time, status) ~ sex', 'trial', 365);
SELECT count(*), secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{1,0,199}') FROM trial;
SELECT secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{1,0,199,199}') FROM trial;
SELECT secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{3,0}') FROM trial;
SELECT secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{1,0,199}') FILTER (WHERE sex = 1) FROM trial;
SELECT inst, secmed.estimate_events(time - 1, status = 2, 0, '{16384,2}', '{2,0}') FROM trial GROUP BY inst;
\c pooled alice
\i :file
SELECT secmed.estimate_events(time - 1, status = 2, 0, '{1022,1}', '{1,0,199}') FROM trial;
-- strata of few patients; the restricted mean
SELECT near(variance, 34.20386920706327) AS variance, -- R: survdiff(Surv(time, status) ~ sex + strata(inst), lung)$var[1, 1]
	   near(statistic, 8.524467363323174) AS chisq -- R: survdiff(Surv(time, status) ~ sex + strata(inst), lung)$chisq
  FROM secmed.survdiff('surv(time, status) ~ sex + strata(inst)', 'trial') WHERE stratum = 'sex=1';
SELECT near(median, 426) AS median, -- R: quantile(survfit(Surv(time, status) ~ sex, lung), .5)$quantile[2]
	   near(median_lower, 348) AS lower, -- R: quantile(survfit(Surv(time, status) ~ sex, lung), .5)$lower[2]
	   near(median_upper, 550) AS upper, -- R: quantile(survfit(Surv(time, status) ~ sex, lung), .5)$upper[2]
	   near(mean, 360.9109541954664) AS mean, -- R: summary(survfit(Surv(time, status) ~ sex, lung), rmean = 500)$table[2, "rmean"]
	   near(mean_std_err, 16.80101816869396) AS error -- R: summary(survfit(Surv(time, status) ~ sex, lung), rmean = 500)$table[2, "se(rmean)"]
  FROM secmed.survfit_summary('surv(time, status) ~ sex', 'trial', 500) WHERE stratum = 'sex=2';
-- all times of the rows
SELECT count(*), sum(n_event) AS events, sum(n_censor) AS censored, max(n_risk) AS n FROM secmed.survfit('surv(time, status) ~ sex', 'trial');
-- before the first time, after the last, twice the same
SELECT "time", n_risk, n_event, n_censor, survival FROM secmed.survfit('surv(time, status) ~ 1', 'trial', '{2000, -1, 5, 5, 0}');
-- all have their event at once, nobody has
SELECT "time", n_risk, n_event, survival, std_err, lower, upper FROM secmed.survfit('surv(7, true) ~ 1', 'trial');
SELECT * FROM secmed.survfit_summary('surv(time, false) ~ 1', 'trial', 7);
SELECT * FROM secmed.survdiff('surv(time, false) ~ sex', 'trial');
-- missing values, and no rows
SELECT stratum, n, n_missing FROM secmed.survfit_summary('surv(time, status) ~ ph_ecog', 'trial');
SELECT * FROM secmed.survfit_summary('surv(time, status = 2) ~ sex', 'trial', "where" => 'false');
-- what makes no sense
SELECT * FROM secmed.survfit('time ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(time) ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(time, status, 1) ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(time, age) ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(time, status) ~ sex + offset(age)', 'trial');
SELECT * FROM secmed.survfit('surv(time / 0.0, status) ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(''inf''::float8, status = 1) ~ sex', 'trial');
SELECT * FROM secmed.survfit('surv(time, status) ~ age + inst', 'trial');
SELECT * FROM secmed.survfit('surv(time, status) ~ sex', 'trial', '{}');
SELECT * FROM secmed.survfit('surv(time, status) ~ sex', 'trial', '{1, NaN}');
SELECT * FROM secmed.survfit('surv(time, status) ~ sex', 'trial', NULL, 'cloglog');
SELECT * FROM secmed.survfit('surv(time, status) ~ sex', 'trial', conf_level => 1);
SELECT * FROM secmed.survdiff('surv(time, status) ~ 1', 'trial');
SELECT secmed.glm('surv(time, status) ~ age', 'trial');
SELECT secmed.glm('status ~ age + strata(sex)', 'trial');
\c pooled stranger
SELECT * FROM secmed.survfit('surv(time, status) ~ sex', 'consortium.trial');
\c charite postgres
SELECT secmed.unpublish('trial');
DROP TABLE clinic.trial;
\c lmu postgres
SELECT secmed.unpublish('trial');
DROP TABLE clinic.trial;
\c gemelli postgres
SELECT secmed.unpublish('trial');
DROP TABLE clinic.trial;
\c research alice
DROP FOREIGN TABLE consortium.trial;
\c pooled postgres
DROP TABLE consortium.trial;
