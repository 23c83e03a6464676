-- What tokens tell about people. A key of a template's own is sealed; claims are kept as they were written.
CREATE TABLE templates (
	name       {{text}} PRIMARY KEY,
	body       TEXT NOT NULL,
	claims     TEXT NOT NULL,
	sealed_key TEXT NOT NULL,
	version    BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
