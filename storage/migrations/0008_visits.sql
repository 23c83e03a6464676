-- Which relying parties learned of a session and want to hear of its end. Authorizations
-- do not tell: they are forgotten soon after they expire, long before the session ends.
CREATE TABLE visits (
	session_id {{text}} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	client_id  {{text}} NOT NULL,
	user_id    {{text}} NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (session_id, client_id)
);
