--
-- Nodes and peers.  Each database is a node of its own; fingerprints and
-- times differ from run to run, so only their shape is shown.
--
\set SHOW_CONTEXT never
CREATE DATABASE regress_alpha;
CREATE DATABASE regress_beta;
CREATE DATABASE regress_other_beta;

\c regress_other_beta
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('beta') ~ '^([0-9a-f]{4} ){7}[0-9a-f]{4}$' AS fingerprint;
SELECT secmed.node_card() AS other_card \gset

\c regress_beta
SET client_min_messages = warning;
CREATE EXTENSION secmed;
SELECT secmed.create_node('beta') ~ '^([0-9a-f]{4} ){7}[0-9a-f]{4}$' AS fingerprint;
SELECT secmed.node_card() AS beta_card \gset

\c regress_alpha
SET client_min_messages = warning;
CREATE EXTENSION secmed;
CREATE ROLE regress_secmed_admin IN ROLE secmed_admin;
CREATE ROLE regress_secmed_auditor IN ROLE secmed_auditor;
SET ROLE regress_secmed_admin;

-- Before there is a node.
SELECT secmed.node_card();
SELECT secmed.add_peer(:'beta_card');
SELECT secmed.create_node('Charite');
SELECT secmed.create_node('1st');
SELECT secmed.create_node('');
BEGIN READ ONLY;
SELECT secmed.create_node('alpha');
ROLLBACK;

-- Rolled back: no node, no key that is in the way; but the ledger has begun.
BEGIN;
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
ROLLBACK;
SELECT secmed.node_card();
SELECT secmed.create_node('gamma');
BEGIN;
SAVEPOINT s;
SELECT secmed.create_node('alpha') IS NOT NULL AS created;
ROLLBACK TO s;
COMMIT;

-- The node.
SELECT secmed.create_node('alpha') AS alpha_fingerprint \gset
SELECT secmed.create_node('alpha');
SELECT secmed.create_node('gamma');
SELECT name, created_at <= clock_timestamp() AS created FROM secmed.node;
SELECT secmed.node_card() = card AS same, card ~ '^secmed-node1:alpha:[A-Za-z0-9+/]+=*$' AS shape FROM secmed.node;
SELECT secmed.fingerprint(secmed.node_card()) = :'alpha_fingerprint' AS same;
SELECT secmed.fingerprint(E'  ' || secmed.node_card() || E'\r\n') = :'alpha_fingerprint' AS same;

-- Cards that are none.
SELECT secmed.fingerprint('alpha');
SELECT secmed.fingerprint(left(secmed.node_card(), -4));
SELECT secmed.fingerprint(replace(secmed.node_card(), ':alpha:', ':gamma:'));
SELECT secmed.fingerprint(NULL) IS NULL AS none;

-- Peers.
SELECT secmed.add_peer(NULL);
SELECT secmed.add_peer('beta', 'host=beta.example');
SELECT secmed.add_peer(:'beta_card', 'host=beta.example password=secret nonsense');
SELECT secmed.add_peer(:'beta_card', 'host=beta.example colour=blue');
SELECT secmed.add_peer(:'beta_card') = secmed.fingerprint(:'beta_card') AS fingerprint;
SELECT name, conninfo, added_by FROM secmed.peer ORDER BY name;
SELECT secmed.add_peer(:'beta_card', 'host=beta.example dbname=beta') IS NOT NULL AS again;
SELECT secmed.add_peer(secmed.node_card(), 'dbname=regress_alpha');
SELECT secmed.add_peer(secmed.node_card(), 'host=/run/postgresql dbname=regress_alpha');
SELECT secmed.add_peer(secmed.node_card(), 'host=,127.0.0.1 dbname=regress_alpha');
SELECT secmed.add_peer(secmed.node_card(), 'host=a,/run/postgresql dbname=regress_alpha');
SELECT secmed.add_peer(secmed.node_card(), 'host=a service=b dbname=regress_alpha');
SELECT secmed.add_peer(secmed.node_card(), 'host=localhost dbname=regress_alpha') IS NOT NULL AS myself;
SELECT name, conninfo, added_by FROM secmed.peer ORDER BY name;

-- Another key under a known name.
\set VERBOSITY sqlstate
SELECT secmed.add_peer(:'other_card');
\set VERBOSITY default
SELECT secmed.remove_peer('beta');
SELECT secmed.remove_peer('beta');
SELECT secmed.add_peer(:'other_card') IS NOT NULL AS after_remove;

-- Asked for and rolled back: no peer, but an entry.
BEGIN;
SELECT secmed.remove_peer('beta');
ROLLBACK;
SELECT name FROM secmed.peer ORDER BY name;

-- What the ledger says, and who may do what.
RESET ROLE;
SET ROLE regress_secmed_auditor;
SELECT kind, regexp_replace(split_part(object, ' ', 1), '/[0-9a-f-]{36}/(\d+)\+.*', '/UUID/\1') AS object, outcome FROM secmed.audit WHERE run IS NULL ORDER BY seq;
SELECT ok, bad_seq, reason, length(head) AS head FROM secmed.verify_ledger();
SELECT secmed.create_node('alpha');
SELECT secmed.add_peer('beta');
SELECT * FROM secmed.peer;
RESET ROLE;

-- A copy of a node's database is not the node.  The sequencer makes way for
-- each of these commands.
\c regress_beta
CREATE DATABASE regress_copy TEMPLATE regress_alpha;
ALTER DATABASE regress_beta RENAME TO regress_gamma;	-- we are in it
ALTER DATABASE regress_alpha RENAME TO regress_gamma;
\c regress_copy
\set VERBOSITY sqlstate
SELECT secmed.node_card();
\set VERBOSITY default
SELECT ok FROM secmed.verify_ledger();

-- After DROP EXTENSION a new node and a new ledger.
\c regress_gamma
SET client_min_messages = warning;
SELECT secmed.remove_peer('beta');
DROP EXTENSION secmed;
CREATE EXTENSION secmed;
SELECT secmed.create_node('gamma') IS NOT NULL AS created;
SELECT seq, kind, regexp_replace(split_part(object, ' ', 1), '/[0-9a-f-]{36}/(\d+)\+.*', '/UUID/\1') AS object FROM secmed.audit;

\c postgres postgres
DROP DATABASE regress_gamma;
DROP DATABASE regress_beta;
DROP DATABASE regress_other_beta;
DROP DATABASE regress_copy;
DROP ROLE regress_secmed_admin, regress_secmed_auditor;
