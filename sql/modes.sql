-- In which mode a node is, and so who may ask it without a contract.
-- refused
\c lmu postgres
SELECT secmed.set_mode('open');
SELECT secmed.set_mode('');
SELECT secmed.set_mode('closed', '{research:alice}');
SELECT secmed.set_mode('contracts', '{research:alice}');
SELECT secmed.set_mode('adhoc', '{alice}');
SELECT secmed.set_mode('adhoc', '{Research:alice}');
SELECT secmed.set_mode('adhoc', '{research:}');
SELECT secmed.set_mode('adhoc', ARRAY['research:alice', NULL]);
SELECT secmed.set_mode('adhoc', '{00FF}');
SELECT secmed.set_mode(NULL, "table" => 'measure');
SET ROLE stranger;
SELECT secmed.set_mode('adhoc');
RESET ROLE;
-- a new node answers only what a contract allows
SELECT secmed.set_mode(NULL);
SELECT * FROM secmed.site_mode;
\c research alice
SELECT count(*) FROM consortium.measure;
\c lmu postgres
SELECT secmed.set_mode('adhoc');
-- a table of its own mode
SELECT secmed.set_mode('closed', "table" => 'visit');
\c research alice
SELECT count(*) FROM consortium.measure;
SELECT count(*) FROM consortium.visit;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM consortium.measure m JOIN consortium.visit v USING (patient);
-- only who is named
\c lmu postgres
SELECT secmed.set_mode(NULL, "table" => 'visit');
SELECT secmed.set_mode('adhoc', '{research:bob, gemelli:*}');
\c research alice
SELECT count(*) FROM consortium.measure;
\c lmu postgres
SELECT secmed.set_mode('adhoc', '{research:bob, research:alice}');
\c research alice
SELECT count(*) FROM consortium.measure;
-- who sets his role is not who is named
\c research postgres
SET ROLE alice;
SELECT count(*) FROM consortium.measure;
RESET ROLE;
\c lmu postgres
SELECT secmed.set_mode('adhoc', '{research:*}');
\c research postgres
SET ROLE alice;
SELECT count(*) FROM consortium.measure;
RESET ROLE;
-- a table's own mode instead of the node's, for that table alone
\c lmu postgres
SELECT secmed.set_mode('contracts');
SELECT secmed.set_mode('adhoc', "table" => 'measure');
\c research alice
SELECT count(*) FROM consortium.measure;
SELECT count(*) FROM consortium.visit;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM consortium.measure m JOIN consortium.visit v USING (patient);
-- but what is closed is closed
\c lmu postgres
SELECT secmed.set_mode('closed');
\c research alice
SELECT count(*) FROM consortium.measure;
\c lmu postgres
SELECT secmed.set_mode('adhoc');
SELECT secmed.set_mode(NULL, "table" => 'measure');
SELECT table_name, mode, who, set_by FROM secmed.site_mode;
-- what the ledger tells
SELECT outcome, object, statement FROM secmed.audit WHERE kind = 'rule' ORDER BY seq OFFSET 1;
SELECT count(*) > 0 AS refusals, count(*) FILTER (WHERE outcome <> 'no: mode') AS others FROM secmed.audit
 WHERE kind = 'decision' AND outcome LIKE 'no%' AND seq > (SELECT min(seq) FROM secmed.audit WHERE outcome = 'mode default');
\c research alice
SELECT count(*) FROM consortium.measure;
