-- What we are as SAML service provider: one key, sealed, for all replicas.
CREATE TABLE saml_keys (
	name       {{text}} PRIMARY KEY,
	sealed     TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

-- What SAML providers said of themselves when they were last asked.
CREATE TABLE saml_metadata (
	connection {{text}} PRIMARY KEY,
	url        TEXT NOT NULL,
	entity_id  TEXT NOT NULL,
	document   TEXT NOT NULL,
	fetched_at BIGINT NOT NULL
);
