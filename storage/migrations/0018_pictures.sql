-- The picture of a person, drawn by us. One that its person removed stays behind empty, so that
-- no provider brings it back.
CREATE TABLE pictures (
	user_id    {{text}} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	id         {{text}} NOT NULL UNIQUE,
	bytes      {{bytes}},
	type       TEXT NOT NULL,
	source     TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	removed_at BIGINT
);
