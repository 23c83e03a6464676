package provider_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/provider"
	"idp/storage"
)

// What each feature defends by itself must hold where they meet.

// tokensAt is tokens for a client whose redirect URI is another.
func (b *browser) tokensAt(redirect string, c provider.Client, key string) answer {
	b.w.t.Helper()
	u, err := url.Parse(b.authorize(ask(c, "redirect_uri", redirect)).Header().Get("Location"))
	must(b.w.t, err)
	return read(b.w.t, b.w.redeem(c, key, u.Query().Get("code"), "redirect_uri", redirect), http.StatusOK)
}

func TestASecretDoesNotVouchForAnAppThatGetsItsTokensInFront(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const own = "com.example.app:/cb"
		app, _ := w.client(func(c *provider.Client) {
			versatile(c)
			c.Type, c.AuthMethod, c.FirstParty, c.RedirectURIs = provider.Native, "client_secret_basic", false, []string{own}
		})
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		w.agree(ann, app, "openid", "profile", "email", "offline_access")
		for _, types := range allTypes {
			to := b.authorize(ask(app, "redirect_uri", own, "response_type", types, "prompt", "none")).Header().Get("Location")
			if asked := strings.Contains(to, "consent_required"); asked == (types == "code") {
				t.Errorf("%s: whoever took the app's address is sent %q", types, to)
			}
		}
	})
}

func TestPairwiseClientsCannotCompareSessionsEither(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, oneKey := w.client(func(c *provider.Client) {
			c.Pairwise, c.FrontchannelLogoutURI = true, "https://rp.example.org/bye"
		})
		rp := listen(t)
		other, otherKey := w.client(func(c *provider.Client) {
			c.Pairwise, c.RedirectURIs, c.BackchannelLogoutURI = true, []string{rp.URL + "/cb"}, rp.URL
		})
		public, publicKey := w.client(nil)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		hint, theirs := b.tokens(one, oneKey).ID, b.tokensAt(rp.URL+"/cb", other, otherKey).ID
		first, second := w.claims(hint)["sid"], w.claims(theirs)["sid"]
		if first == nil || second == nil || first == second || first == string(s.ID) || second == string(s.ID) {
			t.Fatalf("two sectors compare their people by sid: %v and %v of %s", first, second, s.ID)
		}
		if again := w.claims(b.tokens(one, oneKey).ID)["sid"]; again != first {
			t.Errorf("one client hears two names of one session: %v, then %v", first, again)
		}
		if got := w.claims(b.tokens(public, publicKey).ID)["sid"]; got != string(s.ID) {
			t.Errorf("a public client hears %v", got)
		}

		// What tells of the end uses the same name, and so does the hint that ends it.
		rec := b.leave(url.Values{"id_token_hint": {hint}})
		page := frames(t, b.get(rec.Header().Get("Location")))
		if b.present() || len(page.Frames) != 1 || !strings.Contains(page.Frames[0], url.Values{"sid": {first.(string)}}.Encode()) {
			t.Errorf("still signed in: %v; told %v, not of %v", b.present(), page.Frames, first)
		}
		w.work(1, w.provider.TellLogout)
		if _, told := w.verify(<-rp.heard, "RS256"); told["sid"] != second {
			t.Errorf("the logout token speaks of %v, not of %v", told["sid"], second)
		}
	})
}

func TestThisMachineIsNobodysSector(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		seen := map[string]string{}
		for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
			for range 2 {
				redirect := "http://" + host + "/cb"
				c, key := w.client(func(c *provider.Client) {
					c.Type, c.AuthMethod, c.Pairwise, c.RedirectURIs = provider.Native, "client_secret_post", true, []string{redirect}
				})
				name := w.subjectAt(b.tokensAt(redirect, c, key))
				if seen[name] != "" {
					t.Errorf("apps at %s and %s know her by one name", host, seen[name])
				}
				seen[name] = host
			}
		}
	})
}

