package federation

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"idp/internal/problem"
)

// Report is what trying a connection found, step by step. Nobody is signed in by it.
type Report struct {
	Connection string    `json:"connection"`
	Callback   string    `json:"callback"` // what to register at the provider
	Findings   []Finding `json:"findings"`
}

// Finding is what one step found.
type Finding struct {
	Step   string `json:"step"` // a stable name: address, document, issuer …
	Result Result `json:"result"`
	Says   string `json:"says"`         // what was found, in a sentence
	Do     string `json:"do,omitempty"` // what to do about it
}

// Result is how a step went.
type Result string

// The results. With a warning people can sign in, though something may be missing.
const (
	Fine    Result = "ok"
	Warning Result = "warning"
	Trouble Result = "problem"
)

// OK reports whether people could sign in by the connection, as far as can be told from here.
func (r Report) OK() bool {
	return len(r.Findings) > 0 && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Result == Trouble })
}

func (r *Report) fine(step, says string, args ...any) {
	r.Findings = append(r.Findings, Finding{Step: step, Result: Fine, Says: fmt.Sprintf(says, args...)})
}

func (r *Report) warn(step, do, says string, args ...any) {
	r.Findings = append(r.Findings, Finding{Step: step, Result: Warning, Says: fmt.Sprintf(says, args...), Do: do})
}

func (r *Report) fail(step, do, says string, args ...any) {
	r.Findings = append(r.Findings, Finding{Step: step, Result: Trouble, Says: fmt.Sprintf(says, args...), Do: do})
}

// tester is a protocol that can try a connection.
type tester interface {
	test(ctx context.Context, c Connection, r *Report)
}

// Test tries a connection, saved or not, without remembering anything. It must not run in a transaction.
func (f *Federation) Test(ctx context.Context, c Connection) Report {
	c = c.filled()
	r := Report{Connection: c.Name, Callback: f.Callback(c)}
	if c.Disabled {
		r.warn("enabled", "Enable it when it is ready.", "The connection is disabled: nobody signs in by it.")
	}
	p, err := f.speak(c)
	if err != nil {
		r.fail("type", "Make it oidc, oauth2 or saml.", "Nobody here speaks %q.", c.Type)
		return r
	}
	if t, can := p.(tester); can {
		_ = f.visit(ctx, func(ctx context.Context) error { t.test(ctx, c, &r); return nil }) // what took too long is among the findings
	}
	return r
}

// test implements tester.
func (p connect) test(ctx context.Context, c Connection, r *Report) {
	d, ok := p.f.testDocument(ctx, c, r)
	if !ok {
		return
	}
	p.f.testKeys(ctx, d, r)
	p.testWays(c, d, r)
	how, err := d.auth(c)
	if err != nil {
		r.fail("client", "Ask the provider to let the client use client_secret_basic or client_secret_post.", "The provider takes no client secret in a way that is spoken here, but by %s.", quoted(d.Auths))
		return
	}
	p.f.testClient(ctx, c, d.Exchange, how, r)
}

// testDocument reads the provider's description.
func (f *Federation) testDocument(ctx context.Context, c Connection, r *Report) (Document, bool) {
	var d Document
	at := descriptionOf(c)
	if !f.Outbound.Proper(c.Issuer) {
		r.fail("address", "Write the issuer as the provider gives it, beginning with https://.", "The issuer %q is no https address.", c.Issuer)
		return d, false
	}
	body, err := f.Outbound.Get(ctx, at, maxAnswer)
	if err != nil {
		r.fail("address", "Open that address in a browser. Check the issuer, and that this server may reach it (outbound_allow for private addresses).", "%s cannot be read: %s.", at, cause(err))
		return d, false
	}
	r.fine("address", "%s answers.", at)
	if json.Unmarshal(body, &d) != nil {
		r.fail("document", "Check the issuer: what it serves there must be a discovery document.", "What %s answers is no discovery document.", at)
		return d, false
	}
	r.fine("document", "It is a discovery document.")
	err = f.checkDocument(c, Document{Issuer: d.Issuer, Authorization: c.Issuer, Exchange: c.Issuer, Keys: c.Issuer})
	if err != nil {
		r.fail("issuer", "Write it in the connection exactly so, byte for byte.", "The provider calls itself %q, the connection calls it %q.", d.Issuer, c.Issuer)
		return d, false
	}
	r.fine("issuer", "The provider calls itself %s.", d.Issuer)
	if err := f.checkDocument(c, d); err != nil {
		r.fail("endpoints", "The provider has to correct its description.", "%s.", errors.Unwrap(err))
		return d, false
	}
	r.fine("endpoints", "All its addresses may be called from here.")
	return d, true
}

