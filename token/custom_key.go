package token

import (
	"time"

	"idp/internal/secret"
)

// CustomKey is a template's own key, in place of the issuer's: a shared secret for HMAC, or a
// private key. It signs what the template makes and verifies nothing here; it is never
// published, and never shown again.
type CustomKey struct {
	ID       string        `json:"kid,omitempty"`   // kid of the tokens; "" leaves it out
	Material secret.String `json:"-"`               // HMAC: the secret; otherwise PKCS #8 in PEM. Storage keeps it sealed.
	SetAt    time.Time     `json:"set_at,omitzero"` // when it was given
}

// None reports that the issuer's key signs.
func (k CustomKey) None() bool { return k.Material.Empty() }
