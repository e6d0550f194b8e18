SET search_path = consortium, public;
-- Figures of R 4.2.2 with the call beside them; test/peers/r computes them anew.
SELECT near(secmed.skewness(f8), -0.02145431770610556) AS skewness, -- R: skewness(f8)
	   near(secmed.skewness(ratio, 1), 2.750500114400499) AS type1, -- R: skewness(ratio, 1)
	   near(secmed.skewness(i4, 2), 0.0003379446875901307) AS type2, -- R: skewness(i4, 2)
	   near(secmed.skewness(1e9 + ratio), 2.736478890287334) AS far, -- R: skewness(ratio)
	   near(secmed.kurtosis(f8), -1.508484913780419) AS kurtosis, -- R: kurtosis(f8)
	   near(secmed.kurtosis(ratio, 1), 8.388647368500378) AS type1, -- R: kurtosis(ratio, 1)
	   near(secmed.kurtosis(price, 2), -1.254235065202335) AS type2, -- R: kurtosis(price, 2)
	   near(secmed.standard_error(ratio), 3.291178324442981) AS error, -- R: standard_error(ratio)
	   near((secmed.mean_ci(ratio)).conf_low, 39.02946909307875) AS low, -- R: t.test(ratio)$conf.int[1]
	   near((secmed.mean_ci(ratio)).conf_high, 51.98416211698103) AS high, -- R: t.test(ratio)$conf.int[2]
	   near((secmed.mean_ci(f8, 0.9)).conf_high, 79.97723242461664) AS level, -- R: t.test(f8, conf.level = .9)$conf.int[2]
	   near((secmed.mean_ci(f8)).n_missing, 82) AS missing, -- R: sum(is.na(f8))
	   near((secmed.summary(f4)).stddev, 0.6135414059407721) AS stddev, -- R: sd(f4, na.rm = TRUE)
	   near((secmed.summary(f4)).kurtosis, -1.223897655183937) AS shape, -- R: kurtosis(f4)
	   near(secmed.weighted_mean(f8, ratio), 37.43864336699968) AS weighted, -- R: { ok <- !is.na(f8 + ratio); weighted.mean(f8[ok], ratio[ok]) }
	   near(secmed.weighted_variance(f4, patient), 0.3793880680438996) AS variance -- R: cov.wt(cbind(f4[p %% 5 != 0]), p[p %% 5 != 0] / sum(p[p %% 5 != 0]))$cov
  FROM measure \gx
SELECT near((secmed.proportion_ci(smoker)).estimate, 0.3346774193548387) AS share, -- R: mean(smoker, na.rm = TRUE)
	   near((secmed.proportion_ci(smoker)).conf_low, 0.2769664385782948) AS low, -- R: prop.test(sum(known(smoker)), length(known(smoker)))$conf.int[1]
	   near((secmed.proportion_ci(smoker)).conf_high, 0.3976035454204276) AS high, -- R: prop.test(sum(known(smoker)), length(known(smoker)))$conf.int[2]
	   near((secmed.proportion_ci(smoker, 0.9, false)).conf_low, 0.2874089289509302) AS plain, -- R: prop.test(sum(known(smoker)), length(known(smoker)), conf.level = .9, correct = FALSE)$conf.int[1]
	   near((secmed.proportion_ci_exact(smoker)).conf_low, 0.2762265650443861) AS exact_low, -- R: binom.test(sum(known(smoker)), length(known(smoker)))$conf.int[1]
	   near((secmed.proportion_ci_exact(smoker, 0.99)).conf_high, 0.4165364380280779) AS exact_high -- R: binom.test(sum(known(smoker)), length(known(smoker)), conf.level = .99)$conf.int[2]
  FROM measure \gx
