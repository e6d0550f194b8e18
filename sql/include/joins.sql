SET search_path = consortium, public;
SELECT m.sex, count(*), count(DISTINCT m.patient), sum(v.cost) FROM measure m JOIN visit v ON v.patient = m.patient GROUP BY m.sex ORDER BY 1;
SELECT v.ward, count(*), avg(m.i4) FROM measure m, visit v WHERE v.patient = m.patient AND m.i4 > 0 GROUP BY 1 ORDER BY 1;
SELECT count(*), count(v.visit), sum(v.cost) FROM measure m LEFT JOIN visit v ON v.patient = m.patient AND v.ward = 1;
SELECT count(*), count(m.name) FROM visit v RIGHT JOIN measure m USING (patient);
SELECT a.ward, count(*) FROM visit a JOIN visit b USING (patient) JOIN measure m USING (patient) WHERE a.visit < b.visit GROUP BY a.ward ORDER BY 1;
