package login

import (
	"slices"
	"strings"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
)

// This file is about addresses whose domain has a provider of its own: where people of that
// domain are sent first, and, if the operator says so, the only way they sign in by. What is
// offered before anything was proven follows from the domain alone, never from who is here.

// ErrEnforced says that an address cannot come on file by its code.
var ErrEnforced = problem.New(problem.Forbidden, "domain_enforced", "People with addresses of this domain sign in by their organization. Sign in there to use this address.").On("address")

// domain returns the connection in force that is the provider of an address' domain.
func (p Policy) domain(i identity.Identifier) (federation.Connection, bool) {
	_, domain, _ := strings.Cut(i.Value, "@")
	if i.Kind != identity.Email || domain == "" {
		return federation.Connection{}, false
	}
	for _, c := range p.Connections {
		if slices.Contains(c.Domains, domain) {
			return c, true
		}
	}
	return federation.Connection{}, false
}

// enforces is domain, if people of that domain may come in no other way.
func (p Policy) enforces(i identity.Identifier) (federation.Connection, bool) {
	c, ok := p.domain(i)
	return c, ok && c.Enforce
}

// bound returns the connections of which the person still has to come by one: those of the
// address that was named and of every address that they have proven.
func bound(a Attempt, f Facts, p Policy) []federation.Connection {
	var all []federation.Connection
	add := func(i identity.Identifier) {
		if c, ok := p.enforces(i); ok && !slices.ContainsFunc(all, func(x federation.Connection) bool { return x.Name == c.Name }) {
			all = append(all, c)
		}
	}
	add(a.Identifier)
	for _, h := range f.Holdings {
		if h.Verified() {
			add(h.Identifier)
		}
	}
	if slices.ContainsFunc(all, a.cameBy) {
		return nil
	}
	return all
}

// cameBy reports whether the connection brought the person here.
func (a Attempt) cameBy(c federation.Connection) bool {
	m := c.Method()
	if a.Goal == SignUp && a.UserID == "" && a.Upstream != nil && a.Upstream.Account.Method == m {
		return true
	}
	return slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool { return p.Method == m })
}

// exempt reports whether the person may come in by other ways than their domain's: an operator
// who shows a second factor, because somebody has to mend what is broken while the provider is down.
func (f Facts) exempt(p Policy) bool { return f.User.Operator && f.hasSecond(p) }

// detained reports whether all that was proven counts for nothing until the person came by
// the provider of their domain.
func detained(a Attempt, f Facts, p Policy) bool { return len(bound(a, f, p)) > 0 && !f.exempt(p) }

// breaksGlass reports whether a password may be tried where the domain's provider is the only
// way that is offered. It can be right for an exempt operator only; to everybody else it is wrong,
// at the same cost.
func breaksGlass(a Attempt, f Facts, p Policy) bool {
	_, enforced := p.enforces(a.Identifier)
	return enforced && p.Password && !a.Goal.within() && !a.Reset && Next(a, f, p) == NeedsFirstFactor
}

func methodsBy(connections []federation.Connection) []identity.Method {
	var methods []identity.Method
	for _, c := range connections {
		methods = append(methods, c.Method())
	}
	return methods
}

// foremost puts the method of the domain's provider first.
func (p Policy) foremost(i identity.Identifier, methods []identity.Method) []identity.Method {
	c, ok := p.domain(i)
	if !ok {
		return methods
	}
	own := c.Method()
	return append([]identity.Method{own}, slices.DeleteFunc(methods, func(m identity.Method) bool { return m == own })...)
}
