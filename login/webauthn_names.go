package login

import (
	_ "embed"
	"strings"

	"github.com/google/uuid"

	"idp/identity"
)

// authenticators are well-known makes by their AAGUID, as the community list of passkey
// providers and the makers of keys publish them.
//
//go:embed authenticators.txt
var authenticators string

// makeOf is what a key is called until its person gives it a name: the make, if the device
// told and we know it.
func makeOf(aaguid []byte, m identity.Method) string {
	if id, err := uuid.FromBytes(aaguid); err == nil && id != uuid.Nil {
		for line := range strings.Lines(authenticators) {
			if known, name, ok := strings.Cut(line, " "); ok && known == id.String() {
				return strings.TrimSpace(name)
			}
		}
	}
	if m == identity.Passkey {
		return "Passkey"
	}
	return "Security key"
}
