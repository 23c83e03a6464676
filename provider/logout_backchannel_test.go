package provider_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/job"
	"idp/provider"
	"idp/session"
)

// listener is a relying party's backchannel_logout_uri. It answers with the status it is
// set to, and says what it heard.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	heard  chan string
}

func listen(t testing.TB) *listener {
	l := &listener{status: http.StatusOK, heard: make(chan string, 100)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if r.Method != http.MethodPost || r.URL.RawQuery != "" || len(form) != 1 {
			t.Errorf("%s %s %s", r.Method, r.URL, body)
		}
		l.heard <- form.Get("logout_token")
		l.mu.Lock()
		defer l.mu.Unlock()
		w.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

// waiting returns how many jobs of the kind wait.
func (w *world) waiting() (n int) {
	w.t.Helper()
	all, err := w.queue.Jobs(w.t.Context(), "available", 100)
	must(w.t, err)
	for _, j := range all {
		if j.Kind == provider.LogoutKind {
			n++
		}
	}
	return n
}

// work lets the queue run do for n jobs and returns their arguments.
func (w *world) work(n int, do job.Handler) (args []json.RawMessage) {
	w.t.Helper()
	done := make(chan json.RawMessage, 100)
	must(w.t, w.queue.Start(w.t.Context(), job.Handlers{provider.LogoutKind: func(ctx context.Context, args json.RawMessage) error {
		err := do(ctx, args)
		done <- args
		return err
	}}, nil))
	for range n {
		select {
		case a := <-done:
			args = append(args, a)
		case <-time.After(30 * time.Second):
			w.t.Fatal("the queue does nothing")
		}
	}
	must(w.t, w.queue.Stop(context.WithoutCancel(w.t.Context())))
	return args
}

func take(context.Context, json.RawMessage) error { return nil }

// interested is a client that wants to be told at that address.
func (w *world) interested(uri string) (provider.Client, string) {
	w.t.Helper()
	return w.client(func(c *provider.Client) {
		c.BackchannelLogoutURI, c.PostLogoutRedirectURIs = uri, []string{farewell}
	})
}

// verify reads a logout token as a relying party does that knows only our public keys.
func (w *world) verify(raw string, algorithm jose.SignatureAlgorithm) (jose.Header, map[string]any) {
	w.t.Helper()
	var set jose.JSONWebKeySet
	must(w.t, json.Unmarshal(w.browser().get("/.well-known/jwks.json").Body.Bytes(), &set))
	signed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{algorithm})
	must(w.t, err)
	var claims map[string]any
	must(w.t, signed.Claims(set, &claims))
	return signed.Headers[0], claims
}

func TestARelyingPartyIsToldOnceThatASessionEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp, elsewhere := listen(t), listen(t)
		c, key := w.interested(rp.URL)
		w.interested(elsewhere.URL) // was never signed in to
		silent, silentKey := w.client(nil)
		b := w.browser()
		ann := w.person("Ann")
		s := b.signIn(ann)
		b.tokens(silent, silentKey)
		b.tokens(c, key)
		hint := b.tokens(c, key).ID // twice in one session
		w.clock.Add(48 * time.Hour) // its authorizations are long forgotten
		must(t, w.db.Sweep(t.Context()))
		b.leave(url.Values{"id_token_hint": {hint}})
		b.leave(url.Values{"id_token_hint": {hint}})
		if b.present() || w.waiting() != 1 {
			t.Fatalf("still signed in: %v; %d jobs", b.present(), w.waiting())
		}
		w.work(1, w.provider.TellLogout)
		header, claims := w.verify(<-rp.heard, jose.RS256)
		if header.ExtraHeaders["typ"] != "logout+jwt" {
			t.Errorf("header %v", header)
		}
		now := float64(w.clock.Now().Unix())
		for name, want := range map[string]any{
			"iss": issuer, "aud": string(c.ID), "sub": string(ann), "sid": string(s.ID), "iat": now, "exp": now + 120,
		} {
			if claims[name] != want {
				t.Errorf("claim %s is %v, want %v", name, claims[name], want)
			}
		}
		events, _ := claims["events"].(map[string]any)
		member, ok := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
		if !ok || len(member) != 0 || claims["jti"] == "" || claims["nonce"] != nil || len(claims) != 8 {
			t.Errorf("claims %v", claims)
		}
		if len(rp.heard)+len(elsewhere.heard)+w.waiting() != 0 {
			t.Error("somebody was told who had no part in it, or twice")
		}
	})
}

func TestALogoutTokenPassesForNoOtherToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp := listen(t)
		c, key := w.interested(rp.URL)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		b.tokens(c, key)
		must(t, w.keeper.EndOthers(t.Context(), s.User, "", "system"))
		w.work(1, w.provider.TellLogout)
		raw := <-rp.heard
		w.wantDead(raw)
		again := w.browser()
		again.signIn(s.User)
		if got := back(t, again.authorize(ask(c, "id_token_hint", raw))); got.Get("error") != "invalid_request" {
			t.Errorf("as a hint: %v", got)
		}
		if again.leave(url.Values{"id_token_hint": {raw}}); !again.present() {
			t.Error("as a hint at logout it signed somebody out")
		}
	})
}

func TestARelyingPartyThatIsDownIsToldLater(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp := listen(t)
		c, key := w.interested(rp.URL)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		b.tokens(c, key)
		must(t, w.keeper.End(t.Context(), s, "system"))
		args := w.work(1, take)[0]
		for _, status := range []int{http.StatusServiceUnavailable, http.StatusFound, http.StatusForbidden} {
			rp.answer(status)
			if w.provider.TellLogout(t.Context(), args) == nil {
				t.Errorf("an answer of %d counts as heard", status)
			}
		}
		first := <-rp.heard
		w.clock.Add(10 * time.Minute)
		rp.answer(http.StatusNoContent)
		must(t, w.provider.TellLogout(t.Context(), args))
		<-rp.heard
		<-rp.heard
		_, old := w.verify(first, jose.RS256)
		_, fresh := w.verify(<-rp.heard, jose.RS256)
		if old["jti"] == fresh["jti"] || fresh["iat"] != float64(w.clock.Now().Unix()) {
			t.Errorf("the second token is not fresh: %v", fresh)
		}
		if w.events(event.LogoutFailed) != 0 {
			t.Error("it heard, and the trail says it did not")
		}
	})
}

func TestARelyingPartyThatRefusesOrStaysAwayIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp := listen(t)
		c, key := w.interested(rp.URL)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		b.tokens(c, key)
		must(t, w.keeper.End(t.Context(), s, "system"))
		args := w.work(1, take)[0]
		rp.answer(http.StatusBadRequest)
		must(t, w.provider.TellLogout(t.Context(), args)) // done: asking again would not help
		if w.events(event.LogoutFailed) != 1 {
			t.Fatal("the trail does not say that it refused")
		}
		rp.Close()
		if w.provider.TellLogout(t.Context(), args) == nil {
			t.Error("nobody answered, and that counts as heard")
		}
		w.clock.Add(4 * time.Hour)
		must(t, w.provider.TellLogout(t.Context(), args))
		if w.events(event.LogoutFailed) != 2 {
			t.Error("the trail does not say that it was given up")
		}
	})
}

func TestAClientThatIsGoneIsNotToldAndHarmsNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp, other := listen(t), listen(t)
		c, key := w.interested(rp.URL)
		d, otherKey := w.interested(other.URL)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		b.tokens(c, key)
		b.tokens(d, otherKey)
		must(t, w.keeper.End(t.Context(), s, "system"))
		if w.waiting() != 2 {
			t.Fatalf("%d jobs", w.waiting())
		}
		must(t, w.clients.Delete(t.Context(), c.ID, "operator:cli")) // meanwhile
		w.work(2, w.provider.TellLogout)
		<-other.heard
		if len(rp.heard) != 0 || w.events(event.LogoutFailed) != 0 {
			t.Error("a client that is gone was told, or blamed")
		}
	})
}

