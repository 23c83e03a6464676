package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"idp/identity"
	"idp/internal/web"
	"idp/login"
)

// personPage is the data of the page "operator_person".
type personPage struct {
	ID            identity.UserID
	Name, Address string
	Banned, You   bool
	Factors       []identity.Factor // without their secrets; backup codes that are left count as one each
	Accounts      []elsewhere       // that the person signs in with
	Codes         int               // backup codes that are left
	Second        bool              // there is something to reset
	Done          string            // key of what was just done, ""

	Public, Private, Own string // metadata, laid out to be read; Own is the person's to write
	Version              int
}

// elsewhere is an account of the person's at another provider.
type elsewhere struct {
	ID                    identity.FactorID
	Connection, Label     string
	CreatedAt, LastUsedAt time.Time
}

var personNotices = map[string]string{"reset": "person.was_reset", "unlocked": "person.was_unlocked", "unlinked": "person.was_unlinked", "metadata": "person.metadata_saved"}

// ShowPerson answers GET /operator/users/{user}.
func (p *Pages) ShowPerson() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		person, err := p.People.Person(r.Context(), identity.UserID(r.PathValue("user")))
		if err != nil {
			return err
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_person", personOf(person, by, personNotices[r.URL.Query().Get("done")]))
	})
}

func personOf(person login.Person, by identity.User, done string) personPage {
	data := personPage{ID: person.User.ID, Banned: !person.User.MayEnter(), You: person.User.ID == by.ID, Done: done}
	data.Name, data.Address = person.Shown()
	m := person.User.Metadata
	data.Public, data.Private, data.Own, data.Version = laidOut(m.Public), laidOut(m.Private), laidOut(m.Own), person.User.Version
	for _, f := range person.Factors {
		data.Second = data.Second || f.Method != identity.Password && !f.Method.Federated()
		switch {
		case f.Spent():
		case f.Method.Federated():
			data.Accounts = append(data.Accounts, elsewhere{f.ID, f.Method.Connection(), f.Name, f.CreatedAt, f.LastUsedAt})
		case f.Method == identity.BackupCode:
			data.Codes++
		default:
			data.Factors = append(data.Factors, identity.Factor{ID: f.ID, Method: f.Method, Name: f.Name, CreatedAt: f.CreatedAt, LastUsedAt: f.LastUsedAt})
		}
	}
	return data
}

// laidOut is a JSON text with each member on a line of its own, "" for none.
func laidOut(text json.RawMessage) string {
	var spaced bytes.Buffer
	if len(text) == 0 || json.Indent(&spaced, text, "", "  ") != nil {
		return string(text)
	}
	return spaced.String()
}

// ResetPerson answers POST /operator/users/{user}/reset-factors.
func (p *Pages) ResetPerson() web.Handler {
	return p.help("reset", func(r *http.Request, id identity.UserID, by string) error {
		return p.Users.ResetFactors(r.Context(), id, by)
	})
}

// UnlockPerson answers POST /operator/users/{user}/unlock.
func (p *Pages) UnlockPerson() web.Handler {
	return p.help("unlocked", func(r *http.Request, id identity.UserID, by string) error { return p.Users.Unlock(r.Context(), id, by) })
}

// UnlinkPerson answers POST /operator/users/{user}/unlink: "factor" is the account.
func (p *Pages) UnlinkPerson() web.Handler {
	return p.help("unlinked", func(r *http.Request, id identity.UserID, by string) error {
		return p.Users.Unlink(r.Context(), id, r.PostFormValue("factor"), ticked(r, "force"), by)
	})
}

func (p *Pages) help(done string, do func(r *http.Request, id identity.UserID, by string) error) web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		person, err := p.People.Person(r.Context(), identity.UserID(r.PathValue("user")))
		if err != nil {
			return err
		}
		if err := do(r, person.User.ID, string(by.ID)); err != nil {
			return p.Web.Again(w, r, err, "operator_person", personOf(person, by, ""))
		}
		return web.Redirect(w, r, "/operator/users/"+string(person.User.ID)+"?done="+done)
	})
}
