package provider_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/provider"
)

// elsewhere is what others' servers answer, and how often they were asked.
type elsewhere struct {
	mu    sync.Mutex
	says  map[string][]byte
	asked []string
	most  int64
}

// Get answers what was put there, and fails for all else.
func (e *elsewhere) Get(_ context.Context, uri string, most int64) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked, e.most = append(e.asked, uri), most
	text, ok := e.says[uri]
	if !ok || int64(len(text)) > most {
		return nil, errors.New("unreachable")
	}
	return text, nil
}

// PostForm answers that nobody is there.
func (*elsewhere) PostForm(context.Context, string, url.Values) (int, error) {
	return 0, errors.New("unreachable")
}

func (e *elsewhere) times(uri string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, one := range e.asked {
		if one == uri {
			n++
		}
	}
	return n
}

const logoAt = "https://cdn.rp.example.org/logo"

func (w *world) logo(c provider.Client, etag string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/oauth2/clients/"+string(c.ID)+"/logo", nil)
	r.Header.Set("If-None-Match", etag)
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

// withLogo is a world where somebody's server answers with a logo, and a client that names it.
func withLogo(t *testing.T, raw []byte) (*world, *elsewhere, provider.Client) {
	t.Helper()
	w := newWorld(t, sqlite(t), clockOf())
	there := &elsewhere{says: map[string][]byte{logoAt: raw}}
	w.wire(provider.Deps{Outbound: there})
	c, _ := w.client(func(c *provider.Client) { c.LogoURI = logoAt })
	return w, there, c
}

func painting(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, color.NRGBA{200, 20, 20, 255})
		}
	}
	return m
}

func encoded(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, f(&out))
	return out.Bytes()
}

func fromBase64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	return raw
}

func TestALogoIsDrawnAnewWhateverItWas(t *testing.T) {
	for name, raw := range map[string][]byte{
		"png":  encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, painting(600, 300)) }),
		"jpeg": encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, painting(2000, 1000), nil) }),
		"gif":  encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, painting(300, 300), nil) }),
		"webp": fromBase64(t, "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="),
	} {
		t.Run(name, func(t *testing.T) {
			w, there, c := withLogo(t, raw)
			rec := w.logo(c, "")
			m, err := png.Decode(rec.Body)
			if rec.Code != http.StatusOK || err != nil || rec.Header().Get("Content-Type") != "image/png" || rec.Header().Get("ETag") == "" {
				t.Fatalf("%d %v %v", rec.Code, rec.Header(), err)
			}
			if b := m.Bounds(); b.Dx() > 256 || b.Dx() < 88 || b.Dx() != b.Dy() || there.most > 512<<10 {
				t.Errorf("%v, fetched at most %d bytes", b, there.most)
			}
			middle := color.NRGBAModel.Convert(m.At(m.Bounds().Dx()/2, m.Bounds().Dy()/2)).(color.NRGBA)
			if middle.A != 255 || name != "webp" && (middle.R < 180 || middle.G > 60) {
				t.Errorf("its middle is %v", middle)
			}
			if again := w.logo(c, rec.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("the same again: %d", again.Code)
			}
			if there.times(logoAt) != 1 {
				t.Errorf("fetched %d times", there.times(logoAt))
			}
		})
	}
}

// bomb is a small PNG that says it is huge.
func bomb(w, h uint32) []byte {
	head := make([]byte, 17)
	copy(head, "IHDR")
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	head[12], head[13] = 8, 6
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

// patient is a small JPEG that goes over four million pixels again and again.
func patient(scans int) []byte {
	out := []byte("\xff\xd8\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64) + // a quantisation table
		"\xff\xc2\x00\x0b\x08\x08\x00\x08\x00\x01\x01\x11\x00" + // progressive, 2048 by 2048, grey
		"\xff\xc4\x00\x14\x10\x01" + strings.Repeat("\x00", 15) + "\xe0") // one code: a long run of nothing
	for range scans {
		out = append(out, "\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x7f\xfe\xff\x00\xfc\x00\x07"...)
	}
	return append(out, "\xff\xd9"...)
}

func TestWhatIsNoHarmlessPictureIsNoLogo(t *testing.T) {
	small := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, painting(4, 4)) })
	for name, raw := range map[string][]byte{
		"a program":            []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a page":               []byte("<!doctype html><script>alert(1)</script>"),
		"nothing":              {},
		"half a picture":       small[:len(small)/2],
		"too wide":             encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 4097, 1))) }),
		"too large in all":     encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 4000, 1200))) }),
		"larger than a number": bomb(1<<31-1, 1<<31-1),
		"drawn over and over":  patient(65),
		"too many bytes":       slices.Concat(small, make([]byte, 512<<10)),
	} {
		w, there, c := withLogo(t, raw)
		for range 3 {
			if rec := w.logo(c, ""); !bytes.Contains(rec.Body.Bytes(), []byte("logo_unknown")) {
				t.Errorf("%s: %d %.80q", name, rec.Code, rec.Body)
			}
		}
		if there.times(logoAt) != 1 {
			t.Errorf("%s: a failure was fetched %d times", name, there.times(logoAt))
		}
		there.says[logoAt] = small
		w.clock.Add(10 * time.Minute)
		if rec := w.logo(c, ""); rec.Code != http.StatusOK {
			t.Errorf("%s: mended, it is still %d %s", name, rec.Code, rec.Body)
		}
	}
}

func TestManyBrowsersFetchALogoOnce(t *testing.T) {
	w, there, c := withLogo(t, encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, painting(9, 9)) }))
	codes := make([]int, 20)
	race(len(codes), func(i int) { codes[i] = w.logo(c, "").Code })
	if slices.ContainsFunc(codes, func(code int) bool { return code != http.StatusOK }) || there.times(logoAt) != 1 {
		t.Errorf("%v, fetched %d times", codes, there.times(logoAt))
	}
}

func TestLogosAreOfClientsThatAreOn(t *testing.T) {
	w, there, c := withLogo(t, encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, painting(9, 9)) }))
	must(t, w.clients.Disable(t.Context(), c.ID, "operator:cli"))
	none, _ := w.client(nil)
	for _, one := range []provider.Client{c, none, {ID: "client_nobody"}} {
		if rec := w.logo(one, ""); rec.Code == http.StatusOK {
			t.Errorf("%s has a logo", one.ID)
		}
	}
	if there.times(logoAt) != 0 {
		t.Error("a disabled client made us call")
	}
}

func TestPeopleMeetAClientInTheirLanguageAndItsLogoHere(t *testing.T) {
	c := provider.Client{ID: "client_1", Name: "Acme", LogoURI: logoAt, Metadata: map[string]any{"client_name#fr": "Acmé", "tos_uri#fr": "https://a.example/fr"}}
	for languages, want := range map[string]string{"fr": "Acmé", "fr-CA": "Acmé", "de": "Acme", "": "Acme", "x x": "Acme"} {
		if p := c.Party(callback, languages); p.Name != want || p.LogoURI != "/oauth2/clients/client_1/logo" {
			t.Errorf("%s: %+v", languages, p)
		}
	}
	if p := c.Party(callback, "de", "fr"); p.TermsURI != "https://a.example/fr" {
		t.Errorf("the second language: %+v", p)
	}
}
