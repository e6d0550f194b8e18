-- Epidemiology: first over three sites, then over the pooled rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/epidemiology.sql'
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file

-- what is opened, and what is withheld
\c research alice
SET search_path = consortium, public;
\pset format unaligned
EXPLAIN (VERBOSE, COSTS OFF) SELECT (secmed.rate_ratio(price, sex = 'f', smoker)).p_value FROM measure;
\pset format aligned
SELECT (secmed.incidence_rate(price, patient <= 3)).* FROM measure;
SELECT * FROM secmed.standardised_rate('smoker ~ price | patient', 'measure', '{"1": 1, "2": 1}');
SELECT * FROM secmed.smr('(patient <= 3) ~ price | stage', 'measure', '{"0": 1}');
SELECT * FROM secmed.auc('smoker ~ f8', 'measure', '{-500, 999.9}');
SELECT * FROM secmed.roc('smoker ~ f8', 'measure');

-- single rows, which no site shows
\c pooled alice
SET extra_float_digits = -3;
SET search_path = consortium, public;
SELECT near(estimate, 0.5008397225264695) AS area, -- R: roc_area(smoker, f8)[1]
	   near(standard_error, 0.03921183211045552) AS delong, -- R: roc_area(smoker, f8)[2]
	   near(hanley_error, 0.0389320556714841) AS hanley -- R: roc_area(smoker, f8)[3]
  FROM secmed.auc('smoker ~ f8', 'measure');
