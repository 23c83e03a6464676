package storage

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"idp/admin"
	"idp/internal/problem"
)

var _ admin.SettingsStore = (*Settings)(nil)

// Settings remembers the operator's one row of choices, as the rooms encode them.
type Settings struct{ db *DB }

// NewSettings returns the settings of a database.
func NewSettings(db *DB) *Settings { return &Settings{db} }

var errSettingsMoved = problem.New(problem.Conflict, "settings_changed", "Somebody else changed the settings just now. Please look again.")

// Settings returns the settings' JSON and their version; nothing and 0 if none were ever saved.
func (s *Settings) Settings(ctx context.Context) (body []byte, version int64, err error) {
	var text string
	err = s.db.read(ctx).NewRaw("SELECT body, version FROM settings WHERE id = 1").Scan(ctx, &text, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return []byte(text), version, explain("load the settings", err)
}

// SaveSettings replaces the settings that were loaded at that version. If the version moved
// meanwhile it is problem.Conflict.
func (s *Settings) SaveSettings(ctx context.Context, body []byte, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		query := "UPDATE settings SET body = ?, version = version + 1 WHERE id = 1 AND version = ?"
		if version == 0 {
			query = "INSERT INTO settings (id, body, version) VALUES (1, ?, ? + 1) ON CONFLICT (id) DO NOTHING"
		}
		res, err := s.db.write(ctx).NewRaw(query, string(body), version).Exec(ctx)
		if err := oneRow("save the settings", res, err, errSettingsMoved); err != nil {
			return err
		}
		return s.db.bump(ctx, versionSettings)
	})
}

// EndTrust forgets the browsers that people trust since then or longer.
func (s *Settings) EndTrust(ctx context.Context, since time.Time) error {
	_, err := s.db.write(ctx).NewDelete().Model((*trustRow)(nil)).Where("created_at <= ?", stamp(since)).Exec(ctx)
	return explain("end trust in browsers", err)
}
