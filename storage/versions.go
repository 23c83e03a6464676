package storage

import (
	"context"
)

// What has a version that replicas watch to keep their snapshots fresh.
const (
	versionClients  = "clients"
	versionKeys     = "keys"
	versionSettings = "settings"

	versionConnections = "connections"
	versionTemplates   = "templates"
)

type versionRow struct {
	Name string
	N    int64
}

// Versions returns how often "clients", "keys" and "settings" were saved; what was never
// saved is absent. Whoever keeps a snapshot in memory compares and reloads.
func (db *DB) Versions(ctx context.Context) (map[string]int64, error) {
	var rows []versionRow
	err := db.read(ctx).NewRaw("SELECT name, n FROM versions LIMIT 100").Scan(ctx, &rows)
	if err != nil {
		return nil, explain("read versions", err)
	}
	all := make(map[string]int64, len(rows))
	for _, r := range rows {
		all[r.Name] = r.N
	}
	return all, nil
}

// bump says that the named thing changed. Call it in the transaction that changes it.
func (db *DB) bump(ctx context.Context, name string) error {
	_, err := db.write(ctx).NewRaw(`
		INSERT INTO versions (name, n)
		VALUES (?, 1)
		ON CONFLICT (name) DO UPDATE SET n = versions.n + 1`, name).Exec(ctx)
	return explain("raise the version of "+name, err)
}
