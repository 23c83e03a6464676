package account

import (
	"net/http"

	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// What a script does with the sessions of its browser, under /frontend/v1/sessions: whose they
// are does not matter, the browser holds them all. Each answer is the list as it is then, and
// none gives a browser a cookie.

// Sessions answers GET /frontend/v1/sessions. A browser where nobody is signed in has none.
func (x *API) Sessions(w http.ResponseWriter, r *http.Request) error {
	b, err := x.Self.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return web.WriteJSON(w, http.StatusOK, Presents{Sessions: []Present{}})
	}
	if err != nil {
		return err
	}
	return x.list(w, r, b)
}

// Touch answers POST /frontend/v1/sessions/{session}/touch: the person is there, even if no
// token was asked for.
func (x *API) Touch(w http.ResponseWriter, r *http.Request) error {
	return x.here(w, r, func(_ *session.Browser, s session.Session) error { return x.Self.Sessions.Use(r, s) })
}

// Activate answers POST /frontend/v1/sessions/{session}/activate: it is the one in use from now on.
func (x *API) Activate(w http.ResponseWriter, r *http.Request) error {
	return x.here(w, r, func(b *session.Browser, s session.Session) error {
		if !s.Alive(x.Now()) {
			return session.ErrEnded
		}
		if err := x.Self.Sessions.Switch(r.Context(), *b, s.ID); err != nil {
			return err
		}
		b.Active = s.ID
		x.Self.Sessions.ShowStateOf(w, b.ID, s.ID)
		return nil
	})
}

// End answers DELETE /frontend/v1/sessions/{session}: it is over. Ending it twice is fine.
func (x *API) End(w http.ResponseWriter, r *http.Request) error {
	return x.here(w, r, func(_ *session.Browser, s session.Session) error {
		if err := x.Self.Sessions.End(r.Context(), s, string(s.User)); err != nil {
			return err
		}
		_, err := x.Self.Sessions.ShowState(w, r)
		return err
	})
}

// EndAll answers DELETE /frontend/v1/sessions: nobody is signed in on this browser any more.
func (x *API) EndAll(w http.ResponseWriter, r *http.Request) error {
	b, err := x.Self.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return web.WriteJSON(w, http.StatusOK, Presents{Sessions: []Present{}})
	}
	if err != nil {
		return err
	}
	if err := x.Self.Sessions.EndAll(r.Context(), b); err != nil {
		return err
	}
	if _, err := x.Self.Sessions.ShowState(w, r); err != nil {
		return err
	}
	return x.list(w, r, b)
}

// here does something with the session in the path, which must be of the browser that asks.
func (x *API) here(w http.ResponseWriter, r *http.Request, do func(b *session.Browser, s session.Session) error) error {
	if r.ContentLength != 0 {
		if err := web.DecodeJSON(r, &struct{}{}); err != nil {
			return err
		}
	}
	id := session.ID(r.PathValue("session"))
	web.Note(r.Context(), web.KeySession, string(id))
	b, s, err := x.Self.Sessions.Here(r, id)
	if err != nil {
		return err
	}
	web.Note(r.Context(), web.KeyUser, string(s.User))
	if err := do(&b, s); err != nil {
		return err
	}
	return x.list(w, r, b)
}

func (x *API) list(w http.ResponseWriter, r *http.Request, b session.Browser) error {
	all, err := x.Here(r.Context(), b)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, all)
}
