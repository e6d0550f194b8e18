-- What a party keeps of secret values, and what it can do with that alone.
\c charite postgres
SET client_min_messages = warning;
SET search_path = secmed, pg_catalog;
CREATE TABLE public.kept (i secret_bigint, n secret_numeric(9,2), f secret_float8, d secret_date, t secret_timestamp, b secret_boolean, s secret_text(4));
\d public.kept
-- shares as they are printed: generation, party, NULL, scale of a number, two summands
INSERT INTO public.kept VALUES
	('00000000000003f1:1:--:0:9e3779b97f4a7c15:0000000000000003', '00000000000003f1:1:--:2:ffffffffffffffff:0000000000000001', '00000000000003f1:1:--:0:0000000001000000:0000000000000000', '00000000000003f1:1:--:0:0000000000000001:0000000000000002', '00000000000003f1:1:--:0:0000000000000001:0000000000000002', '00000000000003f1:1:01:1:0', '00000000000003f1:1:10:6162ff00:00000001'),
	('00000000000003f1:1:--:0:0000000000000001:0000000000000004', '00000000000003f1:1:--:2:0000000000000000:000000000000000a', '00000000000003f1:1:--:0:0000000001000000:0000000000000000', '00000000000003f1:1:--:0:0000000000000001:0000000000000002', '00000000000003f1:1:--:0:0000000000000001:0000000000000002', '00000000000003f1:1:00:0:0', '00000000000003f1:1:00:00000000:ffffffff');
-- sums, differences and multiples are a party's own
SELECT i + i AS twice, i - i AS nothing, -i AS negative, i * 3 AS triple FROM public.kept;
SELECT sum(i), sum(n), sum(f) FROM public.kept;
SELECT sum(i) FROM public.kept WHERE false;
-- they come back, as text and in binary
CREATE TABLE public.again (LIKE public.kept);
\! psql -X -d charite -c "COPY public.kept TO STDOUT (FORMAT binary)" | psql -X -d charite -c "COPY public.again FROM STDIN (FORMAT binary)"
\! psql -X -d charite -c "COPY public.kept TO STDOUT" | psql -X -d charite -c "COPY public.again FROM STDIN"
SELECT count(*), count(DISTINCT a::text) FROM public.again a;
SELECT a::text FROM public.again a EXCEPT SELECT k::text FROM public.kept k;
-- there is no way from a value to shares, or back, at one party
SELECT 5::secret_bigint;
SELECT '5'::secret_bigint;
SELECT true::secret_boolean;
SELECT i::bigint FROM public.kept;
SELECT i + 5 FROM public.kept;
SELECT i + n FROM public.kept;
-- nor of comparing
SELECT * FROM public.kept WHERE i = 5;
\set VERBOSITY terse
SELECT * FROM public.kept WHERE i < i;
SELECT * FROM public.kept WHERE s >= 'abcd'::text;
SELECT * FROM public.kept WHERE b <> true;
SELECT DISTINCT i FROM public.kept;
SELECT * FROM public.kept ORDER BY d;
SELECT min(i) FROM public.kept;
-- shares of another party, table or scale, or that may both be NULL
SELECT i + '00000000000003f1:2:--:0:0000000000000000:0000000000000000'::secret_bigint FROM public.kept;
SELECT i + '00000000000003f2:1:--:0:0000000000000000:0000000000000000'::secret_bigint FROM public.kept;
SELECT n + '00000000000003f1:1:--:1:0000000000000000:0000000000000000'::secret_numeric FROM public.kept;
SELECT x + x FROM (VALUES ('00000000000003f1:1:01:0:0000000000000000:0000000000000000'::secret_bigint)) v(x);
SELECT sum(x) FROM (VALUES ('00000000000003f1:1:--:0:0000000000000000:0000000000000000'::secret_bigint), ('00000000000003f1:0:--:0:0000000000000000:0000000000000000')) v(x);
-- what no party ever held
SELECT '00000000000003F1:1:--:0:0000000000000000:0000000000000000'::secret_bigint;
SELECT '00000000000003f1:3:--:0:0000000000000000:0000000000000000'::secret_bigint;
SELECT '00000000000003f1:1:-1:0:0000000000000000:0000000000000000'::secret_bigint;
SELECT '00000000000003f1:1:02:0:0000000000000000:0000000000000000'::secret_bigint;
SELECT '00000000000003f1:1:--:19:0000000000000000:0000000000000000'::secret_bigint;
SELECT '00000000000003f1:1:--:0:0000000000000000:000000000000000'::secret_bigint;
SELECT '00000000000003f1:1:--:0:0000000000000000:0000000000000000:'::secret_bigint;
SELECT '00000000000003f1:1:--:2:0'::secret_boolean;
SELECT '00000000000003f1:1:--:616:000'::secret_text;
SELECT '00000000000003f1:1:--::'::secret_text;
SELECT '00000000000003f1:1:--:6162:000000'::secret_text;
SELECT '00000000000003f1:1:--:0000000000000000000000000000000000:0000000000000000000000000000000000'::secret_text;
SELECT ''::secret_text;
-- modifiers
SELECT '00000000000003f1:1:--:6162:0000'::secret_text(4);
SELECT '00000000000003f1:1:--:6162:0000'::secret_text::secret_text(4);
SELECT '00000000000003f1:1:--:2:0000000000000000:0000000000000000'::secret_numeric(9,3);
INSERT INTO public.kept (s) VALUES ('00000000000003f1:1:--:6162:0000'::secret_text);
SELECT NULL::secret_text(0);
SELECT NULL::secret_text(17);
SELECT NULL::secret_numeric(19,0);
SELECT NULL::secret_numeric(3,4);
DROP TABLE public.kept, public.again;
