SET search_path = consortium, public;
SELECT count(*), count(i2), count(ratio), count(name), count(DISTINCT patient) FROM measure;
SELECT sum(i2), sum(i4), sum(i8), sum(price), sum(ratio), avg(i2), avg(i4), avg(i8), avg(price), avg(ratio) FROM measure \gx
SELECT pg_typeof(sum(i2)), pg_typeof(sum(i8)), pg_typeof(avg(i4)), pg_typeof(sum(f4)), pg_typeof(avg(f4)), pg_typeof(stddev(i2)) FROM measure;
SELECT var_pop(i2), var_samp(i2), stddev_pop(i2), stddev_samp(i2), variance(i4), stddev(i4) FROM measure \gx
SELECT var_pop(i8), var_samp(i8), stddev_pop(i8), stddev_samp(i8), variance(i8), stddev(i8) FROM measure \gx
SELECT var_pop(price), var_samp(price), stddev_pop(price), stddev_samp(price) FROM measure \gx
SELECT var_pop(ratio), var_samp(ratio), stddev_pop(ratio), stddev_samp(ratio) FROM measure \gx
SELECT sum(price / 3), avg(price / 3), stddev(price * 1.005) FROM measure \gx
SELECT bool_and(i2 < 40), bool_or(i2 > 40), every(sex = 'm'), bool_and(smoker), bool_or(smoker) FROM measure;
SELECT sum(stay), avg(stay), count(stay), count(day), avg(day - date '2020-01-01') FROM measure \gx
SELECT count(*) FILTER (WHERE smoker), sum(i4) FILTER (WHERE sex = 'f'), avg(i4) FILTER (WHERE i4 > 0 AND smoker) FROM measure;
-- nothing to aggregate
SELECT sum(i4) FILTER (WHERE i4 IS NULL), avg(price) FILTER (WHERE false), bool_and(smoker) FILTER (WHERE smoker IS NULL), corr(f8, f4) FILTER (WHERE f8 IS NULL), var_samp(i4) FILTER (WHERE i4 IS NULL) FROM measure;
-- NaN and infinity
SELECT sum(CASE WHEN patient > 250 THEN 'NaN' ELSE price END), avg(CASE WHEN patient > 250 THEN 'Infinity' ELSE price END), sum(CASE patient % 10 WHEN 3 THEN '-Infinity' WHEN 5 THEN 'Infinity' ELSE price END), stddev(CASE WHEN patient > 250 THEN '-Infinity' ELSE price END) FROM measure;
SELECT sum(CASE WHEN patient > 250 THEN 'NaN' ELSE f8 END), avg(CASE WHEN patient > 250 THEN 'Infinity' ELSE f8 END), sum(CASE patient % 10 WHEN 3 THEN '-Infinity' WHEN 5 THEN 'Infinity' ELSE f8 END), var_pop(CASE WHEN patient > 250 THEN '-Infinity' ELSE f8 END) FROM measure;
-- double precision: shown to 12 digits, PostgreSQL's own last digits depend on the order of rows
SET extra_float_digits = -3;
SELECT sum(f8), avg(f8), var_pop(f8), var_samp(f8), stddev_pop(f8), stddev_samp(f8) FROM measure \gx
SELECT sum(f4), avg(f4), stddev(f4), variance(f4) FROM measure \gx
SELECT corr(f8, f4), covar_pop(f8, f4), covar_samp(f8, f4), regr_count(f8, f4), regr_avgx(f8, f4), regr_avgy(f8, f4), regr_sxx(f8, f4), regr_syy(f8, f4), regr_sxy(f8, f4), regr_slope(f8, f4), regr_intercept(f8, f4), regr_r2(f8, f4) FROM measure \gx
SELECT corr(i4, i2), regr_slope(i4, i2), regr_r2(price, i4), covar_samp(price, ratio), corr(i2, 3) FROM measure \gx
RESET extra_float_digits;
