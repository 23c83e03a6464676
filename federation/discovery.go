package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"idp/internal/problem"
)

// How long what a provider says of itself is believed, and how often it is asked.
const (
	documentFresh = time.Hour        // after that it is read again
	documentStale = 24 * time.Hour   // how long the old one serves while the provider does not answer
	documentPause = 10 * time.Second // between two tries to read it
	keyReads      = 6                // of a key set, in keyWindow: keys rotate, strangers must not make us a flood
	keyWindow     = time.Minute
	maxAnswer     = 1 << 20 // bytes of any answer
)

// Document is what of a provider's own description (OpenID Connect Discovery 1.0 §3, RFC 8414,
// RFC 9207) counts here.
type Document struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Exchange      string   `json:"token_endpoint"`
	Userinfo      string   `json:"userinfo_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Auths         []Auth   `json:"token_endpoint_auth_methods_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Modes         []string `json:"response_modes_supported"`
	Types         []string `json:"response_types_supported"`
	Scopes        []string `json:"scopes_supported"`
	Claims        []string `json:"claims_supported"`
	Contexts      []string `json:"acr_values_supported"`
	NamesIssuer   bool     `json:"authorization_response_iss_parameter_supported"`
}

// asymmetric are the signatures that only the provider can make. None and those by a shared
// secret are not among them, whatever a provider advertises.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// algorithms are those a token of the provider may be signed by.
func (d Document) algorithms() []string {
	if len(d.Algorithms) == 0 {
		return []string{"RS256"} // the one that every provider has to have
	}
	return slices.DeleteFunc(slices.Clone(asymmetric), func(a string) bool { return !slices.Contains(d.Algorithms, a) })
}

// auth is how the client proves itself there.
func (d Document) auth(c Connection) (Auth, error) {
	how := c.dialect().Auth
	switch {
	case c.ClientSecret.Empty():
		return AuthNone, nil
	case how != "":
		return how, nil
	case len(d.Auths) == 0 || slices.Contains(d.Auths, AuthBasic):
		return AuthBasic, nil
	case slices.Contains(d.Auths, AuthPost):
		return AuthPost, nil
	}
	return "", fmt.Errorf("the provider takes client secrets neither by basic nor by post, but by %q", d.Auths)
}

// upstream is a provider as it described itself, with the keys that it signs by.
type upstream struct {
	Document
	keys  *oidc.RemoteKeySet
	since time.Time // when keys began to be remembered
}

// described is what is remembered of one issuer's description.
type described struct {
	mu       sync.Mutex // held while it is read, so that one reads for all
	now      *upstream
	read     time.Time // when now was read; zero: to be read again
	first    time.Time // when a provider that does not answer was last heard
	tried    time.Time
	trouble  error // of the last try
	keyTries []time.Time
}

// descriptions are what is remembered.
type descriptions struct {
	mu sync.Mutex
	of map[provider]*described
}

// provider is whose description it is, and by which rule it may name itself: what is right by the
// rule of a preset is wrong for a connection that has none.
type provider struct{ issuer, issued string }

func (all *descriptions) entry(c Connection) *described {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.of == nil {
		all.of = map[provider]*described{}
	}
	of := provider{c.Issuer, c.dialect().Issued}
	d := all.of[of]
	if d == nil {
		d = &described{}
		all.of[of] = d
	}
	return d
}

