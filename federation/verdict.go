package federation

import (
	"slices"
	"strings"

	"idp/identity"
)

// This file is the only place where a provider's word about an address becomes our judgement.
// Whatever no rule here names is unverified: a claim that is absent, of another type, or spelled
// in another way; an address that came from another place than the one the claim speaks of.

// Rule says which of a provider's claims state that it checked the address. All of them must
// hold; a Rule without any believes nothing.
type Rule []Flag

// Flag is one claim and the spellings of yes that its document names.
type Flag struct {
	Claim string
	Yes   Spelling
}

// Spelling is a set of JSON values that mean yes.
type Spelling string

// The spellings.
const (
	True       Spelling = "true"                   // the JSON value true alone
	TrueText   Spelling = `true or "true"`         // Apple writes either
	TrueDigits Spelling = `true, 1, "1" or "true"` // Microsoft writes any of these
	One        Spelling = "1"                      // the number, as Zoom writes it
)

// says reports whether v is one of them.
func (s Spelling) says(v any) bool {
	switch s {
	case True:
		return v == true
	case TrueText:
		return v == true || v == "true"
	case TrueDigits:
		return v == true || v == "true" || v == "1" || number(v) == "1"
	case One:
		return number(v) == "1"
	}
	return false
}

// holds reports whether every flag of the rule says yes.
func (r Rule) holds(claims map[string]any) bool {
	for _, flag := range r {
		if !flag.Yes.says(lookup(claims, flag.Claim)) {
			return false
		}
	}
	return len(r) > 0
}

// judge says whether the address counts as proven. It has been found in claims by what finds
// them for the connection; foreign is whether another connection is the provider of its domain.
//
// In this order: nothing makes up for a missing address; an operator's never; a domain that is
// another connection's to speak for; the operator's other rules; SAML, where a provider speaks
// for its own domains alone; the preset's row, for the addresses that it speaks of; and for a provider that we do not know the claim of
// OpenID Connect Core §5.1, spelled as it is there.
func judge(c Connection, address identity.Identifier, claims map[string]any, foreign bool) Verdict {
	_, domain, _ := strings.Cut(address.Value, "@")
	p, known := preset(c.Preset)
	switch {
	case address.None():
		return Verdict{Why: "no_address"}
	case c.Trust.Email == TrustNever:
		return Verdict{Why: "never"}
	case foreign:
		return Verdict{Why: "domain_of_another"}
	case c.Type == SAML || c.Trust.Email == TrustDomains:
		return Verdict{Verified: slices.Contains(c.Domains, domain), Why: "domains"}
	case c.Preset != "" && !known:
		return Verdict{Why: "unknown_preset"}
	case known && c.Claims["email"] != "":
		return Verdict{Why: "address_from_elsewhere"} // what the row's claims say is about the usual one
	case c.Trust.Email == TrustClaim:
		return Verdict{Verified: p.claim().holds(p.about(claims)), Why: "claim"}
	case c.Trust.Email != "":
		return Verdict{Why: "unknown_rule"}
	case c.Claims["email"] != "":
		return Verdict{Why: "address_from_elsewhere"}
	case known && !p.handsOut(domain, claims):
		return Verdict{Why: "checked_once"}
	case known:
		return Verdict{Verified: p.Rule.holds(p.about(claims)), Why: "preset"}
	}
	return Verdict{Verified: Rule{standard}.holds(claims), Why: "claim"}
}

// handsOut reports whether the row believes the provider about addresses of that domain at all:
// because it hands them out, or because the row makes no difference.
func (p Preset) handsOut(domain string, claims map[string]any) bool {
	if len(p.Own) == 0 && p.Hosted == "" {
		return true
	}
	return slices.Contains(p.Own, domain) || p.Hosted != "" && text(lookup(claims, p.Hosted)) != ""
}

// standard is the claim of OpenID Connect.
var standard = Flag{Claim: "email_verified", Yes: True}

// foreign reports whether another connection, in force or not, is the provider of an address'
// domain.
func (f *Federation) foreign(c Connection, address identity.Identifier) bool {
	_, domain, _ := strings.Cut(address.Value, "@")
	if domain == "" || slices.Contains(c.Domains, domain) {
		return false
	}
	return slices.ContainsFunc(f.All(), func(other Connection) bool {
		return other.Name != c.Name && slices.Contains(other.Domains, domain)
	})
}

// meant returns the entry of the list that is the person's address: the only one that is primary.
func (l List) meant(claims map[string]any) (entry map[string]any, ok bool) {
	all, _ := lookup(claims, l.In).([]any)
	for _, e := range all {
		e, _ := e.(map[string]any)
		if e == nil || e[l.Primary] != true {
			continue
		}
		if ok {
			return nil, false // two that are the one
		}
		entry, ok = e, true
	}
	return entry, ok
}

// about returns what the provider's rules speak of: all claims, or the entry that is meant.
func (p Preset) about(claims map[string]any) map[string]any {
	if p.Emails.In == "" {
		return claims
	}
	entry, _ := p.Emails.meant(claims)
	return entry
}

// claim is the claim that an operator trusts who trusts the claim.
func (p Preset) claim() Rule {
	switch {
	case p.Claim != nil:
		return p.Claim
	case p.Rule != nil:
		return p.Rule
	}
	return Rule{standard}
}