-- means, variances, correlation
SELECT near((secmed.t_test(f8, 100)).statistic, -2.096754942874714) AS t, -- R: t.test(f8, mu = 100)$statistic
	   near((secmed.t_test(f8, 100)).p_value, 0.03703254854866962) AS p, -- R: t.test(f8, mu = 100)$p.value
	   near((secmed.t_test(f8, 100, 0.9, 'less')).p_value, 0.01851627427433481) AS less, -- R: t.test(f8, mu = 100, alternative = "less")$p.value
	   near((secmed.t_test(f8, 100, 0.9, 'less')).conf_high, 63.53266925892883) AS limit, -- R: t.test(f8, mu = 100, alternative = "less", conf.level = .9)$conf.int[2]
	   near((secmed.t_test(ratio, sex = 'f')).statistic, 0.2784485464488179) AS welch, -- R: t.test(ratio[sex == "f"], ratio[sex != "f"])$statistic
	   near((secmed.t_test(ratio, sex = 'f')).df, 118.1966700826336) AS df, -- R: t.test(ratio[sex == "f"], ratio[sex != "f"])$parameter
	   near((secmed.t_test(ratio, sex = 'f')).p_value, 0.7811546020519278) AS p, -- R: t.test(ratio[sex == "f"], ratio[sex != "f"])$p.value
	   near((secmed.t_test(ratio, smoker)).conf_low, -18.00161400840245) AS low, -- R: t.test(ratio[smoker], ratio[!smoker])$conf.int[1]
	   near((secmed.t_test(ratio, smoker, 0.95, 'greater')).conf_low, -15.62985830907138) AS greater, -- R: t.test(ratio[smoker], ratio[!smoker], alternative = "greater")$conf.int[1]
	   near((secmed.t_test_pooled(f8, smoker)).p_value, 0.9926794746869263) AS pooled, -- R: t.test(f8[smoker], f8[!smoker], var.equal = TRUE)$p.value
	   near((secmed.t_test_pooled(f8, smoker)).standard_error, 95.39472140169001) AS error, -- R: t.test(f8[smoker], f8[!smoker], var.equal = TRUE)$stderr
	   near((secmed.t_test_paired(ratio, price)).p_value, 0.4459680665175879) AS paired, -- R: t.test(ratio, price, paired = TRUE)$p.value
	   near((secmed.t_test_paired(ratio, price)).conf_high, 10.37000819829584) AS high, -- R: t.test(ratio, price, paired = TRUE)$conf.int[2]
	   near((secmed.variance_test(ratio, smoker)).p_value, 0.03444450588238449) AS f, -- R: var.test(ratio[smoker], ratio[!smoker])$p.value
	   near((secmed.variance_test(ratio, smoker)).conf_high, 0.9672460777956334) AS f_high, -- R: var.test(ratio[smoker], ratio[!smoker])$conf.int[2]
	   near((secmed.variance_test(ratio, smoker, 0.9, 'less')).conf_high, 0.8375191256291213) AS f_less, -- R: var.test(ratio[smoker], ratio[!smoker], alternative = "less", conf.level = .9)$conf.int[2]
	   near((secmed.correlation_test(ratio, price)).estimate, 0.1288349803758082) AS r, -- R: cor.test(ratio, price)$estimate
	   near((secmed.correlation_test(ratio, price)).p_value, 0.03902503761283341) AS r_p -- R: cor.test(ratio, price)$p.value
  FROM measure \gx
-- f8 with i2 in an answer of its own: four have no i2, and sums of f8 over all would tell theirs
SELECT near((secmed.correlation_test(f8, i2)).p_value, 0.4933513387545262) AS r_p2, -- R: cor.test(f8, i2)$p.value
	   near((secmed.correlation_test(f8, i2, 0.9)).conf_low, -0.1489238432881713) AS r_low -- R: cor.test(f8, i2, conf.level = .9)$conf.int[1]
  FROM measure \gx
