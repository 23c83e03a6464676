// Package token signs facts for others to check, and reads what others encrypt to us.
//
// A KeySet holds the instance's keys. Each has one purpose and one algorithm, and lives
// next → current → past → retired: it is published before it signs, and stays published
// after it stopped, so that nobody is stranded by a rotation. Two algorithms to sign with
// and two to decrypt with are always there; the others are made when the first relying
// party asks for them, and rotate like the rest from then on. Signing and verifying read an
// immutable snapshot in memory; the database is read only when keys change. Private keys
// rest in storage, sealed.
package token
