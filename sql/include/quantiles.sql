SET search_path = consortium, public;
-- integers, numeric, dates, timestamps, real and double precision, with NULLs and ties
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i2) AS i2, percentile_disc(0.5) WITHIN GROUP (ORDER BY i4) AS i4,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY price) AS price, percentile_disc(0.5) WITHIN GROUP (ORDER BY day) AS day,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY seen) AS seen, percentile_disc(0.5) WITHIN GROUP (ORDER BY f4) AS f4,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY f8) AS f8, percentile_disc(0.5) WITHIN GROUP (ORDER BY i8) AS i8 FROM measure \gx
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i2) AS i2, percentile_cont(0.9) WITHIN GROUP (ORDER BY i4) AS i4,
	percentile_cont(0.3) WITHIN GROUP (ORDER BY price) AS price, percentile_cont(0.75) WITHIN GROUP (ORDER BY f4) AS f4,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY f8) AS f8, percentile_cont(0.37) WITHIN GROUP (ORDER BY f8) AS f8_37,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY i8) AS i8 FROM measure \gx
-- several at once
SELECT percentile_disc(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY price) FROM measure;
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY i4), percentile_cont(0.5) WITHIN GROUP (ORDER BY i4), count(*), avg(i4) FROM measure;
SELECT percentile_cont(0.75) WITHIN GROUP (ORDER BY f8) - percentile_cont(0.25) WITHIN GROUP (ORDER BY f8) AS iqr FROM measure;
-- in groups, with conditions
SELECT sex, percentile_cont(0.5) WITHIN GROUP (ORDER BY i4), percentile_disc(0.1) WITHIN GROUP (ORDER BY f8), sum(i2) FROM measure GROUP BY sex ORDER BY sex;
SELECT stage, percentile_disc(0.5) WITHIN GROUP (ORDER BY day), percentile_cont(0.5) WITHIN GROUP (ORDER BY f8) FROM measure GROUP BY stage ORDER BY stage;
SELECT smoker, percentile_cont(0.5) WITHIN GROUP (ORDER BY price) FILTER (WHERE i4 > 0) FROM measure WHERE i2 < 30 GROUP BY smoker ORDER BY smoker;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4 * 2 - i2) FROM measure;
SELECT sex FROM measure GROUP BY sex HAVING percentile_cont(0.5) WITHIN GROUP (ORDER BY i2) < 0 ORDER BY sex;
-- several rows a patient
SELECT ward, percentile_cont(0.5) WITHIN GROUP (ORDER BY cost), percentile_disc(0.25) WITHIN GROUP (ORDER BY cost) FROM visit GROUP BY ward ORDER BY ward;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v.cost) FROM visit v JOIN measure m USING (patient) WHERE m.sex = 'f';
-- nothing there
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4), percentile_cont(ARRAY[0.5]) WITHIN GROUP (ORDER BY i4) FROM measure WHERE i4 IS NULL AND patient > 1000;
