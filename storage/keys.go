package storage

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"

	"idp/internal/problem"
	"idp/token"
)

// Keys keeps signing keys. It is a token.Store.
type Keys struct{ db *DB }

var _ token.Store = (*Keys)(nil)

// NewKeys returns the signing keys of db.
func NewKeys(db *DB) *Keys { return &Keys{db} }

const maxKeys = 200

var errKeyTaken = problem.New(problem.Conflict, "key_taken", "Another process has done that already.")

type keyRow struct {
	ID          string
	Purpose     string
	Algorithm   string
	State       string
	Private     string
	CreatedAt   int64
	ActivatedAt *int64
	PastAt      *int64
	RetiredAt   *int64
}

// Keys returns the keys that are not retired.
func (k *Keys) Keys(ctx context.Context) ([]token.Key, error) {
	var rows []keyRow
	err := k.db.read(ctx).NewRaw(`
		SELECT id, purpose, algorithm, state, private, created_at, activated_at, past_at, retired_at
		FROM signing_keys
		WHERE state <> ?
		ORDER BY purpose, algorithm, created_at
		LIMIT ?`, string(token.Retired), maxKeys).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("list signing keys", err)
	}
	keys := make([]token.Key, 0, len(rows))
	for _, r := range rows {
		key, err := k.from(r)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (k *Keys) from(r keyRow) (token.Key, error) {
	der, err := k.db.box.Open(keyPlace(r.ID), r.Private)
	if err != nil {
		return token.Key{}, fmt.Errorf("open signing key %s: %w", r.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return token.Key{}, fmt.Errorf("parse signing key %s: %w", r.ID, err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return token.Key{}, fmt.Errorf("signing key %s cannot sign", r.ID)
	}
	return token.Key{
		ID: r.ID, Purpose: token.Purpose(r.Purpose), Algorithm: r.Algorithm, State: token.State(r.State), Private: signer,
		CreatedAt: instant(r.CreatedAt), ActivatedAt: maybeInstant(r.ActivatedAt),
		PastAt: maybeInstant(r.PastAt), RetiredAt: maybeInstant(r.RetiredAt),
	}, nil
}

// SaveKey creates a key. Where one already stands in that state for its purpose and
// algorithm, it is problem.Conflict.
func (k *Keys) SaveKey(ctx context.Context, key token.Key) error {
	der, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return fmt.Errorf("encode signing key %s: %w", key.ID, err)
	}
	return k.db.InTx(ctx, func(ctx context.Context) error {
		_, err := k.db.write(ctx).NewRaw(`
			INSERT INTO signing_keys (id, purpose, algorithm, state, private, created_at, activated_at, past_at, retired_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			key.ID, string(key.Purpose), key.Algorithm, string(key.State), k.db.box.Seal(keyPlace(key.ID), der),
			stamp(key.CreatedAt), maybe(key.ActivatedAt), maybe(key.PastAt), maybe(key.RetiredAt)).Exec(ctx)
		if err != nil {
			return explain("save signing key", err, errKeyTaken)
		}
		return k.db.bump(ctx, versionKeys)
	})
}

// MoveKey changes a key's state and its times; problem.Conflict unless it stands at from.
func (k *Keys) MoveKey(ctx context.Context, key token.Key, from token.State) error {
	return k.db.InTx(ctx, func(ctx context.Context) error {
		res, err := k.db.write(ctx).NewRaw(`
			UPDATE signing_keys
			SET state = ?, activated_at = ?, past_at = ?, retired_at = ?
			WHERE id = ? AND state = ?`,
			string(key.State), maybe(key.ActivatedAt), maybe(key.PastAt), maybe(key.RetiredAt),
			key.ID, string(from)).Exec(ctx)
		if err := oneRow("move signing key", res, err, errKeyTaken); err != nil {
			return err
		}
		return k.db.bump(ctx, versionKeys)
	})
}

func keyPlace(id string) string { return "signing_keys.private:" + id }
