-- The analyst's foreign tables.
\c research postgres
GRANT CREATE ON DATABASE research TO alice;
\c research alice
-- refused
CREATE SERVER bad FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite', parties 'charite, lmu, gemelli');
CREATE SERVER bad FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu', parties 'charite, lmu');
CREATE SERVER bad FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu', parties 'charite, lmu, lmu');
CREATE SERVER bad FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, 9lives', parties 'charite, lmu, gemelli');
CREATE SERVER bad FOREIGN DATA WRAPPER secmed OPTIONS (host 'charite');
CREATE SERVER nowhere FOREIGN DATA WRAPPER secmed;
CREATE SCHEMA consortium;
IMPORT FOREIGN SCHEMA published FROM SERVER nowhere INTO consortium;
DROP SERVER nowhere;
CREATE SERVER unknown FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, mayo', parties 'charite, lmu, gemelli');
IMPORT FOREIGN SCHEMA published FROM SERVER unknown INTO consortium;
DROP SERVER unknown;

CREATE SERVER consortium FOREIGN DATA WRAPPER secmed
	OPTIONS (sites 'charite, lmu, gemelli', parties 'charite, lmu, gemelli');
IMPORT FOREIGN SCHEMA clinic FROM SERVER consortium INTO consortium;
IMPORT FOREIGN SCHEMA published LIMIT TO (visit) FROM SERVER consortium INTO consortium;
DROP FOREIGN TABLE consortium.visit;
IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium;
\d consortium.measure
\d consortium.visit

-- sites that publish different tables under one name
\c gemelli postgres
SET client_min_messages = warning;
CREATE TABLE clinic.odd (patient integer, x bigint);
SELECT secmed.publish('clinic.odd', patient => 'patient');
CREATE TABLE clinic.odd2 (patient integer, flag boolean);
SELECT secmed.publish('clinic.odd2', patient => 'patient', domains => '{"flag": [true]}');
\c charite postgres
CREATE TABLE clinic.odd (patient integer, x integer);
SELECT secmed.publish('clinic.odd', patient => 'patient');
CREATE TABLE clinic.odd2 (patient integer, flag boolean);
SELECT secmed.publish('clinic.odd2', patient => 'patient');
\c research alice
CREATE SCHEMA odd;
CREATE SERVER two FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, gemelli', parties 'charite, lmu, gemelli');
IMPORT FOREIGN SCHEMA published LIMIT TO (odd) FROM SERVER two INTO odd;
IMPORT FOREIGN SCHEMA published LIMIT TO (odd2) FROM SERVER two INTO odd;
-- one site lacks it: a warning, and the rest is imported
IMPORT FOREIGN SCHEMA published LIMIT TO (odd) FROM SERVER consortium INTO odd;
DROP SERVER two;
\c charite postgres
SELECT secmed.unpublish('odd'), secmed.unpublish('odd2');
\c gemelli postgres
SELECT secmed.unpublish('odd'), secmed.unpublish('odd2');
DROP TABLE clinic.odd, clinic.odd2;
