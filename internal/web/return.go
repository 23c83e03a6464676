package web

import "net/http"

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
