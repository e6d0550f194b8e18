-- pg_dump and restore keep the node, its peers, its publications and a ledger
-- that verifies.  The key file stays where it was: the copy has none.
\c charite postgres
SELECT count(*) > 10 AS has_entries FROM secmed.ledger;
\c postgres postgres
CREATE DATABASE copy;
\! pg_dump charite 2>&1 | psql -X -q -d copy -v ON_ERROR_STOP=1 -o /dev/null
\c copy postgres
SELECT ok, bad_seq, reason FROM secmed.verify_ledger();
SELECT name, min_patients FROM secmed.published ORDER BY name;
SELECT name FROM secmed.peer ORDER BY name;
\set VERBOSITY terse
SELECT secmed.node_card();
\c postgres postgres
DROP DATABASE copy;
