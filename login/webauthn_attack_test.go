package login_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

// sessionsOf counts what somebody has.
func (h *house) sessionsOf(b *browser) int {
	h.Helper()
	all, err := h.sessions.OnBrowser(h.Context(), b.jar.ID)
	h.must(err)
	return len(all)
}

func TestAPasskeyOfAnotherPlaceIsRefused(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		before := h.key(ann.user(), identity.Passkey)
		for _, c := range []struct{ why, origin, id string }{
			{"another site", "https://id.example.net", "id.example.com"},
			{"a sibling", "https://evil.example.com", "id.example.com"},
			{"a child", "https://a.id.example.com", "id.example.com"},
			{"without TLS", "http://id.example.com", "id.example.com"},
			{"another port", "https://id.example.com:8443", "id.example.com"},
			{"below, and listed by nobody", "https://evil.id.example.com", "id.example.com"},
			{"with a user", "https://x@id.example.com", "id.example.com"},
			{"with a path", "https://id.example.com/sign-in", "id.example.com"},
			{"in capitals", "https://ID.example.com", "id.example.com"},
			{"nowhere", "null", "id.example.com"},
			{"bound to a parent", origin, "example.com"},
			{"bound to another", origin, "id.example.net"},
		} {
			evil := d.twin()
			evil.site.Origin, evil.site.ID = c.origin, c.id
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, evil.signs(b.asked())).refused("key_refused", login.NeedsIdentifier)
			if h.sessionsOf(b) != 0 {
				t.Errorf("%s: there is a session", c.why)
			}
			made := newDevice(t)
			made.site = evil.site
			m := ann.tab()
			m.view.SessionID = ann.view.SessionID
			m.within(login.Enroll).enroll(identity.Passkey, "")
			m.enrollConfirm(made.creates(m.made())).refused("key_refused", login.NeedsEnrollment)
		}
		if after := h.key(ann.user(), identity.Passkey); after != before {
			t.Errorf("the factor was used: %+v", after)
		}
		for _, listed := range []string{"https://app.example.org", "https://app.id.example.com"} {
			d.site.Origin = listed
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
			made := newDevice(t)
			made.site.Origin = listed
			m := ann.tab()
			m.view.SessionID = ann.view.SessionID
			m.within(login.Enroll).enroll(identity.Passkey, "")
			ann = m.enrollConfirm(made.creates(m.made())).want(login.Complete)
		}
	})
}

func TestAPasskeyInAFrameOfAnotherSiteIsRefused(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		for _, more := range []map[string]any{
			{"crossOrigin": true}, {"crossOrigin": true, "topOrigin": origin}, {"topOrigin": "https://evil.example"}, {"type": "webauthn.create"}, {"type": "payment.get"},
		} {
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, d.forges(b.asked(), more)).refused("key_refused", login.NeedsIdentifier)
		}
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.forges(b.asked(), nil)).want(login.Complete) // the forger can do it right, too
	})
}

func TestAnAnswerCountsOnceEvenInARace(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().prepare(identity.Passkey)
		answer := d.signs(b.asked())
		replica := *h.engine // another process on the same database
		var wg sync.WaitGroup
		won := make(chan login.View, 10)
		for i := range 10 {
			engine := h.engine
			if i%2 == 1 {
				engine = &replica
			}
			wg.Go(func() {
				v, err := engine.Prove(t.Context(), b.at(), identity.Passkey, secret.NewString(answer))
				if err == nil && v.Cookie != nil {
					won <- v
				} else if err != nil && problem.Is(err, problem.Unknown) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 || h.sessionsOf(b) != 1 {
			t.Errorf("%d of ten won, %d sessions", len(won), h.sessionsOf(b))
		}
		again := h.browser().signIn().prepare(identity.Passkey)
		again.prove(identity.Passkey, answer).refused("key_refused", login.NeedsIdentifier)
	})
}

func TestAWrongAnswerUsesTheChallengeUp(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().prepare(identity.Passkey)
		asked := b.asked()
		b.prove(identity.Passkey, d.forges(asked, map[string]any{"crossOrigin": true})).refused("key_refused", login.NeedsIdentifier)
		b.prove(identity.Passkey, d.signs(asked)).refused("key_spent", login.NeedsIdentifier)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
		if n := len(h.recorded(event.SignInFailed)); n != 2 {
			t.Errorf("%d failures are on record", n)
		}
		made := newDevice(t)
		b = h.signedIn("bob@acme.org").within(login.Enroll).enroll(identity.Passkey, "")
		wanted := b.made()
		b.enrollConfirm("{}").refused("key_unreadable", login.NeedsEnrollment)
		b.enrollConfirm(made.creates(wanted)).refused("key_spent", login.NeedsEnrollment)
	})
}

