-- Regression by formula: over three sites, then over the pooled rows; the figures are R's.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/regression.sql'
\c pooled postgres
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS secmed;
\set SHOW_CONTEXT never
\c research alice
\i :file
\c pooled alice
\i :file
SET client_min_messages = notice;
SELECT count(*) FROM secmed.glm('smoker ~ f4', 'measure', 'binomial');
SET client_min_messages = warning;
-- and others over the pooled rows alone
EXECUTE fit('f8 ~ i4 + sex + price', 'gaussian', NULL, 'model', NULL);
-- glm(i2 + 50 ~ f4 + factor(stage) + offset(log(1 + abs(i4))), poisson)
EXECUTE fit('i2 + 50 ~ f4 + factor(stage) + offset(log(1 + abs(i4)))', 'poisson', 'patient % 7 <> 0', 'model', '{"stage": [1, 2, 3]}');
-- MASS::glm.nb(i2 + 50 ~ f4 + sex)
EXECUTE fit('i2 + 50 ~ f4 + sex', 'negative_binomial', NULL, 'model', NULL);
-- lm(f8 ~ 0 + sex:i4 + I(f4^2), weights = stage)
SELECT term, to_char(estimate, '9.99999999EEEE') AS estimate, to_char(conf_low, '9.99999999EEEE') AS conf_low,
	   to_char(conf_high, '9.99999999EEEE') AS conf_high
  FROM secmed.lm('f8 ~ 0 + sex:i4 + I(f4^2)', 'measure', weights => 'stage', conf_level => 0.9);
-- coef(MASS::lm.ridge(f8 ~ i4 + price, lambda = 10))
SELECT term, to_char(estimate, '9.99999999EEEE') AS estimate, to_char(vif, 'FM9990.00000000') AS vif
  FROM secmed.lm('f8 ~ i4 + price', 'measure', ridge => 10);

-- R's figures; test/peers/r computes them anew
SELECT near(estimate, -55.53496882665898) AS estimate, -- R: coef(lm(f8 ~ i4 + sex + price))["sexm"]
	   near(standard_error, 95.7475261132941) AS error, -- R: coef(summary(lm(f8 ~ i4 + sex + price)))["sexm", 2]
	   near(p, 0.5624399373319813) AS p, -- R: coef(summary(lm(f8 ~ i4 + sex + price)))["sexm", 4]
	   near(conf_low, -244.1321256880015) AS low, -- R: confint(lm(f8 ~ i4 + sex + price))["sexm", 1]
	   near(vif, 1.001141809006295) AS vif -- R: local({ used <- !is.na(f8) & !is.na(i4) & !is.na(price); 1 / (1 - summary(lm((sex == "m") ~ i4 + price, subset = used))$r.squared) })
  FROM secmed.lm('f8 ~ i4 + sex + price', 'measure') WHERE term = 'sexm';
SELECT near(estimate, -0.4538405329491042) AS estimate, -- R: coef(glm(smoker ~ i4 + sex * f4, binomial))["sexm:f4"]
	   near(standard_error, 0.5275884667464907) AS error, -- R: coef(summary(glm(smoker ~ i4 + sex * f4, binomial)))["sexm:f4", 2]
	   near(conf_high, 0.5802138605327254) AS high -- R: confint.default(glm(smoker ~ i4 + sex * f4, binomial))["sexm:f4", 2]
  FROM secmed.glm('smoker ~ i4 + sex * f4', 'measure', 'binomial') WHERE term = 'sexm:f4';
SELECT near(estimate, -0.06162000838106831) AS estimate, -- R: coef(glm(I(i2 + 50) ~ f4 + factor(stage) + offset(log(1 + abs(i4))), poisson))["factor(stage)3"]
	   near(standard_error, 0.02558412513020544) AS error -- R: coef(summary(glm(I(i2 + 50) ~ f4 + factor(stage) + offset(log(1 + abs(i4))), poisson)))["factor(stage)3", 2]
  FROM secmed.glm('i2 + 50 ~ f4 + factor(stage) + offset(log(1 + abs(i4)))', 'measure', 'poisson') WHERE term = 'factor(stage)3';
SELECT near(theta, 1.850867698474008) AS theta, -- R: MASS::glm.nb(I(i2 + 50) ~ f4 + sex)$theta
	   near(theta_standard_error, 0.1626675767764555) AS error, -- R: MASS::glm.nb(I(i2 + 50) ~ f4 + sex)$SE.theta
	   near(deviance, 285.6100736662042) AS deviance, -- R: deviance(MASS::glm.nb(I(i2 + 50) ~ f4 + sex))
	   near(null_deviance, 285.8940769671129) AS null_deviance, -- R: MASS::glm.nb(I(i2 + 50) ~ f4 + sex)$null.deviance
	   near(aic, 2496.309652887428) AS aic -- R: AIC(MASS::glm.nb(I(i2 + 50) ~ f4 + sex))
  FROM secmed.glm_model('i2 + 50 ~ f4 + sex', 'measure', 'negative_binomial');
