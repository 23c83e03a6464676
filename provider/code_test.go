package provider_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/provider"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestAFailedVerifierBurnsTheCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for why, bad := range map[string]string{
			"wrong": "another-verifier-of-at-least-forty-three-characters", "missing": "", "short": verifier[:42],
			"long": verifier + strings.Repeat("x", 100), "with a space": verifier + " ", "the challenge": challengeOf(verifier),
		} {
			code := b.code(ask(c))
			wantError(t, w.redeem(c, key, code, "code_verifier", bad), http.StatusBadRequest, "invalid_grant")
			wantError(t, w.redeem(c, key, code, "code_verifier", ""), http.StatusBadRequest, "invalid_grant")
			if a := read(t, w.redeem(c, key, code), http.StatusBadRequest); a.Error != "invalid_grant" {
				t.Errorf("%s: the right verifier came too late and got %+v", why, a)
			}
		}
	})
}

func TestAVerifierWithoutAChallengeBurnsTheCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		q := func() string { return b.code(ask(c, "code_challenge", "", "code_challenge_method", "")) }
		code := q()
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.redeem(c, key, code, "code_verifier", ""), http.StatusBadRequest, "invalid_grant")
		read(t, w.redeem(c, key, q(), "code_verifier", ""), http.StatusOK) // a confidential client may do without
	})
}

func TestAnotherRedirectURIAtTheTokenEndpointBurnsTheCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.RedirectURIs = []string{callback, callback + "2"} })
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, uri := range []string{"", callback + "2", callback + "/"} {
			code := b.code(ask(c))
			wantError(t, w.redeem(c, key, code, "redirect_uri", uri), http.StatusBadRequest, "invalid_grant")
			wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
		}
	})
}

func TestACodeUsedAgainAtOnceRevokesNothingAndLaterEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		a := read(t, w.redeem(c, key, code), http.StatusOK)
		w.clock.Add(500 * time.Millisecond)
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
		w.wantAlive(a.Access)
		w.clock.Add(500 * time.Millisecond)
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
		w.wantDead(a.Access)
		wantError(t, w.refresh(c, key, a.Refresh), http.StatusBadRequest, "invalid_grant")
		if w.events(event.CodeReused) != 1 {
			t.Error("no event of the reuse")
		}
		code = b.code(ask(c))
		a = read(t, w.redeem(c, key, code), http.StatusOK)
		w.clock.Add(10 * 24 * time.Hour)
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.refresh(c, key, a.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}

// race runs do that many times at once.
func race(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func TestACodeIsSpentOnceHoweverManyTry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		answers := make([]answer, 40)
		race(len(answers), func(i int) {
			rec := w.redeem(c, key, code)
			if rec.Code != http.StatusOK && rec.Code != http.StatusBadRequest {
				t.Errorf("status %d %s", rec.Code, rec.Body)
				return
			}
			answers[i] = read(t, rec, rec.Code)
		})
		var won answer
		wins := 0
		for _, a := range answers {
			if a.Access != "" {
				won, wins = a, wins+1
			} else if a.Error != "invalid_grant" {
				t.Errorf("a loser got %+v", a)
			}
		}
		if wins != 1 {
			t.Fatalf("%d winners", wins)
		}
		w.wantAlive(won.Access)
		read(t, w.refresh(c, key, won.Refresh), http.StatusOK)
	})
}

func TestTwoReplicasSpendACodeOnceAndShareARefresh(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		clock := clockOf()
		w := newWorld(t, url, clock)
		replicas := []*world{w, newWorld(t, url, clock)}
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		answers := make([]answer, 20)
		race(len(answers), func(i int) {
			rec := replicas[i%2].redeem(c, key, code)
			answers[i] = read(t, rec, rec.Code)
		})
		var won []answer
		for _, a := range answers {
			if a.Access != "" {
				won = append(won, a)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d winners", len(won))
		}
		race(len(answers), func(i int) { answers[i] = read(t, replicas[i%2].refresh(c, key, won[0].Refresh), http.StatusOK) })
		for _, a := range answers {
			if a.Refresh != answers[0].Refresh {
				t.Fatal("the family forked")
			}
		}
	})
}

func TestACodeLivesAMinute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		w.clock.Add(59 * time.Second)
		read(t, w.redeem(c, key, code), http.StatusOK)
		code = b.code(ask(c))
		w.clock.Add(time.Minute)
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_grant")
	})
}

func TestACodeIsWorthNothingToAnotherClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		other, otherKey := w.client(nil)
		public, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		wantError(t, w.redeem(other, otherKey, code), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.redeem(public, "", code), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.redeem(c, "", code), http.StatusUnauthorized, "invalid_client")
		read(t, w.redeem(c, key, code), http.StatusOK) // and nobody spoilt it
	})
}

func TestChangedAndEmptyCodesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		for _, bad := range []string{code[:len(code)-1], code + "A", strings.ToUpper(code), "x"} {
			wantError(t, w.redeem(c, key, bad), http.StatusBadRequest, "invalid_grant")
		}
		wantError(t, w.redeem(c, key, ""), http.StatusBadRequest, "invalid_request")
		read(t, w.redeem(c, key, code), http.StatusOK)
	})
}

func TestWhatChangesBetweenTwoStepsCounts(t *testing.T) {
	type scene struct {
		w   *world
		b   *browser
		c   provider.Client
		key string
	}
	changes := map[string]func(s *scene){
		"the person is banned": func(s *scene) { s.w.ban(s.w.userOf(s.b)) },
		"consent is taken back": func(s *scene) {
			_, err := storage.NewConsent(s.w.db).DropGrant(s.w.t.Context(), s.w.userOf(s.b), string(s.c.ID), s.w.clock.Now())
			must(s.w.t, err)
		},
		"the client is disabled": func(s *scene) { must(s.w.t, s.w.clients.Disable(s.w.t.Context(), s.c.ID, "operator:cli")) },
		"the client is deleted":  func(s *scene) { must(s.w.t, s.w.clients.Delete(s.w.t.Context(), s.c.ID, "operator:cli")) },
		"the session is ended": func(s *scene) {
			here, err := s.w.keeper.Sessions(s.w.t.Context(), s.b.kept)
			must(s.w.t, err)
			must(s.w.t, s.w.keeper.End(s.w.t.Context(), here[0], "operator:cli"))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				s := &scene{w: w, b: w.browser()}
				s.c, s.key = w.client(nil)
				ann := w.person("Ann")
				s.b.signIn(ann)
				w.agree(ann, s.c, "openid")
				got := s.b.tokens(s.c, s.key, "scope", "openid") // no offline_access: lives with the session
				code := s.b.code(ask(s.c))
				change(s)
				refused := func(what string, status int) {
					if status != http.StatusBadRequest && status != http.StatusUnauthorized {
						t.Errorf("%s: status %d", what, status)
					}
				}
				refused("code", w.redeem(s.c, s.key, code).Code)
				refused("refresh", w.refresh(s.c, s.key, got.Refresh).Code)
				w.wantDead(got.Access)
				if rec := w.post("/oauth2/introspect", s.c, s.key, "token", got.Access); rec.Code == http.StatusOK && rec.Body.String() != `{"active":false}`+"\n" {
					t.Errorf("introspection says %s", rec.Body)
				}
			})
		})
	}
}
