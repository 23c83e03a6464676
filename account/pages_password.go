package account

import (
	"net/http"

	"idp/internal/secret"
	"idp/login"
)

const passwordPath = home + "/password"

// passwordPage is the data of the page "account_password".
type passwordPage struct {
	Operator   bool
	Identifier string
	Recent     bool // else the page asks for a proof first
	Has, Spare bool // there is one; and it could go
	Others     bool // the tick
	Rules      *login.PasswordRules
}

func (p *Pages) passwordPage(by By) passwordPage {
	rules := p.Engine.Settings().Rules
	_, address := by.Who.Shown()
	_, has := passwordOf(by.Who)
	return passwordPage{
		Operator: by.Who.User.Operator, Identifier: address, Recent: by.Session.Satisfies(p.Engine.Recent(by.Who), p.Now()),
		Has: has, Spare: has && p.spare(by.Who), Others: true, Rules: &rules,
	}
}

// PasswordForm answers GET /account/password.
func (p *Pages) PasswordForm(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	if !p.Engine.Settings().Password {
		return ErrPasswordsOff
	}
	return p.Web.Show(w, r, http.StatusOK, "account_password", p.passwordPage(by))
}

// SetPassword answers POST /account/password.
func (p *Pages) SetPassword(w http.ResponseWriter, r *http.Request) error {
	others := r.PostFormValue("others") != ""
	return p.onPassword(w, r, "password", others, func(by By) error {
		return p.ChangePassword(r.Context(), by, secret.NewString(r.PostFormValue("password")), others)
	})
}

// DropPassword answers POST /account/password/remove.
func (p *Pages) DropPassword(w http.ResponseWriter, r *http.Request) error {
	return p.onPassword(w, r, "password_removed", true, func(by By) error { return p.RemovePassword(r.Context(), by) })
}

func (p *Pages) onPassword(w http.ResponseWriter, r *http.Request, what string, others bool, do func(By) error) error {
	s, who, ok, err := p.recently(w, r, passwordPath)
	if !ok {
		return err
	}
	by := p.by(r, s, who)
	if err := do(by); err != nil {
		data := p.passwordPage(by)
		data.Others = others
		return p.Web.Again(w, r, err, "account_password", data)
	}
	return done(w, r, what)
}
