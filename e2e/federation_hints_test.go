package e2e

import (
	"strings"
	"testing"
	"time"
)

// onwards presses what leads to the provider, unless the browser was sent there at once.
func (b *browser) onwards() {
	b.t.Helper()
	for range 2 {
		switch {
		case b.Left != nil:
			return
		case b.Has("connection-go"):
			b.PressID("connection-go")
		case b.Has(button("other")):
			b.PressID(button("other"))
		default:
			b.Press("Continue")
		}
	}
}

func TestAnAppsRequestGoesByAProviderAndEndsAtTheApp(t *testing.T) {
	withParty(t, map[string]any{"domains": []string{"corp.example"}, "trust": map[string]any{"email": "domains"}},
		func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
			o.Says("carl", map[string]any{"email": "carl@corp.example"})
			began := time.Now()

			// The address that the app expects is passed on to the provider of its domain.
			b := newBrowser(t, i.Issuer)
			r := rp.ask(b, "login_hint", "carl@corp.example")
			b.onwards()
			if there := o.at(b); !strings.Contains(there.Body, `value="carl@corp.example"`) {
				t.Errorf("the provider was not told whom to expect:\n%s", there.Body)
			}
			first := rp.told(r, o.Enter(b, "carl", "Enter"))
			wantProof(t, first, "aal1", nil, began)
			if first["email"] != nil && first["email"] != "carl@corp.example" {
				t.Errorf("the claims are %v", first)
			}

			// Who is signed in is known to the next request, and silently.
			silent := rp.told(rp.ask(b, "prompt", "none"), b)
			if silent["sub"] != first["sub"] || silent["auth_time"] != first["auth_time"] {
				t.Errorf("silently %v, at first %v", silent, first)
			}
			stranger := newBrowser(t, i.Issuer)
			if rp.ask(stranger, "prompt", "none"); stranger.Left == nil || stranger.Left.Query().Get("error") != "login_required" {
				t.Errorf("a stranger is answered %v, at %s", stranger.Left, stranger.URL)
			}

			// A proof anew is asked of the provider, too, which knows the person and would not ask.
			time.Sleep(1100 * time.Millisecond) // so that auth_time tells
			later := time.Now()
			r = rp.ask(b, "prompt", "login", "login_hint", "carl@corp.example")
			b.onwards()
			if there := o.at(b); there.Left != nil {
				t.Fatalf("the provider did not ask for a proof anew, but sent the browser to %s", there.Left)
			}
			anew := rp.told(r, o.Enter(b, "carl", "Enter"))
			wantProof(t, anew, "aal1", nil, later)
			if params := o.Asked("carl"); anew["sub"] != first["sub"] || params["prompt"] != "login" {
				t.Errorf("anew %v, at first %v; the provider was asked %v", anew, first, params)
			}

			// A proof that is old enough for max_age is not asked for again; one that is not, is.
			young := rp.told(rp.ask(b, "max_age", "3600"), b)
			if young["auth_time"] != anew["auth_time"] {
				t.Errorf("max_age of an hour: %v, before %v", young, anew)
			}
			time.Sleep(2100 * time.Millisecond)
			later = time.Now()
			r = rp.ask(b, "max_age", "1")
			b.onwards()
			wantProof(t, rp.told(r, o.Enter(b, "carl", "Enter")), "aal1", nil, later)
		})
}

func TestADomainHintLeadsToTheProviderOfTheDomain(t *testing.T) {
	withParty(t, map[string]any{"domains": []string{"corp.example"}, "hidden": true, "trust": map[string]any{"email": "domains"}},
		func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
			o.Says("dora", map[string]any{"email": "dora@corp.example"})
			b := newBrowser(t, i.Issuer)
			if rp.ask(b); b.Left != nil || b.Has(button("other")) {
				t.Fatalf("the hidden connection is shown to everybody, at %s (left for %v)", b.URL, b.Left)
			}
			r := rp.ask(b, "domain_hint", "corp.example")
			b.onwards()
			wantProof(t, rp.told(r, o.Enter(b, "dora", "Enter")), "aal1", nil, time.Now().Add(-time.Minute))
			rp.ask(newBrowser(t, i.Issuer), "domain_hint", "nobody.example") // leads to no provider, and breaks nothing
		})
}
