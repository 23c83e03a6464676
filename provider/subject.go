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
	sector := c.sector()
	if sector == "" {
		return string(u)
	}
	mac := hmac.New(sha256.New, p.pairwise)
	mac.Write([]byte(sector + "\x00" + string(u)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sessionName returns the sid by which the client knows a session. Pairwise clients get one
// of their sector's, like the person's: by a common one they could compare their people.
func (p *Provider) sessionName(c Client, id session.ID) string {
	sector := c.sector()
	if sector == "" || id == "" {
		return string(id)
	}
	mac := hmac.New(sha256.New, p.pairwise)
	mac.Write([]byte("session\x00" + sector + "\x00" + string(id)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sector is what the client's names are made for, "" if it knows people as all public clients
// do: better one of its own than one that it shares by accident.
func (c Client) sector() string {
	switch {
	case !c.Pairwise:
		return ""
	case c.Sector == "":
		return string(c.ID)
	}
	return c.Sector
}

// moved reports whether the client has taken other names for people since this was
// authorized. Nothing from before tells it those: it may have moved to where it does not
// live, and could not have asked from there.
func (s Standing) moved(c Client) bool { return s.Facts.Sector != c.sector() }
