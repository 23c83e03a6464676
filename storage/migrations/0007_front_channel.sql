-- Authorizations whose tokens came straight from the authorization endpoint have no code.
DROP INDEX authorizations_by_code;
CREATE UNIQUE INDEX authorizations_by_code ON authorizations (code) WHERE code <> '';
