-- What a provider usually sends about addresses, so that a change is noticed once.
CREATE TABLE connection_habits (
	connection {{text}} PRIMARY KEY,
	habit      TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
