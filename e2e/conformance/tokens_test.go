package conformance

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keyCache holds the provider's keys as a relying party would, and fetches them anew for
// a kid that it does not know.
type keyCache struct {
	mu  sync.Mutex
	set jose.JSONWebKeySet
}

// jwks fetches the provider's keys.
func (w *world) jwks(t *testing.T) jose.JSONWebKeySet {
	t.Helper()
	res := w.send(t, http.MethodGet, w.endpoint(t, "jwks_uri"), nil, nil)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(res.body, &set); err != nil || res.status != http.StatusOK {
		t.Fatalf("jwks_uri: %d %.300s %v", res.status, res.body, err)
	}
	return set
}

func (w *world) key(t *testing.T, kid string) any {
	t.Helper()
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	if len(w.keys.set.Key(kid)) == 0 {
		w.keys.set = w.jwks(t)
	}
	found := w.keys.set.Key(kid)
	if len(found) != 1 {
		t.Fatalf("jwks_uri has %d keys with the kid %q", len(found), kid)
	}
	return found[0].Key
}

// verified checks the signature of a JWT of the provider's and returns header and claims.
func (w *world) verified(t *testing.T, raw string, algorithms ...string) (header, claims map[string]any) {
	t.Helper()
	var allowed []jose.SignatureAlgorithm
	for _, a := range algorithms {
		allowed = append(allowed, jose.SignatureAlgorithm(a))
	}
	jws, err := jose.ParseSignedCompact(raw, allowed)
	if err != nil {
		t.Fatalf("no JWT signed with %s: %v: %.200s", algorithms, err, raw)
	}
	h := jws.Signatures[0].Protected
	if h.KeyID == "" {
		t.Fatal("the JWT names no key (kid)")
	}
	text, err := jws.Verify(w.key(t, h.KeyID))
	if err != nil {
		t.Fatalf("the signature is not by the key %s: %v", h.KeyID, err)
	}
	must(t, json.Unmarshal(text, &claims))
	first, _, _ := strings.Cut(raw, ".")
	head, err := base64.RawURLEncoding.DecodeString(first)
	must(t, err)
	must(t, json.Unmarshal(head, &header))
	return header, claims
}

// idToken verifies an ID token the way OIDC Core §3.1.3.7 tells a relying party to.
func (m *run) idToken(raw string) (header, claims map[string]any) {
	m.Helper()
	algorithm := m.client.idTokenAlgorithm
	if algorithm == "" {
		algorithm = "RS256"
	}
	header, claims = m.w.verified(m.t, raw, algorithm)
	m.idClaims(claims)
	return header, claims
}

func (m *run) idClaims(claims map[string]any) {
	m.Helper()
	now := m.w.clock.Now()
	if claims["iss"] != m.w.issuer {
		m.Errorf("iss is %v", claims["iss"])
	}
	aud, _ := claims["aud"].(string)
	if list, ok := claims["aud"].([]any); ok && len(list) == 1 {
		aud, _ = list[0].(string)
	}
	if aud != m.client.id {
		m.Errorf("aud is %v", claims["aud"])
	}
	if azp, ok := claims["azp"]; ok && azp != m.client.id {
		m.Errorf("azp is %v", azp)
	}
	if sub, _ := claims["sub"].(string); sub == "" || len(sub) > 255 {
		m.Errorf("sub is %v", claims["sub"])
	}
	if exp := seconds(claims["exp"]); !exp.After(now) {
		m.Errorf("exp is %v, and it is %v", exp, now)
	}
	if iat := seconds(claims["iat"]); iat.After(now.Add(time.Second)) || iat.Before(now.Add(-5*time.Minute)) {
		m.Errorf("iat is %v, and it is %v", iat, now)
	}
	if m.nonce != "" && claims["nonce"] != m.nonce || m.nonce == "" && claims["nonce"] != nil {
		m.Errorf("nonce is %v, not %q", claims["nonce"], m.nonce)
	}
}

func seconds(v any) time.Time {
	n, _ := v.(float64)
	return time.Unix(int64(n), 0)
}

// hashes checks at_hash and c_hash; in front they are demanded for what came beside.
func (m *run) hashes(header, claims map[string]any, access, code string, demanded bool) {
	m.Helper()
	algorithm, _ := header["alg"].(string)
	for name, text := range map[string]string{"at_hash": access, "c_hash": code} {
		if text == "" {
			continue
		}
		got, ok := claims[name].(string)
		if ok && got != halfHash(algorithm, text) || !ok && demanded {
			m.Errorf("%s is %v, not %s", name, claims[name], halfHash(algorithm, text))
		}
	}
}

