package web

import (
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/internal/secret"
)

// FormField is the name of the hidden input that carries the form token, FormHeader the
// header for requests by script.
const (
	FormField  = "form_token"
	FormHeader = "Idp-Form-Token"
)

var (
	errForeign = problem.New(problem.Forbidden, "cross_site", "This request came from another site and was not carried out.")
	errStale   = problem.New(problem.Forbidden, "form_stale", "This page was open for too long, or cookies are switched off. Please go back and try again.")
	errOrigin  = problem.New(problem.Forbidden, "origin_missing", "A request with a cookie must say where it comes from.")
	errForm    = problem.New(problem.Unsupported, "form_expected", "Send this as a form.")
	errJSON    = problem.New(problem.Unsupported, "json_expected", "Send this as application/json.")
)

func (f *Faces) https() bool { return strings.HasPrefix(f.Issuer, "https://") }

// lasting reports whether browsers should insist on https for a year: not in development
// and not on this machine, where the next thing on another port may speak plain http.
func (f *Faces) lasting() bool {
	u, err := url.Parse(f.Issuer)
	if err != nil || f.Pages.Development {
		return false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return f.https() && host != "localhost" && !strings.HasSuffix(host, ".localhost") && (err != nil || !ip.IsLoopback())
}

// origin returns scheme://host[:port] of the issuer.
func (f *Faces) origin() string {
	u, err := url.Parse(f.Issuer)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// own checks that no other site caused an unsafe request. Proxies may rewrite Host, so the
// issuer's origin counts as ours whatever Host says. A browser hides the origin of our own
// forms as "null", because our pages send no referrer; where it says nothing else either,
// the form token alone decides.
func (f *Faces) own(r *http.Request, others ...string) error {
	if silent(r) {
		return nil
	}
	if o := r.Header.Get("Origin"); o != "" && o != "null" && o != f.origin() && !slices.Contains(others, o) {
		return errForeign
	}
	check := http.NewCrossOriginProtection()
	for _, o := range append(slices.Clone(others), f.origin()) {
		if err := check.AddTrustedOrigin(o); err != nil {
			return errForeign.Because(err)
		}
	}
	if err := check.Check(r); err != nil {
		return errForeign.Because(err)
	}
	return nil
}

// silent reports that a request does not say which site caused it.
func silent(r *http.Request) bool {
	o := r.Header.Get("Origin")
	return (o == "" || o == "null") && r.Header.Get("Sec-Fetch-Site") == ""
}

// guardForm lets an unsafe page request through that is a form of ours, sent by the
// browser it was made for.
func (f *Faces) guardForm(w http.ResponseWriter, r *http.Request) error {
	if err := f.own(r); err != nil {
		return err
	}
	if err := ParseForm(r); err != nil {
		return err
	}
	if !secret.Equal(r.PostForm.Get(FormField), f.Pages.formToken(w, r)) {
		return errStale
	}
	return nil
}

// guardScript answers CORS for the listed origins and lets an unsafe request through
// that is JSON and either says where it comes from or carries the form token.
func (f *Faces) guardScript(w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	w.Header().Add("Vary", "Origin")
	if slices.Contains(f.Origins, origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Content-Type, "+FormHeader)
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	if safe(r.Method) {
		return nil
	}
	if err := f.own(r, f.Origins...); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/json") {
		return errJSON
	}
	if silent(r) && r.Header.Get("Cookie") != "" && !secret.Equal(r.Header.Get(FormHeader), f.Pages.formToken(w, r)) {
		return errOrigin
	}
	return nil
}

// ParseForm reads a urlencoded body into r.PostForm. Anything else, or a body over the
// limit, is a problem.
func ParseForm(r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return errForm
	}
	if err := r.ParseForm(); err != nil {
		return malformed("form_unreadable", err)
	}
	return nil
}
