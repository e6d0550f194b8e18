-- Run twice: on shares, and on the same rows in the clear.
SET search_path = cohort, public;
\pset null NULL

-- no groups
SELECT count(*), count(weight), sum(age), avg(age), sum(weight), avg(weight) FROM person;
SELECT min(age), max(age), min(weight), max(weight), min(enrolled), max(enrolled) FROM person;
SELECT bool_and(smoker), bool_or(smoker), every(age > 17) FROM person;
SELECT var_samp(age), var_pop(age), stddev(weight), stddev_pop(weight), variance(score)::numeric(20,8) FROM person;
SELECT sum(score), avg(score), min(score), max(score) FROM person;
SELECT corr(age, score)::numeric(20,10), covar_samp(age, score)::numeric(20,8), regr_slope(score, age)::numeric(20,10),
	regr_count(score, age) FROM person;
SELECT count(DISTINCT sex), count(DISTINCT age), count(DISTINCT enrolled) FROM person;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age), percentile_disc(0.25) WITHIN GROUP (ORDER BY enrolled),
	percentile_cont(0.5) WITHIN GROUP (ORDER BY age), percentile_cont(0.9) WITHIN GROUP (ORDER BY weight)::numeric(20,8) FROM person;

SELECT sex, percentile_disc(0.9) WITHIN GROUP (ORDER BY age) FROM person GROUP BY sex ORDER BY sex;

-- WHERE
SELECT count(*) FROM person WHERE age >= 40;
SELECT count(*) FROM person WHERE age BETWEEN 30 AND 60 AND sex = 'female';
SELECT count(*) FROM person WHERE sex = 'female' OR smoker;
SELECT count(*) FROM person WHERE NOT (sex = 'female' OR smoker);
SELECT count(*) FROM person WHERE sex IS NULL OR weight IS NULL;
SELECT count(*) FROM person WHERE smoker IS NOT TRUE;
SELECT count(*) FROM person WHERE smoker IS FALSE OR smoker IS UNKNOWN;
SELECT count(*) FROM person WHERE sex IN ('male', 'other') AND age NOT IN (20, 21, 22);
SELECT count(*) FROM person WHERE weight * 2 + 10 > 150.5;
SELECT count(*) FROM person WHERE weight - age > 0;
SELECT count(*) FROM person WHERE enrolled < DATE '2021-06-01' AND enrolled >= DATE '2020-01-01';
SELECT count(*) FROM person WHERE extract(year FROM enrolled) = 2020 AND extract(month FROM enrolled) > 3;
SELECT count(*) FROM person WHERE coalesce(weight, 0) < 60;
SELECT count(*) FROM person WHERE greatest(age, 40) = 40;
SELECT count(*) FROM person WHERE nullif(sex, 'male') IS NULL;
SELECT count(*) FROM person WHERE sex IS DISTINCT FROM 'male';
SELECT count(*) FROM visit WHERE seen > TIMESTAMP '2020-03-20 10:00';
SELECT count(*) FROM person WHERE -score > 1.5;
SELECT count(*) FROM person WHERE CASE sex WHEN 'male' THEN age > 30 WHEN 'female' THEN age > 40 ELSE true END;

-- expressions in aggregates, FILTER
SELECT sum(age * 2 + 1), sum(weight * age), avg(weight * 2) FROM person;
SELECT sum(CASE WHEN smoker THEN age ELSE 0 END), avg(age) FILTER (WHERE smoker), count(*) FILTER (WHERE age > 50) FROM person;
SELECT sum(enrolled - DATE '2019-01-01') FROM person;

