package login_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
)

func TestAPasskeySignsInAloneAndIsBothFactors(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().want(login.NeedsIdentifier).prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
		s := b.session()
		if s.User != ann.user() || identity.ACR(s.Proofs) != identity.PHR || strings.Join(identity.AMR(s.Proofs), " ") != "hwk mfa user" {
			t.Errorf("session of %s with %s %v", s.User, identity.ACR(s.Proofs), identity.AMR(s.Proofs))
		}
		f := h.key(s.User, identity.Passkey)
		if f.Counter != int64(d.cred.Counter) || !f.LastUsedAt.Equal(h.clock.Now()) || f.Credential != d.id() || s.Proofs[0].Credential != string(f.ID) {
			t.Errorf("on file: %+v, proof %+v", f, s.Proofs)
		}
	})
}

func TestAPasskeyNamesItsPersonWhateverAddressWasTyped(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		h.person("bob@acme.org", identity.Password)
		for _, typed := range []string{"ann@acme.org", "bob@acme.org", "nobody@acme.org"} {
			h.clock.Add(time.Second)
			b := h.browser().signIn().identify(typed).want(login.NeedsFirstFactor).prepare(identity.Passkey)
			b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
			if b.user() != ann.user() || b.view.Identifier != "ann@acme.org" {
				t.Errorf("after typing %s: %s, %s", typed, b.user(), b.view.Identifier)
			}
		}
	})
}

func TestAPasskeyIsTheSecondStepToo(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		b := h.browser().signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}

func TestASecurityKeyIsPossessionOnlyWhateverItsDeviceChecked(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.SecurityKey)
		b := h.browser().signIn()
		b.prepare(identity.SecurityKey).refused("method_unavailable", login.NeedsIdentifier)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).refused("key_foreign", login.NeedsIdentifier)
		b.identify("ann@acme.org").prepare(identity.SecurityKey).refused("method_unavailable", login.NeedsFirstFactor)
		for _, unverified := range []bool{false, true} {
			d.auth.Options.UserNotVerified = unverified
			h.clock.Add(time.Minute)
			b := h.browser().signIn().identify("ann@acme.org").prepare(identity.EmailCode)
			code := h.letters("ann@acme.org")[0].Code
			b.prove(identity.EmailCode, code).want(login.NeedsSecondFactor).prepare(identity.SecurityKey)
			if strings.Contains(string(b.asked()), `"userVerification":"required"`) {
				t.Errorf("a security key is asked for verification: %s", b.asked())
			}
			b.prove(identity.SecurityKey, d.signs(b.asked())).want(login.Complete)
			if s := b.session(); identity.ACR(s.Proofs) != identity.AAL2 || strings.Join(identity.AMR(s.Proofs), " ") != "hwk mfa otp" {
				t.Errorf("%s %v", identity.ACR(s.Proofs), identity.AMR(s.Proofs))
			}
		}
	})
}

func TestAPasskeyWithoutVerificationIsNoFactorAtAll(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		before := h.key(ann.user(), identity.Passkey)
		d.auth.Options.UserNotVerified = true
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).refused("key_unverified", login.NeedsIdentifier)
		b = h.browser().signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).refused("key_unverified", login.NeedsSecondFactor)
		if after := h.key(ann.user(), identity.Passkey); after != before {
			t.Errorf("the factor was used: %+v", after)
		}
		made := newDevice(t)
		made.auth.Options.UserNotVerified = true
		b = h.signedIn("bob@acme.org").within(login.Enroll).enroll(identity.Passkey, "")
		b.enrollConfirm(made.creates(b.made())).refused("key_unverified", login.NeedsEnrollment)
	})
}

func TestWhoHasAPasskeyCannotBeSeenBeforeAProof(t *testing.T) {
	each(t, func(h *house) {
		h.owner("ann@acme.org", identity.Passkey)
		h.person("bob@acme.org", identity.Password)
		var shapes []string
		for _, typed := range []string{"ann@acme.org", "bob@acme.org", "nobody@acme.org", ""} {
			b := h.browser().signIn()
			if typed != "" {
				b.identify(typed)
			}
			var o struct {
				PublicKey map[string]any `json:"publicKey"`
			}
			h.must(json.Unmarshal(b.prepare(identity.Passkey).asked(), &o))
			if _, listed := o.PublicKey["allowCredentials"]; listed || o.PublicKey["userVerification"] != "required" {
				t.Errorf("for %q: %v", typed, o.PublicKey)
			}
			delete(o.PublicKey, "challenge")
			shape, err := json.Marshal(o)
			h.must(err)
			shapes = append(shapes, string(shape))
		}
		if len(slices.Compact(shapes)) != 1 {
			t.Errorf("the requests differ: %v", shapes)
		}
	})
}

