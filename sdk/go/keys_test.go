package idp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"idp/sdk/go"
)

// eventually waits for what a fetch in the background brings about.
func eventually(t *testing.T, about string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: " + about)
		}
	}
}

func TestKeysAreFetchedOnceForManyAndKeptForTheirAge(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	v := i.verifier(idp.Options{})
	token := s.sign(t, s.header(), i.claims())

	held := make(chan struct{})
	i.set(func() { i.held = held })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "the first fetch", func() bool { return i.fetched.Load() == 1 })
	close(held)
	all.Wait()
	i.later(30 * time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if n := i.fetched.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}

	// An hour later they are asked for again, and are the same.
	i.later(time.Hour)
	if _, err := v.Verify(t.Context(), s.sign(t, s.header(), i.claims())); err != nil {
		t.Error(err)
	}
	if n, same := i.fetched.Load(), i.same.Load(); n != 2 || same != 1 {
		t.Errorf("%d fetches, %d of them unchanged", n, same)
	}
}

func TestTheAgeOfKeysIsWhatTheAnswerSays(t *testing.T) {
	for control, age := range map[string]time.Duration{
		"public, max-age=600":  10 * time.Minute,
		"max-age=3600":         time.Hour,
		"MAX-AGE=\"1200\"":     20 * time.Minute,
		"":                     10 * time.Minute,
		"no-store":             10 * time.Minute,
		"max-age=0":            time.Minute,
		"max-age=999999999999": 24 * time.Hour,
		"max-age=-5":           10 * time.Minute,
	} {
		t.Run(control, func(t *testing.T) {
			i := newIssuer(t)
			s := newSigner(t, "k1", "ES256")
			i.publish(s.jwk())
			i.set(func() { i.control = control })
			v := i.verifier(idp.Options{})
			verify := func() {
				t.Helper()
				if _, err := v.Verify(t.Context(), s.sign(t, s.header(), i.claims())); err != nil {
					t.Fatal(err)
				}
			}
			verify()
			i.later(age - time.Second)
			verify()
			if n := i.fetched.Load(); n != 1 {
				t.Fatalf("%d fetches before their time was over", n)
			}
			i.later(2 * time.Second)
			verify() // served at once, while they are fetched
			eventually(t, "a fetch", func() bool { return i.fetched.Load() == 2 })
		})
	}
}

