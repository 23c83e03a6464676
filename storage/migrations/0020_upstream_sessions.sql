-- Which sessions began with a session at a provider, so that signing out there ends them, and the
-- other way round. Name is a MAC of whose it is there; what else is known is sealed.
CREATE TABLE upstream_sessions (
	session_id {{text}} PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
	connection {{text}} NOT NULL,
	name       TEXT NOT NULL,
	sealed     TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX upstream_sessions_by_name ON upstream_sessions (name);
CREATE INDEX upstream_sessions_by_connection ON upstream_sessions (connection);

-- The same, sealed, of who signs in.
ALTER TABLE attempts ADD COLUMN presence TEXT NOT NULL DEFAULT '';
