-- Browsers on which a person need not show a second factor for a while. Whoever gets a
-- browser's id after its row was swept is not that browser, so the trust goes with the row.
CREATE TABLE trusted_browsers (
	id           {{text}} PRIMARY KEY,
	browser_id   {{text}} NOT NULL REFERENCES browsers (id) ON DELETE CASCADE,
	user_id      {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	user_agent   TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX trusted_browsers_pair ON trusted_browsers (browser_id, user_id);
CREATE INDEX trusted_browsers_of_user ON trusted_browsers (user_id);
CREATE INDEX trusted_browsers_expired ON trusted_browsers (expires_at);

-- How many attempts of a browser and of a network are open; an attempt that is over has no network.
ALTER TABLE attempts ADD COLUMN network {{text}} NOT NULL DEFAULT '';
CREATE INDEX attempts_of_browser ON attempts (browser_id);
CREATE INDEX attempts_of_network ON attempts (network, expires_at) WHERE network <> '';
