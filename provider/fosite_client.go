package provider

import (
	"slices"
	"time"

	"github.com/ory/fosite"
)

// party shows a client to fosite. Its redirect URIs are the one that our matcher accepted.
type party struct {
	Client
	redirect string
}

var (
	_ fosite.Client             = party{}
	_ fosite.ResponseModeClient = party{}
)

// GetID returns the client's id.
func (p party) GetID() string { return string(p.ID) }

// GetHashedSecret returns nothing: we authenticate clients ourselves.
func (party) GetHashedSecret() []byte { return nil }

// GetRedirectURIs returns the one redirect URI this request may use.
func (p party) GetRedirectURIs() []string { return []string{p.redirect} }

// GetGrantTypes returns the grant types it is registered for.
func (p party) GetGrantTypes() fosite.Arguments { return p.GrantTypes }

// GetResponseTypes returns the response types it is registered for.
func (p party) GetResponseTypes() fosite.Arguments { return p.ResponseTypes }

// GetScopes returns the scopes it may ask for.
func (p party) GetScopes() fosite.Arguments { return p.Scopes }

// IsPublic reports whether it cannot keep a secret.
func (p party) IsPublic() bool { return p.Public() }

// GetAudience returns the API resources it may name.
func (p party) GetAudience() fosite.Arguments { return p.Audience }

// GetResponseModes returns the ways of answering that exist.
func (party) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery, fosite.ResponseModeFragment, fosite.ResponseModeFormPost}
}

// facts is fosite's session: it carries nothing that we keep.
type facts struct {
	subject string
	expires map[fosite.TokenType]time.Time
}

var _ fosite.Session = (*facts)(nil)

func newFacts(subject string) *facts {
	return &facts{subject: subject, expires: map[fosite.TokenType]time.Time{}}
}

// SetExpiresAt notes fosite's idea of an expiry; ours is kept instead.
func (f *facts) SetExpiresAt(key fosite.TokenType, at time.Time) { f.expires[key] = at }

// GetExpiresAt returns what SetExpiresAt noted.
func (f *facts) GetExpiresAt(key fosite.TokenType) time.Time { return f.expires[key] }

// GetUsername returns nothing.
func (*facts) GetUsername() string { return "" }

// GetSubject returns the person's id.
func (f *facts) GetSubject() string { return f.subject }

// Clone copies it.
func (f *facts) Clone() fosite.Session {
	c := newFacts(f.subject)
	for k, v := range f.expires {
		c.expires[k] = v
	}
	return c
}

// allowed is how scopes match: exactly.
func allowed(registered []string, scope string) bool { return slices.Contains(registered, scope) }
