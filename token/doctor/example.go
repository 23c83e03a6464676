package doctor

import (
	"encoding/json"
	"time"

	"idp/identity"
	"idp/session"
	"idp/token"
)

// Example is somebody with a bit of everything, to examine templates with where nobody is named.
func Example(now time.Time) token.Subject {
	const id = "user_example"
	return token.Subject{
		User: identity.User{
			ID: id, Status: identity.Active, ExternalID: "example-1", Groups: []string{"staff"}, Roles: []string{"editor"},
			Profile: identity.Profile{
				Name: "Ann Example", GivenName: "Ann", FamilyName: "Example", PreferredUsername: "ann",
				Picture: "https://example.com/ann.png", Locale: "en", Zoneinfo: "Europe/Oslo",
			},
			Metadata: identity.Metadata{
				Public: json.RawMessage(`{"team":"red","role":"member"}`), Private: json.RawMessage(`{"plan":"free"}`), Own: json.RawMessage(`{"theme":"dark"}`),
			},
			CreatedAt: now.Add(-24 * time.Hour), UpdatedAt: now.Add(-time.Hour),
		},
		Email: identity.Holding{UserID: id, Identifier: identity.Identifier{Kind: identity.Email, Value: "ann@example.com"}, Primary: true, VerifiedAt: now.Add(-24 * time.Hour)},
		Phone: identity.Holding{UserID: id, Identifier: identity.Identifier{Kind: identity.Phone, Value: "+15550100"}, Primary: true, VerifiedAt: now.Add(-24 * time.Hour)},
		Session: session.Session{
			ID: "sess_example", User: id, AuthTime: now, CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour),
			Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, At: now}},
		},
	}
}
