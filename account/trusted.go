package account

import (
	"context"
	"net/http"
	"time"

	"idp/internal/problem"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// Trusted is a browser on which its person need not show a second factor.
type Trusted struct {
	ID      login.TrustID `json:"id"`
	This    bool          `json:"this"`              // it is the browser that asks
	Device  string        `json:"browser,omitempty"` // browser and system, "" if they are not known
	Since   time.Time     `json:"created_at"`
	Seen    time.Time     `json:"last_used_at"`
	Expires time.Time     `json:"expires_at"`
}

var errNoTrust = problem.New(problem.NotFound, "trust_unknown", "That browser is not one of those you trust.")

// Trusted lists the browsers on which the person need not show a second factor, the last used first.
func (a *Self) Trusted(ctx context.Context, by session.Session) ([]Trusted, error) {
	all, err := a.Engine.TrustedBy(ctx, by.User)
	list := []Trusted{}
	for _, t := range all {
		list = append(list, Trusted{
			ID: t.ID, This: t.Browser == by.Browser, Device: session.Describe(t.UserAgent), Since: t.CreatedAt, Seen: t.LastUsedAt, Expires: t.ExpiresAt,
		})
	}
	return list, err
}

// Distrust has a second factor asked for again on that browser of the person, on all of them
// if id is "". It takes only away, so it needs no fresh proof.
func (a *Self) Distrust(ctx context.Context, by session.Session, id login.TrustID) error {
	n, err := a.Engine.DropTrusted(ctx, by.User, login.Which{ID: id}, string(by.User))
	if err == nil && n == 0 && id != "" {
		return errNoTrust
	}
	return err
}

// leaveOthers ends all of the person's sessions but this one. Whoever signs out everywhere else
// wants nobody to come back in there with half the proof: no other browser is trusted any more.
func (a *Self) leaveOthers(ctx context.Context, by session.Session) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		if _, err := a.Engine.DropTrusted(ctx, by.User, login.Which{NotOn: by.Browser}, string(by.User)); err != nil {
			return err
		}
		return a.Sessions.EndOthers(ctx, by.User, by.ID, string(by.User))
	})
}

// Distrusted answers POST /account/security/trusted/drop: "trust" names one browser, or nothing all of them.
func (p *Pages) Distrusted(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	if err := p.Distrust(r.Context(), s, login.TrustID(r.PostFormValue("trust"))); err != nil {
		return err
	}
	return web.Redirect(w, r, securityPath+"?done=distrusted")
}

// TrustedBrowsers answers GET /frontend/v1/me/trusted-browsers.
func (x *API) TrustedBrowsers(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		all, err := x.Trusted(r.Context(), by.Session)
		return TrustedBrowsers{all}, err
	})
}

// DropTrusted answers DELETE /frontend/v1/me/trusted-browsers/{trust}.
func (x *API) DropTrusted(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		return nil, x.Distrust(r.Context(), by.Session, login.TrustID(r.PathValue("trust")))
	})
}