func TestAChallengeLivesFiveMinutes(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().prepare(identity.Passkey)
		h.clock.Add(6 * time.Minute)
		b.prove(identity.Passkey, d.signs(b.asked())).refused("key_spent", login.NeedsIdentifier)
		b.prepare(identity.Passkey)
		h.clock.Add(4*time.Minute + 59*time.Second)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
		made := newDevice(t)
		b = h.signedIn("bob@acme.org").within(login.Enroll).enroll(identity.Passkey, "")
		h.clock.Add(5 * time.Minute)
		b.enrollConfirm(made.creates(b.made())).refused("key_spent", login.NeedsEnrollment)
	})
}

func TestAChallengeIsForOneCeremonyOneMethodAndOneAttempt(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		_, bobs := h.owner("bob@acme.org", identity.Passkey)

		made := ann.within(login.Enroll).enroll(identity.Passkey, "").made()
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.forges(made, nil)).refused("key_refused", login.NeedsIdentifier)
		bs := b.prepare(identity.Passkey).asked()
		other := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(other.asked())).refused("key_refused", login.NeedsIdentifier)
		other.prove(identity.Passkey, d.signs(bs)).refused("key_refused", login.NeedsIdentifier)

		second := h.browser().signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor).prepare(identity.Passkey)
		second.prove(identity.Passkey, bobs.signs(second.asked())).refused("key_foreign", login.NeedsSecondFactor)
		second.prepare(identity.Passkey)
		mixed := d.twin()
		mixed.auth.Options.UserHandle = bobs.auth.Options.UserHandle
		second.prove(identity.Passkey, mixed.signs(second.asked())).refused("key_refused", login.NeedsSecondFactor)

		first := h.browser().signIn().identify("ann@acme.org").prepare(identity.Passkey)
		asked := first.asked()
		first.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		first.prove(identity.Passkey, d.signs(asked)).refused("key_refused", login.NeedsSecondFactor) // asked of nobody in particular

		stranger := h.browser()
		stranger.view = b.prepare(identity.Passkey).view
		stranger.prove(identity.Passkey, d.signs(b.asked()))
		if !problem.HasCode(stranger.err, "attempt_unknown") {
			t.Errorf("another browser: %v", stranger.err)
		}
	})
}

func TestADiscoveredPasskeyMustNameItsPerson(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		_, bobs := h.owner("bob@acme.org", identity.Passkey)
		for _, handle := range [][]byte{nil, []byte("ann@acme.org"), bobs.auth.Options.UserHandle} {
			d := d.twin()
			d.auth.Options.UserHandle = handle
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, d.signs(b.asked())).refused("key_refused", login.NeedsIdentifier)
		}
		unknown := newDevice(t)
		unknown.auth.Options.UserHandle = d.auth.Options.UserHandle
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, unknown.signs(b.asked())).refused("key_unknown", login.NeedsIdentifier)
	})
}

func TestACounterThatDoesNotMoveOnIsACopyAndThePersonIsTold(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		d.cred.Counter = 9
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
		if f := h.key(ann.user(), identity.Passkey); f.Counter != 10 {
			t.Fatalf("the counter is %d", f.Counter)
		}
		for i, counter := range []uint32{5, 10, 0} {
			d.cred.Counter = counter
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, d.signsAt(b.asked())).refused("key_cloned", login.NeedsIdentifier)
			if f := h.key(ann.user(), identity.Passkey); f.Counter != 10 || h.sessionsOf(b) != 0 {
				t.Errorf("after %d: %+v", counter, f)
			}
			if said := h.recorded(event.PasskeyCloned); len(said) != i+1 || said[0].User != string(ann.user()) {
				t.Errorf("on record: %+v", said)
			}
			h.letter("ann@acme.org", message.Changed)
		}
		d.cred.Counter = 10
		b = h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}

func TestAnAuthenticatorThatDoesNotCountIsNoCopy(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		for range 3 {
			b := h.browser().signIn().prepare(identity.Passkey)
			b.prove(identity.Passkey, d.signsAt(b.asked())).want(login.Complete)
		}
	})
}