-- GROUP BY what nobody has listed
SELECT sex, count(*), avg(age), max(weight) FROM person GROUP BY sex ORDER BY sex;
SELECT smoker, sex, count(*) FROM person GROUP BY smoker, sex HAVING count(*) >= 6 ORDER BY smoker, sex;
SELECT extract(year FROM enrolled) AS year, count(*), sum(age) FROM person GROUP BY 1 HAVING count(*) >= 5 ORDER BY 1;
SELECT age / 10 FROM (SELECT 1 AS age) one;
SELECT code, count(*), count(DISTINCT patient), sum(cost), min(day) FROM visit GROUP BY code ORDER BY code;
SELECT age > 50 AS older, percentile_cont(0.5) WITHIN GROUP (ORDER BY weight)::numeric(20,8) FROM person GROUP BY 1 ORDER BY 1;
SELECT sex, sum(age) FROM person GROUP BY sex HAVING sum(age) > 800 AND avg(age) > 10 ORDER BY 1;
SELECT DISTINCT sex FROM person ORDER BY sex;
SELECT code, sum(cost) AS total FROM visit GROUP BY code ORDER BY total DESC LIMIT 2;
SELECT code, count(*) AS n FROM visit GROUP BY code ORDER BY n DESC, code COLLATE "C" OFFSET 1 LIMIT 2;

-- joins
SELECT chapter, count(*), sum(cost) FROM visit JOIN code USING (code) GROUP BY chapter ORDER BY chapter;
SELECT sex, count(*), avg(cost) FROM visit JOIN person USING (patient) GROUP BY sex ORDER BY sex;
SELECT sex, chapter, count(*) FROM visit JOIN person USING (patient) JOIN code USING (code)
	WHERE chronic AND age > 25 GROUP BY sex, chapter HAVING count(DISTINCT patient) >= 6 ORDER BY sex, chapter;
SELECT sex, count(*), count(day) FROM person LEFT JOIN visit USING (patient) WHERE false GROUP BY sex;
SELECT count(*), count(sex), avg(age) FROM visit LEFT JOIN person USING (patient);
SELECT count(*) FROM person p WHERE EXISTS (SELECT FROM visit v WHERE v.patient = p.patient AND v.code = 'I10');
SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT FROM visit v WHERE v.patient = p.patient AND v.cost > 50);
SELECT sex, count(*) FROM person WHERE patient IN (SELECT patient FROM visit WHERE day > DATE '2021-01-01') GROUP BY sex ORDER BY sex;

-- sub-queries in FROM
SELECT count(*), avg(n), max(n) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) per_patient;
SELECT n, count(*) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) per_patient GROUP BY n HAVING count(*) >= 5 ORDER BY n;
SELECT sex, avg(total) FROM person JOIN (SELECT patient, sum(cost) AS total FROM visit GROUP BY patient) bill USING (patient)
	GROUP BY sex ORDER BY sex;
SELECT count(*) FROM (SELECT patient, count(*) AS n FROM visit GROUP BY patient) moved WHERE n < 11;
SELECT sex, count(*) FROM person JOIN (SELECT patient, max(cost) AS top FROM visit GROUP BY patient) moved USING (patient) WHERE top < 1500 GROUP BY sex ORDER BY sex;
SELECT count(moved.patient) FROM person LEFT JOIN (SELECT patient, max(cost) AS top FROM visit GROUP BY patient) moved ON moved.patient = person.patient AND top < 1500;
SELECT count(*), avg(2) FROM (SELECT patient, count(*) AS n, sum(cost) AS total, count(DISTINCT code) AS codes FROM visit GROUP BY patient) unread;

-- where one patient is enough nothing is withheld, and nobody is 0
SELECT kind, count(*), count(value), count(DISTINCT value) FILTER (WHERE value > 4), sum(value) FROM sample GROUP BY kind ORDER BY kind;
SELECT count(value), count(DISTINCT kind) FROM sample WHERE value > 50;
SELECT code, count(*) FROM visit GROUP BY code HAVING stddev(cost) > 52 ORDER BY code LIMIT 1;
SELECT count(*), sum(age) FROM person LEFT JOIN (SELECT patient, sum(cost) AS total FROM visit GROUP BY patient) bill USING (patient);
SELECT count(*), sum(total) FROM person LEFT JOIN (SELECT patient, sum(cost) AS total FROM visit GROUP BY patient) bill USING (patient);

-- the same table without rows
SELECT count(*), sum(age) FROM person WHERE false;
SELECT chapter, chronic FROM code ORDER BY code COLLATE "C";
SELECT chapter FROM code WHERE chronic ORDER BY chapter COLLATE "C" LIMIT 2;
