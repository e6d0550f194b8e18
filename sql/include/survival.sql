SET search_path = consortium, public;
-- the curve at asked times
SELECT stratum, "time", n_risk, n_event, n_censor,
	   to_char(survival, '0.999999999') AS survival, to_char(std_err, '0.999999999') AS std_err,
	   to_char(lower, '0.999999999') AS lower, to_char(upper, '0.999999999') AS upper,
	   to_char(hazard, '0.999999999') AS hazard, to_char(hazard_std_err, '0.999999999') AS hazard_std_err
  FROM secmed.survfit('surv(time, status) ~ sex', 'trial', '{100, 200, 300, 400}');
SELECT near(survival, 0.6742025860489241) AS survival, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$surv[2]
	   near(std_err, 0.05228808185222165) AS error, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$std.err[2]
	   near(lower, 0.579128715094448) AS lower, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$lower[2]
	   near(upper, 0.7848844569223721) AS upper, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$upper[2]
	   near(hazard, 0.3908378679909129) AS hazard, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$cumhaz[2]
	   near(hazard_std_err, 0.07686467647215184) AS hazard_error, -- R: summary(survfit(Surv(time, status) ~ sex, lung), times = 300)$std.chaz[2]
	   n_risk, n_event, n_censor
  FROM secmed.survfit('surv(time, status) ~ sex', 'trial', '{300}') WHERE stratum = 'sex=2';
SELECT near(lower, 0.5396724835390809) AS lower, -- R: summary(survfit(Surv(time, status) ~ 1, lung, conf.type = "log-log", conf.int = .9), times = 250)$lower
	   near(upper, 0.648991887733483) AS upper, -- R: summary(survfit(Surv(time, status) ~ 1, lung, conf.type = "log-log", conf.int = .9), times = 250)$upper
	   stratum FROM secmed.survfit('surv(time, status = 2) ~ 1', 'trial', '{250}', 'log-log', 0.9);
SELECT near(lower, 0.5044728872363343) AS lower, -- R: summary(survfit(Surv(time, status) ~ ph_ecog, lung, conf.type = "plain", subset = age > 60), times = 250, extend = TRUE)$lower[2]
	   near(upper, 0.7488835942451472) AS upper, -- R: summary(survfit(Surv(time, status) ~ ph_ecog, lung, conf.type = "plain", subset = age > 60), times = 250, extend = TRUE)$upper[2]
	   stratum
  FROM secmed.survfit('surv(time, status) ~ ph_ecog', 'trial', '{250}', 'plain', "where" => 'age > 60', levels => '{"ph_ecog": [0, 1, 2]}') WHERE stratum = 'ph_ecog=1';
-- what it comes to
SELECT stratum, n, n_event, median, median_lower, median_upper FROM secmed.survfit_summary('surv(time, status) ~ sex', 'trial');
-- the log-rank test
SELECT stratum, n, observed, to_char(expected, '999.999999999') AS expected, to_char(variance, '999.999999999') AS variance, df
  FROM secmed.survdiff('surv(time, status) ~ sex', 'trial');
SELECT DISTINCT near(statistic, 10.32674195488563) AS chisq, -- R: survdiff(Surv(time, status) ~ sex, lung)$chisq
	   near(p_value, 0.001311164520355488) AS p -- R: survdiff(Surv(time, status) ~ sex, lung)$pvalue
  FROM secmed.survdiff('surv(time, status) ~ sex', 'trial');
SELECT near(expected, 25.5928438950058) AS expected, -- R: sum(survdiff(Surv(time, status) ~ ph_ecog + strata(sex), lung, subset = ph_ecog < 3)$exp[3, ])
	   near(statistic, 18.98821850618662) AS chisq, -- R: survdiff(Surv(time, status) ~ ph_ecog + strata(sex), lung, subset = ph_ecog < 3)$chisq
	   near(p_value, 7.529406433986006e-05) AS p, -- R: survdiff(Surv(time, status) ~ ph_ecog + strata(sex), lung, subset = ph_ecog < 3)$pvalue
	   df FROM secmed.survdiff('surv(time, status) ~ ph_ecog + strata(sex)', 'trial', levels => '{"ph_ecog": [0, 1, 2]}') WHERE stratum = 'ph_ecog=2';
