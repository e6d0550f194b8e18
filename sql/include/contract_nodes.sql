-- Three sites and a desk of their own, for tests that found a consortium anew.
\set ECHO none
SET client_min_messages = warning;
CREATE DATABASE north;
CREATE DATABASE south;
CREATE DATABASE east;
CREATE DATABASE desk;
\set data :abs_srcdir '/sql/include/data.sql'
\c north postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('north') AS done, secmed.node_card() AS card_north \gset
\set first 1
\set last 200
\i :data
\set ECHO none
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5, domains => '{"sex": ["m", "f"]}') AS done \gset
\c south postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('south') AS done, secmed.node_card() AS card_south \gset
\set first 201
\set last 300
\i :data
\set ECHO none
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5, domains => '{"sex": ["m", "f"]}') AS done \gset
\c east postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('east') AS done, secmed.node_card() AS card_east \gset
\set first 301
\set last 330
\i :data
\set ECHO none
SELECT secmed.publish('clinic.measure', patient => 'patient', min_patients => 5, domains => '{"sex": ["m", "f"]}') AS done \gset
\c desk postgres
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('desk') AS done, secmed.node_card() AS card_desk \gset
SELECT format('host=%s port=%s user=node dbname=', :'host', :'port') AS conninfo \gset
SELECT :'conninfo' || 'north' AS at_north, :'conninfo' || 'south' AS at_south,
	   :'conninfo' || 'east' AS at_east, :'conninfo' || 'desk' AS at_desk \gset
\set introduce 'SELECT count(secmed.add_peer(card, conninfo)) AS done FROM (VALUES (:\'card_north\', :\'at_north\'), (:\'card_south\', :\'at_south\'), (:\'card_east\', :\'at_east\'), (:\'card_desk\', :\'at_desk\')) v(card, conninfo)'
:introduce \gset
\c north postgres
:introduce \gset
\c south postgres
:introduce \gset
\c east postgres
:introduce \gset
\c desk postgres
SET client_min_messages = warning;
CREATE TYPE severity AS ENUM ('mild', 'moderate', 'severe');
CREATE SERVER consortium FOREIGN DATA WRAPPER secmed OPTIONS (sites 'north, south, east', parties 'north, south, east');
CREATE SCHEMA consortium;
IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium;
GRANT USAGE ON SCHEMA consortium TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA consortium TO alice;
\set ECHO all
