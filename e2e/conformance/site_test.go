package conformance

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/internal/secret"
)

// site is the relying parties' host: every module has a folder of its own on it, into
// which idp sends browsers and from which it fetches.
type site struct {
	server *httptest.Server
	mu     sync.Mutex
	folder map[string]*folder
}

// folder is one module's part of the site.
type folder struct {
	url  string // "https://127.0.0.1:port/test/a/name"
	mu   sync.Mutex
	docs map[string]document
	hits []hit
	came chan struct{} // closed and made anew with each hit
}

type document struct {
	kind, body string
}

// hit is one request to the folder.
type hit struct {
	path, method, kind string
	query              url.Values
	form               url.Values
	tls                *tls.ConnectionState
}

func newSite(t *testing.T) *site {
	s := &site{folder: map[string]*folder{}}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.pair}, MinVersion: tls.VersionTLS12}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

// newFolder makes a part of the site that nobody else uses.
func (s *site) newFolder() *folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(secret.NewID("t"))
	f := &folder{url: s.server.URL + "/test/a/" + name, docs: map[string]document{}, came: make(chan struct{})}
	s.folder[name] = f
	return f
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/test/a/")
	name, path, _ := strings.Cut(rest, "/")
	s.mu.Lock()
	f := s.folder[name]
	s.mu.Unlock()
	if !ok || f == nil {
		http.NotFound(w, r)
		return
	}
	f.serve(w, r, path)
}

func (f *folder) serve(w http.ResponseWriter, r *http.Request, path string) {
	h := hit{path: path, method: r.Method, kind: r.Header.Get("Content-Type"), query: r.URL.Query(), tls: r.TLS}
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		h.form, _ = url.ParseQuery(string(body))
	}
	f.mu.Lock()
	f.hits = append(f.hits, h)
	close(f.came)
	f.came = make(chan struct{})
	doc, ok := f.docs[path]
	f.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if !ok {
		doc = document{"text/html; charset=utf-8", `<!doctype html><title>Done</title><p id="submission_complete">Thank you.</p>`}
	}
	w.Header().Set("Content-Type", doc.kind)
	_, _ = io.WriteString(w, doc.body)
}

// publish puts a document into the folder and returns its address.
func (f *folder) publish(path, kind, body string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.docs[path] = document{kind, body}
	return f.url + "/" + path
}

// publishJSON is publish for a JSON document.
func (f *folder) publishJSON(t testing.TB, path string, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return f.publish(path, "application/json", string(text))
}

// of returns the requests for a path, in order.
func (f *folder) of(path string) []hit {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []hit
	for _, h := range f.hits {
		if h.path == path {
			found = append(found, h)
		}
	}
	return found
}

// await returns the first request for a path, which may come a moment later: idp calls
// relying parties from its queue.
func (f *folder) await(t testing.TB, path string) hit {
	t.Helper()
	late := time.After(2 * time.Minute)
	for {
		f.mu.Lock()
		came := f.came
		f.mu.Unlock()
		if found := f.of(path); len(found) > 0 {
			return found[0]
		}
		select {
		case <-came:
		case <-late:
			t.Fatalf("nobody came to %s within 30 s", path)
		}
	}
}
