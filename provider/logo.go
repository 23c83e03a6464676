package provider

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"

	"idp/avatar"
	"idp/internal/problem"
)

const (
	maxLogo      = 512 << 10 // bytes that are fetched
	maxLogos     = 1000      // that are remembered
	maxLogoBytes = 16 << 20  // that they may take in memory
	logoLife     = 24 * time.Hour
	noLogoLife   = 10 * time.Minute // until a failure is tried again
	logoFetches  = 4                // at the same time
)

var errNoLogo = problem.New(problem.NotFound, "logo_unknown", "There is no logo.")

// Logo serves a client's logo as a small picture of our own making. Nobody's browser is
// sent to the client's server for it, which would tell the client who is about to sign in;
// it is fetched once and drawn anew, so that nothing but pixels comes through.
func (p *Provider) Logo(w http.ResponseWriter, r *http.Request) error {
	client, err := p.Clients.Get(r.Context(), ClientID(r.PathValue("client")))
	if err != nil {
		return err
	}
	if client.Disabled || client.LogoURI == "" {
		return errNoLogo
	}
	picture, err := p.logos.get(r.Context(), client.LogoURI, p.Now, p.fetchLogo)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", picture.etag)
	if r.Header.Get("If-None-Match") == picture.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "image/png")
	_, _ = w.Write(picture.png)
	return nil
}

func (p *Provider) fetchLogo(ctx context.Context, uri string) ([]byte, error) {
	if p.Outbound == nil {
		return nil, errNoWayOut
	}
	raw, err := p.Outbound.Get(ctx, uri, maxLogo)
	if err != nil {
		return nil, fmt.Errorf("fetch logo: %w", err)
	}
	return raw, nil
}

// logos remembers pictures by the address they came from, and failures too. The zero value
// is ready.
type logos struct {
	mu    sync.Mutex
	kept  map[string]*logo
	bytes int

	busy  int        // fetches under way
	brush sync.Mutex // one picture is drawn at a time: that takes memory
}

// logo is a picture, or that there is none.
type logo struct {
	ready chan struct{} // closed when the rest is known
	png   []byte        // nil: there is none
	etag  string
	until time.Time
}

// get returns the picture of an address, problem.NotFound if there is none. Whoever comes
// while it is fetched waits for that.
func (l *logos) get(ctx context.Context, uri string, now func() time.Time, fetch func(context.Context, string) ([]byte, error)) (*logo, error) {
	found, mine := l.look(uri, now())
	if found == nil {
		return nil, errNoLogo // too busy; the name alone will do
	}
	if mine {
		// Others wait for it: that this browser went away is no reason to give up.
		l.fill(context.WithoutCancel(ctx), uri, found, now, fetch)
	}
	select {
	case <-found.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if found.png == nil {
		return nil, errNoLogo
	}
	return found, nil
}

// look finds what is known, or makes room for it: then it is the caller's to fill.
func (l *logos) look(uri string, now time.Time) (found *logo, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.kept[uri]; found != nil && (!found.known() || now.Before(found.until)) {
		return found, false
	}
	if l.busy >= logoFetches {
		return nil, false
	}
	l.drop(uri)
	l.makeRoom(now)
	if l.kept == nil {
		l.kept = map[string]*logo{}
	}
	found = &logo{ready: make(chan struct{})}
	l.kept[uri] = found
	l.busy++
	return found, true
}

func (l *logo) known() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

// makeRoom forgets what is over, and when that is not enough whatever comes first.
func (l *logos) makeRoom(now time.Time) {
	if len(l.kept) < maxLogos && l.bytes < maxLogoBytes {
		return
	}
	for uri, one := range l.kept {
		if one.known() && !now.Before(one.until) {
			l.drop(uri)
		}
	}
	for uri, one := range l.kept {
		if len(l.kept) < maxLogos && l.bytes < maxLogoBytes {
			return
		}
		if one.known() {
			l.drop(uri)
		}
	}
}

func (l *logos) drop(uri string) {
	if one := l.kept[uri]; one != nil {
		l.bytes -= len(one.png)
		delete(l.kept, uri)
	}
}

func (l *logos) fill(ctx context.Context, uri string, to *logo, now func() time.Time, fetch func(context.Context, string) ([]byte, error)) {
	var drawn []byte
	defer func() { // also when a decoder panics: nobody shall wait for ever
		l.mu.Lock()
		defer l.mu.Unlock()
		to.until = now().Add(noLogoLife)
		if drawn != nil {
			sum := sha256.Sum256(drawn)
			to.png, to.etag, to.until = drawn, `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`, now().Add(logoLife)
		}
		l.bytes += len(to.png)
		l.busy--
		close(to.ready)
	}()
	raw, err := fetch(ctx, uri)
	if err != nil {
		return
	}
	l.brush.Lock()
	defer l.brush.Unlock()
	drawn, _ = avatar.Tile(raw)
}
