-- Signing keys; private holds PKCS #8, sealed.
CREATE TABLE signing_keys (
	id           {{text}} PRIMARY KEY,
	purpose      {{text}} NOT NULL,
	algorithm    {{text}} NOT NULL,
	state        {{text}} NOT NULL,
	private      TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	activated_at BIGINT,
	past_at      BIGINT,
	retired_at   BIGINT
);
CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (purpose, algorithm) WHERE state = 'current';
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (purpose, algorithm) WHERE state = 'next';
