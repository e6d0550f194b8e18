-- Statistics over a relation: first over three sites, then over the pooled rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/relations.sql'
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file

-- figures of single rows, which no site shows
\c pooled alice
SET search_path = consortium, public;
CREATE TEMP VIEW few AS SELECT * FROM measure WHERE patient <= 40;
SELECT near(statistic, 8236) AS w, -- R: wilcox.test(ratio[sex == "f"], ratio[sex != "f"])$statistic
	   near(p_value, 0.8800089424289886) AS p -- R: wilcox.test(ratio[sex == "f"], ratio[sex != "f"])$p.value
  FROM secmed.wilcox_test('ratio ~ (sex = ''f'')', 'measure');
SELECT near(p_value, 0.2307252634089216) AS exact, -- R: wilcox.test(f8[p <= 40 & sex == "f"], f8[p <= 40 & sex != "f"])$p.value
	   method FROM secmed.wilcox_test('f8 ~ (sex = ''f'')', 'few');
SELECT near(p_value, 0.6795872980728745) AS exact, -- R: wilcox.test(f8[p <= 40], alternative = "less")$p.value
	   method FROM secmed.signed_rank_test('f8', 'few', 'less');
SELECT near(p_value, 0.711321766470707) AS p -- R: wilcox.test(f8 - i4 / 10)$p.value
  FROM secmed.signed_rank_test('f8 - i4 / 10.0::double precision', 'measure');
SELECT near(p_value, 0.9966016327440583) AS p -- R: kruskal.test(ratio ~ stage)$p.value
  FROM secmed.kruskal_test('ratio ~ stage', 'measure');
SELECT near(statistic, 0.07326714469571614) AS d, -- R: ks.test(ratio[smoker], ratio[!smoker])$statistic
	   near(p_value, 0.9542562262815704) AS limit -- R: ks.test(ratio[smoker], ratio[!smoker])$p.value
  FROM secmed.ks_test('ratio ~ smoker', 'measure');
SELECT near(p_value, 0.993691465955334) AS ties, -- R: ks.test(i2[p <= 40 & smoker], i2[p <= 40 & !smoker])$p.value
	   method FROM secmed.ks_test('i2 ~ smoker', 'few');
SELECT near(estimate, 0.009399226788307728) AS rho, -- R: cor.test(f8, i4, method = "spearman")$estimate
	   near(p_value, 0.8828354930462802) AS series -- R: cor.test(f8, i4, method = "spearman")$p.value
  FROM secmed.spearman_test('f8 ~ i4', 'measure');
SELECT near(p_value, 0.5335742312423026) AS ties -- R: cor.test(f4, i2, method = "spearman", exact = FALSE)$p.value
  FROM secmed.spearman_test('f4 ~ i2', 'measure');
SELECT near(p_value, 0.8396825396825397) AS counted -- R: cor.test(f8[p <= 9], i4[p <= 9], method = "spearman")$p.value
  FROM secmed.spearman_test('f8 ~ (CASE WHEN patient <= 9 THEN i4 END)', 'few');
SELECT near(p_value, 0.9999999999999745) AS p -- R: fisher.test(table(p[p <= 40] %% 3, (p[p <= 40]^2) %/% 7 %% 4))$p.value
  FROM secmed.table_fisher_test('(patient % 3) ~ (patient * patient / 7 % 4)', 'few');
SELECT near(p_value, 0.9266045018868706) AS p -- R: bartlett.test(f8 ~ grade)$p.value
  FROM secmed.bartlett_test('f8 ~ grade', 'measure');
-- nothing there, one group, one row
CREATE TEMP VIEW nobody AS SELECT * FROM measure WHERE false;
SELECT * FROM secmed.anova('ratio ~ stage', 'nobody');
SELECT * FROM secmed.anova('ratio ~ 1', 'measure');
SELECT * FROM secmed.anova('7 ~ stage', 'measure', true);
SELECT * FROM secmed.bartlett_test('7 ~ stage', 'measure');
SELECT * FROM secmed.table_chisq_test('sex ~ 1', 'measure');
SELECT * FROM secmed.table_fisher_test('sex ~ smoker', 'nobody');
SELECT * FROM secmed.mantel_haenszel_test('smoker ~ smoker | patient', 'measure');
SELECT * FROM secmed.wilcox_test('ratio ~ true', 'measure');
SELECT * FROM secmed.wilcox_test('7 ~ smoker', 'measure');
SELECT * FROM secmed.signed_rank_test('0', 'measure');
SELECT * FROM secmed.kruskal_test('ratio ~ stage', 'nobody');
SELECT * FROM secmed.ks_test('ratio ~ smoker', 'nobody');
SELECT * FROM secmed.spearman_test('ratio ~ 1', 'measure');
SELECT * FROM secmed.histogram('ratio', 'nobody', '{0, 1}');
-- refused
SELECT * FROM secmed.anova('ratio', 'measure');
SELECT * FROM secmed.anova('ratio ~ stage | sex', 'measure');
SELECT * FROM secmed.mantel_haenszel_test('smoker ~ smoker', 'measure');
SELECT * FROM secmed.mantel_haenszel_test('smoker ~ smoker | sex', 'measure', true, 2);
SELECT * FROM secmed.signed_rank_test('f8 AS x', 'measure');
SELECT * FROM secmed.signed_rank_test('f8 FROM measure', 'measure');
SELECT * FROM secmed.wilcox_test('ratio ~ smoker', 'measure', 'more');
SELECT * FROM secmed.wilcox_test('(ratio + ''NaN'') ~ smoker', 'measure');
SELECT * FROM secmed.table_fisher_test('stage ~ (i4 % 10)', 'measure');
CREATE TEMP TABLE wide AS SELECT i AS a, i % 2000 AS b, i / 2000 AS c FROM generate_series(1, 20000) i;
SELECT * FROM secmed.table_fisher_test('b ~ (c <= 4)', 'wide');
SELECT * FROM secmed.kruskal_test('a ~ a', 'wide');
SELECT * FROM secmed.histogram('ratio', 'measure', '{1}');
SELECT * FROM secmed.histogram('ratio', 'measure', '{1, 1}');
SELECT * FROM secmed.histogram('ratio', 'measure', '{1, NULL, 3}');
SELECT * FROM secmed.histogram('ratio', 'measure', '{1, Infinity}');

-- what a consortium does not tell
\c research alice
SET search_path = consortium, public;
SELECT * FROM secmed.wilcox_test('ratio ~ smoker', 'measure');
SELECT * FROM secmed.table_chisq_test('stage ~ (patient <= 20)', 'measure');
SET secmed.suppressed = omit;
SELECT * FROM secmed.table_chisq_test('stage ~ (patient <= 20)', 'measure');
SELECT * FROM secmed.histogram('ratio', 'measure', '{0, 0.2, 0.6, 10}');
SHOW secmed.suppressed;
SELECT * FROM secmed.mantel_haenszel_test('smoker ~ (patient <= 20) | stage', 'measure');
-- more buckets than a public domain has
SELECT width_bucket(f8, 0, 50, 100000) AS bucket, count(*) FROM measure GROUP BY 1 ORDER BY 1;
