package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"idp/event"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

type ring struct {
	*token.KeySet
	t     *testing.T
	db    *storage.DB
	clock *storagetest.Clock
}

func each(t *testing.T, f func(t *testing.T, k ring)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		k := newRing(t, db, storagetest.NewClock())
		must(t, k.Ensure(t.Context()))
		f(t, k)
	})
}

func newRing(t *testing.T, db *storage.DB, clock *storagetest.Clock) ring {
	return ring{t: t, db: db, clock: clock, KeySet: &token.KeySet{
		Store: storage.NewKeys(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now, Make: storagetest.Private,
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (k ring) sign(p token.Purpose, alg string) string {
	k.t.Helper()
	raw, err := k.Sign(k.t.Context(), p, alg, "JWT", map[string]string{"sub": "user_1"})
	must(k.t, err)
	return raw
}

func (k ring) verifies(raw string) bool {
	_, err := k.Verify(k.t.Context(), token.OIDC, raw)
	if err != nil && !problem.Is(err, problem.Unauthenticated) {
		k.t.Fatal(err)
	}
	return err == nil
}

// published returns the kids in the key set.
func (k ring) published() map[string]bool {
	k.t.Helper()
	text, _ := k.JWKS()
	var set jose.JSONWebKeySet
	must(k.t, json.Unmarshal(text, &set))
	kids := map[string]bool{}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.Use != "enc" && (key.Use != "sig" || key.Algorithm == "") {
			k.t.Errorf("published %+v", key)
		}
		kids[key.KeyID] = true
	}
	return kids
}

func kidOf(t *testing.T, raw string) string {
	t.Helper()
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
	must(t, err)
	var h struct{ Kid string }
	must(t, json.Unmarshal(header, &h))
	return h.Kid
}

func TestKeysAreMadeOnceAndComeBackAfterARestart(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		raw := k.sign(token.OIDC, "RS256")
		again := newRing(t, k.db, k.clock)
		must(t, again.Ensure(t.Context()))
		if diff := cmp.Diff(k.published(), again.published()); diff != "" || len(k.published()) != 5 {
			t.Fatalf("keys changed: %s", diff)
		}
		if !again.verifies(raw) {
			t.Fatal("a token from before the restart")
		}
	})
}

func TestTwoProcessesStartingAtOnceAgreeOnTheKeys(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		clock := storagetest.NewClock()
		rings := []ring{newRing(t, db, clock), newRing(t, db, clock), newRing(t, db, clock)}
		errs := make(chan error, len(rings))
		for _, k := range rings {
			go func() { errs <- k.Ensure(t.Context()) }()
		}
		for range rings {
			must(t, <-errs)
		}
		must(t, rings[0].Reload(t.Context()))
		for _, k := range rings {
			if !rings[0].verifies(k.sign(token.OIDC, "ES256")) {
				t.Fatal("one process signs with a key the other does not know")
			}
		}
	})
}

func TestAKidIsTheThumbprintAndNoKeyServesTwoPurposes(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		seen := map[string]token.Purpose{}
		for _, key := range k.Keys() {
			sum, err := (&jose.JSONWebKey{Key: key.Private.Public()}).Thumbprint(crypto.SHA256)
			must(t, err)
			if key.ID != base64.RawURLEncoding.EncodeToString(sum) || seen[key.ID] != "" {
				t.Errorf("key %s", key.ID)
			}
			seen[key.ID] = key.Purpose
		}
		if k.verifies(k.sign(token.Session, "ES256")) {
			t.Error("a session token passed for an ID token")
		}
	})
}

func TestARotationPublishesFirstSignsLaterAndRetiresLast(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		ctx := t.Context()
		old := k.sign(token.OIDC, "RS256")
		_, before := k.JWKS()
		must(t, k.Rotate(ctx, token.OIDC, false, "operator:cli"))
		if n := len(k.published()); n != 7 {
			t.Fatalf("%d keys published, want two more", n)
		}
		if _, after := k.JWKS(); after == before {
			t.Error("the entity tag did not change")
		}
		if kidOf(t, k.sign(token.OIDC, "RS256")) != kidOf(t, old) {
			t.Fatal("the successor signs before anybody can know it")
		}
		k.clock.Add(59 * time.Minute)
		must(t, k.Advance(ctx))
		if kidOf(t, k.sign(token.OIDC, "RS256")) != kidOf(t, old) {
			t.Fatal("the successor signs within the hour")
		}
		k.clock.Add(time.Minute)
		must(t, k.Advance(ctx))
		if kidOf(t, k.sign(token.OIDC, "RS256")) == kidOf(t, old) || !k.verifies(old) || !k.published()[kidOf(t, old)] {
			t.Fatal("after the hour the successor signs, and what the old key signed stays good")
		}
		k.clock.Add(26 * time.Hour)
		must(t, k.Advance(ctx))
		if k.verifies(old) || k.published()[kidOf(t, old)] || len(k.published()) != 5 {
			t.Fatal("the old key is still there")
		}
	})
}

func TestAForcedRotationSignsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		old := k.sign(token.OIDC, "RS256")
		must(t, k.Rotate(t.Context(), token.OIDC, true, "operator:cli"))
		if kidOf(t, k.sign(token.OIDC, "RS256")) == kidOf(t, old) || !k.verifies(old) {
			t.Fatal("want the new key to sign and the old one to verify")
		}
		if err := k.Rotate(t.Context(), "dance", true, "operator:cli"); !problem.Is(err, problem.NotFound) {
			t.Errorf("unknown purpose: %v", err)
		}
	})
}