-- meta-analysis: trials of BCG against tuberculosis, log risk ratios (Colditz et al., JAMA 1994)
CREATE TEMP TABLE bcg AS
SELECT ln((a / (a + b)) / (c / (c + d))) AS yi, sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)) AS se
  FROM (VALUES (4::double precision, 119::double precision, 11::double precision, 128::double precision),
	(6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079),
	(8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
	(186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)) v(a, b, c, d);
SELECT near((m).estimate, -0.714117222073227) AS random, -- R: meta("DL")["mean"]
	   near((m).standard_error, 0.1787420895354032) AS error, -- R: meta("DL")["error"]
	   near((m).conf_low, -1.064445280084051) AS low, -- R: meta("DL")["mean"] - qnorm(.975) * meta("DL")["error"]
	   near((m).p_value, 6.462924304704033e-05) AS p, -- R: 2 * pnorm(meta("DL")["mean"] / meta("DL")["error"])
	   near((m).tau2, 0.3087602628623765) AS tau2, -- R: meta("DL")["tau2"]
	   near((m).fixed_estimate, -0.4302851636540906) AS fixed, -- R: meta("FE")["mean"]
	   near((m).fixed_error, 0.04049875171086381) AS fixed_error, -- R: meta("FE")["error"]
	   near((m).q, 152.2330080823734) AS q, -- R: meta("FE")["q"]
	   near((m).q_p_value, 1.996764590845868e-26) AS q_p, -- R: pchisq(meta("FE")["q"], 12, lower.tail = FALSE)
	   near((m).i2, 0.9211734685456205) AS i2, -- R: 1 - 12 / meta("FE")["q"]
	   near((m).prediction_high, 0.5706040516056647) AS prediction, -- R: meta("DL")["mean"] + qt(.975, 11) * sqrt(meta("DL")["tau2"] + meta("DL")["error"]^2)
	   (m).studies, (m).n_missing FROM (SELECT secmed.meta_analysis(yi, se) AS m FROM bcg) meta \gx
SELECT near((m).tau2, 0.313243258136481) AS tau2, -- R: meta("REML")["tau2"]
	   near((m).estimate, -0.7145323421581393) AS random, -- R: meta("REML")["mean"]
	   near((m).conf_high, -0.4188180633336572) AS high, -- R: meta("REML")["mean"] + qnorm(.95) * meta("REML")["error"]
	   (m).method FROM (SELECT secmed.meta_analysis(yi, se, 'REML', 0.9) AS m FROM bcg) meta;
SELECT (secmed.meta_analysis(yi, se ORDER BY yi)) = (secmed.meta_analysis(yi, se ORDER BY se DESC)) AS any_order FROM bcg;
-- studies alike, one study, none
SELECT (m).estimate, (m).tau2, (m).q, (m).i2, (m).prediction_low FROM (SELECT secmed.meta_analysis(1, 2, 'REML') AS m FROM generate_series(1, 3)) meta;
SELECT (m).estimate, (m).fixed_estimate, (m).q_p_value, (m).studies, (m).n_missing
  FROM (SELECT secmed.meta_analysis(y, 0.5, 'REML') AS m FROM (VALUES (2::double precision), (NULL)) v(y)) meta;
SELECT (secmed.meta_analysis(NULL, 1)).* \gx
SELECT secmed.meta_analysis(yi, se) IS NULL AS nothing FROM bcg WHERE false;
-- nothing happens, nobody is there, nobody is diseased
CREATE TEMP VIEW nobody AS SELECT * FROM measure WHERE false;
SELECT (secmed.incidence_rate(price, false)).estimate, (secmed.incidence_rate(price, false)).conf_low, near((secmed.incidence_rate(price, false)).conf_high, -ln(0.025) / sum(price)) AS high FROM measure;
SELECT (secmed.incidence_rate(price, smoker)).*, (secmed.rate_ratio(price, smoker, smoker)).* FROM nobody \gx
SELECT (secmed.incidence_rate(-price, smoker)).estimate, (secmed.rate_ratio(price, true, smoker)).*, (secmed.rate_difference(price, smoker, false)).p_value FROM measure \gx
SELECT (secmed.rate_ratio(price, sex = 'f', sex = 'f')).estimate, (secmed.rate_ratio(price, sex = 'f', sex = 'f')).conf_high, (secmed.rate_ratio(price, sex = 'f', sex = 'm')).estimate AS none FROM measure;
SELECT (secmed.diagnostic_test(true, sex = 'f')).* FROM measure \gx
SELECT * FROM secmed.auc('false ~ stage', 'measure');
SELECT * FROM secmed.roc('smoker ~ stage', 'nobody');
SELECT estimate FROM secmed.auc('(sex = ''f'') ~ (sex = ''f'')::integer', 'measure');
SELECT observed, estimate, conf_low FROM secmed.smr('false ~ price | stage', 'measure', '{"0": 1}');
SELECT estimate, standard_error, conf_low FROM secmed.standardised_rate('false ~ price | stage', 'measure', '{"0": 1}');
SELECT secmed.propensity_weights('smoker', :'score', 'ATT') AS weights, secmed.propensity_weights('smoker', '0.3', 'ATC') AS atc \gset
\echo :atc
SELECT near((secmed.weighted_mean(f4, :weights)), 0.9848359799309253) AS weighted -- R: balance("f4", "ATT")[5]
  FROM measure WHERE NOT smoker;
-- refused
SELECT secmed.meta_analysis(yi, 0) FROM bcg;
SELECT secmed.meta_analysis(yi, 'NaN') FROM bcg;
SELECT secmed.meta_analysis(yi, se, 'ML') FROM bcg;
SELECT secmed.meta_analysis(yi, se, 'DL', 95) FROM bcg;
SELECT secmed.meta_analysis(yi, se, CASE WHEN yi < 0 THEN 'DL' ELSE 'REML' END) FROM bcg;
SELECT * FROM secmed.standardised_rate('smoker ~ price', 'measure', '{"0": 1}');
SELECT * FROM secmed.standardised_rate('smoker ~ price | stage', 'measure', '[1, 2]');
SELECT * FROM secmed.standardised_rate('smoker ~ price | stage', 'measure', '{"0": 0}');
SELECT * FROM secmed.standardised_rate('smoker ~ price | stage', 'measure', '{"0": "many"}');
SELECT * FROM secmed.standardised_rate('smoker ~ price | stage', 'measure', '{"0": 1, "9": 1}');
SELECT * FROM secmed.smr('smoker ~ price | stage', 'measure', '{}');
SELECT * FROM secmed.smr('smoker ~ price | stage', 'measure', '{"0": 1}', 2);
SELECT * FROM secmed.roc('smoker ~ stage', 'measure', '{}');
SELECT * FROM secmed.roc('smoker ~ stage', 'measure', '{2, 1}');
SELECT * FROM secmed.roc(NULL, 'measure');
SELECT * FROM secmed.auc('smoker ~ stage', 'measure', NULL, NULL);
SELECT secmed.propensity_weights('smoker', '0.3', 'all');
SELECT secmed.propensity_weights('smoker', '0.3; SELECT 1');
SELECT secmed.propensity_score(NULL, 'measure');
SELECT secmed.propensity_score('f8 ~ f4', 'measure');
SELECT * FROM secmed.balance('smoker ~ 1', 'measure');
SELECT * FROM secmed.balance('smoker ~ f4', 'measure', '1; DROP TABLE measure');
\c pooled stranger
SELECT secmed.meta_analysis(1, 1);