func TestACredentialBelongsToOnePersonOnly(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		eve := h.signedIn("eve@acme.org")
		id, standing := eve.user(), eve.view.SessionID
		for _, m := range []identity.Method{identity.Passkey, identity.SecurityKey} {
			copied := d.twin()
			eve.within(login.Enroll).enroll(m, "")
			eve.enrollConfirm(copied.creates(eve.made())).refused("key_taken", login.NeedsEnrollment)
			eve.view.SessionID = standing
		}
		p, err := h.people.Person(t.Context(), id)
		h.must(err)
		if len(p.Factors) != 1 {
			t.Errorf("eve has %+v", p.Factors)
		}
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}

func TestOnlyStrongKeysAreTaken(t *testing.T) {
	each(t, func(h *house) {
		ec := func(c elliptic.Curve) (x, y []byte) {
			k, err := ecdsa.GenerateKey(c, rand.Reader)
			h.must(err)
			raw, err := k.PublicKey.Bytes()
			h.must(err)
			return raw[1 : 1+len(raw)/2], raw[1+len(raw)/2:]
		}
		modulus := func(bits int) []byte {
			n := bytes.Repeat([]byte{0xc5}, bits/8)
			if bits >= 2048 {
				k, err := rsa.GenerateKey(rand.Reader, bits)
				h.must(err)
				n = k.N.Bytes()
			}
			return n
		}
		edwards, _, err := ed25519.GenerateKey(rand.Reader)
		h.must(err)
		x256, y256 := ec(elliptic.P256())
		x384, y384 := ec(elliptic.P384())
		for _, c := range []struct {
			why  string
			key  []byte
			id   int
			want string
		}{
			{"ES256", cose(1, 2, 3, -7, -1, 1, -2, x256, -3, y256), 32, ""},
			{"EdDSA", cose(1, 1, 3, -8, -1, 6, -2, []byte(edwards)), 32, ""},
			{"RS256 of 2048 bits", cose(1, 3, 3, -257, -1, modulus(2048), -2, []byte{1, 0, 1}), 1023, ""},
			{"RS256 of 1024 bits", cose(1, 3, 3, -257, -1, modulus(1024), -2, []byte{1, 0, 1}), 32, "key_weak"},
			{"RS256 of 1024 bits behind zeros", cose(1, 3, 3, -257, -1, append(make([]byte, 128), modulus(1024)...), -2, []byte{1, 0, 1}), 32, "key_weak"},
			{"RS1, with SHA-1", cose(1, 3, 3, -65535, -1, modulus(2048), -2, []byte{1, 0, 1}), 32, "key_weak"},
			{"ES384, which we did not ask for", cose(1, 2, 3, -35, -1, 2, -2, x384, -3, y384), 32, "key_weak"},
			{"no point of the curve", cose(1, 2, 3, -7, -1, 1, -2, x256, -3, x256), 32, "key_weak"},
			{"an algorithm nobody knows", cose(1, 2, 3, -999, -1, 1, -2, x256, -3, y256), 32, "key_weak"},
			{"an id of 1024 bytes", cose(1, 2, 3, -7, -1, 1, -2, x256, -3, y256), 1024, "key_unreadable"},
		} {
			d := newDevice(t)
			d.cred.ID = make([]byte, c.id)
			_, _ = rand.Read(d.cred.ID)
			b := h.signedIn(strings.ToLower(secret.NewID("someone"))+"@acme.org").within(login.Enroll).enroll(identity.Passkey, "")
			b.enrollConfirm(d.makes(b.made(), c.key, nil))
			if c.want == "" && (b.err != nil || b.view.Step != login.Complete) || c.want != "" && !problem.HasCode(b.err, c.want) {
				t.Errorf("%s: %v at %s", c.why, b.err, b.view.Step)
			}
		}
	})
}

func TestAHugeAnswerIsRefusedUnread(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().prepare(identity.Passkey)
		var said map[string]any
		h.must(json.Unmarshal([]byte(d.signs(b.asked())), &said))
		said["padding"] = string(bytes.Repeat([]byte("x"), 64<<10))
		huge, err := json.Marshal(said)
		h.must(err)
		b.prove(identity.Passkey, string(huge)).refused("key_unreadable", login.NeedsIdentifier)
	})
}