// testKeys reads the keys that the provider signs by.
func (f *Federation) testKeys(ctx context.Context, d Document, r *Report) {
	const do = "Ask the provider: without these keys nothing that it says can be checked."
	body, err := f.Outbound.Get(ctx, d.Keys, maxAnswer)
	if err != nil {
		r.fail("keys", do, "Its keys at %s cannot be read: %s.", d.Keys, cause(err))
		return
	}
	var set struct {
		Keys []struct {
			Type    string `json:"kty"`
			Use     string `json:"use"`
			Alg     string `json:"alg"`
			Modulus string `json:"n"`
		} `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil {
		r.fail("keys", do, "What is at %s is no key set.", d.Keys)
		return
	}
	usable, short := 0, false
	for _, k := range set.Keys {
		switch modulus, _ := base64.RawURLEncoding.DecodeString(k.Modulus); {
		case k.Use == "enc", k.Alg != "" && !slices.Contains(d.algorithms(), k.Alg):
		case k.Type == "RSA":
			usable, short = usable+1, short || len(modulus) < 256
		case k.Type == "EC", k.Type == "OKP":
			usable++
		}
	}
	switch {
	case usable == 0:
		r.fail("keys", do, "None of its %d keys is for signatures by %s.", len(set.Keys), strings.Join(d.algorithms(), ", "))
	case short:
		r.warn("keys", "Ask the provider for keys of at least 2048 bits.", "An RSA key of the provider is shorter than 2048 bits.")
	default:
		r.fine("keys", "%d of its keys can sign, by %s.", usable, strings.Join(d.algorithms(), ", "))
	}
}

// testWays compares what is asked of the provider with what it says that it can do.
func (p connect) testWays(c Connection, d Document, r *Report) {
	u := &upstream{Document: d}
	if len(d.Types) > 0 && !slices.Contains(d.Types, "code") {
		r.fail("response_type", "Choose a provider that has the authorization code flow.", "It does not offer response_type=code, only %s.", quoted(d.Types))
	} else {
		r.fine("response_type", "It offers the authorization code flow.")
	}
	switch {
	case c.dialect().NoPKCE || !u.challenged(c):
		r.warn("pkce", "Nothing: state and nonce bind the answer.", "It is not sent a PKCE challenge, since it does not take S256.")
	case len(d.Challenges) == 0:
		r.warn("pkce", `If it refuses the request, set the option pkce to "no".`, "It does not say whether it knows PKCE; a challenge is sent all the same.")
	default:
		r.fine("pkce", "It knows PKCE with S256.")
	}
	if len(d.Modes) > 0 && !slices.Contains(d.Modes, "query") && !slices.Contains(d.Modes, "form_post") {
		r.fail("response_mode", "The provider has to answer by query or form_post.", "It answers only by %s.", quoted(d.Modes))
	} else {
		r.fine("response_mode", "It answers in a way that is understood here.")
	}
	unknown := slices.DeleteFunc(slices.Clone(c.scopes()), func(s string) bool { return slices.Contains(d.Scopes, s) })
	if len(d.Scopes) > 0 && len(unknown) > 0 {
		r.warn("scopes", "Check their spelling, or that the provider lets this client ask for them.", "It does not list the scopes %s.", quoted(unknown))
	} else {
		r.fine("scopes", "Asked for are the scopes %s.", quoted(c.scopes()))
	}
	p.testEmail(c, d, r)
}

// testEmail says whether addresses will count as proven.
func (p connect) testEmail(c Connection, d Document, r *Report) {
	known := func(claim string) bool { return len(d.Claims) == 0 || slices.Contains(d.Claims, claim) }
	switch {
	case c.Preset != "" || c.Claims["email"] != "" || c.Trust.Email == TrustNever || c.Trust.Email == TrustDomains:
		r.fine("email", "When an address counts as proven is for the connection's own rule.")
	case !known("email"):
		r.warn("email", "Let the provider send the claim email, or name the one that has it under claims.", "It does not list the claim email: people will be asked for their address, and prove it here.")
	case !known("email_verified"):
		r.warn("email", "Let the provider send email_verified, or set trust.email to domains if it hands the addresses out.", "It does not list the claim email_verified: people will prove their address here.")
	default:
		r.fine("email", "An address counts as proven if email_verified is true.")
	}
}

// test implements tester.
func (p plain) test(ctx context.Context, c Connection, r *Report) {
	if err := p.proper(c); err != nil {
		r.fail("endpoints", "Write all three endpoints as the provider gives them, beginning with https://.", "%s.", errors.Unwrap(err))
		return
	}
	r.fine("endpoints", "All its addresses may be called from here.")
	p.f.testClient(ctx, c, c.TokenEndpoint, c.auth(), r)
}

// testClient sends a code that was never given out. Who then complains of the code knew the client.
func (f *Federation) testClient(ctx context.Context, c Connection, uri string, how Auth, r *Report) {
	d := Departure{State: NewState("test"), At: f.Now()}
	_, err := f.exchange(ctx, c, uri, how, f.grant(c, d, NewState("test"), !c.dialect().NoPKCE))
	said := ""
	if why := errors.Unwrap(err); why != nil {
		said = why.Error()
	}
	switch {
	case problem.HasCode(err, ErrAway.Code):
		r.fail("client", "Check that this server may reach the token endpoint.", "The token endpoint does not answer: %s.", said)
	case problem.HasCode(err, ErrSetup.Code):
		r.fail("client", "Check client_id and client_secret, and that the provider's application is enabled.", "The provider does not know this client: %s.", said)
	case strings.HasSuffix(said, "error invalid_grant") || strings.HasSuffix(said, "error bad_verification_code"):
		r.fine("client", "The provider knows the client.")
	default:
		r.warn("client", "Sign in by the connection to see.", "Whether the provider knows the client cannot be told: %s.", said)
	}
}

func quoted[T ~string](all []T) string {
	if len(all) == 0 {
		return "none"
	}
	var words []string
	for _, one := range all {
		words = append(words, strconv.QuoteToASCII(clip(string(one))))
	}
	return strings.Join(words, ", ")
}
