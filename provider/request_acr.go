package provider

import (
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// contexts are the authentication contexts that a request can name, lowest first, each with what it
// takes of a session.
var contexts = []struct {
	acr   string
	takes session.Need
}{
	{identity.AAL1, session.Need{}},
	{identity.AAL2, session.Need{Categories: identity.Both}},
	{identity.PHR, session.Need{Categories: identity.Both, Resistant: true}},
}

// reach returns how many of the contexts, from the lowest, somebody can reach under those settings.
func reach(s login.Settings) int {
	switch {
	case s.Passkeys:
		return 3
	case len(s.Seconds()) > 0:
		return 2
	}
	return 1
}

// reachable returns the names of the first of the contexts.
func reachable(reach int) []string {
	var names []string
	for _, c := range contexts[:reach] {
		names = append(names, c.acr)
	}
	return names
}

// reach returns what can be reached just now.
func (p *Provider) reach() int {
	if p.SignIn == nil {
		return reach(login.DefaultSettings())
	}
	return reach(p.SignIn())
}

// errUnmet is of OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
var errUnmet = &fosite.RFC6749Error{
	ErrorField: "unmet_authentication_requirements", CodeField: 400,
	HintField: "Nobody can sign in here in a way that has that acr.",
}

// contextual finds the context that the session must reach: of what is demanded as an essential acr, else
// of what is wished for by acr, by acr_values or in the client's registration, the first that we know and
// somebody can reach (OIDC Core §3.1.2.1, §5.5.1.1; RFC 9470 §4). A wish that names none of them changes
// nothing: whatever comes is the truth. A demand is refused.
func (p *Provider) contextual(a *asked) error {
	wished := a.wished
	if len(wished) == 0 {
		wished = take(strings.Fields(a.Form.Get("acr_values")), maxACRs)
		if a.Form.Get("acr_values") == "" {
			wished = a.client.DefaultACRs
		}
	}
	acrs := wished
	if len(a.demanded) > 0 {
		acrs = a.demanded
	}
	for _, acr := range acrs {
		for _, c := range contexts[:p.reach()] {
			if c.acr == acr {
				a.acrs, a.context, a.takes = acrs, acr, c.takes
				return nil
			}
		}
	}
	if len(a.demanded) > 0 {
		return errUnmet
	}
	return nil
}

// acr returns what an ID token says of those proofs. Who reached more than was asked for
// reached that as well.
func (a *asked) acr(proofs []identity.Proof) string {
	reached := identity.ACR(proofs)
	if a.context == "" || slices.Contains(a.acrs, reached) {
		return reached
	}
	return a.context
}
