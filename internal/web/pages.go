package web

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/templates"
)

// Pages shows templates in the layout of this instance.
type Pages struct {
	Set         *templates.Set
	Brand       string // what the instance calls itself
	Development bool   // says so on every page
	Inbox       bool   // messages stay in the development inbox
	Secure      bool   // the issuer is https
	Origin      string // scheme://host[:port] of the issuer; only needed with a Base or Listed
	Base        string // the issuer's path, "" for none
	Box         *secret.Box
	// Listed reports whether people may be sent back to pages of an origin; nil: only to ours.
	Listed func(origin string) bool
	// Browser returns the id of the browser that sent r, giving it a cookie if it has none.
	Browser func(w http.ResponseWriter, r *http.Request) string
}

// formToken is what every form of a browser carries. Another site can neither read it
// nor make it.
func (p *Pages) formToken(w http.ResponseWriter, r *http.Request) string {
	s := stateOf(r.Context())
	if s.browser == "" {
		s.browser = p.Browser(w, r)
	}
	return string(p.Box.MAC("form token", s.browser))
}

// Locale returns the best language we have for the person who sent r.
func (p *Pages) Locale(r *http.Request) string {
	return p.Set.Match(r.Header.Get("Accept-Language"))
}

// Show answers with a page.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	return p.show(w, r, status, name, data, nil)
}

// Again answers a form that could not be accepted: the same page with the problem in its
// place. What the person cannot mend there is returned as it came.
func (p *Pages) Again(w http.ResponseWriter, r *http.Request, err error, name string, data any) error {
	var e *problem.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case problem.Invalid, problem.Unauthenticated, problem.Conflict, problem.TooMany, problem.Gone, problem.Unavailable:
		status := Status(e)
		if e.Kind == problem.Unauthenticated {
			status = http.StatusUnprocessableEntity // 401 would demand a WWW-Authenticate challenge
		}
		retryAfter(w, e)
		Note(r.Context(), keyCode, e.Code)
		return p.show(w, r, status, name, data, &templates.Trouble{Problem: e.Code, Text: e.Detail, Field: e.Field})
	case problem.Unknown, problem.Forbidden, problem.NotFound, problem.Malformed, problem.TooLarge, problem.Unsupported:
	}
	return err
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, data any, t *templates.Trouble) error {
	var page bytes.Buffer
	err := p.Set.Page(&page, name, templates.Frame{
		Locale: p.Locale(r), Brand: p.Brand, Development: p.Development, Inbox: p.Inbox,
		Form: secret.NewString(p.formToken(w, r)), Trouble: t, Data: data,
	})
	if err != nil {
		return err
	}
	p.headers(w.Header())
	if framing, ok := data.(interface{ FrameOrigins() []string }); ok {
		h := w.Header()
		h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; frame-src "+strings.Join(framing.FrameOrigins(), " "))
	}
	if more, ok := data.(interface{ Sources() map[string]string }); ok {
		h := w.Header()
		h.Set("Content-Security-Policy", allow(h.Get("Content-Security-Policy"), more.Sources()))
	}
	w.WriteHeader(status)
	_, _ = w.Write(rebase(page.Bytes(), p.Base))
	return nil
}

// Problem answers with the error page: what is wrong, the way back, and the id to quote.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, err error) {
	p.Failed(w, r, err, "")
}

// Failed is Problem with a way back: a path of ours, "" for none.
func (p *Pages) Failed(w http.ResponseWriter, r *http.Request, err error, back string) {
	var e *problem.Error
	if !errors.As(err, &e) {
		e = errOurs
	}
	retryAfter(w, e)
	shown := p.show(w, r, Status(e), "error", templates.Failure{Problem: e.Code, Detail: e.Detail, Trace: Trace(r), Back: back, Ours: e.Kind == problem.Unknown}, nil)
	if shown != nil {
		http.Error(w, "Something went wrong on our side. Quote "+Trace(r)+" when you ask about it.", http.StatusInternalServerError)
	}
}

// Redirect sends the browser on with 303, so that a form is never sent again to where it leads.
func Redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Local returns path if it is one of ours, and otherwise fallback. Only a rooted path
// without a host, a backslash, control characters or an encoded slash is.
func Local(path, fallback string) string {
	if len(path) > longest || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || !printable(path) {
		return fallback
	}
	route, _, _ := strings.Cut(path, "?")
	if strings.Contains(route, "//") || strings.Contains(route, "%") || strings.Contains(route, "..") || strings.ContainsAny(route, "@:") {
		return fallback
	}
	return path
}

const longest = 2048 // bytes of an address to return to

// printable reports whether an address has neither control characters nor backslashes, which
// browsers drop or turn.
func printable(address string) bool {
	return !strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' })
}
