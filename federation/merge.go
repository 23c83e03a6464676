package federation

import (
	"maps"
	"strings"
)

// signedOnly are claims that decide something and count only if they are signed.
var signedOnly = []string{"iss", "aud", "azp", "exp", "iat", "nonce", "amr", "acr", "auth_time", "sid", "hd", "tid"}

// merge returns the claims of an ID token with what userinfo adds to them. What is signed goes
// before. An address and what is stated about it are taken from one of the two and never from
// both: a statement of the one says nothing about the address of the other. That both are about
// the same subject is for the caller to check first (OIDC Core §5.3.2).
func (c Connection) merge(token, info map[string]any) map[string]any {
	merged, added := maps.Clone(token), maps.Clone(info)
	if merged == nil {
		merged = map[string]any{}
	}
	for _, name := range signedOnly {
		delete(added, name)
	}
	drop := merged
	if v := c.said(token, "email"); v != nil {
		drop = added
	}
	for _, name := range c.aboutAddress() {
		delete(drop, name)
	}
	for name, v := range added {
		if _, taken := merged[name]; !taken {
			merged[name] = v
		}
	}
	return merged
}

// aboutAddress returns the claims in which an address or a statement about it may be.
func (c Connection) aboutAddress() []string {
	all := []string{"email", standard.Claim, c.preset().Emails.In}
	all = append(all, c.where("email")...)
	for _, flag := range c.preset().Rule {
		all = append(all, flag.Claim)
	}
	for _, path := range all {
		root, _, _ := strings.Cut(path, ".")
		all = append(all, root)
	}
	return all
}
