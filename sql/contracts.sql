-- Contracts: drafted, vetted, signed, run; and all that is refused.
\getenv abs_srcdir PG_ABS_SRCDIR
\getenv abs_builddir PG_ABS_BUILDDIR
\getenv host PGHOST
\getenv port PGPORT
\set nodes :abs_srcdir '/sql/include/contract_nodes.sql'
\i :nodes
\set sign :abs_srcdir '/sql/include/sign.sql'
\set found :abs_srcdir '/sql/include/found.sql'
\set keys :abs_builddir '/results/contracts-'
SELECT setting || '/secmed' AS tool FROM pg_config WHERE name = 'BINDIR' \gset
\setenv TOOL :tool
\setenv KEYS :keys
\! for who in ada vera carl olaf lena gina boss; do "$TOOL" keygen --person $who "$KEYS$who.key" >/dev/null; done
\set ada `"$TOOL" identity "${KEYS}ada.key" --organisation Uni --role analyst --role vetter --node desk 2>/dev/null`
\set vera `"$TOOL" identity "${KEYS}vera.key" --organisation Uni --role vetter 2>/dev/null`
\set carl `"$TOOL" identity "${KEYS}carl.key" --organisation Board --role committee 2>/dev/null`
\set olaf `"$TOOL" identity "${KEYS}olaf.key" --organisation north --role owner 2>/dev/null`
\set lena `"$TOOL" identity "${KEYS}lena.key" --organisation south --role owner 2>/dev/null`
\set gina `"$TOOL" identity "${KEYS}gina.key" --organisation east --role owner 2>/dev/null`
\set boss `"$TOOL" identity "${KEYS}boss.key" --organisation Board --role governance 2>/dev/null`
\c north postgres
\i :found
\c south postgres
\i :found
\c east postgres
\i :found
\c desk postgres
\i :found
SELECT fingerprint AS ada_key FROM secmed.identity WHERE name = 'ada' \gset
SELECT secmed.bind_identity(secmed.fingerprint_text(:'ada_key'), 'alice');
SELECT secmed.fingerprint_text(fingerprint) AS vera_key FROM secmed.identity WHERE name = 'vera' \gset

-- drafting: what can't be a contract
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM consortium.measure', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM nowhere', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure; SELECT 1', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'DELETE FROM measure', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT * FROM measure', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT 1', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT (SELECT count(*) FROM measure), (SELECT sum(i4) FROM measure)', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*), pg_read_file(''x'') FROM measure', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE day < current_date', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE i4 >= $1', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE i4 >= $1', '[{"name": "age", "type": "integer"}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE i4 >= $1', '[{"name": "age", "type": "integer", "min": 80, "max": 18}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE i4 >= $1', '[{"name": "age", "type": "integer", "min": "x", "max": 18}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure WHERE i4 >= $1', '[{"name": "age", "type": "integer", "minimum": 1}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', '[{"name": "age", "type": "integer", "min": 18, "max": 80}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', '[{"name": "who", "type": "regclass", "values": ["pg_class"]}]', legal_basis => 'L', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', terms => 'T');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T', patients_min => 0);
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T', who => '{"roles": ["wizard"]}');
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T', vetters => 1, organisations => 2);
SELECT secmed.draft_contract('c', 'T', 'P', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T', replaces => 'nothing');

-- one that can
SELECT secmed.draft_contract('by-sex', 'Age by sex', 'Are women older?',
	'SELECT sex, count(*) AS n, round(avg(i4), 1) AS age FROM measure WHERE i4 >= $1 AND stage = ANY ($2) GROUP BY sex ORDER BY sex',
	'[{"name": "from", "type": "integer", "min": 0, "max": 90, "words": "youngest"},
	  {"name": "stages", "type": "smallint[]", "values": [0, 1, 2, 3], "items_max": 4}]',
	legal_basis => 'GDPR Art. 9(2)(j)', terms => 'Published in aggregate only.', patients_min => 5, vetters => 2, organisations => 2,
	runs_max => 5, valid_from => '2026-01-01', valid_until => '2099-01-01') AS draft \gset
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') AS contract \gset
SELECT name, version, title, state, waits_for, author, signers, uses FROM secmed.contract;

