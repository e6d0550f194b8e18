-- Three hospitals, a research database without data, and one database with
-- all rows for comparison.  Several databases of one cluster can be nodes.
\getenv abs_srcdir PG_ABS_SRCDIR
\getenv host PGHOST
\getenv port PGPORT
SET client_min_messages = warning;
CREATE DATABASE charite;
CREATE DATABASE lmu;
CREATE DATABASE gemelli;
CREATE DATABASE research;
CREATE DATABASE pooled;
CREATE ROLE node LOGIN;
CREATE ROLE alice LOGIN;
CREATE ROLE stranger LOGIN;

\set data :abs_srcdir '/sql/include/data.sql'
\c charite postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('charite') ~ '^([0-9a-f]{4} ){7}[0-9a-f]{4}$' AS created;
SELECT secmed.set_mode('adhoc');
SELECT secmed.set_disclosure('', differencing => 'none', repeats => 0);
SELECT secmed.node_card() AS card_charite \gset
\set first 1
\set last 200
\i :data
\c lmu postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('lmu') <> '' AS created;
SELECT secmed.set_mode('adhoc');
SELECT secmed.set_disclosure('', differencing => 'none', repeats => 0);
SELECT secmed.node_card() AS card_lmu \gset
\set first 201
\set last 300
\i :data
\c gemelli postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('gemelli') <> '' AS created;
SELECT secmed.set_mode('adhoc');
SELECT secmed.set_disclosure('', differencing => 'none', repeats => 0);
SELECT secmed.node_card() AS card_gemelli \gset
\set first 301
\set last 330
\i :data
\c research postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('research') <> '' AS created;
SELECT secmed.node_card() AS card_research \gset
CREATE TYPE severity AS ENUM ('mild', 'moderate', 'severe');
\c pooled postgres
SET client_min_messages = warning;
\set first 1
\set last 330
\i :data
ALTER SCHEMA clinic RENAME TO consortium;
GRANT USAGE ON SCHEMA consortium TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA consortium TO alice;

GRANT secmed_peer TO node;
GRANT secmed_analyst TO alice;

-- Everyone is introduced to everyone.
SELECT format('host=%s port=%s user=node dbname=', :'host', :'port') AS conninfo \gset
SELECT :'conninfo' || 'charite' AS at_charite, :'conninfo' || 'lmu' AS at_lmu,
	   :'conninfo' || 'gemelli' AS at_gemelli, :'conninfo' || 'research' AS at_research \gset
\c charite postgres
SELECT bool_and(secmed.add_peer(card, conninfo) <> '') AS introduced
  FROM (VALUES (:'card_charite', :'at_charite'), (:'card_lmu', :'at_lmu'), (:'card_gemelli', :'at_gemelli'), (:'card_research', :'at_research')) v(card, conninfo);
\c lmu postgres
SELECT bool_and(secmed.add_peer(card, conninfo) <> '') AS introduced
  FROM (VALUES (:'card_charite', :'at_charite'), (:'card_lmu', :'at_lmu'), (:'card_gemelli', :'at_gemelli'), (:'card_research', :'at_research')) v(card, conninfo);
\c gemelli postgres
SELECT bool_and(secmed.add_peer(card, conninfo) <> '') AS introduced
  FROM (VALUES (:'card_charite', :'at_charite'), (:'card_lmu', :'at_lmu'), (:'card_gemelli', :'at_gemelli'), (:'card_research', :'at_research')) v(card, conninfo);
\c research postgres
SELECT bool_and(secmed.add_peer(card, conninfo) <> '') AS introduced
  FROM (VALUES (:'card_charite', :'at_charite'), (:'card_lmu', :'at_lmu'), (:'card_gemelli', :'at_gemelli'), (:'card_research', :'at_research')) v(card, conninfo);
SELECT name, conninfo IS NOT NULL AS can_be_called FROM secmed.peer ORDER BY name;