func TestNothingIsKeptOfARequestThatMeansNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		junk := []string{"password", "hunter2", "client_secret", key, "access_token", "idp_at_x", "utm_source", strings.Repeat("x", 8000)}
		b := w.browser()
		kept := b.waiting(b.authorize(ask(c, junk...)))
		for i := 0; i < len(junk); i += 2 {
			if strings.Contains(string(kept.Request), junk[i]) || strings.Contains(string(kept.Request), junk[i+1]) {
				t.Errorf("the parked request keeps %s", junk[i])
			}
		}
		b.signIn(w.person("Ann"))
		if got := back(t, b.get("/oauth2/resume?ask="+string(kept.ID))); got.Get("code") == "" || got.Get("state") != "st-8f2k" {
			t.Errorf("what remains is not enough: %v", got)
		}
	})
}

// gate answers nobody until it is opened.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	in   int
	most int
}

func (g *gate) Get(context.Context, string, int64) ([]byte, error) {
	g.mu.Lock()
	g.in++
	g.most = max(g.most, g.in)
	g.mu.Unlock()
	<-g.open
	g.mu.Lock()
	g.in--
	g.mu.Unlock()
	return []byte("nothing"), nil
}

func (*gate) PostForm(context.Context, string, url.Values) (int, error) { return 0, nil }

func TestStrangersMakeFewCallsAtOnceForOneClient(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	there := &gate{open: make(chan struct{})}
	w.wire(provider.Deps{Outbound: there})
	at := "https://rp.example.org/object"
	named := func(c *provider.Client) { c.RequestURIs = []string{at} }
	c, _ := w.client(named)
	other, _ := w.client(named)
	stranger := &browser{w: w}
	refused := make(chan string, 40)
	var all sync.WaitGroup
	for range cap(refused) {
		all.Go(func() {
			refused <- back(t, stranger.authorize(ask(c, "request_uri", at))).Get("error")
		})
	}
	for range cap(refused) - 16 {
		if got := <-refused; got != "temporarily_unavailable" {
			t.Errorf("one too many is told %q", got)
		}
	}
	all.Go(func() { // another client's are not in their way
		if got := back(t, stranger.authorize(ask(other, "request_uri", at))).Get("error"); got != "invalid_request_object" {
			t.Errorf("a request of another client is told %q", got)
		}
	})
	close(there.open)
	all.Wait()
	if there.most > 17 {
		t.Errorf("%d calls at once", there.most)
	}
	if got := back(t, stranger.authorize(ask(c, "request_uri", at))).Get("error"); got != "invalid_request_object" {
		t.Errorf("afterwards it is told %q", got)
	}
}

func TestAnUpdateThatNamesNewAddressesToCallCountsLikeARegistration(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := &elsewhere{says: map[string][]byte{}}
		w.clients.Outbound = there
		w.wire(provider.Deps{OpenRegistration: true, Outbound: there, Throttle: storage.NewThrottle(w.db), Registrations: 2})
		code, made := w.register(object{})
		if code != http.StatusCreated {
			t.Fatal(made)
		}
		path, access := "/oauth2/register/"+made["client_id"].(string), made["registration_access_token"].(string)
		put := func(member string, value any) int {
			said := object{"client_id": made["client_id"], "redirect_uris": []string{callback}, member: value}
			code, _ := w.speak(http.MethodPut, path, access, said)
			return code
		}
		if got := put("logo_uri", "https://cdn.example/1"); got != http.StatusOK {
			t.Fatalf("the first is refused: %d", got)
		}
		for member, value := range map[string]any{
			"logo_uri": "https://cdn.example/2", "jwks_uri": "https://keys.example/2", "request_uris": []string{"https://rp.example.org/o"},
		} {
			if got := put(member, value); got == http.StatusOK {
				t.Errorf("%s changes as often as one likes", member)
			}
		}
		if got := put("client_name", "Acme"); got != http.StatusOK {
			t.Errorf("a name is counted: %d", got)
		}
		w.clock.Add(time.Hour + time.Second)
		if got := put("jwks_uri", "https://keys.example/2"); got != http.StatusOK {
			t.Errorf("an hour later it is %d", got)
		}
	})
}

