package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// withParty runs f on every engine with a connection to npm's oidc-provider, as more says of it, and a relying party
// of our own people.
func withParty(t *testing.T, more map[string]any, f func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty)) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", more))
		p := i.Start()
		f(t, i, p, o, newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), "email"))
	})
}

// ask opens the relying party's request with those parameters, given in pairs.
func (rp *relyingParty) ask(b *browser, pairs ...string) request {
	rp.t.Helper()
	var options []oauth2.AuthCodeOption
	for k := 0; k < len(pairs); k += 2 {
		options = append(options, oauth2.SetAuthURLParam(pairs[k], pairs[k+1]))
	}
	r := rp.begin(options...)
	b.Get(r.url)
	return r
}

// told redeems what the browser was sent back with and returns the claims of the ID token.
func (rp *relyingParty) told(r request, b *browser) map[string]any {
	rp.t.Helper()
	if b.Left == nil {
		rp.t.Fatalf("the browser was not sent back to the application, but is at %s:\n%s", b.URL, b.Text())
	}
	tok, err := rp.exchange(r, rp.code(r, b.Left))
	if err != nil {
		rp.t.Fatal(err)
	}
	return rp.identity(r, tok)
}

// wantProof fails unless the ID token says how and when the person proved themselves.
func wantProof(t testing.TB, claims map[string]any, acr string, amr []string, since time.Time) {
	t.Helper()
	var got []string
	if all, ok := claims["amr"].([]any); ok {
		for _, one := range all {
			got = append(got, fmt.Sprint(one))
		}
	}
	if claims["acr"] != acr || !slices.Equal(got, amr) {
		t.Errorf("acr is %v and amr %v, want %s and %v", claims["acr"], got, acr, amr)
	}
	at, _ := claims["auth_time"].(float64)
	if proven := time.Unix(int64(at), 0); proven.Before(since.Truncate(time.Second)) || proven.After(time.Now()) {
		t.Errorf("auth_time is %v, want one since %v", proven, since)
	}
}

func TestAnAppThatWantsTwoStepsGetsThemFromATrustedProvider(t *testing.T) {
	withParty(t, map[string]any{"trust": map[string]any{"mfa": true}},
		func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
			o.Says("mia", map[string]any{"email": "mia@example.com", "email_verified": true})
			began := time.Now()
			b := newBrowser(t, i.Issuer)
			r := rp.ask(b, "acr_values", "aal2")
			claims := rp.told(r, o.Enter(b.PressID(button("other")), "mia", "Enter in two steps"))
			wantProof(t, claims, "aal2", []string{"mfa", "otp", "pwd"}, began)

			// One step there is one step, trusted or not: nothing here to add, so none is claimed.
			one := newBrowser(t, i.Issuer)
			r = rp.ask(one)
			wantProof(t, rp.told(r, o.Enter(one.PressID(button("other")), "mia", "Enter")), "aal1", []string{"pwd"}, began)
		})
}

// setUpApp gives the person who is signed in an authenticator app and returns the backup codes.
func (b *browser) setUpApp() (codes []string) {
	b.t.Helper()
	b.Get("/account/security").Press("Set up an authenticator app")
	found := keyOnPage.FindStringSubmatch(b.Body)
	if found == nil {
		b.t.Fatalf("no key at %s:\n%s", b.URL, b.Text())
	}
	b.Fill("Then type the code that the app shows", appCode(b.t, anyTag.ReplaceAllString(found[1], ""), time.Now(), 0)).Press("Continue")
	for _, m := range backup.FindAllStringSubmatch(b.Body, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

// secondStep shows a backup code where the app is asked for.
func (b *browser) secondStep(code string) *browser {
	b.t.Helper()
	b.wantText("Two-step verification")
	return b.Get(b.URL.Path+"?method=backup_code").Fill("Backup code", code).Press("Continue")
}

func TestTheSecondStepHereIsAskedAfterAProviderWhateverItClaims(t *testing.T) {
	withParty(t, nil, func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
		o.Says("tom", map[string]any{"email": "tom@example.com", "email_verified": true})
		b := o.Enter(i.depart(t, "other"), "tom", "Enter")
		began := time.Now()
		codes := b.setUpApp()

		d := i.open()
		for k, acr := range []string{"", "aal2"} {
			next := newBrowser(t, i.Issuer)
			before := d.ledger()
			var more []string
			if acr != "" {
				more = []string{"acr_values", acr}
			}
			r := rp.ask(next, more...)
			o.Enter(next.PressID(button("other")), "tom", "Enter in two steps")
			if next.Left != nil {
				t.Fatalf("the provider's word, which nobody trusts, was enough: %s", next.Left)
			}
			d.grown(t, before, ledger{})
			next.secondStep(codes[k])
			wantProof(t, rp.told(r, next), "aal2", []string{"mfa", "otp"}, began)
		}
	})
}

func TestATrustedProviderSparesTheSecondStepHere(t *testing.T) {
	withParty(t, map[string]any{"trust": map[string]any{"mfa": true}}, func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
		o.Says("ute", map[string]any{"email": "ute@example.com", "email_verified": true})
		b := o.Enter(i.depart(t, "other"), "ute", "Enter")
		began := time.Now()
		codes := b.setUpApp()

		two := newBrowser(t, i.Issuer)
		r := rp.ask(two)
		wantProof(t, rp.told(r, o.Enter(two.PressID(button("other")), "ute", "Enter in two steps")), "aal2", []string{"mfa", "otp", "pwd"}, began)

		one := newBrowser(t, i.Issuer)
		r = rp.ask(one)
		if o.Enter(one.PressID(button("other")), "ute", "Enter"); one.Left != nil {
			t.Fatalf("one step there was enough: %s", one.Left)
		}
		one.secondStep(codes[0])
		wantProof(t, rp.told(r, one), "aal2", []string{"mfa", "otp", "pwd"}, began)
	})
}

func TestWhoRefusesAtTheProviderChoosesAnotherWayOrGoesBackToTheApp(t *testing.T) {
	withParty(t, nil, func(t *testing.T, i *instance, p *process, o openProvider, rp *relyingParty) {
		i.Person(ann, good)
		d := i.open()
		before := d.ledger()

		b := newBrowser(t, i.Issuer)
		r := rp.ask(b)
		o.Enter(b.PressID(button("other")), "", "Refuse")
		b.wantText("The other service", "choose another way")
		d.grown(t, before, ledger{})
		if b.Status >= 500 {
			t.Errorf("the page says %d", b.Status)
		}
		if !strings.Contains(strings.ToLower(b.Body), `type="password"`) {
			t.Fatalf("there is no other way:\n%s", b.Text())
		}
		claims := rp.told(r, signIn(b, ann, good))
		wantProof(t, claims, "aal1", []string{"pwd"}, time.Now().Add(-time.Minute))

		b = newBrowser(t, i.Issuer)
		rp.ask(b)
		o.Enter(b.PressID(button("other")), "", "Refuse")
		b.Press("Back to Acme")
		if b.Left == nil || !strings.HasPrefix(b.Left.String(), callback+"?") || b.Left.Query().Get("error") != "access_denied" {
			t.Errorf("back at the app is %v (at %s)", b.Left, b.URL)
		}
		d.grown(t, before, ledger{sessions: 1})
	})
}