func TestKeysRotateByThemselvesEveryNinetyDays(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		ctx := t.Context()
		old := k.sign(token.OIDC, "ES256")
		for range 91 * 24 {
			k.clock.Add(time.Hour)
			if k.clock.Now().Hour() == 12 {
				must(t, k.Advance(ctx))
			}
		}
		if kidOf(t, k.sign(token.OIDC, "ES256")) == kidOf(t, old) {
			t.Fatal("the key of 91 days ago still signs")
		}
	})
}

func TestARetiredKeyIsRefusedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		raw := k.sign(token.OIDC, "RS256")
		other := newRing(t, k.db, k.clock)
		must(t, other.Ensure(t.Context()))
		must(t, k.Retire(t.Context(), kidOf(t, raw), "operator:cli"))
		if k.verifies(raw) || k.published()[kidOf(t, raw)] || !k.verifies(k.sign(token.OIDC, "RS256")) {
			t.Fatal("the retired key must be gone and another must sign")
		}
		must(t, other.Reload(t.Context()))
		if other.verifies(raw) {
			t.Fatal("another process takes it after reloading")
		}
		if err := k.Retire(t.Context(), kidOf(t, raw), "operator:cli"); !problem.Is(err, problem.NotFound) {
			t.Errorf("retiring twice: %v", err)
		}
		events, err := storage.NewEvents(k.db).List(t.Context(), storage.EventFilter{Kind: event.KeyRetired})
		must(t, err)
		if len(events) != 1 || events[0].Actor != "operator:cli" {
			t.Errorf("events %+v", events)
		}
	})
}

func TestForgedTokensDoNotVerify(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		good := k.sign(token.OIDC, "RS256")
		kid := kidOf(t, good)
		part := strings.Split(good, ".")
		strange, err := rsa.GenerateKey(rand.Reader, 2048)
		must(t, err)
		curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		var public any
		for _, key := range k.Keys() {
			if key.ID == kid {
				public = key.Private.Public()
			}
		}
		with := func(alg jose.SignatureAlgorithm, key any, kid string, embed bool) string {
			o := (&jose.SignerOptions{EmbedJWK: embed}).WithHeader("kid", kid)
			if embed {
				o = &jose.SignerOptions{EmbedJWK: true}
			}
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
			must(t, err)
			signed, err := s.Sign([]byte(`{"sub":"user_1"}`))
			must(t, err)
			raw, err := signed.CompactSerialize()
			must(t, err)
			return raw
		}
		b64 := base64.RawURLEncoding.EncodeToString
		for why, raw := range map[string]string{
			"none":               b64([]byte(`{"alg":"none","kid":"`+kid+`"}`)) + "." + part[1] + ".",
			"HMAC of the public": with(jose.HS256, public.(*rsa.PublicKey).N.Bytes(), kid, false),
			"a stranger's key":   with(jose.RS256, strange, kid, false),
			"its own key along":  with(jose.RS256, strange, "", true),
			"another algorithm":  with(jose.ES256, curve, kid, false),
			"a path as kid":      with(jose.RS256, strange, "../"+kid, false),
			"no kid":             with(jose.RS256, strange, "", false),
			"PSS":                with(jose.PS256, strange, kid, false),
			"critical unknown":   b64([]byte(`{"alg":"RS256","crit":["x"],"x":1,"kid":"`+kid+`"}`)) + "." + part[1] + "." + part[2],
			"other claims":       part[0] + "." + b64([]byte(`{"sub":"user_2"}`)) + "." + part[2],
			"cut":                good[:len(good)-2], "empty": "", "dots": strings.Repeat(".", 100_000), "one dot": ".",
			"JSON serialisation": `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
			"longer than 8 KiB":  good + strings.Repeat("A", 8192),
		} {
			if k.verifies(raw) {
				t.Errorf("%s passed", why)
			}
		}
	})
}

func TestPrivateKeysRestSealed(t *testing.T) {
	url := storagetest.SQLite(t)
	count := &storagetest.Counter{}
	db := storagetest.OpenURL(t, url, count)
	k := newRing(t, db, storagetest.NewClock())
	must(t, k.Ensure(t.Context()))
	written := strings.Join(count.Texts(), "\n")
	if !strings.Contains(written, "INSERT INTO signing_keys") || !strings.Contains(written, "'v1.") || strings.Contains(written, "PRIVATE KEY") {
		t.Fatal("a private key is written as it is")
	}
	if strings.Contains(written, "MIIE") || strings.Contains(written, "MIGH") { // PKCS #8 in base64
		t.Fatal("a private key is written in base64")
	}
}

func TestNoKeyIDLooksLikeAnOption(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		dashed := func() crypto.Signer {
			for {
				key, err := token.NewPrivate("EdDSA")
				must(t, err)
				if id, err := token.Thumbprint(key.Public()); err == nil && strings.HasPrefix(id, "-") {
					return key
				}
			}
		}
		made := 0
		k.Make = func(algorithm string) (crypto.Signer, error) {
			if made++; made <= 2 {
				return dashed(), nil
			}
			return token.NewPrivate(algorithm)
		}
		must(t, k.Offer(t.Context(), "EdDSA"))
		for _, key := range k.Keys() {
			if strings.HasPrefix(key.ID, "-") {
				t.Errorf("idp keys retire %s would be taken for an option", key.ID)
			}
		}
		if made < 3 {
			t.Errorf("%d keys were made", made)
		}
	})
}
