package login

import (
	"errors"
	"net/http"
	"net/url"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/web"
)

// This file is what SAML providers and their operators meet: our metadata, and where a
// provider's page makes browsers post what it asserts. No cookie of ours comes along with such a
// post, so that nothing is decided here about anybody: what was checked waits, and the browser
// fetches it by the address of every return.

// ServiceMetadata answers GET /federation/{connection}/metadata: what to give to the provider.
func (p *Pages) ServiceMetadata(w http.ResponseWriter, r *http.Request) error {
	c, err := p.Engine.Federation.Connection(r.PathValue("connection"))
	if err != nil && !problem.HasCode(err, federation.ErrDisabled.Code) {
		return err
	}
	doc, err := p.Engine.Federation.ServiceMetadata(r.Context(), c)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(doc) //nolint:gosec // our own document, made by an XML encoder
	return nil
}

// ConsumeAssertion answers POST /federation/{connection}/acs (SAML Bindings §3.5).
func (p *Pages) ConsumeAssertion(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("connection")
	err := p.consume(w, r, name)
	var e *problem.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return err
	case e.Code == federation.ErrUnsolicited.Code:
		if c, err := p.Engine.Federation.Connection(name); err == nil && c.IDPInitiated {
			return web.Redirect(w, r, startPath(name))
		}
	}
	p.Web.Failed(w, r, err, signInPath)
	return nil
}

func (p *Pages) consume(w http.ResponseWriter, r *http.Request, name string) error {
	if err := web.ParseForm(r); err != nil {
		return err
	}
	c, err := p.Engine.Federation.Connection(name)
	if err != nil {
		return err
	}
	back := "/federation/" + url.PathEscape(name) + "/callback?"
	if relay := r.PostForm.Get("RelayState"); federation.LooksOurs(relay) {
		awaited, err := p.Engine.awaits(r.Context(), c, relay)
		if err != nil {
			return err
		}
		if !awaited { // nobody would fetch it: the page says so
			return web.Redirect(w, r, back+url.Values{"state": {relay}}.Encode())
		}
	}
	state, arrival, err := p.Engine.Federation.Accept(r.Context(), c, r.PostForm)
	var e *problem.Error
	if errors.As(err, &e) && e.Code != federation.ErrUnsolicited.Code && mishaps[e.Code] != "" && federation.AttemptOf(state.Reveal()) != "" {
		return p.stay(w, r, View{ID: AttemptID(federation.AttemptOf(state.Reveal()))}, name, err)
	}
	if err != nil {
		return err
	}
	return web.Redirect(w, r, back+url.Values{"state": {state.Reveal()}, "arrival": {arrival.Reveal()}}.Encode())
}

func startPath(connection string) string {
	return "/federation/" + url.PathEscape(connection) + "/start"
}

// BeginElsewhere answers GET /federation/{connection}/start: a page with the one button that leads
// to a provider, for people who begin there and for bookmarks. It does nothing by itself, so that no
// other site can sign anybody in.
func (p *Pages) BeginElsewhere(w http.ResponseWriter, r *http.Request) error {
	c, err := p.Engine.Federation.Connection(r.PathValue("connection"))
	if err != nil {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "connection", connectionPage{Way: elsewhere{c.Name, c.Shown(), c.Preset}})
}
