-- Nothing for PUBLIC; each role its part.
\c research postgres
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'secmed'::regnamespace AND has_function_privilege('stranger', p.oid, 'EXECUTE');
SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace IN ('secmed'::regnamespace, 'secmed_published'::regnamespace) AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege('stranger', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
SELECT has_schema_privilege('stranger', 'secmed', 'USAGE') AS secmed, has_schema_privilege('stranger', 'secmed_published', 'USAGE') AS published, has_foreign_data_wrapper_privilege('stranger', 'secmed', 'USAGE') AS fdw;
-- what each role may call
SELECT r.rolname, p.oid::regprocedure
  FROM pg_proc p CROSS JOIN (VALUES ('secmed_admin'), ('secmed_analyst'), ('secmed_approver'), ('secmed_auditor'), ('secmed_peer'), ('secmed_runner')) r(rolname)
 WHERE p.pronamespace = 'secmed'::regnamespace AND has_function_privilege(r.rolname, p.oid, 'EXECUTE') ORDER BY 1, 2;
SELECT r.rolname, c.oid::regclass
  FROM pg_class c CROSS JOIN (VALUES ('secmed_admin'), ('secmed_analyst'), ('secmed_approver'), ('secmed_auditor'), ('secmed_peer'), ('secmed_runner')) r(rolname)
 WHERE c.relnamespace = 'secmed'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(r.rolname, c.oid, 'SELECT') ORDER BY 1, 2;
SELECT r.rolname, c.oid::regclass
  FROM pg_class c CROSS JOIN (VALUES ('secmed_admin'), ('secmed_analyst'), ('secmed_approver'), ('secmed_auditor'), ('secmed_peer'), ('secmed_runner')) r(rolname)
 WHERE c.relnamespace = 'secmed'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(r.rolname, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1, 2;
-- every object has a comment, every C function of SQL callers a pinned search_path
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'secmed'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'secmed'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND obj_description(c.oid, 'pg_class') IS NULL;
-- a role that may read the foreign table but is no analyst can't ask
\c research alice
GRANT USAGE ON SCHEMA consortium TO stranger;
GRANT SELECT ON consortium.measure TO stranger;
\c research stranger
SELECT count(*) FROM consortium.measure;
SELECT secmed.node_card();
SELECT * FROM secmed.audit;
-- a node's role can call the protocol and nothing else
\c charite node
SELECT * FROM clinic.measure;
SELECT * FROM secmed_published.measure;
SELECT * FROM secmed.ledger;
SELECT secmed.hello('x');
SELECT secmed.describe('x');
CALL secmed.serve('x');
CALL secmed.serve(NULL);
CALL secmed.link('x');
-- a view of the analyst's asks in the analyst's name
\c research alice
CREATE VIEW consortium.men AS SELECT count(*) AS n FROM consortium.measure WHERE sex = 'm';
SELECT n FROM consortium.men;
DROP VIEW consortium.men;
