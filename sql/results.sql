-- What PostgreSQL does with the results; first over three sites, then pooled.
\getenv abs_srcdir PG_ABS_SRCDIR
\set file :abs_srcdir '/sql/include/results.sql'
\c research postgres
GRANT TEMPORARY ON DATABASE research TO alice;
\c research alice
SET client_min_messages = warning;
\i :file
\c pooled alice
\i :file
