package account

import (
	"net/http"

	"idp/identity"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// API is the account for scripts: JSON in and out, under /frontend/v1/me. Sensitive acts
// answer 403 step_up_required where the proof is too old: complete an attempt with the goal
// step_up, then try again.
type API struct{ *Self }

// act reads the body into in, if there is one to read, and does something in the name of
// who is signed in. Sensitive says that it needs a fresh proof.
func (x *API) act(w http.ResponseWriter, r *http.Request, sensitive bool, in any, do func(By) (any, error)) error {
	if in != nil {
		if err := web.DecodeJSON(r, in); err != nil {
			return err
		}
	}
	ask := x.whoever
	if sensitive {
		ask = x.Recently
	}
	s, who, err := ask(r)
	if err != nil {
		return err
	}
	out, err := do(x.by(r, s, who))
	switch {
	case err != nil:
		return err
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

// Look answers GET /frontend/v1/me.
func (x *API) Look(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) { return x.Me(by), nil })
}

// Change answers PATCH /frontend/v1/me: of the profile and the own metadata, what is named changes.
func (x *API) Change(w http.ResponseWriter, r *http.Request) error {
	var in ProfileChange
	return x.act(w, r, false, &in, func(by By) (any, error) {
		now, err := x.SaveProfile(r.Context(), by, in)
		by.Who.User = now
		return x.Me(by), err
	})
}

// Leave answers DELETE /frontend/v1/me: the account is gone.
func (x *API) Leave(w http.ResponseWriter, r *http.Request) error {
	var in LeaveRequest
	return x.act(w, r, true, &in, func(by By) (any, error) { return nil, x.Delete(r.Context(), by, in.Confirm) })
}

// Password answers POST /frontend/v1/me/password.
func (x *API) Password(w http.ResponseWriter, r *http.Request) error {
	var in NewPasswordRequest
	return x.act(w, r, true, &in, func(by By) (any, error) {
		return nil, x.ChangePassword(r.Context(), by, in.Password.String, in.Others == nil || *in.Others)
	})
}

// DropPassword answers DELETE /frontend/v1/me/password.
func (x *API) DropPassword(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, nil, func(by By) (any, error) { return nil, x.RemovePassword(r.Context(), by) })
}

// Add answers POST /frontend/v1/me/identifiers with 201 and the attempt that will put the
// address or phone number on file.
func (x *API) Add(w http.ResponseWriter, r *http.Request) error {
	var in AddRequest
	if err := web.DecodeJSON(r, &in); err != nil {
		return err
	}
	s, who, err := x.whoever(r)
	if err != nil {
		return err
	}
	by := x.by(r, s, who)
	b, err := x.extension(by, in.Address, "")
	if err != nil {
		return err
	}
	v, err := x.start(r, b)
	if err != nil {
		return on("address", err)
	}
	return web.WriteJSON(w, http.StatusCreated, v)
}

// Rank answers PATCH /frontend/v1/me/identifiers/{identifier}: it becomes the main one of its
// kind. Nothing else about it can be changed.
func (x *API) Rank(w http.ResponseWriter, r *http.Request) error {
	var in RankRequest
	return x.act(w, r, true, &in, func(by By) (any, error) {
		if !in.Primary {
			return nil, errRank
		}
		return nil, x.MakePrimary(r.Context(), by, identity.HoldingID(r.PathValue("identifier")))
	})
}

// Remove answers DELETE /frontend/v1/me/identifiers/{identifier}.
func (x *API) Remove(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, nil, func(by By) (any, error) {
		return nil, x.RemoveIdentifier(r.Context(), by, identity.HoldingID(r.PathValue("identifier")))
	})
}

// Devices answers GET /frontend/v1/me/sessions.
func (x *API) Devices(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		all, err := x.Self.Devices(r.Context(), by.Session)
		return Devices{all}, err
	})
}

// EndDevice answers DELETE /frontend/v1/me/sessions/{session}.
func (x *API) EndDevice(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		return nil, x.Self.EndDevice(r.Context(), by.Session, session.ID(r.PathValue("session")))
	})
}

// EndOthers answers POST /frontend/v1/me/sessions/end-others.
func (x *API) EndOthers(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, &login.Nothing{}, func(by By) (any, error) {
		return nil, x.leaveOthers(r.Context(), by.Session)
	})
}

// Apps answers GET /frontend/v1/me/grants.
func (x *API) Apps(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		all, err := x.Self.Apps(r.Context(), by.Session.User)
		return Grants{all}, err
	})
}

// Revoke answers DELETE /frontend/v1/me/grants/{client}. Twice is fine.
func (x *API) Revoke(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) {
		return nil, x.RevokeApp(r.Context(), by.Session, r.PathValue("client"))
	})
}

// TakeOut answers GET /frontend/v1/me/export.
func (x *API) TakeOut(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, nil, func(by By) (any, error) { return x.Export(r.Context(), by) })
}
