package login

import (
	"net/http"
	"slices"
	"time"

	"idp/identity"
	"idp/internal/web"
	"idp/session"
)

// halfway returns the session that an app wants to have proven more than it did, if nothing
// else is wrong with it. Its person need not begin again: they are asked for what is missing.
func halfway(ask Ask, alive []session.Session, now time.Time) (session.Session, bool) {
	less := ask.Need
	less.Categories, less.Resistant = identity.None, false
	i := slices.IndexFunc(alive, func(s session.Session) bool {
		return s.ID == ask.Chosen && s.Satisfies(less, now) && !s.Satisfies(ask.Need, now)
	})
	if i < 0 {
		return session.Session{}, false
	}
	return alive[i], true
}

// more begins an attempt within the session, for the app that waits.
func (p *Pages) more(w http.ResponseWriter, r *http.Request, ask Ask, b session.Browser, s session.Session) error {
	v, err := p.Engine.Start(r.Context(), Beginning{
		Browser: b, Goal: StepUp, Ask: ask.ID, Session: s.ID,
		Locale: p.Web.Locale(r), Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()),
	})
	if err != nil {
		return err
	}
	return web.Redirect(w, r, signInPath+"/"+string(v.ID))
}
