package federationtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"sync"
	"time"

	"idp/internal/secret"
)

// Key is what signs ID tokens.
type Key string

// The keys. All but Right, Curve and Next are lies.
const (
	Right    Key = ""         // the provider's own (RS256)
	Curve    Key = "curve"    // its other one (ES256)
	Next     Key = "next"     // the one it changes to: in the key set once Rotated
	Stranger Key = "stranger" // somebody else's under the name of the provider's
	Unknown  Key = "unknown"  // one that no key set has
	Public   Key = "public"   // HS256 with the provider's public key as the shared secret
	Shared   Key = "shared"   // HS256 with the client secret
	None     Key = "none"     // no signature
)

var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	all := make([]*rsa.PrivateKey, 3)
	for i := range all {
		k, err := rsa.GenerateKey(nil, 2048)
		if err != nil {
			panic(err)
		}
		all[i] = k
	}
	return all
})

var curveKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	if err != nil {
		panic(err)
	}
	return k
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// StrangerKey is the public half of what Stranger signs by, as a JWK.
func StrangerKey() map[string]any {
	return map[string]any{"kty": "RSA", "kid": "first", "alg": "RS256", "n": b64(rsaKeys()[2].N.Bytes()), "e": "AQAB"}
}

// keys is the provider's key set.
func (o *OP) keys() []map[string]any {
	k, name := rsaKeys()[0], "first"
	if o.Rotated {
		k, name = rsaKeys()[1], "second"
	}
	point, err := curveKey().PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return []map[string]any{
		{"kty": "RSA", "kid": name, "use": "sig", "alg": "RS256", "n": b64(k.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "kid": "curve", "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	}
}

// Signed returns claims as a token, signed by what Sign says.
func (o *OP) Signed(claims map[string]any) string {
	header := map[string]any{"alg": "RS256", "kid": "first", "typ": "JWT"}
	switch o.Sign {
	case Curve:
		header["alg"], header["kid"] = "ES256", "curve"
	case Next:
		header["kid"] = "second"
	case Unknown:
		header["kid"] = "never heard of"
	case Public, Shared:
		header["alg"] = "HS256"
	case None:
		header["alg"] = "none"
	case Right, Stranger: // they say what the right one says
	}
	if o.Head != nil {
		o.Head(header)
	}
	head, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	input := b64(head) + "." + b64(body)
	return input + "." + b64(o.signature(input))
}

func (o *OP) signature(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	byRSA := func(k *rsa.PrivateKey) []byte {
		s, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return s
	}
	mac := func(key []byte) []byte {
		h := hmac.New(sha256.New, key)
		_, _ = h.Write([]byte(input))
		return h.Sum(nil)
	}
	switch o.Sign {
	case Next:
		return byRSA(rsaKeys()[1])
	case Stranger, Unknown:
		return byRSA(rsaKeys()[2])
	case Curve:
		r, s, err := ecdsa.Sign(nil, curveKey(), sum[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case Public:
		der, err := x509.MarshalPKIXPublicKey(&rsaKeys()[0].PublicKey)
		if err != nil {
			panic(err)
		}
		return mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	case Shared:
		return mac([]byte(secretly))
	case None:
		return nil
	}
	return byRSA(rsaKeys()[0])
}

// token redeems codes, once each, and refresh tokens, which it replaces.
func (o *OP) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		send(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	o.mu.Lock()
	o.grants = append(o.grants, r.PostForm)
	o.mu.Unlock()
	if !known(r) {
		send(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	reply := map[string]any{"token_type": "Bearer", "expires_in": 3600, "scope": "openid email profile"}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		was, ok := o.redeem(r.PostForm)
		if !ok {
			send(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
			return
		}
		o.issue(reply)
		if was.nonce != "" {
			reply["id_token"] = o.Signed(o.idToken(was, reply["access_token"].(string)))
		}
	case "refresh_token":
		o.mu.Lock()
		ok := o.renewals[r.PostForm.Get("refresh_token")]
		delete(o.renewals, r.PostForm.Get("refresh_token"))
		o.mu.Unlock()
		if !ok {
			send(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
			return
		}
		o.issue(reply)
	default:
		send(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	if o.Reply != nil {
		o.Reply(reply)
	}
	send(w, http.StatusOK, reply)
}

// known reports whether the client proved itself, in one way (RFC 6749 §2.3.1).
func known(r *http.Request) bool {
	id, proof := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, given, basic := r.BasicAuth(); basic {
		if proof != "" {
			return false
		}
		var err1, err2 error
		id, err1 = url.QueryUnescape(user)
		proof, err2 = url.QueryUnescape(given)
		if err1 != nil || err2 != nil {
			return false
		}
	}
	return id == ClientID && proof == secretly
}

func (o *OP) redeem(form url.Values) (code, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	was, ok := o.codes[form.Get("code")]
	delete(o.codes, form.Get("code"))
	if !ok || was.redirect != form.Get("redirect_uri") {
		return was, false
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if was.challenge == "" {
		return was, form.Get("code_verifier") == ""
	}
	return was, was.challenge == b64(sum[:])
}

// issue puts fresh tokens into an answer.
func (o *OP) issue(reply map[string]any) {
	access, refresh := secret.Token("at_").Reveal(), secret.Token("rt_").Reveal()
	o.mu.Lock()
	o.live[access], o.renewals[refresh] = true, true
	o.mu.Unlock()
	reply["access_token"], reply["refresh_token"] = access, refresh
}

func (o *OP) idToken(was code, access string) map[string]any {
	now := o.now()
	claims := o.says()
	sum := sha256.Sum256([]byte(access))
	claims["iss"], claims["aud"], claims["nonce"], claims["at_hash"] = o.URL, was.client, was.nonce, b64(sum[:16])
	claims["iat"], claims["exp"], claims["auth_time"] = now.Unix(), now.Add(5*time.Minute).Unix(), now.Unix()
	if !o.AuthTime.IsZero() {
		claims["auth_time"] = o.AuthTime.Unix()
	}
	if o.AMR != nil {
		claims["amr"] = o.AMR
	}
	if o.ACR != "" {
		claims["acr"] = o.ACR
	}
	if o.Token != nil {
		o.Token(claims)
	}
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}
