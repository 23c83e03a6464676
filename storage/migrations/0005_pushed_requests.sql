-- Requests that clients pushed before they sent anybody here.
CREATE TABLE pushed_requests (
	digest     {{text}} PRIMARY KEY,
	client_id  {{text}} NOT NULL,
	request    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	seen_at    BIGINT,
	used_at    BIGINT
);
CREATE INDEX pushed_requests_expired ON pushed_requests (expires_at);
