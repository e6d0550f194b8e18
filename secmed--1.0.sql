-- secmed 1.0
--
-- Declares, and computes nothing: every function is in C.  One section for
-- each layer, bottom to top.  PUBLIC has no right on anything here.

\echo Use "CREATE EXTENSION secmed" to load this file. \quit

-- Roles ---------------------------------------------------------------------
-- Roles belong to the cluster, so several databases of one cluster share
-- them; DROP EXTENSION leaves them.

DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
			('secmed_admin', 'secmed: creates the node, knows peers, publishes tables'),
			('secmed_analyst', 'secmed: asks questions over foreign tables'),
			('secmed_auditor', 'secmed: reads the ledger'),
			('secmed_approver', 'secmed: may be named to approve runs'),
			('secmed_peer', 'secmed: what other nodes log in as; may only call the protocol'),
			('secmed_runner', 'secmed: runs the sub-queries of other nodes; reads published views only'))
			AS v(name, comment)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = r.name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', r.name);
			EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', r.name, r.comment);
		END IF;
	END LOOP;
END
$$;

REVOKE ALL ON SCHEMA secmed FROM PUBLIC;
GRANT USAGE ON SCHEMA secmed TO secmed_admin, secmed_analyst, secmed_auditor, secmed_approver, secmed_peer;

CREATE SCHEMA secmed_published;
COMMENT ON SCHEMA secmed_published IS
'The views of published tables: all that a sub-query of another node can see.';
REVOKE ALL ON SCHEMA secmed_published FROM PUBLIC;
GRANT USAGE ON SCHEMA secmed_published TO secmed_runner;
GRANT USAGE, CREATE ON SCHEMA secmed_published TO secmed_admin;

-- share ---------------------------------------------------------------------
-- What a party keeps of a secret value.  Anybody who may read a row sees
-- shares, which are independent of the value; only shared tables hold any.

