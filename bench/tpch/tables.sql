-- Tables like TPC-H's (specification 3.0, section 4.2), as far as queries 1, 3, 6 and 12 read them: the same
-- domains, distributions and numbers of rows, other random numbers.  psql -v sf=0.1 -f tables.sql
--
-- Rows are made from a fixed seed, one at a time and in order: the same rows every time.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT setseed(0.19920101) \g /dev/null

-- uniform in [a, b]
CREATE OR REPLACE FUNCTION pg_temp.pick(a integer, b integer) RETURNS integer VOLATILE LANGUAGE sql
	AS 'SELECT a + floor(random() * (b - a + 1))::integer';
CREATE OR REPLACE FUNCTION pg_temp.pick(choices text[]) RETURNS text VOLATILE LANGUAGE sql
	AS 'SELECT choices[1 + floor(random() * cardinality(choices))::integer]';

CREATE TABLE customer AS
SELECT n AS c_custkey,
	pg_temp.pick('{AUTOMOBILE,BUILDING,FURNITURE,HOUSEHOLD,MACHINERY}') AS c_mktsegment
FROM generate_series(1, (150000 * :sf)::integer) n;

-- Of each 32 order keys the first 8 are used; a third of the customers orders nothing.
CREATE TABLE orders AS
SELECT (n - 1) / 8 * 32 + (n - 1) % 8 + 1 AS o_orderkey,
	3 * ((customer - 1) / 2) + (customer - 1) % 2 + 1 AS o_custkey,
	DATE '1992-01-01' + pg_temp.pick(0, 2405) AS o_orderdate,
	pg_temp.pick('{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}') AS o_orderpriority,
	0 AS o_shippriority
FROM (SELECT n, pg_temp.pick(1, (100000 * :sf)::integer) AS customer
	FROM generate_series(1, (1500000 * :sf)::integer) n) numbered;

-- One to seven lines an order; the price is that of the quantity of a part.
CREATE TABLE lineitem AS
SELECT o_orderkey AS l_orderkey,
	l_quantity,
	(l_quantity * (90000 + part / 10 % 20001 + 100 * (part % 1000)) / 100.0)::numeric(9,2) AS l_extendedprice,
	l_discount,
	l_tax,
	CASE WHEN received > DATE '1995-06-17' THEN 'N' WHEN returned THEN 'R' ELSE 'A' END AS l_returnflag,
	CASE WHEN shipped > DATE '1995-06-17' THEN 'O' ELSE 'F' END AS l_linestatus,
	shipped AS l_shipdate,
	o_orderdate + committed AS l_commitdate,
	received AS l_receiptdate,
	l_shipmode
FROM (SELECT *, shipped + receiving AS received
	FROM (SELECT o_orderkey, o_orderdate,
			pg_temp.pick(1, 50) AS l_quantity,
			pg_temp.pick(1, (200000 * :sf)::integer) AS part,
			(pg_temp.pick(0, 10) / 100.0)::numeric(3,2) AS l_discount,
			(pg_temp.pick(0, 8) / 100.0)::numeric(3,2) AS l_tax,
			random() < 0.5 AS returned,
			o_orderdate + pg_temp.pick(1, 121) AS shipped,
			pg_temp.pick(30, 90) AS committed,
			pg_temp.pick(1, 30) AS receiving,
			pg_temp.pick('{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}') AS l_shipmode
		FROM (SELECT o_orderkey, o_orderdate, generate_series(1, pg_temp.pick(1, 7)) AS line FROM orders) lines) made) dated;