func TestANewKeyIsTakenUpAndStrangersCannotMakeUsAsk(t *testing.T) {
	i := newIssuer(t)
	old, fresh, stranger := newSigner(t, "k1", "ES256"), newSigner(t, "k2", "ES256"), newSigner(t, "k9", "ES256")
	i.publish(old.jwk())
	v := i.verifier(idp.Options{})
	if _, err := v.Verify(t.Context(), old.sign(t, old.header(), i.claims())); err != nil {
		t.Fatal(err)
	}
	i.publish(old.jwk(), fresh.jwk())
	// Within a minute of the last fetch nobody is asked about an unknown kid.
	if _, err := v.Verify(t.Context(), fresh.sign(t, fresh.header(), i.claims())); !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("at once: %v", err)
	}
	i.later(61 * time.Second)
	if _, err := v.Verify(t.Context(), fresh.sign(t, fresh.header(), i.claims())); err != nil {
		t.Errorf("after a minute: %v", err)
	}
	before := i.fetched.Load()
	for n := range 200 {
		i.later(time.Second)
		stranger.kid = fmt.Sprint("made-up-", n)
		if _, err := v.Verify(t.Context(), stranger.sign(t, stranger.header(), i.claims())); !errors.Is(err, idp.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if n := i.fetched.Load() - before; n < 3 || n > 4 {
		t.Errorf("200 unknown keys in 200 seconds made %d fetches", n)
	}
}

func TestAKeyThatTheIssuerWithdrewIsRefusedOnceItsTimeIsOver(t *testing.T) {
	i := newIssuer(t)
	bad, good := newSigner(t, "k1", "ES256"), newSigner(t, "k2", "ES256")
	i.publish(bad.jwk(), good.jwk())
	v := i.verifier(idp.Options{})
	if _, err := v.Verify(t.Context(), bad.sign(t, bad.header(), i.claims())); err != nil {
		t.Fatal(err)
	}
	i.publish(good.jwk())
	i.later(12 * time.Minute)
	if _, err := v.Verify(t.Context(), bad.sign(t, bad.header(), i.claims())); !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func TestOldKeysServeWhileTheIssuerIsDownAndNotForEver(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	v := i.verifier(idp.Options{})
	verify := func() error {
		_, err := v.Verify(t.Context(), s.sign(t, s.header(), i.claims()))
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	i.set(func() { i.down = true })
	i.later(15 * time.Minute)
	for range 50 {
		if err := verify(); err != nil {
			t.Fatalf("while it is down: %v", err)
		}
	}
	if n := i.fetched.Load(); n != 2 {
		t.Errorf("asked %d times at one moment", n)
	}
	i.later(54 * time.Minute)
	if err := verify(); err != nil {
		t.Errorf("after 69 minutes: %v", err)
	}
	eventually(t, "another try", func() bool { return i.fetched.Load() == 3 })
	i.later(2 * time.Minute)
	if err := verify(); !errors.Is(err, idp.ErrKeys) || errors.Is(err, idp.ErrInvalid) {
		t.Errorf("after 71 minutes: %v", err)
	}
	i.set(func() { i.down = false })
	i.later(11 * time.Second)
	if err := verify(); err != nil {
		t.Errorf("once it is back: %v", err)
	}
}

func TestWithoutKeysNothingIsBelievedAndNothingIsCalledForged(t *testing.T) {
	s := newSigner(t, "k1", "ES256")
	for about, spoil := range map[string]func(*issuer){
		"it is down":     func(i *issuer) { i.down = true },
		"no keys at all": func(i *issuer) { i.keys = nil },
		"no usable keys": func(i *issuer) { i.keys = []map[string]any{{"kty": "oct", "kid": "k1", "k": "AAAA"}} },
		"a private key leaked": func(i *issuer) {
			leaked := s.jwk()
			leaked["d"] = "AAAA"
			i.keys = []map[string]any{leaked}
		},
		"two keys of one name": func(i *issuer) { i.keys = []map[string]any{s.jwk(), newSigner(t, "k1", "ES256").jwk()} },
		"a point off the curve": func(i *issuer) {
			off := s.jwk()
			off["y"] = off["x"]
			i.keys = []map[string]any{off}
		},
		"the keys are elsewhere": func(i *issuer) {
			other := newIssuer(i.t)
			other.publish(s.jwk())
			i.moved = other.URL + "/.well-known/jwks.json"
		},
		"a document without an end": func(i *issuer) { i.keys, i.padding = []map[string]any{s.jwk()}, 256<<10 },
		"a key for another algorithm": func(i *issuer) {
			named := s.jwk()
			named["alg"] = "ES384"
			i.keys = []map[string]any{named}
		},
		"a key for something else": func(i *issuer) {
			limited := s.jwk()
			limited["key_ops"] = []string{"deriveKey"}
			i.keys = []map[string]any{limited}
		},
	} {
		t.Run(about, func(t *testing.T) {
			i := newIssuer(t)
			i.set(func() { spoil(i) })
			_, err := i.verifier(idp.Options{}).Verify(t.Context(), s.sign(t, s.header(), i.claims()))
			if !errors.Is(err, idp.ErrKeys) || errors.Is(err, idp.ErrInvalid) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAnRSAKeyThatIsTooWeakSignsNothing(t *testing.T) {
	r := newSigner(t, "k1", "RS256")
	small, even, one := r.jwk(), r.jwk(), r.jwk()
	small["n"] = b64(madeRSA().N.Bytes()[:128])
	even["e"], one["e"] = b64([]byte{4}), b64([]byte{1})
	for about, key := range map[string]map[string]any{
		"1024 bits": small, "an even exponent": even, "an exponent of one": one,
	} {
		i := newIssuer(t)
		i.publish(key)
		if _, err := i.verifier(idp.Options{}).Verify(t.Context(), r.sign(t, r.header(), i.claims())); !errors.Is(err, idp.ErrKeys) {
			t.Errorf("%s: %v", about, err)
		}
	}
}

func TestWhoeverGoesAwayDoesNotKeepOthersFromTheKeys(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	held := make(chan struct{})
	i.set(func() { i.held = held })
	v := i.verifier(idp.Options{})
	token := s.sign(t, s.header(), i.claims())
	impatient, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := v.Verify(impatient, token)
		first <- err
	}()
	eventually(t, "the first fetch", func() bool { return i.fetched.Load() == 1 })
	leave()
	if err := <-first; !errors.Is(err, idp.ErrKeys) || !errors.Is(err, context.Canceled) {
		t.Errorf("who went away: %v", err)
	}
	close(held)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("who stayed: %v", err)
	}
	if n := i.fetched.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}
