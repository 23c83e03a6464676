-- Upstream providers that people sign in by. An account that somebody has there is a row of factors,
-- whose credential is nobody else's.
CREATE TABLE connections (
	name       {{text}} PRIMARY KEY,
	body       TEXT NOT NULL,
	secret     TEXT NOT NULL,
	version    BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- What was posted here from another site, sealed, until the browser fetches it, once.
CREATE TABLE arrivals (
	id         {{text}} PRIMARY KEY,
	sealed     TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX arrivals_by_expiry ON arrivals (expires_at);

-- What a provider said of somebody, sealed, while they sign in.
ALTER TABLE attempts ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
CREATE INDEX factors_by_method ON factors (method);
