SET search_path = consortium, public;
-- Figures of R 4.2.2 with the call beside them; test/peers/r computes them anew.
SELECT near(statistic, 0.2036355049406063) AS f, -- R: oneway.test(ratio ~ stage)$statistic
	   near(df2, 127.9682618311242) AS df, -- R: oneway.test(ratio ~ stage)$parameter[2]
	   near(p_value, 0.8937199310903065) AS p, -- R: oneway.test(ratio ~ stage)$p.value
	   method, groups, n, n_missing FROM secmed.anova('ratio ~ stage', 'measure');
SELECT near(p_value, 0.7728851940942136) AS p, -- R: oneway.test(ratio ~ sex, var.equal = TRUE)$p.value
	   method FROM secmed.anova('ratio ~ sex', 'measure', equal_variances => true);
SELECT near(statistic, 7.626552759183825) AS k, -- R: bartlett.test(ratio ~ stage)$statistic
	   near(p_value, 0.05439439644503584) AS p, -- R: bartlett.test(ratio ~ stage)$p.value
	   df FROM secmed.bartlett_test('ratio ~ stage', 'measure');
SELECT near(statistic, 0.06786288541390588) AS chisq, -- R: chisq.test(table(stage, smoker))$statistic
	   near(p_value, 0.9953927401602016) AS p, -- R: chisq.test(table(stage, smoker))$p.value
	   df, n, n_missing FROM secmed.table_chisq_test('stage ~ smoker', 'measure');
SELECT near(p_value, 0.9367591835045583) AS yates, -- R: chisq.test(table(sex, smoker))$p.value
	   method FROM secmed.table_chisq_test('sex ~ smoker', 'measure');
SELECT near(p_value, 1) AS p, -- R: fisher.test(table(stage, smoker))$p.value
	   n FROM secmed.table_fisher_test('stage ~ smoker', 'measure');
SELECT near(statistic, 0.0005675565658575239) AS m, -- R: mantelhaen.test(strata(smoker, i2 > 0, stage))$statistic
	   near(estimate, 1.054775337497481) AS odds, -- R: mantelhaen.test(strata(smoker, i2 > 0, stage))$estimate
	   near(conf_low, 0.5819929196202955) AS low, -- R: mantelhaen.test(strata(smoker, i2 > 0, stage))$conf.int[1]
	   near(p_value, 0.9809934383769786) AS p, -- R: mantelhaen.test(strata(smoker, i2 > 0, stage))$p.value
	   strata, n, n_missing FROM secmed.mantel_haenszel_test('(i2 > 0) ~ smoker | stage', 'measure');
SELECT near(conf_high, 1.373493035050474) AS high, -- R: mantelhaen.test(strata(smoker, i2 > 0, sex), correct = FALSE, conf.level = .9)$conf.int[2]
	   near(statistic, 0.2271129746041568) AS m -- R: mantelhaen.test(strata(smoker, i2 > 0, sex), correct = FALSE)$statistic
  FROM secmed.mantel_haenszel_test('(i2 > 0) ~ smoker | sex', 'measure', correct => false, conf_level => 0.9);
-- by ranks, where the values have a public domain
SELECT near(statistic, 4314) AS w, -- R: wilcox.test(stage[smoker], stage[!smoker])$statistic
	   near(p_value, 0.840571786991665) AS p, -- R: wilcox.test(stage[smoker], stage[!smoker])$p.value
	   n1, n2, n_missing FROM secmed.wilcox_test('stage ~ smoker', 'measure');
SELECT near(p_value, 0.4202858934958325) AS less -- R: wilcox.test(stage[smoker], stage[!smoker], alternative = "less")$p.value
  FROM secmed.wilcox_test('stage ~ smoker', 'measure', 'less');
SELECT near(statistic, 0) AS h, -- R: kruskal.test(stage ~ sex)$statistic
	   near(p_value, 1) AS p, -- R: kruskal.test(stage ~ sex)$p.value
	   df FROM secmed.kruskal_test('stage ~ sex', 'measure');
SELECT near(statistic, 0.01891091364775579) AS d, -- R: ks.test(stage[smoker], stage[!smoker], exact = FALSE)$statistic
	   near(p_value, 0.9870651006634583) AS p -- R: ks.test(stage[smoker], stage[!smoker])$p.value
  FROM secmed.ks_test('stage ~ smoker', 'measure');
SELECT near(estimate, -0.0143919175589587) AS rho, -- R: cor.test(stage, as.numeric(smoker), method = "spearman", exact = FALSE)$estimate
	   near(p_value, 0.8401086854068689) AS p -- R: cor.test(stage, as.numeric(smoker), method = "spearman", exact = FALSE)$p.value
  FROM secmed.spearman_test('stage ~ (smoker::integer)', 'measure');
SELECT near(statistic, 15312) AS v, -- R: wilcox.test(stage - 1)$statistic
	   near(p_value, 1.633590172323419e-12) AS p -- R: wilcox.test(stage - 1)$p.value
  FROM secmed.signed_rank_test('stage - 1', 'measure');
-- bins
SET extra_float_digits = -5;
SELECT * FROM secmed.histogram('ratio', 'measure', '{0, 10, 50, 120, 400}') WHERE n > 0;
SELECT * FROM secmed.histogram('f8', 'measure', '{-500, 0, 500}');
SELECT * FROM secmed.histogram_2d('ratio', 'f8', 'measure', '{0, 50, 400}', '{-1000, 0, 1000}') WHERE n > 0;
SELECT near(sum(n), 294) AS n -- R: sum(hist(known(ratio), breaks = c(0, 10, 50, 120, 400), plot = FALSE)$counts)
  FROM secmed.histogram('ratio', 'measure', '{0, 10, 50, 120, 400}');
SELECT near(density, 0.0141156462585034) AS density -- R: hist(known(ratio), breaks = c(0, 10, 50, 120, 400), plot = FALSE)$density[2]
  FROM secmed.histogram('ratio', 'measure', '{0, 10, 50, 120, 400}') WHERE bin = 2;
RESET extra_float_digits;
SELECT width_bucket(i2, -50, 50, 4) AS bucket, count(*) FROM measure WHERE i2 IS NOT NULL GROUP BY 1 HAVING count(*) > 0 ORDER BY 1;
SELECT width_bucket(f8, '{-1000, 0, 1000}') AS bucket, (secmed.mean_ci(ratio)).n FROM measure GROUP BY 1 HAVING count(*) > 0 ORDER BY 1;
