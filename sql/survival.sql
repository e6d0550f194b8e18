-- Times until an event: the patients of the lung trial, over the pooled rows; the figures are R's.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/survival.sql'
\set lung :abs_srcdir '/sql/include/lung.sql'
\set SHOW_CONTEXT never
\c pooled postgres
\set schema consortium
\set hospital pooled
\i :lung
GRANT SELECT ON consortium.trial TO alice;
\c pooled alice
\i :file
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
