-- Run once by the postgres image, on an empty server: a role and databases for
-- Relance and for Temporal each. Neither can look into what is the other's.
\getenv relance_password RELANCE_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD
CREATE ROLE relance LOGIN PASSWORD :'relance_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE relance OWNER relance;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE relance FROM PUBLIC;
REVOKE CONNECT ON DATABASE temporal FROM PUBLIC;
REVOKE CONNECT ON DATABASE temporal_visibility FROM PUBLIC;
