SET search_path = consortium, public;
SET extra_float_digits = -3;
-- Figures of R 4.2.2 with the call beside them; test/peers/r computes them anew.
-- rates
SELECT near((r).estimate, 0.007780306637820165) AS rate, -- R: person_rate(smoker, price)$estimate
	   near((r).conf_low, 0.006196970807708608) AS low, -- R: person_rate(smoker, price)$conf.int[1]
	   near((r).conf_high, 0.009644860666637866) AS high, -- R: person_rate(smoker, price)$conf.int[2]
	   near((r).person_time, 10667.96) AS years, -- R: sum(price[!is.na(smoker)], na.rm = TRUE)
	   (r).events, (r).n, (r).n_missing FROM (SELECT secmed.incidence_rate(price, smoker) AS r FROM measure) rates;
SELECT near((secmed.incidence_rate(price, stage)).estimate, 0.03458428189497807) AS counted, -- R: { ok <- !is.na(price + stage); sum(stage[ok]) / sum(price[ok]) }
	   near((secmed.incidence_rate(price, smoker, 0.9)).conf_high, 0.009338438507892673) AS level, -- R: person_rate(smoker, price, conf.level = .9)$conf.int[2]
	   near((secmed.incidence_rate(price, smoker) FILTER (WHERE sex = 'f')).estimate, 0.007505879605691125) AS women -- R: person_rate(smoker[sex == "f"], price[sex == "f"])$estimate
  FROM measure;
SELECT near((r).estimate, 0.8483307038161148) AS ratio, -- R: person_rates(i2 > 0, smoker, price)$estimate
	   near((r).conf_low, 0.5338906680763176) AS low, -- R: person_rates(i2 > 0, smoker, price)$conf.int[1]
	   near((r).conf_high, 1.337794391227273) AS high, -- R: person_rates(i2 > 0, smoker, price)$conf.int[2]
	   near((r).p_value, 0.5100515644979808) AS p, -- R: person_rates(i2 > 0, smoker, price)$p.value
	   near((r).standard_error, 0.221482219427336) AS error, -- R: { ok <- !is.na(i2 + price); sqrt(sum(1 / table(i2[ok & smoker] > 0))) }
	   (r).n, (r).n_missing FROM (SELECT secmed.rate_ratio(price, i2 > 0, smoker) AS r FROM measure) rates;
SELECT near((r).estimate, -0.001287505945960475) AS difference, -- R: rate_difference(i2 > 0, smoker, price)[1]
	   near((r).conf_low, -0.004667396492563458) AS low, -- R: rate_difference(i2 > 0, smoker, price)[2]
	   near((r).p_value, 0.4552980808635845) AS p -- R: rate_difference(i2 > 0, smoker, price)[3]
  FROM (SELECT secmed.rate_difference(price, i2 > 0, smoker) AS r FROM measure) rates;
SELECT near(estimate, 0.007783584445589358) AS rate, -- R: adjusted(smoker, price, stage, c(5, 3, 2, 1))[1]
	   near(crude_rate, 0.007733571433593227) AS crude, -- R: adjusted(smoker, price, stage, c(5, 3, 2, 1))[2]
	   near(standard_error, 0.001079403049622983) AS error, -- R: adjusted(smoker, price, stage, c(5, 3, 2, 1))[3]
	   near(conf_low, 0.00581312936478127) AS low, -- R: adjusted(smoker, price, stage, c(5, 3, 2, 1))[4]
	   near(conf_high, 0.01028581896773514) AS high, -- R: adjusted(smoker, price, stage, c(5, 3, 2, 1))[5]
	   strata, events, n FROM secmed.standardised_rate('smoker ~ price | stage', 'measure', '{"0": 5, "1": 3, "2": 2, "3": 1}');
SELECT near(estimate, 1.192460613567961) AS smr, -- R: standard_mortality(smoker, price, stage, c(5, 6, 7, 8) / 1000)$estimate
	   near(conf_low, 0.9222489521458563) AS low, -- R: standard_mortality(smoker, price, stage, c(5, 6, 7, 8) / 1000)$conf.int[1]
	   near(conf_high, 1.517102278114821) AS high, -- R: standard_mortality(smoker, price, stage, c(5, 6, 7, 8) / 1000)$conf.int[2]
	   near(p_value, 0.1574203793592013) AS p, -- R: standard_mortality(smoker, price, stage, c(5, 6, 7, 8) / 1000)$p.value
	   near(expected, 55.34774) AS expected, -- R: { ok <- !is.na(price) & !is.na(smoker) & !is.na(stage); sum((price * (5 + stage) / 1000)[ok]) }
	   observed, n FROM secmed.smr('smoker ~ price | stage', 'measure', '{"0": 0.005, "1": 0.006, "2": 0.007, "3": 0.008}');
SELECT near(p_value, 4.747000753791077e-10) AS more_than_expected -- R: standard_mortality(smoker, price, stage, c(5, 6, 7, 8) / 2000)$p.value
  FROM secmed.smr('smoker ~ price | stage', 'measure', '{"0": 0.0025, "1": 0.003, "2": 0.0035, "3": 0.004}');
