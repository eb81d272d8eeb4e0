-- Runs once, as POSTGRES_USER in POSTGRES_DB, while the volume is empty.
-- Databases, a role and extensions, nothing else: the tables come from app/migrations.
\set ON_ERROR_STOP on
\getenv test_password TEST_POSTGRES_PASSWORD

-- PUBLIC may connect to every new database; here only its owner may.
REVOKE CONNECT ON DATABASE :"DBNAME" FROM PUBLIC;

-- CREATEDB, since tests copy a template for each database of their own.
CREATE ROLE toolshare_test LOGIN CREATEDB PASSWORD :'test_password';
CREATE DATABASE toolshare_test OWNER toolshare_test;
REVOKE CONNECT ON DATABASE toolshare_test FROM PUBLIC;

-- btree_gist: no double booking. pg_trgm: search by name.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

\connect toolshare_test
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
