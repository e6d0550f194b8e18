-- Rows of the shared tables: persons, what they came for, and a list of codes.
INSERT INTO person
SELECT n, CASE WHEN n % 3 = 0 THEN 'female' WHEN n % 3 = 1 THEN 'male' END, 18 + n * 37 % 70,
	CASE WHEN n % 11 <> 0 THEN 50 + n * 71 % 500 / 10.0 END, DATE '2019-01-01' + n * 53 % 1500,
	CASE WHEN n % 7 <> 0 THEN n % 4 = 0 END, (n * 13 % 40 - 20) / 8.0
FROM generate_series(1, 60) n;
INSERT INTO visit
SELECT 1 + n * n * 7 % 66, DATE '2020-02-28' + n * 29 % 800, (ARRAY['I10', 'E11', 'J45', 'C50', 'M54'])[1 + n * 17 % 5],
	CASE WHEN n % 13 <> 0 THEN n * 97 % 30000 / 100.0 - 20 END, TIMESTAMP '2020-02-28 12:00' + n * INTERVAL '7 hours 13 minutes'
FROM generate_series(1, 180) n;
INSERT INTO code VALUES ('I10', 'heart', true), ('E11', 'metabolism', true), ('J45', 'lung', true), ('C50', 'cancer', NULL),
	('M54', 'back', false), ('Z00', NULL, false);
INSERT INTO sample SELECT n % 4, (ARRAY['blood', 'urine'])[1 + n % 2], CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, 7) n;
