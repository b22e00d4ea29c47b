-- A role, and a database that it owns. Run it once, as a superuser of PostgreSQL; docs/deploy/README.md says how.
\set ON_ERROR_STOP on

CREATE ROLE patron LOGIN PASSWORD :'password';
-- From template0, so that the encoding may differ from the server's own.
CREATE DATABASE patron OWNER patron ENCODING 'UTF8' TEMPLATE template0;
-- No other role may connect.
REVOKE ALL ON DATABASE patron FROM PUBLIC;
