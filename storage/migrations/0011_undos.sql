-- What a mailed link can take back for a while: the addresses and factors that a person had
-- before a change, sealed. And whose an attempt is, so that all of a person's can be ended.
CREATE TABLE undos (
	id         {{text}} PRIMARY KEY,
	digest     {{text}} NOT NULL,
	user_id    {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind       {{text}} NOT NULL,
	body       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT
);
CREATE INDEX undos_of_user ON undos (user_id, created_at);
CREATE INDEX undos_expired ON undos (expires_at);
ALTER TABLE attempts ADD COLUMN user_id {{text}} NOT NULL DEFAULT '';
CREATE INDEX attempts_of_user ON attempts (user_id) WHERE user_id <> '';
