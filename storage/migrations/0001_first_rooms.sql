-- What several processes must agree on.
CREATE TABLE versions (
	name {{text}} PRIMARY KEY,
	n    BIGINT NOT NULL
);
CREATE TABLE canary (
	id         INTEGER PRIMARY KEY,
	sealed     TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE TABLE settings (
	id      INTEGER PRIMARY KEY,
	body    TEXT NOT NULL,
	version BIGINT NOT NULL
);

-- People, what they hold and what they can prove with.
CREATE TABLE users (
	id          {{text}} PRIMARY KEY,
	status      {{text}} NOT NULL,
	operator    BOOLEAN NOT NULL,
	profile     TEXT NOT NULL,
	search_name TEXT NOT NULL,
	group_names TEXT NOT NULL,
	external_id {{text}},
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL,
	version     BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_external_id ON users (external_id);
CREATE INDEX users_operators ON users (id) WHERE operator;

CREATE TABLE holdings (
	id           {{text}} PRIMARY KEY,
	user_id      {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind         {{text}} NOT NULL,
	value        {{text}} NOT NULL,
	main         BOOLEAN NOT NULL,
	verified_at  BIGINT,
	verified_by  {{text}} NOT NULL,
	source       {{text}} NOT NULL,
	created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX holdings_one_owner ON holdings (kind, value) WHERE verified_at IS NOT NULL;
CREATE INDEX holdings_by_value ON holdings (kind, value, user_id);
CREATE UNIQUE INDEX holdings_of_user ON holdings (user_id, kind, value);

CREATE TABLE factors (
	id           {{text}} PRIMARY KEY,
	user_id      {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	method       {{text}} NOT NULL,
	name         TEXT NOT NULL,
	secret       TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	last_used_at BIGINT
);
CREATE INDEX factors_of_user ON factors (user_id);
CREATE UNIQUE INDEX factors_one_password ON factors (user_id) WHERE method = 'password';

-- Browsers and the sessions on them.
CREATE TABLE browsers (
	id         {{text}} PRIMARY KEY,
	digest     {{text}} NOT NULL,
	active     {{text}} NOT NULL,
	user_agent TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL
);
CREATE INDEX browsers_unseen ON browsers (seen_at);

CREATE TABLE sessions (
	id             {{text}} PRIMARY KEY,
	browser_id     {{text}} NOT NULL,
	user_id        {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	proofs         TEXT NOT NULL,
	auth_time      BIGINT NOT NULL,
	created_at     BIGINT NOT NULL,
	last_active_at BIGINT NOT NULL,
	expires_at     BIGINT NOT NULL,
	idle           BIGINT NOT NULL,
	ended_at       BIGINT,
	public         BOOLEAN NOT NULL,
	user_agent     TEXT NOT NULL,
	network        {{text}} NOT NULL
);
CREATE INDEX sessions_on_browser ON sessions (browser_id, user_id);
CREATE INDEX sessions_of_user ON sessions (user_id, last_active_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expired ON sessions (expires_at);

-- Signing in.
CREATE TABLE attempts (
	id         {{text}} PRIMARY KEY,
	browser_id {{text}} NOT NULL,
	body       TEXT NOT NULL,
	password   TEXT NOT NULL,
	version    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX attempts_expired ON attempts (expires_at);

CREATE TABLE asks (
	id         {{text}} PRIMARY KEY,
	browser_id {{text}} NOT NULL,
	body       TEXT NOT NULL,
	request    {{bytes}} NOT NULL,
	chosen     {{text}} NOT NULL,
	answer     {{text}} NOT NULL,
	answered   {{text}} NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT
);
CREATE INDEX asks_expired ON asks (expires_at);

CREATE TABLE invitations (
	id         {{text}} PRIMARY KEY,
	kind       {{text}} NOT NULL,
	value      {{text}} NOT NULL,
	token      {{text}} NOT NULL,
	invited_by {{text}} NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT
);
CREATE UNIQUE INDEX invitations_by_token ON invitations (token);

CREATE TABLE throttles (
	id         {{text}} PRIMARY KEY,
	failures   BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX throttles_expired ON throttles (expires_at);

CREATE TABLE operator_links (
	digest     {{text}} PRIMARY KEY,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT
);

-- What people let relying parties know.
CREATE TABLE grants (
	user_id    {{text}} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	client_id  {{text}} NOT NULL,
	scopes     TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, client_id)
);

-- What happened. No references: the trail outlives what it is about.
CREATE TABLE events (
	id         {{text}} PRIMARY KEY,
	at         BIGINT NOT NULL,
	kind       {{text}} NOT NULL,
	actor      {{text}} NOT NULL,
	user_id    {{text}} NOT NULL,
	client_id  {{text}} NOT NULL,
	session_id {{text}} NOT NULL,
	network    {{text}} NOT NULL,
	detail     TEXT NOT NULL
);
CREATE INDEX events_newest ON events (at, id);
CREATE INDEX events_of_user ON events (user_id, at, id);
CREATE INDEX events_of_kind ON events (kind, at, id);

-- Letters that development keeps instead of sending. They carry codes, so the body is sealed.
CREATE TABLE letters (
	id        {{text}} PRIMARY KEY,
	recipient {{text}} NOT NULL,
	body      TEXT NOT NULL,
	sent_at   BIGINT NOT NULL
);
CREATE INDEX letters_newest ON letters (sent_at, id);
CREATE INDEX letters_to ON letters (recipient, sent_at, id);
