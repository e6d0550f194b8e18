-- Rows of tables that are joined with what the sites publish: some of their patients, and a list of wards.
INSERT INTO followed SELECT n, (n % 4)::smallint, 20 + n * 7 % 60, CASE WHEN n % 6 <> 0 THEN (n * 13 % 900) / 10.0 END
FROM generate_series(3, 150) n;
INSERT INTO ward VALUES (0, 'heart', true), (1, 'lung', false), (2, NULL, NULL), (7, 'garden', false);