-- signed by somebody else than its author
\set signer vera
\i :sign
SELECT secmed.submit_document(:'signed') = :'contract' AS the_same;

-- what people do with it, in an order that nobody planned
SELECT secmed.draft_contract_act('burn', 'by-sex');
SELECT secmed.draft_contract_act('vet', 'by-sex');
SELECT secmed.draft_contract_act('revoke', 'by-sex');
SELECT secmed.draft_contract_act('sign', 'by-sex');
SELECT secmed.draft_contract_act('vet', 'by-sex', meaning => 'approval') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS vetted;
SELECT state, vetters, organisations FROM secmed.contract;
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS an_author_never_vets;
SELECT state, vetters, organisations FROM secmed.contract;
SELECT secmed.draft_contract_act('propose', 'by-sex') AS draft \gset
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS proposed;
SELECT secmed.draft_contract_act('vet', 'by-sex', meaning => 'review') AS draft \gset
\set signer carl
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS vetted;
SELECT state, vetters, organisations, waits_for FROM secmed.contract;
SELECT secmed.draft_contract_act('sign', 'by-sex', node => 'north') AS draft \gset
\set signer lena
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS not_hers;
SELECT state, signed_by FROM secmed.contract;
\set signer olaf
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS signed;
SELECT secmed.draft_contract_act('sign', 'by-sex', node => 'south') AS draft \gset
\set signer lena
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS signed;
LISTEN secmed_contract;
SELECT secmed.draft_contract_act('sign', 'by-sex', node => 'east') AS draft \gset
\set signer gina
\i :sign
\o | sed 's/[0-9a-f]\{64\}/HASH/; s/ received.*//'
SELECT secmed.submit_document(:'signed') <> '' AS signed;
\o
UNLISTEN *;
SELECT state, signed_by, waits_for FROM secmed.contract;
\c desk postgres
SELECT node, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";
\c east postgres
SELECT name, state, vetted_by, signed_by FROM secmed.contract;
SELECT verb, actor, node, meaning FROM secmed.contract_act ORDER BY verb COLLATE "C", actor COLLATE "C";
SELECT name FROM secmed.find_contracts('women');
SELECT name FROM secmed.find_contracts('"in aggregate" -men');
SELECT name FROM secmed.find_contracts('paediatric');

-- running it
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
-- Which node is the first to refuse is chance.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; more text;
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
	RETURN regexp_replace(format('%s %s. %s', SQLSTATE, said, more), '"(north|south|east)"', '"..."', 'g');
