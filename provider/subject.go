package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"idp/identity"
	"idp/session"
)

// subject returns the name by which the client knows a person: the same for all public
// clients, one of its own for each sector of pairwise ones (OIDC Core §8). Names are made
// under a key of this instance, so that two clients cannot compare theirs.
func (p *Provider) subject(c Client, u identity.UserID) string {
	if !c.Pairwise {
		return string(u)
	}
	mac := hmac.New(sha256.New, p.pairwise)
	mac.Write([]byte(c.sector() + "\x00" + string(u)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sessionName returns the sid by which the client knows a session. Pairwise clients get one
// of their sector's, like the person's: by a common one they could compare their people.
func (p *Provider) sessionName(c Client, id session.ID) string {
	if !c.Pairwise || id == "" {
		return string(id)
	}
	mac := hmac.New(sha256.New, p.pairwise)
	mac.Write([]byte("session\x00" + c.sector() + "\x00" + string(id)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sector is what pairwise names are made for: better one of its own than one that the
// client shares by accident.
func (c Client) sector() string {
	if c.Sector == "" {
		return string(c.ID)
	}
	return c.Sector
}
