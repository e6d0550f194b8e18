-- Runs that named people must approve, each.
\c lmu postgres
SET client_min_messages = warning;
CREATE ROLE irb IN ROLE secmed_approver;
CREATE ROLE carol LOGIN IN ROLE irb;
CREATE ROLE dave LOGIN IN ROLE irb;
CREATE ROLE erin LOGIN IN ROLE secmed_approver;
GRANT USAGE ON SCHEMA secmed TO stranger;
RESET client_min_messages;
-- refused
SELECT secmed.require_approval('{nobody}');
SELECT secmed.require_approval('{}');
SELECT secmed.require_approval('{irb}', approvals => 0);
SELECT secmed.require_approval('{irb}', valid => '-1 day');
SELECT secmed.require_approval(NULL);
SELECT secmed.waive_approval();
SET ROLE stranger;
SELECT secmed.require_approval('{irb}');
SELECT * FROM secmed.pending;
RESET ROLE;

SELECT secmed.require_approval('{irb}', "table" => 'measure');
-- a plain question is refused, and nobody is bothered
\c research alice
SELECT count(*) FROM consortium.measure;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM consortium.visit;
-- what can be submitted
SELECT secmed.submit('DELETE FROM consortium.measure');
SELECT secmed.submit('SELECT 1; SELECT 2');
SELECT secmed.submit('SELECT 1');
SELECT secmed.submit('SELECT (SELECT count(*) FROM consortium.measure), (SELECT count(*) FROM consortium.visit)');
SELECT secmed.submit('SELECT name FROM consortium.measure');
SELECT secmed.submit('SELECT sex, count(*), sum(i4) FROM consortium.measure WHERE stage > 0 GROUP BY sex') AS id \gset
SELECT statement, nodes, state FROM secmed.submissions;
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
\echo :LAST_ERROR_SQLSTATE
-- those who decide
\c lmu carol
SELECT state, question, requester, reveals, waits_for, answered_before, answered_to_requester FROM secmed.pending;
SELECT statement FROM secmed.pending;
SELECT count(*) AS groups, min(p::text) LIKE '{%' AS rows FROM secmed.preview(:'id') p;
SELECT secmed.approve(:'id', 'yes');
SELECT secmed.hold(:'id', '');
SELECT secmed.hold(:'id', 'The protocol number is missing.');
SELECT state, reason, answers FROM secmed.pending;
\c research alice
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
-- not for others
\c lmu erin
SELECT * FROM secmed.pending;
SELECT secmed.approve(:'id');
SELECT * FROM secmed.preview(:'id');
SELECT secmed.approve('00000000-0000-0000-0000-000000000000');
\c lmu postgres
SET ROLE irb;
SELECT secmed.approve(:'id');
RESET ROLE;
\c lmu carol
SELECT secmed.approve(:'id', 'responsibility');
SELECT state, answers FROM secmed.pending;
\c research stranger
\set VERBOSITY terse
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
\set VERBOSITY default
\c research alice
SELECT * FROM secmed.result(:'id') AS (sex text, n text, total bigint);
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
SELECT secmed.submit('SELECT sex, count(*), sum(i4) FROM consortium.measure WHERE stage > 0 GROUP BY sex') AS id \gset
\c lmu carol
SELECT secmed.approve(:'id');
\c research alice
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
SELECT * FROM secmed.result(:'id') AS (sex text, n bigint, total bigint);
SELECT statement, state FROM secmed.submissions ORDER BY submitted_at;
-- rejected
SELECT secmed.submit('SELECT avg(i4) FROM consortium.measure') AS id \gset
\c lmu dave
SELECT question, answered_before, answered_to_requester FROM secmed.pending WHERE id = :'id';
SELECT secmed.reject(:'id', 'Not in the protocol.');
SELECT secmed.approve(:'id');
\c research alice
SELECT * FROM secmed.result(:'id') AS (a numeric);
\echo :LAST_ERROR_SQLSTATE
SELECT secmed.cancel_submission(:'id');
SELECT secmed.cancel_submission(:'id');
-- taken back
SELECT secmed.submit('SELECT avg(i4) FROM consortium.measure') AS id \gset
SELECT secmed.cancel_submission(:'id');
\c lmu dave
SELECT count(*) FROM secmed.pending WHERE id = :'id';
-- two of them, after a review by a third
\c lmu postgres
SELECT secmed.require_approval('{irb, erin}', approvals => 2, review => true, "table" => 'measure');
\c research alice
SELECT secmed.submit('SELECT max(n) FROM (SELECT stage, count(*) AS n FROM consortium.measure GROUP BY stage) s') AS id \gset
\c lmu carol
SELECT secmed.approve(:'id');
SELECT state, waits_for FROM secmed.pending WHERE id = :'id';
SELECT secmed.approve(:'id', 'review');
\c lmu dave
SELECT secmed.approve(:'id');
SELECT state, waits_for FROM secmed.pending WHERE id = :'id';
\c lmu carol
SELECT secmed.approve(:'id');
SELECT state, waits_for FROM secmed.pending WHERE id = :'id';
\c lmu erin
SELECT secmed.approve(:'id');
SELECT state, waits_for, answers FROM secmed.pending WHERE id = :'id';
-- who has left does not count any more
\c lmu postgres
REVOKE irb FROM dave;
SELECT state FROM secmed.asked_status WHERE id = :'id';
GRANT irb TO dave;
\c research alice
SELECT * FROM secmed.result(:'id') AS (max bigint) WHERE max > 10;
-- a fit is one question, and one yes is for all its passes
\c lmu postgres
SELECT secmed.require_approval('{irb}', "table" => 'measure');
\c research alice
\set SHOW_CONTEXT never
SELECT * FROM secmed.glm('smoker ~ f4', 'consortium.measure', 'binomial');
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = warning;
SELECT secmed.submit('SELECT term, estimate FROM secmed.glm(''smoker ~ f4'', ''consortium.measure'', ''binomial'')') AS id \gset
\c lmu carol
SELECT question, params FROM secmed.pending WHERE id = :'id';
SELECT secmed.approve(:'id');
\c research alice
SET client_min_messages = warning;
SELECT term, round(estimate::numeric, 6) AS estimate FROM secmed.result(:'id') AS (term text, estimate double precision);
SELECT * FROM secmed.result(:'id') AS (term text, estimate double precision);
SELECT count(*) FROM secmed.progress;
\set SHOW_CONTEXT errors
\c lmu postgres
SELECT outcome, count(*) > 3 AS each_pass, count(DISTINCT plan) AS plans FROM secmed.events WHERE kind = 'approval' AND run = :'id' AND outcome = 'used' GROUP BY outcome;
SELECT state FROM secmed.asked_status WHERE id = :'id';
-- too late
\c lmu postgres
SELECT secmed.require_approval('{irb}', valid => '0.1 seconds', "table" => 'measure');
\c research alice
SELECT secmed.submit('SELECT count(i4) FROM consortium.measure') AS id \gset
SELECT pg_sleep(0.2);
SELECT * FROM secmed.result(:'id') AS (n bigint);
-- a plain question that waits, and gives up
\c lmu postgres
SELECT secmed.require_approval('{irb}', "table" => 'measure');
\c research alice
SET secmed.approval_wait = '100ms';
SELECT count(*) FROM consortium.measure;
\echo :LAST_ERROR_SQLSTATE
\c lmu carol
SELECT count(*) FROM secmed.pending;
-- what the ledgers tell
\c lmu postgres
SELECT secmed.waive_approval('measure');
SELECT actor, outcome, object, statement FROM secmed.audit WHERE kind = 'approval' ORDER BY seq;
SELECT outcome, object, statement FROM secmed.audit WHERE kind = 'rule' AND outcome LIKE 'approvals%' ORDER BY seq;
SELECT outcome, count(*) > 0 FROM secmed.audit WHERE kind = 'decision' AND outcome LIKE 'no: approval' GROUP BY outcome;
SELECT ended, count(*), count(statement) AS statements, count(request) AS requests FROM secmed.asked GROUP BY ended ORDER BY ended;
SELECT ok FROM secmed.verify_ledger();
\c research postgres
SELECT actor, outcome FROM secmed.audit WHERE kind = 'approval' ORDER BY seq;
\c research alice
SELECT count(*) FROM consortium.measure;
\c lmu postgres
REVOKE USAGE ON SCHEMA secmed FROM stranger;
DROP ROLE carol, dave, erin, irb;
