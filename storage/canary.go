package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrMasterKey says that the master key is not the one this database was sealed with.
var ErrMasterKey = errors.New("the master key does not open this database: give the key it was made with")

const (
	canaryPlace = "canary.sealed:1"
	canaryWord  = "this database is sealed under this master key"
)

// check refuses a database that this process must not touch.
func (db *DB) check(ctx context.Context) error {
	applied, err := db.Applied(ctx)
	if err != nil {
		return err
	}
	if err := refuseNewer(applied); err != nil {
		return err
	}
	if len(applied) == 0 {
		return nil
	}
	return db.checkCanary(ctx)
}

func (db *DB) checkCanary(ctx context.Context) error {
	var sealed string
	err := db.read(ctx).NewRaw("SELECT sealed FROM canary WHERE id = 1").Scan(ctx, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // migrated halfway; Migrate writes it
	}
	if err != nil {
		return explain("check the master key", err)
	}
	word, err := db.box.Open(canaryPlace, sealed)
	if err != nil || string(word) != canaryWord {
		return ErrMasterKey
	}
	return nil
}

// sealCanary marks the database with the master key, once.
func (db *DB) sealCanary(ctx context.Context) error {
	_, err := db.write(ctx).NewRaw(`
		INSERT INTO canary (id, sealed, created_at)
		VALUES (1, ?, ?)
		ON CONFLICT (id) DO NOTHING`,
		db.box.Seal(canaryPlace, []byte(canaryWord)), stamp(db.now())).Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark the database with the master key: %w", err)
	}
	return db.checkCanary(ctx)
}
