-- Relying parties, and what was issued to them.
CREATE TABLE clients (
	id                 {{text}} PRIMARY KEY,
	name               TEXT NOT NULL,
	disabled           BOOLEAN NOT NULL,
	body               TEXT NOT NULL,
	registration_token {{text}} NOT NULL,
	created_at         BIGINT NOT NULL,
	updated_at         BIGINT NOT NULL,
	version            BIGINT NOT NULL
);

CREATE TABLE registration_tokens (
	id         {{text}} PRIMARY KEY,
	digest     {{text}} NOT NULL,
	uses       BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX registration_tokens_by_digest ON registration_tokens (digest);

-- One row for what one person let one client do once: the code, the facts of that
-- sign-in, and where its line of refresh tokens stands.
CREATE TABLE authorizations (
	id              {{text}} PRIMARY KEY,
	client_id       {{text}} NOT NULL,
	user_id         {{text}} NOT NULL,
	session_id      {{text}} NOT NULL,
	scopes          TEXT NOT NULL,
	offline         BOOLEAN NOT NULL,
	facts           TEXT NOT NULL,
	code            {{text}} NOT NULL,
	code_expires_at BIGINT NOT NULL,
	redeemed_at     BIGINT,
	generation      BIGINT NOT NULL,
	rotated_at      BIGINT,
	idle_at         BIGINT,
	created_at      BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	ended_at        BIGINT,
	ended_why       {{text}} NOT NULL
);
CREATE UNIQUE INDEX authorizations_by_code ON authorizations (code);
CREATE INDEX authorizations_of_user ON authorizations (user_id, client_id) WHERE ended_at IS NULL;
CREATE INDEX authorizations_of_client ON authorizations (client_id) WHERE ended_at IS NULL;
CREATE INDEX authorizations_expired ON authorizations (expires_at);

-- Access tokens, recognised by digest. Those of a machine have no authorization.
CREATE TABLE tokens (
	digest           {{text}} PRIMARY KEY,
	kind             {{text}} NOT NULL,
	authorization_id {{text}},
	client_id        {{text}} NOT NULL,
	scopes           TEXT NOT NULL,
	created_at       BIGINT NOT NULL,
	expires_at       BIGINT NOT NULL,
	ended_at         BIGINT
);
CREATE INDEX tokens_expired ON tokens (expires_at);
