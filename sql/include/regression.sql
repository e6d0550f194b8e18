SET search_path = consortium, public;
SET client_min_messages = warning;
-- Digits that do not depend on how LAPACK was built.
PREPARE fit(text, text, text, text, jsonb) AS
SELECT term, to_char(estimate, '9.99999999EEEE') AS estimate, to_char(standard_error, '9.99999999EEEE') AS standard_error,
	   to_char(statistic, '9.99999999EEEE') AS statistic, to_char(p, '9.99999999EEEE') AS p,
	   n, n_missing AS missing, iterations AS iter, df_residual AS df, to_char(deviance, '9.99999999EEEE') AS deviance,
	   to_char(null_deviance, '9.99999999EEEE') AS null_deviance, to_char(aic, '9.99999999EEEE') AS aic,
	   to_char(coalesce(theta, f), '9.99999999EEEE') AS f_or_theta
  FROM secmed.glm_model($1, 'measure', $2, "where" => $3, errors => $4, levels => $5) m, unnest(m.coefficients) c;
-- lm(f8 ~ i4 + sex + price)
EXECUTE fit('f8 ~ i4 + sex + price', 'gaussian', NULL, 'HC3', NULL);
-- glm(smoker ~ i4 + sex * f4, binomial)
EXECUTE fit('smoker ~ i4 + sex * f4', 'binomial', NULL, 'model', NULL);
