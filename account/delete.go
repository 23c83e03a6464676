package account

import (
	"context"
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
)

var errNotConfirmed = problem.New(problem.Invalid, "confirmation_wrong", "Type your email address exactly as it is shown.").On("confirm")

// Delete ends the account of who acts, for ever, if they typed their address to say that
// they mean it.
func (a *Self) Delete(ctx context.Context, by By, confirm string) error {
	typed, err := identity.ParseEmail(confirm)
	if err != nil || typed != mainAddress(by.Who) {
		return errNotConfirmed
	}
	return a.Erase(ctx, by.Session.User, string(by.Session.User))
}

const deletePath = home + "/delete"

// deletePage is the data of the page "account_delete".
type deletePage struct {
	Operator bool
	Address  string
	Recent   bool // else the page asks for a proof first
	Apps     []App
	Typed    string
}

func (p *Pages) deletePage(r *http.Request, by By) (deletePage, error) {
	_, address := by.Who.Shown()
	apps, err := p.Apps(r.Context(), by.Session.User)
	return deletePage{
		Operator: by.Who.User.Operator, Address: address, Recent: by.Session.Satisfies(p.Engine.Recent(by.Who), p.Now()), Apps: apps,
	}, err
}

// DeleteForm answers GET /account/delete with what will be lost.
func (p *Pages) DeleteForm(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	data, err := p.deletePage(r, by)
	if err != nil {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "account_delete", data)
}

// DeleteAccount answers POST /account/delete.
func (p *Pages) DeleteAccount(w http.ResponseWriter, r *http.Request) error {
	s, who, ok, err := p.recently(w, r, deletePath)
	if !ok {
		return err
	}
	by := p.by(r, s, who)
	typed := r.PostFormValue("confirm")
	if err := p.Delete(r.Context(), by, typed); err != nil {
		data, failed := p.deletePage(r, by)
		if failed != nil {
			return failed
		}
		data.Typed = typed
		return p.Web.Again(w, r, err, "account_delete", data)
	}
	if _, err := p.Sessions.ShowState(w, r); err != nil {
		return err
	}
	return web.Redirect(w, r, deletePath+"d")
}

// Deleted answers GET /account/deleted.
func (p *Pages) Deleted(w http.ResponseWriter, r *http.Request) error {
	return p.Web.Show(w, r, http.StatusOK, "account_deleted", nil)
}
