package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"idp/sdk/js"
)

// fetchScript asks for a file as a browser on another site does.
func fetchScript(t *testing.T, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://app.example.org")
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

func TestPagesOfAnyOriginMayRunTheSDKAndKeepWhatNeverChanges(t *testing.T) {
	s := startAt(t, sqlite(t), "/auth")
	files, err := js.Files()
	if err != nil || files["idp.js"] == nil {
		t.Fatalf("no SDK: %v", err)
	}
	for name, want := range files {
		url := s.issuer + "/sdk/v1/" + name
		res, body := fetchScript(t, url)
		if res.StatusCode != http.StatusOK || !bytes.Equal(body, want) {
			t.Fatalf("%s: %s, %d bytes of %d", name, res.Status, len(body), len(want))
		}
		for header, said := range map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*",
			"Access-Control-Allow-Credentials": "", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
			"Vary": "Accept-Encoding", "Set-Cookie": "",
		} {
			if got := res.Header.Get(header); got != said {
				t.Errorf("%s: %s: %q, want %q", name, header, got, said)
			}
		}
		kept := res.Header.Get("Cache-Control")
		if entry := name == "idp.js" || name == "components.js"; strings.Contains(kept, "immutable") == entry {
			t.Errorf("%s may be kept: %q", name, kept)
		}
		if res, body := fetchScript(t, url, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified || len(body) > 0 {
			t.Errorf("%s is sent again although it is known: %s", name, res.Status)
		}
		packed, body := fetchScript(t, url, "Accept-Encoding", "br, gzip;q=0.8")
		if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("ETag") == res.Header.Get("ETag") {
			t.Errorf("%s is not packed for who unpacks: %v", name, packed.Header)
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, want) {
			t.Errorf("%s comes out of its packing as something else: %v", name, err)
		}
	}
}

func TestNothingButTheSDKIsServedBesideIt(t *testing.T) {
	s := startAt(t, sqlite(t), "")
	for _, path := range []string{"", "idp.ts", "idp.js/", "dist/idp.js", "types/idp.d.ts", "..%2fembed.go", "%2e%2e/package.json", "idp.js.map", "chunk.js"} {
		if res, body := fetchScript(t, s.issuer+"/sdk/v1/"+path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %s %.40q", path, res.Status, body)
		}
	}
}