END $$;
SELECT pg_temp.refused($$SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1]}') AS t(sex text, n bigint, age numeric)$$);
SELECT secmed.draft_contract_act('accept', 'by-sex') AS draft \gset
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS accepted;
\c desk postgres
SELECT node, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1, 2]}') AS t(sex text, n bigint, age numeric);
SELECT sex, count(*), round(avg(i4), 1) FROM measure WHERE i4 >= 0 AND stage = ANY ('{1,2}') GROUP BY sex ORDER BY sex;
SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1]}') AS t(sex text, n integer);
SELECT * FROM secmed.run('by-sex', '{"from": 91, "stages": [1]}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1, 4]}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1, 1, 1, 1, 1]}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [null]}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": null, "stages": [1]}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": 0}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('by-sex', '{"from": 0, "until": 3}') AS t(sex text, n bigint, age numeric);
SELECT * FROM secmed.run('nothing') AS t(sex text);

-- somebody whom the contract does not know
\c desk postgres
SET client_min_messages = warning;
SET search_path = consortium;
\set SHOW_CONTEXT never
SELECT count(*) FROM secmed.run('by-sex', '{"from": 0, "stages": [1]}') AS t(sex text, n bigint, age numeric);
\set SHOW_CONTEXT errors

-- a site that lets nobody ask but under contracts; which of the two says so first is chance
\c north postgres
SELECT secmed.set_mode('contracts');
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
\set VERBOSITY sqlstate
SELECT sex, count(*) FROM measure GROUP BY sex;
\set VERBOSITY default
SELECT * FROM secmed.run('by-sex', '{"from": 10, "stages": [3]}') AS t(sex text, n bigint, age numeric);
\c north postgres
SELECT secmed.set_mode('adhoc');
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
-- Which node is the first to refuse is chance.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; more text;
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
	RETURN regexp_replace(format('%s %s. %s', SQLSTATE, said, more), '"(north|south|east)"', '"..."', 'g');
END $$;

-- an ordinary SELECT that is an instance of it
EXPLAIN (COSTS OFF) SELECT sex, count(*), round(avg(i4), 1) FROM measure WHERE i4 >= 30 AND stage = ANY ('{0}') GROUP BY sex;
PREPARE instance(integer) AS SELECT sex, count(*), avg(i4) FROM measure WHERE i4 >= $1 AND stage = ANY ('{0,1,2,3}') GROUP BY sex ORDER BY sex;
EXECUTE instance(20);
SELECT pg_temp.refused('SELECT sex, count(*), avg(i4) FROM measure WHERE i4 >= 95 AND stage = ANY (''{0,1,2,3}'') GROUP BY sex');
DEALLOCATE instance;
-- not an instance
EXPLAIN (COSTS OFF) SELECT sex, count(*), round(avg(i4), 1) FROM measure WHERE i4 > 30 AND stage = ANY ('{0}') GROUP BY sex;
SET secmed.contract = 'by-sex';
SELECT sex, count(*) FROM measure WHERE i4 >= 30 GROUP BY sex;
SET secmed.contract = 'none';
EXPLAIN (COSTS OFF) SELECT sex, count(*), round(avg(i4), 1) FROM measure WHERE i4 >= 30 AND stage = ANY ('{0}') GROUP BY sex;
RESET secmed.contract;

-- its runs are used up
SELECT count(*) FROM secmed.run('by-sex', '{"from": 1, "stages": [1, 2]}') AS t(sex text, n bigint, age numeric);
SELECT pg_temp.refused($$SELECT count(*) FROM secmed.run('by-sex', '{"from": 2, "stages": [1, 2]}') AS t(sex text, n bigint, age numeric)$$);
\c south postgres
SELECT uses FROM secmed.contract;

-- suspended, resumed, replaced, revoked
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
SELECT secmed.draft_contract_act('suspend', 'by-sex', 'a doubt about ages', 'south') AS draft \gset
\set signer lena
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS suspended;
SELECT state FROM secmed.contract;
\c desk postgres
SELECT node, problem FROM secmed.exchange_documents() ORDER BY node COLLATE "C";
\c desk alice
SET client_min_messages = warning;
SET search_path = consortium;
-- Which node is the first to refuse is chance.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; more text;
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
	RETURN regexp_replace(format('%s %s. %s', SQLSTATE, said, more), '"(north|south|east)"', '"..."', 'g');
END $$;
SELECT pg_temp.refused($$SELECT * FROM secmed.run('by-sex', '{"from": 0, "stages": [1, 2]}') AS t(sex text, n bigint, age numeric)$$);
SELECT secmed.draft_contract_act('resume', 'by-sex', '', 'south') AS draft \gset
\set signer olaf
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS not_his;
SELECT state FROM secmed.contract;
\set signer lena
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS resumed;
SELECT state FROM secmed.contract;
SELECT secmed.draft_contract('other', 'T', 'P', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T', replaces => 'by-sex');
SELECT secmed.draft_contract('by-sex', 'Age by sex, again', 'Are women older?', 'SELECT count(*) FROM measure', legal_basis => 'L', terms => 'T',
	replaces => 'by-sex', valid_until => '2027-01-01') AS draft \gset
\set signer ada
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS next_version;
SELECT version, state, waits_for FROM secmed.contract ORDER BY version;
SELECT secmed.draft_contract_act('revoke', :'contract', 'not needed any more') AS draft \gset
\set signer boss
\i :sign
SELECT secmed.submit_document(:'signed') <> '' AS revoked;
SELECT version, state FROM secmed.contract ORDER BY version;
SELECT verb, actor, reason FROM secmed.contract_act WHERE reason <> '' ORDER BY verb COLLATE "C";
SELECT secmed.contract_state(0::smallint) IS NULL AS no_state;
