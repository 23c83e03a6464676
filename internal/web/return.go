package web

import (
	"net/http"
	"net/url"
	"strings"
)

// ReturnField is the parameter that says where somebody goes once they have signed in.
const ReturnField = "return_to"

// Returnable returns the absolute address that somebody may be sent to because a stranger wrote
// it: a path of our host, or a URL of our origin or a listed one. It is "" for anything else, and
// for what a browser might read otherwise than we do.
func (p *Pages) Returnable(to string) string {
	if path := Local(to, ""); path != "" {
		return p.Origin + path
	}
	u, err := url.Parse(to)
	if err != nil || u.User != nil || u.Host == "" || len(to) > longest || !printable(to) {
		return ""
	}
	origin := u.Scheme + "://" + u.Host
	rest, spelled := strings.CutPrefix(to, origin)
	if !spelled || rest != "" && !strings.ContainsAny(rest[:1], "/?#") {
		return ""
	}
	if origin != p.Origin && (p.Listed == nil || !p.Listed(origin)) {
		return ""
	}
	return to
}

// A page that needs somebody to sign in first keeps its own path in a cookie until they
// have. Only the browser that saw the page can come back to it, and only to a path of ours.

const returnLife = 15 * 60 // seconds

func (p *Pages) returnCookie() string { return CookieName("idp_return", p.Secure, "", p.Base) }

func (p *Pages) returnTo(path string, seconds int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever the issuer is https
		Name: p.returnCookie(), Value: path, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// KeepReturn remembers where to go once somebody has signed in.
func (p *Pages) KeepReturn(w http.ResponseWriter, path string) {
	http.SetCookie(w, p.returnTo(path, returnLife))
}

// TakeReturn returns where to go now, once: what was kept, or otherwise fallback.
func (p *Pages) TakeReturn(w http.ResponseWriter, r *http.Request, fallback string) string {
	kept := r.CookiesNamed(p.returnCookie())
	if len(kept) == 0 {
		return fallback
	}
	http.SetCookie(w, p.returnTo("", -1))
	if len(kept) > 1 {
		return fallback // somebody tossed one from a sibling host
	}
	return Local(kept[0].Value, fallback)
}
