package federation

import (
	"time"

	"idp/internal/secret"
)

// Assert reads claims as the protocols have it read.
func (f *Federation) Assert(c Connection, issuer string, claims map[string]any) (Assertion, error) {
	return f.assert(c, issuer, claims)
}

// Put sets the connections that are on file.
func (f *Federation) Put(all ...Connection) { f.all.Store(&all) }

// Filled is the connection with what its preset supplies.
func (c Connection) Filled() Connection { return c.filled() }

// Credential is what the client proves itself with.
func (c Connection) Credential(at time.Time) (secret.String, error) { return c.credential(at) }

// Merge merges an ID token with userinfo.
func (c Connection) Merge(token, info map[string]any) map[string]any { return c.merge(token, info) }

// AddPreset puts a row beside those of the table until the test ends.
func AddPreset(p Preset) (undo func()) {
	was := presets
	presets = append(presets[:len(presets):len(presets)], p)
	return func() { presets = was }
}

// ScopeOf is the scope that an answer of a token endpoint grants.
func ScopeOf(answer string) (string, error) {
	g, err := readGranted(200, []byte(answer), time.Time{})
	return g.scope, err
}

// Proved is where something is fetched with an access token.
func (c Connection) Proved(uri string, token secret.String) (string, error) {
	return c.proved(uri, token)
}