-- tests of yes and no
SELECT near((d).sensitivity, 0.4337349397590362) AS sensitivity, -- R: mean(i2[smoker] > 0, na.rm = TRUE)
	   near((d).sensitivity_low, 0.3252587801247256) AS low, -- R: exact_share(known(i2[smoker] > 0))[1]
	   near((d).specificity_high, 0.6130493573498706) AS high, -- R: exact_share(known(i2[!smoker] <= 0))[2]
	   near((d).specificity, 0.5341614906832298) AS specificity, -- R: mean(i2[!smoker] <= 0, na.rm = TRUE)
	   near((d).ppv, 0.3243243243243243) AS ppv, -- R: mean(smoker[i2 > 0], na.rm = TRUE)
	   near((d).npv_low, 0.5590526168257394) AS npv_low, -- R: exact_share(known(!smoker[i2 <= 0]))[1]
	   near((d).lr_positive, 0.9310843373493977) AS lr_positive, -- R: mean(i2[smoker] > 0, na.rm = TRUE) / mean(i2[!smoker] > 0, na.rm = TRUE)
	   near((d).lr_negative, 1.060100868590642) AS lr_negative, -- R: mean(i2[smoker] <= 0, na.rm = TRUE) / mean(i2[!smoker] <= 0, na.rm = TRUE)
	   near((d).accuracy, 0.5) AS accuracy -- R: mean((i2 > 0) == smoker, na.rm = TRUE)
  FROM (SELECT secmed.diagnostic_test(i2 > 0, smoker) AS d FROM measure) tests \gx
-- scores
SELECT * FROM secmed.roc('smoker ~ stage', 'measure') ORDER BY cutoff;
SELECT cutoff, true_positive, false_positive FROM secmed.roc('smoker ~ f8', 'measure', '{-500, 0, 500}') ORDER BY cutoff;
SELECT near(estimate, 0.4914559125085441) AS area, -- R: roc_area(smoker, stage)[1]
	   near(standard_error, 0.04238669932788881) AS delong, -- R: roc_area(smoker, stage)[2]
	   near(hanley_error, 0.04348294111979208) AS hanley, -- R: roc_area(smoker, stage)[3]
	   near(conf_low, 0.4083795084023539) AS low, -- R: roc_area(smoker, stage)[1] - qnorm(.975) * roc_area(smoker, stage)[2]
	   diseased, others, n_missing FROM secmed.auc('smoker ~ stage', 'measure');
SELECT near(estimate, 0.4778021175611537) AS cut, -- R: roc_area(smoker, findInterval(f8, c(-500, 0, 500)))[1]
	   near(standard_error, 0.03735821452015132) AS delong, -- R: roc_area(smoker, findInterval(f8, c(-500, 0, 500)))[2]
	   n_missing FROM secmed.auc('smoker ~ f8', 'measure', '{-500, 0, 500}', 0.9);
-- propensity scores
SET client_min_messages = warning;
SELECT secmed.propensity_score('smoker ~ f4 + sex', 'measure') AS score,
	   secmed.propensity_score('smoker ~ f4 + sex', 'measure', "where" => 'i2 > 0') AS of_some \gset
SELECT near(mean1, 0.9848484848484849) AS treated, -- R: balance("f4")[1]
	   near(mean0, 0.9829545454545454) AS others, -- R: balance("f4")[2]
	   near(smd, 0.003078603939426537) AS smd, -- R: balance("f4")[3]
	   near(weighted_mean1, 0.9835692649050123) AS weighted, -- R: balance("f4")[4]
	   near(weighted_smd, -2.019745431597127e-05) AS weighted_smd -- R: balance("f4")[6]
  FROM secmed.balance('smoker ~ f4 + sex', 'measure', :'score') WHERE term = 'f4';
SELECT near(smd, 0) AS smd, -- R: balance("sex")[3]
	   near(weighted_smd, 0.0001329952299828551) AS weighted_smd -- R: balance("sex")[6]
  FROM secmed.balance('smoker ~ f4 + sex', 'measure', :'score') WHERE term = 'sexm';
SELECT weighted_mean1 = mean1 AS treated,
	   near(weighted_mean0, 0.9848359799309253) AS controls -- R: balance("f4", "ATT")[5]
  FROM secmed.balance('smoker ~ f4 + sex', 'measure', :'score', 'ATT') WHERE term = 'f4';
SELECT term, weighted_smd IS NULL AS unweighted FROM secmed.balance('smoker ~ sex', 'measure');
SELECT near(estimate, -1.223584829537062) AS effect, -- R: effect()[1]
	   near(standard_error, 4.444830314235119) AS robust -- R: effect()[2]
  FROM secmed.lm('i2 ~ smoker', 'measure', weights => secmed.propensity_weights('smoker', :'score'), errors => 'HC0') WHERE term = 'smokerTRUE';
SELECT near(avg(:of_some), 0.3333333333334492) AS score -- R: mean(fitted(glm(smoker ~ f4 + sex, binomial, subset = i2 > 0)))
  FROM measure;
