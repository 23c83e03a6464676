package conformance

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
	"idp/provider"
)

// client is a relying party as it was registered.
type client struct {
	id, secret, redirect string
	auth                 string
	key                  jose.JSONWebKey // private; for assertions and request objects
	manage, leave        string          // registration_client_uri and registration_access_token
	answer               map[string]any  // of the registration

	idTokenAlgorithm, userinfoAlgorithm string
}

// signingKeys are the relying parties' keys. Making one takes long, so they are few.
var signingKeys = [...]func() *rsa.PrivateKey{
	sync.OnceValue(makeKey), sync.OnceValue(makeKey),
}

func makeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// ownKey is the nth key of relying parties, with that kid.
func ownKey(n int, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: signingKeys[n](), KeyID: kid, Algorithm: "RS256", Use: "sig"}
}

func publicSet(keys ...jose.JSONWebKey) jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// wish is the metadata that a relying party registers in this variant.
func (m *run) wish() map[string]any {
	grants := []string{}
	if m.v.code() {
		grants = append(grants, "authorization_code")
	}
	if m.v.idToken() || m.v.token() {
		grants = append(grants, "implicit")
	}
	return map[string]any{
		"client_name": "Conformance " + m.v.String(), "redirect_uris": []string{m.callback()},
		"grant_types": grants, "response_types": []string{m.v.response}, "token_endpoint_auth_method": m.v.auth,
		"jwks": publicSet(ownKey(0, "first")), "contacts": []string{"certification@example.com"},
	}
}

// register makes the module's client; change, if any, alters what is asked for.
func (m *run) register(change func(wish map[string]any)) *client {
	m.Helper()
	wish := m.wish()
	if change != nil {
		change(wish)
	}
	m.client = m.registered(wish)
	return m.client
}

// registered registers a client and checks what comes back (RFC 7591 §3.2.1).
func (m *run) registered(wish map[string]any) *client {
	m.Helper()
	if m.v.static {
		return m.given(wish)
	}
	res := m.w.send(m.t, http.MethodPost, m.w.endpoint(m.t, "registration_endpoint"), nil, wish)
	v := res.object(m.t)
	if res.status != http.StatusCreated {
		m.Fatalf("registration answers %d %v", res.status, v)
	}
	c := m.read(v)
	c.manage, _ = v["registration_client_uri"].(string)
	c.leave, _ = v["registration_access_token"].(string)
	if c.id == "" || c.manage == "" || c.leave == "" {
		m.Fatalf("registration answers %v", v)
	}
	if c.secret != "" {
		if at, ok := v["client_secret_expires_at"].(float64); !ok || at != 0 && seconds(at).Before(m.w.clock.Now()) {
			m.Errorf("client_secret_expires_at is %v", v["client_secret_expires_at"])
		}
	}
	for name, asked := range wish { // registered as asked for
		if got, ok := v[name]; !ok || !same(asked, got) {
			m.Errorf("%s was registered as %v, not %v", name, got, asked)
		}
	}
	m.Cleanup(func() { m.unregister(c) })
	return c
}

func (m *run) read(v map[string]any) *client {
	c := &client{answer: v, key: ownKey(0, "first")}
	c.id, _ = v["client_id"].(string)
	c.secret, _ = v["client_secret"].(string)
	c.auth, _ = v["token_endpoint_auth_method"].(string)
	c.idTokenAlgorithm, _ = v["id_token_signed_response_alg"].(string)
	c.userinfoAlgorithm, _ = v["userinfo_signed_response_alg"].(string)
	if uris, ok := v["redirect_uris"].([]any); ok && len(uris) > 0 {
		c.redirect, _ = uris[0].(string)
	}
	return c
}

// same compares by what JSON makes of both.
func same(a, b any) bool {
	one, err1 := json.Marshal(a)
	two, err2 := json.Marshal(b)
	var x, y any
	if err1 != nil || err2 != nil || json.Unmarshal(one, &x) != nil || json.Unmarshal(two, &y) != nil {
		return false
	}
	one, _ = json.Marshal(x)
	two, _ = json.Marshal(y)
	return string(one) == string(two)
}

// unregister ends the registration, as the suite does after each module.
func (m *run) unregister(c *client) {
	if m.Failed() {
		return
	}
	req, err := http.NewRequest(http.MethodDelete, c.manage, nil)
	must(m, err)
	req.Header.Set("Authorization", "Bearer "+c.leave)
	res, err := m.w.http.Do(req)
	must(m, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		m.Errorf("unregistering answers %d", res.StatusCode)
	}
}

// refusedRegistration demands that this metadata is refused with one of these codes.
func (m *run) refusedRegistration(wish map[string]any, codes ...string) {
	m.Helper()
	res := m.w.send(m.t, http.MethodPost, m.w.endpoint(m.t, "registration_endpoint"), nil, wish)
	v := res.object(m.t)
	code, _ := v["error"].(string)
	for _, c := range codes {
		if res.status == http.StatusBadRequest && code == c {
			return
		}
	}
	m.Errorf("registration answers %d %v, not %s", res.status, v, codes)
}

// authenticate adds the client's credentials to a request of the token endpoint.
func (c *client) authenticate(m *run, header http.Header, form url.Values) {
	m.Helper()
	switch c.auth {
	case "client_secret_basic", "":
		pair := url.QueryEscape(c.id) + ":" + url.QueryEscape(c.secret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case "client_secret_post":
		form.Set("client_id", c.id)
		form.Set("client_secret", c.secret)
	case "none":
		form.Set("client_id", c.id)
	case "private_key_jwt", "client_secret_jwt":
		c.assert(m, form, m.w.endpoint(m.t, "token_endpoint"))
	default:
		m.Fatalf("no way to authenticate by %s", c.auth)
	}
}

// assert adds a client assertion for that audience (RFC 7523 §2.2).
func (c *client) assert(m *run, form url.Values, audience string) {
	m.Helper()
	now := m.w.clock.Now()
	claims := map[string]any{
		"iss": c.id, "sub": c.id, "aud": audience, "jti": secret.NewID("jti"),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	if c.auth == "client_secret_jwt" {
		form.Set("client_assertion", sign(m, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(c.secret)}, "", claims))
		return
	}
	form.Set("client_assertion", sign(m, jose.SigningKey{Algorithm: jose.RS256, Key: c.key}, "", claims))
}

func sign(t testing.TB, by jose.SigningKey, typ string, claims any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if typ != "" {
		options.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(by, options)
	must(t, err)
	text, err := json.Marshal(claims)
	must(t, err)
	jws, err := signer.Sign(text)
	must(t, err)
	raw, err := jws.CompactSerialize()
	must(t, err)
	return raw
}

// unsigned makes a JWT with the algorithm none.
func unsigned(t testing.TB, claims any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	must(t, err)
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	return head + "." + base64.RawURLEncoding.EncodeToString(text) + "."
}

// given makes the client as `idp client create --metadata` does.
func (m *run) given(wish map[string]any) *client {
	m.Helper()
	wish["scope"] = "openid profile email address phone offline_access" // operators say which
	text, err := json.Marshal(wish)
	must(m, err)
	draft, err := provider.Described(text, provider.Client{})
	must(m, err)
	made, key, err := m.w.rooms.Clients.Create(m.t.Context(), draft, "operator:test")
	must(m, err)
	return &client{
		id: string(made.ID), secret: key.Reveal(), auth: made.AuthMethod, redirect: made.RedirectURIs[0], key: ownKey(0, "first"),
	}
}
