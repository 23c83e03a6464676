package federation_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// told returns the reasons in the audit trail, the newest first.
func told(t *testing.T, db *storage.DB) (why []string) {
	t.Helper()
	all, err := storage.NewEvents(db).List(t.Context(), storage.EventFilter{Kind: event.ConnectionRefused})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Detail["connection"] == "" || e.Actor != "system" {
			t.Errorf("%+v", e)
		}
		why = append(why, e.Detail["why"])
	}
	return why
}

// silence answers nobody until the caller gives up.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the caller is gone
	<-r.Context().Done()
}

func TestASlowProviderIsAwayBeforeThePageIsOver(t *testing.T) {
	for _, path := range []string{"/token", "/jwks", "/userinfo"} {
		h := newHouse(t)
		h.f.Patience, h.f.Events = 100*time.Millisecond, storage.NewEvents(h.db)
		h.f.Put(h.c)
		h.op.Take[path] = silence
		_, err := h.signIn()
		h.refused(path, federation.Assertion{}, err, federation.ErrAway)
		if n := h.f.Counts()["acme"][federation.Unreachable]; n != 1 {
			t.Errorf("%s: %d counted", path, n)
		}
		if why := told(t, h.db); len(why) != 0 {
			t.Errorf("%s: %q", path, why)
		}
	}
	h := newHouse(t)
	h.f.Patience = 100 * time.Millisecond
	h.c = h.op.Plain("acme")
	h.op.Take["/token"] = silence
	_, err := h.signIn()
	h.refused("OAuth 2.0", federation.Assertion{}, err, federation.ErrAway)
}

func TestMetadataThatComesTooSlowlyIsAway(t *testing.T) {
	h := newSAMLHouse(t)
	op := federationtest.New(t, h.clock.Now)
	op.Take["/metadata"] = silence
	h.f.Outbound, h.f.Patience = outbound.New(outbound.Options{Loopback: true}), 100*time.Millisecond
	h.f.Issuer = "http://localhost:1" // where plain addresses will do
	h.c.Metadata, h.c.MetadataURL = "", op.URL+"/metadata"
	_, err := h.f.Depart(t.Context(), h.c, h.d)
	if !problem.HasCode(err, federation.ErrAway.Code) {
		t.Error(err)
	}
	_, _, err = h.f.Accept(t.Context(), h.c, url.Values{"SAMLResponse": {"PGEvPg=="}, "RelayState": {h.d.State.Reveal()}})
	if !problem.HasCode(err, federation.ErrAway.Code) {
		t.Error(err)
	}
}

func TestOperatorsAreToldOnceAMinuteInOurWordsWhyAProviderWasRefused(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const bait = "s3cret-ann@example.com"
		lie := func(name string, value any) func(h *house) {
			return func(h *house) { h.op.Token = func(claims map[string]any) { claims[name] = value } }
		}
		reply := func(status int, body string) func(h *house) {
			return func(h *house) {
				h.op.Take["/token"] = func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				}
			}
		}
		h := houseOn(t, db)
		h.f.Events = storage.NewEvents(db)
		h.f.Put(h.c)
		seen := 0
		for _, one := range []struct {
			lie  func(h *house)
			want string
		}{
			{lie("iss", "https://"+bait), "the ID token is of another issuer"},
			{lie("aud", bait), "the ID token is for somebody else"},
			{lie("nonce", bait), "the ID token has another nonce, or none"},
			{lie("sub", ""), "the ID token names nobody"},
			{lie("exp", bait), "cannot be read"},
			{lie("exp", 1), "the ID token is over"},
			{lie("auth_time", bait), "a time in the ID token is none"},
			{reply(400, `{"error": "invalid_grant", "error_description": "`+bait+`"}`), "the token endpoint answered with status 400 and invalid_grant"},
			{reply(400, `{"error": "s3cret-ann"}`), "status 400 and an error of its own"},
			{reply(401, `{"error": "invalid_client"}`), "does not accept our client id or secret"},
			{reply(200, bait), "no JSON object"},
			{func(h *house) { h.op.Answer = func(v url.Values) { v.Set("error", bait); v.Del("code") } }, "an error of its own"},
			{func(h *house) { h.op.Answer = func(v url.Values) { v.Add("code", bait) } }, "something is said twice"},
			{func(h *house) { h.op.Sign = federationtest.Unknown }, "signature"},
		} {
			h.op.Token, h.op.Answer, h.op.Take, h.op.Sign = nil, nil, map[string]http.HandlerFunc{}, federationtest.Right
			one.lie(h)
			h.clock.Add(time.Minute)
			for range 2 {
				if _, err := h.signIn(); err == nil {
					t.Fatalf("%s: signed in", one.want)
				}
			}
			seen++
			why := told(t, db)
			if len(why) != seen || !strings.Contains(why[0], one.want) || strings.Contains(why[0], "s3cret") {
				t.Errorf("want %q once: %q", one.want, why)
				seen = len(why)
			}
		}
		if n := h.f.Counts()["acme"][federation.Refused]; n != int64(2*seen) {
			t.Errorf("%d counted", n)
		}
	})
}

func TestVisitsAreCountedByHowTheyEndedForConnectionsOnFileAlone(t *testing.T) {
	h := newHouse(t)
	h.f.Put(h.c)
	if _, err := h.signIn(); err != nil {
		t.Fatal(err)
	}
	h.op.Answer = func(v url.Values) { v.Set("error", "access_denied"); v.Del("code") }
	_, err := h.signIn()
	h.refused("turned back", federation.Assertion{}, err, federation.ErrChanged)
	counts := h.f.Counts()
	if got := counts["acme"]; len(counts) != 1 || got[federation.SignedIn] != 1 || got[federation.Declined] != 1 || got[federation.Refused]+got[federation.Unreachable] != 0 {
		t.Errorf("%v", counts)
	}
	h.f.Put()
	if counts := h.f.Counts(); len(counts) != 0 {
		t.Errorf("%v", counts)
	}
}
