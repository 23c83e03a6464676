package partykeys_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider/partykeys"
)

// made are key pairs, one of each kind; making RSA keys is slow.
var made = sync.OnceValue(func() map[string]crypto.Signer {
	r, err1 := rsa.GenerateKey(rand.Reader, 2048)
	p256, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err3 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, err4 := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	_, ed, err5 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{"rsa": r, "P-256": p256, "P-384": p384, "P-521": p521, "ed": ed}
})

var kindOf = map[string]string{
	"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
	"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "ed",
}

func set(t testing.TB, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func public(kind, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: made()[kind].Public(), KeyID: kid}
}

func sign(t testing.TB, algorithm string, key any, headers map[string]any, claims string) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for k, v := range headers {
		options.ExtraHeaders[jose.HeaderKey(k)] = v
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := j.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const longSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func noFetch(context.Context, string) ([]byte, error) {
	return nil, errors.New("nothing may be fetched")
}

func keys(t testing.TB) *partykeys.Keys {
	t.Helper()
	return &partykeys.Keys{Fetch: noFetch, Now: time.Now}
}

func TestEveryAlgorithmVerifiesAndEveryOtherIsRefused(t *testing.T) {
	owner := partykeys.Owner{
		ID: "c", Secrets: []secret.String{secret.NewString(longSecret)},
		JWKS: set(t, public("rsa", ""), public("P-256", ""), public("P-384", ""), public("P-521", ""), public("ed", "")),
	}
	all := append(append([]string{}, partykeys.SigningAlgorithms...), partykeys.HMACAlgorithms...)
	for _, algorithm := range all {
		var key any = []byte(longSecret)
		if kind := kindOf[algorithm]; kind != "" {
			key = made()[kind]
		}
		raw := sign(t, algorithm, key, map[string]any{"typ": "JWT"}, `{"sub":"x"}`)
		got, err := keys(t).Verify(t.Context(), owner, raw, []string{algorithm})
		if err != nil || got.Algorithm != algorithm || got.Type != "JWT" || string(got.Claims) != `{"sub":"x"}` {
			t.Errorf("%s: %+v, %v", algorithm, got, err)
		}
		for _, other := range all {
			if other == algorithm {
				continue
			}
			if _, err := keys(t).Verify(t.Context(), owner, raw, []string{other}); !errors.Is(err, error(partykeys.ErrUnverified)) && !problem.HasCode(err, "signature_unverified") {
				t.Errorf("%s passed where only %s is accepted: %v", algorithm, other, err)
			}
		}
	}
}

func TestForgedAndAmbiguousTokensAreRefused(t *testing.T) {
	mine, theirs := made()["rsa"].(*rsa.PrivateKey), mustRSA(t)
	owner := partykeys.Owner{ID: "c", JWKS: set(t, public("rsa", "k1")), Secrets: []secret.String{secret.NewString(longSecret)}}
	everything := append(append([]string{"none"}, partykeys.SigningAlgorithms...), partykeys.HMACAlgorithms...)
	good := sign(t, "RS256", mine, map[string]any{"kid": "k1"}, `{"sub":"x"}`)
	part := strings.Split(good, ".")
	header := func(h string) string { return base64.RawURLEncoding.EncodeToString([]byte(h)) }
	modulus := mine.N.Bytes()
	for why, raw := range map[string]string{
		"another's key":                         sign(t, "RS256", theirs, map[string]any{"kid": "k1"}, `{}`),
		"a key the token brings along":          sign(t, "RS256", theirs, map[string]any{"jwk": jose.JSONWebKey{Key: theirs.Public()}}, `{}`),
		"a key set the token points to":         sign(t, "RS256", theirs, map[string]any{"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}, `{}`),
		"a kid that is a path":                  sign(t, "RS256", theirs, map[string]any{"kid": "../../dev/null"}, `{}`),
		"HMAC with the public modulus":          sign(t, "HS256", modulus, nil, `{}`),
		"HMAC with the registered set":          sign(t, "HS256", []byte(owner.JWKS), nil, `{}`),
		"an unknown critical header":            sign(t, "RS256", mine, map[string]any{"crit": []string{"exp"}, "exp": 1}, `{}`),
		"a payload that is not encoded":         part[0] + "." + part[1] + "." + part[2] + ".",
		"no algorithm":                          header(`{"alg":"none"}`) + "." + part[1] + ".",
		"another spelling of no algorithm":      header(`{"alg":"NONE"}`) + "." + part[1] + ".",
		"two algorithms":                        header(`{"alg":"RS256","alg":"none"}`) + "." + part[1] + "." + part[2],
		"b64":                                   header(`{"alg":"RS256","b64":false}`) + "." + part[1] + "." + part[2],
		"a stripped signature":                  part[0] + "." + part[1] + ".",
		"a member that occurs twice":            sign(t, "RS256", mine, nil, `{"sub":"x","sub":"y"}`),
		"a member in two spellings":             sign(t, "RS256", mine, nil, `{"sub":"x","SUB":"y"}`),
		"a member that occurs twice, deeper in": sign(t, "RS256", mine, nil, `{"a":[{"b":1,"b":2}]}`),
		"a list":                                sign(t, "RS256", mine, nil, `[1]`),
		"two objects":                           sign(t, "RS256", mine, nil, `{}{}`),
		"nesting without end":                   sign(t, "RS256", mine, nil, `{"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`),
		"a hundred thousand dots":               strings.Repeat(".", 100_000),
		"too much":                              sign(t, "RS256", mine, nil, `{"a":"`+strings.Repeat("x", partykeys.MaxToken)+`"}`),
		"nothing":                               "",
	} {
		if got, err := keys(t).Verify(t.Context(), owner, raw, everything); err == nil {
			t.Errorf("%s passed as %+v", why, got)
		}
	}
	if _, err := keys(t).Verify(t.Context(), owner, good, everything); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if _, err := keys(t).Verify(t.Context(), owner, good, nil); err == nil {
		t.Error("with no algorithm accepted it passed")
	}
}

func TestAnEmptySecretSignsNothing(t *testing.T) {
	owner := partykeys.Owner{ID: "c", Secrets: []secret.String{secret.NewString("")}}
	part := strings.Split(sign(t, "HS256", []byte(longSecret), nil, `{}`), ".")
	if _, err := keys(t).Verify(t.Context(), owner, strings.Join(part, "."), partykeys.HMACAlgorithms); err == nil {
		t.Fatal("passed")
	}
}

func TestAnyLiveSecretVerifies(t *testing.T) {
	owner := partykeys.Owner{ID: "c", Secrets: []secret.String{secret.NewString("new" + longSecret), secret.NewString(longSecret)}}
	if _, err := keys(t).Verify(t.Context(), owner, sign(t, "HS256", []byte(longSecret), nil, `{}`), partykeys.HMACAlgorithms); err != nil {
		t.Fatal(err)
	}
}

func TestAKeyVerifiesOnlyWhatItIsFor(t *testing.T) {
	raw := sign(t, "RS256", made()["rsa"], nil, `{}`)
	for _, c := range []struct {
		use, algorithm string
		passes         bool
	}{{"", "", true}, {"sig", "RS256", true}, {"", "PS256", false}, {"enc", "", false}, {"enc", "RS256", false}, {"other", "", false}} {
		key := public("rsa", "")
		key.Use, key.Algorithm = c.use, c.algorithm
		_, err := keys(t).Verify(t.Context(), partykeys.Owner{ID: "c", JWKS: set(t, key)}, raw, []string{"RS256"})
		if (err == nil) != c.passes {
			t.Errorf("use %q, alg %q: %v", c.use, c.algorithm, err)
		}
	}
}

// home is a jwks_uri.
type home struct {
	mu    sync.Mutex
	set   json.RawMessage
	down  bool
	calls atomic.Int32
	now   atomic.Int64
	keys  *partykeys.Keys
}

func newHome(t *testing.T, set json.RawMessage) *home {
	t.Helper()
	h := &home{set: set}
	h.now.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	h.keys = &partykeys.Keys{
		Fetch: func(context.Context, string) ([]byte, error) {
			h.calls.Add(1)
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.down {
				return nil, errors.New("down")
			}
			return h.set, nil
		},
		Now: func() time.Time { return time.Unix(h.now.Load(), 0).UTC() },
	}
	return h
}

func (h *home) change(set json.RawMessage, down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set, h.down = set, down
}

func (h *home) sleep(d time.Duration) { h.now.Add(int64(d / time.Second)) }

var fetchedOwner = partykeys.Owner{ID: "c", URI: "https://rp.example/jwks"}

func (h *home) verify(t *testing.T, kid, kind string) error {
	t.Helper()
	headers := map[string]any{}
	if kid != "" {
		headers["kid"] = kid
	}
	algorithm := map[string]string{"rsa": "RS256", "P-256": "ES256"}[kind]
	_, err := h.keys.Verify(t.Context(), fetchedOwner, sign(t, algorithm, made()[kind], headers, `{}`), []string{"RS256", "ES256"})
	return err
}

func (h *home) fetches(t *testing.T, want int32) {
	t.Helper()
	if got := h.calls.Load(); got != want {
		t.Fatalf("%d fetches, want %d", got, want)
	}
}

func TestFetchedKeysAreKeptAndANewKidIsLookedUp(t *testing.T) {
	h := newHome(t, set(t, public("rsa", "old")))
	for range 3 {
		if err := h.verify(t, "old", "rsa"); err != nil {
			t.Fatal(err)
		}
	}
	h.fetches(t, 1)
	h.change(set(t, public("P-256", "new")), false)
	if err := h.verify(t, "new", "P-256"); err != nil {
		t.Fatalf("after the client changed its keys: %v", err)
	}
	h.fetches(t, 2)
	if err := h.verify(t, "old", "rsa"); err == nil {
		t.Fatal("the key that is gone still verifies")
	}
	h.fetches(t, 2)
	h.sleep(11 * time.Minute)
	if err := h.verify(t, "new", "P-256"); err != nil {
		t.Fatal(err)
	}
	h.fetches(t, 3)
}

func TestANewKeyWithoutKidIsLookedUpToo(t *testing.T) {
	h := newHome(t, set(t, public("rsa", "")))
	if err := h.verify(t, "", "rsa"); err != nil {
		t.Fatal(err)
	}
	h.change(set(t, public("P-256", "")), false)
	if err := h.verify(t, "", "P-256"); err != nil {
		t.Fatal(err)
	}
	h.fetches(t, 2)
}

func TestAHundredUnknownKidsCauseTwoFetches(t *testing.T) {
	h := newHome(t, set(t, public("rsa", "k")))
	var all sync.WaitGroup
	for i := range 100 {
		raw := sign(t, "ES256", made()["P-256"], map[string]any{"kid": fmt.Sprint("random", i)}, `{}`)
		all.Go(func() {
			if _, err := h.keys.Verify(t.Context(), fetchedOwner, raw, []string{"RS256", "ES256"}); err == nil {
				t.Error("passed")
			}
		})
	}
	all.Wait()
	h.fetches(t, 2)
	h.sleep(61 * time.Second)
	_ = h.verify(t, "another", "P-256")
	h.fetches(t, 3)
}

func TestKeysOutliveTheirAddressForAWhile(t *testing.T) {
	h := newHome(t, set(t, public("rsa", "k")))
	if err := h.verify(t, "k", "rsa"); err != nil {
		t.Fatal(err)
	}
	h.change(nil, true)
	h.sleep(30 * time.Minute)
	for range 5 {
		if err := h.verify(t, "k", "rsa"); err != nil {
			t.Fatalf("while the address is down: %v", err)
		}
	}
	h.fetches(t, 2)
	h.sleep(time.Hour)
	if err := h.verify(t, "k", "rsa"); err == nil {
		t.Fatal("they are used for ever")
	}
}

func TestAnAddressThatNeverAnsweredIsNotAskedAtOnceAgain(t *testing.T) {
	h := newHome(t, nil)
	h.change(nil, true)
	for range 20 {
		if err := h.verify(t, "k", "rsa"); err == nil {
			t.Fatal("passed")
		}
	}
	h.fetches(t, 1)
	h.change(set(t, public("rsa", "k")), false)
	h.sleep(11 * time.Second)
	if err := h.verify(t, "k", "rsa"); err != nil {
		t.Fatal(err)
	}
}

func TestACallerWhoHangsUpSpoilsNothing(t *testing.T) {
	h := newHome(t, nil)
	h.keys.Fetch = func(ctx context.Context, _ string) ([]byte, error) { return set(t, public("rsa", "k")), ctx.Err() }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	raw := sign(t, "RS256", made()["rsa"], nil, `{}`)
	if _, err := h.keys.Verify(ctx, fetchedOwner, raw, []string{"RS256"}); err != nil {
		t.Fatal(err)
	}
}

func mustRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func FuzzVerify(f *testing.F) {
	owner := partykeys.Owner{ID: "c", JWKS: set(f, public("rsa", "k"), public("ed", "e")), Secrets: []secret.String{secret.NewString(longSecret)}}
	everything := append(append([]string{}, partykeys.SigningAlgorithms...), partykeys.HMACAlgorithms...)
	good := sign(f, "EdDSA", made()["ed"], map[string]any{"kid": "e"}, `{"a":1}`)
	f.Add(good)
	f.Add(sign(f, "HS256", []byte(longSecret), nil, `{"a":{"b":[1,2]}}`))
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	k := keys(f)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := k.Verify(t.Context(), owner, raw, everything)
		if err != nil {
			return
		}
		if !json.Valid(got.Claims) || got.Claims[0] != '{' && !strings.HasPrefix(strings.TrimSpace(string(got.Claims)), "{") {
			t.Fatalf("%q passed with claims %q", raw, got.Claims)
		}
	})
}
