package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/internal/problem"
)

// issuerRel is the relation that asks for an OpenID Provider (OIDC Discovery §2).
const issuerRel = "http://openid.net/specs/connect/1.0/issuer"

// resourceDescriptor is what WebFinger answers (RFC 7033 §4.4).
type resourceDescriptor struct {
	Subject string         `json:"subject"`
	Links   []resourceLink `json:"links"`
}

type resourceLink struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

var (
	errNoResource = problem.New(problem.Malformed, "resource_missing", "Name one resource, like ?resource=acct:ann@example.com.")
	errNotOurs    = problem.New(problem.NotFound, "resource_unknown", "This service knows nothing about that host.")
)

const maxResource = 2048 // bytes

// WebFinger answers GET /.well-known/webfinger: the issuer for anybody at a host of ours
// (RFC 7033, OIDC Discovery §2). It looks nobody up, so that it cannot tell who has an account.
func (p *Provider) WebFinger(w http.ResponseWriter, r *http.Request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(q["resource"]) != 1 || q.Get("resource") == "" || len(q.Get("resource")) > maxResource {
		return errNoResource.Because(err)
	}
	host, ok := hostOfResource(q.Get("resource"))
	if !ok {
		return errNoResource
	}
	if !p.answersFor(host) {
		return errNotOurs
	}
	d := resourceDescriptor{Subject: q.Get("resource"), Links: []resourceLink{}}
	if rels := q["rel"]; len(rels) == 0 || slices.Contains(rels, issuerRel) {
		d.Links = append(d.Links, resourceLink{Rel: issuerRel, Href: p.Issuer})
	}
	body, err := ready(d)
	if err != nil {
		return err
	}
	return serve(w, r, body, "application/jrd+json")
}

// answersFor reports whether the host is the issuer's, with or without its port, or one
// that the operator listed.
func (p *Provider) answersFor(host string) bool {
	at, err := url.Parse(p.Issuer)
	if err != nil {
		return false
	}
	host = strings.ToLower(host)
	return host == at.Host || host == at.Hostname() || slices.Contains(p.WebFingerHosts, host)
}

// hostOfResource returns the host, with the port if it has one, of an acct: or http(s) URI.
func hostOfResource(resource string) (string, bool) {
	scheme, rest, _ := strings.Cut(resource, ":")
	switch strings.ToLower(scheme) {
	case "acct": // RFC 7565: the user may hold an escaped @, so the last one counts
		i := strings.LastIndexByte(rest, '@')
		if i < 1 || strings.ContainsAny(rest, "/?#") {
			return "", false
		}
		return rest[i+1:], rest[i+1:] != ""
	case "https", "http":
		u, err := url.Parse(resource)
		if err != nil || u.Host == "" {
			return "", false
		}
		return u.Host, true
	}
	return "", false
}
