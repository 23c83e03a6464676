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
	errForm    = problem.New(problem.Unsupported, "form_expected", "Send this as a form.")
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
