package outbound_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"idp/internal/outbound"
)

func TestALibraryReadsNoMoreThanItsLimit(t *testing.T) {
	c := newCanary(t, true, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Path)-1))
	})
	client := outbound.New(outbound.Options{Loopback: true, Roots: c.roots()}).Within(8)
	for path, whole := range map[string]bool{"/12345678": true, "/123456789": false} {
		res, err := client.Get(c.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if (err == nil) != whole {
			t.Errorf("%s: %q, %v", path, body, err)
		}
	}
	if _, err := outbound.New(outbound.Options{Roots: c.roots()}).Within(8).Get(c.URL + "/1"); err == nil {
		t.Error("a limit took the guard away")
	}
}

func TestWhatABrowserIsGivenIsHTTPSOrThisMachine(t *testing.T) {
	strict, loose := outbound.New(outbound.Options{}), outbound.New(outbound.Options{Loopback: true})
	for uri, want := range map[string][2]bool{
		"https://accounts.example.com/auth?x=1": {true, true},
		"http://localhost:4000/auth":            {false, true},
		"http://127.0.0.1:4000/auth":            {false, true},
		"http://accounts.example.com/auth":      {false, false},
		"https://user@example.com/":             {false, false},
		"https://example.com/#part":             {false, false},
		"javascript:alert(1)":                   {false, false},
		"https:///auth":                         {false, false},
		"//example.com/auth":                    {false, false},
		"":                                      {false, false},
		"https://example.com/" + strings.Repeat("x", 3000): {false, false},
	} {
		if got := [2]bool{strict.Proper(uri), loose.Proper(uri)}; got != want {
			t.Errorf("%.60s: %v, want %v", uri, got, want)
		}
	}
}
