package account

import (
	"context"
	"net/http"
	"time"

	"idp/identity"
	"idp/login"
)

// Factor is something the person confirms with in a second step, as they see it.
type Factor struct {
	ID     identity.FactorID `json:"id"`
	Method identity.Method   `json:"method"`
	Name   string            `json:"name,omitempty"`   // the person's word for it
	Number string            `json:"number,omitempty"` // phone_code: where codes go
	Since  time.Time         `json:"created_at"`
	Used   time.Time         `json:"last_used_at,omitzero"`
}

// Security is how somebody proves who they are.
type Security struct {
	Factors []Factor          `json:"factors"`           // the oldest first
	Left    int               `json:"backup_codes_left"` // not spent
	Backup  bool              `json:"backup_codes"`      // there may be backup codes
	Add     []identity.Method `json:"methods"`           // what may be set up; an app replaces the one there is
	TwoStep bool              `json:"two_step"`          // a second step is asked for at sign-in
	Must    bool              `json:"required"`          // it is asked of everybody here
}

// Security returns how the person proves who they are in a second step.
func (a *Self) Security(by By) Security {
	k := a.Engine.Keeping(by.Who)
	s := Security{Factors: []Factor{}, Left: k.Left, Backup: k.Backup, Add: k.Add, TwoStep: k.TwoStep, Must: k.Must}
	for _, f := range k.Factors {
		shown := Factor{ID: f.ID, Method: f.Method, Name: f.Name, Since: f.CreatedAt, Used: f.LastUsedAt}
		if f.Method == identity.PhoneCode {
			shown.Number = f.Secret.Reveal()
		}
		s.Factors = append(s.Factors, shown)
	}
	return s
}

// Rename gives a factor of the person's another name.
func (a *Self) Rename(ctx context.Context, by By, id identity.FactorID, name string) error {
	return a.Engine.RenameFactor(ctx, by.Session, by.At, id, name)
}

// RemoveFactor takes a factor off the person's file, if they can do without.
func (a *Self) RemoveFactor(ctx context.Context, by By, id identity.FactorID) error {
	return a.Engine.RemoveFactor(ctx, by.Session, by.At, id)
}

// BackupCodes returns fresh backup codes in place of all others, this once.
func (a *Self) BackupCodes(ctx context.Context, by By) ([]string, error) {
	fresh, err := a.Engine.RenewBackupCodes(ctx, by.Session, by.At)
	var plain []string
	for _, c := range fresh {
		plain = append(plain, c.Reveal())
	}
	return plain, err
}

// Factors answers GET /frontend/v1/me/factors.
func (x *API) Factors(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) { return x.Security(by), nil })
}

// RenameFactor answers PATCH /frontend/v1/me/factors/{factor}.
func (x *API) RenameFactor(w http.ResponseWriter, r *http.Request) error {
	var in RenameRequest
	return x.act(w, r, true, &in, func(by By) (any, error) {
		return nil, x.Rename(r.Context(), by, identity.FactorID(r.PathValue("factor")), in.Name)
	})
}

// DropFactor answers DELETE /frontend/v1/me/factors/{factor}.
func (x *API) DropFactor(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, nil, func(by By) (any, error) {
		return nil, x.RemoveFactor(r.Context(), by, identity.FactorID(r.PathValue("factor")))
	})
}

// RenewBackupCodes answers POST /frontend/v1/me/backup-codes with fresh ones; no other answer has them.
func (x *API) RenewBackupCodes(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, &login.Nothing{}, func(by By) (any, error) {
		fresh, err := x.BackupCodes(r.Context(), by)
		return BackupCodes{fresh}, err
	})
}

// begins reports whether setting a method up can begin without asking anything more.
func begins(m identity.Method) bool { return m != identity.PhoneCode }

// setUp starts an attempt that sets a method up, and returns where the browser goes for it.
func (a *Self) setUp(r *http.Request, by By, m identity.Method) (path string, err error) {
	v, err := a.start(r, login.Beginning{Goal: login.Enroll, Session: by.Session.ID})
	if err != nil {
		return "", err
	}
	path = "/sign-in/" + string(v.ID)
	if v.Step != login.NeedsEnrollment || !begins(m) {
		return path + "?method=" + string(m), nil
	}
	at, err := a.at(r, by, v.ID)
	if err != nil {
		return "", err
	}
	_, err = a.Engine.Enroll(r.Context(), at, m, "")
	return path, err
}