CREATE FUNCTION secmed.secret_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_typmod_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_typmod_out(integer) IS 'Output of the modifiers of secret types.';
REVOKE ALL ON FUNCTION secmed.secret_typmod_out(integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'secmed_secret_numeric_typmod_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_typmod_in(cstring[]) IS 'Input of (precision, scale).';
REVOKE ALL ON FUNCTION secmed.secret_numeric_typmod_in(cstring[]) FROM PUBLIC;

CREATE FUNCTION secmed.secret_text_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'secmed_secret_text_typmod_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_typmod_in(cstring[]) IS 'Input of (bytes).';
REVOKE ALL ON FUNCTION secmed.secret_text_typmod_in(cstring[]) FROM PUBLIC;

CREATE TYPE secmed.secret_bigint;

CREATE FUNCTION secmed.secret_bigint_in(cstring, oid, integer) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_number_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_in(cstring, oid, integer) IS 'Input of secret_bigint: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_out(secmed.secret_bigint) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_number_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_out(secmed.secret_bigint) IS 'Output of secret_bigint: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_out(secmed.secret_bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_recv(internal, oid, integer) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_number_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_recv(internal, oid, integer) IS 'Binary input of secret_bigint.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_send(secmed.secret_bigint) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_number_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_send(secmed.secret_bigint) IS 'Binary output of secret_bigint.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_send(secmed.secret_bigint) FROM PUBLIC;

CREATE TYPE secmed.secret_bigint (
	INPUT = secmed.secret_bigint_in, OUTPUT = secmed.secret_bigint_out,
	RECEIVE = secmed.secret_bigint_recv, SEND = secmed.secret_bigint_send,
	INTERNALLENGTH = 26, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_bigint IS 'One party''s shares of a whole number of at most 64 bits.';
REVOKE ALL ON TYPE secmed.secret_bigint FROM PUBLIC;

CREATE TYPE secmed.secret_numeric;

CREATE FUNCTION secmed.secret_numeric_in(cstring, oid, integer) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_number_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_in(cstring, oid, integer) IS 'Input of secret_numeric: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_out(secmed.secret_numeric) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_number_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_out(secmed.secret_numeric) IS 'Output of secret_numeric: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_out(secmed.secret_numeric) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_recv(internal, oid, integer) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_number_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_recv(internal, oid, integer) IS 'Binary input of secret_numeric.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_send(secmed.secret_numeric) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_number_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_send(secmed.secret_numeric) IS 'Binary output of secret_numeric.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_send(secmed.secret_numeric) FROM PUBLIC;

CREATE TYPE secmed.secret_numeric (
	INPUT = secmed.secret_numeric_in, OUTPUT = secmed.secret_numeric_out,
	RECEIVE = secmed.secret_numeric_recv, SEND = secmed.secret_numeric_send,
	TYPMOD_IN = secmed.secret_numeric_typmod_in, TYPMOD_OUT = secmed.secret_typmod_out,
	INTERNALLENGTH = 26, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_numeric IS 'One party''s shares of a decimal number: value * 10^scale, at most 18 digits.';
REVOKE ALL ON TYPE secmed.secret_numeric FROM PUBLIC;

CREATE TYPE secmed.secret_date;

CREATE FUNCTION secmed.secret_date_in(cstring, oid, integer) RETURNS secmed.secret_date
	AS 'MODULE_PATHNAME', 'secmed_secret_number_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_date_in(cstring, oid, integer) IS 'Input of secret_date: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_date_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_date_out(secmed.secret_date) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_number_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_date_out(secmed.secret_date) IS 'Output of secret_date: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_date_out(secmed.secret_date) FROM PUBLIC;

CREATE FUNCTION secmed.secret_date_recv(internal, oid, integer) RETURNS secmed.secret_date
	AS 'MODULE_PATHNAME', 'secmed_secret_number_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_date_recv(internal, oid, integer) IS 'Binary input of secret_date.';
REVOKE ALL ON FUNCTION secmed.secret_date_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_date_send(secmed.secret_date) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_number_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_date_send(secmed.secret_date) IS 'Binary output of secret_date.';
REVOKE ALL ON FUNCTION secmed.secret_date_send(secmed.secret_date) FROM PUBLIC;

CREATE TYPE secmed.secret_date (
	INPUT = secmed.secret_date_in, OUTPUT = secmed.secret_date_out,
	RECEIVE = secmed.secret_date_recv, SEND = secmed.secret_date_send,
	INTERNALLENGTH = 26, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_date IS 'One party''s shares of a date: days since 2000-01-01.';
REVOKE ALL ON TYPE secmed.secret_date FROM PUBLIC;

CREATE TYPE secmed.secret_timestamp;

CREATE FUNCTION secmed.secret_timestamp_in(cstring, oid, integer) RETURNS secmed.secret_timestamp
	AS 'MODULE_PATHNAME', 'secmed_secret_number_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_timestamp_in(cstring, oid, integer) IS 'Input of secret_timestamp: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_timestamp_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_timestamp_out(secmed.secret_timestamp) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_number_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_timestamp_out(secmed.secret_timestamp) IS 'Output of secret_timestamp: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_timestamp_out(secmed.secret_timestamp) FROM PUBLIC;

CREATE FUNCTION secmed.secret_timestamp_recv(internal, oid, integer) RETURNS secmed.secret_timestamp
	AS 'MODULE_PATHNAME', 'secmed_secret_number_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_timestamp_recv(internal, oid, integer) IS 'Binary input of secret_timestamp.';
REVOKE ALL ON FUNCTION secmed.secret_timestamp_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_timestamp_send(secmed.secret_timestamp) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_number_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_timestamp_send(secmed.secret_timestamp) IS 'Binary output of secret_timestamp.';
REVOKE ALL ON FUNCTION secmed.secret_timestamp_send(secmed.secret_timestamp) FROM PUBLIC;

CREATE TYPE secmed.secret_timestamp (
	INPUT = secmed.secret_timestamp_in, OUTPUT = secmed.secret_timestamp_out,
	RECEIVE = secmed.secret_timestamp_recv, SEND = secmed.secret_timestamp_send,
	INTERNALLENGTH = 26, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_timestamp IS 'One party''s shares of a timestamp: microseconds since 2000-01-01.';
REVOKE ALL ON TYPE secmed.secret_timestamp FROM PUBLIC;

CREATE TYPE secmed.secret_float8;

CREATE FUNCTION secmed.secret_float8_in(cstring, oid, integer) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_number_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_in(cstring, oid, integer) IS 'Input of secret_float8: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_float8_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_out(secmed.secret_float8) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_number_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_out(secmed.secret_float8) IS 'Output of secret_float8: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_float8_out(secmed.secret_float8) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_recv(internal, oid, integer) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_number_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_recv(internal, oid, integer) IS 'Binary input of secret_float8.';
REVOKE ALL ON FUNCTION secmed.secret_float8_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_send(secmed.secret_float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_number_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_send(secmed.secret_float8) IS 'Binary output of secret_float8.';
REVOKE ALL ON FUNCTION secmed.secret_float8_send(secmed.secret_float8) FROM PUBLIC;

CREATE TYPE secmed.secret_float8 (
	INPUT = secmed.secret_float8_in, OUTPUT = secmed.secret_float8_out,
	RECEIVE = secmed.secret_float8_recv, SEND = secmed.secret_float8_send,
	INTERNALLENGTH = 26, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_float8 IS 'One party''s shares of a double precision number, in steps of 2^-24.';
REVOKE ALL ON TYPE secmed.secret_float8 FROM PUBLIC;

CREATE TYPE secmed.secret_boolean;

CREATE FUNCTION secmed.secret_boolean_in(cstring, oid, integer) RETURNS secmed.secret_boolean
	AS 'MODULE_PATHNAME', 'secmed_secret_boolean_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_boolean_in(cstring, oid, integer) IS 'Input of secret_boolean: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_boolean_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_boolean_out(secmed.secret_boolean) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_boolean_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_boolean_out(secmed.secret_boolean) IS 'Output of secret_boolean: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_boolean_out(secmed.secret_boolean) FROM PUBLIC;

CREATE FUNCTION secmed.secret_boolean_recv(internal, oid, integer) RETURNS secmed.secret_boolean
	AS 'MODULE_PATHNAME', 'secmed_secret_boolean_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_boolean_recv(internal, oid, integer) IS 'Binary input of secret_boolean.';
REVOKE ALL ON FUNCTION secmed.secret_boolean_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_boolean_send(secmed.secret_boolean) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_boolean_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_boolean_send(secmed.secret_boolean) IS 'Binary output of secret_boolean.';
REVOKE ALL ON FUNCTION secmed.secret_boolean_send(secmed.secret_boolean) FROM PUBLIC;

CREATE TYPE secmed.secret_boolean (
	INPUT = secmed.secret_boolean_in, OUTPUT = secmed.secret_boolean_out,
	RECEIVE = secmed.secret_boolean_recv, SEND = secmed.secret_boolean_send,
	INTERNALLENGTH = 9, ALIGNMENT = char);
COMMENT ON TYPE secmed.secret_boolean IS 'One party''s shares of a truth value.';
REVOKE ALL ON TYPE secmed.secret_boolean FROM PUBLIC;

CREATE TYPE secmed.secret_text;

CREATE FUNCTION secmed.secret_text_in(cstring, oid, integer) RETURNS secmed.secret_text
	AS 'MODULE_PATHNAME', 'secmed_secret_text_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_in(cstring, oid, integer) IS 'Input of secret_text: shares as they were printed.';
REVOKE ALL ON FUNCTION secmed.secret_text_in(cstring, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_text_out(secmed.secret_text) RETURNS cstring
	AS 'MODULE_PATHNAME', 'secmed_secret_text_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_out(secmed.secret_text) IS 'Output of secret_text: generation, party, NULL and value, as shares.';
REVOKE ALL ON FUNCTION secmed.secret_text_out(secmed.secret_text) FROM PUBLIC;

CREATE FUNCTION secmed.secret_text_recv(internal, oid, integer) RETURNS secmed.secret_text
	AS 'MODULE_PATHNAME', 'secmed_secret_text_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_recv(internal, oid, integer) IS 'Binary input of secret_text.';
REVOKE ALL ON FUNCTION secmed.secret_text_recv(internal, oid, integer) FROM PUBLIC;

CREATE FUNCTION secmed.secret_text_send(secmed.secret_text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_secret_text_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_send(secmed.secret_text) IS 'Binary output of secret_text.';
REVOKE ALL ON FUNCTION secmed.secret_text_send(secmed.secret_text) FROM PUBLIC;

CREATE TYPE secmed.secret_text (
	INPUT = secmed.secret_text_in, OUTPUT = secmed.secret_text_out,
	RECEIVE = secmed.secret_text_recv, SEND = secmed.secret_text_send,
	TYPMOD_IN = secmed.secret_text_typmod_in, TYPMOD_OUT = secmed.secret_typmod_out,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = plain);
COMMENT ON TYPE secmed.secret_text IS 'One party''s shares of a text of at most so many bytes.';
REVOKE ALL ON TYPE secmed.secret_text FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_scale(secmed.secret_numeric, integer) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_numeric_scale' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_scale(secmed.secret_numeric, integer) IS 'Are these shares of that modifier?';
REVOKE ALL ON FUNCTION secmed.secret_numeric_scale(secmed.secret_numeric, integer) FROM PUBLIC;

CREATE CAST (secmed.secret_numeric AS secmed.secret_numeric) WITH FUNCTION secmed.secret_numeric_scale(secmed.secret_numeric, integer) AS IMPLICIT;
COMMENT ON CAST (secmed.secret_numeric AS secmed.secret_numeric) IS 'Refuses shares of another modifier; changes none.';

CREATE FUNCTION secmed.secret_text_length(secmed.secret_text, integer) RETURNS secmed.secret_text
	AS 'MODULE_PATHNAME', 'secmed_secret_text_length' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_text_length(secmed.secret_text, integer) IS 'Are these shares of that modifier?';
REVOKE ALL ON FUNCTION secmed.secret_text_length(secmed.secret_text, integer) FROM PUBLIC;

CREATE CAST (secmed.secret_text AS secmed.secret_text) WITH FUNCTION secmed.secret_text_length(secmed.secret_text, integer) AS IMPLICIT;
COMMENT ON CAST (secmed.secret_text AS secmed.secret_text) IS 'Refuses shares of another modifier; changes none.';

CREATE FUNCTION secmed.secret_bigint_plus(secmed.secret_bigint, secmed.secret_bigint) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_plus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_plus(secmed.secret_bigint, secmed.secret_bigint) IS 'The sum, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_plus(secmed.secret_bigint, secmed.secret_bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_minus(secmed.secret_bigint, secmed.secret_bigint) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_minus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_minus(secmed.secret_bigint, secmed.secret_bigint) IS 'The difference, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_minus(secmed.secret_bigint, secmed.secret_bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_negate(secmed.secret_bigint) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_negate' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_negate(secmed.secret_bigint) IS 'The negative, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_negate(secmed.secret_bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_times(secmed.secret_bigint, bigint) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_times' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_times(secmed.secret_bigint, bigint) IS 'A multiple, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_times(secmed.secret_bigint, bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_bigint_sum(secmed.secret_bigint, secmed.secret_bigint) RETURNS secmed.secret_bigint
	AS 'MODULE_PATHNAME', 'secmed_secret_sum' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_bigint_sum(secmed.secret_bigint, secmed.secret_bigint) IS 'Transition of sum.';
REVOKE ALL ON FUNCTION secmed.secret_bigint_sum(secmed.secret_bigint, secmed.secret_bigint) FROM PUBLIC;

CREATE OPERATOR secmed.+ (FUNCTION = secmed.secret_bigint_plus, LEFTARG = secmed.secret_bigint, RIGHTARG = secmed.secret_bigint, COMMUTATOR = +);
COMMENT ON OPERATOR secmed.+ (secmed.secret_bigint, secmed.secret_bigint) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_bigint_minus, LEFTARG = secmed.secret_bigint, RIGHTARG = secmed.secret_bigint);
COMMENT ON OPERATOR secmed.- (secmed.secret_bigint, secmed.secret_bigint) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_bigint_negate, RIGHTARG = secmed.secret_bigint);
COMMENT ON OPERATOR secmed.- (NONE, secmed.secret_bigint) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.* (FUNCTION = secmed.secret_bigint_times, LEFTARG = secmed.secret_bigint, RIGHTARG = bigint);
COMMENT ON OPERATOR secmed.* (secmed.secret_bigint, bigint) IS 'Local: no message, a share of the same party.';

CREATE AGGREGATE secmed.sum(secmed.secret_bigint) (SFUNC = secmed.secret_bigint_sum, STYPE = secmed.secret_bigint, PARALLEL = SAFE, COMBINEFUNC = secmed.secret_bigint_sum);
COMMENT ON AGGREGATE secmed.sum(secmed.secret_bigint) IS 'The party''s share of the sum, modulo 2^64; NULL counts as 0. Local.';
REVOKE ALL ON FUNCTION secmed.sum(secmed.secret_bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_plus(secmed.secret_numeric, secmed.secret_numeric) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_plus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_plus(secmed.secret_numeric, secmed.secret_numeric) IS 'The sum, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_plus(secmed.secret_numeric, secmed.secret_numeric) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_minus(secmed.secret_numeric, secmed.secret_numeric) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_minus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_minus(secmed.secret_numeric, secmed.secret_numeric) IS 'The difference, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_minus(secmed.secret_numeric, secmed.secret_numeric) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_negate(secmed.secret_numeric) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_negate' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_negate(secmed.secret_numeric) IS 'The negative, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_negate(secmed.secret_numeric) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_times(secmed.secret_numeric, bigint) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_times' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_times(secmed.secret_numeric, bigint) IS 'A multiple, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_times(secmed.secret_numeric, bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_numeric_sum(secmed.secret_numeric, secmed.secret_numeric) RETURNS secmed.secret_numeric
	AS 'MODULE_PATHNAME', 'secmed_secret_sum' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_numeric_sum(secmed.secret_numeric, secmed.secret_numeric) IS 'Transition of sum.';
REVOKE ALL ON FUNCTION secmed.secret_numeric_sum(secmed.secret_numeric, secmed.secret_numeric) FROM PUBLIC;

CREATE OPERATOR secmed.+ (FUNCTION = secmed.secret_numeric_plus, LEFTARG = secmed.secret_numeric, RIGHTARG = secmed.secret_numeric, COMMUTATOR = +);
COMMENT ON OPERATOR secmed.+ (secmed.secret_numeric, secmed.secret_numeric) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_numeric_minus, LEFTARG = secmed.secret_numeric, RIGHTARG = secmed.secret_numeric);
COMMENT ON OPERATOR secmed.- (secmed.secret_numeric, secmed.secret_numeric) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_numeric_negate, RIGHTARG = secmed.secret_numeric);
COMMENT ON OPERATOR secmed.- (NONE, secmed.secret_numeric) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.* (FUNCTION = secmed.secret_numeric_times, LEFTARG = secmed.secret_numeric, RIGHTARG = bigint);
COMMENT ON OPERATOR secmed.* (secmed.secret_numeric, bigint) IS 'Local: no message, a share of the same party.';

CREATE AGGREGATE secmed.sum(secmed.secret_numeric) (SFUNC = secmed.secret_numeric_sum, STYPE = secmed.secret_numeric, PARALLEL = SAFE, COMBINEFUNC = secmed.secret_numeric_sum);
COMMENT ON AGGREGATE secmed.sum(secmed.secret_numeric) IS 'The party''s share of the sum, modulo 2^64; NULL counts as 0. Local.';
REVOKE ALL ON FUNCTION secmed.sum(secmed.secret_numeric) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_plus(secmed.secret_float8, secmed.secret_float8) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_plus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_plus(secmed.secret_float8, secmed.secret_float8) IS 'The sum, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_float8_plus(secmed.secret_float8, secmed.secret_float8) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_minus(secmed.secret_float8, secmed.secret_float8) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_minus' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_minus(secmed.secret_float8, secmed.secret_float8) IS 'The difference, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_float8_minus(secmed.secret_float8, secmed.secret_float8) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_negate(secmed.secret_float8) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_negate' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_negate(secmed.secret_float8) IS 'The negative, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_float8_negate(secmed.secret_float8) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_times(secmed.secret_float8, bigint) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_times' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_times(secmed.secret_float8, bigint) IS 'A multiple, without any message.';
REVOKE ALL ON FUNCTION secmed.secret_float8_times(secmed.secret_float8, bigint) FROM PUBLIC;

CREATE FUNCTION secmed.secret_float8_sum(secmed.secret_float8, secmed.secret_float8) RETURNS secmed.secret_float8
	AS 'MODULE_PATHNAME', 'secmed_secret_sum' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.secret_float8_sum(secmed.secret_float8, secmed.secret_float8) IS 'Transition of sum.';
REVOKE ALL ON FUNCTION secmed.secret_float8_sum(secmed.secret_float8, secmed.secret_float8) FROM PUBLIC;

CREATE OPERATOR secmed.+ (FUNCTION = secmed.secret_float8_plus, LEFTARG = secmed.secret_float8, RIGHTARG = secmed.secret_float8, COMMUTATOR = +);
COMMENT ON OPERATOR secmed.+ (secmed.secret_float8, secmed.secret_float8) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_float8_minus, LEFTARG = secmed.secret_float8, RIGHTARG = secmed.secret_float8);
COMMENT ON OPERATOR secmed.- (secmed.secret_float8, secmed.secret_float8) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.- (FUNCTION = secmed.secret_float8_negate, RIGHTARG = secmed.secret_float8);
COMMENT ON OPERATOR secmed.- (NONE, secmed.secret_float8) IS 'Local: no message, a share of the same party.';

CREATE OPERATOR secmed.* (FUNCTION = secmed.secret_float8_times, LEFTARG = secmed.secret_float8, RIGHTARG = bigint);
COMMENT ON OPERATOR secmed.* (secmed.secret_float8, bigint) IS 'Local: no message, a share of the same party.';

CREATE AGGREGATE secmed.sum(secmed.secret_float8) (SFUNC = secmed.secret_float8_sum, STYPE = secmed.secret_float8, PARALLEL = SAFE, COMBINEFUNC = secmed.secret_float8_sum);
COMMENT ON AGGREGATE secmed.sum(secmed.secret_float8) IS 'The party''s share of the sum, modulo 2^64; NULL counts as 0. Local.';
REVOKE ALL ON FUNCTION secmed.sum(secmed.secret_float8) FROM PUBLIC;

DO $$
DECLARE
	type text;
	operator text;
BEGIN
	-- Comparisons only say why a party can't make them, and what to do.
	FOREACH type IN ARRAY ARRAY['bigint', 'numeric', 'date', 'timestamp', 'float8', 'boolean', 'text'] LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION secmed.secret_%s_refuse(secmed.secret_%s, "any") RETURNS boolean'
			' AS ''MODULE_PATHNAME'', ''secmed_secret_refuse'' LANGUAGE C IMMUTABLE PARALLEL SAFE', type, type);
		EXECUTE pg_catalog.format('COMMENT ON FUNCTION secmed.secret_%s_refuse(secmed.secret_%s, "any") IS %L',
			type, type, 'Says why a party can''t compare shares, and what to do.');
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION secmed.secret_%s_refuse(secmed.secret_%s, "any") FROM PUBLIC', type, type);
		FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>='] LOOP
			EXECUTE pg_catalog.format('CREATE OPERATOR secmed.%s (FUNCTION = secmed.secret_%s_refuse, LEFTARG = secmed.secret_%s, RIGHTARG = "any")',
				operator, type, type);
			EXECUTE pg_catalog.format('COMMENT ON OPERATOR secmed.%s (secmed.secret_%s, "any") IS %L',
				operator, type, 'Refused: query the foreign table.');
		END LOOP;
	END LOOP;
END
$$;

DO $$
DECLARE
	r record;
BEGIN
	-- What an administrator may do with shares: keep them, and the arithmetic above.
	FOR r IN SELECT t.oid::regtype AS type FROM pg_catalog.pg_type t
			  WHERE t.typnamespace = 'secmed'::regnamespace AND t.typname ~ '^secret_' LOOP
		EXECUTE pg_catalog.format('GRANT USAGE ON TYPE %s TO secmed_admin', r.type);
	END LOOP;
	FOR r IN SELECT p.oid::regprocedure AS function FROM pg_catalog.pg_proc p
			  WHERE p.pronamespace = 'secmed'::regnamespace
				AND p.proname ~ '^(sum|secret_.*_(refuse|plus|minus|negate|times|sum|scale|length))$' LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO secmed_admin', r.function);
	END LOOP;
END
$$;

-- identity ------------------------------------------------------------------

CREATE TABLE secmed.node (
	only_one	boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	name		name NOT NULL,
	card		text NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.node IS
'This node: its name and its card. The private keys are in the data directory, secmed/<database oid>.key and .log.key.';
REVOKE ALL ON secmed.node FROM PUBLIC;
GRANT SELECT ON secmed.node TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.node', '');

CREATE TABLE secmed.peer (
	name		name PRIMARY KEY,
	card		text NOT NULL,
	conninfo	text,
	added_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	added_by	name NOT NULL DEFAULT CURRENT_USER
);
COMMENT ON TABLE secmed.peer IS
'The nodes this node has been introduced to. conninfo is a libpq connection string, or NULL for a node that is never called from here.';
REVOKE ALL ON secmed.peer FROM PUBLIC;
GRANT SELECT ON secmed.peer TO secmed_admin;
SELECT pg_catalog.pg_extension_config_dump('secmed.peer', '');

CREATE FUNCTION secmed.create_node(name name) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_create_node' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.create_node(name) IS
'Makes this database a node: keys in the data directory, the first ledger entries. Returns the fingerprint.';
REVOKE ALL ON FUNCTION secmed.create_node(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.create_node(name) TO secmed_admin;

CREATE FUNCTION secmed.node_card() RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_node_card' LANGUAGE C STRICT STABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.node_card() IS
'One line of text to give to the other nodes: name and public keys, signed by this node.';
REVOKE ALL ON FUNCTION secmed.node_card() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.node_card() TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.fingerprint(card text) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_fingerprint' LANGUAGE C STRICT IMMUTABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.fingerprint(text) IS
'The fingerprint of a node card, to compare by phone: eight groups of four hexadecimal digits.';
REVOKE ALL ON FUNCTION secmed.fingerprint(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fingerprint(text) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.add_peer(card text, conninfo text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_add_peer' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.add_peer(text, text) IS
'Introduces another node (or this one, if it shall also serve its own queries) by its card. Returns the fingerprint: compare it by phone before you rely on it. A known node keeps its key: remove_peer() first to accept another.';
REVOKE ALL ON FUNCTION secmed.add_peer(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.add_peer(text, text) TO secmed_admin;

CREATE FUNCTION secmed.remove_peer(name name) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_remove_peer' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.remove_peer(name) IS
'Forgets a node: from the next call on it is unknown here.';
REVOKE ALL ON FUNCTION secmed.remove_peer(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.remove_peer(name) TO secmed_admin;

-- ledger --------------------------------------------------------------------

-- Ledger and bodies lie in segments that the sequencer makes, by seq.  Segments
-- are no members of the extension, so pg_dump writes them down with their rows;
-- their names are in the order of seq, or the guard would not let them be
-- restored.  Indexes are on each segment (audit/segment.c says why).
CREATE TABLE secmed.ledger (
	seq			bigint NOT NULL,
	entry		bytea NOT NULL
) PARTITION BY RANGE (seq);
COMMENT ON TABLE secmed.ledger IS
'The audit trail: exact bytes of each entry (deterministic CBOR, RFC 8949 section 4.2.1), each containing the hash of the one before. Only the sequencer appends; nobody updates or deletes. Read it through secmed.audit.';
REVOKE ALL ON secmed.ledger FROM PUBLIC;
GRANT SELECT ON secmed.ledger TO secmed_auditor;

CREATE TABLE secmed.ledger_payload (
	seq			bigint NOT NULL,
	salt		bytea NOT NULL,
	payload		bytea NOT NULL
) PARTITION BY RANGE (seq);
COMMENT ON TABLE secmed.ledger_payload IS
'Bodies that entries commit to (SQL text may hold a patient''s details). Local to this node, may be erased: the chain keeps only HMAC-SHA-256(salt, payload).';
REVOKE ALL ON secmed.ledger_payload FROM PUBLIC;
GRANT SELECT ON secmed.ledger_payload TO secmed_auditor;

CREATE FUNCTION secmed.ledger_guard() RETURNS trigger
	AS 'MODULE_PATHNAME', 'secmed_ledger_guard' LANGUAGE C
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.ledger_guard() IS
'Refuses every change of the ledger but an append that continues the chain.';
REVOKE ALL ON FUNCTION secmed.ledger_guard() FROM PUBLIC;

CREATE TRIGGER ledger_guard_rows BEFORE INSERT OR UPDATE OR DELETE ON secmed.ledger
	FOR EACH ROW EXECUTE FUNCTION secmed.ledger_guard();
CREATE TRIGGER ledger_guard_truncate BEFORE TRUNCATE ON secmed.ledger
	FOR EACH STATEMENT EXECUTE FUNCTION secmed.ledger_guard();
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows;
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_truncate;

CREATE TABLE secmed.ledger_tile (
	level		integer,
	idx			bigint,
	hashes		bytea NOT NULL,
	PRIMARY KEY (level, idx)
);
COMMENT ON TABLE secmed.ledger_tile IS
'The full tiles of the Merkle tree over the ledger (RFC 9162, section 2.1; c2sp.org/tlog-tiles): 256 hashes, each the root over 256^level entries. Stored with the entry that fills them.';
REVOKE ALL ON secmed.ledger_tile FROM PUBLIC;
GRANT SELECT ON secmed.ledger_tile TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.ledger_tile', 'ORDER BY level, idx');

CREATE TABLE secmed.ledger_checkpoint (
	size		bigint PRIMARY KEY,
	note		bytea NOT NULL,
	signed_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.ledger_checkpoint IS
'What the node has signed about its ledger: the root over its first size entries, as a signed note (UTF-8; c2sp.org/tlog-checkpoint).';
REVOKE ALL ON secmed.ledger_checkpoint FROM PUBLIC;
GRANT SELECT ON secmed.ledger_checkpoint TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.ledger_checkpoint', 'ORDER BY size');

CREATE TABLE secmed.ledger_policy (
	hash		bytea PRIMARY KEY,
	policy		bytea NOT NULL,
	made_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.ledger_policy IS
'The policy files (c2sp.org/tlog-policy) that entries of this ledger name by their SHA-256: whose countersignatures make a checkpoint certified. Those of a log alone are not stored.';
REVOKE ALL ON secmed.ledger_policy FROM PUBLIC;
GRANT SELECT ON secmed.ledger_policy TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.ledger_policy', '');

CREATE TABLE secmed.ledger_certified (
	size		bigint PRIMARY KEY,
	note		bytea NOT NULL,
	certified_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.ledger_certified IS
'Checkpoints of this ledger with the countersignatures of a quorum of its witnesses, who hold all entries below (UTF-8; c2sp.org/tlog-cosignature). The newest one gets fresh countersignatures every secmed.heartbeat_interval.';
REVOKE ALL ON secmed.ledger_certified FROM PUBLIC;
GRANT SELECT ON secmed.ledger_certified TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.ledger_certified', 'ORDER BY size');

CREATE FUNCTION secmed.store_guard() RETURNS trigger
	AS 'MODULE_PATHNAME', 'secmed_store_guard' LANGUAGE C
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.store_guard() IS
'Refuses every change of tiles and checkpoints but the return of rows that belong to the entries.';
REVOKE ALL ON FUNCTION secmed.store_guard() FROM PUBLIC;

CREATE TRIGGER store_guard_rows BEFORE INSERT OR UPDATE OR DELETE ON secmed.ledger_tile
	FOR EACH ROW EXECUTE FUNCTION secmed.store_guard();
CREATE TRIGGER store_guard_truncate BEFORE TRUNCATE ON secmed.ledger_tile
	FOR EACH STATEMENT EXECUTE FUNCTION secmed.store_guard();
ALTER TABLE secmed.ledger_tile ENABLE ALWAYS TRIGGER store_guard_rows;
ALTER TABLE secmed.ledger_tile ENABLE ALWAYS TRIGGER store_guard_truncate;
CREATE TRIGGER store_guard_rows BEFORE INSERT OR UPDATE OR DELETE ON secmed.ledger_checkpoint
	FOR EACH ROW EXECUTE FUNCTION secmed.store_guard();
CREATE TRIGGER store_guard_truncate BEFORE TRUNCATE ON secmed.ledger_checkpoint
	FOR EACH STATEMENT EXECUTE FUNCTION secmed.store_guard();
ALTER TABLE secmed.ledger_checkpoint ENABLE ALWAYS TRIGGER store_guard_rows;
ALTER TABLE secmed.ledger_checkpoint ENABLE ALWAYS TRIGGER store_guard_truncate;

CREATE TABLE secmed.ledger_spool (
	id			uuid PRIMARY KEY,
	taken		bigint NOT NULL,
	entries		bigint NOT NULL,
	lost		bigint NOT NULL,
	taken_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.ledger_spool IS
'The files of spooled entries (secmed.on_ledger_failure = spool) that were taken into the ledger: how many bytes of each, how many entries, and bytes that a crash or a full disk had cut. Belongs to the data directory: not dumped.';
REVOKE ALL ON secmed.ledger_spool FROM PUBLIC;
GRANT SELECT ON secmed.ledger_spool TO secmed_auditor;

-- Fields of an entry: NULL if the bytes are none.  Segments have indexes over some.

CREATE FUNCTION secmed.entry_kind(entry bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_entry_kind' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_kind(bytea) IS
'The kind of a ledger entry, as in secmed.audit.';
REVOKE ALL ON FUNCTION secmed.entry_kind(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_kind(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_at(entry bytea) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'secmed_entry_at' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_at(bytea) IS
'When the sequencer appended the entry.';
REVOKE ALL ON FUNCTION secmed.entry_at(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_at(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_run(entry bytea) RETURNS uuid
	AS 'MODULE_PATHNAME', 'secmed_entry_run' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_run(bytea) IS
'The run of the entry, common to all nodes; of local actions their transaction.';
REVOKE ALL ON FUNCTION secmed.entry_run(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_run(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_actor(entry bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_entry_actor' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_actor(bytea) IS
'Who asked: node:role, or the local role.';
REVOKE ALL ON FUNCTION secmed.entry_actor(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_actor(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_object(entry bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_entry_object' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_object(bytea) IS
'What the entry is about: published tables, relations, a peer, a key.';
REVOKE ALL ON FUNCTION secmed.entry_object(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_object(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_plan(entry bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_entry_plan' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_plan(bytea) IS
'The hash of the plan.';
REVOKE ALL ON FUNCTION secmed.entry_plan(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_plan(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_outcome(entry bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_entry_outcome' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_outcome(bytea) IS
'How it ended, in a word.';
REVOKE ALL ON FUNCTION secmed.entry_outcome(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_outcome(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_revealed(entry bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_entry_revealed' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_revealed(bytea) IS
'What was revealed, and to whom.';
REVOKE ALL ON FUNCTION secmed.entry_revealed(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_revealed(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_counters(entry bytea) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'secmed_entry_counters' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_counters(bytea) IS
'The numbers of the entry: of a run [cells, elements, smallest number of patients, sites].';
REVOKE ALL ON FUNCTION secmed.entry_counters(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_counters(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_spooled_at(entry bytea) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'secmed_entry_spooled_at' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_spooled_at(bytea) IS
'When the entry was made, if it was spooled because the ledger could not be written then.';
REVOKE ALL ON FUNCTION secmed.entry_spooled_at(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_spooled_at(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_denied(entry bytea) RETURNS boolean
	AS 'MODULE_PATHNAME', 'secmed_entry_denied' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_denied(bytea) IS
'Whether the entry says that somebody was refused: a run, a local action, a login.';
REVOKE ALL ON FUNCTION secmed.entry_denied(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_denied(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.entry_notable(entry bytea) RETURNS boolean
	AS 'MODULE_PATHNAME', 'secmed_entry_notable' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.entry_notable(bytea) IS
'Whether an officer should examine the entry: a change of what is allowed, a denial, something unknown; or bytes that are no entry.';
REVOKE ALL ON FUNCTION secmed.entry_notable(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.entry_notable(bytea) TO secmed_auditor;

CREATE FUNCTION secmed.decode_entry(entry bytea,
		OUT site text, OUT seq bigint, OUT prev bytea, OUT at timestamptz,
		OUT kind text, OUT run uuid, OUT actor text, OUT object text,
		OUT plan bytea, OUT outcome text, OUT revealed text,
		OUT counters bigint[], OUT commitment bytea, OUT hash bytea,
		OUT spooled_at timestamptz)
	AS 'MODULE_PATHNAME', 'secmed_decode_entry' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.decode_entry(bytea) IS
'What the bytes of a ledger entry say; an error if they are not canonical. hash is SHA-256(0x00 || entry), which the next entry holds as prev.';
REVOKE ALL ON FUNCTION secmed.decode_entry(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.decode_entry(bytea) TO secmed_auditor;

CREATE VIEW secmed.events AS
	SELECT l.seq, secmed.entry_at(l.entry) AS at, secmed.entry_kind(l.entry) AS kind,
		   secmed.entry_run(l.entry) AS run, secmed.entry_actor(l.entry) AS actor,
		   secmed.entry_object(l.entry) AS object, secmed.entry_plan(l.entry) AS plan,
		   secmed.entry_outcome(l.entry) AS outcome, secmed.entry_revealed(l.entry) AS revealed,
		   secmed.entry_counters(l.entry) AS counters, secmed.entry_spooled_at(l.entry) AS spooled_at, l.entry
	  FROM secmed.ledger l;
COMMENT ON VIEW secmed.events IS
'The ledger, decoded, without statements: to search in, by time, run, actor, object or outcome.';
REVOKE ALL ON secmed.events FROM PUBLIC;
GRANT SELECT ON secmed.events TO secmed_auditor;

CREATE VIEW secmed.audit AS
	SELECT e.seq, e.at, e.kind, e.run, e.actor, e.object, e.plan, e.outcome,
		   e.revealed, e.counters, pg_catalog.convert_from(p.payload, 'UTF8') AS statement,
		   e.spooled_at
	  FROM secmed.events e
	  LEFT JOIN secmed.ledger_payload p ON p.seq = e.seq
	 ORDER BY e.seq;
COMMENT ON VIEW secmed.audit IS
'The ledger, decoded: number, time, kind, the run''s id common to all nodes, who asked, what about, plan hash, outcome, what was revealed and to whom, counters [cells, elements, smallest number of patients, sites], the statement where it is still kept, and, if the entry was spooled while the ledger could not be written, when.';
REVOKE ALL ON secmed.audit FROM PUBLIC;
GRANT SELECT ON secmed.audit TO secmed_auditor;

CREATE FUNCTION secmed.append_note(note text) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_append_note' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.append_note(text) IS
'Writes a remark to the ledger, as who is logged in; it stays if the caller rolls back. The text is kept beside the chain and may be erased.';
REVOKE ALL ON FUNCTION secmed.append_note(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.append_note(text) TO secmed_admin, secmed_auditor;

CREATE FUNCTION secmed.verify_ledger(OUT ok boolean, OUT entries bigint,
		OUT bad_seq bigint, OUT reason text, OUT head bytea)
	AS 'MODULE_PATHNAME', 'secmed_verify_ledger' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.verify_ledger() IS
'Walks the whole ledger: bytes canonical, numbers without a gap, every link whole, times never backwards, bodies in the side table equal to their commitments, tiles those of the tree, and every stored checkpoint signed over these entries. Names the first broken entry.';
REVOKE ALL ON FUNCTION secmed.verify_ledger() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.verify_ledger() TO secmed_auditor, secmed_admin;

CREATE FUNCTION secmed.checkpoint() RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_checkpoint' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.checkpoint() IS
'The newest checkpoint of the ledger: a signed note (c2sp.org/tlog-checkpoint) of its name, size and Merkle root.';
REVOKE ALL ON FUNCTION secmed.checkpoint() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.checkpoint() TO secmed_auditor;

CREATE FUNCTION secmed.inclusion_proof(seq bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_inclusion_proof' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.inclusion_proof(bigint) IS
'Proof that an entry is below the newest checkpoint, to be checked alone (c2sp.org/tlog-proof); it holds the bytes of the entry.';
REVOKE ALL ON FUNCTION secmed.inclusion_proof(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.inclusion_proof(bigint) TO secmed_auditor;

CREATE FUNCTION secmed.consistency_proof(old_size bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_consistency_proof' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.consistency_proof(bigint) IS
'Proof that the newest checkpoint extends that of old_size entries: the line "old SIZE", the hashes, an empty line, the newest checkpoint (the body of add-checkpoint in c2sp.org/tlog-witness).';
REVOKE ALL ON FUNCTION secmed.consistency_proof(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.consistency_proof(bigint) TO secmed_auditor;

CREATE FUNCTION secmed.archive_ledger(before bigint, directory text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_archive_ledger' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.archive_ledger(bigint, text) IS
'Moves the partitions of the ledger that lie wholly below this entry to a directory of the server, for "secmed verify" and other readers of c2sp.org/tlog-tiles, with the bodies that are still kept; later archives may go to the same one. The archive is verified before anything leaves. Hashes and checkpoints stay, and the entries that say which keys, erasures and reviews there were. Returns the first entry that is not archived. For who may write the server''s files.';
REVOKE ALL ON FUNCTION secmed.archive_ledger(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.archive_ledger(bigint, text) TO secmed_admin;

CREATE FUNCTION secmed.export_ledger(with_columns boolean DEFAULT false,
		OUT path text, OUT content bytea) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_export_ledger' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.export_ledger(boolean) IS
'The ledger up to its newest checkpoint as files (c2sp.org/tlog-tiles), with its checkpoints, policies and the bodies that are still kept: for "secmed verify DIRECTORY". with_columns: the entries as CSV, too.';
REVOKE ALL ON FUNCTION secmed.export_ledger(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.export_ledger(boolean) TO secmed_auditor;

-- officers ------------------------------------------------------------------
-- What compliance officers ask and write; docs/compliance.md says which demand
-- each meets.

CREATE FUNCTION secmed.review(entries int8multirange, meaning text, printed_name text,
		remark text DEFAULT NULL, key text DEFAULT NULL, signed_note text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_review' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.review(int8multirange, text, text, text, text, text) IS
'Writes into the ledger that these entries were examined: ''{[5,10],[12,12]}'' (up to four ranges), what the signature means (''reviewed''), the signer''s printed name, and a remark that is kept beside the chain. With key and signed_note it is signed by the signer''s own key: "secmed sign" of what review_text() returns.';
REVOKE ALL ON FUNCTION secmed.review(int8multirange, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.review(int8multirange, text, text, text, text, text) TO secmed_auditor;

CREATE FUNCTION secmed.review_text(entries int8multirange, meaning text, printed_name text) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_review_text' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.review_text(int8multirange, text, text) IS
'What a signer signs with "secmed sign KEYFILE", to give it to review().';
REVOKE ALL ON FUNCTION secmed.review_text(int8multirange, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.review_text(int8multirange, text, text) TO secmed_auditor;

CREATE VIEW secmed.reviews AS
	SELECT e.seq, e.at, e.object AS printed_name, e.outcome AS meaning, e.actor,
		   e.revealed <> '' AS own_key, (SELECT pg_catalog.range_agg(pg_catalog.int8range(e.counters[i], e.counters[i + 1], '[]'))
			 FROM pg_catalog.generate_series(1, pg_catalog.array_length(e.counters, 1), 2) i) AS entries,
		   pg_catalog.convert_from(p.payload, 'UTF8') AS remark
	  FROM secmed.events e
	  LEFT JOIN secmed.ledger_payload p ON p.seq = e.seq
	 WHERE e.kind = 'reviewed';
COMMENT ON VIEW secmed.reviews IS
'Who has examined which entries, when, and what it means (45 CFR 164.312(b); 21 CFR 11.50). own_key: signed by a key of the signer''s own, which verification checks; else by who was logged in.';
REVOKE ALL ON secmed.reviews FROM PUBLIC;
GRANT SELECT ON secmed.reviews TO secmed_auditor;

CREATE VIEW secmed.unreviewed_events AS
	SELECT e.seq, e.at, e.kind, e.run, e.actor, e.object, e.outcome, e.revealed
	  FROM secmed.events e
	 WHERE secmed.entry_notable(e.entry)
	   AND NOT e.seq <@ COALESCE((SELECT pg_catalog.range_agg(r) FROM secmed.reviews v, pg_catalog.unnest(v.entries) r),
								 '{}'::pg_catalog.int8multirange);
COMMENT ON VIEW secmed.unreviewed_events IS
'What an officer should examine and none has reviewed: denials, changes of what is allowed, keys, erasures, forks, endings that nobody knows (45 CFR 164.308(a)(1)(ii)(D), 164.312(b)).';
REVOKE ALL ON secmed.unreviewed_events FROM PUBLIC;
GRANT SELECT ON secmed.unreviewed_events TO secmed_auditor;

CREATE VIEW secmed.denials AS
	SELECT e.seq, e.at, e.kind, e.run, e.actor, e.object, e.outcome
	  FROM secmed.events e
	 WHERE secmed.entry_notable(e.entry) AND secmed.entry_denied(e.entry);
COMMENT ON VIEW secmed.denials IS
'Who was refused what: runs, local reads and changes, logins.';
REVOKE ALL ON secmed.denials FROM PUBLIC;
GRANT SELECT ON secmed.denials TO secmed_auditor;

CREATE VIEW secmed.policy_history AS
	SELECT e.seq, e.at, e.kind, e.actor, e.object, e.outcome, e.revealed, e.counters
	  FROM secmed.events e
	 WHERE secmed.entry_notable(e.entry)
	   AND e.kind IN ('node created', 'peer added', 'peer removed', 'published', 'unpublished', 'rule', 'key', 'erased', 'fork', 'change', 'document');
COMMENT ON VIEW secmed.policy_history IS
'What changed what is allowed: nodes, publications, modes, keys and policies of the ledger, erasures, rights, roles, settings.';
REVOKE ALL ON secmed.policy_history FROM PUBLIC;
GRANT SELECT ON secmed.policy_history TO secmed_auditor;

-- stats ---------------------------------------------------------------------
-- Statistics. Aggregates whose state adds (src/stats/linear.h) are the same over local tables and over
-- foreign ones; rows in which an argument is NULL are left out. docs/statistics.md has the formulas.

CREATE TYPE secmed.description AS (
	n bigint,
	n_missing bigint,
	mean double precision,
	stddev double precision,
	variance double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	skewness double precision,
	kurtosis double precision);
COMMENT ON TYPE secmed.description IS 'One variable: rows used and left out, mean and its limits, spread, shape.';
REVOKE ALL ON TYPE secmed.description FROM PUBLIC;
GRANT USAGE ON TYPE secmed.description TO secmed_analyst;

CREATE TYPE secmed.mean_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.mean_estimate IS 'A mean with its standard error and confidence limits; rows used and left out.';
REVOKE ALL ON TYPE secmed.mean_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.mean_estimate TO secmed_analyst;

CREATE TYPE secmed.proportion_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	successes bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.proportion_estimate IS 'A proportion with its standard error and confidence limits; rows used and left out.';
REVOKE ALL ON TYPE secmed.proportion_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.proportion_estimate TO secmed_analyst;

CREATE TYPE secmed.t_test_result AS (
	method text,
	estimate double precision,
	standard_error double precision,
	statistic double precision,
	df double precision,
	p_value double precision,
	conf_low double precision,
	conf_high double precision,
	mean1 double precision,
	mean2 double precision,
	n1 bigint,
	n2 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.t_test_result IS 'Students t: the mean or difference of means, its limits, the test; group 1 is where the boolean is true.';
REVOKE ALL ON TYPE secmed.t_test_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.t_test_result TO secmed_analyst;

CREATE TYPE secmed.variance_test_result AS (
	method text,
	estimate double precision,
	statistic double precision,
	df double precision,
	df2 double precision,
	p_value double precision,
	conf_low double precision,
	conf_high double precision,
	mean1 double precision,
	mean2 double precision,
	n1 bigint,
	n2 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.variance_test_result IS 'The ratio of two variances, its limits, and the F test.';
REVOKE ALL ON TYPE secmed.variance_test_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.variance_test_result TO secmed_analyst;

CREATE TYPE secmed.correlation_result AS (
	method text,
	estimate double precision,
	statistic double precision,
	df double precision,
	p_value double precision,
	conf_low double precision,
	conf_high double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.correlation_result IS 'A correlation, its limits, and the test that it is zero.';
REVOKE ALL ON TYPE secmed.correlation_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.correlation_result TO secmed_analyst;

CREATE TYPE secmed.test_result AS (
	method text,
	statistic double precision,
	df double precision,
	p_value double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.test_result IS 'A test: statistic, degrees of freedom, p-value; rows used and left out.';
REVOKE ALL ON TYPE secmed.test_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.test_result TO secmed_analyst;

CREATE TYPE secmed.table_test_result AS (
	method text,
	statistic double precision,
	df double precision,
	p_value double precision,
	n11 bigint,
	n10 bigint,
	n01 bigint,
	n00 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.table_test_result IS 'A test of a two by two table; n10 are the rows in which the first is true and the second false.';
REVOKE ALL ON TYPE secmed.table_test_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.table_test_result TO secmed_analyst;

CREATE TYPE secmed.ratio_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	statistic double precision,
	p_value double precision,
	n11 bigint,
	n10 bigint,
	n01 bigint,
	n00 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.ratio_estimate IS 'A ratio of odds or risks with its limits; standard error, statistic and p-value are of its logarithm.';
REVOKE ALL ON TYPE secmed.ratio_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.ratio_estimate TO secmed_analyst;

CREATE TYPE secmed.difference_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	risk1 double precision,
	risk0 double precision,
	n11 bigint,
	n10 bigint,
	n01 bigint,
	n00 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.difference_estimate IS 'A difference of risks with its limits.';
REVOKE ALL ON TYPE secmed.difference_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.difference_estimate TO secmed_analyst;

CREATE TYPE secmed.fisher_result AS (
	method text,
	estimate double precision,
	p_value double precision,
	conf_low double precision,
	conf_high double precision,
	n11 bigint,
	n10 bigint,
	n01 bigint,
	n00 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.fisher_result IS 'Fishers exact test: the conditional odds ratio, its limits, and the p-value.';
REVOKE ALL ON TYPE secmed.fisher_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.fisher_result TO secmed_analyst;

CREATE TYPE secmed.rate_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	events double precision,
	person_time double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.rate_estimate IS 'Events per person-time, with exact limits.';
REVOKE ALL ON TYPE secmed.rate_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.rate_estimate TO secmed_analyst;

CREATE TYPE secmed.rate_comparison AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	p_value double precision,
	rate1 double precision,
	rate0 double precision,
	events1 bigint,
	person_time1 double precision,
	events0 bigint,
	person_time0 double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.rate_comparison IS 'A ratio or difference of the rates of the exposed (1) and the others (0); the standard error of a ratio is of its logarithm.';
REVOKE ALL ON TYPE secmed.rate_comparison FROM PUBLIC;
GRANT USAGE ON TYPE secmed.rate_comparison TO secmed_analyst;

CREATE TYPE secmed.diagnostic_estimate AS (
	sensitivity double precision,
	sensitivity_low double precision,
	sensitivity_high double precision,
	specificity double precision,
	specificity_low double precision,
	specificity_high double precision,
	ppv double precision,
	ppv_low double precision,
	ppv_high double precision,
	npv double precision,
	npv_low double precision,
	npv_high double precision,
	prevalence double precision,
	accuracy double precision,
	lr_positive double precision,
	lr_negative double precision,
	true_positive bigint,
	false_positive bigint,
	false_negative bigint,
	true_negative bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.diagnostic_estimate IS 'How well a test tells the diseased: proportions with exact limits, predictive values (ppv, npv), likelihood ratios.';
REVOKE ALL ON TYPE secmed.diagnostic_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.diagnostic_estimate TO secmed_analyst;

CREATE FUNCTION secmed.linear_step(state internal, a1 "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_step(internal, "any") IS 'Transition of secmed''s statistics.';
REVOKE ALL ON FUNCTION secmed.linear_step(internal, "any") FROM PUBLIC;

CREATE FUNCTION secmed.linear_step(state internal, a1 "any", a2 "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_step(internal, "any", "any") IS 'Transition of secmed''s statistics.';
REVOKE ALL ON FUNCTION secmed.linear_step(internal, "any", "any") FROM PUBLIC;

CREATE FUNCTION secmed.linear_step(state internal, a1 "any", a2 "any", a3 "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_step(internal, "any", "any", "any") IS 'Transition of secmed''s statistics.';
REVOKE ALL ON FUNCTION secmed.linear_step(internal, "any", "any", "any") FROM PUBLIC;

CREATE FUNCTION secmed.linear_step(state internal, a1 "any", a2 "any", a3 "any", a4 "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_step(internal, "any", "any", "any", "any") IS 'Transition of secmed''s statistics.';
REVOKE ALL ON FUNCTION secmed.linear_step(internal, "any", "any", "any", "any") FROM PUBLIC;

CREATE FUNCTION secmed.linear_step(state internal, a1 "any", a2 "any", a3 "any", a4 "any", a5 "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_step(internal, "any", "any", "any", "any", "any") IS 'Transition of secmed''s statistics.';
REVOKE ALL ON FUNCTION secmed.linear_step(internal, "any", "any", "any", "any", "any") FROM PUBLIC;

CREATE FUNCTION secmed.linear_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_combine' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_combine(internal, internal) IS 'Combines the states of parallel workers.';
REVOKE ALL ON FUNCTION secmed.linear_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_linear_serialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_serialize(internal) IS 'A state of a statistic as bytes.';
REVOKE ALL ON FUNCTION secmed.linear_serialize(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_linear_deserialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_deserialize(bytea, internal) IS 'Bytes as a state of a statistic.';
REVOKE ALL ON FUNCTION secmed.linear_deserialize(bytea, internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_number(state internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_number(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_number(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_description(state internal) RETURNS secmed.description
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_description(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_description(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_mean_estimate(state internal) RETURNS secmed.mean_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_mean_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_mean_estimate(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_proportion_estimate(state internal) RETURNS secmed.proportion_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_proportion_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_proportion_estimate(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_t_test_result(state internal) RETURNS secmed.t_test_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_t_test_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_t_test_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_variance_test_result(state internal) RETURNS secmed.variance_test_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_variance_test_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_variance_test_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_correlation_result(state internal) RETURNS secmed.correlation_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_correlation_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_correlation_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_test_result(state internal) RETURNS secmed.test_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_test_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_test_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_table_test_result(state internal) RETURNS secmed.table_test_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_table_test_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_table_test_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_ratio_estimate(state internal) RETURNS secmed.ratio_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_ratio_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_ratio_estimate(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_difference_estimate(state internal) RETURNS secmed.difference_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_difference_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_difference_estimate(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_fisher_result(state internal) RETURNS secmed.fisher_result
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_fisher_result(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_fisher_result(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_rate_estimate(state internal) RETURNS secmed.rate_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_rate_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_rate_estimate(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_rate_comparison(state internal) RETURNS secmed.rate_comparison
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_rate_comparison(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_rate_comparison(internal) FROM PUBLIC;

CREATE FUNCTION secmed.linear_diagnostic_estimate(state internal) RETURNS secmed.diagnostic_estimate
	AS 'MODULE_PATHNAME', 'secmed_linear_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.linear_diagnostic_estimate(internal) IS 'A statistic from its state.';
REVOKE ALL ON FUNCTION secmed.linear_diagnostic_estimate(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.summary(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_description, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.summary(double precision) IS
'Mean, deviation, standard error, t limits, skewness and kurtosis of one variable (type 3 of Joanes and Gill 1998). Opens over sites: the number of rows, and how many are NULL, the sum, and sums of powers up to 4.';
REVOKE ALL ON FUNCTION secmed.summary(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.summary(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.summary(x double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_description, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.summary(double precision, double precision) IS
'Mean, deviation, standard error, t limits, skewness and kurtosis of one variable (type 3 of Joanes and Gill 1998), with given conf_level.';
REVOKE ALL ON FUNCTION secmed.summary(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.summary(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.summary(x double precision, conf_level double precision, type integer) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_description, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.summary(double precision, double precision, integer) IS
'Mean, deviation, standard error, t limits, skewness and kurtosis of one variable (type 3 of Joanes and Gill 1998), with given conf_level and type.';
REVOKE ALL ON FUNCTION secmed.summary(double precision, double precision, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.summary(double precision, double precision, integer) TO secmed_analyst;

CREATE AGGREGATE secmed.skewness(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.skewness(double precision) IS
'Skewness: m3 / m2^1.5 ((n-1)/n)^1.5, type 3 of Joanes and Gill 1998; types 1 and 2 as in R''s package e1071. Opens over sites: the number of rows and sums of powers up to 3.';
REVOKE ALL ON FUNCTION secmed.skewness(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.skewness(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.skewness(x double precision, type integer) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.skewness(double precision, integer) IS
'Skewness, with given type.';
REVOKE ALL ON FUNCTION secmed.skewness(double precision, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.skewness(double precision, integer) TO secmed_analyst;

CREATE AGGREGATE secmed.kurtosis(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.kurtosis(double precision) IS
'Excess kurtosis: m4 / m2^2 (1 - 1/n)^2 - 3, type 3 of Joanes and Gill 1998; types 1 and 2 as in R''s package e1071. Opens over sites: the number of rows and sums of powers up to 4.';
REVOKE ALL ON FUNCTION secmed.kurtosis(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.kurtosis(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.kurtosis(x double precision, type integer) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.kurtosis(double precision, integer) IS
'Excess kurtosis, with given type.';
REVOKE ALL ON FUNCTION secmed.kurtosis(double precision, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.kurtosis(double precision, integer) TO secmed_analyst;

CREATE AGGREGATE secmed.standard_error(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.standard_error(double precision) IS
'Standard error of the mean: s / sqrt(n). Opens over sites: the number of rows, the sum and the sum of squares.';
REVOKE ALL ON FUNCTION secmed.standard_error(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.standard_error(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.mean_ci(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_mean_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.mean_ci(double precision) IS
'Mean with confidence limits: mean -+ t(n-1) s / sqrt(n); level 0.95. Opens over sites: the number of rows, and how many are NULL, the sum, and sums of powers up to 2.';
REVOKE ALL ON FUNCTION secmed.mean_ci(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.mean_ci(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.mean_ci(x double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_mean_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.mean_ci(double precision, double precision) IS
'Mean with confidence limits, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.mean_ci(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.mean_ci(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.weighted_mean(x double precision, weight double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.weighted_mean(double precision, double precision) IS
'Weighted mean: sum(w x) / sum(w). Opens over sites: the sums of w, x and w x.';
REVOKE ALL ON FUNCTION secmed.weighted_mean(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.weighted_mean(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.weighted_variance(x double precision, weight double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_number, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.weighted_variance(double precision, double precision) IS
'Weighted variance: with v = w / sum(w), sum(v (x - mean)^2) / (1 - sum(v^2)), as R''s cov.wt. Opens over sites: the number of rows and the sums of x, w, w x, w w and w x x.';
REVOKE ALL ON FUNCTION secmed.weighted_variance(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.weighted_variance(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.proportion_ci(event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_proportion_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.proportion_ci(boolean) IS
'Proportion with limits of Wilson 1927, corrected for continuity, as R''s prop.test; level 0.95. Opens over sites: how many rows are true, false and NULL.';
REVOKE ALL ON FUNCTION secmed.proportion_ci(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.proportion_ci(boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.proportion_ci(event boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_proportion_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.proportion_ci(boolean, double precision) IS
'Proportion with limits of Wilson 1927, corrected for continuity, as R''s prop, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.proportion_ci(boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.proportion_ci(boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.proportion_ci(event boolean, conf_level double precision, correct boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_proportion_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.proportion_ci(boolean, double precision, boolean) IS
'Proportion with limits of Wilson 1927, corrected for continuity, as R''s prop, with given conf_level and correct.';
REVOKE ALL ON FUNCTION secmed.proportion_ci(boolean, double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.proportion_ci(boolean, double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.proportion_ci_exact(event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_proportion_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.proportion_ci_exact(boolean) IS
'Proportion with exact limits of Clopper and Pearson 1934, as R''s binom.test; level 0.95. Opens over sites: how many rows are true, false and NULL.';
REVOKE ALL ON FUNCTION secmed.proportion_ci_exact(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.proportion_ci_exact(boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.proportion_ci_exact(event boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_proportion_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.proportion_ci_exact(boolean, double precision) IS
'Proportion with exact limits of Clopper and Pearson 1934, as R''s binom, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.proportion_ci_exact(boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.proportion_ci_exact(boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision) IS
'One-sample t test: is the mean mu (0)? As R''s t.test(x). Opens over sites: the number of rows, and how many are NULL, the sum, and sums of powers up to 2.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, mu double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, double precision) IS
'One-sample t test, with given mu.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, mu double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, double precision, double precision) IS
'One-sample t test, with given mu and conf_level.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, mu double precision, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, double precision, double precision, text) IS
'One-sample t test, with given mu and conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, double precision, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, double precision, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, in_group boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, boolean) IS
'Welch''s t test: rows in which in_group is true against those in which it is false, as R''s t.test(x[g], x[!g]). Opens over sites: of each group the number of rows, the sum and the sum of squares, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, in_group boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, boolean, double precision) IS
'Welch''s t test, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test(x double precision, in_group boolean, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test(double precision, boolean, double precision, text) IS
'Welch''s t test, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.t_test(double precision, boolean, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test(double precision, boolean, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_pooled(x double precision, in_group boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_pooled(double precision, boolean) IS
'Student''s t test of two groups with equal variances, as R''s t.test(var.equal = TRUE). Opens over sites: of each group the number of rows, the sum and the sum of squares, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.t_test_pooled(double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_pooled(double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_pooled(x double precision, in_group boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_pooled(double precision, boolean, double precision) IS
'Student''s t test of two groups with equal variances, as R''s t, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.t_test_pooled(double precision, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_pooled(double precision, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_pooled(x double precision, in_group boolean, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_pooled(double precision, boolean, double precision, text) IS
'Student''s t test of two groups with equal variances, as R''s t, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.t_test_pooled(double precision, boolean, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_pooled(double precision, boolean, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_paired(x double precision, y double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_paired(double precision, double precision) IS
'Paired t test: is the mean of x - y zero? As R''s t.test(paired = TRUE). Opens over sites: the number of pairs and of rows left out, the sums of x, y, x x, y y and x y.';
REVOKE ALL ON FUNCTION secmed.t_test_paired(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_paired(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_paired(x double precision, y double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_paired(double precision, double precision, double precision) IS
'Paired t test, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.t_test_paired(double precision, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_paired(double precision, double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.t_test_paired(x double precision, y double precision, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_t_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.t_test_paired(double precision, double precision, double precision, text) IS
'Paired t test, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.t_test_paired(double precision, double precision, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.t_test_paired(double precision, double precision, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.variance_test(x double precision, in_group boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_variance_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.variance_test(double precision, boolean) IS
'F test: are the variances of two groups equal? As R''s var.test(x[g], x[!g]). Opens over sites: of each group the number of rows, the sum and the sum of squares, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.variance_test(double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.variance_test(double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.variance_test(x double precision, in_group boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_variance_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.variance_test(double precision, boolean, double precision) IS
'F test, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.variance_test(double precision, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.variance_test(double precision, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.variance_test(x double precision, in_group boolean, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_variance_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.variance_test(double precision, boolean, double precision, text) IS
'F test, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.variance_test(double precision, boolean, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.variance_test(double precision, boolean, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.correlation_test(x double precision, y double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_correlation_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.correlation_test(double precision, double precision) IS
'Pearson correlation, limits by Fisher''s z, as R''s cor.test. Opens over sites: the number of pairs and of rows left out, the sums of x, y, x x, y y and x y.';
REVOKE ALL ON FUNCTION secmed.correlation_test(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.correlation_test(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.correlation_test(x double precision, y double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_correlation_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.correlation_test(double precision, double precision, double precision) IS
'Pearson correlation, limits by Fisher''s z, as R''s cor, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.correlation_test(double precision, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.correlation_test(double precision, double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.correlation_test(x double precision, y double precision, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_correlation_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.correlation_test(double precision, double precision, double precision, text) IS
'Pearson correlation, limits by Fisher''s z, as R''s cor, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.correlation_test(double precision, double precision, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.correlation_test(double precision, double precision, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.trend_test(score double precision, event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.trend_test(double precision, boolean) IS
'Cochran-Armitage test: does the proportion of events change with the score? As R''s prop.trend.test. Opens over sites: of rows with and without the event the number, the sum and the sum of squares of the score, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.trend_test(double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.trend_test(double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.odds_ratio(exposed boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_ratio_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.odds_ratio(boolean, boolean) IS
'Odds ratio with limits of Woolf 1955; level 0.95. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.odds_ratio(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.odds_ratio(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.odds_ratio(exposed boolean, diseased boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_ratio_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.odds_ratio(boolean, boolean, double precision) IS
'Odds ratio with limits of Woolf 1955; level 0, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.odds_ratio(boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.odds_ratio(boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.risk_ratio(exposed boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_ratio_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.risk_ratio(boolean, boolean) IS
'Risk ratio with limits on the logarithm (Katz 1978); level 0.95. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.risk_ratio(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.risk_ratio(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.risk_ratio(exposed boolean, diseased boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_ratio_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.risk_ratio(boolean, boolean, double precision) IS
'Risk ratio with limits on the logarithm (Katz 1978); level 0, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.risk_ratio(boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.risk_ratio(boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.risk_difference(exposed boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_difference_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.risk_difference(boolean, boolean) IS
'Risk difference with Wald limits, as R''s prop.test(correct = FALSE); level 0.95. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.risk_difference(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.risk_difference(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.risk_difference(exposed boolean, diseased boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_difference_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.risk_difference(boolean, boolean, double precision) IS
'Risk difference with Wald limits, as R''s prop, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.risk_difference(boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.risk_difference(boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.chisq_test(exposed boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_table_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.chisq_test(boolean, boolean) IS
'Chi-square test of a two by two table with Yates'' correction, as R''s chisq.test. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.chisq_test(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.chisq_test(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.chisq_test(exposed boolean, diseased boolean, correct boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_table_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.chisq_test(boolean, boolean, boolean) IS
'Chi-square test of a two by two table with Yates'' correction, as R''s chisq, with given correct.';
REVOKE ALL ON FUNCTION secmed.chisq_test(boolean, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.chisq_test(boolean, boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.fisher_test(exposed boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_fisher_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.fisher_test(boolean, boolean) IS
'Fisher''s exact test of a two by two table, as R''s fisher.test; level 0.95. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.fisher_test(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fisher_test(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.fisher_test(exposed boolean, diseased boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_fisher_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.fisher_test(boolean, boolean, double precision) IS
'Fisher''s exact test of a two by two table, as R''s fisher, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.fisher_test(boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fisher_test(boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.fisher_test(exposed boolean, diseased boolean, conf_level double precision, alternative text) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_fisher_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.fisher_test(boolean, boolean, double precision, text) IS
'Fisher''s exact test of a two by two table, as R''s fisher, with given conf_level and alternative.';
REVOKE ALL ON FUNCTION secmed.fisher_test(boolean, boolean, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fisher_test(boolean, boolean, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.mcnemar_test(before boolean, after boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_table_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.mcnemar_test(boolean, boolean) IS
'McNemar''s test of pairs, corrected for continuity, as R''s mcnemar.test. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.mcnemar_test(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.mcnemar_test(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.mcnemar_test(before boolean, after boolean, correct boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_table_test_result, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.mcnemar_test(boolean, boolean, boolean) IS
'McNemar''s test of pairs, corrected for continuity, as R''s mcnemar, with given correct.';
REVOKE ALL ON FUNCTION secmed.mcnemar_test(boolean, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.mcnemar_test(boolean, boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.incidence_rate(person_time double precision, event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.incidence_rate(double precision, boolean) IS
'Events per person-time, with the exact limits of Garwood 1936, as R''s poisson.test; level 0.95. Opens over sites: how many rows have the event, how many have not, how many are left out, and the sum of person-time.';
REVOKE ALL ON FUNCTION secmed.incidence_rate(double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.incidence_rate(double precision, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.incidence_rate(person_time double precision, event boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.incidence_rate(double precision, boolean, double precision) IS
'Events per person-time, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.incidence_rate(double precision, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.incidence_rate(double precision, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.incidence_rate(person_time double precision, events double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.incidence_rate(double precision, double precision) IS
'The same of a number of events in each row. Opens over sites: the number of rows, how many are left out, and the sums of person-time and events.';
REVOKE ALL ON FUNCTION secmed.incidence_rate(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.incidence_rate(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.incidence_rate(person_time double precision, events double precision, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.incidence_rate(double precision, double precision, double precision) IS
'Events per person-time of a number of events in each row, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.incidence_rate(double precision, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.incidence_rate(double precision, double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.rate_ratio(person_time double precision, exposed boolean, event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_comparison, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.rate_ratio(double precision, boolean, boolean) IS
'Ratio of the rates of exposed and others, with exact limits and p given all events, as R''s poisson.test; level 0.95. Opens over sites: the four cells, how many rows are left out, and person-time of each group.';
REVOKE ALL ON FUNCTION secmed.rate_ratio(double precision, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.rate_ratio(double precision, boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.rate_ratio(person_time double precision, exposed boolean, event boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_comparison, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.rate_ratio(double precision, boolean, boolean, double precision) IS
'Ratio of two rates, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.rate_ratio(double precision, boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.rate_ratio(double precision, boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.rate_difference(person_time double precision, exposed boolean, event boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_comparison, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.rate_difference(double precision, boolean, boolean) IS
'Difference of the rates of exposed and others, with limits and p by the normal distribution; level 0.95. Opens over sites: the four cells, how many rows are left out, and person-time of each group.';
REVOKE ALL ON FUNCTION secmed.rate_difference(double precision, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.rate_difference(double precision, boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.rate_difference(person_time double precision, exposed boolean, event boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_rate_comparison, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.rate_difference(double precision, boolean, boolean, double precision) IS
'Difference of two rates, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.rate_difference(double precision, boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.rate_difference(double precision, boolean, boolean, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.diagnostic_test(positive boolean, diseased boolean) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_diagnostic_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.diagnostic_test(boolean, boolean) IS
'Sensitivity, specificity, predictive values with the exact limits of Clopper and Pearson 1934, as R''s binom.test, likelihood ratios; level 0.95. Opens over sites: the four cells, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.diagnostic_test(boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.diagnostic_test(boolean, boolean) TO secmed_analyst;

CREATE AGGREGATE secmed.diagnostic_test(positive boolean, diseased boolean, conf_level double precision) (
	SFUNC = secmed.linear_step, STYPE = internal, SSPACE = 4096,
	FINALFUNC = secmed.linear_diagnostic_estimate, FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = secmed.linear_combine,
	SERIALFUNC = secmed.linear_serialize, DESERIALFUNC = secmed.linear_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.diagnostic_test(boolean, boolean, double precision) IS
'Sensitivity, specificity and predictive values, with given conf_level.';
REVOKE ALL ON FUNCTION secmed.diagnostic_test(boolean, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.diagnostic_test(boolean, boolean, double precision) TO secmed_analyst;

CREATE TYPE secmed.meta_result AS (
	method text,
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	p_value double precision,
	prediction_low double precision,
	prediction_high double precision,
	fixed_estimate double precision,
	fixed_error double precision,
	fixed_low double precision,
	fixed_high double precision,
	fixed_p_value double precision,
	tau2 double precision,
	q double precision,
	q_df double precision,
	q_p_value double precision,
	i2 double precision,
	studies bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.meta_result IS 'A meta-analysis: random effects (estimate and what follows), fixed effect (fixed_...), and how much studies differ.';
REVOKE ALL ON TYPE secmed.meta_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.meta_result TO secmed_analyst;

CREATE FUNCTION secmed.meta_step(state internal, estimate double precision, standard_error double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_meta_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.meta_step(internal, double precision, double precision) IS 'Transition of meta_analysis.';
REVOKE ALL ON FUNCTION secmed.meta_step(internal, double precision, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.meta_step(state internal, estimate double precision, standard_error double precision, method text) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_meta_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.meta_step(internal, double precision, double precision, text) IS 'Transition of meta_analysis.';
REVOKE ALL ON FUNCTION secmed.meta_step(internal, double precision, double precision, text) FROM PUBLIC;

CREATE FUNCTION secmed.meta_step(state internal, estimate double precision, standard_error double precision, method text, conf_level double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_meta_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.meta_step(internal, double precision, double precision, text, double precision) IS 'Transition of meta_analysis.';
REVOKE ALL ON FUNCTION secmed.meta_step(internal, double precision, double precision, text, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.meta_final(state internal) RETURNS secmed.meta_result
	AS 'MODULE_PATHNAME', 'secmed_meta_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.meta_final(internal) IS 'A meta-analysis from its studies.';
REVOKE ALL ON FUNCTION secmed.meta_final(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.meta_analysis(estimate double precision, standard_error double precision) (
	SFUNC = secmed.meta_step, STYPE = internal, FINALFUNC = secmed.meta_final, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE secmed.meta_analysis(double precision, double precision) IS
'Meta-analysis of studies, one a row: fixed effect, and random effects after DerSimonian and Laird 1986; Q, I2, tau2, prediction interval; level 0.95. Of rows at hand: over sites there are no rows.';
REVOKE ALL ON FUNCTION secmed.meta_analysis(double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.meta_analysis(double precision, double precision) TO secmed_analyst;

CREATE AGGREGATE secmed.meta_analysis(estimate double precision, standard_error double precision, method text) (
	SFUNC = secmed.meta_step, STYPE = internal, FINALFUNC = secmed.meta_final, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE secmed.meta_analysis(double precision, double precision, text) IS
'Meta-analysis; method ''DL'', or ''REML'' for restricted maximum likelihood.';
REVOKE ALL ON FUNCTION secmed.meta_analysis(double precision, double precision, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.meta_analysis(double precision, double precision, text) TO secmed_analyst;

CREATE AGGREGATE secmed.meta_analysis(estimate double precision, standard_error double precision, method text, conf_level double precision) (
	SFUNC = secmed.meta_step, STYPE = internal, FINALFUNC = secmed.meta_final, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE secmed.meta_analysis(double precision, double precision, text, double precision) IS
'Meta-analysis, with given method and conf_level.';
REVOKE ALL ON FUNCTION secmed.meta_analysis(double precision, double precision, text, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.meta_analysis(double precision, double precision, text, double precision) TO secmed_analyst;

-- Functions over a relation: one question with GROUP BY, asked as the caller; what it opens are its groups.

CREATE TYPE secmed.anova_result AS (
	method text,
	statistic double precision,
	df double precision,
	df2 double precision,
	p_value double precision,
	groups bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.anova_result IS 'A comparison of several groups; df2 is of the denominator of F.';
REVOKE ALL ON TYPE secmed.anova_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.anova_result TO secmed_analyst;

CREATE TYPE secmed.mantel_haenszel_result AS (
	method text,
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	statistic double precision,
	df double precision,
	p_value double precision,
	strata bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.mantel_haenszel_result IS 'The common odds ratio of strata, its limits (the standard error is of its logarithm), and the test.';
REVOKE ALL ON TYPE secmed.mantel_haenszel_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.mantel_haenszel_result TO secmed_analyst;

CREATE TYPE secmed.rank_test_result AS (
	method text,
	statistic double precision,
	p_value double precision,
	n1 bigint,
	n2 bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.rank_test_result IS 'A test by ranks.';
REVOKE ALL ON TYPE secmed.rank_test_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.rank_test_result TO secmed_analyst;

CREATE TYPE secmed.rank_correlation_result AS (
	method text,
	estimate double precision,
	statistic double precision,
	p_value double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.rank_correlation_result IS 'A correlation of ranks.';
REVOKE ALL ON TYPE secmed.rank_correlation_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.rank_correlation_result TO secmed_analyst;

CREATE FUNCTION secmed.anova(formula text, relation regclass, equal_variances boolean DEFAULT false)
	RETURNS secmed.anova_result
	AS 'MODULE_PATHNAME', 'secmed_anova' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.anova(text, regclass, boolean) IS
'One-way analysis of variance, value ~ group: Welch 1951, or Fisher with equal variances, as R''s oneway.test. Opens of each group the number of rows and of NULLs, the sum and the sum of squares.';
REVOKE ALL ON FUNCTION secmed.anova(text, regclass, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.anova(text, regclass, boolean) TO secmed_analyst;

CREATE FUNCTION secmed.bartlett_test(formula text, relation regclass)
	RETURNS secmed.anova_result
	AS 'MODULE_PATHNAME', 'secmed_bartlett_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.bartlett_test(text, regclass) IS
'Bartlett 1937: have all groups one variance? value ~ group, as R''s bartlett.test. Opens of each group the number of rows and of NULLs, the sum and the sum of squares.';
REVOKE ALL ON FUNCTION secmed.bartlett_test(text, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.bartlett_test(text, regclass) TO secmed_analyst;

CREATE FUNCTION secmed.table_chisq_test(formula text, relation regclass, correct boolean DEFAULT true)
	RETURNS secmed.test_result
	AS 'MODULE_PATHNAME', 'secmed_table_chisq_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.table_chisq_test(text, regclass, boolean) IS
'Pearson''s chi-square test of a contingency table, row ~ column, as R''s chisq.test. Opens the cells; if one is withheld, there is no test.';
REVOKE ALL ON FUNCTION secmed.table_chisq_test(text, regclass, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.table_chisq_test(text, regclass, boolean) TO secmed_analyst;

CREATE FUNCTION secmed.table_fisher_test(formula text, relation regclass)
	RETURNS secmed.test_result
	AS 'MODULE_PATHNAME', 'secmed_table_fisher_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.table_fisher_test(text, regclass) IS
'Fisher''s exact test of a contingency table of any size (Freeman and Halton 1951), row ~ column, as R''s fisher.test. Opens the cells; if one is withheld, there is no test.';
REVOKE ALL ON FUNCTION secmed.table_fisher_test(text, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.table_fisher_test(text, regclass) TO secmed_analyst;

CREATE FUNCTION secmed.mantel_haenszel_test(formula text, relation regclass, correct boolean DEFAULT true, conf_level double precision DEFAULT 0.95)
	RETURNS secmed.mantel_haenszel_result
	AS 'MODULE_PATHNAME', 'secmed_mantel_haenszel_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.mantel_haenszel_test(text, regclass, boolean, double precision) IS
'Mantel and Haenszel 1959: diseased ~ exposed | stratum, common odds ratio with limits of Robins, Breslow and Greenland 1986, as R''s mantelhaen.test. Opens the four cells of each stratum, and how many rows are left out.';
REVOKE ALL ON FUNCTION secmed.mantel_haenszel_test(text, regclass, boolean, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.mantel_haenszel_test(text, regclass, boolean, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.wilcox_test(formula text, relation regclass, alternative text DEFAULT 'two.sided')
	RETURNS secmed.rank_test_result
	AS 'MODULE_PATHNAME', 'secmed_wilcox_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.wilcox_test(text, regclass, text) IS
'Wilcoxon rank sum (Mann-Whitney) test, value ~ condition, as R''s wilcox.test. Opens how many rows have each value in each group: for local tables, and for values with a public domain.';
REVOKE ALL ON FUNCTION secmed.wilcox_test(text, regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.wilcox_test(text, regclass, text) TO secmed_analyst;

CREATE FUNCTION secmed.signed_rank_test(x text, relation regclass, alternative text DEFAULT 'two.sided')
	RETURNS secmed.rank_test_result
	AS 'MODULE_PATHNAME', 'secmed_signed_rank_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.signed_rank_test(text, regclass, text) IS
'Wilcoxon signed rank test that an expression (''after - before'') is centred at zero, as R''s wilcox.test. Opens how many rows have each value: for local tables, and for values with a public domain.';
REVOKE ALL ON FUNCTION secmed.signed_rank_test(text, regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.signed_rank_test(text, regclass, text) TO secmed_analyst;

CREATE FUNCTION secmed.kruskal_test(formula text, relation regclass)
	RETURNS secmed.test_result
	AS 'MODULE_PATHNAME', 'secmed_kruskal_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.kruskal_test(text, regclass) IS
'Kruskal-Wallis rank sum test, value ~ group, as R''s kruskal.test. Opens how many rows have each value in each group: for local tables, and for values with a public domain.';
REVOKE ALL ON FUNCTION secmed.kruskal_test(text, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.kruskal_test(text, regclass) TO secmed_analyst;

CREATE FUNCTION secmed.ks_test(formula text, relation regclass)
	RETURNS secmed.rank_test_result
	AS 'MODULE_PATHNAME', 'secmed_ks_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.ks_test(text, regclass) IS
'Two-sample Kolmogorov-Smirnov test, value ~ condition, as R''s ks.test. Opens how many rows have each value in each group: for local tables, and for values with a public domain.';
REVOKE ALL ON FUNCTION secmed.ks_test(text, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.ks_test(text, regclass) TO secmed_analyst;

CREATE FUNCTION secmed.spearman_test(formula text, relation regclass)
	RETURNS secmed.rank_correlation_result
	AS 'MODULE_PATHNAME', 'secmed_spearman_test' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.spearman_test(text, regclass) IS
'Spearman''s rank correlation, y ~ x, as R''s cor.test(method = "spearman"). Opens how many rows have each pair of values: for local tables, and for values with public domains.';
REVOKE ALL ON FUNCTION secmed.spearman_test(text, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.spearman_test(text, regclass) TO secmed_analyst;

CREATE FUNCTION secmed.histogram(x text, relation regclass, breaks double precision[],
		OUT bin integer, OUT lower double precision, OUT upper double precision, OUT n bigint, OUT density double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_histogram' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.histogram(text, regclass, double precision[]) IS
'How many rows lie between public breaks: (lower, upper], the first bin closed on both sides, as R''s hist; rows outside are counted below and above. Opens the count of each bin that is large enough.';
REVOKE ALL ON FUNCTION secmed.histogram(text, regclass, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.histogram(text, regclass, double precision[]) TO secmed_analyst;

CREATE FUNCTION secmed.histogram_2d(x text, y text, relation regclass, x_breaks double precision[], y_breaks double precision[],
		OUT x_bin integer, OUT y_bin integer, OUT x_lower double precision, OUT x_upper double precision,
		OUT y_lower double precision, OUT y_upper double precision, OUT n bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_histogram_2d' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.histogram_2d(text, text, regclass, double precision[], double precision[]) IS
'The same of two variables: a count for each pair of bins that has rows. Opens the count of each that is large enough.';
REVOKE ALL ON FUNCTION secmed.histogram_2d(text, text, regclass, double precision[], double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.histogram_2d(text, text, regclass, double precision[], double precision[]) TO secmed_analyst;

CREATE TYPE secmed.standardised_estimate AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	crude_rate double precision,
	events double precision,
	person_time double precision,
	strata bigint,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.standardised_estimate IS 'A directly standardised rate with its limits, and the crude one.';
REVOKE ALL ON TYPE secmed.standardised_estimate FROM PUBLIC;
GRANT USAGE ON TYPE secmed.standardised_estimate TO secmed_analyst;

CREATE TYPE secmed.smr_result AS (
	estimate double precision,
	conf_low double precision,
	conf_high double precision,
	p_value double precision,
	observed double precision,
	expected double precision,
	n bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.smr_result IS 'Observed over expected events.';
REVOKE ALL ON TYPE secmed.smr_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.smr_result TO secmed_analyst;

CREATE TYPE secmed.auc_result AS (
	estimate double precision,
	standard_error double precision,
	conf_low double precision,
	conf_high double precision,
	hanley_error double precision,
	diseased bigint,
	others bigint,
	n_missing bigint);
COMMENT ON TYPE secmed.auc_result IS 'The area under a ROC curve: error and limits of DeLong et al. 1988, and the error of Hanley and McNeil 1982.';
REVOKE ALL ON TYPE secmed.auc_result FROM PUBLIC;
GRANT USAGE ON TYPE secmed.auc_result TO secmed_analyst;

CREATE FUNCTION secmed.standardised_rate(formula text, relation regclass, standard jsonb, conf_level double precision DEFAULT 0.95)
	RETURNS secmed.standardised_estimate
	AS 'MODULE_PATHNAME', 'secmed_standardised_rate' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.standardised_rate(text, regclass, jsonb, double precision) IS
'Directly standardised rate, events ~ person_time | stratum: the strata''s rates, weighed by a standard population {"stratum": size}; limits of Fay and Feuer 1997. Opens of each stratum what incidence_rate does.';
REVOKE ALL ON FUNCTION secmed.standardised_rate(text, regclass, jsonb, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.standardised_rate(text, regclass, jsonb, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.smr(formula text, relation regclass, reference jsonb, conf_level double precision DEFAULT 0.95)
	RETURNS secmed.smr_result
	AS 'MODULE_PATHNAME', 'secmed_smr' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.smr(text, regclass, jsonb, double precision) IS
'Indirect standardisation, events ~ person_time | stratum: observed events over those that reference rates {"stratum": rate} let expect, with exact limits and p, as R''s poisson.test. Opens observed and expected; strata are not told apart.';
REVOKE ALL ON FUNCTION secmed.smr(text, regclass, jsonb, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.smr(text, regclass, jsonb, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.roc(formula text, relation regclass, cut_points double precision[] DEFAULT NULL,
		OUT cutoff double precision, OUT sensitivity double precision, OUT specificity double precision,
		OUT true_positive bigint, OUT false_positive bigint, OUT false_negative bigint, OUT true_negative bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_roc' LANGUAGE C CALLED ON NULL INPUT VOLATILE;
COMMENT ON FUNCTION secmed.roc(text, regclass, double precision[]) IS
'ROC curve, diseased ~ score: positive is a score from the cutoff on. Through public cut points, or all scores if NULL. Opens how many diseased and others lie between cut points, or have each score: the latter for local tables, and for scores with a public domain.';
REVOKE ALL ON FUNCTION secmed.roc(text, regclass, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.roc(text, regclass, double precision[]) TO secmed_analyst;

CREATE FUNCTION secmed.auc(formula text, relation regclass, cut_points double precision[] DEFAULT NULL, conf_level double precision DEFAULT 0.95)
	RETURNS secmed.auc_result
	AS 'MODULE_PATHNAME', 'secmed_auc' LANGUAGE C CALLED ON NULL INPUT VOLATILE;
COMMENT ON FUNCTION secmed.auc(text, regclass, double precision[], double precision) IS
'Area under the ROC curve, diseased ~ score, with error and limits of DeLong et al. 1988; with cut points, of the score that they make. Opens what roc does.';
REVOKE ALL ON FUNCTION secmed.auc(text, regclass, double precision[], double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.auc(text, regclass, double precision[], double precision) TO secmed_analyst;

-- plot ----------------------------------------------------------------------

CREATE FUNCTION secmed.plot_survival(rows record[], title text DEFAULT 'Survival', x_label text DEFAULT 'Time',
		y_label text DEFAULT 'Survival', note text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_plot_survival' LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.plot_survival(record[], text, text, text, text) IS
'Survival curves as SVG, with limits and numbers at risk: rows of survfit(), as array_agg(s). Columns time, n_risk, n_event, n_censor, survival, lower, upper, and stratum, arm or label. Opens nothing.';
REVOKE ALL ON FUNCTION secmed.plot_survival(record[], text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.plot_survival(record[], text, text, text, text) TO secmed_analyst;

CREATE FUNCTION secmed.plot_histogram(rows record[], title text DEFAULT 'Histogram', x_label text DEFAULT '',
		y_label text DEFAULT NULL, note text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_plot_histogram' LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.plot_histogram(record[], text, text, text, text) IS
'A histogram as SVG: rows of histogram(), as array_agg(h). Columns lower, upper, n; a bin that is withheld is dashed. Opens nothing.';
REVOKE ALL ON FUNCTION secmed.plot_histogram(record[], text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.plot_histogram(record[], text, text, text, text) TO secmed_analyst;

CREATE FUNCTION secmed.plot_forest(rows record[], title text DEFAULT 'Estimates', x_label text DEFAULT '',
		ratios boolean DEFAULT false, note text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_plot_forest' LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.plot_forest(record[], text, text, boolean, text) IS
'Estimates with their limits as SVG, one a line: columns estimate, conf_low and conf_high (lower, upper), label (term, study, arm, stratum), weight or n for the square, summary for a diamond; ratios on a logarithmic scale. Opens nothing.';
REVOKE ALL ON FUNCTION secmed.plot_forest(record[], text, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.plot_forest(record[], text, text, boolean, text) TO secmed_analyst;

CREATE FUNCTION secmed.plot_roc(rows record[], title text DEFAULT 'ROC curve', x_label text DEFAULT '1 - specificity',
		y_label text DEFAULT 'Sensitivity', note text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_plot_roc' LANGUAGE C CALLED ON NULL INPUT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.plot_roc(record[], text, text, text, text) IS
'ROC curves as SVG: rows of roc(), as array_agg(r). Columns sensitivity, specificity, and label, curve or score. Opens nothing.';
REVOKE ALL ON FUNCTION secmed.plot_roc(record[], text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.plot_roc(record[], text, text, text, text) TO secmed_analyst;

-- peer ----------------------------------------------------------------------

CREATE FUNCTION secmed.hello(hello bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_hello' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.hello(bytea) IS
'Protocol: opens a sealed session with a node that this node knows. For other nodes, not for people.';
REVOKE ALL ON FUNCTION secmed.hello(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.hello(bytea) TO secmed_peer;

CREATE FUNCTION secmed.describe(question bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_describe' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.describe(bytea) IS
'Protocol: what this node publishes, for IMPORT FOREIGN SCHEMA.';
REVOKE ALL ON FUNCTION secmed.describe(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.describe(bytea) TO secmed_peer;

CREATE PROCEDURE secmed.serve(request bytea)
	AS 'MODULE_PATHNAME', 'secmed_serve' LANGUAGE C;
COMMENT ON PROCEDURE secmed.serve(bytea) IS
'Protocol: takes part in a run as a site, a party or both.';
REVOKE ALL ON PROCEDURE secmed.serve(bytea) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.serve(bytea) TO secmed_peer;

CREATE PROCEDURE secmed.link(request bytea)
	AS 'MODULE_PATHNAME', 'secmed_link' LANGUAGE C;
COMMENT ON PROCEDURE secmed.link(bytea) IS
'Protocol: connects the previous party of a run with the backend here that computes it.';
REVOKE ALL ON PROCEDURE secmed.link(bytea) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.link(bytea) TO secmed_peer;

CREATE FUNCTION secmed.erase_subject(subject text, legal_basis text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_erase_subject' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.erase_subject(text, text) IS
'Deletes the statements that name a subject (its identifier, as a word), with their salts, and says so in the ledger. Returns how many. Other nodes are ordered to erase what they keep of the same runs (secmed.erasure). Not inside a transaction block; the chain stays whole. The legal basis stays on the ledger.';
REVOKE ALL ON FUNCTION secmed.erase_subject(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.erase_subject(text, text) TO secmed_admin;

CREATE FUNCTION secmed.erase_run(run uuid, legal_basis text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_erase_run' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.erase_run(uuid, text) IS
'The same for what a run said here.';
REVOKE ALL ON FUNCTION secmed.erase_run(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.erase_run(uuid, text) TO secmed_admin;

CREATE FUNCTION secmed.erase_entries(entries int8multirange, legal_basis text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_erase_entries' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.erase_entries(int8multirange, text) IS
'The same for entries by their numbers.';
REVOKE ALL ON FUNCTION secmed.erase_entries(int8multirange, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.erase_entries(int8multirange, text) TO secmed_admin;

CREATE TABLE secmed.erasure (
	order_hash	bytea PRIMARY KEY,
	node		name NOT NULL,
	legal_basis	text NOT NULL,
	runs		integer NOT NULL,
	message		bytea NOT NULL,
	ordered_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	erased		bigint,
	receipt		bytea,
	answered_at	timestamptz,
	problem		text
);
COMMENT ON TABLE secmed.erasure IS
'Signed orders to other nodes to erase what they keep of runs whose statements were erased here, and their signed receipts: how many they have erased, or the problem, why not.';
REVOKE ALL ON secmed.erasure FROM PUBLIC;
GRANT SELECT ON secmed.erasure TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.erasure', '');

CREATE FUNCTION secmed.send_erasure_orders() RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_send_erasure_orders' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.send_erasure_orders() IS
'Sends the orders of secmed.erasure that have no receipt, once more. Returns how many still have none.';
REVOKE ALL ON FUNCTION secmed.send_erasure_orders() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.send_erasure_orders() TO secmed_admin;

CREATE FUNCTION secmed.erase(message bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_erase' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.erase(bytea) IS
'Protocol: another node orders this one to erase what it keeps of runs; answers with a receipt.';
REVOKE ALL ON FUNCTION secmed.erase(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.erase(bytea) TO secmed_peer;

-- mirror --------------------------------------------------------------------

CREATE TABLE secmed.witness (
	name		name PRIMARY KEY,
	key			text NOT NULL,
	size		bigint,
	signed_at	timestamptz,
	problem		text
);
COMMENT ON TABLE secmed.witness IS
'Who countersigns this node''s ledger: the key, as the policy names it; how many entries the witness has last countersigned, and when; what is in the way, if something is. Set by secmed.set_witnesses().';
REVOKE ALL ON secmed.witness FROM PUBLIC;
GRANT SELECT ON secmed.witness TO secmed_admin, secmed_auditor;

CREATE TABLE secmed.mirror (
	id			integer PRIMARY KEY,
	site		name NOT NULL,
	size		bigint NOT NULL DEFAULT 0,
	note		bytea,
	signed_at	timestamptz,
	certified_size	bigint NOT NULL DEFAULT 0,
	certified	bytea,
	others		bigint NOT NULL DEFAULT 0,
	quoted		bigint NOT NULL DEFAULT 0,
	quoted_at	timestamptz,
	suspect		bytea,
	frozen		boolean NOT NULL DEFAULT false,
	epoch_min	bigint NOT NULL DEFAULT 0,
	turn		bigint NOT NULL DEFAULT 0,
	ended_at	timestamptz
);
CREATE UNIQUE INDEX mirror_site ON secmed.mirror (site) WHERE ended_at IS NULL;
COMMENT ON TABLE secmed.mirror IS
'The ledgers of other nodes, as far as this node holds and has countersigned them: size and note of the last checkpoint; the newest that its quorum has certified; what of it this ledger quotes; the note of a history that does not extend this one (suspect); frozen after a fork; turn counts how often the node has asked what is held; ended_at once another copy of that node''s ledger was begun.';
REVOKE ALL ON secmed.mirror FROM PUBLIC;
GRANT SELECT ON secmed.mirror TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.mirror', '');

CREATE TABLE secmed.mirror_entry (
	mirror		integer,
	seq			bigint,
	entry		bytea NOT NULL,
	PRIMARY KEY (mirror, seq)
);
CREATE INDEX mirror_keys ON secmed.mirror_entry (mirror, seq) WHERE secmed.entry_kind(entry) = 'key';
COMMENT ON TABLE secmed.mirror_entry IS
'The entries of other nodes'' ledgers, exact bytes. They hold pseudonyms and commitments, no statements.';
REVOKE ALL ON secmed.mirror_entry FROM PUBLIC;
GRANT SELECT ON secmed.mirror_entry TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.mirror_entry', '');

CREATE TABLE secmed.mirror_tile (
	mirror		integer,
	level		integer,
	idx			bigint,
	hashes		bytea NOT NULL,
	PRIMARY KEY (mirror, level, idx)
);
COMMENT ON TABLE secmed.mirror_tile IS
'The full tiles of the Merkle trees over secmed.mirror_entry, as in secmed.ledger_tile.';
REVOKE ALL ON secmed.mirror_tile FROM PUBLIC;
GRANT SELECT ON secmed.mirror_tile TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.mirror_tile', '');

CREATE TABLE secmed.mirror_policy (
	mirror		integer,
	hash		bytea,
	policy		bytea NOT NULL,
	PRIMARY KEY (mirror, hash)
);
COMMENT ON TABLE secmed.mirror_policy IS
'The policy files of other nodes'' ledgers, by the SHA-256 that their entries name.';
REVOKE ALL ON secmed.mirror_policy FROM PUBLIC;
GRANT SELECT ON secmed.mirror_policy TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.mirror_policy', '');

CREATE TABLE secmed.mirror_note (
	mirror		integer,
	size		bigint,
	note		bytea NOT NULL,
	PRIMARY KEY (mirror, size)
);
COMMENT ON TABLE secmed.mirror_note IS
'Those checkpoints of other nodes'' ledgers that end with a new key or policy, which holds only after them: with the countersignatures of the quorum, if they were seen.';
REVOKE ALL ON secmed.mirror_note FROM PUBLIC;
GRANT SELECT ON secmed.mirror_note TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.mirror_note', '');

CREATE TABLE secmed.fork (
	hash		bytea,
	site		name,
	origin		text NOT NULL,
	convicted	text NOT NULL,
	sizes		bigint[] NOT NULL,
	proof		bytea NOT NULL,
	found_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	told_by		name,
	lifted_epoch	bigint,
	lifted_at	timestamptz,
	lifted_by	name,
	lifted_for	text,
	PRIMARY KEY (hash, site)
);
COMMENT ON TABLE secmed.fork IS
'Proofs that a ledger was signed in two histories: of which node, by which key (the log''s, or that of a witness of it), of which sizes; the proof is complete in itself, and hash its SHA-256. Nothing of a convicted node is countersigned, and no run is done with it, until secmed.unfreeze() has lifted it.';
REVOKE ALL ON secmed.fork FROM PUBLIC;
GRANT SELECT ON secmed.fork TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.fork', '');

CREATE TABLE secmed.ledger_aside (
	seq			bigint,
	entry		bytea NOT NULL,
	salt		bytea,
	payload		bytea,
	put_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.ledger_aside IS
'Entries of this node that secmed.recover_ledger() found in the place of those that its witnesses have countersigned. They are in no chain any more, with their bodies.';
REVOKE ALL ON secmed.ledger_aside FROM PUBLIC;
GRANT SELECT ON secmed.ledger_aside TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.ledger_aside', '');

CREATE VIEW secmed.certified AS
	SELECT size, certified_at, pg_catalog.convert_from(note, 'UTF8') AS note
	  FROM secmed.ledger_certified
	 ORDER BY size DESC;
COMMENT ON VIEW secmed.certified IS
'The certified checkpoints of this ledger, newest first.';
REVOKE ALL ON secmed.certified FROM PUBLIC;
GRANT SELECT ON secmed.certified TO secmed_auditor;

CREATE VIEW secmed.mirrors AS
	SELECT site, size, signed_at, certified_size, quoted, frozen,
		   pg_catalog.convert_from(note, 'UTF8') AS note
	  FROM secmed.mirror
	 WHERE ended_at IS NULL
	 ORDER BY site;
COMMENT ON VIEW secmed.mirrors IS
'The ledgers of other nodes that this node holds: how many entries of them it has countersigned, and when last; how many their quorum has certified; how many this ledger has quoted; whether a fork was proven.';
REVOKE ALL ON secmed.mirrors FROM PUBLIC;
GRANT SELECT ON secmed.mirrors TO secmed_admin, secmed_auditor;

CREATE PROCEDURE secmed.mirror(question bytea)
	AS 'MODULE_PATHNAME', 'secmed_mirror' LANGUAGE C;
COMMENT ON PROCEDURE secmed.mirror(bytea) IS
'Protocol: holds and countersigns the caller''s ledger, gives it back, hears of others.';
REVOKE ALL ON PROCEDURE secmed.mirror(bytea) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.mirror(bytea) TO secmed_peer;

CREATE PROCEDURE secmed.set_witnesses(nodes name[] DEFAULT NULL, needed integer DEFAULT NULL)
	AS 'MODULE_PATHNAME', 'secmed_set_witnesses' LANGUAGE C;
COMMENT ON PROCEDURE secmed.set_witnesses(name[], integer) IS
'Lets these nodes (default: all that can be called) hold and countersign this ledger, and makes that its policy. A checkpoint is certified with the countersignatures of needed of them (default: so many that two quorums, this node counted, always share more nodes than may be faulty). {}: nobody countersigns.';
REVOKE ALL ON PROCEDURE secmed.set_witnesses(name[], integer) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.set_witnesses(name[], integer) TO secmed_admin;

CREATE PROCEDURE secmed.rotate_log_key(compromised boolean DEFAULT false)
	AS 'MODULE_PATHNAME', 'secmed_rotate_log_key' LANGUAGE C;
COMMENT ON PROCEDURE secmed.rotate_log_key(boolean) IS
'A new key signs the checkpoints of this ledger from now on, under the next epoch, introduced by the old one; compromised: the old one is revoked and has no say in it, the witnesses have.';
REVOKE ALL ON PROCEDURE secmed.rotate_log_key(boolean) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.rotate_log_key(boolean) TO secmed_admin;

CREATE PROCEDURE secmed.rotate_cosigner_key(compromised boolean DEFAULT false)
	AS 'MODULE_PATHNAME', 'secmed_rotate_cosigner_key' LANGUAGE C;
COMMENT ON PROCEDURE secmed.rotate_cosigner_key(boolean) IS
'A new key countersigns the ledgers of other nodes from now on. They go on with secmed.set_witnesses(), which asks for it.';
REVOKE ALL ON PROCEDURE secmed.rotate_cosigner_key(boolean) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.rotate_cosigner_key(boolean) TO secmed_admin;

CREATE PROCEDURE secmed.recover_ledger()
	AS 'MODULE_PATHNAME', 'secmed_recover_ledger' LANGUAGE C;
COMMENT ON PROCEDURE secmed.recover_ledger() IS
'After a lost disk, a restored backup or a promoted stale standby: fetches the entries that are missing here from the nodes that hold them, and goes on under a new key and epoch.';
REVOKE ALL ON PROCEDURE secmed.recover_ledger() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.recover_ledger() TO secmed_admin;

CREATE FUNCTION secmed.unfreeze(node name, epoch bigint, reason text) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_unfreeze' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.unfreeze(name, bigint, text) IS
'Lets a node back in that had signed two histories: its ledger is held anew, and countersigned from this epoch on. The ledger says who decided so, and why.';
REVOKE ALL ON FUNCTION secmed.unfreeze(name, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.unfreeze(name, bigint, text) TO secmed_admin;

CREATE FUNCTION secmed.fork_proofs(OUT path text, OUT content bytea) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_fork_proofs' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.fork_proofs() IS
'The proofs of forks as files, each for "secmed verify FILE" with a policy that names the key.';
REVOKE ALL ON FUNCTION secmed.fork_proofs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fork_proofs() TO secmed_auditor;

-- govern --------------------------------------------------------------------
-- What people sign, and who they are.

CREATE TABLE secmed.document (
	hash		bytea PRIMARY KEY,
	kind		text NOT NULL,
	document	bytea NOT NULL,
	signatures	integer NOT NULL,
	problem		text,
	serial		bigint NOT NULL UNIQUE,
	received_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	received_from	name
);
CREATE INDEX document_waiting ON secmed.document (serial) WHERE problem IS NOT NULL;
COMMENT ON TABLE secmed.document IS
'Signed documents, by the hash of what they say, with the signatures that were verified: identities, votes, contracts. problem: why one waits, NULL once it was taken. received_from: the node that sent it, NULL if it was submitted here. serial: rises with every change, for the exchange with other nodes.';
REVOKE ALL ON secmed.document FROM PUBLIC;
GRANT SELECT ON secmed.document TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.document', '');

CREATE TABLE secmed.document_copy (
	hash		bytea,
	received_from	name,
	document	bytea NOT NULL,
	received_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (hash, received_from)
);
COMMENT ON TABLE secmed.document_copy IS
'Documents with signatures of keys that are not known here: they wait until they are. One for each sender; an empty name is this node itself.';
REVOKE ALL ON secmed.document_copy FROM PUBLIC;
GRANT SELECT ON secmed.document_copy TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.document_copy', '');

CREATE TABLE secmed.document_peer (
	node		name PRIMARY KEY,
	pushed		bigint NOT NULL DEFAULT 0,
	pulled		bigint NOT NULL DEFAULT 0,
	begun_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	exchanged_at	timestamptz,
	problem		text
);
COMMENT ON TABLE secmed.document_peer IS
'How far documents were exchanged with each other node: up to which serial number of this node they were sent, up to which of that node they were asked for, when it last succeeded, and what is in the way.';
REVOKE ALL ON secmed.document_peer FROM PUBLIC;
GRANT SELECT ON secmed.document_peer TO secmed_admin, secmed_auditor;

CREATE TABLE secmed.identity (
	document	bytea PRIMARY KEY,
	fingerprint	bytea NOT NULL,
	name		text NOT NULL,
	kind		text NOT NULL,
	organisation	text NOT NULL,
	roles		text[] NOT NULL,
	nodes		name[] NOT NULL,
	valid_from	timestamptz NOT NULL,
	valid_until	timestamptz NOT NULL,
	replaces	bytea,
	state		text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'admitted', 'replaced', 'removed')),
	changed_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX identity_fingerprint ON secmed.identity (fingerprint);
CREATE INDEX identity_prefix ON secmed.identity (pg_catalog.substr(fingerprint, 1, 16));
CREATE UNIQUE INDEX identity_admitted ON secmed.identity (fingerprint) WHERE state = 'admitted';
COMMENT ON TABLE secmed.identity IS
'The registrar: a row for each identity document. proposed: members have not admitted it. replaced: another document has taken its place. removed: members have voted the key out, for good.';
REVOKE ALL ON secmed.identity FROM PUBLIC;
GRANT SELECT ON secmed.identity TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.identity', '');

CREATE TABLE secmed.vote (
	verb		text,
	subject		bytea,
	voter		bytea,
	document	bytea NOT NULL,
	at			timestamptz NOT NULL,
	PRIMARY KEY (verb, subject, voter)
);
COMMENT ON TABLE secmed.vote IS
'What members have voted for: to admit or adopt a document, by its hash, to remove an identity, by its fingerprint.';
REVOKE ALL ON secmed.vote FROM PUBLIC;
GRANT SELECT ON secmed.vote TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.vote', '');

CREATE TABLE secmed.governance (
	document	bytea PRIMARY KEY,
	serial		integer NOT NULL,
	state		text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'adopted', 'superseded')),
	changed_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE UNIQUE INDEX governance_adopted ON secmed.governance (state) WHERE state = 'adopted';
COMMENT ON TABLE secmed.governance IS
'The rules by which votes are counted. Where none are adopted, a majority of the members decides.';
REVOKE ALL ON secmed.governance FROM PUBLIC;
GRANT SELECT ON secmed.governance TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.governance', '');

CREATE TABLE secmed.identity_role (
	role		regrole PRIMARY KEY,
	fingerprint	bytea NOT NULL,
	bound_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.identity_role IS
'As which identity a database role asks here. Set by secmed.bind_identity().';
REVOKE ALL ON secmed.identity_role FROM PUBLIC;
GRANT SELECT ON secmed.identity_role TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.identity_role', '');

CREATE FUNCTION secmed.submit_document(document bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_submit_document' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.submit_document(bytea) IS
'Takes in a signed document, and sends it to all other nodes. Returns its hash. It may wait, for votes or for what it refers to; more signatures may follow later.';
REVOKE ALL ON FUNCTION secmed.submit_document(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.submit_document(bytea) TO secmed_admin, secmed_analyst;

CREATE FUNCTION secmed.submit_document(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_submit_document_text' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.submit_document(text) IS
'The same with the document as the tool prints it, from -----BEGIN to END SECMED DOCUMENT-----.';
REVOKE ALL ON FUNCTION secmed.submit_document(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.submit_document(text) TO secmed_admin, secmed_analyst;

CREATE FUNCTION secmed.show(document bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_show' LANGUAGE C STRICT STABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.show(bytea) IS
'What a document says, in words, and whose signatures are good.';
REVOKE ALL ON FUNCTION secmed.show(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.show(bytea) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.show(document text) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_show_text' LANGUAGE C STRICT STABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.show(text) IS
'The same with the document as the tool prints it.';
REVOKE ALL ON FUNCTION secmed.show(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.show(text) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.document_text(document bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_document_text' LANGUAGE C STRICT IMMUTABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.document_text(bytea) IS
'A document as text, to be signed with "secmed sign" or mailed.';
REVOKE ALL ON FUNCTION secmed.document_text(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.document_text(bytea) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.fingerprint_text(fingerprint bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_fingerprint_text' LANGUAGE C STRICT IMMUTABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.fingerprint_text(bytea) IS
'A fingerprint as people compare it: eight groups of four hexadecimal digits.';
REVOKE ALL ON FUNCTION secmed.fingerprint_text(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.fingerprint_text(bytea) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.admit_founders(VARIADIC identities text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'secmed_admit_founders' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.admit_founders(text[]) IS
'Admits the first members at this node without votes, by their identity documents; possible until members have voted. Each node''s administrator admits the same ones: compare the fingerprints, which it returns, by phone.';
REVOKE ALL ON FUNCTION secmed.admit_founders(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.admit_founders(text[]) TO secmed_admin;

CREATE FUNCTION secmed.bind_identity(fingerprint text, role regrole) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_bind_identity' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.bind_identity(text, regrole) IS
'Lets a database role of this node ask as an identity, by its fingerprint; the identity''s document names this node.';
REVOKE ALL ON FUNCTION secmed.bind_identity(text, regrole) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.bind_identity(text, regrole) TO secmed_admin;

CREATE FUNCTION secmed.unbind_identity(role regrole) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_unbind_identity' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.unbind_identity(regrole) IS
'The role asks as no identity any more.';
REVOKE ALL ON FUNCTION secmed.unbind_identity(regrole) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.unbind_identity(regrole) TO secmed_admin;

CREATE FUNCTION secmed.exchange_documents(OUT node name, OUT sent bigint, OUT received bigint, OUT refused bigint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_exchange_documents' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.exchange_documents() IS
'Exchanges documents with every other node now; secmed does so by itself after each new one, and every secmed.document_interval.';
REVOKE ALL ON FUNCTION secmed.exchange_documents() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.exchange_documents() TO secmed_admin;

CREATE FUNCTION secmed.exchange(question bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_exchange' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.exchange(bytea) IS
'Protocol: another node sends documents, or asks for those it lacks.';
REVOKE ALL ON FUNCTION secmed.exchange(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.exchange(bytea) TO secmed_peer;

CREATE VIEW secmed.identities AS
	SELECT secmed.fingerprint_text(i.fingerprint) AS fingerprint, i.name, i.kind, i.organisation, i.roles, i.nodes AS asks_at, i.state,
		   i.state = 'admitted' AND pg_catalog.clock_timestamp() >= i.valid_from
			   AND pg_catalog.clock_timestamp() < i.valid_until AS may_act,
		   i.valid_from, i.valid_until, secmed.fingerprint_text(i.replaces) AS replaces, i.changed_at,
		   (SELECT pg_catalog.array_agg(r.role ORDER BY r.role::pg_catalog.text COLLATE pg_catalog."C")
			  FROM secmed.identity_role r WHERE r.fingerprint = i.fingerprint AND i.state = 'admitted') AS bound_to,
		   i.document
	  FROM secmed.identity i;
COMMENT ON VIEW secmed.identities IS
'Who is registered: what their identity documents say, whether members have admitted or removed them, and which database roles of this node ask in their name.';
REVOKE ALL ON secmed.identities FROM PUBLIC;
GRANT SELECT ON secmed.identities TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE VIEW secmed.documents AS
	SELECT pg_catalog.encode(d.hash, 'hex') AS hash, d.kind, CASE WHEN d.problem IS NULL THEN 'taken' ELSE 'waits' END AS state,
		   d.problem, d.signatures, d.received_at, d.received_from, d.document
	  FROM secmed.document d
	UNION ALL
	SELECT pg_catalog.encode(c.hash, 'hex'), NULL, 'waits', 'has signatures of keys that are not known here', NULL,
		   c.received_at, NULLIF(c.received_from, ''), c.document
	  FROM secmed.document_copy c;
COMMENT ON VIEW secmed.documents IS
'Signed documents at this node, and why one waits. secmed.show(document) says what it says.';
REVOKE ALL ON secmed.documents FROM PUBLIC;
GRANT SELECT ON secmed.documents TO secmed_admin, secmed_auditor;
-- What this node lets others ask, and who here must say yes to it.

CREATE TABLE secmed.site_mode (
	table_name	name PRIMARY KEY,
	mode		text NOT NULL CHECK (mode IN ('contracts', 'adhoc', 'closed')),
	who			text[] CHECK (who IS NULL OR mode = 'adhoc'),
	set_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by		name NOT NULL
);
COMMENT ON TABLE secmed.site_mode IS
'What this node answers without a contract: the row with an empty table_name for all tables but those that have one of their own. contracts: nothing; adhoc: free questions of who is named, NULL: of whoever a known node lets ask; closed: nothing at all, under a contract neither.';
REVOKE ALL ON secmed.site_mode FROM PUBLIC;
GRANT SELECT ON secmed.site_mode TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.site_mode', '');

CREATE FUNCTION secmed.set_mode(mode text, who text[] DEFAULT NULL, "table" name DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_set_mode' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.set_mode(text, text[], name) IS
'What this node answers from the next run on: contracts (what an active contract allows), adhoc (also free questions of who is named: node:role, node:*, or node:fingerprint for an identity; NULL: whoever a known node lets ask), closed (nothing); NULL takes the setting back. table: of one published or shared table alone.';
REVOKE ALL ON FUNCTION secmed.set_mode(text, text[], name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.set_mode(text, text[], name) TO secmed_admin;

CREATE TABLE secmed.approval_rule (
	table_name	name PRIMARY KEY,
	roles		name[] NOT NULL,
	approvals	integer NOT NULL CHECK (approvals BETWEEN 1 AND 10),
	review		boolean NOT NULL,
	valid		interval NOT NULL CHECK (valid BETWEEN '0.1 seconds' AND '1 year'),
	set_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by		name NOT NULL
);
COMMENT ON TABLE secmed.approval_rule IS
'Which runs need somebody''s yes: those about a table, or with an empty table_name all; of how many members of the roles; whether another one must have reviewed the question before; how long a question and the answers to it hold. All rules that concern a run must be met.';
REVOKE ALL ON secmed.approval_rule FROM PUBLIC;
GRANT SELECT ON secmed.approval_rule TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.approval_rule', '');

CREATE TABLE secmed.asked (
	id			uuid PRIMARY KEY,
	binding		bytea NOT NULL,
	coordinator	name NOT NULL,
	requester	text NOT NULL,
	tables		name[] NOT NULL,
	plan		bytea NOT NULL,
	question	text NOT NULL,
	statement	text,
	params		text[],
	reveals		text NOT NULL,
	request		bytea,
	asked_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	expires_at	timestamptz NOT NULL,
	ended		text CHECK (ended IN ('used', 'withdrawn'))
);
CREATE INDEX asked_plan ON secmed.asked (plan);
CREATE INDEX asked_open ON secmed.asked (coordinator) WHERE ended IS NULL;
COMMENT ON TABLE secmed.asked IS
'Questions for people''s yes to one run each, by the id of the submission. binding: hash of all that they say yes to. The statement, parameters and request are forgotten when it is over.';
REVOKE ALL ON secmed.asked FROM PUBLIC;
GRANT SELECT ON secmed.asked TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.asked', '');

CREATE TABLE secmed.approval (
	asked		uuid NOT NULL REFERENCES secmed.asked,
	who			name NOT NULL,
	verdict		text NOT NULL CHECK (verdict IN ('approve', 'hold', 'reject')),
	meaning		text CHECK (meaning IN ('review', 'approval', 'responsibility')),
	reason		text,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CHECK ((meaning IS NOT NULL) = (verdict = 'approve') AND (reason IS NOT NULL) = (verdict <> 'approve'))
);
CREATE INDEX approval_asked ON secmed.approval (asked, who, at);
COMMENT ON TABLE secmed.approval IS
'What people answered to the questions of secmed.asked; of each person the last answer counts, but a rejection is for good.';
REVOKE ALL ON secmed.approval FROM PUBLIC;
GRANT SELECT ON secmed.approval TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.approval', '');

CREATE FUNCTION secmed.member_of(who name, roles name[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'secmed_member_of' LANGUAGE C STRICT STABLE;
COMMENT ON FUNCTION secmed.member_of(name, name[]) IS
'Is a role a member of one of these, by grants? A superuser is not by being one.';
REVOKE ALL ON FUNCTION secmed.member_of(name, name[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.member_of(name, name[]) TO secmed_admin, secmed_auditor, secmed_approver;

CREATE VIEW secmed.asked_status AS
	SELECT a.*, w.waits_for, v.reason,
		   CASE WHEN a.ended IS NOT NULL THEN a.ended
				WHEN v.rejected THEN 'rejected'
				WHEN a.expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
				WHEN v.held THEN 'held'
				WHEN w.waits_for IS NULL THEN 'approved'
				ELSE 'pending' END AS state
	  FROM secmed.asked a
	 CROSS JOIN LATERAL (
		SELECT pg_catalog.bool_or(p.verdict = 'reject') AS rejected,
			   pg_catalog.bool_or(p.verdict = 'hold' AND p.at = p.last) AS held,
			   pg_catalog.string_agg(p.reason, '; ' ORDER BY p.at) FILTER (WHERE p.verdict = 'reject' OR p.at = p.last) AS reason
		  FROM (SELECT p.*, pg_catalog.max(p.at) OVER (PARTITION BY p.who) AS last
				  FROM secmed.approval p WHERE p.asked = a.id) p) v
	 CROSS JOIN LATERAL (
		SELECT pg_catalog.string_agg(pg_catalog.array_to_string(r.roles, ' or ') || ' (' || y.n || ' of ' || r.approvals
									 || CASE WHEN r.review THEN ', after a review)' ELSE ')' END, ', ' ORDER BY r.table_name) AS waits_for
		  FROM secmed.approval_rule r
		 CROSS JOIN LATERAL (
			SELECT pg_catalog.count(DISTINCT p.who) AS n
			  FROM secmed.approval p
			 WHERE p.asked = a.id AND p.meaning IN ('approval', 'responsibility') AND secmed.member_of(p.who, r.roles)
			   AND NOT EXISTS (SELECT FROM secmed.approval l WHERE l.asked = a.id AND l.who = p.who AND l.at > p.at)
			   AND (NOT r.review OR EXISTS (
					SELECT FROM secmed.approval q
					 WHERE q.asked = a.id AND q.meaning = 'review' AND q.who <> p.who AND q.at < p.at
					   AND secmed.member_of(q.who, r.roles)))) y
		 WHERE (r.table_name = '' OR r.table_name = ANY (a.tables)) AND y.n < r.approvals) w;
COMMENT ON VIEW secmed.asked_status IS
'The questions of secmed.asked with their state: pending, held, approved, rejected, expired, withdrawn, used; for whom they wait, and the reasons of who held or rejected them.';
REVOKE ALL ON secmed.asked_status FROM PUBLIC;
GRANT SELECT ON secmed.asked_status TO secmed_auditor;

CREATE VIEW secmed.pending WITH (security_barrier) AS
	SELECT a.id, a.state, a.question, a.statement, a.params, a.reveals, a.coordinator || ':' || a.requester AS requester,
		   a.waits_for, a.reason,
		   (SELECT pg_catalog.string_agg(p.who || ': ' || p.verdict || COALESCE(' (' || p.meaning || ')', ''), ', ' ORDER BY p.at)
			  FROM secmed.approval p WHERE p.asked = a.id) AS answers,
		   (SELECT pg_catalog.count(*) FROM secmed.asked b WHERE b.plan = a.plan AND b.ended = 'used') AS answered_before,
		   (SELECT pg_catalog.count(*) FROM secmed.asked b WHERE b.coordinator = a.coordinator AND b.requester = a.requester
			   AND b.tables && a.tables AND b.ended = 'used') AS answered_to_requester,
		   a.asked_at, a.expires_at
	  FROM secmed.asked_status a
	 WHERE a.state IN ('pending', 'held', 'approved')
	   AND (pg_catalog.pg_has_role(CURRENT_USER, 'secmed_auditor', 'USAGE') OR EXISTS (
			SELECT FROM secmed.approval_rule r
			 WHERE (r.table_name = '' OR r.table_name = ANY (a.tables)) AND secmed.member_of(SESSION_USER, r.roles)));
COMMENT ON VIEW secmed.pending IS
'What waits for people''s yes, for those who may say it (and auditors): the question in words, the statement that would run here and its parameters, what would be revealed, who asks, for whom it waits, what was said so far, how often this very question was answered before, and questions of this requester about these tables, and until when it holds.';
REVOKE ALL ON secmed.pending FROM PUBLIC;
GRANT SELECT ON secmed.pending TO secmed_approver, secmed_auditor;

CREATE FUNCTION secmed.require_approval(roles name[], approvals integer DEFAULT 1, review boolean DEFAULT false,
		valid interval DEFAULT '7 days', "table" name DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_require_approval' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.require_approval(name[], integer, boolean, interval, name) IS
'From the next run on this node takes part only when so many members of the roles have said yes to that very run; review: after another one has reviewed it. valid: how long a question and its answers hold. table: for runs about one published or shared table, besides the rule for all.';
REVOKE ALL ON FUNCTION secmed.require_approval(name[], integer, boolean, interval, name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.require_approval(name[], integer, boolean, interval, name) TO secmed_admin;

CREATE FUNCTION secmed.waive_approval("table" name DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_waive_approval' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.waive_approval(name) IS
'Ends such a rule.';
REVOKE ALL ON FUNCTION secmed.waive_approval(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.waive_approval(name) TO secmed_admin;

CREATE FUNCTION secmed.approve(id uuid, meaning text DEFAULT 'approval') RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_approve' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.approve(uuid, text) IS
'Says yes to a question of secmed.pending, as who has logged in; meaning: review (it was examined), approval, or responsibility.';
REVOKE ALL ON FUNCTION secmed.approve(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.approve(uuid, text) TO secmed_approver;

CREATE FUNCTION secmed.hold(id uuid, reason text) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_hold' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.hold(uuid, text) IS
'Holds a question back until the same person approves or rejects it; the analyst is told the reason.';
REVOKE ALL ON FUNCTION secmed.hold(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.hold(uuid, text) TO secmed_approver;

CREATE FUNCTION secmed.reject(id uuid, reason text) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_reject' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.reject(uuid, text) IS
'Says no to a question, for good; the analyst is told the reason.';
REVOKE ALL ON FUNCTION secmed.reject(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.reject(uuid, text) TO secmed_approver;

CREATE TABLE secmed.contract_standing (
	hash		bytea PRIMARY KEY,
	name		text NOT NULL,
	version		integer NOT NULL,
	title		text NOT NULL,
	author		bytea NOT NULL,
	replaces	bytea,
	skeleton	bytea NOT NULL,
	valid_from	timestamptz NOT NULL,
	valid_until	timestamptz NOT NULL,
	purpose_code	text NOT NULL,
	purpose		text NOT NULL,
	query		text NOT NULL,
	text		text NOT NULL,
	signers		text[] NOT NULL,
	state		smallint,
	waits		text NOT NULL DEFAULT '',
	vetters		integer NOT NULL DEFAULT 0,
	organisations	integer NOT NULL DEFAULT 0,
	objections	integer NOT NULL DEFAULT 0,
	signed_by	text[] NOT NULL DEFAULT '{}',
	since		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	next_at		timestamptz NOT NULL DEFAULT 'infinity',
	settled_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	lexemes		tsvector NOT NULL GENERATED ALWAYS AS (
		pg_catalog.setweight(pg_catalog.to_tsvector('pg_catalog.english', title), 'A')
		OPERATOR(pg_catalog.||) pg_catalog.setweight(pg_catalog.to_tsvector('pg_catalog.english', purpose), 'B')
		OPERATOR(pg_catalog.||) pg_catalog.to_tsvector('pg_catalog.english', text)) STORED
);
CREATE INDEX contract_standing_name ON secmed.contract_standing (name);
CREATE INDEX contract_standing_skeleton ON secmed.contract_standing (skeleton) WHERE state = 5;
CREATE INDEX contract_standing_replaces ON secmed.contract_standing (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX contract_standing_next ON secmed.contract_standing (next_at) WHERE next_at < 'infinity';
CREATE INDEX contract_standing_words ON secmed.contract_standing USING gin (lexemes);
COMMENT ON TABLE secmed.contract_standing IS
'A row for each contract, with its state when something last changed; secmed.contract shows it. Who decides on a run works the state out anew.';
REVOKE ALL ON secmed.contract_standing FROM PUBLIC;
GRANT SELECT ON secmed.contract_standing TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.contract_standing', '');

CREATE TABLE secmed.contract_deed (
	document	bytea,
	contract	bytea NOT NULL,
	verb		text NOT NULL,
	actor		bytea,
	at_us		bigint NOT NULL,
	node		text,
	meaning		text,
	words		text NOT NULL,
	PRIMARY KEY (document, actor)
);
CREATE INDEX contract_deed_contract ON secmed.contract_deed (contract);
COMMENT ON TABLE secmed.contract_deed IS
'What people did with contracts, as they signed it; secmed.contract_act shows it.';
REVOKE ALL ON secmed.contract_deed FROM PUBLIC;
GRANT SELECT ON secmed.contract_deed TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.contract_deed', '');

CREATE TABLE secmed.contract_use (
	run			bytea PRIMARY KEY,
	contract	bytea NOT NULL,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX contract_use_contract ON secmed.contract_use (contract);
COMMENT ON TABLE secmed.contract_use IS
'Runs under a contract in which this node gave a share of its data away: they count for the contract''s number of runs.';
REVOKE ALL ON secmed.contract_use FROM PUBLIC;
GRANT SELECT ON secmed.contract_use TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.contract_use', '');

-- Privacy that answers with noise may spend; amounts are millionths of rho (src/contract/noise.h).

CREATE TABLE secmed.budget_limit (
	"table"		name,
	requester	text,
	rho			bigint NOT NULL CHECK (rho >= 0),
	spent		bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
	set_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by		name NOT NULL,
	PRIMARY KEY ("table", requester)
);
COMMENT ON TABLE secmed.budget_limit IS
'What runs with noise may spend of a published table''s privacy, and have spent: all together (requester empty), and of that one person at most. Millionths of rho; secmed.budget shows it.';
REVOKE ALL ON secmed.budget_limit FROM PUBLIC;
GRANT SELECT ON secmed.budget_limit TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.budget_limit', '');

CREATE TABLE secmed.budget_spent (
	run			bytea,
	"table"		name,
	requester	text,
	contract	bytea NOT NULL,
	rho			bigint NOT NULL,
	asked_by	text NOT NULL,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, "table", requester)
);
COMMENT ON TABLE secmed.budget_spent IS
'What each run with noise took from each row of secmed.budget_limit, before anything of it left this node. Never given back.';
REVOKE ALL ON secmed.budget_spent FROM PUBLIC;
GRANT SELECT ON secmed.budget_spent TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.budget_spent', '');

CREATE VIEW secmed.budget AS
	SELECT l."table", NULLIF(l.requester, '') AS requester,
		(SELECT i.name FROM secmed.identity i WHERE secmed.fingerprint_text(i.fingerprint) = l.requester
			ORDER BY i.state = 'admitted' DESC LIMIT 1) AS name,
		pg_catalog.round(l.rho / 1000000.0, 6) AS rho, pg_catalog.round(l.spent / 1000000.0, 6) AS spent,
		pg_catalog.round(GREATEST(l.rho - l.spent, 0) / 1000000.0, 6) AS "left",
		(SELECT pg_catalog.count(*) FROM secmed.budget_spent s WHERE s."table" = l."table" AND s.requester = l.requester) AS runs,
		pg_catalog.round((l.spent / 1e6 + 2 * pg_catalog.sqrt(l.spent / 1e6 * pg_catalog.ln(1e6)))::pg_catalog.numeric, 3) AS epsilon_spent,
		l.set_by, l.set_at
	FROM secmed.budget_limit l;
COMMENT ON VIEW secmed.budget IS
'Privacy budgets of published tables: of all requesters together (requester NULL), and of single persons within it. rho: zero-concentrated differential privacy, which adds up over runs; epsilon_spent: what was spent as (epsilon, delta)-differential privacy with a delta of one in a million.';
REVOKE ALL ON secmed.budget FROM PUBLIC;
GRANT SELECT ON secmed.budget TO secmed_admin, secmed_auditor;

CREATE FUNCTION secmed.set_budget("table" name, rho numeric, requester text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_set_budget' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.set_budget(name, numeric, text) IS
'How much privacy (rho) runs with noise may spend of a published table, from the beginning on: all requesters together, or one of them within that. What was spent stays spent.';
REVOKE ALL ON FUNCTION secmed.set_budget(name, numeric, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.set_budget(name, numeric, text) TO secmed_admin;

CREATE TABLE secmed.answered_key (
	only_one	boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	key			bigint NOT NULL
);
COMMENT ON TABLE secmed.answered_key IS
'What the prints of patients in secmed.answered_group are made with. Nobody else needs it: with it and the sketches one can test whether a patient was in a group.';
REVOKE ALL ON secmed.answered_key FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('secmed.answered_key', '');

CREATE TABLE secmed.answered_content (
	content		bytea PRIMARY KEY,
	groups		integer NOT NULL CHECK (groups > 0)
);
COMMENT ON TABLE secmed.answered_content IS
'Answers by whom they are about at this site: those about the same patients, group by group, have one content.';
REVOKE ALL ON secmed.answered_content FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('secmed.answered_content', '');

CREATE TABLE secmed.answered_group (
	content		bytea NOT NULL REFERENCES secmed.answered_content ON DELETE CASCADE,
	number		integer NOT NULL,
	label		text NOT NULL,
	measures	text[] NOT NULL,
	patients	bigint NOT NULL,
	chosen		bytea NOT NULL,
	present		bytea,
	PRIMARY KEY (content, number, label)
);
ALTER TABLE secmed.answered_group ALTER COLUMN chosen SET STORAGE EXTERNAL, ALTER COLUMN present SET STORAGE EXTERNAL;
COMMENT ON TABLE secmed.answered_group IS
'Of each group of an answer that has rows here, and each table that tells its patients apart, sketches to compare new groups with: of whom conditions choose, and, if they are others, of those who have values of the columns (measures) that it is made of.';
REVOKE ALL ON secmed.answered_group FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('secmed.answered_group', '');

CREATE TABLE secmed.answered_run (
	run			bytea PRIMARY KEY,
	content		bytea NOT NULL REFERENCES secmed.answered_content,
	actor		text NOT NULL,
	tables		name[] NOT NULL,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX answered_run_content ON secmed.answered_run (content);
CREATE INDEX answered_run_at ON secmed.answered_run (at);
COMMENT ON TABLE secmed.answered_run IS
'Runs for which this site has shared sums; a row is there before the shares leave, and goes only if the parties sign that nothing was opened.';
REVOKE ALL ON secmed.answered_run FROM PUBLIC;
GRANT SELECT ON secmed.answered_run TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.answered_run', '');

CREATE FUNCTION secmed.forget_answers(before timestamptz) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_forget_answers' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.forget_answers(timestamptz) IS
'New questions are no longer compared with answers from before this time: who has kept them may learn of single patients by subtraction. Returns how many runs are forgotten; it is on the ledger.';
REVOKE ALL ON FUNCTION secmed.forget_answers(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.forget_answers(timestamptz) TO secmed_admin;
-- Accounts in credits; each belongs to the node of its address, which orders its moves (src/contract/account.h).

CREATE TABLE secmed.account (
	address		text PRIMARY KEY,
	holder		bytea,
	nodes		name[] NOT NULL DEFAULT '{}',
	serial		bigint NOT NULL DEFAULT 0,
	head		bytea NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
	balance		bigint NOT NULL DEFAULT 0,
	held		bigint NOT NULL DEFAULT 0,
	CHECK (held >= 0 AND held <= balance)
);
COMMENT ON TABLE secmed.account IS
'Accounts that this node owns: who may spend from each (the first identity of a person; NULL: nobody) when asking at which nodes; its credits, those that are held for runs among them, and the hash of its moves.';
REVOKE ALL ON secmed.account FROM PUBLIC;
GRANT SELECT ON secmed.account TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.account', '');

CREATE TABLE secmed.account_entry (
	account		text REFERENCES secmed.account,
	serial		bigint,
	head		bytea NOT NULL,
	move		text NOT NULL CHECK (move IN ('grant', 'hold', 'return', 'pay', 'receive')),
	amount		bigint NOT NULL,
	balance		bigint NOT NULL,
	held		bigint NOT NULL,
	document	bytea NOT NULL,
	run			bytea,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (account, serial),
	UNIQUE (account, document, move)
);
COMMENT ON TABLE secmed.account_entry IS
'The moves of accounts, in order; secmed.statement() shows them.';
REVOKE ALL ON secmed.account_entry FROM PUBLIC;
GRANT SELECT ON secmed.account_entry TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.account_entry', '');

CREATE TABLE secmed.payment_hold (
	hash		bytea PRIMARY KEY,
	run			bytea NOT NULL UNIQUE,
	account		text NOT NULL REFERENCES secmed.account,
	amount		bigint NOT NULL,
	contract	bytea NOT NULL,
	document	bytea NOT NULL,
	until		timestamptz NOT NULL,
	state		text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'paid', 'returned'))
);
CREATE INDEX payment_hold_open ON secmed.payment_hold (until) WHERE state = 'held';
COMMENT ON TABLE secmed.payment_hold IS
'Credits of this node''s accounts that were set aside for runs, and what became of them.';
REVOKE ALL ON secmed.payment_hold FROM PUBLIC;
GRANT SELECT ON secmed.payment_hold TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.payment_hold', '');

CREATE TABLE secmed.payment_fate (
	hold		bytea,
	party		name,
	opened		boolean NOT NULL,
	PRIMARY KEY (hold, party)
);
COMMENT ON TABLE secmed.payment_fate IS
'What the parties of a run that was paid from here have said: whether they have opened their part of its answer. Two decide.';
REVOKE ALL ON secmed.payment_fate FROM PUBLIC;
GRANT SELECT ON secmed.payment_fate TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.payment_fate', '');

CREATE TABLE secmed.payment_run (
	run			bytea PRIMARY KEY,
	hold		bytea NOT NULL,
	opened		boolean NOT NULL DEFAULT false,
	until		timestamptz NOT NULL,
	told		boolean NOT NULL DEFAULT false
);
CREATE INDEX payment_run_open ON secmed.payment_run (until) WHERE NOT told;
COMMENT ON TABLE secmed.payment_run IS
'Runs that cost something in which this node is a party: whether it has opened its part of the answer, and has told so.';
REVOKE ALL ON secmed.payment_run FROM PUBLIC;
GRANT SELECT ON secmed.payment_run TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.payment_run', '');

CREATE FUNCTION secmed.open_account(account text, holder text DEFAULT NULL, nodes name[] DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_open_account' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.open_account(text, text, name[]) IS
'Opens an account of this node (its name, or name:something), or changes who may spend from it: an identity, when it asks at these nodes.';
REVOKE ALL ON FUNCTION secmed.open_account(text, text, name[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.open_account(text, text, name[]) TO secmed_admin;

CREATE FUNCTION secmed.draft_grant(account text, amount bigint, reason text DEFAULT '') RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_draft_grant' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.draft_grant(text, bigint, text) IS
'Credits for an account: a document for a member of the governance to sign, and to be given to secmed.submit_document().';
REVOKE ALL ON FUNCTION secmed.draft_grant(text, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.draft_grant(text, bigint, text) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.statement(account text, OUT serial bigint, OUT at timestamptz, OUT move text, OUT amount bigint,
		OUT balance bigint, OUT held bigint, OUT run bytea, OUT document bytea) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_statement' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.statement(text) IS
'All moves of an account of this node, made again: an error if what is stored is not what comes of them.';
REVOKE ALL ON FUNCTION secmed.statement(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.statement(text) TO secmed_admin, secmed_auditor;

CREATE FUNCTION secmed.settle_payments() RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_settle_payments' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.settle_payments() IS
'Tells the fate of runs that cost something, and pays or returns what is held for those whose fate is known, now: how many. The worker that exchanges documents does it by itself.';
REVOKE ALL ON FUNCTION secmed.settle_payments() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.settle_payments() TO secmed_admin;

CREATE FUNCTION secmed.hold_credits(question bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_hold_credits' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.hold_credits(bytea) IS
'Protocol: another node wants the price of a run to be set aside.';
REVOKE ALL ON FUNCTION secmed.hold_credits(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.hold_credits(bytea) TO secmed_peer;

CREATE TABLE secmed.question_run (
	run			bytea PRIMARY KEY,
	question	bytea NOT NULL,
	actor		text NOT NULL,
	tables		name[] NOT NULL,
	failed		boolean NOT NULL DEFAULT true,
	at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX question_run_question ON secmed.question_run (actor, question, at);
CREATE INDEX question_run_failed ON secmed.question_run (actor) WHERE failed;
COMMENT ON TABLE secmed.question_run IS
'Questions that this site has taken up in the last 30 days, without a contract; failed until the site has shared. secmed.questions shows them.';
REVOKE ALL ON secmed.question_run FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('secmed.question_run', '');

CREATE VIEW secmed.questions AS
	SELECT actor, pg_catalog.left(pg_catalog.encode(question, 'hex'), 8) AS question,
		pg_catalog.array_to_string(pg_catalog.min(tables), ', ') AS tables, pg_catalog.count(*) AS times,
		pg_catalog.count(*) FILTER (WHERE failed) AS failed, pg_catalog.max(at) AS last_at
	  FROM secmed.question_run WHERE at > pg_catalog.clock_timestamp() - interval '30 days'
	 GROUP BY actor, question;
COMMENT ON VIEW secmed.questions IS
'Who has asked which question how often in the last 30 days, without a contract; from how many on it is locked says set_disclosure(repeats).';
REVOKE ALL ON secmed.questions FROM PUBLIC;
GRANT SELECT ON secmed.questions TO secmed_admin, secmed_auditor;

CREATE FUNCTION secmed.unlock_question(requester text, question text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_unlock_question' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.unlock_question(text, text) IS
'Lets a requester (node:role) ask a question again that was asked too often, by its first 8 digits as in secmed.questions; without one, forgives the questions that failed. It is on the ledger.';
REVOKE ALL ON FUNCTION secmed.unlock_question(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.unlock_question(text, text) TO secmed_auditor;

CREATE FUNCTION secmed.contract_state(state smallint) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_contract_state' LANGUAGE C STRICT IMMUTABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.contract_state(smallint) IS
'The name of a contract''s state.';
REVOKE ALL ON FUNCTION secmed.contract_state(smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.contract_state(smallint) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE VIEW secmed.contract AS
	SELECT pg_catalog.encode(c.hash, 'hex') AS hash, c.name, c.version, c.title, secmed.contract_state(c.state) AS state,
		c.since, c.waits AS waits_for, c.purpose_code, c.purpose, c.query, c.valid_from, c.valid_until,
		COALESCE((SELECT i.name FROM secmed.identity i WHERE i.fingerprint OPERATOR(pg_catalog.=) c.author
			ORDER BY i.state OPERATOR(pg_catalog.=) 'admitted' DESC LIMIT 1), '') AS author,
		secmed.fingerprint_text(c.author) AS author_fingerprint,
		ARRAY(SELECT DISTINCT i.name FROM secmed.contract_deed d JOIN secmed.identity i ON i.fingerprint OPERATOR(pg_catalog.=) d.actor
			WHERE d.contract OPERATOR(pg_catalog.=) c.hash AND d.verb OPERATOR(pg_catalog.=) 'vet'
			AND d.actor OPERATOR(pg_catalog.<>) c.author AND i.state OPERATOR(pg_catalog.=) ANY ('{admitted,replaced}') ORDER BY 1) AS vetted_by,
		c.vetters, c.organisations, c.objections, c.signers, c.signed_by,
		(SELECT pg_catalog.count(*) FROM secmed.contract_use u WHERE u.contract OPERATOR(pg_catalog.=) c.hash) AS uses,
		pg_catalog.encode(c.replaces, 'hex') AS replaces, c.text
	FROM secmed.contract_standing c;
COMMENT ON VIEW secmed.contract IS
'Every contract that is known here: what it says (text), who wrote, vetted and signed it, its state, and what it waits for. uses: runs in which this node took part.';
REVOKE ALL ON secmed.contract FROM PUBLIC;
GRANT SELECT ON secmed.contract TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE VIEW secmed.contract_act AS
	SELECT c.name AS contract, c.version, d.verb,
		COALESCE((SELECT i.name FROM secmed.identity i WHERE i.fingerprint OPERATOR(pg_catalog.=) d.actor
			ORDER BY i.state OPERATOR(pg_catalog.=) 'admitted' DESC LIMIT 1), '') AS actor,
		secmed.fingerprint_text(d.actor) AS fingerprint,
		pg_catalog.to_timestamp(d.at_us::pg_catalog.float8 OPERATOR(pg_catalog./) 1000000) AS at, d.node, d.meaning, d.words AS reason,
		pg_catalog.encode(d.contract, 'hex') AS hash, pg_catalog.encode(d.document, 'hex') AS document
	FROM secmed.contract_deed d JOIN secmed.contract_standing c ON c.hash OPERATOR(pg_catalog.=) d.contract;
COMMENT ON VIEW secmed.contract_act IS
'What people did with contracts: proposed, vetted, objected, signed for a node, suspended, resumed, revoked, accepted the terms.';
REVOKE ALL ON secmed.contract_act FROM PUBLIC;
GRANT SELECT ON secmed.contract_act TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.find_contracts(words text DEFAULT '') RETURNS SETOF secmed.contract
	LANGUAGE sql STABLE SECURITY INVOKER
	SET search_path = pg_catalog, pg_temp
	BEGIN ATOMIC
		SELECT c.* FROM secmed.contract c JOIN secmed.contract_standing s ON pg_catalog.encode(s.hash, 'hex') = c.hash
			WHERE words = '' OR s.lexemes @@ pg_catalog.websearch_to_tsquery('pg_catalog.english', words)
			ORDER BY pg_catalog.ts_rank(s.lexemes, pg_catalog.websearch_to_tsquery('pg_catalog.english', words)) DESC,
				s.name COLLATE "C", s.version DESC;
	END;
COMMENT ON FUNCTION secmed.find_contracts(text) IS
'Contracts by words of their title, purpose and text, the best first: ''survival -paediatric "stage III"''.';
REVOKE ALL ON FUNCTION secmed.find_contracts(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.find_contracts(text) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE FUNCTION secmed.draft_contract_act(verb text, contract text, reason text DEFAULT '', node text DEFAULT NULL, meaning text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_draft_contract_act' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.draft_contract_act(text, text, text, text, text) IS
'What to sign with "secmed sign" to do something with a contract, named by name or hash. verb: propose, vet (meaning: review, approval or responsibility), object, sign (node), suspend, resume, revoke, accept.';
REVOKE ALL ON FUNCTION secmed.draft_contract_act(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.draft_contract_act(text, text, text, text, text) TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE TABLE secmed.consent_document (
	consent		text PRIMARY KEY,
	subject		text NOT NULL,
	status		text NOT NULL,
	document	jsonb NOT NULL,
	changed_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	changed_by	text NOT NULL
);
CREATE INDEX consent_document_subject ON secmed.consent_document (subject);
COMMENT ON TABLE secmed.consent_document IS
'Consents of patients as they were imported, with their status now (FHIR R4 Consent). Subjects are named as in the patient columns of published tables.';
REVOKE ALL ON secmed.consent_document FROM PUBLIC;
GRANT SELECT ON secmed.consent_document TO secmed_admin;
SELECT pg_catalog.pg_extension_config_dump('secmed.consent_document', '');

CREATE TABLE secmed.consent (
	consent		text,
	provision	integer,
	parent		integer NOT NULL,
	subject		text NOT NULL,
	status		text NOT NULL,
	permit		boolean NOT NULL,
	limited		boolean NOT NULL,
	valid_from	timestamptz NOT NULL,
	valid_until	timestamptz NOT NULL,
	purposes	text[] NOT NULL,
	classes		text[] NOT NULL,
	actors		text[] NOT NULL,
	PRIMARY KEY (consent, provision)
);
CREATE INDEX consent_subject ON secmed.consent (subject);
COMMENT ON TABLE secmed.consent IS
'The provisions of the consents: each permits or denies, and those whose parent it is are its exceptions (-1: none). An empty list stands for all. limited: it has conditions that secmed does not evaluate, so that a permission is void.';
REVOKE ALL ON secmed.consent FROM PUBLIC;
GRANT SELECT ON secmed.consent TO secmed_admin;
SELECT pg_catalog.pg_extension_config_dump('secmed.consent', '');

CREATE TABLE secmed.consent_rule (
	"table"		name PRIMARY KEY,
	purposes	text[] NOT NULL,
	classes		text[] NOT NULL,
	set_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by		name NOT NULL
);
COMMENT ON TABLE secmed.consent_rule IS
'Published names that need consent: for which purposes there are runs, and of which classes their data is.';
REVOKE ALL ON secmed.consent_rule FROM PUBLIC;
GRANT SELECT ON secmed.consent_rule TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.consent_rule', '');

CREATE TABLE secmed.consented (
	"table"		name NOT NULL,
	purpose		text NOT NULL,
	actor		text NOT NULL,
	subject		text NOT NULL,
	others		text[] NOT NULL,
	valid_from	timestamptz NOT NULL,
	valid_until	timestamptz NOT NULL
);
CREATE INDEX consented_purpose ON secmed.consented ("table", purpose);
CREATE INDEX consented_subject ON secmed.consented (subject);
COMMENT ON TABLE secmed.consented IS
'What follows from consents and rules: whose rows runs of a purpose see, and when. actor: the node that asks; empty: any but the others.';
REVOKE ALL ON secmed.consented FROM PUBLIC;
GRANT SELECT ON secmed.consented TO secmed_admin;
SELECT pg_catalog.pg_extension_config_dump('secmed.consented', '');

CREATE TABLE secmed.consent_version (
	single		boolean PRIMARY KEY CHECK (single),
	version		bigint NOT NULL
);
COMMENT ON TABLE secmed.consent_version IS 'How often consents or their rules have changed.';
REVOKE ALL ON secmed.consent_version FROM PUBLIC;
GRANT SELECT ON secmed.consent_version TO secmed_admin;
SELECT pg_catalog.pg_extension_config_dump('secmed.consent_version', '');

CREATE FUNCTION secmed.import_consent(resource jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_import_consent' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.import_consent(jsonb) IS
'Takes in a Consent resource of FHIR R4, in place of the one with the same id. Returns its id. Holds from the next run on.';
REVOKE ALL ON FUNCTION secmed.import_consent(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.import_consent(jsonb) TO secmed_admin;

CREATE FUNCTION secmed.export_consent(subject text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'secmed_export_consent' LANGUAGE C STRICT STABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.export_consent(text) IS
'All consents of a patient, as a Bundle of FHIR R4.';
REVOKE ALL ON FUNCTION secmed.export_consent(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.export_consent(text) TO secmed_admin;

CREATE FUNCTION secmed.withdraw_consent(subject text, consent text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_withdraw_consent' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.withdraw_consent(text, text) IS
'Makes a patient''s active consents inactive, or the named one. Returns how many. Holds from the next run on.';
REVOKE ALL ON FUNCTION secmed.withdraw_consent(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.withdraw_consent(text, text) TO secmed_admin;

-- shared --------------------------------------------------------------------
-- Shared tables: at a party the shares, at a coordinator what it has decided.

CREATE SCHEMA secmed_shared;
COMMENT ON SCHEMA secmed_shared IS
'The shared tables that this node keeps shares of: row_id, one secmed.secret_... for each column, and whether the row is valid.';
REVOKE ALL ON SCHEMA secmed_shared FROM PUBLIC;
GRANT USAGE ON SCHEMA secmed_shared TO secmed_admin;

CREATE TABLE secmed.shared_allowed (
	node		name PRIMARY KEY,
	allowed_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	allowed_by	name NOT NULL
);
COMMENT ON TABLE secmed.shared_allowed IS
'The nodes that may make and change shared tables with this node as a party.';
REVOKE ALL ON secmed.shared_allowed FROM PUBLIC;
GRANT SELECT ON secmed.shared_allowed TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_allowed', '');

CREATE TABLE secmed.shared_table (
	name		name PRIMARY KEY,
	creator		name NOT NULL,
	party		integer NOT NULL CHECK (party IN (0, 1, 2)),
	threshold	bigint NOT NULL,
	generation	bigint NOT NULL,
	definition	bytea NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.shared_table IS
'The shared tables this node is a party of: who made it, which party this node is, the smallest group that may be opened, the tag of the current sharing, and its definition (deterministic CBOR).';
REVOKE ALL ON secmed.shared_table FROM PUBLIC;
GRANT SELECT ON secmed.shared_table TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_table', '');

CREATE TABLE secmed.shared_staged (
	seq			bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	write		uuid NOT NULL,
	node		name NOT NULL,
	xid			bigint NOT NULL,
	table_name	name NOT NULL,
	kind		smallint NOT NULL,
	chunk		bigint NOT NULL,
	row_count	integer NOT NULL,
	staged_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	payload		bytea NOT NULL
);
-- Shares are random: there is nothing to compress.
ALTER TABLE secmed.shared_staged ALTER payload SET STORAGE EXTERNAL;
CREATE INDEX shared_staged_write ON secmed.shared_staged (write);
CREATE INDEX shared_staged_chunk ON secmed.shared_staged (table_name, chunk);
COMMENT ON TABLE secmed.shared_staged IS
'Changes of shared tables (1 create, 2 drop, 3 insert, 4 replace) that wait for the fate of the transaction xid of the node that made them.';
REVOKE ALL ON secmed.shared_staged FROM PUBLIC;
GRANT SELECT (seq, write, node, xid, table_name, kind, chunk, row_count, staged_at) ON secmed.shared_staged TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_staged', '');

CREATE TABLE secmed.shared_done (
	write		uuid PRIMARY KEY,
	node		name NOT NULL
);
COMMENT ON TABLE secmed.shared_done IS
'Changes that are applied here and whose coordinator has not been told.';
REVOKE ALL ON secmed.shared_done FROM PUBLIC;
GRANT SELECT ON secmed.shared_done TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_done', '');

CREATE TABLE secmed.shared_write (
	write		uuid PRIMARY KEY,
	table_name	name NOT NULL,
	parties		name[] NOT NULL,
	done		name[] NOT NULL DEFAULT '{}',
	decided_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.shared_write IS
'Changes of shared tables that this node, as coordinator, has committed, until all parties have applied them. Never delete a row: its parties would forget the change, or one of them would.';
REVOKE ALL ON secmed.shared_write FROM PUBLIC;
GRANT SELECT ON secmed.shared_write TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_write', '');

CREATE SEQUENCE secmed.shared_chunk;
COMMENT ON SEQUENCE secmed.shared_chunk IS
'Numbers of the chunks that this node, as coordinator, writes: rows get ids from number * 65536 on.';
REVOKE ALL ON SEQUENCE secmed.shared_chunk FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('secmed.shared_chunk', '');

CREATE FUNCTION secmed.allow_shared(node name) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_allow_shared' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.allow_shared(name) IS
'Lets a node, as coordinator, make and change shared tables with this node as one of the three parties.';
REVOKE ALL ON FUNCTION secmed.allow_shared(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.allow_shared(name) TO secmed_admin;

CREATE FUNCTION secmed.disallow_shared(node name) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_disallow_shared' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.disallow_shared(name) IS
'Takes that back: what is there stays, but for dropping.';
REVOKE ALL ON FUNCTION secmed.disallow_shared(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.disallow_shared(name) TO secmed_admin;

CREATE FUNCTION secmed.resolve_writes(OUT applied bigint, OUT dropped bigint, OUT waiting bigint)
	AS 'MODULE_PATHNAME', 'secmed_resolve_writes' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.resolve_writes() IS
'At a party: asks the coordinators what became of the changes that wait here, and applies or drops them; those whose transactions are still in progress wait on. Happens by itself.';
REVOKE ALL ON FUNCTION secmed.resolve_writes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.resolve_writes() TO secmed_admin;

CREATE FUNCTION secmed.shared_digest("table" name, OUT row_count bigint, OUT digest bytea)
	AS 'MODULE_PATHNAME', 'secmed_shared_digest' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.shared_digest(name) IS
'At a party: the rows of a shared table, as a run loads them, and the hash of generation and row ids, in which the three parties must agree before they compute.';
REVOKE ALL ON FUNCTION secmed.shared_digest(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.shared_digest(name) TO secmed_admin;

CREATE FUNCTION secmed.rebuild_shared(name name, others name[] DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_rebuild_shared' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.rebuild_shared(name, name[]) IS
'At a party that has lost its shares of a table: makes them again from the two other parties (to be named if the table is not known here any more). Returns the number of rows.';
REVOKE ALL ON FUNCTION secmed.rebuild_shared(name, name[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.rebuild_shared(name, name[]) TO secmed_admin;

CREATE FUNCTION secmed.shared(question bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_shared' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.shared(bytea) IS
'Protocol: changes of shared tables, their fates, and what is about them as a whole.';
REVOKE ALL ON FUNCTION secmed.shared(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.shared(bytea) TO secmed_peer;

-- query ---------------------------------------------------------------------

CREATE TABLE secmed.sealed_answer (
	run			uuid PRIMARY KEY,
	reader		bytea NOT NULL,
	asked_by	name NOT NULL,
	answer		bytea NOT NULL,
	answered_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.sealed_answer IS
'Answers of runs that were sealed to a reader''s key (secmed.result_to): nobody here can open them.';
REVOKE ALL ON secmed.sealed_answer FROM PUBLIC;
GRANT SELECT ON secmed.sealed_answer TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.sealed_answer', '');

CREATE FUNCTION secmed.sealed_answer(run uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_sealed_answer' LANGUAGE C STRICT STABLE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.sealed_answer(uuid) IS
'The answer of a run of your own that was sealed to a reader''s key, as text for "secmed open".';
REVOKE ALL ON FUNCTION secmed.sealed_answer(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.sealed_answer(uuid) TO secmed_admin, secmed_analyst;

CREATE TABLE secmed.published (
	name			name PRIMARY KEY,
	relation		regclass NOT NULL,
	patient			name,
	min_patients	integer NOT NULL CHECK (min_patients >= 1),
	show_zero		boolean NOT NULL,
	local_keys		name[] NOT NULL,
	domains			jsonb NOT NULL,
	sites			name[],
	rows_max		integer NOT NULL CHECK (rows_max >= 0),
	published_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	published_by	name NOT NULL
);
COMMENT ON TABLE secmed.published IS
'Tables and views that other nodes may ask about; each has a view of that name in secmed_published.';
REVOKE ALL ON secmed.published FROM PUBLIC;
GRANT SELECT ON secmed.published TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.published', '');

CREATE TABLE secmed.class_policy (
	jurisdiction	text NOT NULL,
	class			text NOT NULL,
	uses			text[] NOT NULL,
	min_patients	integer NOT NULL CHECK (min_patients >= 1),
	set_at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by			name NOT NULL,
	PRIMARY KEY (jurisdiction, class)
);
COMMENT ON TABLE secmed.class_policy IS
'What columns of a class may be used for under a jurisdiction, and the smallest group of a question that reads one.';
REVOKE ALL ON secmed.class_policy FROM PUBLIC;
GRANT SELECT ON secmed.class_policy TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.class_policy', '');

CREATE TABLE secmed.column_policy (
	"table"			name NOT NULL,
	"column"		name NOT NULL,
	uses			text[],
	bucket			text CHECK (pg_catalog.octet_length(bucket) < 64),
	class			text CHECK (pg_catalog.octet_length(class) < 64),
	set_at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by			name NOT NULL,
	PRIMARY KEY ("table", "column")
);
COMMENT ON TABLE secmed.column_policy IS
'What columns of published names may be used for; it stays when a table is unpublished and published again.';
REVOKE ALL ON secmed.column_policy FROM PUBLIC;
GRANT SELECT ON secmed.column_policy TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.column_policy', '');

CREATE TABLE secmed.disclosure_policy (
	"table"			name PRIMARY KEY,
	jurisdiction	text,
	differencing	text CHECK (differencing IN ('everybody', 'requester', 'none')),
	repeats			integer CHECK (repeats >= 0),
	set_at			timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	set_by			name NOT NULL
);
COMMENT ON TABLE secmed.disclosure_policy IS
'Rules of a published name as a whole; what is NULL, or has no row, is as in the row with an empty name, or by default.';
REVOKE ALL ON secmed.disclosure_policy FROM PUBLIC;
GRANT SELECT ON secmed.disclosure_policy TO secmed_admin, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.disclosure_policy', '');

CREATE VIEW secmed.column_rule AS
	SELECT p."table", p."column", pg_catalog.array_to_string(p.uses, ',') AS uses, p.bucket, p.class,
		   pg_catalog.array_to_string(c.uses, ',') AS class_uses, c.min_patients AS class_min_patients
	  FROM secmed.column_policy p
	  LEFT JOIN secmed.disclosure_policy d ON d."table" OPERATOR(pg_catalog.=) p."table"
	  LEFT JOIN secmed.class_policy c ON c.jurisdiction OPERATOR(pg_catalog.=) d.jurisdiction
		   AND c.class OPERATOR(pg_catalog.=) p.class;
COMMENT ON VIEW secmed.column_rule IS
'What applies to each column with a policy: its own, and that of its class in the table''s jurisdiction; a column may be used for what both allow.';
REVOKE ALL ON secmed.column_rule FROM PUBLIC;
GRANT SELECT ON secmed.column_rule TO secmed_admin, secmed_auditor;

CREATE FUNCTION secmed.set_column_policy("table" name, "column" name, uses text[] DEFAULT NULL,
		bucket text DEFAULT NULL, class text DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_set_column_policy' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.set_column_policy(name, name, text[], text, text) IS
'What a column of a published table may be used for. uses: of aggregate, group, filter, join, extreme (default all but extreme; of the patient column filter and join); bucket: what others see of its values, top:89, width:5, month, quarter, year or prefix:3; class: its sensitivity, for rules by jurisdiction (set_class_policy). Each call says all of it. Callers own the table''s view in secmed_published.';
REVOKE ALL ON FUNCTION secmed.set_column_policy(name, name, text[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.set_column_policy(name, name, text[], text, text) TO secmed_admin;

CREATE FUNCTION secmed.set_class_policy(jurisdiction text, class text, uses text[], min_patients integer DEFAULT 1)
	RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_set_class_policy' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.set_class_policy(text, text, text[], integer) IS
'What columns of a class may be used for under a jurisdiction, and the smallest group of a question that reads one; holds for tables of that jurisdiction (set_disclosure).';
REVOKE ALL ON FUNCTION secmed.set_class_policy(text, text, text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.set_class_policy(text, text, text[], integer) TO secmed_admin;

CREATE FUNCTION secmed.set_disclosure("table" name, jurisdiction text DEFAULT NULL, differencing text DEFAULT NULL,
		repeats integer DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_set_disclosure' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.set_disclosure(name, text, text, integer) IS
'Rules of a published name as a whole, or with an empty name of all that say nothing else; what is not named is as by default. jurisdiction: whose class policies hold; differencing: with whose earlier answers a question is compared, those of everybody (default), of the same requester, or of none; repeats: how often one requester may ask the same in 30 days (default 7), and how many of his questions may fail on rows; 0: any number.';
REVOKE ALL ON FUNCTION secmed.set_disclosure(name, text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.set_disclosure(name, text, text, integer) TO secmed_admin;

CREATE FUNCTION secmed.require_consent("table" name, purposes text[] DEFAULT '{HRESCH}', classes text[] DEFAULT '{}')
	RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_require_consent' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.require_consent(name, text[], text[]) IS
'From the next run on a published table shows only rows of patients who have agreed. purposes: codes of HL7 ActReason for which there may be runs, the first that of questions without a contract; NULL: no consent is needed. classes: what its data is, for consents that name classes. Callers own the table''s view in secmed_published.';
REVOKE ALL ON FUNCTION secmed.require_consent(name, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.require_consent(name, text[], text[]) TO secmed_admin;

CREATE FUNCTION secmed.has_consent(consented bytea, patient bigint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'secmed_has_consent_number' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.has_consent(bytea, bigint) IS 'Is the patient in a set that a run has made of secmed.consented?';
REVOKE ALL ON FUNCTION secmed.has_consent(bytea, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.has_consent(bytea, bigint) TO secmed_runner;

CREATE FUNCTION secmed.has_consent(consented bytea, patient text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'secmed_has_consent_text' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.has_consent(bytea, text) IS 'Is the patient in a set that a run has made of secmed.consented?';
REVOKE ALL ON FUNCTION secmed.has_consent(bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.has_consent(bytea, text) TO secmed_runner;

CREATE FUNCTION secmed.publish(relation regclass, as_name name DEFAULT NULL,
		patient name DEFAULT NULL, min_patients integer DEFAULT 11,
		columns name[] DEFAULT NULL, domains jsonb DEFAULT '{}',
		local_keys name[] DEFAULT '{}', show_zero boolean DEFAULT false,
		sites name[] DEFAULT NULL, rows_max integer DEFAULT 65536)
	RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_publish' LANGUAGE C CALLED ON NULL INPUT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.publish(regclass, name, name, integer, name[], jsonb, name[], boolean, name[], integer) IS
'Lets other nodes ask aggregates about a table or view. as_name: its common name; patient: the column that tells patients apart (without it each row counts as one); min_patients: the smallest group whose answer may leave; columns: which (default all); domains: the values a column may be grouped by, {"sex": [1, 2], "stage": {"min": 1, "max": 4}}; local_keys: columns whose values never belong to two sites, so tables may be joined on them (the patient column always is); show_zero: groups without any patient may be told apart from small ones; sites: the only nodes whose rows may be added to these (default any known node: a node that invents patients can fill a small group up to the threshold); rows_max: the most rows of it that are shared, as secret shares and padded to this number or to another that is public, for a question that sums cannot answer; 0: none ever.';
REVOKE ALL ON FUNCTION secmed.publish(regclass, name, name, integer, name[], jsonb, name[], boolean, name[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.publish(regclass, name, name, integer, name[], jsonb, name[], boolean, name[], integer) TO secmed_admin;

CREATE FUNCTION secmed.unpublish(name name) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_unpublish' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.unpublish(name) IS
'Ends the publication of a table: from the next run on nobody can ask about it.';
REVOKE ALL ON FUNCTION secmed.unpublish(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.unpublish(name) TO secmed_admin;

CREATE FUNCTION secmed.bounded(value numeric, scale integer, low bigint, high bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'secmed_bounded' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.bounded(numeric, integer, bigint, bigint) IS
'A value in whole units of 10^-scale, or the nearest bound of what is outside; what is no number is the lower one. What sites add up for an answer with noise.';
REVOKE ALL ON FUNCTION secmed.bounded(numeric, integer, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.bounded(numeric, integer, bigint, bigint) TO secmed_runner;

CREATE FUNCTION secmed.cohort_step(state internal, key bigint, patient anyelement) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_cohort_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.cohort_step(internal, bigint, anyelement) IS 'Transition of cohort.';
REVOKE ALL ON FUNCTION secmed.cohort_step(internal, bigint, anyelement) FROM PUBLIC;

CREATE FUNCTION secmed.cohort_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_cohort_combine' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.cohort_combine(internal, internal) IS 'Combines the cohorts of parallel workers.';
REVOKE ALL ON FUNCTION secmed.cohort_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION secmed.cohort_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_cohort_serialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.cohort_serialize(internal) IS 'The cohort as bytes.';
REVOKE ALL ON FUNCTION secmed.cohort_serialize(internal) FROM PUBLIC;

CREATE FUNCTION secmed.cohort_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_cohort_deserialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.cohort_deserialize(bytea, internal) IS 'Bytes as a cohort.';
REVOKE ALL ON FUNCTION secmed.cohort_deserialize(bytea, internal) FROM PUBLIC;

CREATE AGGREGATE secmed.cohort(key bigint, patient anyelement) (
	SFUNC = secmed.cohort_step, STYPE = internal, SSPACE = 8192,
	FINALFUNC = secmed.cohort_serialize, COMBINEFUNC = secmed.cohort_combine,
	SERIALFUNC = secmed.cohort_serialize, DESERIALFUNC = secmed.cohort_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.cohort(bigint, anyelement) IS
'A sketch of the patients of a group under this site''s key, by which it is compared with groups that were answered before.';
REVOKE ALL ON FUNCTION secmed.cohort(bigint, anyelement) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.cohort(bigint, anyelement) TO secmed_runner;

CREATE FUNCTION secmed.exact_sum_step(state internal, x double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_sum_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_sum_step(internal, double precision) IS 'Transition of exact_sum.';
REVOKE ALL ON FUNCTION secmed.exact_sum_step(internal, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.exact_product_step(state internal, x double precision, y double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_product_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_product_step(internal, double precision, double precision) IS 'Transition of exact_sum of products.';
REVOKE ALL ON FUNCTION secmed.exact_product_step(internal, double precision, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.exact_product_step(state internal, x double precision, y double precision, z double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_product_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision) IS 'Transition of exact_sum of products of three.';
REVOKE ALL ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.exact_product_step(state internal, x double precision, y double precision, z double precision, u double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_product_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision, double precision) IS 'Transition of exact_sum of products of four.';
REVOKE ALL ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision, double precision) FROM PUBLIC;

CREATE FUNCTION secmed.exact_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_combine' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_combine(internal, internal) IS 'Combines the exact sums of parallel workers.';
REVOKE ALL ON FUNCTION secmed.exact_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION secmed.exact_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_exact_serialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_serialize(internal) IS 'The exact sum as bytes.';
REVOKE ALL ON FUNCTION secmed.exact_serialize(internal) FROM PUBLIC;

CREATE FUNCTION secmed.exact_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_exact_deserialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.exact_deserialize(bytea, internal) IS 'Bytes as an exact sum.';
REVOKE ALL ON FUNCTION secmed.exact_deserialize(bytea, internal) FROM PUBLIC;

CREATE FUNCTION secmed.all_values_step(state internal, x anyelement, scale integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_all_values_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION secmed.all_values_step(internal, anyelement, integer) IS 'Transition of all_values.';
REVOKE ALL ON FUNCTION secmed.all_values_step(internal, anyelement, integer) FROM PUBLIC;

CREATE FUNCTION secmed.all_values_bytes(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_all_values_bytes' LANGUAGE C STRICT IMMUTABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION secmed.all_values_bytes(internal) IS 'The values as bytes, 8 each.';
REVOKE ALL ON FUNCTION secmed.all_values_bytes(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.all_values(anyelement, integer) (
	SFUNC = secmed.all_values_step, STYPE = internal, SSPACE = 8192,
	FINALFUNC = secmed.all_values_bytes, PARALLEL = RESTRICTED);
COMMENT ON AGGREGATE secmed.all_values(anyelement, integer) IS
'All values of a group as numbers, in no order: what a site sorts and shares for percentiles. The second argument is the number of decimal places of numeric, 0 of other types.';
REVOKE ALL ON FUNCTION secmed.all_values(anyelement, integer) FROM PUBLIC;

CREATE AGGREGATE secmed.exact_sum(double precision) (
	SFUNC = secmed.exact_sum_step, STYPE = internal, SSPACE = 576,
	FINALFUNC = secmed.exact_serialize, COMBINEFUNC = secmed.exact_combine,
	SERIALFUNC = secmed.exact_serialize, DESERIALFUNC = secmed.exact_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.exact_sum(double precision) IS
'The exact sum of double precision numbers, as the bytes of a fixed-point number (Kulisch 2008): what a site adds up.';
REVOKE ALL ON FUNCTION secmed.exact_sum(double precision) FROM PUBLIC;

CREATE AGGREGATE secmed.exact_sum(double precision, double precision) (
	SFUNC = secmed.exact_product_step, STYPE = internal, SSPACE = 576,
	FINALFUNC = secmed.exact_serialize, COMBINEFUNC = secmed.exact_combine,
	SERIALFUNC = secmed.exact_serialize, DESERIALFUNC = secmed.exact_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.exact_sum(double precision, double precision) IS
'The exact sum of the products of two columns.';
REVOKE ALL ON FUNCTION secmed.exact_sum(double precision, double precision) FROM PUBLIC;

CREATE AGGREGATE secmed.exact_sum(double precision, double precision, double precision) (
	SFUNC = secmed.exact_product_step, STYPE = internal, SSPACE = 576,
	FINALFUNC = secmed.exact_serialize, COMBINEFUNC = secmed.exact_combine,
	SERIALFUNC = secmed.exact_serialize, DESERIALFUNC = secmed.exact_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.exact_sum(double precision, double precision, double precision) IS
'The exact sum of the products of three columns.';
REVOKE ALL ON FUNCTION secmed.exact_sum(double precision, double precision, double precision) FROM PUBLIC;

CREATE AGGREGATE secmed.exact_sum(double precision, double precision, double precision, double precision) (
	SFUNC = secmed.exact_product_step, STYPE = internal, SSPACE = 576,
	FINALFUNC = secmed.exact_serialize, COMBINEFUNC = secmed.exact_combine,
	SERIALFUNC = secmed.exact_serialize, DESERIALFUNC = secmed.exact_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.exact_sum(double precision, double precision, double precision, double precision) IS
'The exact sum of the products of four columns.';
REVOKE ALL ON FUNCTION secmed.exact_sum(double precision, double precision, double precision, double precision) FROM PUBLIC;
-- A pass of a regression over rows: see src/stats/glm_sums.h.
CREATE FUNCTION secmed.glm_sums_step(state internal, point double precision[], outcome double precision, weight double precision, known double precision, columns double precision[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_glm_sums_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.glm_sums_step(internal, double precision[], double precision, double precision, double precision, double precision[]) IS 'Transition of glm_sums.';
REVOKE ALL ON FUNCTION secmed.glm_sums_step(internal, double precision[], double precision, double precision, double precision, double precision[]) FROM PUBLIC;

CREATE FUNCTION secmed.glm_sums_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_glm_sums_combine' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.glm_sums_combine(internal, internal) IS 'Combines the sums of parallel workers.';
REVOKE ALL ON FUNCTION secmed.glm_sums_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION secmed.glm_sums_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_glm_sums_serialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.glm_sums_serialize(internal) IS 'The sums of a regression as bytes.';
REVOKE ALL ON FUNCTION secmed.glm_sums_serialize(internal) FROM PUBLIC;

CREATE FUNCTION secmed.glm_sums_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_glm_sums_deserialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.glm_sums_deserialize(bytea, internal) IS 'Bytes as the sums of a regression.';
REVOKE ALL ON FUNCTION secmed.glm_sums_deserialize(bytea, internal) FROM PUBLIC;

CREATE FUNCTION secmed.glm_sums_final(state internal) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'secmed_glm_sums_final' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.glm_sums_final(internal) IS 'The sums of a regression as numbers.';
REVOKE ALL ON FUNCTION secmed.glm_sums_final(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.exact_glm_sums(double precision[], double precision, double precision, double precision, double precision[]) (
	SFUNC = secmed.glm_sums_step, STYPE = internal, SSPACE = 12288,
	FINALFUNC = secmed.glm_sums_serialize, COMBINEFUNC = secmed.glm_sums_combine,
	SERIALFUNC = secmed.glm_sums_serialize, DESERIALFUNC = secmed.glm_sums_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.exact_glm_sums(double precision[], double precision, double precision, double precision, double precision[]) IS
'The exact sums of a regression''s iteration, as bytes: what a site adds up for glm_sums.';
REVOKE ALL ON FUNCTION secmed.exact_glm_sums(double precision[], double precision, double precision, double precision, double precision[]) FROM PUBLIC;

CREATE AGGREGATE secmed.glm_sums(double precision[], double precision, double precision, double precision, double precision[]) (
	SFUNC = secmed.glm_sums_step, STYPE = internal, SSPACE = 12288,
	FINALFUNC = secmed.glm_sums_final, COMBINEFUNC = secmed.glm_sums_combine,
	SERIALFUNC = secmed.glm_sums_serialize, DESERIALFUNC = secmed.glm_sums_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.glm_sums(double precision[], double precision, double precision, double precision, double precision[]) IS
'What glm() asks in each iteration: marks, then sums over rows at given coefficients. Over sites these sums of all rows are opened, with at least three patients for each coefficient.';
REVOKE ALL ON FUNCTION secmed.glm_sums(double precision[], double precision, double precision, double precision, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.glm_sums(double precision[], double precision, double precision, double precision, double precision[]) TO secmed_analyst;
GRANT EXECUTE ON FUNCTION secmed.glm_sums_step(internal, double precision[], double precision, double precision, double precision, double precision[]), secmed.glm_sums_combine(internal, internal),
	secmed.glm_sums_serialize(internal), secmed.glm_sums_deserialize(bytea, internal), secmed.glm_sums_final(internal)
	TO secmed_analyst;

-- Counts of events, and programs of the parties on them: see src/query/event_counts.h, src/estimate.
CREATE FUNCTION secmed.event_counts_step(state internal, cell integer, event boolean, stratum integer, shape integer[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_event_counts_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.event_counts_step(internal, integer, boolean, integer, integer[]) IS 'Transition of event_counts.';
REVOKE ALL ON FUNCTION secmed.event_counts_step(internal, integer, boolean, integer, integer[]) FROM PUBLIC;

CREATE FUNCTION secmed.event_counts_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_event_counts_combine' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.event_counts_combine(internal, internal) IS 'Combines the counts of parallel workers.';
REVOKE ALL ON FUNCTION secmed.event_counts_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION secmed.event_counts_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_event_counts_serialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.event_counts_serialize(internal) IS 'Counts of events, with their shape, as bytes.';
REVOKE ALL ON FUNCTION secmed.event_counts_serialize(internal) FROM PUBLIC;

CREATE FUNCTION secmed.event_counts_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_event_counts_deserialize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.event_counts_deserialize(bytea, internal) IS 'Bytes as counts of events.';
REVOKE ALL ON FUNCTION secmed.event_counts_deserialize(bytea, internal) FROM PUBLIC;

CREATE FUNCTION secmed.event_counts_final(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_event_counts_final' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.event_counts_final(internal) IS 'Counts of events alone, as integers of eight bytes.';
REVOKE ALL ON FUNCTION secmed.event_counts_final(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.event_counts(integer, boolean, integer, integer[]) (
	SFUNC = secmed.event_counts_step, STYPE = internal, SSPACE = 65536,
	FINALFUNC = secmed.event_counts_final, COMBINEFUNC = secmed.event_counts_combine,
	SERIALFUNC = secmed.event_counts_serialize, DESERIALFUNC = secmed.event_counts_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.event_counts(integer, boolean, integer, integer[]) IS
'How many rows have their event, and how many are last seen, in each cell of a grid of times, of each stratum: what a site adds up for survfit() and its like.';
REVOKE ALL ON FUNCTION secmed.event_counts(integer, boolean, integer, integer[]) FROM PUBLIC;

CREATE FUNCTION secmed.estimate_events_step(state internal, cell integer, event boolean, stratum integer, shape integer[], program bigint[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'secmed_estimate_events_step' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.estimate_events_step(internal, integer, boolean, integer, integer[], bigint[]) IS 'An error: only parties compute estimate_events.';
REVOKE ALL ON FUNCTION secmed.estimate_events_step(internal, integer, boolean, integer, integer[], bigint[]) FROM PUBLIC;

CREATE FUNCTION secmed.estimate_events_final(state internal) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'secmed_estimate_events_final' LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION secmed.estimate_events_final(internal) IS 'An error: only parties compute estimate_events.';
REVOKE ALL ON FUNCTION secmed.estimate_events_final(internal) FROM PUBLIC;

CREATE AGGREGATE secmed.estimate_events(integer, boolean, integer, integer[], bigint[]) (
	SFUNC = secmed.estimate_events_step, STYPE = internal, FINALFUNC = secmed.estimate_events_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE secmed.estimate_events(integer, boolean, integer, integer[], bigint[]) IS
'What survfit() and its like ask over sites: these count events on a grid of times, the parties compute on the sums, which stay secret, and only what that comes to is opened, of groups with enough patients and events.';
REVOKE ALL ON FUNCTION secmed.estimate_events(integer, boolean, integer, integer[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.estimate_events(integer, boolean, integer, integer[], bigint[]),
	secmed.estimate_events_step(internal, integer, boolean, integer, integer[], bigint[]), secmed.estimate_events_final(internal) TO secmed_analyst;

GRANT USAGE ON SCHEMA secmed TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_sum_step(internal, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_product_step(internal, double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_product_step(internal, double precision, double precision, double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_combine(internal, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_serialize(internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_deserialize(bytea, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.all_values_step(internal, anyelement, integer) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.all_values_bytes(internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.all_values(anyelement, integer) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_sum(double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_sum(double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_sum(double precision, double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_sum(double precision, double precision, double precision, double precision) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.glm_sums_step(internal, double precision[], double precision, double precision, double precision, double precision[]) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.glm_sums_combine(internal, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.glm_sums_serialize(internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.glm_sums_deserialize(bytea, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.exact_glm_sums(double precision[], double precision, double precision, double precision, double precision[]) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts_step(internal, integer, boolean, integer, integer[]) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts_combine(internal, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts_serialize(internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts_deserialize(bytea, internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts_final(internal) TO secmed_runner;
GRANT EXECUTE ON FUNCTION secmed.event_counts(integer, boolean, integer, integer[]) TO secmed_runner;

CREATE FUNCTION secmed.check_shared("table" regclass, OUT party text, OUT other text, OUT ok boolean, OUT detail text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_check_shared' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.check_shared(regclass) IS
'At the coordinator: do the three parties hold one and the same shared table? Each pair compares the summand that both hold, by keyed digests; a row that is missing, doubled, exchanged or changed is named. Opens nothing.';
REVOKE ALL ON FUNCTION secmed.check_shared(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.check_shared(regclass) TO secmed_admin, secmed_analyst;

CREATE FUNCTION secmed.refresh("table" regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_refresh' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.refresh(regclass) IS
'At the coordinator: the parties make new shares of the same values, so that shares which leaked before are of no use with what leaks later. Takes effect with the transaction.';
REVOKE ALL ON FUNCTION secmed.refresh(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.refresh(regclass) TO secmed_admin, secmed_analyst;

CREATE TABLE secmed.submission (
	id			uuid PRIMARY KEY,
	submitter	name NOT NULL,
	statement	text,
	nodes		name[] NOT NULL,
	state		text NOT NULL DEFAULT 'submitted' CHECK (state IN ('submitted', 'answered', 'cancelled')),
	submitted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	ended_at	timestamptz
);
COMMENT ON TABLE secmed.submission IS
'At a coordinator: questions that wait for the yes of people at other nodes. The statement is forgotten when it was answered or cancelled.';
REVOKE ALL ON secmed.submission FROM PUBLIC;
GRANT SELECT ON secmed.submission TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.submission', '');

CREATE VIEW secmed.submissions WITH (security_barrier) AS
	SELECT id, statement, nodes, state, submitted_at, ended_at FROM secmed.submission WHERE submitter = CURRENT_USER;
COMMENT ON VIEW secmed.submissions IS
'One''s own submissions: the statement, whose people are asked, and whether it was answered.';
REVOKE ALL ON secmed.submissions FROM PUBLIC;
GRANT SELECT ON secmed.submissions TO secmed_analyst;

CREATE FUNCTION secmed.submit(statement text) RETURNS uuid
	AS 'MODULE_PATHNAME', 'secmed_submit' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.submit(text) IS
'Puts a SELECT over tables of the sites before the people there who must approve it, and returns the id of the submission: secmed.result(id) gives the answer once they have.';
REVOKE ALL ON FUNCTION secmed.submit(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.submit(text) TO secmed_analyst;

CREATE FUNCTION secmed.result(id uuid) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_result' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.result(uuid) IS
'Runs a submission of one''s own that all have approved, and returns the answer, once: SELECT * FROM secmed.result(id) AS (sex text, n bigint). Otherwise an error that names who has not answered (SM047), or has said no (SM048).';
REVOKE ALL ON FUNCTION secmed.result(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.result(uuid) TO secmed_analyst;

CREATE FUNCTION secmed.cancel_submission(id uuid) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_cancel_submission' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.cancel_submission(uuid) IS
'Takes a submission of one''s own back, at all nodes.';
REVOKE ALL ON FUNCTION secmed.cancel_submission(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.cancel_submission(uuid) TO secmed_analyst;

CREATE FUNCTION secmed.preview(id uuid) RETURNS SETOF json
	AS 'MODULE_PATHNAME', 'secmed_preview' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.preview(uuid) IS
'What this site would add to a run that waits for approval, a row for each group: for the eyes of those who decide on it, unsuppressed; nothing leaves the node, and the ledger says who has looked.';
REVOKE ALL ON FUNCTION secmed.preview(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.preview(uuid) TO secmed_approver;

-- compute -------------------------------------------------------------------

CREATE FUNCTION secmed.propose(question bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'secmed_propose' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.propose(bytea) IS
'Protocol: puts a run before the people here who must approve it, and tells what they have said.';
REVOKE ALL ON FUNCTION secmed.propose(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.propose(bytea) TO secmed_peer;

CREATE PROCEDURE secmed.compute(request bytea)
	AS 'MODULE_PATHNAME', 'secmed_compute' LANGUAGE C;
COMMENT ON PROCEDURE secmed.compute(bytea) IS
'Protocol: computes an oblivious plan over shared tables, as one of the three parties.';
REVOKE ALL ON PROCEDURE secmed.compute(bytea) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE secmed.compute(bytea) TO secmed_peer;

CREATE TABLE secmed.calibration (
	server			name PRIMARY KEY,
	round_us		double precision NOT NULL CHECK (round_us > 0),
	bytes_per_s		double precision NOT NULL CHECK (bytes_per_s > 0),
	value_ns		double precision NOT NULL CHECK (value_ns > 0),
	run_ms			double precision NOT NULL CHECK (run_ms > 0),
	measured_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE secmed.calibration IS
'What computing on shares costs among the parties of a foreign server, by secmed.calibrate(): a round, bytes computed and sent, an addition, and a run that computes nothing. Plans are chosen and EXPLAIN estimates by it.';
REVOKE ALL ON secmed.calibration FROM PUBLIC;
GRANT SELECT ON secmed.calibration TO secmed_admin, secmed_analyst, secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.calibration', '');

CREATE FUNCTION secmed.calibrate(server name, OUT round_us double precision, OUT bytes_per_s double precision,
		OUT value_ns double precision, OUT run_ms double precision)
	AS 'MODULE_PATHNAME', 'secmed_calibrate' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.calibrate(name) IS
'Measures what computing on shares costs among the parties of a foreign server, with numbers that everybody knows, and keeps it in secmed.calibration. Takes a second on a fast network.';
REVOKE ALL ON FUNCTION secmed.calibrate(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.calibrate(name) TO secmed_admin;

CREATE FUNCTION secmed.progress_lines(OUT pid integer, OUT run uuid, OUT role text, OUT started_at timestamptz,
		OUT step_name text, OUT step integer, OUT steps integer, OUT rounds bigint, OUT bytes bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_progress' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.progress_lines() IS 'What secmed.progress shows.';
REVOKE ALL ON FUNCTION secmed.progress_lines() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.progress_lines() TO secmed_admin, secmed_analyst, secmed_auditor;

CREATE VIEW secmed.progress AS SELECT * FROM secmed.progress_lines();
COMMENT ON VIEW secmed.progress IS
'Computations over shared tables and fits that run in this database: role coordinator or party, the step of the oblivious plan (join, group, ...) and of how many, the rounds of MPC and the bytes this party has sent; role fit, the pass, and how many there may be, with the submission''s id as run. Own ones; all of them for secmed_admin and pg_read_all_stats.';
REVOKE ALL ON secmed.progress FROM PUBLIC;
GRANT SELECT ON secmed.progress TO secmed_admin, secmed_analyst, secmed_auditor;

-- model ---------------------------------------------------------------------
-- Regression by formula.  These run as their caller, with the caller's search_path:
-- the formula's columns and functions are looked up as in a query of the caller's.

CREATE TYPE secmed.coefficient AS (
	term		text,
	estimate	double precision,
	standard_error	double precision,
	statistic	double precision,
	p			double precision,
	conf_low	double precision,
	conf_high	double precision,
	vif			double precision
);
COMMENT ON TYPE secmed.coefficient IS
'A coefficient of a regression: name as in R, estimate, standard error, t (gaussian) or z, two-sided p, Wald limits, variance inflation factor.';
REVOKE ALL ON TYPE secmed.coefficient FROM PUBLIC;
GRANT USAGE ON TYPE secmed.coefficient TO secmed_analyst;

CREATE TYPE secmed.model AS (
	formula		text,
	family		text,
	n			bigint,
	n_missing	bigint,
	iterations	integer,
	converged	boolean,
	at_edge		boolean,
	df_residual	double precision,
	deviance	double precision,
	df_null		double precision,
	null_deviance	double precision,
	pearson		double precision,
	dispersion	double precision,
	log_likelihood	double precision,
	aic			double precision,
	bic			double precision,
	r_squared	double precision,
	adjusted_r_squared	double precision,
	sigma		double precision,
	f			double precision,
	f_p			double precision,
	theta		double precision,
	theta_standard_error	double precision,
	coefficients	secmed.coefficient[],
	covariance	double precision[]
);
COMMENT ON TYPE secmed.model IS
'A fitted regression. n counts complete rows with a weight above zero, n_missing the others; at_edge: some fitted values are 0 or 1 to the machine''s precision; r_squared to f_p are of gaussian models, theta of negative binomial ones; covariance is that of the coefficients.';
REVOKE ALL ON TYPE secmed.model FROM PUBLIC;
GRANT USAGE ON TYPE secmed.model TO secmed_analyst;

CREATE FUNCTION secmed.glm_model(formula text, relation regclass, family text DEFAULT 'gaussian',
		"where" text DEFAULT NULL, weights text DEFAULT NULL, ridge double precision DEFAULT 0,
		errors text DEFAULT 'model', levels jsonb DEFAULT NULL, max_iterations integer DEFAULT 25,
		epsilon double precision DEFAULT 1e-8, conf_level double precision DEFAULT 0.95) RETURNS secmed.model
	AS 'MODULE_PATHNAME', 'secmed_glm_model' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.glm_model(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) IS
'A generalised linear model by R''s formula and iterations, over a local table or a foreign table over sites: families gaussian, binomial (logit), poisson and negative_binomial (log). Opened at each iteration, of all rows of all sites together: weighted cross products of the columns, the score, the deviance; at least three patients for each coefficient.';
REVOKE ALL ON FUNCTION secmed.glm_model(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.glm_model(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.glm(formula text, relation regclass, family text DEFAULT 'gaussian',
		"where" text DEFAULT NULL, weights text DEFAULT NULL, ridge double precision DEFAULT 0,
		errors text DEFAULT 'model', levels jsonb DEFAULT NULL, max_iterations integer DEFAULT 25,
		epsilon double precision DEFAULT 1e-8, conf_level double precision DEFAULT 0.95) RETURNS SETOF secmed.coefficient
	LANGUAGE SQL VOLATILE PARALLEL UNSAFE
	AS 'SELECT c.* FROM secmed.glm_model($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) m, pg_catalog.unnest(m.coefficients) c';
COMMENT ON FUNCTION secmed.glm(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) IS
'The coefficients of glm_model(), one a row.';
REVOKE ALL ON FUNCTION secmed.glm(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.glm(text, regclass, text, text, text, double precision, text, jsonb, integer, double precision, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.lm_model(formula text, relation regclass, "where" text DEFAULT NULL, weights text DEFAULT NULL,
		ridge double precision DEFAULT 0, errors text DEFAULT 'model', levels jsonb DEFAULT NULL,
		conf_level double precision DEFAULT 0.95) RETURNS secmed.model
	LANGUAGE SQL VOLATILE PARALLEL UNSAFE
	AS 'SELECT secmed.glm_model($1, $2, ''gaussian'', $3, $4, $5, $6, $7, 25, 1e-8, $8)';
COMMENT ON FUNCTION secmed.lm_model(text, regclass, text, text, double precision, text, jsonb, double precision) IS
'A linear model: glm_model() with family gaussian.';
REVOKE ALL ON FUNCTION secmed.lm_model(text, regclass, text, text, double precision, text, jsonb, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.lm_model(text, regclass, text, text, double precision, text, jsonb, double precision) TO secmed_analyst;

CREATE FUNCTION secmed.lm(formula text, relation regclass, "where" text DEFAULT NULL, weights text DEFAULT NULL,
		ridge double precision DEFAULT 0, errors text DEFAULT 'model', levels jsonb DEFAULT NULL,
		conf_level double precision DEFAULT 0.95) RETURNS SETOF secmed.coefficient
	LANGUAGE SQL VOLATILE PARALLEL UNSAFE
	AS 'SELECT c.* FROM secmed.glm_model($1, $2, ''gaussian'', $3, $4, $5, $6, $7, 25, 1e-8, $8) m, pg_catalog.unnest(m.coefficients) c';
COMMENT ON FUNCTION secmed.lm(text, regclass, text, text, double precision, text, jsonb, double precision) IS
'The coefficients of a linear model, one a row.';
REVOKE ALL ON FUNCTION secmed.lm(text, regclass, text, text, double precision, text, jsonb, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.lm(text, regclass, text, text, double precision, text, jsonb, double precision) TO secmed_analyst;

CREATE TYPE secmed.survival_point AS (
	stratum		text,
	"time"		double precision,
	n_risk		bigint,
	n_event		bigint,
	n_censor	bigint,
	survival	double precision,
	std_err		double precision,
	lower		double precision,
	upper		double precision,
	hazard		double precision,
	hazard_std_err	double precision
);
COMMENT ON TYPE secmed.survival_point IS
'A point of a survival curve: whose curve ("sex=1", NULL if there is one), from when on, at risk just before, events and censored at this time (of asked times: since the one before), Kaplan and Meier''s survival, its standard error by Greenwood, limits, Nelson and Aalen''s cumulative hazard and its standard error.';
REVOKE ALL ON TYPE secmed.survival_point FROM PUBLIC;
GRANT USAGE ON TYPE secmed.survival_point TO secmed_analyst;

CREATE TYPE secmed.survival_summary AS (
	stratum		text,
	n			bigint,
	n_event		bigint,
	median		double precision,
	median_lower	double precision,
	median_upper	double precision,
	mean		double precision,
	mean_std_err	double precision,
	until		double precision,
	n_missing	bigint
);
COMMENT ON TYPE secmed.survival_summary IS
'What a survival curve comes to: rows, events, median and its limits (NULL: not reached), restricted mean until a time and its standard error, rows of the relation that are left out because a value is missing.';
REVOKE ALL ON TYPE secmed.survival_summary FROM PUBLIC;
GRANT USAGE ON TYPE secmed.survival_summary TO secmed_analyst;

CREATE TYPE secmed.survival_test AS (
	stratum		text,
	n			bigint,
	observed	bigint,
	expected	double precision,
	variance	double precision,
	statistic	double precision,
	df			double precision,
	p_value		double precision,
	n_missing	bigint
);
COMMENT ON TYPE secmed.survival_test IS
'An arm of a log-rank test: rows, events, expected events and the variance of their difference, summed over strata; and of the whole test chi-square, degrees of freedom and p, and the rows left out.';
REVOKE ALL ON TYPE secmed.survival_test FROM PUBLIC;
GRANT USAGE ON TYPE secmed.survival_test TO secmed_analyst;

CREATE FUNCTION secmed.survfit(formula text, relation regclass, times double precision[] DEFAULT NULL,
		conf_type text DEFAULT 'log', conf_level double precision DEFAULT 0.95, "where" text DEFAULT NULL,
		levels jsonb DEFAULT NULL, grid double precision[] DEFAULT NULL) RETURNS SETOF secmed.survival_point
	AS 'MODULE_PATHNAME', 'secmed_survfit' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.survfit(text, regclass, double precision[], text, double precision, text, jsonb, double precision[]) IS
'Survival curves, as R''s survfit: surv(time, event) ~ arm, or ~ 1; at the asked times, or at all times of the rows. conf_type is log, log-log or plain. Over sites these count events on a public grid (the time''s public values, or grid: first, last, step), whose counts stay secret; what is opened is each curve at the asked times, where enough patients leave between them, of arms with enough patients and events.';
REVOKE ALL ON FUNCTION secmed.survfit(text, regclass, double precision[], text, double precision, text, jsonb, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.survfit(text, regclass, double precision[], text, double precision, text, jsonb, double precision[]) TO secmed_analyst;

CREATE FUNCTION secmed.survfit_summary(formula text, relation regclass, until double precision DEFAULT NULL,
		conf_type text DEFAULT 'log', conf_level double precision DEFAULT 0.95, "where" text DEFAULT NULL,
		levels jsonb DEFAULT NULL, grid double precision[] DEFAULT NULL) RETURNS SETOF secmed.survival_summary
	AS 'MODULE_PATHNAME', 'secmed_survfit_summary' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.survfit_summary(text, regclass, double precision, text, double precision, text, jsonb, double precision[]) IS
'Of survival curves the median with limits, and with until the restricted mean, as R''s print(survfit(...), rmean = until). Over sites the median and its limits (conf_type log) are opened where enough patients are at risk, and numbers of rows and events.';
REVOKE ALL ON FUNCTION secmed.survfit_summary(text, regclass, double precision, text, double precision, text, jsonb, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.survfit_summary(text, regclass, double precision, text, double precision, text, jsonb, double precision[]) TO secmed_analyst;

CREATE FUNCTION secmed.survdiff(formula text, relation regclass, "where" text DEFAULT NULL,
		levels jsonb DEFAULT NULL, grid double precision[] DEFAULT NULL) RETURNS SETOF secmed.survival_test
	AS 'MODULE_PATHNAME', 'secmed_survdiff' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.survdiff(text, regclass, text, jsonb, double precision[]) IS
'The log-rank test, as R''s survdiff: surv(time, event) ~ arm, stratified with + strata(site). Over sites rows, events, expected events and covariances of the arms are opened, summed over times and strata.';
REVOKE ALL ON FUNCTION secmed.survdiff(text, regclass, text, jsonb, double precision[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.survdiff(text, regclass, text, jsonb, double precision[]) TO secmed_analyst;

-- Propensity scores: what is returned is SQL, which the sites evaluate row by row.

CREATE FUNCTION secmed.propensity_score(formula text, relation regclass, "where" text DEFAULT NULL, levels jsonb DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_propensity_score' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.propensity_score(text, regclass, text, jsonb) IS
'The chance of treatment, treated ~ covariates, fitted by glm() with family binomial, as an SQL expression over the relation. Opens what glm() does.';
REVOKE ALL ON FUNCTION secmed.propensity_score(text, regclass, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.propensity_score(text, regclass, text, jsonb) TO secmed_analyst;

CREATE FUNCTION secmed.propensity_weights(treated text, score text, estimand text DEFAULT 'ATE') RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_propensity_weights' LANGUAGE C STRICT STABLE;
COMMENT ON FUNCTION secmed.propensity_weights(text, text, text) IS
'Inverse probability weights of treatment, of a condition and propensity_score(), as an SQL expression for glm(weights => ...): 1/e of the treated and 1/(1-e) of the others (ATE), 1 and e/(1-e) (ATT), (1-e)/e and 1 (ATC). Opens nothing.';
REVOKE ALL ON FUNCTION secmed.propensity_weights(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.propensity_weights(text, text, text) TO secmed_analyst;

CREATE FUNCTION secmed.balance(formula text, relation regclass, score text DEFAULT NULL, estimand text DEFAULT 'ATE',
		"where" text DEFAULT NULL, levels jsonb DEFAULT NULL,
		OUT term text, OUT mean1 double precision, OUT mean0 double precision, OUT smd double precision,
		OUT weighted_mean1 double precision, OUT weighted_mean0 double precision, OUT weighted_smd double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_balance' LANGUAGE C CALLED ON NULL INPUT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION secmed.balance(text, regclass, text, text, text, jsonb) IS
'How alike treated (1) and others (0) are in each covariate, treated ~ covariates: means, and their difference over the square root of the mean of both variances (Austin 2009), before and after weighting by propensity_score(). Opens of each column and group: n, missing, the sums of x and x squared, of weights and weighted x.';
REVOKE ALL ON FUNCTION secmed.balance(text, regclass, text, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.balance(text, regclass, text, text, text, jsonb) TO secmed_analyst;

-- fdw -----------------------------------------------------------------------

CREATE FUNCTION secmed.fdw_handler() RETURNS fdw_handler
	AS 'MODULE_PATHNAME', 'secmed_fdw_handler' LANGUAGE C STRICT;
COMMENT ON FUNCTION secmed.fdw_handler() IS 'The foreign data wrapper.';
REVOKE ALL ON FUNCTION secmed.fdw_handler() FROM PUBLIC;

CREATE FUNCTION secmed.fdw_validator(options text[], catalog oid) RETURNS void
	AS 'MODULE_PATHNAME', 'secmed_fdw_validator' LANGUAGE C STRICT;
COMMENT ON FUNCTION secmed.fdw_validator(text[], oid) IS 'Checks the options of servers, tables and columns.';
REVOKE ALL ON FUNCTION secmed.fdw_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER secmed
	HANDLER secmed.fdw_handler VALIDATOR secmed.fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER secmed IS
'Aggregates over the tables that several sites publish; a server names its sites and the three parties that compute.';
GRANT USAGE ON FOREIGN DATA WRAPPER secmed TO secmed_analyst;

CREATE FUNCTION secmed.draft_contract(
	name text, title text, purpose text, query text, parameters jsonb DEFAULT '[]',
	purpose_code text DEFAULT 'HRESCH', legal_basis text DEFAULT '', terms text DEFAULT '',
	who jsonb DEFAULT '{"roles": ["analyst"]}', patients_min bigint DEFAULT 11, rounding bigint DEFAULT 0,
	noise jsonb DEFAULT NULL, runs_max bigint DEFAULT NULL,
	valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL, jurisdictions jsonb DEFAULT NULL,
	price bigint DEFAULT 0, payees jsonb DEFAULT NULL, vetters bigint DEFAULT 2, organisations bigint DEFAULT 1,
	approvals jsonb DEFAULT NULL, consents_min bigint DEFAULT 0, replaces text DEFAULT NULL, author text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'secmed_draft_contract' LANGUAGE C CALLED ON NULL INPUT VOLATILE;
COMMENT ON FUNCTION secmed.draft_contract(text, text, text, text, jsonb, text, text, text, jsonb, bigint, bigint, jsonb, bigint, timestamptz, timestamptz, jsonb, bigint, jsonb, bigint, bigint, jsonb, bigint, text, text) IS
'A contract for its author to sign: the question with $1, $2, ... for parameters, whose names, types and bounds are listed, planned over this node''s foreign tables. noise: {"rho": what a run spends (zCDP), "rows_max": rows of a patient that count, "thresholds": false if noise takes the place of the smallest group, "bounds": {"column": [least, largest, decimal places]}}.';
REVOKE ALL ON FUNCTION secmed.draft_contract(text, text, text, text, jsonb, text, text, text, jsonb, bigint, bigint, jsonb, bigint, timestamptz, timestamptz, jsonb, bigint, jsonb, bigint, bigint, jsonb, bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.draft_contract(text, text, text, text, jsonb, text, text, text, jsonb, bigint, bigint, jsonb, bigint, timestamptz, timestamptz, jsonb, bigint, jsonb, bigint, bigint, jsonb, bigint, text, text) TO secmed_analyst;

CREATE FUNCTION secmed.run(contract text, parameters jsonb DEFAULT '{}') RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_run' LANGUAGE C STRICT VOLATILE;
COMMENT ON FUNCTION secmed.run(text, jsonb) IS
'Runs a contract, named by name or hash: SELECT * FROM secmed.run(''survival'', ''{"stage": "III"}'') AS t(sex text, n bigint);';
REVOKE ALL ON FUNCTION secmed.run(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.run(text, jsonb) TO secmed_analyst;

-- records ---------------------------------------------------------------------

CREATE TABLE secmed.processing (
	name		name PRIMARY KEY,
	purpose		text NOT NULL,
	legal_basis	text NOT NULL,
	subjects	text NOT NULL,
	data		text NOT NULL,
	recipients	text NOT NULL,
	retention	text NOT NULL,
	safeguards	text NOT NULL DEFAULT 'Only aggregates leave, computed over secret shares by three parties; groups of too few patients are withheld; every request is in a tamper-evident ledger.'
);
COMMENT ON TABLE secmed.processing IS
'What an admin says about each published table, by its name: why it is processed and on which basis, whose data and which, who gets them, how long they are kept, and how they are protected (GDPR Art. 30(1)).';
REVOKE ALL ON secmed.processing FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON secmed.processing TO secmed_admin;
GRANT SELECT ON secmed.processing TO secmed_auditor;
SELECT pg_catalog.pg_extension_config_dump('secmed.processing', '');

CREATE VIEW secmed.chain_status AS
	SELECT n.name AS site, l.seq + 1 AS height, d.hash AS head, d.at AS head_at,
		   k.size AS signed, k.signed_at, c.size AS certified, c.certified_at,
		   l.seq + 1 - COALESCE(c.size, k.size, 0) AS gap, false AS frozen
	  FROM secmed.node n
	 CROSS JOIN LATERAL (SELECT seq, entry FROM secmed.ledger ORDER BY seq DESC LIMIT 1) l
	 CROSS JOIN LATERAL secmed.decode_entry(l.entry) d
	  LEFT JOIN LATERAL (SELECT size, signed_at FROM secmed.ledger_checkpoint ORDER BY size DESC LIMIT 1) k ON true
	  LEFT JOIN LATERAL (SELECT size, certified_at FROM secmed.ledger_certified ORDER BY size DESC LIMIT 1) c ON true
	UNION ALL
	SELECT m.site, m.size, d.hash, d.at, m.size, m.signed_at, m.certified_size, NULL,
		   m.size - m.certified_size, m.frozen
	  FROM secmed.mirror m
	  LEFT JOIN secmed.mirror_entry e ON e.mirror = m.id AND e.seq = m.size - 1
	  LEFT JOIN LATERAL secmed.decode_entry(e.entry) d ON true
	 WHERE m.ended_at IS NULL;
COMMENT ON VIEW secmed.chain_status IS
'How far each ledger is: this node''s, and those of others as far as this node holds and has countersigned them. height: entries; head: hash of the last; signed: entries below the last checkpoint (of others: that was countersigned here, and when); certified: below the last that a quorum has certified, NULL where no witnesses are set; gap: entries above that; frozen: a fork was proven.';
REVOKE ALL ON secmed.chain_status FROM PUBLIC;
GRANT SELECT ON secmed.chain_status TO secmed_auditor;

CREATE VIEW secmed.records_of_processing AS
	SELECT n.name AS controller, p.name AS activity, r.purpose, r.legal_basis, r.subjects, r.data,
		   r.recipients, r.retention, r.safeguards, p.relation, p.min_patients, p.sites AS pooled_with,
		   p.published_at, p.published_by
	  FROM secmed.node n
	 CROSS JOIN secmed.published p
	  LEFT JOIN secmed.processing r ON r.name = p.name;
COMMENT ON VIEW secmed.records_of_processing IS
'The record of processing activities (GDPR Art. 30): one row for each published table, with what secmed.processing says about it; NULL where that is missing.';
REVOKE ALL ON secmed.records_of_processing FROM PUBLIC;
GRANT SELECT ON secmed.records_of_processing TO secmed_auditor, secmed_admin;

CREATE VIEW secmed.accounting_of_disclosures AS
	SELECT e.at AS date, e.actor AS recipient,
		   'aggregates of ' || e.object || ', ' || e.revealed AS description,
		   COALESCE((SELECT pg_catalog.string_agg(r.purpose, '; ' ORDER BY r.name) FROM secmed.processing r
					  WHERE r.name = ANY (pg_catalog.string_to_array(e.object, ', '))),
					'not stated in secmed.processing') AS purpose,
		   e.object AS tables, e.run, e.seq
	  FROM secmed.events e
	 WHERE e.kind = 'outcome' AND e.outcome IN ('opened', 'released')
	   AND e.at >= pg_catalog.now() - '6 years'::pg_catalog.interval;
COMMENT ON VIEW secmed.accounting_of_disclosures IS
'What left in the last six years: date, recipient, a brief description, the purpose (45 CFR 164.528(b)). Aggregates only: no row of a patient leaves.';
REVOKE ALL ON secmed.accounting_of_disclosures FROM PUBLIC;
GRANT SELECT ON secmed.accounting_of_disclosures TO secmed_auditor;

CREATE FUNCTION secmed.who_saw_my_record(subject text, OUT at timestamptz, OUT who text,
		OUT what text, OUT tables text, OUT outcome text, OUT why text, OUT run uuid, OUT seq bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'secmed_who_saw_my_record' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.who_saw_my_record(text) IS
'Who asked or read what a subject was among, newest first (GDPR Art. 15(1)(c)): answers over published tables that hold rows of the subject (by their patient column) now, local reads and changes of these tables, and whatever names the subject in its statement. Subjects are told neither others'' rows nor statements.';
REVOKE ALL ON FUNCTION secmed.who_saw_my_record(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.who_saw_my_record(text) TO secmed_auditor;

CREATE FUNCTION secmed.export_fhir(begins timestamptz, ends timestamptz) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'secmed_export_fhir' LANGUAGE C STRICT VOLATILE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION secmed.export_fhir(timestamptz, timestamptz) IS
'The entries from one time to before another as FHIR R4 AuditEvent resources with the codes of IHE BALP, a line of JSON each (ndjson). The run is the transaction id, common to all sites.';
REVOKE ALL ON FUNCTION secmed.export_fhir(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION secmed.export_fhir(timestamptz, timestamptz) TO secmed_auditor;