func TestAHandleIsRandomAndTheSameForAllOfAPersonsKeys(t *testing.T) {
	each(t, func(h *house) {
		ann, first := h.owner("ann@acme.org", identity.Passkey)
		_, other := h.owner("bob@acme.org", identity.Passkey)
		second := newDevice(t)
		b := ann.within(login.Enroll).enroll(identity.SecurityKey, "")
		if b.view.Step == login.NeedsSecondFactor || b.err != nil {
			t.Fatalf("%v", b.err)
		}
		if !strings.Contains(string(b.made()), first.id()) {
			t.Errorf("the first is not excluded: %s", b.made())
		}
		b.enrollConfirm(second.creates(b.made())).want(login.Complete)
		handle := first.auth.Options.UserHandle
		if len(handle) != 64 || !bytes.Equal(handle, second.auth.Options.UserHandle) || bytes.Equal(handle, other.auth.Options.UserHandle) {
			t.Errorf("handles %x, %x, %x", handle, second.auth.Options.UserHandle, other.auth.Options.UserHandle)
		}
		for _, told := range []string{"ann@acme.org", string(b.user())} {
			if bytes.Contains(handle, []byte(told)) {
				t.Errorf("the handle tells %s", told)
			}
		}
	})
}

func TestAPasskeyWorksWhileThePasswordIsLocked(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		stranger := h.browser()
		for range 12 {
			stranger.signIn().identify("ann@acme.org").prove(identity.Password, wrongPassword)
		}
		if len(h.recorded(event.SignInLocked)) == 0 {
			t.Fatal("the address is not locked")
		}
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}

func TestABannedPersonsPasskeyIsRefused(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		h.ban(ann.user())
		b := h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, d.signs(b.asked())).refused("account_suspended", login.Abandoned)
	})
}

func TestWhatTheOperatorSwitchedOffIsNotAsked(t *testing.T) {
	each(t, func(h *house) {
		h.settings.Passkeys = false
		h.browser().signIn().prepare(identity.Passkey).refused("method_unavailable", login.NeedsIdentifier)
		h.signedIn("ann@acme.org").within(login.Enroll).enroll(identity.Passkey, "").refused("method_unavailable", login.NeedsEnrollment)
		h.settings.Passkeys, h.engine.WebAuthn = true, nil
		h.browser().signIn().prepare(identity.Passkey).refused("method_unavailable", login.NeedsIdentifier)
	})
}

func TestWithinASessionOnlyOnesOwnPasskeyWillDo(t *testing.T) {
	each(t, func(h *house) {
		ann, d := h.owner("ann@acme.org", identity.Passkey)
		_, eves := h.owner("eve@acme.org", identity.Passkey)
		b := ann.within(login.StepUp).want(login.NeedsFirstFactor).prepare(identity.Passkey)
		if !strings.Contains(string(b.asked()), d.id()) || strings.Contains(string(b.asked()), eves.id()) {
			t.Errorf("asked for %s", b.asked())
		}
		b.prove(identity.Passkey, eves.signs(b.asked())).refused("key_foreign", login.NeedsFirstFactor)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}

func TestAKeyIsCalledByItsMakeOrAsItsPersonSays(t *testing.T) {
	each(t, func(h *house) {
		bitwarden := [16]byte{0xd5, 0x48, 0x82, 0x6e, 0x79, 0xb4, 0xdb, 0x40, 0xa3, 0xd8, 0x11, 0x11, 0x6f, 0x7e, 0x83, 0x49}
		for _, c := range []struct {
			aaguid       [16]byte
			typed, named string
			m            identity.Method
		}{
			{bitwarden, "", "Bitwarden", identity.Passkey},
			{[16]byte{}, "", "Passkey", identity.Passkey},
			{[16]byte{9}, "", "Security key", identity.SecurityKey},
			{bitwarden, "  My \n phone ", "My phone", identity.Passkey},
			{bitwarden, strings.Repeat("long ", 40), strings.TrimSpace(strings.Repeat("long ", 12)), identity.Passkey},
		} {
			d := newDevice(t)
			d.auth.Aaguid = c.aaguid
			b := h.signedIn(strings.ToLower(secret.NewID("ann"))+"@acme.org").within(login.Enroll).enroll(c.m, c.typed)
			b.enrollConfirm(d.creates(b.made())).want(login.Complete)
			if f := h.key(b.user(), c.m); f.Name != c.named {
				t.Errorf("%q is called %q, not %q", c.typed, f.Name, c.named)
			}
		}
	})
}