SELECT near(estimate, -0.4279655990403349) AS ridge -- R: coef(MASS::lm.ridge(f8 ~ i4 + price, lambda = 10))["price"]
  FROM secmed.lm('f8 ~ i4 + price', 'measure', ridge => 10) WHERE term = 'price';

-- formulas that make no sense
\c pooled alice
SET search_path = consortium, public;
SET client_min_messages = warning;
SELECT secmed.lm('f8', 'measure');
SELECT secmed.lm('f8 ~ i4', 4294967295::oid::regclass);
SELECT secmed.lm('f8 ~ ' || string_agg('factor(stage + ' || i || ')', ':' ORDER BY i), 'measure') FROM generate_series(1, 40) i;
SELECT count(*) FROM secmed.lm('f8 ~ sex', 'measure', "where" => 'i4 > 0 -- adults', weights => 'stage -- of each row');
SELECT secmed.lm('f8 ~', 'measure');
SELECT secmed.lm('f8 ~ i4 +', 'measure');
SELECT secmed.lm('f8 ~ i4 + 2', 'measure');
SELECT secmed.lm('f8 ~ (i4 + f4', 'measure');
SELECT secmed.lm('f8 ~ i4 f4', 'measure');
SELECT secmed.lm('f8 ~ .', 'measure');
SELECT secmed.lm('f8 ~ f8', 'measure');
SELECT secmed.lm('f8 ~ 0', 'measure');
SELECT secmed.lm('f8 ~ (i4 + f4) ^ x', 'measure');
SELECT secmed.lm('f8 ~ log(2, f4)', 'measure');
SELECT secmed.lm('f8 ~ i4 -- all', 'measure');
SELECT secmed.lm('f8 ~ abs(i4) FROM measure; DROP TABLE measure', 'measure');
SELECT secmed.lm('f8 ~ abs(i4, (SELECT 1)', 'measure');
SELECT secmed.lm('f8 ~ i4', 'measure', "where" => 'true) OR (true');
SELECT secmed.lm('f8 ~ i4', 'measure', weights => '1, 2');
SELECT secmed.lm('f8 ~ colour', 'measure');
SELECT secmed.lm('f8 ~ factor(colour)', 'measure');
SELECT secmed.lm('f8 ~ i4', 'nothing');
SELECT secmed.lm('name ~ i4', 'measure');
SELECT secmed.lm('f8 ~ name', 'measure');
SELECT secmed.lm('f8 ~ i4 + offset(sex)', 'measure');
SELECT secmed.lm('f8 ~ sex', 'measure', levels => '["f"]');
SELECT secmed.lm('f8 ~ sex', 'measure', levels => '{"sex": []}');
SELECT secmed.lm('f8 ~ sex', 'measure', levels => '{"sex": [null]}');
SELECT secmed.lm('f8 ~ sex', 'measure', levels => '{"gender": ["f"]}');
-- terms, as R expands them
SELECT array_agg(term) FROM secmed.lm('f8 ~ (sex + i4 + f4) ^ 2 - i4:f4', 'measure');
SELECT array_agg(term) FROM secmed.lm('f8 ~ sex / f4 + 0', 'measure');
SELECT array_agg(term) FROM secmed.lm('f8 ~ smoker : sex', 'measure', ridge => 1);
SELECT array_agg(term) FROM secmed.lm('f8 ~ grade * f4 - 1', 'measure');
SELECT array_agg(term) FROM secmed.lm('-f8 ~ sqrt(abs(i4)+1) + I(f4/2-1) + factor(stage)', 'measure');

-- options
SELECT secmed.glm('f8 ~ i4', 'measure', 'normal');
SELECT secmed.glm('f8 ~ i4', 'measure', NULL);
SELECT secmed.lm('f8 ~ i4', 'measure', ridge => -1);
SELECT secmed.lm('f8 ~ i4', 'measure', ridge => 1, errors => 'HC0');
SELECT secmed.lm('f8 ~ i4', 'measure', errors => 'HC9');
SELECT secmed.lm('f8 ~ i4', 'measure', conf_level => 95);
SELECT secmed.glm('f8 ~ i4', 'measure', max_iterations => 0);
SELECT secmed.glm('f8 ~ i4', 'measure', epsilon => 0);

