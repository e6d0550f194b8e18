-- Plots: SVG that a person who looks, one who doesn't, and a program can read.
\c pooled alice
SET search_path = consortium, public;
SET client_min_messages = warning;
-- an XML document; its title, role and the words for who can't see it
CREATE FUNCTION pg_temp.said(svg text) RETURNS TABLE (title text, role text, description text, elements int) LANGUAGE sql AS $$
	SELECT (xpath('/s:svg/s:title/text()', x, ns))[1]::text, (xpath('/s:svg/@role', x, ns))[1]::text, (xpath('/s:svg/s:desc/text()', x, ns))[1]::text,
		   cardinality(xpath('//s:*', x, ns))
	  FROM (SELECT xmlparse(DOCUMENT svg) AS x, ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']] AS ns) parsed $$;
-- every text and number in it
CREATE FUNCTION pg_temp.texts(svg text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT unnest(xpath('//s:text/text()', xmlparse(DOCUMENT svg), ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']]))::text $$;

SELECT s.* FROM (SELECT secmed.plot_histogram(array_agg(h ORDER BY bin), 'Ratio', 'ratio') AS svg
	FROM secmed.histogram('ratio', 'measure', '{0, 50, 100, 150, 200, 250}') h) p, pg_temp.said(svg) s;
SELECT secmed.plot_histogram(array_agg(h), 'Unequal', 'x', note => 'By width.') AS unequal FROM (VALUES (0, 1, 7), (1, 3, 6), (3, 4, NULL)) h(lower, upper, n) \gset
SELECT * FROM pg_temp.said(:'unequal');
SELECT string_agg(t, '|') FROM pg_temp.texts(:'unequal') t;
SELECT s.* FROM (SELECT secmed.plot_roc(array_agg(r)) AS svg FROM secmed.roc('smoker ~ stage', 'measure') r) p, pg_temp.said(svg) s;
SELECT (regexp_match(description, 'AUC ([0-9]+.[0-9]+)'))[1]::float8 = round(estimate::numeric, 3) AS same_area
  FROM secmed.auc('smoker ~ f8', 'measure') a,
	   (SELECT secmed.plot_roc(array_agg(r)) AS svg FROM secmed.roc('smoker ~ f8', 'measure') r) p, pg_temp.said(svg);
SELECT s.* FROM (SELECT secmed.plot_forest(array_agg(f), 'Trials', 'Odds ratio', true, 'Random effects.') AS svg
	FROM (VALUES ('Oslo 1990', 0.5, 0.1, 2.5, 10, false), ('Pisa <1991>', 1.5, 1.1, 9.5, 40, false), ('Rome', 2, 0, 'Infinity', 1, false),
		('Withheld', NULL, NULL, NULL, NULL, false), ('All', 1.2, 0.9, 1.6, NULL, true)) f(label, estimate, conf_low, conf_high, weight, summary)) p, pg_temp.said(svg) s;
SELECT s.* FROM (SELECT secmed.plot_forest(array_agg(c)) AS svg FROM secmed.lm('i2 ~ f4 + sex', 'measure') c) p, pg_temp.said(svg) s;
-- survival: R's lung trial would give such rows
CREATE TEMP TABLE curve AS SELECT * FROM (VALUES ('arm=A', 5::float8, 20::bigint, 1::bigint, 0::bigint, 0.95::float8, 0.86::float8, 1::float8), ('arm=A', 9, 19, 0, 2, 0.95, 0.86, 1),
	('arm=A', 14, 17, 3, 0, 0.78, 0.61, 0.99), ('arm=B', 4, 18, 2, 1, 0.89, 0.75, 1), ('arm=B', 12, 15, 15, 0, 0, NULL, NULL))
	v(stratum, time, n_risk, n_event, n_censor, survival, lower, upper);
SELECT secmed.plot_survival(array_agg(c), 'Survival by arm', 'Days', note => 'Log-rank p = 0.001') AS survival FROM curve c \gset
SELECT * FROM pg_temp.said(:'survival');
SELECT string_agg(t, '|') FROM pg_temp.texts(:'survival') t;
-- at asked times: numbers at risk at these, no marks of the censored
SELECT string_agg(t, '|') AS asked FROM (SELECT secmed.plot_survival(array_agg(c)) AS svg
	FROM (VALUES (100::float8, 200, 30, 5, 0.9::float8, 0.8::float8, 0.95::float8), (200, 150, 60, 9, 0.6, 0.5, 0.7), (300, NULL, NULL, NULL, NULL, NULL, NULL))
		c(time, n_risk, n_event, n_censor, survival, lower, upper)) p, pg_temp.texts(svg) t;
-- hostile words
SELECT secmed.plot_forest(ARRAY[ROW('x')::record], 'x') AS no_columns;
CREATE TYPE pg_temp.line AS (label text, estimate float8, conf_low float8, conf_high float8);
SELECT s.* FROM (SELECT secmed.plot_forest(ARRAY[ROW(E'</text><script>alert("1")</script>\x01 &amp;', 1, 0, 2)::pg_temp.line],
	'<b>]]>"''&', E'a\nb\tc', note => repeat('very long ', 500)) AS svg) p, pg_temp.said(svg) s;
SELECT t FROM (SELECT secmed.plot_forest(ARRAY[ROW(E'</text><script>alert("1")</script>\x01 &amp;', 1, 0, 2)::pg_temp.line],
	'<b>]]>"''&', E'a\nb\tc', note => repeat('very long ', 500)) AS svg) p, pg_temp.texts(svg) t WHERE t !~ '^[-0-9.]+$';
-- numbers at the edges draw, and never write what is no number
SELECT e, h, svg ~* 'nan|inf"' AS bad FROM (VALUES (0::float8, 0::float8), (1e-300, 1e300), (-1e300, 1e-300), (1e15, 1e15 + 1)) v(e, h),
	LATERAL (SELECT secmed.plot_forest(ARRAY[ROW('x', e, '-Infinity', h)::pg_temp.line]) AS svg) p, pg_temp.said(svg);
SELECT r, svg ~* 'nan|inf"' AS bad, elements < 200 AS few FROM (VALUES (1e-12::float8), (1), (1e12)) v(r),
	LATERAL (SELECT secmed.plot_forest(ARRAY[ROW('x', r, 0, 'Infinity')::pg_temp.line], ratios => true) AS svg) p, pg_temp.said(svg);
-- refused
SELECT secmed.plot_roc(NULL);
SELECT secmed.plot_roc('{}'::record[]);
SELECT secmed.plot_roc(ARRAY[ROW(1, 2)]);
SELECT secmed.plot_roc(array_agg(r)) FROM (VALUES (1, 1.5)) r(sensitivity, specificity);
SELECT secmed.plot_roc(array_agg(r)) FROM (VALUES ('high', '1')) r(sensitivity, specificity);
SELECT secmed.plot_roc(array_agg(r)) FROM (SELECT 1 AS sensitivity, 0 AS specificity, i AS label FROM generate_series(1, 13) i) r;
SELECT secmed.plot_histogram(array_agg(h)) FROM (VALUES ('-Infinity'::float8, 3, 4)) h(lower, upper, n);
SELECT secmed.plot_histogram(array_agg(h)) FROM (VALUES (3, 3, 4)) h(lower, upper, n);
SELECT secmed.plot_forest(ARRAY[ROW('x', -1, 0, 2)::pg_temp.line], ratios => true);
SELECT secmed.plot_forest(ARRAY[ROW('x', 'Infinity', 0, 2)::pg_temp.line]);
SELECT secmed.plot_forest(array_agg(ROW(i, 1, 0, 2)::pg_temp.line)) FROM generate_series(1, 201) i;
SELECT secmed.plot_survival(ARRAY[ROW('x', 1, 0, 2)::pg_temp.line]);
\c pooled stranger
SELECT secmed.plot_roc(NULL);
