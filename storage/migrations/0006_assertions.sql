-- Client assertions that were used, until they expire; digest is of client and jti.
CREATE TABLE assertions (
	digest     {{text}} PRIMARY KEY,
	expires_at BIGINT NOT NULL
);
CREATE INDEX assertions_by_expiry ON assertions (expires_at);