func TestThePagesOfAClientThatIsOffAreNotShownInFrames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, _ := framed(w)
		list, err := w.clients.List(t.Context(), "", 0)
		must(t, err)
		must(t, w.clients.Disable(t.Context(), list[0].ID, "operator:cli"))
		rec := b.confirm("confirm", s.ID, url.Values{})
		if to := rec.Header().Get("Location"); b.present() || strings.Contains(to, "/logout/apps") {
			t.Errorf("still signed in: %v, sent to %q", b.present(), to)
		}
	})
}

func TestARequestObjectThatTravelsThroughABrowserProvesNoClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.keyed(func(c *provider.Client) {
			c.Type, c.FirstParty, c.GrantTypes, c.Scopes, c.RedirectURIs = provider.Web, true, nil, nil, []string{callback}
		})
		sign := func(claims map[string]any) string { return jws(t, "ES256", partyKey(), nil, claims) }
		// Some libraries put sub and jti into every JWT that they sign.
		object := w.assertion(c, "response_type", "code", "client_id", c.ID, "redirect_uri", callback, "scope", "openid", "state", "x",
			"code_challenge", challengeOf(verifier), "code_challenge_method", "S256")
		b := w.browser()
		b.signIn(w.person("Ann"))
		seen := sign(object)
		b.code(url.Values{"client_id": {string(c.ID)}, "request": {seen}})
		push := func(raw string) (int, string) {
			rec := w.form("/oauth2/par", with(ask(c), "client_assertion_type", assertionType, "client_assertion", raw))
			return rec.Code, rec.Body.String()
		}
		if code, said := push(seen); code != http.StatusUnauthorized {
			t.Errorf("who read it in a history passes for the client: %d %s", code, said)
		}
		if code, said := push(sign(w.assertion(c))); code != http.StatusCreated {
			t.Errorf("the client itself does not: %d %s", code, said)
		}
	})
}

func TestNobodyMovesIntoAnothersSectorWithThePeopleTheyHave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.open()
		victim, victimKey := w.client(func(c *provider.Client) { c.Pairwise = true })
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		secretName := w.subjectAt(b.tokens(victim, victimKey))

		const evil = "https://evil.example/cb"
		said := object{"redirect_uris": []string{evil}, "subject_type": "pairwise", "token_endpoint_auth_method": "client_secret_post"}
		code, made := w.register(said)
		if code != http.StatusCreated {
			t.Fatal(made)
		}
		id, key := provider.ClientID(made["client_id"].(string)), made["client_secret"].(string)
		w.agree(ann, provider.Client{ID: id}, "openid", "profile", "email", "offline_access")
		client := func() provider.Client {
			c, err := w.clients.Get(t.Context(), id)
			must(t, err)
			return c
		}
		has := b.tokensAt(evil, client(), key)
		if w.subjectAt(has) == secretName {
			t.Fatal("two sectors share a name")
		}
		u, err := url.Parse(b.authorize(ask(client(), "redirect_uri", evil)).Header().Get("Location"))
		must(t, err)

		// It now says that it lives where the victim does, with what it was given elsewhere.
		said["client_id"], said["redirect_uris"] = id, []string{callback}
		if code, answer := w.speak(http.MethodPut, "/oauth2/register/"+string(id), made["registration_access_token"].(string), said); code != http.StatusOK {
			t.Fatal(answer)
		}
		wantError(t, w.redeem(client(), key, u.Query().Get("code"), "redirect_uri", evil), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.refresh(client(), key, has.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(has.Access)
		for _, raw := range []string{has.Access, has.Refresh} {
			if told := w.post("/oauth2/introspect", client(), key, "token", raw).Body.String(); told != dead {
				t.Errorf("introspection says %s", told)
			}
		}
		if got := w.subjectAt(b.tokens(victim, victimKey)); got != secretName {
			t.Errorf("the victim knows her as %s, no more as %s", got, secretName)
		}
	})
}

