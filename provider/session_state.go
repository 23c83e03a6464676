package provider

import (
	"crypto/sha256"
	_ "embed" // the script of the frame
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/internal/secret"
)

const (
	checkPath = "/oauth2/check_session"
	checkSalt = 16 // random bytes in a session_state
)

//go:embed session_state.js
var checkScript string

// checkPage returns the page and its policy: it runs its own script and nothing else, and
// may stand in anybody's frame.
func checkPage(cookie string) (page, policy string) {
	sum := sha256.Sum256([]byte(checkScript))
	page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Session</title>\n" +
		`<script data-cookie="` + html.EscapeString(cookie) + `">` + checkScript + "</script>\n</html>\n"
	policy = "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors *"
	return page, policy
}

// CheckSession serves check_session_iframe (OIDC Session Management §3.3), for routes that
// exist only with session management.
func (p *Provider) CheckSession(w http.ResponseWriter, _ *http.Request) error {
	page, policy := checkPage(p.Sessions.Cookies.StateName())
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "public, max-age=600")
	h.Del("X-Frame-Options")
	_, _ = w.Write([]byte(page))
	return nil
}

// sessionState returns the session_state of a successful answer (OIDC Session Management
// §2), "" if it has none: session management is off, this is plain OAuth, or the client is
// not a page in a browser. The cookie is brought up to date with it.
func (p *Provider) sessionState(w http.ResponseWriter, r *http.Request, a asked) (string, error) {
	origin := browserOrigin(a.redirect)
	if !p.SessionManagement || origin == "" || !slices.Contains(a.scopes, "openid") {
		return "", nil
	}
	state, err := p.Sessions.ShowState(w, r)
	if err != nil || state == "" {
		return "", err
	}
	salt := base64.RawURLEncoding.EncodeToString(secret.Bytes(checkSalt))
	sum := sha256.Sum256([]byte(string(a.client.ID) + " " + origin + " " + state + " " + salt))
	return hex.EncodeToString(sum[:]) + "." + salt, nil
}

// browserOrigin returns the origin of a URI as browsers spell it: in lower case, without
// the default port. "" if it has none.
func browserOrigin(uri string) string {
	u, err := url.Parse(originOf(uri))
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if standard := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; standard != "" {
		host = strings.TrimSuffix(host, standard)
	}
	return u.Scheme + "://" + host
}