-- tables
SELECT near((secmed.chisq_test(smoker, sex = 'f')).statistic, 0.006295435650798008) AS yates, -- R: chisq.test(two(smoker, sex == "f"))$statistic
	   near((secmed.chisq_test(smoker, i2 > 0, false)).p_value, 0.6332881809884916) AS plain, -- R: chisq.test(two(smoker, i2 > 0), correct = FALSE)$p.value
	   near((secmed.chisq_test(smoker, i4 > 0)).n_missing, 82) AS missing, -- R: sum(is.na(smoker) | is.na(i4))
	   near((secmed.odds_ratio(smoker, i2 > 0)).estimate, 0.8782978723404256) AS odds, -- R: odds(two(smoker, i2 > 0))[1]
	   near((secmed.odds_ratio(smoker, i2 > 0)).conf_low, 0.5153064159347777) AS odds_low, -- R: odds(two(smoker, i2 > 0))[3]
	   near((secmed.risk_ratio(smoker, i2 > 0)).estimate, 0.9310843373493977) AS risk, -- R: risk(two(smoker, i2 > 0))[1]
	   near((secmed.risk_ratio(smoker, i2 > 0, 0.99)).conf_high, 1.374345097163435) AS risk_high, -- R: risk(two(smoker, i2 > 0), .99)[4]
	   near((secmed.risk_difference(smoker, i2 > 0)).conf_low, -0.1636504537005758) AS difference, -- R: prop.test(two(smoker, i2 > 0), correct = FALSE)$conf.int[1]
	   near((secmed.fisher_test(smoker, i2 > 0)).p_value, 0.6848236284952847) AS fisher, -- R: fisher.test(two(smoker, i2 > 0))$p.value
	   near((secmed.fisher_test(smoker, i2 > 0)).estimate, 0.8787644531202377) AS fisher_odds, -- R: exact_fisher(two(smoker, i2 > 0))$estimate
	   near((secmed.fisher_test(smoker, i2 > 0)).conf_low, 0.496634999149425) AS fisher_low, -- R: exact_fisher(two(smoker, i2 > 0))$conf.int[1]
	   near((secmed.fisher_test(smoker, i2 > 0, 0.9, 'greater')).p_value, 0.7296497609339824) AS fisher_greater, -- R: fisher.test(two(smoker, i2 > 0), alternative = "greater")$p.value
	   near((secmed.mcnemar_test(i4 > 0, i2 > 0)).statistic, 1.202453987730061) AS mcnemar, -- R: mcnemar.test(two(i4 > 0, i2 > 0))$statistic
	   near((secmed.mcnemar_test(i4 > 0, i2 > 0, false)).p_value, 0.240038456787513) AS mcnemar_plain, -- R: mcnemar.test(two(i4 > 0, i2 > 0), correct = FALSE)$p.value
	   near((secmed.trend_test(stage, smoker)).statistic, 0.04111051878266546) AS trend -- R: { t <- table(stage, smoker); prop.trend.test(t[, 2], rowSums(t), 0:3)$statistic }
  FROM measure \gx
-- groups and FILTER: all columns, over sites as over the pooled rows
SET extra_float_digits = -5;
SELECT sex, (secmed.mean_ci(ratio)).* FROM measure GROUP BY sex ORDER BY sex;
SELECT stage, (secmed.t_test(f8, smoker)).* FROM measure GROUP BY stage ORDER BY stage \gx
SELECT (secmed.summary(f8) FILTER (WHERE sex = 'f')).*, secmed.standard_error(f8) FILTER (WHERE smoker) FROM measure \gx
SELECT sex, (secmed.risk_difference(smoker, i2 > 0) FILTER (WHERE i4 > 0)).* FROM measure GROUP BY sex ORDER BY sex;
SELECT (secmed.fisher_test(smoker, i2 > 0)).*, (secmed.mcnemar_test(smoker, i2 > 0)).method FROM measure \gx
SELECT (secmed.t_test_paired(ratio, price, 0.99, 'less')).* FROM measure \gx
SELECT (secmed.proportion_ci(smoker)).estimate > 0.3 AS many, round((secmed.odds_ratio(smoker, i2 > 0)).estimate::numeric, 4) AS odds FROM measure HAVING secmed.skewness(f8) < 1;
-- a constant column, a column against itself
SELECT secmed.skewness(i2 - i2 + 3), secmed.kurtosis(7), secmed.standard_error(7), (secmed.mean_ci(7)).* FROM measure;
SELECT (secmed.t_test(i2 - i2 + 3)).*, (secmed.correlation_test(i2, 1)).* FROM measure \gx
SELECT (secmed.trend_test(1, smoker)).*, secmed.weighted_mean(f8, 0) FROM measure;
SELECT (secmed.correlation_test(f8, 3 * f8)).* FROM measure;
-- NaN and infinity
SELECT (secmed.mean_ci(CASE WHEN patient > 250 THEN 'NaN' ELSE f8 END)).*, secmed.skewness(CASE WHEN patient > 250 THEN 'Infinity' ELSE f8 END) FROM measure;
SELECT (secmed.t_test(CASE WHEN patient > 250 THEN '-Infinity' ELSE f8 END, smoker)).* FROM measure \gx
RESET extra_float_digits;
