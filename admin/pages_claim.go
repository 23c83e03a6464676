package admin

import (
	"net/http"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
)

// ClaimPage answers GET /operator/claim?token=: what the link does, and a button. Somebody
// who is not signed in does that first and comes back. Nothing is used up.
func (p *Pages) ClaimPage(w http.ResponseWriter, r *http.Request) error {
	bearer := r.URL.Query().Get("token")
	if err := p.Operators.Check(r.Context(), secret.NewString(bearer)); err != nil {
		return err
	}
	data := struct {
		Bearer        string
		Name, Address string
		SignUp        bool
	}{Bearer: bearer, SignUp: p.Settings.SignIn().SignUp == "open"}
	s, err := p.Session.Current(r)
	switch {
	case problem.Is(err, problem.Unauthenticated):
		p.Web.KeepReturn(w, r.URL.RequestURI())
	case err != nil:
		return err
	default:
		person, err := p.People.Person(r.Context(), s.User)
		if err != nil {
			return err
		}
		data.Name, data.Address = person.Shown()
	}
	return p.Web.Show(w, r, http.StatusOK, "operator_claim", data)
}

// Claim answers POST /operator/claim: the person who is signed in becomes operator.
func (p *Pages) Claim(w http.ResponseWriter, r *http.Request) error {
	bearer := secret.NewString(r.PostFormValue("token"))
	s, err := p.Session.Current(r)
	if err != nil {
		return err
	}
	if err := p.Operators.Claim(r.Context(), bearer, s.User); err != nil {
		return err
	}
	return web.Redirect(w, r, "/operator")
}
