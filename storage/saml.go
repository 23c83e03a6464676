package storage

import (
	"context"
	"time"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/secret"
)

var _ federation.SAMLStore = (*SAML)(nil)

// SAML remembers what being a SAML service provider needs.
type SAML struct{ db *DB }

// NewSAML returns what a database knows of SAML.
func NewSAML(db *DB) *SAML { return &SAML{db} }

var (
	errNoServiceKey  = problem.New(problem.NotFound, "saml_key_unknown", "There is no key for SAML yet.")
	errServiceKey    = problem.New(problem.Conflict, "saml_key_exists", "There is a key for SAML already.")
	errNoMetadata    = problem.New(problem.NotFound, "metadata_unknown", "The provider's metadata was never read.")
	errPlaces        = problem.New(problem.Conflict, "places_taken", "That request was answered too often.")
	errSAMLAssertion = problem.New(problem.Conflict, "assertion_used", "That assertion was used already.")
)

const serviceKeyName = "service"

// ServiceKey returns our key, sealed.
func (s *SAML) ServiceKey(ctx context.Context) (sealed string, err error) {
	err = s.db.read(ctx).NewRaw("SELECT sealed FROM saml_keys WHERE name = ?", serviceKeyName).Scan(ctx, &sealed)
	return sealed, explain("load the SAML key", err, errNoServiceKey)
}

// SaveServiceKey keeps the first key there is.
func (s *SAML) SaveServiceKey(ctx context.Context, sealed string, at time.Time) error {
	_, err := s.db.write(ctx).NewRaw(
		"INSERT INTO saml_keys (name, sealed, created_at) VALUES (?, ?, ?)", serviceKeyName, sealed, stamp(at)).Exec(ctx)
	return explain("keep the SAML key", err, errServiceKey)
}

type metadataRow struct {
	URL       string
	EntityID  string
	Document  string
	FetchedAt int64
}

// Metadata returns what was last read from the provider of a connection.
func (s *SAML) Metadata(ctx context.Context, connection string) (federation.FetchedMetadata, error) {
	var r metadataRow
	err := s.db.read(ctx).NewRaw(
		"SELECT url, entity_id, document, fetched_at FROM saml_metadata WHERE connection = ?", connection).Scan(ctx, &r)
	return federation.FetchedMetadata{URL: r.URL, EntityID: r.EntityID, Document: r.Document, FetchedAt: instant(r.FetchedAt)},
		explain("load SAML metadata", err, errNoMetadata)
}

// SaveMetadata keeps what was read. An older reading does not replace a newer one.
func (s *SAML) SaveMetadata(ctx context.Context, connection string, m federation.FetchedMetadata) error {
	_, err := s.db.write(ctx).NewRaw(`
		INSERT INTO saml_metadata (connection, url, entity_id, document, fetched_at)
		VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (connection) DO UPDATE
		SET url = excluded.url, entity_id = excluded.entity_id, document = excluded.document, fetched_at = excluded.fetched_at
		WHERE saml_metadata.fetched_at <= excluded.fetched_at`,
		connection, m.URL, m.EntityID, m.Document, stamp(m.FetchedAt)).Exec(ctx)
	return explain("keep SAML metadata", err)
}

// Accept uses up an assertion and one of the places, and keeps the arrival that it becomes, all or nothing.
func (s *SAML) Accept(ctx context.Context, a federation.Accepted) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.write(ctx).NewRaw(
			"INSERT INTO assertions (digest, expires_at) VALUES (?, ?)", string(a.Assertion), stamp(a.Until)).Exec(ctx)
		if err != nil {
			return explain("use a SAML assertion", err, errSAMLAssertion)
		}
		if err := s.occupy(ctx, a.Places, a.Taken); err != nil {
			return err
		}
		return NewConnections(s.db).SaveArrival(ctx, a.Arrival, a.Sealed, a.Expires)
	})
}

// occupy takes the first of the places that is free. Of those who race for it one has it, and the
// others look at the next.
func (s *SAML) occupy(ctx context.Context, places []secret.Digest, until time.Time) error {
	for _, place := range places {
		res, err := s.db.write(ctx).NewRaw(
			"INSERT INTO assertions (digest, expires_at) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", string(place), stamp(until)).Exec(ctx)
		if err != nil {
			return explain("take a place for a SAML assertion", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return explain("take a place for a SAML assertion", err)
		}
		if n == 1 {
			return nil
		}
	}
	return errPlaces
}

// UseMessage uses up a message of a provider.
func (s *SAML) UseMessage(ctx context.Context, message secret.Digest, until time.Time) error {
	_, err := s.db.write(ctx).NewRaw(
		"INSERT INTO assertions (digest, expires_at) VALUES (?, ?)", string(message), stamp(until)).Exec(ctx)
	return explain("use a SAML message", err, errSAMLAssertion)
}
