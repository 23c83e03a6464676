package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/provider"
)

// shelf is a relying party's server of request objects.
type shelf struct {
	*httptest.Server
	mu   sync.Mutex
	text string
	hits map[string]int
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{hits: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits[r.URL.Path]++
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/inside", http.StatusFound)
		case "/gone":
			http.NotFound(w, r)
		case "/huge":
			_, _ = w.Write([]byte(strings.Repeat("a", 33<<10)))
		default:
			_, _ = w.Write([]byte(s.text + "\n"))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) put(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

func (s *shelf) seen(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

func TestARequestObjectIsFetchedFromWhereItWasRegistered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		home := newShelf(t)
		at := func(c *provider.Client) { c.RequestURIs = []string{home.URL + "/object#first", home.URL + "/plain"} }
		signer, _ := w.asker(at)
		free, _ := w.asker(func(c *provider.Client) { at(c); c.RequestObject.JWS = "none" })
		b := w.browser()
		b.signIn(w.person("Ann"))
		for why, tc := range map[string]struct {
			c         provider.Client
			text, uri string
		}{
			"signed":                    {signer, w.object(signer), "/plain"},
			"unsigned":                  {free, bare(t, `{"alg":"none"}`, w.inside(free)), "/plain"},
			"with the fragment":         {signer, w.object(signer), "/object#first"},
			"the fragment says changed": {signer, w.object(signer), "/object#second"},
			"encrypted":                 {signer, w.sealed(w.object(signer), "ECDH-ES", "A256GCM"), "/plain"},
		} {
			home.put(tc.text)
			if got := back(t, b.authorize(ask(tc.c, "request_uri", home.URL+tc.uri))); got.Get("state") != "inside" || got.Get("code") == "" {
				t.Errorf("%s: %v", why, got)
			}
		}
		home.put(w.object(free))
		wantBack(t, "of another client", back(t, b.authorize(ask(signer, "request_uri", home.URL+"/plain"))), "invalid_request_object")
	})
}

func TestWhatWasNotRegisteredIsNotFetched(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		home := newShelf(t)
		c, _ := w.asker(func(c *provider.Client) { c.RequestURIs = []string{home.URL + "/object"} })
		home.put(w.object(c))
		b := w.browser()
		for _, uri := range []string{
			home.URL + "/other", home.URL + "/object?x=1", home.URL + "/object/", home.URL + "/./object", home.URL + "/OBJECT",
			strings.Replace(home.URL, "127.0.0.1", "localhost", 1) + "/object", strings.ToUpper(home.URL) + "/object",
			"http://169.254.169.254/latest", "file:///etc/passwd", home.URL + "/other#" + home.URL + "/object", "urn:x", "x", " " + home.URL + "/object",
		} {
			wantBack(t, uri, back(t, b.authorize(ask(c, "request_uri", uri))), "invalid_request_uri")
		}
		if len(home.hits) != 0 {
			t.Fatalf("fetched %v", home.hits)
		}
	})
}

func TestTroubleWithARequestURISoundsTheSame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		home, closed := newShelf(t), newShelf(t)
		closed.Close()
		c, _ := w.asker(func(c *provider.Client) {
			c.RequestURIs = []string{home.URL + "/moved", home.URL + "/gone", home.URL + "/huge", closed.URL + "/object", "https://10.0.0.1/object", "https://169.254.169.254/latest"}
		})
		b := w.browser()
		words := map[string]bool{}
		for _, uri := range c.RequestURIs {
			got := back(t, b.authorize(ask(c, "request_uri", uri)))
			wantBack(t, uri, got, "invalid_request_uri")
			words[got.Get("error_description")] = true
		}
		if len(words) != 1 {
			t.Errorf("told apart: %v", words)
		}
		if home.seen("/inside") != 0 {
			t.Error("the redirect was followed")
		}
	})
}

func TestARequestObjectIsReadOnceAndMayExpireWhileThePersonSignsIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		home := newShelf(t)
		c, _ := w.asker(func(c *provider.Client) { c.RequestURIs = []string{home.URL + "/object"} })
		home.put(w.object(c, "exp", w.clock.Now().Add(time.Minute).Unix()))
		b := w.browser()
		rec := b.authorize(ask(c, "request_uri", home.URL+"/object"))
		to, err := url.Parse(rec.Header().Get("Location"))
		if must(t, err); to.Path != "/sign-in" {
			t.Fatalf("sent to %s", to)
		}
		w.clock.Add(5 * time.Minute)
		home.put("changed since")
		b.signIn(w.person("Ann"))
		if got := back(t, b.get("/oauth2/resume?"+to.RawQuery)); got.Get("state") != "inside" || got.Get("code") == "" {
			t.Fatalf("%v", got)
		}
		if home.seen("/object") != 1 {
			t.Errorf("%d fetches", home.seen("/object"))
		}
	})
}

// FuzzRequestObject throws request objects at the authorization endpoint, of a client that
// may leave them unsigned. Whatever comes, it never fails by its own fault and sends nobody
// to an address that is not registered.
func FuzzRequestObject(f *testing.F) {
	w := newWorld(f, sqlite(f), clockOf())
	c, _ := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "none" })
	b := w.browser()
	b.signIn(w.person("Ann"))
	none := `{"alg":"none"}`
	f.Add(none, `{"state":"x","max_age":3,"claims":{"id_token":{"email":null}}}`, "")
	f.Add(none, `{"redirect_uri":"https://evil.example/","response_mode":"fragment","aud":["`+issuer+`"]}`, "")
	f.Add(none, `{"exp":1e999,"nbf":-1,"iss":null,"resource":["a"],"prompt":[]}`, "")
	f.Add(`{"alg":"ES256","kid":"ec"}`, `{"a":[[[[{}]]]],"b":{"b":{}}}`, "AAAA")
	f.Add(`{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`, "", ".AAAA.AA")
	f.Fuzz(func(t *testing.T, header, claims, rest string) {
		raw := bare(t, header, claims) + rest
		for _, q := range []url.Values{ask(c, "request", raw), {"client_id": {string(c.ID)}, "request": {raw}}} {
			r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/oauth2/authorize", RawQuery: q.Encode()}, Header: http.Header{}}
			rec := b.do(r.WithContext(t.Context()))
			to := rec.Header().Get("Location")
			switch {
			case rec.Code >= 500:
				t.Fatalf("%d %s", rec.Code, rec.Body)
			case to == "", strings.HasPrefix(to, "/sign-"), strings.HasPrefix(to, "/consent?"):
			case !strings.HasPrefix(to, callback+"?") && !strings.HasPrefix(to, callback+"#"):
				t.Fatalf("sent to %q", to)
			}
		}
	})
}
