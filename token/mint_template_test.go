package token_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
	"idp/session/sessiontest"
	"idp/token"
)

func TestATokenIsWhatItsTemplateSays(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.template(token.Template{Name: "convex", Claims: []byte(`{"name":"{{user.full_name}}","deep":{"mail":"to {{user.primary_email_address}}","ok":"{{user.email_verified}}"}}`),
			Lifetime: 3600, Skew: 30, Audience: []string{"convex"}, Algorithm: "RS256"})
		if g := m.ask(string(s.ID)+"/tokens/convex", "{}", cookie); g.status != 500 {
			t.Errorf("there is no such key, and it signs: %d", g.status)
		}
		must(t, m.keys.OfferFor(t.Context(), token.Session, "RS256"))
		g := m.ask(string(s.ID)+"/tokens/convex", "{}", cookie, "App", "https://app.example.com")
		header, claims := g.token()
		now := m.clock.Now()
		unix := func(at time.Time) float64 { return float64(at.Unix()) }
		if diff := cmp.Diff(map[string]any{
			"iss": "https://id.example.com/base", "sub": "user_ann", "sid": string(s.ID), "azp": "https://app.example.com", "jti": claims["jti"], "aud": "convex",
			"iat": unix(now), "nbf": unix(now.Add(-30 * time.Second)), "exp": unix(now.Add(time.Hour)), "auth_time": unix(s.AuthTime), "amr": []any{"pwd"}, "acr": "aal1",
			"name": "ann Lee", "deep": map[string]any{"mail": "to ann@example.com", "ok": true},
		}, claims); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		if header["alg"] != "RS256" || header["typ"] != "JWT" || !g.to.Equal(now.Add(time.Hour)) {
			t.Errorf("%v until %s", header, g.to)
		}
		if jwks, _ := m.keys.JWKS(); !strings.Contains(string(jwks), header["kid"].(string)) {
			t.Error("its key is not published")
		}
		for _, name := range []string{"nonsense", "CONVEX", "convex%20", "%00"} {
			g := m.ask(string(s.ID)+"/tokens/"+name, "{}", cookie)
			g.refused(404, "template_unknown")
		}
		m.ask("session_nobodys/tokens/nonsense", "{}", cookie).refused(404, "session_unknown")
	})
}

func TestTheTemplateOfSessionTokensAddsAndOverridesNothing(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.template(token.Template{Name: token.SessionTemplate, Claims: []byte(`{"role":"member","groups":"{{user.groups}}"}`)})
		for _, path := range []string{"/tokens", "/tokens/session"} {
			_, claims := m.ask(string(s.ID)+path, "{}", cookie).token()
			if claims["role"] != "member" || claims["sub"] != "user_ann" || claims["aud"] != nil || claims["exp"].(float64)-claims["iat"].(float64) != 60 {
				t.Errorf("%s: %v", path, claims)
			}
		}
		ann.Groups = []string{"staff"}
		must(t, m.people.SaveUser(t.Context(), ann))
		if _, claims := m.ask(string(s.ID)+"/tokens", "{}", cookie).token(); !cmp.Equal(claims["groups"], []any{"staff"}) {
			t.Errorf("the next token does not know the new group: %v", claims)
		}
		// A row that no release of ours would have saved still moves nothing that counts.
		for _, claims := range []string{`{"sub":"user_eve"}`, `{"exp":9999999999}`, `{"sid":"session_1"}`, `{"azp":"https://evil.example"}`, `{"iss":"https://evil.example"}`} {
			if _, err := token.Compile(token.Template{Name: token.SessionTemplate, Claims: []byte(claims)}); !problem.Is(err, problem.Invalid) {
				t.Errorf("%s compiles: %v", claims, err)
			}
		}
	})
}

