// Package token signs facts for others to check.
//
// A KeySet holds the instance's signing keys. Each key has one purpose and lives
// next → current → past → retired: it is published before it signs, and stays
// published after it stopped, so that nobody is stranded by a rotation. Signing and
// verifying read an immutable snapshot in memory; the database is read only when
// keys change. Private keys rest in storage, sealed.
package token
