-- Groups with too few patients.
\c research alice
SET search_path = consortium, public;
-- the threshold counts the patients of all sites together: 2 + 1 + 1 + ...
SELECT grade, count(*), avg(price) FROM measure WHERE patient IN (1, 2, 201, 202, 301, 5, 9, 205, 305, 4, 12, 20) GROUP BY grade ORDER BY grade;
SET secmed.suppressed = omit;
SELECT grade, count(*), avg(price) FROM measure WHERE patient IN (1, 2, 201, 202, 301, 5, 9, 205, 305, 4, 12, 20) GROUP BY grade ORDER BY grade;
SET secmed.suppressed = error;
SELECT grade, count(*), avg(price) FROM measure WHERE patient IN (1, 2, 201, 202, 301, 5, 9, 205, 305, 4, 12, 20) GROUP BY grade ORDER BY grade;
SET secmed.suppressed = never;
RESET secmed.suppressed;
-- exactly at the threshold, and one below
SELECT count(*) FROM measure WHERE patient IN (1, 2, 201, 202, 301);
SELECT count(*) FROM measure WHERE patient IN (1, 2, 201, 202);
SELECT count(*), sum(i4) IS NULL AS no_sum FROM measure WHERE patient = -1;
-- rows are not patients: three visits of one patient are one
SELECT count(*), count(DISTINCT patient) FROM visit WHERE patient IN (2, 202, 302);
SELECT count(*), count(DISTINCT patient) FROM visit WHERE patient IN (2, 8, 202, 302);
-- the largest threshold of the sites holds: lmu asks for 4 in visit
SELECT count(DISTINCT patient) FROM visit WHERE patient IN (2, 8, 14);
-- HAVING and arithmetic see NULL
SELECT grade, count(*) + 1 AS n FROM measure WHERE patient IN (1, 2, 201, 202, 301, 5, 9, 205, 305, 4, 12, 20) GROUP BY grade HAVING count(*) > 0 ORDER BY grade;

-- empty groups may show if all sites agree
\c charite postgres
SELECT secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3, domains => '{"ward": [0, 1, 2]}', show_zero => true, rows_max => 2048);
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) FROM visit WHERE cost = 5.5 AND ward = 1 GROUP BY ward ORDER BY ward;
\c lmu postgres
SELECT secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 4, domains => '{"ward": [0, 1, 2]}', show_zero => true, rows_max => 2048);
\c gemelli postgres
SELECT secmed.unpublish('visit');
SELECT secmed.publish('clinic.visit', patient => 'patient', min_patients => 3, domains => '{"ward": [0, 1, 2]}', show_zero => true, rows_max => 2048);
\c research alice
SET search_path = consortium, public;
SELECT ward, count(*) FROM visit WHERE cost > 5 AND ward = 1 GROUP BY ward ORDER BY ward;
SELECT count(*), sum(cost) FROM visit WHERE patient = -1;
SELECT count(*), sum(cost) FROM visit WHERE patient = 2;