// discover returns what a connection's provider says of itself: remembered for an hour, read
// again after that and after something failed. While a provider does not answer, what it last
// said serves for a day; a description that is wrong serves nobody.
func (f *Federation) discover(ctx context.Context, c Connection) (*upstream, error) {
	d := f.described.entry(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := f.Now()
	if d.now != nil && now.Before(d.read.Add(documentFresh)) {
		return d.now, nil
	}
	if !d.tried.IsZero() && now.Before(d.tried.Add(documentPause)) {
		return d.old(now)
	}
	d.tried = now
	doc, err := f.describe(context.WithoutCancel(ctx), c) // others wait for it too
	if problem.HasCode(err, ErrSetup.Code) {
		d.now = nil // not silence, but a wrong word
	}
	if d.trouble = err; err != nil {
		return d.old(now)
	}
	if d.now == nil || d.now.Keys != doc.Keys || !now.Before(d.now.since.Add(documentFresh)) { // a key that was withdrawn is forgotten, too
		d.now = &upstream{doc, f.keySet(ctx, d, doc.Keys), now}
	} else {
		d.now = &upstream{doc, d.now.keys, d.now.since}
	}
	d.read, d.first = now, now
	return d.now, nil
}

// old is what serves while there is nothing new.
func (d *described) old(now time.Time) (*upstream, error) {
	if d.now != nil && now.Before(d.first.Add(documentStale)) {
		return d.now, nil
	}
	return nil, d.trouble
}

// doubt has the description of a connection's provider read again before it is next used:
// something that it said did not hold.
func (f *Federation) doubt(c Connection) {
	d := f.described.entry(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read = time.Time{}
}

// describe reads a provider's description and checks it.
func (f *Federation) describe(ctx context.Context, c Connection) (Document, error) {
	if !f.Outbound.Proper(c.Issuer) {
		return Document{}, ErrSetup.Because(fmt.Errorf("issuer %q is no https address", c.Issuer))
	}
	body, err := f.Outbound.Get(ctx, descriptionOf(c), maxAnswer)
	if err != nil {
		return Document{}, ErrAway.Because(fmt.Errorf("read the description of %s: %w", c.Issuer, cause(err)))
	}
	var d Document
	if err := json.Unmarshal(body, &d); err != nil {
		return Document{}, ErrSetup.Because(fmt.Errorf("read the description of %s: %w", c.Issuer, err))
	}
	return d, f.checkDocument(c, d)
}

// descriptionOf is where an issuer's description is (OpenID Connect Discovery 1.0 §4).
func descriptionOf(c Connection) string {
	return strings.TrimSuffix(c.Issuer, "/") + "/.well-known/openid-configuration"
}

func (f *Federation) checkDocument(c Connection, d Document) error {
	if issued := c.dialect().Issued; d.Issuer == "" || d.Issuer != c.Issuer && d.Issuer != issued && !c.issues(d.Issuer) {
		return ErrSetup.Because(fmt.Errorf("the provider at %q says that it is %q", c.Issuer, d.Issuer))
	}
	for what, uri := range map[string]string{
		"authorization_endpoint": d.Authorization, "token_endpoint": d.Exchange, "jwks_uri": d.Keys, "userinfo_endpoint": d.Userinfo,
	} {
		if (uri != "" || what != "userinfo_endpoint") && !f.Outbound.Proper(uri) {
			return ErrSetup.Because(fmt.Errorf("%s of %s is no https address: %q", what, c.Issuer, uri))
		}
	}
	if len(d.algorithms()) == 0 {
		return ErrSetup.Because(fmt.Errorf("%s signs by none of the algorithms that only it can sign by: %q", c.Issuer, d.Algorithms))
	}
	return nil
}

// tenant is the id of a tenant in Microsoft's directory.
var tenant = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

const tenantMark = "{tenantid}"

// issues reports whether an issuer is one tenant of a provider that has many.
func (c Connection) issues(issuer string) bool {
	before, after, many := strings.Cut(c.dialect().Issued, tenantMark)
	if !many || !strings.HasPrefix(issuer, before) || !strings.HasSuffix(issuer, after) || len(issuer) < len(before)+len(after) {
		return false
	}
	return tenant.MatchString(issuer[len(before) : len(issuer)-len(after)])
}

// issuer returns the one issuer that a token with that tenant must have.
func (u *upstream) issuer(c Connection, tid string) string {
	if template := c.dialect().Issued; template != "" && u.Issuer == template {
		if !tenant.MatchString(tid) {
			return ""
		}
		return strings.Replace(template, tenantMark, tid, 1)
	}
	return u.Issuer
}

// keySet is the provider's keys, which go-oidc remembers and reads again for a key that it does
// not know.
func (f *Federation) keySet(ctx context.Context, d *described, uri string) *oidc.RemoteKeySet {
	client := f.Outbound.Within(maxAnswer)
	client.Transport = patient{client.Transport, d, f.Now}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), client), uri)
}

// patient lets keys be read only so often.
type patient struct {
	next http.RoundTripper
	d    *described
	now  func() time.Time
}

var errPatience = errors.New("its keys were read too often in the last minute")

// RoundTrip implements http.RoundTripper.
func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !p.d.mayReadKeys(p.now()) {
		return nil, errPatience
	}
	return p.next.RoundTrip(r)
}

func (d *described) mayReadKeys(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keyTries = slices.DeleteFunc(d.keyTries, func(t time.Time) bool { return !now.Before(t.Add(keyWindow)) })
	if len(d.keyTries) >= keyReads {
		return false
	}
	d.keyTries = append(d.keyTries, now)
	return true
}