func TestAPairwiseClientIsToldOfSignOutsWhereItLives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := w.open()
		there.says["https://rp.example.org/sector.json"] = []byte(`["` + callback + `"]`)
		said := object{"subject_type": "pairwise", "backchannel_logout_uri": "https://evil.example/names"}
		for _, sector := range []string{"", "https://rp.example.org/sector.json"} {
			if said["sector_identifier_uri"] = sector; sector == "" {
				delete(said, "sector_identifier_uri")
			}
			if code, answer := w.register(said); code != http.StatusBadRequest {
				t.Errorf("a stranger hears the names of the sector %q: %d %v", sector, code, answer)
			}
		}
		said["backchannel_logout_uri"] = "https://rp.example.org:8443/bye"
		if code, answer := w.register(said); code != http.StatusCreated {
			t.Errorf("%d %v", code, answer)
		}
		if code, answer := w.register(object{"backchannel_logout_uri": "https://logout.example/"}); code != http.StatusCreated {
			t.Errorf("a public client: %d %v", code, answer)
		}
	})
}

func TestAnApplicationCannotSayWhatIsTheOperators(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.open()
		said := object{
			"first_party": true, "FIRST_PARTY": true, "may_introspect": true, "id_token_claims": true, "audience": []string{"https://api.example"}, "type": "native",
			"disabled": false, "sector": "bank.example", "registration_token": "x",
		}
		code, made := w.register(said)
		if code != http.StatusCreated {
			t.Fatal(made)
		}
		id, access := provider.ClientID(made["client_id"].(string)), made["registration_access_token"].(string)
		plain := func(when string) {
			c, err := w.clients.Get(t.Context(), id)
			must(t, err)
			if c.FirstParty || c.MayIntrospect || c.IDTokenClaims || len(c.Audience) > 0 || c.Type != provider.Web || c.Sector != "" {
				t.Errorf("%s: %+v", when, c)
			}
		}
		plain("registered")
		said["client_id"] = id
		if code, answer := w.speak(http.MethodPut, "/oauth2/register/"+string(id), access, said); code != http.StatusOK {
			t.Fatal(answer)
		}
		plain("replaced")

		// What the operator says of it afterwards is trust in what it was then.
		_, err := w.clients.Update(t.Context(), id, "operator:cli", func(c *provider.Client) error {
			c.FirstParty, c.MayIntrospect = true, true
			return nil
		})
		must(t, err)
		if code, answer := w.speak(http.MethodPut, "/oauth2/register/"+string(id), access, said); code != http.StatusOK {
			t.Fatal(answer)
		}
		plain("replaced after it was trusted")
	})
}

func TestASecretThatWasGivenUpDoesNotComeBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.AuthMethod = "client_secret_post" })
		become := func(method string) (provider.Client, string) {
			next, fresh, err := w.clients.Revise(t.Context(), c.ID, "operator:cli", func(c *provider.Client) error {
				c.AuthMethod = method
				return nil
			})
			must(t, err)
			return next, fresh.Reveal()
		}
		if public, _ := become("none"); len(public.Secrets) != 0 {
			t.Errorf("a public client keeps %d secrets", len(public.Secrets))
		}
		again, fresh := become("client_secret_post")
		wantError(t, w.post("/oauth2/introspect", again, key, "token", "x"), http.StatusUnauthorized, "invalid_client")
		if got := w.post("/oauth2/introspect", again, fresh, "token", "x").Body.String(); got != dead {
			t.Errorf("with its new secret it is told %s", got)
		}
	})
}