-- data that have no fit
SELECT secmed.lm('f8 ~ i4 + f4 + I(i4 + 2 * f4)', 'measure');
SELECT secmed.lm('f8 ~ i4 + I(f4 * 0 + 3.7)', 'measure');
SELECT secmed.lm('I(f4 * 0 + 3.7) ~ i4', 'measure');
SELECT secmed.lm('f8 ~ i4', 'measure', "where" => 'patient < 3');
SELECT secmed.lm('f8 ~ i4', 'measure', "where" => 'patient < 0');
SELECT secmed.lm('f8 ~ sex', 'measure', "where" => $$sex = 'f'$$);
SELECT secmed.lm('f8 ~ i4', 'measure', weights => 'f4 - 1');
SELECT secmed.lm('f8 ~ i4', 'measure', weights => '0 * f4');
SELECT secmed.lm('f8 ~ I(1e40 * f4 * 1e40)', 'measure');
SELECT secmed.lm('f8 ~ I(CASE WHEN patient = 1 THEN ''NaN'' ELSE f4 END)', 'measure');
SELECT secmed.glm('stage ~ i4', 'measure', 'binomial');
SELECT secmed.glm('i4 ~ f4', 'measure', 'poisson');
SELECT secmed.glm('smoker ~ i4', 'measure', 'binomial', "where" => 'smoker');
SELECT secmed.glm('I(i4 > 0) ~ i4', 'measure', 'binomial');
SELECT secmed.glm('smoker ~ i4 + I(stage = 1 AND smoker)', 'measure', 'binomial');
SELECT secmed.glm('I(2 + 0 * i4) ~ f4', 'measure', 'negative_binomial');
SELECT secmed.glm('smoker ~ i4 + f4', 'measure', 'binomial', max_iterations => 2);
SELECT round(max(abs(estimate))::numeric, 6) AS bounded FROM secmed.glm('I(i4 > 0) ~ i4', 'measure', 'binomial', ridge => 1);

-- over sites
\c research alice
SET search_path = consortium, public;
SET client_min_messages = warning;
SELECT secmed.lm('f8 ~ factor(i4)', 'measure');
SELECT secmed.lm('f8 ~ random()', 'measure');
SELECT secmed.lm('f8 ~ i4 + f4', 'measure', "where" => 'patient > 322');
SELECT secmed.lm('f8 ~ I(CASE WHEN patient = 17 THEN 1 ELSE 0 END)', 'measure');
SELECT secmed.glm('smoker ~ I(i4 / 0)', 'measure', 'binomial', "where" => 'patient <= 200');
SELECT secmed.glm('i4 ~ f4', 'measure', 'poisson');
-- the aggregate alone: rows must be complete, and the point must fit
SELECT secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', i4, 1, 0, ARRAY[1, f4::float8]) IS NULL FROM measure WHERE patient <= 200;
SELECT (secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', i4, 1, 0, ARRAY[1, f4::float8]))[2] AS rows FROM measure WHERE i4 IS NOT NULL AND f4 IS NOT NULL;
SELECT secmed.glm_sums('{1,1,3,1,0,0,0,0,0,1,1}', 1, 1, 0, ARRAY[1, 2]) FROM measure WHERE patient <= 200;
SELECT secmed.glm_sums(NULL, 1, 1, 0, ARRAY[1, 2]) FROM measure WHERE patient <= 200;
SELECT secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', 1, 1, 0, array_append(ARRAY[1::float8], i4::float8)) FROM measure WHERE patient <= 200;
\c pooled alice
SET search_path = consortium, public;
SELECT secmed.glm_sums('{1,1,3,1,0,0,0,0,0,1,1}', 1, 1, 0, ARRAY[1, 2]) FROM measure;
SELECT secmed.glm_sums('{1,1}', 1, 1, 0, ARRAY[1, 2]) FROM measure;
SELECT secmed.glm_sums('{{1,1}}', 1, 1, 0, ARRAY[1, 2]) FROM measure;
SELECT secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', 1, 1, 0, ARRAY[1, NULL]) FROM measure;
SELECT secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', 1, 1, 0, NULL) FROM measure;
SELECT secmed.glm_sums('{1,1,2,1,0,0,0,0,0,1,1}', 1, 1, 0, ARRAY[1, 2]) FROM measure WHERE false;
\c pooled stranger
SELECT secmed.lm('f8 ~ i4', 'consortium.measure');

-- levels that do not occur at any site, that too few patients have, and in one site only
\c research alice
SET search_path = consortium, public;
SET client_min_messages = warning;
SELECT secmed.lm('f8 ~ factor(stage)', 'measure', "where" => 'stage <> 3', levels => '{"stage": [0, 1, 2, 3]}');
