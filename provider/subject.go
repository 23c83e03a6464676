package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"idp/identity"
)

// subject returns the name by which the client knows a person: the same for all public
// clients, one of its own for each sector of pairwise ones (OIDC Core §8). Names are made
// under a key of this instance, so that two clients cannot compare theirs.
func (p *Provider) subject(c Client, u identity.UserID) string {
	if !c.Pairwise {
		return string(u)
	}
	sector := c.Sector
	if sector == "" { // better a sector of its own than one it shares by accident
		sector = string(c.ID)
	}
	mac := hmac.New(sha256.New, p.pairwise)
	mac.Write([]byte(sector + "\x00" + string(u)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
