package account

import (
	"net/http"
	"slices"
	"time"

	"idp/identity"
	"idp/internal/web"
	"idp/login"
)

const securityPath = home + "/security"

// securityPage is the data of the page "account_security".
type securityPage struct {
	Security
	Operator  bool
	Passwords bool      // people sign in with one here
	Password  time.Time // since when, zero if there is none
	Keys      []Factor  // passkeys and security keys
	Steps     []Factor  // the app, the phone
	AddKeys   []adding
	AddSteps  []adding
	Trusted   []Trusted
	Elsewhere Connections      // accounts that the person signs in with
	Signal    *login.KeySignal // for the person's devices, nil for none
	Now       time.Time
	Done      string // key of what was just done, ""
}

// adding is a button that leads to setting something up.
type adding struct {
	Method identity.Method
	Words  string // key of what it says
}

// securityNotices are what the page may say was done.
var securityNotices = map[string]string{
	"renamed": "security.done_renamed", "removed": "security.done_removed", "distrusted": "account.done_distrusted", "confirmed": "account.done_confirmed",
	"connected": "linked.done_connected", "disconnected": "linked.done_disconnected", "joined": "linked.done_joined",
}

func isKey(m identity.Method) bool { return m == identity.Passkey || m == identity.SecurityKey }

func (p *Pages) securityPage(r *http.Request, by By) (data securityPage, err error) {
	data = securityPage{
		Security: p.Security(by), Operator: by.Who.User.Operator, Passwords: p.Engine.Settings().Password, Now: p.Now(),
		Done: securityNotices[r.URL.Query().Get("done")],
	}
	if f, has := passwordOf(by.Who); has {
		data.Password = f.CreatedAt
	}
	for _, f := range data.Factors {
		if isKey(f.Method) {
			data.Keys = append(data.Keys, f)
			continue
		}
		data.Steps = append(data.Steps, f)
	}
	for _, m := range data.Add {
		button := adding{m, "security.add_" + string(m)}
		if isKey(m) {
			data.AddKeys = append(data.AddKeys, button)
			continue
		}
		if slices.ContainsFunc(data.Steps, func(f Factor) bool { return f.Method == m }) {
			button.Words = map[identity.Method]string{identity.TOTP: "security.replace_totp", identity.PhoneCode: "security.more_phone_code"}[m]
		}
		data.AddSteps = append(data.AddSteps, button)
	}
	data.Elsewhere = p.Connections(by)
	if data.Signal, err = p.Engine.KeySignal(by.Who); err != nil {
		return data, err
	}
	data.Trusted, err = p.Self.Trusted(r.Context(), by.Session)
	return data, err
}

// SecurityForm answers GET /account/security.
func (p *Pages) SecurityForm(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	data, err := p.securityPage(r, by)
	if err != nil {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "account_security", data)
}

// onSecurity lets somebody who proved lately who they are do something on the page.
func (p *Pages) onSecurity(w http.ResponseWriter, r *http.Request, do func(By) error) error {
	s, who, ok, err := p.recently(w, r, securityPath+"?done=confirmed")
	if !ok {
		return err
	}
	by := p.by(r, s, who)
	if trouble := do(by); trouble != nil {
		return p.onSecurityAgain(w, r, by, trouble)
	}
	return nil
}

// AddFactor answers POST /account/security/add: the browser goes to set up the method named.
func (p *Pages) AddFactor(w http.ResponseWriter, r *http.Request) error {
	return p.onSecurity(w, r, func(by By) error {
		to, err := p.setUp(r, by, identity.Method(r.PostFormValue("method")))
		if err != nil {
			return err
		}
		p.Web.KeepReturn(w, securityPath)
		return web.Redirect(w, r, to)
	})
}

// RenameFactor answers POST /account/security/rename.
func (p *Pages) RenameFactor(w http.ResponseWriter, r *http.Request) error {
	return p.onSecurity(w, r, func(by By) error {
		if err := p.Rename(r.Context(), by, identity.FactorID(r.PostFormValue("factor")), r.PostFormValue("name")); err != nil {
			return err
		}
		return web.Redirect(w, r, securityPath+"?done=renamed")
	})
}

// DropFactor answers POST /account/security/remove.
func (p *Pages) DropFactor(w http.ResponseWriter, r *http.Request) error {
	return p.onSecurity(w, r, func(by By) error {
		if err := p.RemoveFactor(r.Context(), by, identity.FactorID(r.PostFormValue("factor"))); err != nil {
			return err
		}
		return web.Redirect(w, r, securityPath+"?done=removed")
	})
}

// RenewBackupCodes answers POST /account/security/backup-codes with fresh ones, this once.
func (p *Pages) RenewBackupCodes(w http.ResponseWriter, r *http.Request) error {
	return p.onSecurity(w, r, func(by By) error {
		fresh, err := p.Engine.RenewBackupCodes(r.Context(), by.Session, by.At)
		if err != nil {
			return err
		}
		return login.ShowBackupCodes(w, r, p.Web, fresh, securityPath)
	})
}
