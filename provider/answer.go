package provider

import (
	"net/http"
	"net/url"
	"strings"

	"idp/templates"
)

// answer sends the response of an authorization request back to the relying party, in the
// mode it asked for, with its state and our name (RFC 9207).
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, a asked, params url.Values) error {
	params.Set("iss", p.Issuer)
	if state := a.Form.Get("state"); state != "" {
		params.Set("state", state)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if a.mode == modeFormPost {
		fields := map[string]string{}
		for name := range params {
			fields[name] = params.Get(name)
		}
		return p.Pages.Show(w, r, http.StatusOK, "form_post", templates.FormPost{Action: a.redirect, Fields: fields, Party: a.client.Name})
	}
	// The registered URI is kept byte for byte; 303, so that no form is ever sent on.
	joint := "?"
	switch {
	case a.mode == modeFragment:
		joint = "#"
	case strings.Contains(a.redirect, "?"):
		joint = "&"
	}
	w.Header().Set("Location", a.redirect+joint+params.Encode())
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// answerError sends an error back to the relying party. What is our own fault is returned,
// for a page: an application could do nothing about it.
func (p *Provider) answerError(w http.ResponseWriter, r *http.Request, a asked, err error) error {
	f, ok := failureOf(err)
	if !ok {
		return err
	}
	if a.Form == nil {
		a.Form = url.Values{}
	}
	params := url.Values{"error": {f.Code}}
	if f.Description != "" {
		params.Set("error_description", f.Description)
	}
	return p.answer(w, r, a, params)
}
