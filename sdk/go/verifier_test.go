package idp_test

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/sdk/go"
)

func TestATokenOfTheIssuerTellsWhoItIs(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			i := newIssuer(t)
			s := newSigner(t, "k1", alg)
			i.publish(s.jwk())
			token := s.sign(t, s.header(), i.claims(map[string]any{"role": "editor", "team": map[string]any{"id": 7}}))
			c, err := i.verifier(idp.Options{}).Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if c.Subject != "user-1" || c.SessionID != "session-1" || c.Origin != app || c.Issuer != i.URL || c.ID != "one" || c.Level != "1" ||
				!slices.Equal(c.Methods, []string{"pwd"}) || !c.ExpiresAt.Equal(i.clock().Add(time.Minute)) || !c.AuthTime.Equal(i.clock().Add(-time.Hour)) {
				t.Errorf("claims %+v", c)
			}
			var team struct{ ID int }
			if err := c.Get("team", &team); err != nil || team.ID != 7 {
				t.Errorf("team %+v, %v", team, err)
			}
			if err := c.Get("Team", &team); !errors.Is(err, idp.ErrClaim) {
				t.Errorf("a claim by another spelling: %v", err)
			}
			if !c.HasRole("editor") || c.HasRole("owner") || c.HasRole("") {
				t.Error("roles are not those of the token")
			}
		})
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	i := newIssuer(t)
	s, other, r, p384 := newSigner(t, "k1", "ES256"), newSigner(t, "k1", "ES256"), newSigner(t, "k2", "RS256"), newSigner(t, "k3", "ES384")
	ed := newSigner(t, "k4", "EdDSA")
	encryption := newSigner(t, "k5", "ES256")
	encrypting := encryption.jwk()
	encrypting["use"] = "enc"
	i.publish(s.jwk(), r.jwk(), p384.jwk(), ed.jwk(), encrypting)
	v := i.verifier(idp.Options{})
	good := s.sign(t, s.header(), i.claims())
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatal("the good one:", err)
	}
	head, rest, _ := strings.Cut(good, ".")
	body, tail, _ := strings.Cut(rest, ".")

	// Our public keys as the secret of an HMAC, in the forms in which they lie around.
	hmacBy := func(secret []byte, kid string) string {
		signed := b64([]byte(`{"alg":"HS256","kid":"`+kid+`","typ":"JWT"}`)) + "." + body
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + b64(mac.Sum(nil))
	}
	der, _ := x509.MarshalPKIXPublicKey(r.private.Public())
	point, _ := s.private.(*ecdsa.PrivateKey).PublicKey.Bytes()

	own := other.jwk()
	own["kid"] = "mine"
	soon := map[string]any{"exp": i.clock().Unix() - 1}
	cases := map[string]string{
		"nothing":                           "",
		"no JWT":                            "hello",
		"a hundred thousand dots":           strings.Repeat(".", 100_000),
		"nine thousand letters":             strings.Repeat("a", 9_000) + ".b.c",
		"no signature":                      head + "." + body + ".",
		"no payload":                        head + ".." + tail,
		"four parts":                        good + ".x",
		"five parts, as if encrypted":       "a.b.c.d.e",
		"alg none":                          b64([]byte(`{"alg":"none","kid":"k1","typ":"JWT"}`)) + "." + body + ".",
		"alg none with a signature":         b64([]byte(`{"alg":"none","kid":"k1","typ":"JWT"}`)) + "." + body + "." + tail,
		"alg None":                          b64([]byte(`{"alg":"None","kid":"k1","typ":"JWT"}`)) + "." + body + "." + tail,
		"HS256 by the RSA key in PEM":       hmacBy(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "k2"),
		"HS256 by the RSA key in DER":       hmacBy(der, "k2"),
		"HS256 by the point":                hmacBy(point, "k1"),
		"HS256 by nothing":                  hmacBy(nil, "k1"),
		"ES256 by a stranger":               other.sign(t, s.header(), i.claims()),
		"a key brought along":               other.sign(t, s.header(map[string]any{"jwk": own}), i.claims()),
		"a key brought along, by its kid":   other.sign(t, map[string]any{"alg": "ES256", "typ": "JWT", "kid": "mine", "jwk": own}, i.claims()),
		"a key set brought along":           other.sign(t, s.header(map[string]any{"jku": "https://evil.example/jwks.json"}), i.claims()),
		"a certificate brought along":       other.sign(t, s.header(map[string]any{"x5c": []string{b64(der)}}), i.claims()),
		"the kid of another key":            s.sign(t, s.header(map[string]any{"kid": "k4"}), i.claims()),
		"another algorithm's name":          s.sign(t, s.header(map[string]any{"alg": "RS256"}), i.claims()),
		"an algorithm that is not taken":    p384.sign(t, p384.header(), i.claims()),
		"a key to encrypt to":               encryption.sign(t, encryption.header(), i.claims()),
		"no kid":                            s.sign(t, `{"alg":"ES256","typ":"JWT"}`, i.claims()),
		"an empty kid":                      s.sign(t, `{"alg":"ES256","typ":"JWT","kid":""}`, i.claims()),
		"a kid that is a list":              s.sign(t, `{"alg":"ES256","typ":"JWT","kid":["k1"]}`, i.claims()),
		"a kid that is a path":              s.sign(t, `{"alg":"ES256","typ":"JWT","kid":"../../k1"}`, i.claims()),
		"two kids":                          s.sign(t, `{"alg":"ES256","typ":"JWT","kid":"k2","kid":"k1"}`, i.claims()),
		"KID for kid":                       s.sign(t, `{"alg":"ES256","typ":"JWT","KID":"k1"}`, i.claims()),
		"no typ":                            s.sign(t, `{"alg":"ES256","kid":"k1"}`, i.claims()),
		"an access token":                   s.sign(t, s.header(map[string]any{"typ": "at+jwt"}), i.claims()),
		"a logout token":                    s.sign(t, s.header(map[string]any{"typ": "logout+jwt"}), i.claims()),
		"crit":                              s.sign(t, s.header(map[string]any{"crit": []string{"exp"}}), i.claims()),
		"b64":                               s.sign(t, s.header(map[string]any{"b64": false}), i.claims()),
		"compressed":                        s.sign(t, s.header(map[string]any{"zip": "DEF"}), i.claims()),
		"a header that is a list":           s.sign(t, `["ES256"]`, i.claims()),
		"padding":                           good + "=",
		"a line end inside":                 head + ".\n" + body + "." + tail,
		"a line end in the signature":       good[:len(good)-5] + "\n" + good[len(good)-5:],
		"too long, though signed":           s.sign(t, s.header(), i.claims(map[string]any{"x": strings.Repeat("x", 7_000)})),
		"another spelling of the signature": tail86(good),
		"claims changed afterwards":         head + "." + b64(asJSON(t, i.claims(map[string]any{"sub": "root"}))) + "." + tail,
		"another issuer":                    s.sign(t, s.header(), i.claims(map[string]any{"iss": "https://evil.example"})),
		"the issuer with a slash":           s.sign(t, s.header(), i.claims(map[string]any{"iss": i.URL + "/"})),
		"no issuer":                         s.sign(t, s.header(), i.claims(map[string]any{"iss": nil})),
		"no subject":                        s.sign(t, s.header(), i.claims(map[string]any{"sub": nil})),
		"an empty subject":                  s.sign(t, s.header(), i.claims(map[string]any{"sub": ""})),
		"a subject that is a number":        s.sign(t, s.header(), i.claims(map[string]any{"sub": 1})),
		"SUB for sub":                       s.sign(t, s.header(), i.claims(map[string]any{"sub": nil, "SUB": "root"})),
		"two subjects":                      s.sign(t, s.header(), `{"sub":"root",`+string(asJSON(t, i.claims()))[1:]),
		"two members of one name, inside":   s.sign(t, s.header(), `{"x":[{"a":1,"a":2}],`+string(asJSON(t, i.claims()))[1:]),
		"one name in two spellings":         s.sign(t, s.header(), `{"\u0073ub":"root",`+string(asJSON(t, i.claims()))[1:]),
		"JSON after the JSON":               s.sign(t, s.header(), string(asJSON(t, i.claims()))+`{}`),
		"no UTF-8":                          s.sign(t, s.header(), "{\"x\":\"\xff\","+string(asJSON(t, i.claims()))[1:]),
		"depth":                             s.sign(t, s.header(), `{"x":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`}`),
		"claims that are null":              s.sign(t, s.header(), `null`),
		"an app that is not ours":           s.sign(t, s.header(), i.claims(map[string]any{"azp": "https://app.example.com.evil.example"})),
		"the app in capitals":               s.sign(t, s.header(), i.claims(map[string]any{"azp": strings.ToUpper(app)})),
		"no app":                            s.sign(t, s.header(), i.claims(map[string]any{"azp": nil})),
		"a list of apps":                    s.sign(t, s.header(), i.claims(map[string]any{"azp": []string{app}})),
		"an audience that nobody expects":   s.sign(t, s.header(), i.claims(map[string]any{"aud": "convex"})),
		"an ID token":                       s.sign(t, s.header(), i.claims(map[string]any{"nonce": "n"})),
		"an ID token of the code flow":      s.sign(t, s.header(), i.claims(map[string]any{"at_hash": "h"})),
		"no end":                            s.sign(t, s.header(), i.claims(map[string]any{"exp": nil})),
		"an end that is text":               s.sign(t, s.header(), i.claims(map[string]any{"exp": "99999999999"})),
		"an end that is null":               s.sign(t, s.header(), `{"exp":null,`+string(asJSON(t, i.claims(map[string]any{"exp": nil})))[1:]),
		"an end beyond all time":            s.sign(t, s.header(), i.claims(map[string]any{"exp": 1e300})),
		"no beginning":                      s.sign(t, s.header(), i.claims(map[string]any{"iat": nil})),
		"made in the future":                s.sign(t, s.header(), i.claims(map[string]any{"iat": i.clock().Unix() + 31})),
		"not valid yet":                     s.sign(t, s.header(), i.claims(map[string]any{"nbf": i.clock().Unix() + 31})),
		"expired, and not the issuer's":     other.sign(t, s.header(), i.claims(soon)),
	}
	for name, token := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := v.Verify(t.Context(), token)
			if !errors.Is(err, idp.ErrInvalid) || errors.Is(err, idp.ErrExpired) {
				t.Errorf("error %v", err)
			}
			if c.Subject != "" || len(c.Names()) > 0 {
				t.Errorf("told %q all the same", c.Subject)
			}
		})
	}
	if n := i.fetched.Load(); n > 2 {
		t.Errorf("forged tokens made us fetch the keys %d times", n)
	}
	if _, err := v.Verify(t.Context(), s.sign(t, s.header(), i.claims(soon))); !errors.Is(err, idp.ErrExpired) || !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("expired: %v", err)
	}
}

// tail86 changes the bits of the last character that no byte is made of.
func tail86(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

func TestAnAudienceIsMatchedExactly(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	for _, c := range []struct {
		about   string
		claims  map[string]any
		options idp.Options
		good    bool
	}{
		{"one", map[string]any{"aud": "api"}, idp.Options{Audience: "api"}, true},
		{"among several", map[string]any{"aud": []string{"x", "api"}}, idp.Options{Audience: "api"}, true},
		{"one, of any app", map[string]any{"aud": "api", "azp": nil}, idp.Options{Audience: "api"}, true},
		{"another", map[string]any{"aud": "apis"}, idp.Options{Audience: "api"}, false},
		{"none", nil, idp.Options{Audience: "api"}, false},
		{"a number", map[string]any{"aud": 5}, idp.Options{Audience: "api"}, false},
		{"an empty list", map[string]any{"aud": []string{}}, idp.Options{Audience: "api"}, false},
		{"a list with a number", map[string]any{"aud": []any{"api", 5}}, idp.Options{Audience: "api"}, false},
		{"the right one for another app", map[string]any{"aud": "api", "azp": "https://x.example"}, idp.Options{Audience: "api", Origins: []string{app}}, false},
		{"the right one for the right app", map[string]any{"aud": "api"}, idp.Options{Audience: "api", Origins: []string{app}}, true},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := i.verifier(c.options).Verify(t.Context(), s.sign(t, s.header(), i.claims(c.claims)))
			if c.good != (err == nil) || !c.good && !errors.Is(err, idp.ErrInvalid) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAClockThatIsOffIsBorneAndExpiryIsNot(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	token := s.sign(t, s.header(), i.claims())
	made := i.clock()
	for _, c := range []struct {
		about   string
		off     time.Duration
		options idp.Options
		want    error
	}{
		{"on time", 0, idp.Options{}, nil},
		{"20 s behind", -20 * time.Second, idp.Options{}, nil},
		{"20 s ahead", 20 * time.Second, idp.Options{}, nil},
		{"31 s behind", -31 * time.Second, idp.Options{}, idp.ErrInvalid},
		{"behind without leeway", -11 * time.Second, idp.Options{Leeway: -1}, idp.ErrInvalid},
		{"in its last second", 59 * time.Second, idp.Options{}, nil},
		{"at its end", 60 * time.Second, idp.Options{}, idp.ErrExpired},
		{"after its end, with leeway", 60 * time.Second, idp.Options{Leeway: time.Hour}, idp.ErrExpired},
		{"after its end, borne", 69 * time.Second, idp.Options{ExpiryLeeway: 10 * time.Second}, nil},
		{"after its end, borne no longer", 70 * time.Second, idp.Options{ExpiryLeeway: 10 * time.Second}, idp.ErrExpired},
	} {
		t.Run(c.about, func(t *testing.T) {
			c.options.Now = func() time.Time { return made.Add(c.off) }
			if _, err := i.verifier(c.options).Verify(t.Context(), token); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestAVerifierThatWouldTakeAnybodysTokensIsNotMade(t *testing.T) {
	for about, c := range map[string]struct {
		issuer  string
		options idp.Options
		good    bool
	}{
		"neither app nor audience":     {"https://id.example.com", idp.Options{}, false},
		"a slash at the end":           {"https://id.example.com/", idp.Options{Audience: "a"}, false},
		"no address":                   {"id.example.com", idp.Options{Audience: "a"}, false},
		"a query":                      {"https://id.example.com?x", idp.Options{Audience: "a"}, false},
		"an origin with a path":        {"https://id.example.com", idp.Options{Origins: []string{app + "/"}}, false},
		"an origin in capitals":        {"https://id.example.com", idp.Options{Origins: []string{"https://App.example.com"}}, false},
		"every origin":                 {"https://id.example.com", idp.Options{Origins: []string{"*"}}, false},
		"keys over plain http":         {"http://id.example.com", idp.Options{Audience: "a"}, false},
		"keys over plain http, wanted": {"http://id.example.com", idp.Options{Audience: "a", KeysURL: "http://idp:8080/keys"}, true},
		"this machine":                 {"http://localhost:4444", idp.Options{Audience: "a"}, true},
		"an issuer with a path":        {"https://example.com/id", idp.Options{Origins: []string{app}}, true},
		"a port":                       {"https://id.example.com:8443", idp.Options{Origins: []string{"http://localhost:3000"}}, true},
	} {
		if _, err := idp.New(c.issuer, c.options); c.good != (err == nil) {
			t.Errorf("%s: %v", about, err)
		}
	}
}

func FuzzVerifyNeverPanicsAndBelievesOnlyTheIssuer(f *testing.F) {
	t := &testing.T{}
	s := newSigner(t, "k1", "ES256")
	claims := `{"iss":"https://id.example.com","sub":"u","azp":"https://app.example.com","iat":1,"exp":99}`
	f.Add(s.sign(t, s.header(), claims))
	f.Add(`..`)
	f.Add(b64([]byte(`{"alg":"ES256","kid":"k1","typ":"JWT","crit":[]}`)) + "." + b64([]byte(claims)) + ".AAAA")
	f.Add(b64([]byte(`{"alg":"none","kid":"k1","typ":"JWT"}`)) + "." + b64([]byte(`{"a":[[[[{"b":{}}]]]]}`)) + ".")
	i := &issuer{now: time.Unix(50, 0), control: "max-age=86400"}
	i.Server = newFuzzServer(i)
	f.Cleanup(i.Close)
	i.publish(s.jwk())
	v, err := idp.New("https://id.example.com", idp.Options{Origins: []string{app}, KeysURL: i.URL + "/.well-known/jwks.json", Now: i.clock})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := v.Verify(t.Context(), token)
		if err == nil && c.Subject != "u" {
			t.Errorf("believed %q", token)
		}
		if err != nil && !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	})
}
