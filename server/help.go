package server

import (
	"context"
	"net/http"

	"idp/account"
	"idp/admin"
	"idp/identity"
	"idp/internal/web"
	"idp/login"
	"idp/storage"
)

// help is as much of the engine as helps somebody who cannot get in; commands need no more.
func (r *Rooms) help() admin.Helper {
	store := storage.NewAdmin(r.DB)
	return &login.Engine{
		People: storage.NewPeople(r.DB), Throttle: storage.NewThrottle(r.DB), Trust: storage.NewTrust(r.DB), Undos: storage.NewUndos(r.DB),
		Sessions: r.Sessions, Events: r.Events, Box: r.Box, Post: r.Outbox.Post, InTx: r.DB.InTx,
		Revoke: func(ctx context.Context, u identity.UserID) error {
			return store.EndAuthorizations(ctx, u, r.now())
		},
		Federation: r.Federation, Settings: r.SignIn, Origin: r.Config.Issuer, Now: r.now,
	}
}

// changePassword leads password managers to the page (W3C: A Well-Known URL for Changing Passwords),
// unless there are no passwords. They look at the root of the host only.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	if !s.SignIn().Password {
		return account.ErrPasswordsOff
	}
	return web.Redirect(w, r, s.Config.Issuer+"/account/password")
}

// SignIn are the settings about signing in as they can work here: where there is no name that
// passkeys could be bound to, there are none.
func (r *Rooms) SignIn() login.Settings {
	settings := r.Settings.SignIn()
	if r.Config.Passkeys.RPID == "" {
		settings.Passkeys, settings.SecurityKeys = false, false
	}
	return settings
}