func TestATemplatesOwnKeySignsAndItsSubjectStands(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		key := "0123456789abcdefghijklmnopqrstuvwxyz"
		m.template(token.Template{Name: "legacy", Claims: []byte(`{"iss":"supabase","sub":"ext|{{user.id}}","role":"authenticated"}`),
			Algorithm: "HS256", Key: token.CustomKey{ID: "theirs", Material: secret.NewString(key)}})
		g := m.ask(string(s.ID)+"/tokens/legacy", "{}", cookie)
		if g.status != 200 {
			t.Fatalf("%d %s", g.status, g.problem)
		}
		signed, signature, _ := cutLast(g.raw)
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(signed))
		if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != signature {
			t.Error("another key signed")
		}
		_, body, _ := strings.Cut(signed, ".")
		text, err := base64.RawURLEncoding.DecodeString(body)
		must(t, err)
		var claims map[string]any
		must(t, json.Unmarshal(text, &claims))
		if claims["iss"] != "supabase" || claims["sub"] != "ext|user_ann" || claims["sid"] != string(s.ID) || claims["exp"].(float64)-claims["iat"].(float64) != 60 {
			t.Errorf("%v", claims)
		}
		for _, p := range []token.Purpose{token.Session, token.OIDC} {
			if _, err := m.keys.Verify(t.Context(), p, g.raw); !problem.HasCode(err, token.ErrUnverified.Code) {
				t.Errorf("it verifies here for %s", p)
			}
		}
	})
}

func cutLast(jwt string) (before, after string, ok bool) {
	i := strings.LastIndexByte(jwt, '.')
	return jwt[:i], jwt[i+1:], i > 0
}

func TestATokenThatFitsNowhereIsRefused(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.template(token.Template{Name: token.SessionTemplate, Claims: []byte(`{"about":"{{user.public_metadata.about}}"}`)})
		for _, c := range []struct {
			size             int
			inHeader, cookie bool
		}{{2000, true, true}, {2600, true, false}, {5000, true, false}, {7000, false, false}} {
			ann.Metadata.Public = []byte(`{"about":"` + strings.Repeat("x", c.size) + `"}`)
			must(t, m.people.SaveUser(t.Context(), ann))
			ann.Version++
			for body, fits := range map[string]bool{"{}": c.inHeader, `{"cookie":true}`: c.cookie} {
				g := m.ask(string(s.ID)+"/tokens", body, cookie)
				if fits {
					g.token()
					continue
				}
				g.refused(422, "token_too_large")
			}
		}
	})
}

// slow is a store on which the write that a session was used goes wrong.
type slow struct {
	token.MintStore

	touch func(ctx context.Context) error
}

func (s slow) Touch(ctx context.Context, _ session.ID, _ string, _ time.Time) error {
	return s.touch(ctx)
}

func TestATokenWaitsForNoWrite(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.clock.Add(2 * time.Minute)
		whole := m.minter.Store
		m.minter.Store = slow{whole, func(context.Context) error { return errors.New("disk full") }}
		m.ask(string(s.ID)+"/tokens", "{}", cookie).token()
		waiting, served, done := make(chan bool), make(chan bool), make(chan bool)
		serve := sync.OnceFunc(func() { close(served) })
		defer serve()
		var writes atomic.Int64
		m.minter.Store = slow{whole, func(ctx context.Context) error {
			if writes.Add(1) > 1 {
				t.Error("another tab writes the same at the same time")
				return nil
			}
			close(waiting)
			<-ctx.Done() // until patience ends
			<-served     // which on a busy machine is before the other tab comes
			return ctx.Err()
		}}
		go func() { defer close(done); m.ask(string(s.ID)+"/tokens", "{}", cookie).token() }()
		<-waiting
		m.ask(string(s.ID)+"/tokens", "{}", cookie).token() // another tab does not wait in line
		serve()
		<-done
	})
}

func TestAPreviewNamesNoSession(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		p, err := m.minter.Preview(t.Context(), token.Template{Name: "draft", Claims: []byte(`{"name":"{{user.full_name}}","since":"{{session.auth_time}}"}`), Lifetime: 120},
			token.Subject{User: ann, Email: identity.Holding{}})
		must(t, err)
		for _, name := range []string{"sid", "auth_time", "amr", "acr"} {
			if _, told := p.Claims[name]; told {
				t.Errorf("it has %s", name)
			}
		}
		if p.Claims["name"] != "ann Lee" || p.Claims["sub"] != "user_ann" || p.Claims["azp"] != "https://id.example.com" || p.Size.Bytes != len(p.JWT.Reveal()) {
			t.Errorf("%+v", p)
		}
		if _, err := m.keys.Verify(t.Context(), token.Session, p.JWT.Reveal()); err != nil {
			t.Error(err)
		}
		_, err = m.minter.Preview(t.Context(), token.Template{Name: "draft", Claims: []byte(`{"sub":"x"}`)}, token.Subject{User: ann})
		if !problem.Is(err, problem.Invalid) {
			t.Errorf("a draft that is wrong: %v", err)
		}
	})
}
