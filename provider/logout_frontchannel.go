package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/session"
	"idp/templates"
)

// partingLife is how long the page with the frames may be asked for.
const partingLife = 5 * time.Minute

// parting is what a browser takes along to the page that tells relying parties in frames:
// sealed, so that nobody can make one up, and good for that browser alone.
type parting struct {
	Browser  session.BrowserID `json:"browser"`
	Sessions []session.ID      `json:"sessions"`
	To       string            `json:"to"`
	Until    time.Time         `json:"until"`
}

const partingPlace = "logout parting"

// Parting returns where a browser goes when sessions on it have ended: to the page that
// tells relying parties in frames (OIDC Front-Channel Logout) and from there on to the
// given address, or straight there if no relying party wants to be told.
func (p *Provider) Parting(r *http.Request, ended []session.ID, to string) (string, error) {
	browser, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return to, nil
	}
	if err != nil {
		return "", err
	}
	frames, err := p.frames(r.Context(), ended)
	if err != nil || len(frames) == 0 {
		return to, err
	}
	text, err := json.Marshal(parting{Browser: browser.ID, Sessions: ended, To: to, Until: p.Now().Add(partingLife)})
	if err != nil {
		return "", fmt.Errorf("write the way out: %w", err)
	}
	return "/oauth2/logout/apps?" + url.Values{"parting": {p.Box.Seal(partingPlace, text)}}.Encode(), nil
}

// frames are the addresses that relying parties registered to hear in the browser that
// these sessions are over. Each is told our name and the session's, asked for or not.
func (p *Provider) frames(ctx context.Context, ended []session.ID) ([]string, error) {
	visits, err := p.Visits.Visits(ctx, ended)
	if err != nil {
		return nil, err
	}
	var frames []string
	for _, v := range visits {
		c, err := p.Clients.Get(ctx, v.Client)
		if problem.Is(err, problem.NotFound) || err == nil && (c.Disabled || c.FrontchannelLogoutURI == "") {
			continue
		}
		if err != nil {
			return nil, err
		}
		frames = append(frames, joined(c.FrontchannelLogoutURI, url.Values{"iss": {p.Issuer}, "sid": {p.sessionName(c, v.Session)}}))
	}
	return frames, nil
}

// joined adds parameters to a registered URI, whose own bytes stay as they are.
func joined(uri string, params url.Values) string {
	if len(params) == 0 {
		return uri
	}
	if strings.Contains(uri, "?") {
		return uri + "&" + params.Encode()
	}
	return uri + "?" + params.Encode()
}

// LogoutApps shows the page whose frames tell relying parties that the person left, and
// then goes on. Without a good parting there is nothing to tell.
func (p *Provider) LogoutApps(w http.ResponseWriter, r *http.Request) error {
	way, err := p.parting(r)
	if err != nil {
		return err
	}
	frames, err := p.frames(r.Context(), way.Sessions)
	if err != nil {
		return err
	}
	if len(frames) == 0 {
		goTo(w, way.To)
		return nil
	}
	to := way.To
	if strings.HasPrefix(to, "/") {
		to = p.url(to)
	}
	return p.Pages.Show(w, r, http.StatusOK, "logging_out", templates.LoggingOut{Frames: frames, To: to})
}

// parting opens what the browser brought; what is not its own, or too old, is the way to
// the last page.
func (p *Provider) parting(r *http.Request) (parting, error) {
	last := parting{To: donePath}
	browser, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return last, nil
	}
	if err != nil {
		return last, err
	}
	text, err := p.Box.Open(partingPlace, r.URL.Query().Get("parting"))
	if err != nil {
		return last, nil //nolint:nilerr // somebody made it up
	}
	var way parting
	if err := json.Unmarshal(text, &way); err != nil {
		return last, fmt.Errorf("read the way out: %w", err)
	}
	if way.Browser != browser.ID || !p.Now().Before(way.Until) {
		return last, nil
	}
	return way, nil
}

// goTo sends the browser on with 303, to an address that is kept byte for byte.
func goTo(w http.ResponseWriter, to string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