// halfHash is the left half of the hash that the algorithm signs (OIDC Core §3.1.3.6).
func halfHash(algorithm, text string) string {
	hash := crypto.SHA256
	switch {
	case strings.HasSuffix(algorithm, "384"):
		hash = crypto.SHA384
	case strings.HasSuffix(algorithm, "512"), algorithm == "EdDSA":
		hash = crypto.SHA512
	}
	h := hash.New()
	_, _ = h.Write([]byte(text))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// tokens is what the token endpoint gave.
type tokens struct {
	access, refresh, raw string
	header, claims       map[string]any // of the ID token
}

// redeem exchanges the code and checks the answer.
func (m *run) redeem(code string, more ...string) tokens {
	m.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {m.client.redirect}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return m.tokens(m.token(m.client, form))
}

// token calls the token endpoint as that client.
func (m *run) token(c *client, form url.Values) reply {
	m.Helper()
	header := http.Header{}
	c.authenticate(m, header, form)
	return m.w.send(m.t, http.MethodPost, m.w.endpoint(m.t, "token_endpoint"), header, form)
}

// tokens checks a token response.
func (m *run) tokens(res reply) tokens {
	m.Helper()
	v := res.object(m.t)
	if res.status != http.StatusOK {
		m.Fatalf("the token endpoint answers %d %v", res.status, v)
	}
	if c := res.header.Get("Cache-Control"); !strings.Contains(c, "no-store") {
		m.Errorf("the token response may be cached: %q", c)
	}
	out := tokens{}
	out.access, _ = v["access_token"].(string)
	out.refresh, _ = v["refresh_token"].(string)
	out.raw, _ = v["id_token"].(string)
	if kind, _ := v["token_type"].(string); out.access == "" || !strings.EqualFold(kind, "Bearer") {
		m.Fatalf("no bearer token: %v", v)
	}
	if in, ok := v["expires_in"].(float64); !ok || in <= 0 {
		m.Errorf("expires_in is %v", v["expires_in"])
	}
	if out.raw == "" {
		m.Fatalf("no ID token: %v", v)
	}
	out.header, out.claims = m.idToken(out.raw)
	m.hashes(out.header, out.claims, out.access, "", false)
	return out
}

// refusedToken demands an error of the token endpoint with one of these codes.
func (m *run) refusedToken(res reply, codes ...string) {
	m.Helper()
	v := res.object(m.t)
	code, _ := v["error"].(string)
	if res.status < 400 || res.status > 499 || !slices.Contains(codes, code) {
		m.Errorf("the token endpoint answers %d %v, not %s", res.status, v, codes)
	}
	if d, _ := v["error_description"].(string); !visible.MatchString(d) {
		m.Errorf("error_description has characters it must not have: %q", d)
	}
}

// userinfo fetches the claims with the token in the header.
func (m *run) userinfo(access string) map[string]any {
	m.Helper()
	return m.claimsOf(m.w.send(m.t, http.MethodGet, m.w.endpoint(m.t, "userinfo_endpoint"), bearer(access), nil))
}

func bearer(access string) http.Header {
	return http.Header{"Authorization": {"Bearer " + access}}
}

// claimsOf reads a userinfo response: JSON, or a JWT if the client registered for it.
func (m *run) claimsOf(res reply) map[string]any {
	m.Helper()
	if res.status != http.StatusOK {
		m.Fatalf("userinfo answers %d: %s %.300s", res.status, res.header.Get("WWW-Authenticate"), res.body)
	}
	if m.client.userinfoAlgorithm == "" {
		return res.object(m.t)
	}
	if kind := res.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/jwt") {
		m.Errorf("signed userinfo has the media type %q", kind)
	}
	_, claims := m.w.verified(m.t, string(res.body), m.client.userinfoAlgorithm)
	if claims["iss"] != m.w.issuer {
		m.Errorf("iss of the userinfo is %v", claims["iss"])
	}
	if claims["aud"] != m.client.id {
		m.Errorf("aud of the userinfo is %v", claims["aud"])
	}
	return claims
}

// dead demands that an access token is of no use any more.
func (m *run) dead(access string) {
	m.Helper()
	res := m.w.send(m.t, http.MethodGet, m.w.endpoint(m.t, "userinfo_endpoint"), bearer(access), nil)
	if res.status != http.StatusUnauthorized || !strings.Contains(res.header.Get("WWW-Authenticate"), "invalid_token") {
		m.Errorf("the access token should be dead, but userinfo answers %d %.300s", res.status, res.body)
	}
}

// outcome is a whole flow.
type outcome struct {
	front grant
	back  tokens
	info  map[string]any // userinfo, nil where no access token was issued
}

// sub is who signed in, by whichever ID token there is.
func (o outcome) claims() map[string]any {
	if o.back.claims != nil {
		return o.back.claims
	}
	return o.front.claims
}

// raw is the ID token itself.
func (o outcome) raw() string {
	if o.back.raw != "" {
		return o.back.raw
	}
	return o.front.raw
}

// access is the newest access token.
func (o outcome) access() string {
	if o.back.access != "" {
		return o.back.access
	}
	return o.front.access
}

// complete takes up an authorization response: the code is exchanged, userinfo is asked,
// and everything has to agree.
func (m *run) complete(more ...string) outcome {
	m.Helper()
	o := outcome{front: m.success()}
	if o.front.access != "" {
		o.info = m.userinfo(o.front.access)
	}
	if m.v.code() {
		o.back = m.redeem(o.front.code, more...)
		m.hashes(o.back.header, o.back.claims, o.back.access, o.front.code, false)
		o.info = m.userinfo(o.back.access)
	}
	if o.front.claims != nil && o.back.claims != nil {
		for _, name := range []string{"iss", "sub", "auth_time", "sid"} {
			if o.front.claims[name] != o.back.claims[name] {
				m.Errorf("%s is %v in front and %v at the token endpoint", name, o.front.claims[name], o.back.claims[name])
			}
		}
	}
	if o.info != nil && o.info["sub"] != o.claimed("sub") && o.claims() != nil {
		m.Errorf("userinfo is about %v, the ID token about %v", o.info["sub"], o.claimed("sub"))
	}
	return o
}

func (o outcome) claimed(name string) any { return o.claims()[name] }

// flow is the plain course of a module: this request, no surprise.
func (m *run) flow(q url.Values) outcome {
	m.Helper()
	m.send(q)
	return m.complete()
}
