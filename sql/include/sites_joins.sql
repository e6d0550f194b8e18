SET search_path = joined, consortium, public;
\pset null NULL
-- what wards are called
SELECT title, count(*), sum(cost) FROM visit JOIN ward USING (ward) GROUP BY title ORDER BY title;
SELECT title, chronic, count(DISTINCT patient) FROM visit v LEFT JOIN ward w ON v.ward = w.ward AND chronic GROUP BY 1, 2 ORDER BY 1;
SELECT count(*), avg(cost) FROM visit WHERE ward IN (SELECT ward FROM ward WHERE title = 'lung' OR NOT chronic);
SELECT count(*), avg(cost) FROM visit v WHERE NOT EXISTS (SELECT FROM ward w WHERE w.ward = v.ward AND title = 'lung');
-- patients whom the parties follow, and their measures, visits, and wards
SELECT grp, count(*), avg(i4) FROM measure m JOIN followed f ON m.patient = f.patient GROUP BY grp ORDER BY grp;
SELECT grp, count(i4), sum(weight), percentile_disc(0.5) WITHIN GROUP (ORDER BY weight)
FROM measure m JOIN followed f ON m.patient = f.patient AND age > 30 WHERE i2 > -20 GROUP BY grp ORDER BY grp;
SELECT age > 50 AS older, smoker, count(*) FROM measure JOIN followed USING (patient) GROUP BY 1, 2 HAVING count(*) > 15 ORDER BY 1, 2;
SELECT title, grp, count(*), count(DISTINCT f.patient), sum(weight) FROM visit v JOIN followed f ON v.patient = f.patient JOIN ward USING (ward)
GROUP BY title, grp ORDER BY 1, 2;
SELECT sex, avg(weight) FROM measure m LEFT JOIN followed f ON m.patient = f.patient GROUP BY sex ORDER BY sex;
-- rows of one site with those of others
SELECT smoker, count(*) FROM measure m JOIN followed f ON m.i2 = f.patient GROUP BY 1 ORDER BY 1;
SELECT grp, count(*), sum(cost) FROM followed f JOIN visit v ON v.visit - 30 = f.patient WHERE grp IN (1, 3) GROUP BY grp ORDER BY grp;