func TestNothingIsQueuedWhenTheEndOfASessionIsUndone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.interested(listen(t).URL)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		b.tokens(c, key)
		undone := context.Canceled
		if err := w.db.InTx(t.Context(), func(ctx context.Context) error {
			if err := w.keeper.End(ctx, s, "system"); err != nil {
				return err
			}
			return undone
		}); err == nil || !b.present() || w.waiting() != 0 {
			t.Fatalf("%v; still signed in: %v; %d jobs", err, b.present(), w.waiting())
		}
	})
}

func TestEachSessionIsToldOfByItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rp := listen(t)
		c, key := w.interested(rp.URL)
		ann := w.person("Ann")
		here, there, third := w.browser(), w.browser(), w.browser()
		var kept []session.Session
		for _, b := range []*browser{here, there, third} {
			kept = append(kept, b.signIn(ann))
			b.tokens(c, key)
		}
		must(t, w.keeper.EndOthers(t.Context(), ann, kept[0].ID, string(ann)))
		w.work(2, w.provider.TellLogout)
		told := map[any]bool{}
		for range 2 {
			_, claims := w.verify(<-rp.heard, jose.RS256)
			told[claims["sid"]] = true
		}
		if !told[string(kept[1].ID)] || !told[string(kept[2].ID)] || !here.present() {
			t.Errorf("told of %v", told)
		}
	})
}

func TestAClientWithoutAnAddressForItCostsNothing(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	c, _ := w.client(nil)
	b := w.browser()
	s := b.signIn(w.person("Ann"))
	b.code(ask(c))
	w.count.Reset()
	b.code(ask(c))
	for _, text := range w.count.Texts() {
		if strings.Contains(text, "visits") {
			t.Errorf("a plain code flow asks: %s", text)
		}
	}
	must(t, w.keeper.End(t.Context(), s, "system"))
	if w.waiting() != 0 {
		t.Error("a job for nobody")
	}
}

func TestAJobForALogoutHoldsNoToken(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	c, key := w.interested(listen(t).URL)
	b := w.browser()
	s := b.signIn(w.person("Ann"))
	b.tokens(c, key)
	must(t, w.keeper.End(t.Context(), s, "system"))
	var args map[string]string
	must(t, json.Unmarshal(w.work(1, take)[0], &args))
	if len(args) != 4 || args["client"] != string(c.ID) || identity.UserID(args["user"]) != s.User || args["session"] != string(s.ID) || args["ended_at"] == "" {
		t.Errorf("the job says %v", args)
	}
}

func TestALogoutTokenIsSignedAndNamesThePersonAsThatClientsIDTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.keys.Offer(t.Context(), "PS256"))
		for want, change := range map[jose.SignatureAlgorithm]func(c *provider.Client){
			jose.ES256: func(c *provider.Client) { c.IDToken.JWS = "ES256" },
			jose.PS256: func(c *provider.Client) { c.IDToken.JWS, c.Pairwise = "PS256", true },
		} {
			rp := listen(t)
			at := rp.URL + "/cb"
			c, key := w.client(func(c *provider.Client) {
				c.BackchannelLogoutURI, c.RedirectURIs = rp.URL, []string{at}
				change(c)
			})
			b := w.browser()
			s := b.signIn(w.person(secret.NewID("Ann")))
			hint := b.tokensAt(at, c, key).ID
			var claims struct {
				Subject string `json:"sub"`
			}
			text, err := base64.RawURLEncoding.DecodeString(strings.Split(hint, ".")[1])
			must(t, err)
			must(t, json.Unmarshal(text, &claims))
			if c.Pairwise == (claims.Subject == string(s.User)) {
				t.Fatalf("%s: sub is %s", want, claims.Subject)
			}
			if b.leave(url.Values{"id_token_hint": {hint}}); b.present() {
				t.Errorf("%s: the hint is not believed", want)
			}
			w.work(1, w.provider.TellLogout)
			if _, told := w.verify(<-rp.heard, want); told["sub"] != claims.Subject {
				t.Errorf("%s: told of %v, the ID token says %s", want, told["sub"], claims.Subject)
			}
		}
	})
}
