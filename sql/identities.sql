-- People and organisations: who is admitted, by whose votes.  Documents are
-- those of test/peers/people.py; the exchange is asked for where it matters.
\getenv abs_srcdir PG_ABS_SRCDIR
\set people :abs_srcdir '/sql/include/people.sql'
\set ECHO none
\i :people
\set ECHO all
\c charite postgres
SET client_min_messages = notice;
-- what is no document
SELECT secmed.submit_document('hello');
SELECT secmed.submit_document('\x00'::bytea);
SELECT secmed.submit_document(:'unsigned');
SELECT secmed.submit_document(:'forged');
SELECT secmed.submit_document(:'eve_by_ada');
SELECT secmed.admit_founders(:'ada_adopts');
-- a document in words; nobody is known yet
SELECT secmed.show(:'ada');
-- before there are members nothing has an effect, and nothing is lost
SELECT secmed.submit_document(:'bob_admits_dave') <> '' AS waits;
SELECT secmed.submit_document(:'dave') <> '' AS waits;
SELECT kind, state, problem, signatures FROM secmed.documents ORDER BY kind COLLATE "C";
-- founders
SELECT secmed.admit_founders(:'ada');
SELECT secmed.admit_founders(:'ada');
SELECT secmed.admit_founders(:'bob');
SELECT name, state, may_act, roles FROM secmed.identities ORDER BY name COLLATE "C";
-- Bob's vote is known now, and is not enough: a majority of two is two
SELECT kind, state, problem FROM secmed.documents ORDER BY kind COLLATE "C", problem COLLATE "C";
SELECT secmed.submit_document(:'ada_admits_dave') <> '' AS counted;
SELECT name, state, may_act FROM secmed.identities ORDER BY name COLLATE "C";
-- the time of founders is over, votes are not
SELECT secmed.admit_founders(:'carol');
SELECT secmed.submit_document(:'dave_admits_carol') <> '' AS waits;
SELECT secmed.submit_document(:'bob_admits_later');
SELECT secmed.submit_document(:'ada_admits_carol') <> '' AS waits;
SELECT secmed.submit_document(:'bob_admits_carol') <> '' AS waits;
SELECT secmed.submit_document(:'carol') <> '' AS taken;
SELECT name, state, may_act FROM secmed.identities ORDER BY name COLLATE "C";
-- the same twice changes nothing
SELECT secmed.submit_document(:'ada_admits_carol') <> '' AS again;
SELECT count(*) FROM secmed.vote WHERE verb = 'admit';
-- rules: two votes to admit, replace and remove, three to amend
SELECT secmed.submit_document(:'rules') <> '' AS waits;
SELECT secmed.submit_document(:'ada_adopts') <> '' AS counted;
SELECT secmed.submit_document(:'bob_adopts') <> '' AS counted;
SELECT serial, state FROM secmed.governance;
-- rules with serial number 2 wait for three votes
SELECT secmed.submit_document(:'rules2') <> '' AS waits;
-- an identity whose time is over is admitted, and may not act
SELECT secmed.submit_document(:'frank') <> '' AS waits;
SELECT secmed.submit_document(:'ada_admits_frank') <> '' AS counted, secmed.submit_document(:'carol_admits_frank') <> '' AS counted;
SELECT name, kind, state, may_act FROM secmed.identities WHERE name LIKE 'Frank%';
-- database roles
SELECT secmed.bind_identity('nobody', 'alice');
SELECT secmed.bind_identity('0000 0000 0000 0000 0000 0000 0000 0000', 'alice');
SELECT secmed.submit_document(:'eve') <> '' AS waits;
SELECT secmed.bind_identity(:'ada_fingerprint', 'alice');
SELECT secmed.bind_identity(:'eve_fingerprint', 'alice');
SELECT secmed.bind_identity(fingerprint, 'alice') FROM secmed.identities WHERE name = 'Dave Olsen';
SELECT secmed.unbind_identity('stranger');
SELECT secmed.unbind_identity(0);
SELECT name, bound_to FROM secmed.identities WHERE bound_to IS NOT NULL;
-- the same key says something else of itself
SELECT secmed.submit_document(:'dave_again');
SELECT secmed.submit_document(:'dave2') <> '' AS waits;
SELECT secmed.submit_document(:'ada_admits_dave2') <> '' AS counted, secmed.submit_document(:'bob_admits_dave2') <> '' AS counted;
SELECT name, roles, state, bound_to FROM secmed.identities WHERE name LIKE 'Dave%' ORDER BY state COLLATE "C";
-- a new key in the place of a lost one: the lost one has no vote on that
SELECT secmed.submit_document(:'ada2') <> '' AS waits;
SELECT secmed.submit_document(:'ada_admits_ada2') <> '' AS counted, secmed.submit_document(:'bob_admits_ada2') <> '' AS counted;
SELECT name, state FROM secmed.identities WHERE name LIKE 'Ada%' ORDER BY state COLLATE "C";
SELECT secmed.submit_document(:'carol_admits_ada2') <> '' AS counted;
SELECT name, state FROM secmed.identities WHERE name LIKE 'Ada%' ORDER BY state COLLATE "C";
-- removal: from the next statement on, whatever snapshot a transaction has; votes of a key that was replaced don't count
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT name FROM secmed.identities WHERE name LIKE 'Eve%';
SELECT secmed.submit_document(:'ada_removes_bob') <> '' AS waits;
SELECT secmed.submit_document(:'ada2_removes_bob') <> '' AS counted, secmed.submit_document(:'carol_removes_bob') <> '' AS counted;
SELECT split_part(secmed.show(:'bob'), 'signed by      ', 2) AS signed_by;
COMMIT;
SELECT secmed.submit_document(:'bob');
SELECT secmed.submit_document(:'bob_admits_eve');
SELECT name, state, may_act FROM secmed.identities ORDER BY name COLLATE "C", state COLLATE "C";
-- one document, two members' signatures: two votes, and one of them is Ada's old key
SELECT secmed.submit_document(:'both_remove_eve') <> '' AS counted;
SELECT name, state FROM secmed.identities WHERE name LIKE 'Eve%';
SELECT secmed.submit_document(:'ada2_removes_eve') <> '' AS counted;
SELECT name, state FROM secmed.identities WHERE name LIKE 'Eve%';
-- all of it is in the ledger
SELECT object, outcome, counters FROM secmed.audit WHERE kind = 'document' AND (object LIKE 'identity %' OR object LIKE 'role %' OR outcome = 'adopted') ORDER BY seq;
-- who may not
SET ROLE secmed_auditor;
SELECT secmed.submit_document('x');
SET ROLE secmed_analyst;
SELECT secmed.admit_founders('x');
SELECT secmed.bind_identity('x', 'alice');
RESET ROLE;
-- other nodes get all of it; the administrator of each admits the founders
BEGIN;
SELECT * FROM secmed.exchange_documents();
COMMIT;
SELECT node, refused, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";
\c lmu postgres
SET client_min_messages = warning;
SELECT secmed.admit_founders(:'ada', :'bob');
SELECT name, state, may_act FROM secmed.identities ORDER BY name COLLATE "C", state COLLATE "C";
SELECT serial, state FROM secmed.governance ORDER BY serial;
-- what has waited for too long is forgotten
UPDATE secmed.document SET received_at = received_at - interval '89 days' WHERE problem IS NOT NULL;
SELECT count(*) = 3 AS exchanged FROM secmed.exchange_documents();
SELECT serial, state FROM secmed.governance ORDER BY serial;
UPDATE secmed.document SET received_at = received_at - interval '2 days' WHERE problem IS NOT NULL;
SELECT count(*) = 3 AS exchanged FROM secmed.exchange_documents();
SELECT serial, state FROM secmed.governance ORDER BY serial;
SELECT count(*) FROM secmed.documents WHERE state = 'waits';
