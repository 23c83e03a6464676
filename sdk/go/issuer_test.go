package idp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/sdk/go"
)

const app = "https://app.example.com"

// issuer is an idp of the test's: it publishes keys and counts who asks for them.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	now     time.Time
	keys    []map[string]any
	control string        // Cache-Control of the answer
	down    bool          // answers 500
	moved   string        // sends who asks elsewhere
	padding int           // bytes of nothing after the keys
	held    chan struct{} // answers once it is closed
	fetched atomic.Int64
	same    atomic.Int64 // of them, answered 304
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), control: "public, max-age=600"}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.fetched.Add(1)
	i.mu.Lock()
	held := i.held
	i.mu.Unlock()
	if held != nil {
		<-held
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.moved != "" {
		http.Redirect(w, r, i.moved, http.StatusFound)
		return
	}
	if i.down || r.URL.Path != "/.well-known/jwks.json" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	doc, _ := json.Marshal(map[string]any{"keys": i.keys})
	sum := sha256.Sum256(doc)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:6]) + `"`
	w.Header().Set("Cache-Control", i.control)
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		i.same.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(append(doc, bytes.Repeat([]byte(" "), i.padding)...))
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) clock() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}

func (i *issuer) later(d time.Duration) { i.set(func() { i.now = i.now.Add(d) }) }

func (i *issuer) publish(keys ...map[string]any) { i.set(func() { i.keys = keys }) }

func (i *issuer) verifier(o idp.Options) *idp.Verifier {
	i.t.Helper()
	if o.Origins == nil && o.Audience == "" {
		o.Origins = []string{app}
	}
	if o.Now == nil {
		o.Now = i.clock
	}
	v, err := idp.New(i.URL, o)
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

// claims are those of a good session token, now.
func (i *issuer) claims(changes ...map[string]any) map[string]any {
	now := i.clock().Unix()
	c := map[string]any{
		"iss": i.URL, "sub": "user-1", "sid": "session-1", "azp": app, "jti": "one",
		"iat": now, "nbf": now - 10, "exp": now + 60, "auth_time": now - 3600, "amr": []string{"pwd"}, "acr": "1",
	}
	for _, change := range changes {
		for name, value := range change {
			if value == nil {
				delete(c, name)
			} else {
				c[name] = value
			}
		}
	}
	return c
}

// signer is a private key with a name.
type signer struct {
	kid, alg string
	private  crypto.Signer
}

var madeRSA = sync.OnceValue(func() *rsa.PrivateKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return private
})

func newSigner(t *testing.T, kid, alg string) signer {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private = madeRSA()
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, alg, private}
}

// jwk is the public key as the issuer publishes it.
func (s signer) jwk() map[string]any {
	k := map[string]any{"kid": s.kid, "alg": s.alg, "use": "sig"}
	switch public := s.private.Public().(type) {
	case *ecdsa.PublicKey:
		point, _ := public.Bytes()
		half := len(point) / 2
		k["kty"], k["crv"], k["x"], k["y"] = "EC", public.Curve.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64(public)
	}
	return k
}

func (s signer) header(changes ...map[string]any) map[string]any {
	h := map[string]any{"alg": s.alg, "kid": s.kid, "typ": "JWT"}
	for _, change := range changes {
		maps.Copy(h, change)
	}
	return h
}

// sign makes a token of a header and claims, which are JSON or become it.
func (s signer) sign(t *testing.T, header, claims any) string {
	t.Helper()
	signed := b64(asJSON(t, header)) + "." + b64(asJSON(t, claims))
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch private := s.private.(type) {
	case *ecdsa.PrivateKey:
		r, q, failed := ecdsa.Sign(rand.Reader, private, sum[:])
		size := (private.Curve.Params().BitSize + 7) / 8
		signature, err = append(r.FillBytes(make([]byte, size)), q.FillBytes(make([]byte, size))...), failed
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	case ed25519.PrivateKey:
		signature = ed25519.Sign(private, []byte(signed))
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(signature)
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	if raw, ok := v.(string); ok {
		return []byte(raw)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newFuzzServer(i *issuer) *httptest.Server { return httptest.NewServer(http.HandlerFunc(i.serve)) }
