-- Bot checks that were used, until their solution would have expired anyway.
CREATE TABLE bot_checks (
	digest     {{text}} PRIMARY KEY,
	expires_at BIGINT NOT NULL
);
CREATE INDEX bot_checks_by_expiry ON bot_checks (expires_at);
